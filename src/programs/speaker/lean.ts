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

function leanMeta(
  { name, namespace, uid, resourceVersion, generation }: ObjectMeta,
  keep: Pick<ObjectMeta, 'labels' | 'annotations'>,
): ObjectMeta {
  return { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, generation, ...keep };
}

/** Only a Service of type LoadBalancer is looked into at all. */
export const LeanServices: Kind<Service> = lean(Services, ({ metadata, spec, status }) => {
  const { type, externalTrafficPolicy, loadBalancerClass } = spec;
  const balanced = type === 'LoadBalancer';
  const sharing = Object.entries(metadata.annotations).filter(([name]) => SHARING.has(name));
  return {
    metadata: leanMeta(metadata, {
      labels: balanced ? metadata.labels : NOTHING,
      annotations: balanced && sharing.length > 0 ? Object.fromEntries(sharing) : NOTHING,
    }),
    spec: {
      // One text for all, where JSON has one for each.
      type: balanced ? 'LoadBalancer' : type,
      externalTrafficPolicy,
      ...(loadBalancerClass !== undefined && { loadBalancerClass }),
      clusterIPs: NOBODY,
      ports: NOBODY,
      selector: NOTHING,
      ipFamilies: NOBODY,
    },
    status: { ingress: balanced ? status.ingress : NOBODY, conditions: NOBODY },
  };
});

/**
 * One endpoint for each node and condition, however many Pods run there; addresses do not matter. Endpoints that say
 * the same are one object: there are few nodes, and many Services on them.
 */
export function leanSlices(): Kind<EndpointSlice> {
  const shared = new Map<string, Endpoint>();
  const share = (endpoint: Endpoint): Endpoint => {
    const text = JSON.stringify([endpoint.nodeName, endpoint.ready, endpoint.serving]);
    const known = shared.get(text);
    if (known) return known;
    const made = leanEndpoint(endpoint);
    if (shared.size < SHARED) shared.set(text, made);
    return made;
  };
  return lean(EndpointSlices, ({ metadata, serviceName, endpoints }) => ({
    metadata: { ...leanMeta(metadata, { labels: NOTHING, annotations: NOTHING }), uid: '' },
    serviceName,
    endpoints: [...new Set(endpoints.map(share))],
  }));
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
