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

/** Foreign names that Herald reads. */
export const ENDPOINT_SLICE_SERVICE = 'kubernetes.io/service-name';
export const EXCLUDE_NODE = 'node.kubernetes.io/exclude-from-external-load-balancers';
export const HELM_RELEASE_NAME = 'helm.toolkit.fluxcd.io/name';
export const HELM_RELEASE_NAMESPACE = 'helm.toolkit.fluxcd.io/namespace';
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const CURRENT_PREFIX = 'metallb.io/';
const DEPRECATED_PREFIX = 'metallb.universe.tf/';
const WITH_TWIN: ReadonlySet<string> = new Set([
  ADDRESS_POOL,
  LOAD_BALANCER_IPS,
  ALLOW_SHARED_IP,
  IP_ALLOCATED_FROM_POOL,
]);

/** The same annotation under the old prefix, for those that have one. */
export function deprecatedTwin(name: string): string | undefined {
  return WITH_TWIN.has(name) ? DEPRECATED_PREFIX + name.slice(CURRENT_PREFIX.length) : undefined;
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

const entry = (
  form: Documented['form'],
  name: string,
  on: string,
  writer: string,
  about: string,
): Documented => ({
  name,
  form,
  on,
  writer,
  about,
});

/** Every name under metallb.io and herald.io that means something to Herald. */
export const DOCUMENTED: readonly Documented[] = [
  entry('annotation', ADDRESS_POOL, 'Service', 'you', 'Take the address from this pool.'),
  entry(
    'annotation',
    LOAD_BALANCER_IPS,
    'Service',
    'you',
    'Ask for these addresses: one, or one IPv4 and one IPv6, separated by a comma.',
  ),
  entry(
    'annotation',
    ALLOW_SHARED_IP,
    'Service',
    'you',
    'Services with the same text here may share an address, when their ports differ.',
  ),
  entry('annotation', IP_ALLOCATED_FROM_POOL, 'Service', 'controller', 'Pool that the addresses come from.'),
  entry('label', NODE, 'ServiceL2Status, ServiceBGPStatus', 'speaker', 'Node that announces.'),
  entry('label', SERVICE_NAME, 'ServiceL2Status, ServiceBGPStatus', 'speaker', 'Name of the Service.'),
  entry(
    'label',
    SERVICE_NAMESPACE,
    'ServiceL2Status, ServiceBGPStatus',
    'speaker',
    'Namespace of the Service.',
  ),
  entry('label', COMPONENT_TYPE, 'ConfigurationState', 'controller, speaker', '"controller" or "speaker".'),
  entry('label', NODE_NAME, 'ConfigurationState', 'speaker', 'Node of the speaker.'),
  entry('label', INSTANCE, 'rendered objects', 'reconciler', 'Release that owns the object.'),
  entry('annotation', FROM, 'rendered objects', 'reconciler', 'Source and path that the object came from.'),
  entry('annotation', ADOPT, 'objects made by hand', 'you', 'Lets this source take the object over.'),
  entry('label', SOURCE, 'ConfigMap', 'you', '"true" makes the ConfigMap a source of configuration.'),
  entry(
    'annotation',
    ALLOW_DISRUPTION,
    'IPAddressPool',
    'you',
    'Lets a direct edit through although it takes addresses in use away.',
  ),
  entry('annotation', DRAINING, 'IPAddressPool', 'reconciler', 'Ranges that give out no new addresses.'),
];
