import { ALLOW_SHARED_IP, deprecatedTwin } from '../../domain/api/annotations.ts';
import {
  type Endpoint,
  type EndpointSlice,
  EndpointSlices,
  type Service,
  Services,
} from '../../domain/api/core.ts';
import { type ServiceL2Status, ServiceL2Statuses } from '../../domain/api/metallb.ts';
import type { Kind, KubeObject, ObjectMeta } from '../../domain/api/object.ts';

/**
 * The kinds of which there are thousands, without what no speaker looks at: each node keeps all of them, so that a
 * kilobyte per Service is ten megabytes per node. The types stay; what is left out is empty.
 */

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});
const NOBODY: readonly never[] = Object.freeze([]);
/** Nodes come and go; what is beyond this is not shared. */
const SHARED = 10_000;
const SHARING = new Set([ALLOW_SHARED_IP, deprecatedTwin(ALLOW_SHARED_IP)]);

function lean<T extends KubeObject>(kind: Kind<T>, shrink: (object: T) => T): Kind<T> {
  return { ...kind, decode: (raw) => shrink(kind.decode(raw)) };
}

/** Gives one object for all that say the same, by their text. */
function sharing<T>(): (text: string, make: () => T) => T {
  const known = new Map<string, T>();
  return (text, make) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make();
    if (known.size < SHARED) known.set(text, made);
    return made;
  };
}

/** JSON brings a text for each object, and there are few of these. */
const sharedNamespace = sharing<string>();

/** Written out: an object that is put together by spreading takes twice the room. */
function leanMeta(
  { name, namespace, uid, resourceVersion, generation }: ObjectMeta,
  { labels, annotations }: Pick<ObjectMeta, 'labels' | 'annotations'>,
): ObjectMeta {
  if (namespace === undefined) return { name, uid, resourceVersion, generation, labels, annotations };
  const shared = sharedNamespace(namespace, () => namespace);
  return { name, namespace: shared, uid, resourceVersion, generation, labels, annotations };
}

const sharedSpec = sharing<Service['spec']>();

function leanSpec({ type, externalTrafficPolicy, loadBalancerClass }: Service['spec']): Service['spec'] {
  const text = JSON.stringify([type, externalTrafficPolicy, loadBalancerClass]);
  return sharedSpec(text, () => ({
    type,
    externalTrafficPolicy,
    ...(loadBalancerClass !== undefined && { loadBalancerClass }),
    clusterIPs: NOBODY,
    ports: NOBODY,
    selector: NOTHING,
    ipFamilies: NOBODY,
  }));
}

const IDLE: Service['status'] = { ingress: NOBODY, conditions: NOBODY };

/** Only a Service of type LoadBalancer is looked into at all. */
export const LeanServices: Kind<Service> = lean(Services, ({ metadata, spec, status }) => {
  const balanced = spec.type === 'LoadBalancer';
  const shared = Object.entries(metadata.annotations).filter(([name]) => SHARING.has(name));
  const ingress = status.ingress.map(({ ip }) => (ip === undefined ? {} : { ip }));
  return {
    metadata: leanMeta(metadata, {
      labels: balanced ? metadata.labels : NOTHING,
      annotations: balanced && shared.length > 0 ? Object.fromEntries(shared) : NOTHING,
    }),
    spec: leanSpec(spec),
    status: balanced && ingress.length > 0 ? { ingress, conditions: NOBODY } : IDLE,
  };
});

/**
 * One endpoint for each node and condition, however many Pods run there; addresses do not matter. Slices that say the same
 * have one list of them: there are few nodes, and many Services on them.
 */
export function leanSlices(): Kind<EndpointSlice> {
  const sharedEndpoint = sharing<Endpoint>();
  const sharedList = sharing<readonly Endpoint[]>();
  return lean(EndpointSlices, ({ metadata, serviceName, endpoints }) => {
    const texts = endpoints.map(({ nodeName, ready, serving }) => JSON.stringify([nodeName, ready, serving]));
    const list = () =>
      new Map(endpoints.map((one, i) => [texts[i] ?? '', one]))
        .entries()
        .map(([text, one]) => sharedEndpoint(text, () => leanEndpoint(one)))
        .toArray();
    return {
      metadata: { ...leanMeta(metadata, { labels: NOTHING, annotations: NOTHING }), uid: '' },
      serviceName,
      endpoints: sharedList([...new Set(texts)].join(), list),
    };
  });
}

export const LeanStatuses: Kind<ServiceL2Status> = lean(ServiceL2Statuses, (object) => ({
  ...object,
  metadata: leanMeta(object.metadata, { labels: object.metadata.labels, annotations: NOTHING }),
}));

function leanEndpoint({ nodeName, ready, serving }: Endpoint): Endpoint {
  return {
    addresses: NOBODY,
    ...(nodeName !== undefined && { nodeName }),
    ...(ready !== undefined && { ready }),
    ...(serving !== undefined && { serving }),
  };
}
