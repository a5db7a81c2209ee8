import type { ApiServer } from '../servers/index.ts';

/** Objects of a small cluster, as kubelet, scheduler and controllers would leave them. */

export const NAMESPACE = 'metallb-system';

type Json = Record<string, unknown>;

export interface Cluster {
  /** kubectl apply of any objects, server-side. */
  apply(...objects: Json[]): Promise<void>;
  /** Replaces status, which apply cannot write. `where`: namespace, if any. */
  status(kind: string, name: string, status: Json, where?: string): Promise<void>;
  node(name: string, o?: { labels?: Record<string, string>; ready?: boolean }): Promise<void>;
  /** The speaker's own Pod on a node, Ready or not. */
  speakerPod(node: string, ready?: boolean): Promise<void>;
  pool(name: string, ...addresses: string[]): Promise<void>;
  advertisement(name: string, spec?: Json): Promise<void>;
  /** A Service with addresses in its status and endpoints on these nodes. */
  service(
    name: string,
    ips: readonly string[],
    o?: { endpoints?: readonly string[]; spec?: Json; metadata?: Json },
  ): Promise<void>;
  endpoints(name: string, nodes: readonly string[]): Promise<void>;
}

export const SPEAKER_LABELS = {
  'app.kubernetes.io/name': 'herald',
  'app.kubernetes.io/component': 'speaker',
};
const READY = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const condition = (ready: boolean) => [{ ...READY, status: ready ? 'True' : 'False' }];

/** What an EndpointSlice says of one ready endpoint on each node. */
export const endpointsOn = (nodes: readonly string[]) =>
  nodes.map((nodeName, i) => ({
    addresses: [`10.1.0.${i + 1}`],
    nodeName,
    conditions: { ready: true },
  }));

export function cluster(api: ApiServer): Cluster {
  const apply = async (...objects: Json[]): Promise<void> => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await api.kubectlInput(list, 'apply', '--server-side', '--force-conflicts', '-f', '-');
  };
  const status = async (kind: string, name: string, value: Json, where?: string): Promise<void> => {
    const at = where === undefined ? [] : ['-n', where];
    const patch = JSON.stringify({ status: value });
    await api.kubectl('patch', kind, name, ...at, '--subresource=status', '--type=merge', '-p', patch);
  };
  const endpoints = (name: string, nodes: readonly string[]) =>
    apply({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: 80 }],
      endpoints: endpointsOn(nodes),
    });
  return {
    apply,
    status,
    endpoints,
    async node(name, o = {}) {
      const labels = { 'kubernetes.io/hostname': name, ...o.labels };
      await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
      await status('node', name, { conditions: condition(o.ready ?? true) });
    },
    async speakerPod(node, ready = true) {
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `speaker-${node}`, namespace: NAMESPACE, labels: SPEAKER_LABELS },
        spec: {
          nodeName: node,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'speaker', image: 'herald' }],
        },
      });
      await status('pod', `speaker-${node}`, { phase: 'Running', conditions: condition(ready) }, NAMESPACE);
    },
    pool: (name, ...addresses) =>
      apply({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { name, namespace: NAMESPACE },
        spec: { addresses },
      }),
    advertisement: (name, spec = {}) =>
      apply({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'L2Advertisement',
        metadata: { name, namespace: NAMESPACE },
        spec,
      }),
    async service(name, ips, o = {}) {
      await apply({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default', ...o.metadata },
        spec: {
          type: 'LoadBalancer',
          ports: [{ port: 80 }],
          allocateLoadBalancerNodePorts: false,
          ...o.spec,
        },
      });
      await endpoints(name, o.endpoints ?? []);
      await status('service', name, { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } }, 'default');
    },
  };
}
