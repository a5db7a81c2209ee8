import { type Config, isDraining, type Pool, poolOf } from '../config/config.ts';
import { type Family, formatAddress } from '../ip/address.ts';
import { without } from '../ip/ranges.ts';
import { capacityOf } from '../ipam/counters.ts';
import { fits, isMeantFor } from '../ipam/fits.ts';
import type { Want } from '../ipam/want.ts';
import type { Subject } from './subject.ts';

/** Somebody who needs addresses. */
export interface Need {
  readonly want: Want;
  /** Whose need it is; Services that share addresses now need one together. Absent: of one who has none. */
  readonly subject?: Subject;
  /** Pools that would do; absent: every one that it may use. Where `key` is the same, so are the answers. */
  readonly suits?: { readonly key: string; readonly test: (pool: string) => boolean };
}

/**
 * Who would find other addresses: by a count of what is free in each pool, not by a search for the one that each would get. One
 * after the other takes from the first pool that he may use and that has enough left. Draining ranges have nothing to give.
 */
export function findRoom(
  config: Config,
  staying: readonly Subject[],
  needs: readonly Need[],
): ReadonlySet<Need> {
  const stock = stockOf(config, staying);
  /** Where those went who share addresses. */
  const together = new Map<string, string>();
  const found = new Set<Need>();
  for (const need of needs) {
    const share = need.want.sharing === '' ? undefined : need.subject?.texts.join();
    const joined = share === undefined ? undefined : together.get(share);
    const isOpen = (pool: Pool) => mayUse(pool, need);
    const pool =
      joined !== undefined && stock.pools.some((p) => p.name === joined && isOpen(p))
        ? joined
        : servedFrom(config, stock, need);
    if (pool === undefined) continue;
    found.add(need);
    if (share !== undefined) together.set(share, pool);
  }
  return found;
}

/** What is left to give while needs are met one after the other. */
interface Stock {
  readonly pools: readonly Pool[];
  readonly free: ReadonlyMap<string, Record<Family, bigint>>;
  readonly taken: Set<string>;
  /** Whether some pool is not for everybody. */
  readonly isChoosy: boolean;
  /** For wishes of one kind: the place of the first pool that may still serve them. Nothing before it ever will. */
  readonly next: Map<string, number>;
}

function stockOf(config: Config, staying: readonly Subject[]): Stock {
  const pools = [...config.pools.values()];
  const free = new Map(pools.map((pool) => [pool.name, roomIn(pool)]));
  const taken = new Set<string>();
  for (const { texts, addresses } of staying)
    for (const [i, address] of addresses.entries()) {
      const text = texts[i] ?? '';
      const pool = taken.has(text) ? undefined : poolOf(config, address);
      const left = pool && !isDraining(pool, address) ? free.get(pool.name) : undefined;
      if (left) left[address.family] -= 1n;
      taken.add(text);
    }
  return { pools, free, taken, isChoosy: pools.some((pool) => pool.allocation), next: new Map() };
}

function roomIn(pool: Pool): Record<Family, bigint> {
  const { draining } = pool;
  const ranges = draining ? pool.ranges.flatMap((range) => without(range, draining)) : pool.ranges;
  return { ...capacityOf({ ...pool, ranges }) };
}

/** The pool that meets the need, which it has less for others then. */
function servedFrom(config: Config, stock: Stock, need: Need): string | undefined {
  const { request } = need.want;
  if ('refused' in request) return undefined;
  if (request.length > 0) return servedRequest(config, stock, need);
  for (const families of choicesOf(need.want)) {
    const pool = nextPool(stock, need, families);
    const left = pool && stock.free.get(pool.name);
    if (!left) continue;
    for (const family of families) left[family] -= 1n;
    return pool.name;
  }
  return undefined;
}

function servedRequest(config: Config, { taken }: Stock, need: Need): string | undefined {
  const request = 'refused' in need.want.request ? [] : need.want.request;
  const [pool, ...others] = request.map((address) => poolOf(config, address));
  const texts = request.map(formatAddress);
  if (!pool || others.some((other) => other !== pool) || !mayUse(pool, need)) return undefined;
  if (request.some((a) => isDraining(pool, a)) || texts.some((text) => taken.has(text))) return undefined;
  for (const text of texts) taken.add(text);
  return pool.name;
}

/** The families that would do, the best first. */
function choicesOf({ family, policy, primary }: Want): readonly (readonly Family[])[] {
  if (family === 'unknown') return [];
  if (family !== 'dual') return [[family]];
  if (policy !== 'PreferDualStack') return [['IPv4', 'IPv6']];
  return [['IPv4', 'IPv6'], [primary], [primary === 'IPv4' ? 'IPv6' : 'IPv4']];
}

function nextPool(stock: Stock, need: Need, families: readonly Family[]): Pool | undefined {
  const has = (pool: Pool) => families.every((family) => (stock.free.get(pool.name)?.[family] ?? 0n) > 0n);
  const { namespace, labels, pool: asked } = need.want;
  if (asked !== undefined)
    return stock.pools.find((pool) => pool.name === asked && has(pool) && mayUse(pool, need));
  const every = families.join();
  const key = JSON.stringify([every, need.suits?.key, stock.isChoosy && [namespace, labels]]);
  const start = advance(stock, every, { from: 0, until: has });
  const at = advance(stock, key, { from: start, until: (pool) => has(pool) && mayUse(pool, need) });
  return stock.pools[at];
}

/** Moves the place of a key on to the first pool that will do. */
function advance(
  { pools, next }: Stock,
  key: string,
  o: { readonly from: number; readonly until: (pool: Pool) => boolean },
): number {
  let at = Math.max(o.from, next.get(key) ?? 0);
  for (let pool = pools[at]; pool && !o.until(pool); pool = pools[at]) at++;
  next.set(key, at);
  return at;
}

/** As the controller chooses: pools that give out by themselves, unless a pool or an address is asked for. */
function mayUse(pool: Pool, { want, suits }: Need): boolean {
  if (want.pool !== undefined && want.pool !== pool.name) return false;
  if (suits && !suits.test(pool.name)) return false;
  const asked = want.pool !== undefined || 'refused' in want.request || want.request.length > 0;
  if (asked) return fits(pool, want);
  return pool.autoAssign && (pool.allocation === undefined || isMeantFor(pool, want));
}
