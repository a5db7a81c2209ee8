import { conditionList } from './condition-schema.ts';
import type { Crd } from './crd.ts';
import { empty, GROUP } from './metallb/common.ts';
import { anyObject, anything, bool, int, list, map, object, oneOfStrings, str } from './schema.ts';

/**
 * Kinds of OpenShift's MetalLB operator, for manifests that were written for it. Herald reads them where the cluster knows them; the
 * chart brings the definitions on request. Fields are checked where they are read, with better words than a schema has: what an
 * older operator took must arrive.
 */

const advertisement = object({
  aggregationLength: int('Prefix length that routes of IPv4 are aggregated to.', { format: 'int32' }),
  aggregationLengthV6: int('Prefix length that routes of IPv6 are aggregated to.', { format: 'int32' }),
  localPref: int('BGP LOCAL_PREF of the routes.', { format: 'int64' }),
  communities: list(str(), 'BGP communities of the routes, "number:number".'),
});

const pool = object(
  {
    protocol: oneOfStrings(['layer2', 'bgp'], 'How the addresses are announced.'),
    addresses: list(str(), 'Addresses: a CIDR, a range, or a single one.'),
    autoAssign: bool('Whether a Service that names no pool may get an address from here.', { default: true }),
    bgpAdvertisements: list(advertisement, 'With protocol bgp: how routes are made.'),
    name: str('Name of the pool, where it is not that of the object (v1alpha1).'),
  },
  'A pool and its announcement in one.',
  { required: ['protocol', 'addresses'] },
);

export const addressPoolCrd: Crd = {
  group: GROUP,
  kind: 'AddressPool',
  plural: 'addresspools',
  singular: 'addresspool',
  versions: [
    {
      name: 'v1alpha1',
      about: 'A pool of addresses, in the words of the operator of OpenShift 4.9.',
      storage: false,
      deprecated: 'metallb.io/v1alpha1 AddressPool is deprecated, use IPAddressPool',
      columns: [],
      spec: pool,
      status: empty('Unused.'),
    },
    {
      name: 'v1beta1',
      about: 'A pool of addresses, in the words of the operator of OpenShift 4.10 and 4.11.',
      storage: true,
      deprecated: 'metallb.io/v1beta1 AddressPool is deprecated, use IPAddressPool',
      columns: [
        { name: 'Auto Assign', type: 'boolean', path: '.spec.autoAssign' },
        { name: 'Protocol', type: 'string', path: '.spec.protocol' },
        { name: 'Addresses', type: 'string', path: '.spec.addresses' },
      ],
      spec: pool,
      status: empty('Unused.'),
    },
  ],
};

const podConfig = (about: string) =>
  object(
    {
      priorityClassName: str('Priority class.'),
      runtimeClassName: str('Runtime class.'),
      affinity: anyObject('Affinity.'),
      annotations: map(str(), 'Annotations of the pods.'),
      resources: anyObject('Requests and limits.'),
    },
    about,
  );

const settings = object(
  {
    image: str('Without effect.'),
    nodeSelector: map(str(), 'Labels of nodes that speakers run on.'),
    speakerTolerations: list(anything(), 'Taints that speakers run on nevertheless.'),
    logLevel: oneOfStrings(['all', 'debug', 'info', 'warn', 'error', 'none'], 'Which log lines appear.'),
    controllerNodeSelector: map(str(), 'Labels of nodes that the controller runs on.'),
    controllerTolerations: list(anything(), 'Taints that the controller runs on nevertheless.'),
    controllerConfig: podConfig('Further settings of the controller.'),
    speakerConfig: podConfig('Further settings of the speakers.'),
    loadBalancerClass: str('Serve only Services of this class.'),
    bgpBackend: oneOfStrings(
      ['native', 'frr', 'frr-k8s', 'frr-k8s-external'],
      'Which BGP implementation runs.',
    ),
    frrk8sConfig: anyObject("Settings of upstream's FRR-K8s back end."),
  },
  'How the load balancer runs.',
);

export const metallbCrd: Crd = {
  group: GROUP,
  kind: 'MetalLB',
  plural: 'metallbs',
  singular: 'metallb',
  versions: [
    {
      name: 'v1beta1',
      about:
        "How the load balancer's own pods run, in the words of OpenShift's operator. Only the object named metallb counts.",
      storage: true,
      columns: [
        { name: 'Available', type: 'string', path: '.status.conditions[?(@.type=="Available")].status' },
      ],
      spec: settings,
      status: object({
        conditions: conditionList('Available, Upgradeable, Progressing and Degraded.', { maxItems: 16 }),
      }),
    },
  ],
};

/** Definitions that the chart brings on request only: a cluster with the operator has its own. */
export const OPERATOR_CRDS: readonly Crd[] = [addressPoolCrd, metallbCrd];
