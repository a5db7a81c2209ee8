import type { Namespace } from '../api/core.ts';
import type { AddressQuota, Reservation } from '../api/herald.ts';
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  IPAddressPool,
  L2Advertisement,
} from '../api/metallb.ts';
import type { KubeObject } from '../api/object.ts';
import type { Problem } from '../api/problem.ts';
import { readBgp, readL2 } from './advertisements.ts';
import { checkCommunities } from './communities.ts';
import type { Config } from './config.ts';
import { readPools } from './pools.ts';
import { readQuotas } from './quotas.ts';
import { readReservations } from './reservations.ts';

/** The objects that a component reads; what it does not need stays an empty list and cannot make its Config bad. */
export interface ConfigInput {
  readonly pools: readonly IPAddressPool[];
  readonly l2Advertisements: readonly L2Advertisement[];
  readonly bgpAdvertisements: readonly BGPAdvertisement[];
  readonly bgpPeers: readonly BGPPeer[];
  readonly bfdProfiles: readonly BFDProfile[];
  readonly communities: readonly Community[];
  readonly namespaces: readonly Namespace[];
  /** Absent: none. One that cannot be read is a warning. */
  readonly reservations?: readonly Reservation[];
  /** Absent: none. One that cannot be read is a warning. */
  readonly quotas?: readonly AddressQuota[];
  /** Upstream's METALLB_BGP_TYPE; `native` refuses what only FRR can do. Absent: nothing is refused. */
  readonly bgpType?: string;
}

/** Warnings are of severity `warning`: the Config is good without what they are about. */
export type Loaded =
  | { readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] };

/**
 * All objects together, or all that is wrong with them: never a part. The order of the objects does not matter; of two
 * that collide, the one whose name comes later is complained about. Peers and BFD profiles are not looked into.
 */
export function load(input: ConfigInput): Loaded {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const objects = byName(input.pools);
  checkCommunities(byName(input.communities), problems, { allowLarge: input.bgpType !== 'native' });
  const pools = readPools(objects, input.namespaces, { problems, warnings });
  const l2 = readL2(byName(input.l2Advertisements), objects, problems);
  const bgp = readBgp(byName(input.bgpAdvertisements), objects, problems);
  const reservations = readReservations(byName(input.reservations ?? []), warnings);
  const quotas = readQuotas(byName(input.quotas ?? []), input.namespaces, warnings);
  if (problems.length > 0) return { problems };
  const config: Config = {
    pools,
    l2,
    bgp,
    ...(reservations.length > 0 && { reservations }),
    ...(quotas.length > 0 && { quotas }),
  };
  return { config: Object.freeze(config), warnings };
}

function byName<T extends KubeObject>(objects: readonly T[]): readonly T[] {
  return objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
