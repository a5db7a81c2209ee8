import { ENDPOINT_SLICE_SERVICE } from './annotations.ts';
import type { ConditionStatus } from './conditions.ts';
import { kind } from './kind.ts';
import type { Kind, KubeObject, ObjectMeta } from './object.ts';
import { anything, bool, int, list, map, object, oneOfStrings, str, type TypeOf } from './schema.ts';

/** Kinds of Kubernetes itself, projected to the fields that Herald uses. Fields keep Kubernetes' own names. */

const CORE = { group: '', version: 'v1' } as const;
/** Shared by all objects with an empty list: there are many. */
const EMPTY: readonly never[] = Object.freeze([]);
const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

const STATUS_WORDS = ['True', 'False', 'Unknown'] as const;
const conditions = list(
  object({ type: str(), status: oneOfStrings(STATUS_WORDS) }, undefined, { required: ['type', 'status'] }),
);
/** A condition of a foreign kind, as far as it matters here. */
export interface PlainCondition {
  readonly type: string;
  readonly status: ConditionStatus;
}
const plain = (raw: TypeOf<typeof conditions> = EMPTY): readonly PlainCondition[] =>
  raw.length === 0 ? EMPTY : raw.map(({ type, status }) => ({ type, status }));

// ---- Service ----------------------------------------------------------------------------

export type IPFamilyPolicy = 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';

export interface ServicePort {
  readonly protocol: string;
  readonly port: number;
}

export interface Ingress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: string;
  /** What became of single ports; no controller for layer 2 has something to say of them. */
  readonly ports?: readonly unknown[];
}

/** A Service condition as stored; the API server checks the fields of its own kind only. */
export interface ServiceCondition extends PlainCondition {
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export interface Service extends KubeObject {
  readonly spec: {
    readonly type: string;
    readonly clusterIP?: string;
    readonly clusterIPs: readonly string[];
    readonly ports: readonly ServicePort[];
    readonly selector: Readonly<Record<string, string>>;
    readonly externalTrafficPolicy: 'Cluster' | 'Local';
    readonly loadBalancerIP?: string;
    readonly loadBalancerClass?: string;
    readonly ipFamilyPolicy?: IPFamilyPolicy;
    readonly ipFamilies: readonly string[];
  };
  readonly status: {
    readonly ingress: readonly Ingress[];
    readonly conditions: readonly ServiceCondition[];
  };
}

const SERVICE = object(
  {
    spec: object({
      type: str(),
      clusterIP: str(),
      clusterIPs: list(str()),
      ports: list(object({ protocol: str(), port: int() }, undefined, { required: ['port'] })),
      selector: map(str()),
      externalTrafficPolicy: str(),
      loadBalancerIP: str(),
      loadBalancerClass: str(),
      ipFamilyPolicy: oneOfStrings(['SingleStack', 'PreferDualStack', 'RequireDualStack']),
      ipFamilies: list(str()),
    }),
    status: object({
      loadBalancer: object({
        ingress: list(object({ ip: str(), hostname: str(), ipMode: str(), ports: list(anything()) })),
      }),
      conditions: list(
        object(
          {
            type: str(),
            status: oneOfStrings(STATUS_WORDS),
            reason: str(),
            message: str(),
            lastTransitionTime: str(),
            observedGeneration: int(),
          },
          undefined,
          { required: ['type', 'status'] },
        ),
      ),
    }),
  },
  undefined,
  { required: ['spec'] },
);

export const Services: Kind<Service> = kind({
  ...CORE,
  kind: 'Service',
  plural: 'services',
  namespaced: true,
  schema: SERVICE,
  project: projectService,
});

function projectService(raw: TypeOf<typeof SERVICE>, metadata: ObjectMeta): Service {
  const { spec, status } = raw;
  return {
    metadata,
    spec: {
      type: spec.type ?? 'ClusterIP',
      ...(spec.clusterIP !== undefined && { clusterIP: spec.clusterIP }),
      clusterIPs: spec.clusterIPs ?? EMPTY,
      ports: spec.ports?.map(({ protocol, port }) => ({ protocol: protocol ?? 'TCP', port })) ?? EMPTY,
      selector: spec.selector ?? NO_LABELS,
      externalTrafficPolicy: spec.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
      ...(spec.loadBalancerIP !== undefined && { loadBalancerIP: spec.loadBalancerIP }),
      ...(spec.loadBalancerClass !== undefined && { loadBalancerClass: spec.loadBalancerClass }),
      ...(spec.ipFamilyPolicy !== undefined && { ipFamilyPolicy: spec.ipFamilyPolicy }),
      ipFamilies: spec.ipFamilies ?? EMPTY,
    },
    status: {
      ingress: status?.loadBalancer?.ingress ?? EMPTY,
      conditions:
        status?.conditions?.map((c) => ({
          ...c,
          reason: c.reason ?? '',
          message: c.message ?? '',
          lastTransitionTime: c.lastTransitionTime ?? '',
        })) ?? EMPTY,
    },
  };
}

// ---- EndpointSlice ----------------------------------------------------------------------

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly nodeName?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
}

/** serviceName: from the label; "" for a slice of no Service. */
export interface EndpointSlice extends KubeObject {
  readonly serviceName: string;
  readonly endpoints: readonly Endpoint[];
}

const ENDPOINT_SLICE = object({
  endpoints: list(
    object({
      addresses: list(str()),
      nodeName: str(),
      conditions: object({ ready: bool(), serving: bool() }),
    }),
  ),
});

export const EndpointSlices: Kind<EndpointSlice> = kind({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  schema: ENDPOINT_SLICE,
  project: (raw, metadata) => ({
    metadata,
    serviceName: metadata.labels[ENDPOINT_SLICE_SERVICE] ?? '',
    endpoints:
      raw.endpoints?.map(({ addresses, nodeName, conditions: c }) => ({
        addresses: addresses ?? EMPTY,
        ...(nodeName !== undefined && { nodeName }),
        ...(c?.ready !== undefined && { ready: c.ready }),
        ...(c?.serving !== undefined && { serving: c.serving }),
      })) ?? EMPTY,
  }),
});

// ---- Node, Namespace, Pod ---------------------------------------------------------------

export interface Taint {
  readonly key: string;
  readonly effect: string;
}

export interface Node extends KubeObject {
  /** taints absent: none. */
  readonly spec: { readonly unschedulable: boolean; readonly taints?: readonly Taint[] };
  readonly status: { readonly conditions: readonly PlainCondition[] };
}

export const Nodes: Kind<Node> = kind({
  ...CORE,
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  schema: object({
    spec: object({ unschedulable: bool(), taints: list(object({ key: str(), effect: str() })) }),
    status: object({ conditions }),
  }),
  project: (raw, metadata) => ({
    metadata,
    spec: {
      unschedulable: raw.spec?.unschedulable ?? false,
      ...(raw.spec?.taints && {
        taints: raw.spec.taints.map(({ key = '', effect = '' }) => ({ key, effect })),
      }),
    },
    status: { conditions: plain(raw.status?.conditions) },
  }),
});

export interface Namespace extends KubeObject {
  readonly status: { readonly phase: string };
}

export const Namespaces: Kind<Namespace> = kind({
  ...CORE,
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  schema: object({ status: object({ phase: str() }) }),
  project: (raw, metadata) => ({ metadata, status: { phase: raw.status?.phase ?? 'Active' } }),
});

export interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions: readonly PlainCondition[];
  };
}

export const Pods: Kind<Pod> = kind({
  ...CORE,
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  schema: object({
    spec: object({ nodeName: str() }),
    status: object({ phase: str(), podIP: str(), conditions }),
  }),
  project: ({ spec, status }, metadata) => ({
    metadata,
    spec: spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName },
    status: {
      phase: status?.phase ?? 'Pending',
      ...(status?.podIP !== undefined && { podIP: status.podIP }),
      conditions: plain(status?.conditions),
    },
  }),
});

// ---- Secret, ConfigMap ------------------------------------------------------------------

/** data: decoded text. Bytes that are not UTF-8 appear as U+FFFD. */
export interface Secret extends KubeObject {
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

export const Secrets: Kind<Secret> = kind({
  ...CORE,
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  schema: object({ type: str(), data: map(str()) }),
  project: (raw, metadata) => ({ metadata, type: raw.type ?? 'Opaque', data: decoded(raw.data) }),
});

function decoded(data: Readonly<Record<string, string>> = NO_LABELS): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]),
  );
}

/** data only: binaryData is read by nobody. */
export interface ConfigMap extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

export const ConfigMaps: Kind<ConfigMap> = kind({
  ...CORE,
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  schema: object({ data: map(str()) }),
  project: (raw, metadata) => ({ metadata, data: raw.data ?? NO_LABELS }),
});
