import type { ObjectMeta } from './object.ts';

/** Annotations that users put on Services. Each has a twin with upstream's old prefix. */
export const ADDRESS_POOL = 'metallb.io/address-pool';
export const LOAD_BALANCER_IPS = 'metallb.io/loadBalancerIPs';
export const ALLOW_SHARED_IP = 'metallb.io/allow-shared-ip';
/** Written by the controller on Services: the pool that the addresses come from. */
export const IP_ALLOCATED_FROM_POOL = 'metallb.io/ip-allocated-from-pool';

/** Labels on ServiceL2Status and ServiceBGPStatus. */
export const NODE = 'metallb.io/node';
export const SERVICE_NAME = 'metallb.io/service-name';
export const SERVICE_NAMESPACE = 'metallb.io/service-namespace';
/** Labels on ConfigurationState. */
export const COMPONENT_TYPE = 'metallb.io/component-type';
export const NODE_NAME = 'metallb.io/node-name';

/** Label on everything that a reconciler rendered: the release that owns it. */
export const INSTANCE = 'herald.io/instance';
/** Annotation on rendered objects: `<source>#<path>`. */
export const FROM = 'herald.io/from';
/** Annotation on a foreign object: the source that may take it over. */
export const ADOPT = 'herald.io/adopt';
/** Label on ConfigMaps that are sources; "true". */
export const SOURCE = 'herald.io/source';
/** Annotation that lets a change pass admission although addresses are in use. */
export const ALLOW_DISRUPTION = 'herald.io/allow-disruption';
/** Annotation on a pool: ranges that give out no new addresses. */
export const DRAINING = 'herald.io/draining';
/** Annotation on a pool: ranges whose Services get other addresses, one after the other; they give out no new ones either. */
export const MOVING = 'herald.io/moving';
/** Annotation on a pool: addresses that somebody outside the cluster uses; see `readQuarantine`. */
export const QUARANTINED = 'herald.io/quarantined';
/** Annotation on a pool: how it chooses among its free addresses; one of STRATEGIES. */
export const STRATEGY = 'herald.io/allocation-strategy';
export const STRATEGIES = ['first-free', 'least-recently-used', 'hash'] as const;
/** Annotation on rendered objects: what may happen to addresses in use when the object changes or goes; a ChangePolicy. */
export const ON_CHANGE = 'herald.io/on-change';
/** Annotation on a Plan: the digest of the plan that may be carried out. */
export const APPROVE = 'herald.io/approve';
/** Annotation on a rendered object: "disabled" leaves it as it is. */
export const RECONCILE = 'herald.io/reconcile';
/** Annotation on a speaker's ConfigurationState: what its node has lost, for elections; see `readLosses`. */
export const LOST_INTERFACES = 'herald.io/lost-interfaces';

/** Foreign names that Herald reads. */
export const ENDPOINT_SLICE_SERVICE = 'kubernetes.io/service-name';
export const EXCLUDE_NODE = 'node.kubernetes.io/exclude-from-external-load-balancers';
export const HELM_RELEASE_NAME = 'helm.toolkit.fluxcd.io/name';
export const HELM_RELEASE_NAMESPACE = 'helm.toolkit.fluxcd.io/namespace';
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const CURRENT_PREFIX = 'metallb.io/';
const DEPRECATED_PREFIX = 'metallb.universe.tf/';
const TWINS: ReadonlyMap<string, string> = new Map(
  [ADDRESS_POOL, LOAD_BALANCER_IPS, ALLOW_SHARED_IP, IP_ALLOCATED_FROM_POOL].map((name) => [
    name,
    DEPRECATED_PREFIX + name.slice(CURRENT_PREFIX.length),
  ]),
);

/** The same annotation under the old prefix, for those that have one. */
export function deprecatedTwin(name: string): string | undefined {
  return TWINS.get(name);
}

/** The annotation's value; the current prefix wins over the old one. `deprecated`: the value came from the old one. */
export function readAnnotation(
  meta: Pick<ObjectMeta, 'annotations'>,
  name: string,
): { readonly value: string; readonly deprecated: boolean } | undefined {
  const value = meta.annotations[name];
  if (value !== undefined) return { value, deprecated: false };
  const twin = deprecatedTwin(name);
  const old = twin === undefined ? undefined : meta.annotations[twin];
  return old === undefined ? undefined : { value: old, deprecated: true };
}

/** One name as the reference page shows it. */
export interface Documented {
  readonly name: string;
  readonly form: 'annotation' | 'label';
  readonly on: string;
  readonly writer: string;
  readonly about: string;
}

/** Every name under metallb.io and herald.io that means something to Herald. */
export const DOCUMENTED: readonly Documented[] = [
  {
    form: 'annotation',
    name: ADDRESS_POOL,
    on: 'Service',
    writer: 'you',
    about: 'Take the address from this pool.',
  },
  {
    form: 'annotation',
    name: LOAD_BALANCER_IPS,
    on: 'Service',
    writer: 'you',
    about: 'Ask for these addresses: one, or one IPv4 and one IPv6, separated by a comma.',
  },
  {
    form: 'annotation',
    name: ALLOW_SHARED_IP,
    on: 'Service',
    writer: 'you',
    about: 'Services with the same text here may share an address, when their ports differ.',
  },
  {
    form: 'annotation',
    name: IP_ALLOCATED_FROM_POOL,
    on: 'Service',
    writer: 'controller',
    about: 'Pool that the addresses come from.',
  },
  {
    form: 'label',
    name: NODE,
    on: 'ServiceL2Status, ServiceBGPStatus',
    writer: 'speaker',
    about: 'Node that announces.',
  },
  {
    form: 'label',
    name: SERVICE_NAME,
    on: 'ServiceL2Status, ServiceBGPStatus',
    writer: 'speaker',
    about: 'Name of the Service.',
  },
  {
    form: 'label',
    name: SERVICE_NAMESPACE,
    on: 'ServiceL2Status, ServiceBGPStatus',
    writer: 'speaker',
    about: 'Namespace of the Service.',
  },
  {
    form: 'label',
    name: COMPONENT_TYPE,
    on: 'ConfigurationState',
    writer: 'controller, speaker',
    about: '"controller" or "speaker".',
  },
  {
    form: 'label',
    name: NODE_NAME,
    on: 'ConfigurationState',
    writer: 'speaker',
    about: 'Node of the speaker.',
  },
  {
    form: 'label',
    name: INSTANCE,
    on: 'rendered objects',
    writer: 'reconciler',
    about: 'Release that owns the object.',
  },
  {
    form: 'annotation',
    name: FROM,
    on: 'rendered objects',
    writer: 'reconciler',
    about: 'Source and path that the object came from.',
  },
  {
    form: 'annotation',
    name: ADOPT,
    on: 'objects made by hand',
    writer: 'you',
    about: 'Lets this source take the object over.',
  },
  {
    form: 'label',
    name: SOURCE,
    on: 'ConfigMap',
    writer: 'you',
    about: '"true" makes the ConfigMap a source of configuration.',
  },
  {
    form: 'annotation',
    name: ALLOW_DISRUPTION,
    on: 'IPAddressPool',
    writer: 'you',
    about: 'Lets a direct edit through although it takes addresses in use away.',
  },
  {
    form: 'annotation',
    name: DRAINING,
    on: 'IPAddressPool',
    writer: 'reconciler; you, on pools of your own',
    about:
      'Ranges and CIDRs, separated by commas, that give out no new addresses. One that cannot be read makes the whole text void.',
  },
  {
    form: 'annotation',
    name: MOVING,
    on: 'IPAddressPool',
    writer: 'reconciler; you, on pools of your own',
    about:
      'Likewise, ranges whose Services get other addresses, one after the other; they give out no new ones either.',
  },
  {
    form: 'annotation',
    name: QUARANTINED,
    on: 'IPAddressPool',
    writer: 'you',
    about:
      'Addresses that are in use elsewhere, separated by commas, each with an end and a reason if you like: "192.0.2.7 2026-05-01T08:00:00Z old printer". Nobody is given them; who has one keeps it.',
  },
  {
    form: 'annotation',
    name: STRATEGY,
    on: 'IPAddressPool',
    writer: 'reconciler; you, on pools of your own',
    about: `How the pool chooses among its free addresses: ${STRATEGIES.join(', ')}. From \`strategy\` of its entry.`,
  },
  {
    form: 'annotation',
    name: ON_CHANGE,
    on: 'rendered objects',
    writer: 'reconciler',
    about:
      'hold, drain, move or force: what may happen to addresses in use when the object changes or goes. From `onChange` of its entry.',
  },
  {
    form: 'annotation',
    name: APPROVE,
    on: 'Plan',
    writer: 'you, herald approve',
    about: 'Digest of the plan that may be carried out although it takes addresses in use away.',
  },
  {
    form: 'annotation',
    name: RECONCILE,
    on: 'rendered objects',
    writer: 'you',
    about: '"disabled" leaves the object as it is: it is neither put back nor changed nor removed.',
  },
  {
    form: 'annotation',
    name: LOST_INTERFACES,
    on: 'ConfigurationState',
    writer: 'speaker',
    about:
      'Interfaces on which the node can no longer answer, as JSON: what the other speakers hear of it, and `herald why` elects with. Absent while there are none.',
  },
];
