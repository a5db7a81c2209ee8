import type { Namespace } from '../api/core.ts';
import { readBgp, readL2 } from '../config/advertisements.ts';
import { type Config, isAvoided, type Pool, placeOf } from '../config/config.ts';
import { load } from '../config/load.ts';
import { readPools } from '../config/pools.ts';
import type { View } from '../desired/object.ts';
import { type TypedSet, typedSet } from '../desired/typed.ts';
import type { Address } from '../ip/address.ts';
import { rangeContains } from '../ip/range.ts';
import { fits } from '../ipam/fits.ts';
import { type Announcing, announcing, type Ground, type Reach } from './reach.ts';
import type { Subject } from './subject.ts';

/** Why a Service could not keep its addresses. */
export type Trouble = 'uncovered' | 'apart' | 'avoided' | 'not-for-it' | 'other-pool';

/** How a Service stands in a world. */
export type Standing =
  | { readonly pool: string; readonly reach: Reach }
  /** `holder`: the pool that has its first address, if any. */
  | { readonly trouble: Trouble; readonly holder?: string };

/** What controller and speakers would make of a set of objects. */
export interface World {
  readonly config: Config;
  /** Whether they would take the set at all. */
  readonly valid: boolean;
  readonly announcing: Announcing;
  standing(subject: Subject): Standing;
}

/** Reads sets of objects; what is the same object in two sets is read once. */
export function worlds(namespaces: readonly Namespace[], ground: Ground): (views: readonly View[]) => World {
  const read = new WeakMap<View, TypedSet>();
  const typed = (view: View) => {
    const known = read.get(view) ?? typedSet([view]);
    read.set(view, known);
    return known;
  };
  return (views) => {
    const sets = views.map(typed);
    const all: TypedSet = {
      pools: sets.flatMap((s) => s.pools),
      l2Advertisements: sets.flatMap((s) => s.l2Advertisements),
      bgpAdvertisements: sets.flatMap((s) => s.bgpAdvertisements),
      bgpPeers: sets.flatMap((s) => s.bgpPeers),
      bfdProfiles: sets.flatMap((s) => s.bfdProfiles),
      communities: sets.flatMap((s) => s.communities),
      reservations: sets.flatMap((s) => s.reservations),
      quotas: sets.flatMap((s) => s.quotas),
    };
    return worldOf(all, namespaces, ground);
  };
}

function worldOf(set: TypedSet, namespaces: readonly Namespace[], ground: Ground): World {
  const loaded = load({ ...set, namespaces });
  const valid = 'config' in loaded;
  const config = valid ? loaded.config : loose(set, namespaces);
  const speaking = announcing(config, set.bgpPeers, ground);
  const holders = valid ? holderOf(config) : anyHolder(config);
  return {
    config,
    valid,
    announcing: speaking,
    standing(subject) {
      const found = keeper(subject, holders);
      return typeof found === 'string' ? { pool: found, reach: speaking.reach(found, subject) } : found;
    },
  };
}

/**
 * A set that nobody would take, as far as it can be read. What is in force then is an earlier state that nobody knows here; a
 * Service counts as served when any of the pools that hold its address would serve it.
 */
function loose(set: TypedSet, namespaces: readonly Namespace[]): Config {
  const pools = set.pools.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return {
    pools: readPools(pools, namespaces, { problems: [], warnings: [] }),
    l2: readL2(set.l2Advertisements, pools, []),
    bgp: readBgp(set.bgpAdvertisements, pools, []),
  };
}

/** Pools that have the address among their ranges, whether they would hand it out or not. */
type Holders = (address: Address) => readonly Pool[];

function holderOf(config: Config): Holders {
  const avoiding = [...config.pools.values()].filter((pool) => pool.avoidBuggyIPs);
  return (address) => {
    const place = placeOf(config, address);
    return place ? [place.pool] : avoiding.filter((pool) => has(pool, address));
  };
}

function anyHolder(config: Config): Holders {
  const pools = [...config.pools.values()];
  return (address) => pools.filter((pool) => has(pool, address));
}

const has = (pool: Pool, address: Address) => pool.ranges.some((range) => rangeContains(range, address));

/** The pool out of which the Service keeps its addresses, as the controller would decide. */
function keeper(
  { want, addresses }: Subject,
  holders: Holders,
): string | Extract<Standing, { trouble: Trouble }> {
  const [first, ...rest] = addresses;
  const candidates = first ? holders(first) : [];
  let worst: Extract<Standing, { trouble: Trouble }> = { trouble: 'uncovered' };
  for (const pool of candidates) {
    const holder = pool.name;
    if (!rest.every((address) => holders(address).includes(pool)))
      worst = { trouble: rest.every((a) => holders(a).length > 0) ? 'apart' : 'uncovered', holder };
    else if (addresses.some((address) => isAvoided(pool, address))) worst = { trouble: 'avoided', holder };
    else if (!fits(pool, want)) worst = { trouble: 'not-for-it', holder };
    else if (want.pool !== undefined && want.pool !== holder) worst = { trouble: 'other-pool', holder };
    else return holder;
  }
  return worst;
}
