import {
  anyObject,
  anything,
  bool,
  int,
  intOrString,
  list,
  map,
  object,
  oneOfStrings,
  str,
} from '../schema.ts';
import { forValues } from './strict.ts';

/**
 * The keys that set up Herald's own workloads. Names are those of upstream's chart 0.16, so that its values files
 * keep working; unknown keys below these roots are tolerated with a warning.
 */

const image = object(
  {
    repository: str('Image without tag.'),
    tag: str("Tag; the chart's appVersion when absent."),
    digest: str('"sha256:...", wins over the tag.'),
    pullPolicy: str('Always, IfNotPresent or Never.'),
  },
  'Container image.',
);

const probe = object(
  {
    enabled: bool('Whether the kubelet probes.'),
    port: int('Port that answers it.'),
    failureThreshold: int('Failures in a row that count.'),
    initialDelaySeconds: int('Seconds before the first.'),
    periodSeconds: int('Seconds between two.'),
    successThreshold: int('Successes in a row that count.'),
    timeoutSeconds: int('Seconds to wait for an answer.'),
  },
  'Probe.',
);

const workload = {
  enabled: bool('Whether Herald runs it. Off: upstream as back end does the work.'),
  logLevel: oneOfStrings(['all', 'debug', 'info', 'warn', 'error', 'none'], 'Which log lines appear.'),
  image,
  args: list(str(), 'Further arguments.'),
  serviceAccount: object(
    {
      create: bool('Whether the chart makes it.'),
      name: str('Its name.'),
      annotations: map(str(), 'Its annotations.'),
    },
    'Service account.',
  ),
  securityContext: anyObject('Security context of the pod.'),
  resources: anyObject('Requests and limits.'),
  nodeSelector: map(str(), 'Labels of nodes to run on.'),
  tolerations: list(anything(), 'Taints to run on nevertheless.'),
  priorityClassName: str('Priority class.'),
  runtimeClassName: str('Runtime class.'),
  affinity: anyObject('Affinity.'),
  podAnnotations: map(str(), 'Annotations of the pods.'),
  labels: map(str(), 'Further labels of the pods.'),
  livenessProbe: probe,
  readinessProbe: probe,
  extraContainers: list(anything(), 'Further containers.'),
};

const monitor = object({
  additionalLabels: map(str(), 'Its labels.'),
  annotations: map(str(), 'Its annotations.'),
  tlsConfig: anyObject('How Prometheus checks the certificate.'),
});

const prometheus = object(
  {
    scrapeAnnotations: bool('Whether pods carry prometheus.io annotations.'),
    metricsPort: int('Port of /metrics.'),
    rbacPrometheus: bool('Whether Prometheus gets a Role here.'),
    serviceAccount: str("Prometheus' service account."),
    namespace: str("Prometheus' namespace."),
    podMonitor: object(
      {
        enabled: bool('Whether the chart makes PodMonitors.'),
        additionalLabels: map(str(), 'Their labels.'),
        annotations: map(str(), 'Their annotations.'),
        jobLabel: str('Label that names the job.'),
        interval: str('Scrape interval.'),
        metricRelabelings: list(anything()),
        relabelings: list(anything()),
      },
      'PodMonitor.',
    ),
    serviceMonitor: object(
      {
        enabled: bool('Whether the chart makes ServiceMonitors.'),
        controller: monitor,
        speaker: monitor,
        jobLabel: str('Label that names the job.'),
        interval: str('Scrape interval.'),
        metricRelabelings: list(anything()),
        relabelings: list(anything()),
      },
      'ServiceMonitor.',
    ),
    prometheusRule: anyObject('Alerts.'),
  },
  'Metrics.',
);

export const CHART = forValues(
  object({
    image,
    imagePullSecrets: list(anything(), 'Secrets for pulling images.'),
    nameOverride: str('Stands in for the name of the chart.'),
    fullnameOverride: str('Stands in for the names of all objects.'),
    loadBalancerClass: str('Serve only Services of this class; absent or empty: only those without one.'),
    rbac: object({ create: bool('Whether the chart makes roles and bindings.') }, 'Permissions.'),
    tls: anyObject('TLS of the metrics ports.'),
    prometheus,
    dashboards: anyObject('Grafana dashboards.'),
    networkPolicy: anyObject('Network policies.'),
    networkpolicies: anyObject("Network policies, under upstream's name."),
    crds: object(
      {
        enabled: bool("Accepted from upstream's values; this chart keeps its CRDs in crds/."),
        operatorKinds: bool(
          "Whether the chart brings AddressPool and MetalLB, the kinds of OpenShift's operator. Off where that operator is installed.",
        ),
        validationFailurePolicy: str("Accepted from upstream's values; there is no webhook."),
      },
      'Custom resource definitions.',
    ),
    reconciler: object(
      { ...workload, strategy: anyObject('Update strategy.') },
      'The program that makes the cluster hold what the sources say.',
    ),
    controller: object(
      {
        ...workload,
        replicas: int('Number of pods; one is active.', { minimum: 0 }),
        probeBeforeUse: bool(
          'Whether speakers ask on the network if an address is in use before it is given out for the first time.',
        ),
        stickyGraceSeconds: int(
          'How long the address of a deleted Service is kept for one of the same name, unless others would have none.',
          { minimum: 0 },
        ),
        strategy: anyObject('Update strategy.'),
        webhookMode: str("Accepted from upstream's values; there is no webhook."),
        podDisruptionBudget: object({
          enabled: bool('Whether the chart makes one.'),
          minAvailable: intOrString('Pods that must stay.'),
          maxUnavailable: intOrString('Pods that may go.'),
        }),
      },
      'The program that gives addresses to Services.',
    ),
    speaker: object(
      {
        ...workload,
        updateStrategy: anyObject('Update strategy.'),
        startupProbe: probe,
        tolerateMaster: bool('Whether it runs on control plane nodes.'),
        memberlist: object(
          {
            enabled: bool('Whether speakers watch each other.'),
            mlBindPort: int('TCP and UDP port for that.'),
            mlBindAddrOverride: str('Address to listen on.'),
            mlSecretKeyPath: str('Directory of the mounted key.'),
          },
          'Membership.',
        ),
        excludeInterfaces: object(
          {
            enabled: bool('Whether some interfaces never announce.'),
            interfaces: list(str(), 'Regular expressions of their names.'),
          },
          'Interfaces that never announce.',
        ),
        onConflict: oneOfStrings(
          ['defend', 'yield', 'tell'],
          'What is done when another host has an address that a node announces. defend: go on, and announce it anew each ten seconds. yield: answer no more until the other one is gone. tell: go on. Each is told by Event, condition and metric.',
        ),
        onCordon: oneOfStrings(
          ['auto', 'move', 'stay'],
          'When a node that is cordoned, drained or about to be removed gives its addresses up, while another node can announce them. auto: as long as every live speaker is one of Herald that does so, too. move: also where speakers have no ring to tell each other. stay: never, as MetalLB.',
        ),
        ignoreExcludeLB: bool('Announce from nodes labelled exclude-from-external-load-balancers too.'),
        bgpDebounceTimeout: int('Milliseconds to collect changes before FRR reloads.'),
        secretName: str('Secret with the membership key.'),
        wanConfig: bool('Timers for slow networks.'),
        frr: anyObject('FRR container of upstream.'),
        reloader: anyObject('FRR reloader container of upstream.'),
        frrMetrics: anyObject('FRR metrics container of upstream.'),
        initContainers: anyObject('Init containers of upstream.'),
      },
      'The program on each node that announces addresses.',
    ),
    frrk8s: anyObject("Settings of upstream's FRR-K8s back end."),
    'frr-k8s': anyObject("Settings of upstream's frr-k8s subchart."),
    global: anyObject('Set by Helm when this chart is a dependency.'),
  }),
  { closed: false },
);

/** Roots of other products' values files; what they mean is decided where dialects are read. */
export const FOREIGN_ROOTS = [
  'address-pools',
  'applications',
  'arpAddresses',
  'bfd-profiles',
  'bgp-communities',
  'calico_advertise_service_loadbalancer_ips',
  'charts',
  'config',
  'configInline',
  'existingConfigMap',
  'image-registry',
  'iprange',
  'kube_proxy_mode',
  'kube_proxy_strict_arp',
  'manifests',
  'metallb',
  'metallb-release',
  'namespace',
  'node-selector',
  'pack',
  'peers',
  'protocol',
] as const;
export const FOREIGN_ROOT_PATTERN = '^(metallb|matallb)_';
