import { NODE, SERVICE_NAME, SERVICE_NAMESPACE } from '../../domain/api/annotations.ts';
import { type EndpointSlice, type Node, Nodes, type Pod, Pods, type Service } from '../../domain/api/core.ts';
import { type AddressProbe, AddressProbes } from '../../domain/api/herald.ts';
import {
  Communities,
  type Community,
  type ConfigurationState,
  ConfigurationStates,
  type IPAddressPool,
  IPAddressPools,
  type L2Advertisement,
  L2Advertisements,
  type ServiceL2Status,
} from '../../domain/api/metallb.ts';
import type { Kind, KubeObject } from '../../domain/api/object.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { Reflector, type ReflectorOptions } from '../../platform/kube/reflector.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import type { Metrics } from '../../platform/obs/metrics.ts';
import type { Random } from '../../platform/obs/random.ts';
import { LeanServices, LeanStatuses, leanSlices } from './lean.ts';
import type { SpeakerOptions } from './options.ts';

/** What every part of the speaker needs of the world. */
export interface Parts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Everything that is watched. Indexes: slices by 'service', pods by 'node', statuses by 'service', each with keys. */
export interface Sources {
  readonly pools: Reflector<IPAddressPool>;
  readonly advertisements: Reflector<L2Advertisement>;
  readonly communities: Reflector<Community>;
  readonly services: Reflector<Service>;
  readonly slices: Reflector<EndpointSlice>;
  readonly nodes: Reflector<Node>;
  /** One per selector; none when nobody said how to recognize speakers. */
  readonly pods: readonly Reflector<Pod>[];
  /** Those of this node. */
  readonly statuses: Reflector<ServiceL2Status>;
  readonly probes: Reflector<AddressProbe>;
  /** That of this node. */
  readonly state: Reflector<ConfigurationState>;
}

/** Where the speakers of other nodes are. */
export function speakerAddresses(sources: Sources, own: string): readonly string[] {
  return [...new Set(otherSpeakers(sources, own).map(({ address }) => address))];
}

/** The same with their nodes. */
export function otherSpeakers({ pods }: Sources, own: string) {
  const found = pods.flatMap((reflector) => [...reflector.store.list()]);
  return found.flatMap(({ spec: { nodeName: node }, status: { podIP: address } }) =>
    node === undefined || node === own || address === undefined ? [] : [{ node, address }],
  );
}

/** Name of this node's ConfigurationState. */
export function stateName(node: string): string {
  return `speaker-${node}`;
}

/** "namespace/name" of the Service that a status is about; undefined when its labels do not say. */
export function statusService(status: ServiceL2Status): string | undefined {
  const { [SERVICE_NAMESPACE]: namespace, [SERVICE_NAME]: name } = status.metadata.labels;
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
}

/**
 * Makes the reflectors; none is started. Namespaces are not among them: which of them may use a pool is the
 * controller's business, and nothing that a speaker decides depends on it.
 */
export function makeSources(parts: Parts, options: SpeakerOptions): Sources {
  const { namespace, node } = options;
  const watch = <T extends KubeObject>(
    kind: Kind<T>,
    o: Pick<ReflectorOptions<T>, 'namespace' | 'labelSelector' | 'fieldSelector' | 'indexes'> = {},
  ): Reflector<T> => new Reflector({ ...parts, kind, ...o });
  return {
    pools: watch(IPAddressPools, { namespace }),
    advertisements: watch(L2Advertisements, { namespace }),
    communities: watch(Communities, { namespace }),
    services: watch(LeanServices),
    slices: watch(leanSlices(), { indexes: { service: (slice) => some(sliceService(slice)) } }),
    nodes: watch(Nodes),
    pods: options.speakerSelectors.map((labelSelector) =>
      watch(Pods, { namespace, labelSelector, indexes: { node: (pod) => some(pod.spec.nodeName) } }),
    ),
    statuses: watch(LeanStatuses, {
      namespace,
      labelSelector: `${NODE}=${node}`,
      indexes: { service: (status) => some(statusService(status)) },
    }),
    probes: watch(AddressProbes, { namespace }),
    state: watch(ConfigurationStates, { namespace, fieldSelector: `metadata.name=${stateName(node)}` }),
  };
}

/** "namespace/name" of the Service that a slice belongs to. */
export function sliceService(slice: EndpointSlice): string | undefined {
  return slice.serviceName === '' ? undefined : `${slice.metadata.namespace ?? ''}/${slice.serviceName}`;
}

/** A reflector, whatever it follows. */
export type Followed = Pick<Reflector<KubeObject>, 'synced' | 'state' | 'start' | 'close' | 'whenSynced'>;

/** By the names above; several of one kind share theirs. */
export function allSources(sources: Sources): readonly (readonly [name: string, source: Followed])[] {
  return Object.entries(sources).flatMap(([name, one]: [string, Followed | readonly Followed[]]) =>
    [one].flat().map((source) => [name, source] as const),
  );
}

/** What is written about decisions, and questions of others. */
const REPORTS: ReadonlySet<string> = new Set<keyof Sources>(['statuses', 'state', 'probes']);

/** Those without which no decision is made: a half-known cluster would look as if others had lost their endpoints or nodes. */
export function decisive(sources: Sources): ReturnType<typeof allSources> {
  return allSources(sources).filter(([name]) => !REPORTS.has(name));
}

/**
 * Calls `tell` with what each changed object is about, and with what it was about before: an object that is gone, or
 * that changed sides, can no longer say so itself.
 */
export function follow<T extends KubeObject>(
  reflector: { readonly store: Pick<Reflector<T>['store'], 'get'> } & Pick<Reflector<T>, 'onChange'>,
  about: (object: T) => string | undefined,
  tell: (subject: string) => void,
): void {
  reflector.onChange((key, before) => {
    const now = reflector.store.get(key);
    const subjects = [before, now].map((object) => object && about(object));
    for (const subject of new Set(subjects)) if (subject !== undefined) tell(subject);
  });
}

function some(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
