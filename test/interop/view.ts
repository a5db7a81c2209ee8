/** All that can be seen of a controller from outside: Services, pools, its ConfigurationState, its Events. */
import { type Service, Services } from '../../src/domain/api/core.ts';
import { kind } from '../../src/domain/api/kind.ts';
import {
  type ConfigurationState,
  ConfigurationStates,
  type IPAddressPool,
  IPAddressPools,
} from '../../src/domain/api/metallb.ts';
import { type Kind, type KubeObject, keyOf } from '../../src/domain/api/object.ts';
import { int, object, str } from '../../src/domain/api/schema.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { NAMESPACE } from '../api/controller.rig.ts';
import { reflector } from '../api/kube.rig.ts';

/** An Event of core/v1. */
export interface Told extends KubeObject {
  /** "namespace/name" of the Service that a controller tells about; "" for anything else. */
  readonly service: string;
  readonly uid: string;
  /** "Warning AllocationFailed" */
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** The API server tells of Services too. */
const CONTROLLERS: ReadonlySet<string> = new Set(['metallb-controller', 'herald-controller']);

const Events: Kind<Told> = kind({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  schema: object({
    involvedObject: object({ kind: str(), namespace: str(), name: str(), uid: str() }),
    source: object({ component: str() }),
    type: str(),
    reason: str(),
    message: str(),
    count: int(),
  }),
  project: (raw, metadata) => {
    const { kind: of, namespace = '', name = '', uid = '' } = raw.involvedObject ?? {};
    return {
      metadata,
      service: of === 'Service' && CONTROLLERS.has(raw.source?.component ?? '') ? `${namespace}/${name}` : '',
      uid,
      reason: `${raw.type ?? ''} ${raw.reason ?? ''}`,
      message: raw.message ?? '',
      count: raw.count ?? 1,
    };
  },
});

/** What is there now. */
export interface Seen {
  /** By "namespace/name". */
  readonly services: ReadonlyMap<string, Service>;
  /** By name. */
  readonly pools: ReadonlyMap<string, IPAddressPool>;
  readonly state: ConfigurationState | undefined;
  /** Events about Services that came or were counted up since the step began. */
  readonly events: readonly Told[];
  /** How many Events each incarnation of a Service has had in all, by uid. */
  readonly told: ReadonlyMap<string, number>;
}

export interface View {
  /** Counts the changes of everything that `seen` shows. */
  changes(): number;
  /** Events that are there count as old from now on. */
  begin(): void;
  seen(): Seen;
  /** The Service that is not among those seen. */
  hidden(): Service | undefined;
  close(): Promise<void>;
}

/** Follows everything but one Service, which only `hidden` shows, and the API server's own. */
export async function follow(client: KubeClient, hidden: string): Promise<View> {
  const services = reflector({ client, kind: Services });
  const pools = reflector({ client, kind: IPAddressPools });
  const states = reflector({ client, kind: ConfigurationStates });
  const events = reflector({ client, kind: Events });
  const all = [services, pools, states, events];
  let changes = 0;
  const fresh = new Set<string>();
  const ignored = new Set<string>([hidden, 'default/kubernetes']);
  services.onChange((key) => (changes += ignored.has(key) ? 0 : 1));
  pools.onChange(() => changes++);
  states.onChange(() => changes++);
  events.onChange((key) => {
    if (ignored.has(events.store.get(key)?.service ?? '')) return;
    fresh.add(key);
    changes++;
  });
  for (const cache of all) cache.start();
  await Promise.all(all.map((cache) => cache.whenSynced(AbortSignal.timeout(30_000))));
  return {
    changes: () => changes,
    begin: () => fresh.clear(),
    hidden: () => services.store.get(hidden),
    seen: () => ({
      services: new Map(
        [...services.store.list()].map((s) => [keyOf(s), s] as const).filter(([key]) => !ignored.has(key)),
      ),
      pools: new Map([...pools.store.list()].map((pool) => [pool.metadata.name, pool])),
      state: states.store.get(`${NAMESPACE}/controller`),
      events: [...fresh]
        .flatMap((key) => events.store.get(key) ?? [])
        .filter(({ service }) => service !== ''),
      told: tally([...events.store.list()]),
    }),
    close: async () => void (await Promise.all(all.map((cache) => cache.close()))),
  };
}

function tally(events: readonly Told[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { uid, count } of events) sums.set(uid, (sums.get(uid) ?? 0) + count);
  return sums;
}
