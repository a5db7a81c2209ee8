import type { Selector } from '../api/selector.ts';
import type { Address, Family } from '../ip/address.ts';
import { type Range, rangeContains } from '../ip/range.ts';
import { holds, type RangeSet } from '../ip/ranges.ts';

/**
 * The frozen configuration that controller and speakers act on. It is built whole by `load` and replaced
 * whole; nobody changes one in place.
 */
export interface Config {
  readonly pools: ReadonlyMap<string, Pool>;
  /** In the order of the objects' names; identical advertisements appear once. */
  readonly l2: readonly L2Ad[];
  readonly bgp: readonly BGPAd[];
  /** Absent: none. */
  readonly reservations?: readonly Reservation[];
  /** Absent: none. */
  readonly quotas?: readonly Quota[];
}

/** Addresses that nobody is given but those that they are kept for. */
export interface Reservation {
  readonly name: string;
  readonly namespace: string;
  /** Absent: any Service of the namespace. */
  readonly service?: string;
  /** Empty: the addresses that the Service has, or had last. */
  readonly ranges: RangeSet;
}

/** A limit on how many addresses Services have. */
export interface Quota {
  readonly name: string;
  /** Absent: every namespace. */
  readonly namespaces?: ReadonlySet<string>;
  /** Each namespace may have so many; otherwise all of them together. */
  readonly each: boolean;
  /** Pools whose addresses count. Absent: every pool. */
  readonly pools?: ReadonlySet<string>;
  /** How many distinct addresses. */
  readonly addresses: number;
}

/** How a pool chooses among its free addresses, where that is not the lowest of the first range that has one. */
export type Strategy =
  /** What was not given out for the longest time. */
  | 'least-recently-used'
  /** By the name of the Service, the same wherever it is made. */
  | 'hash';

/** A named set of addresses that Services may be given. */
export interface Pool {
  readonly name: string;
  /** The order of the spec; each entry as the CIDRs of its minimal cover, ascending (upstream's internal form). */
  readonly ranges: readonly Range[];
  /** False: only for Services that ask for the pool or for an address in it. */
  readonly autoAssign: boolean;
  /** True: IPv4 addresses whose last octet is 0 or 255 count as outside the pool. */
  readonly avoidBuggyIPs: boolean;
  /** Absent: every Service may use the pool, after the pools that are meant for it. */
  readonly allocation?: Allocation;
  /** Absent: first-free. */
  readonly strategy?: Strategy;
  /** Addresses that stay with whom they have and go to nobody else; those of `moving` among them. Absent: none. */
  readonly draining?: RangeSet;
  /** Addresses whose Services are to get others. Absent: none. */
  readonly moving?: RangeSet;
  /** Addresses that somebody outside the cluster uses. Absent: none. */
  readonly quarantined?: readonly Suspect[];
}

/** An address that nobody is given for a while, as somebody else seems to use it. */
export interface Suspect {
  readonly address: Address;
  /** When it is tried again, RFC 3339. Absent: once it is no longer named. */
  readonly until?: string;
  /** Part of a sentence: "the old printer has it". */
  readonly reason: string;
}

/** Who may use a pool. */
export interface Allocation {
  /** Lower wins; 0 means none was given and comes last. */
  readonly priority: number;
  /** Names listed, and names of the namespaces that the selectors match at load time. */
  readonly namespaces: ReadonlySet<string>;
  /** Whether the object names namespaces or selectors at all, even such as match nothing. */
  readonly restrictsNamespaces: boolean;
  /** OR; empty: any Service. */
  readonly serviceSelectors: readonly Selector[];
}

/** An L2Advertisement with its pools resolved. */
export interface L2Ad {
  readonly name: string;
  readonly pools: ReadonlySet<string>;
  /** OR; empty: all nodes. */
  readonly nodeSelectors: readonly Selector[];
  /** Empty: all interfaces. */
  readonly interfaces: readonly string[];
  /** OR; empty: all Services. */
  readonly serviceSelectors: readonly Selector[];
  /** Weights 1..100 of nodes that are preferred (L2Advertisement.spec.preferredNodeSelectors). */
  readonly preferred: readonly { readonly weight: number; readonly selector: Selector }[];
}

/** A BGPAdvertisement with its pools resolved; peers, lengths and communities are parsed where BGP is spoken. */
export interface BGPAd {
  readonly name: string;
  readonly pools: ReadonlySet<string>;
  readonly nodeSelectors: readonly Selector[];
  readonly serviceSelectors: readonly Selector[];
  /** Names of BGPPeer objects; empty: all. */
  readonly peers: readonly string[];
}

/** Whether the pool refuses to hand out the address although its ranges hold it: the last octet is 0 or 255. */
export function isAvoided(pool: Pool, address: Address): boolean {
  if (!pool.avoidBuggyIPs || address.family !== 'IPv4') return false;
  const last = address.bits & 255n;
  return last === 0n || last === 255n;
}

/** Whether the pool gives the address to nobody who does not have it. */
export function isDraining(pool: Pool, address: Address): boolean {
  return pool.draining !== undefined && holds(pool.draining, address);
}

/** Whether the Services that have the address are to get another. */
export function isMoving(pool: Pool, address: Address): boolean {
  return pool.moving !== undefined && holds(pool.moving, address);
}

/** Where an address lies: the pool, and the index of the range in `pool.ranges`. */
export interface Place {
  readonly pool: Pool;
  readonly index: number;
}

interface Entry extends Place {
  readonly range: Range;
}

/**
 * Ranges of all pools by family, ascending. A valid Config has no overlaps, so that a binary search finds the
 * one range that can hold an address. Derived from an immutable Config, hence remembered per Config.
 */
const indexes = new WeakMap<Config, Readonly<Record<Family, readonly Entry[]>>>();

function indexOf(config: Config): Readonly<Record<Family, readonly Entry[]>> {
  const known = indexes.get(config);
  if (known) return known;
  const entries = [...config.pools.values()].flatMap((pool) =>
    pool.ranges.map((range, index) => ({ range, pool, index })),
  );
  entries.sort((a, b) => (a.range.first < b.range.first ? -1 : a.range.first > b.range.first ? 1 : 0));
  const made = {
    IPv4: entries.filter((e) => e.range.family === 'IPv4'),
    IPv6: entries.filter((e) => e.range.family === 'IPv6'),
  };
  indexes.set(config, made);
  return made;
}

/** Where an address that may be handed out lies, if in any pool. O(log n) over the ranges of all pools. */
export function placeOf(config: Config, address: Address): Place | undefined {
  const entries = indexOf(config)[address.family];
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && entry.range.first <= address.bits) low = middle + 1;
    else high = middle;
  }
  const found = entries[low - 1];
  return found && rangeContains(found.range, address) && !isAvoided(found.pool, address) ? found : undefined;
}

/** The pool that may hand out the address, if any. O(log n). */
export function poolOf(config: Config, address: Address): Pool | undefined {
  return placeOf(config, address)?.pool;
}
