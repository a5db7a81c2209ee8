import { type Namespace, Namespaces, type Service, Services } from '../../domain/api/core.ts';
import {
  type AddressProbe,
  AddressProbes,
  type AddressQuota,
  AddressQuotas,
  type Reservation,
  Reservations,
} from '../../domain/api/herald.ts';
import {
  Communities,
  type Community,
  type ConfigurationState,
  ConfigurationStates,
  type IPAddressPool,
  IPAddressPools,
} from '../../domain/api/metallb.ts';
import { Reflector } from '../../platform/kube/reflector.ts';
import type { Metrics } from '../../platform/obs/metrics.ts';
import type { Doors } from './doors.ts';
import { STATE_NAME } from './report.ts';

/** What the leader follows. */
export interface Caches {
  readonly services: Reflector<Service>;
  readonly pools: Reflector<IPAddressPool>;
  readonly communities: Reflector<Community>;
  readonly namespaces: Reflector<Namespace>;
  readonly reservations: Reflector<Reservation>;
  readonly quotas: Reflector<AddressQuota>;
  readonly probes: Reflector<AddressProbe>;
  readonly states: Reflector<ConfigurationState>;
}

/** How often to look whether a kind is there, milliseconds. */
const LOOK_MS = 20;

/** Reflectors, not started. Services and pools begin with a quorum read: the leader before may just have written. */
export function caches(doors: Doors, metrics: Metrics): Caches {
  const { client, log, clock, random, namespace } = doors;
  const common = { client, log, clock, random, metrics };
  const fieldSelector = `metadata.name=${STATE_NAME}`;
  return {
    services: new Reflector({ ...common, kind: Services, fresh: true }),
    pools: new Reflector({ ...common, kind: IPAddressPools, namespace, fresh: true }),
    communities: new Reflector({ ...common, kind: Communities, namespace }),
    namespaces: new Reflector({ ...common, kind: Namespaces }),
    reservations: new Reflector({ ...common, kind: Reservations, namespace, fresh: true }),
    quotas: new Reflector({ ...common, kind: AddressQuotas, namespace }),
    probes: new Reflector({ ...common, kind: AddressProbes, namespace }),
    states: new Reflector({ ...common, kind: ConfigurationStates, namespace, fieldSelector }),
  };
}

/**
 * Resolves when everything that decides about addresses is in; to whether pools are a kind that the server has only just
 * learnt. Communities only decide whether a configuration is good, and reservations and quotas are not everywhere, so that a
 * server without these kinds, or one that keeps them from us, does not stop the rest.
 */
export async function whenComplete(
  all: Caches,
  doors: Doors,
  signal: AbortSignal,
): Promise<{ newKind: boolean }> {
  const { services, pools, namespaces, communities } = all;
  let newKind = false;
  while (!pools.synced) {
    newKind ||= pools.state.phase === 'missing';
    await doors.clock.sleep(LOOK_MS, signal);
  }
  await Promise.all([services, namespaces].map((reflector) => reflector.whenSynced(signal)));
  for (const spare of [communities, all.reservations, all.quotas])
    while (!spare.synced && !['missing', 'forbidden'].includes(spare.state.phase))
      await doors.clock.sleep(LOOK_MS, signal);
  return { newKind };
}

/** Why the caches are not complete, for people who wait; undefined when they are. */
export function missing(all: Caches): string | undefined {
  const waits = Object.entries({
    services: all.services,
    ipaddresspools: all.pools,
    namespaces: all.namespaces,
  })
    .filter(([, reflector]) => !reflector.synced)
    .map(([name, { state }]) => `${name}: ${state.phase}${state.message ? ` (${state.message})` : ''}`);
  return waits.length > 0 ? `waiting for ${waits.join(', ')}` : undefined;
}
