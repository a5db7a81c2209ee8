import { type Config, type Pool, poolOf } from '../config/config.ts';
import type { Family } from '../ip/address.ts';
import { fits, isMeantFor } from '../ipam/fits.ts';
import type { Want } from '../ipam/want.ts';
import { type Gift, Stock } from './stock.ts';
import type { Subject } from './subject.ts';

/** Somebody who needs addresses. */
export interface Need {
  readonly want: Want;
  /** Whose need it is; Services that share addresses now need one together. Absent: of one who has none. */
  readonly subject?: Subject;
  /** It gives up what it has for what it gets, so that quotas do not count. */
  readonly replaces?: boolean;
  /** Pools that would do; absent: every one that it may use. Where `key` is the same, so are the answers. */
  readonly suits?: { readonly key: string; readonly test: (pool: string) => boolean };
}

/**
 * Who would find other addresses: by a count of what is free in each pool, not by a search for the one that each would get. One
 * after the other takes from the first pool that he may use and that has enough left, of what is kept for him before all else.
 * `holding`: those who have addresses, and keep them at least until they have others.
 */
export function findRoom(
  config: Config,
  holding: readonly Subject[],
  needs: readonly Need[],
): ReadonlySet<Need> {
  const pools = [...config.pools.values()];
  const search: Search = {
    config,
    pools,
    stock: new Stock(config, holding),
    isChoosy: pools.some((pool) => pool.allocation),
    next: new Map(),
  };
  /** Where those went who share addresses. */
  const together = new Map<string, string>();
  const found = new Set<Need>();
  for (const need of needs) {
    const share = need.want.sharing === '' ? undefined : need.subject?.texts.join();
    const joined = share === undefined ? undefined : together.get(share);
    const isOpen = (pool: Pool) => mayUse(pool, need);
    const pool =
      joined !== undefined && pools.some((p) => p.name === joined && isOpen(p))
        ? joined
        : servedFrom(search, need);
    if (pool === undefined) continue;
    found.add(need);
    if (share !== undefined) together.set(share, pool);
  }
  return found;
}

/** How far the search has come. */
interface Search {
  readonly config: Config;
  readonly pools: readonly Pool[];
  readonly stock: Stock;
  /** Whether some pool is not for everybody. */
  readonly isChoosy: boolean;
  /** For wishes of one kind: the place of the first pool that may still serve them. Nothing before it ever will. */
  readonly next: Map<string, number>;
}

/** The pool that meets the need, which it has less for others then. */
function servedFrom(search: Search, need: Need): string | undefined {
  const { request } = need.want;
  if ('refused' in request) return undefined;
  if (request.length > 0) return servedRequest(search, need);
  for (const families of choicesOf(need.want)) {
    const pool = keepingPool(search, need, families) ?? nextPool(search, need, families);
    if (!pool) continue;
    search.stock.give(need.want, { pool, families });
    return pool.name;
  }
  return undefined;
}

function servedRequest({ config, stock }: Search, need: Need): string | undefined {
  const { want } = need;
  const request = 'refused' in want.request ? [] : want.request;
  const [pool, ...others] = request.map((address) => poolOf(config, address));
  if (!pool || others.some((other) => other !== pool) || !mayUse(pool, need)) return undefined;
  if (!request.every((address) => stock.offers(want, pool, address))) return undefined;
  if (!isAllowed(stock, need, { pool, families: request.map(({ family }) => family) })) return undefined;
  for (const address of request) stock.giveOne(want, address);
  return pool.name;
}

const isAllowed = (stock: Stock, { want, replaces }: Need, gift: Gift): boolean =>
  replaces === true || stock.allows(want, gift);

/** The families that would do, the best first. */
function choicesOf({ family, policy, primary }: Want): readonly (readonly Family[])[] {
  if (family === 'unknown') return [];
  if (family !== 'dual') return [[family]];
  if (policy !== 'PreferDualStack') return [['IPv4', 'IPv6']];
  return [['IPv4', 'IPv6'], [primary], [primary === 'IPv4' ? 'IPv6' : 'IPv4']];
}

/** The first pool that has an address which is kept for the Service: one that gives nothing by itself does, too. */
function keepingPool({ pools, stock }: Search, need: Need, families: readonly Family[]): Pool | undefined {
  const { want, suits } = need;
  return pools.find((pool) => {
    const gift = { pool, families };
    if (!stock.keeps(want, gift) || !isAllowed(stock, need, gift)) return false;
    const asked = want.pool === undefined || want.pool === pool.name;
    return asked && fits(pool, want) && (suits?.test(pool.name) ?? true);
  });
}

function nextPool(search: Search, need: Need, families: readonly Family[]): Pool | undefined {
  const { pools, stock, isChoosy } = search;
  const has = (pool: Pool) => stock.has({ pool, families });
  const serves = (pool: Pool) =>
    has(pool) && mayUse(pool, need) && isAllowed(stock, need, { pool, families });
  const { namespace, labels, pool: asked } = need.want;
  if (asked !== undefined) return pools.find((pool) => pool.name === asked && serves(pool));
  const every = families.join();
  const who = [isChoosy && [namespace, labels], stock.isLimited && [namespace, need.replaces]];
  const key = JSON.stringify([every, need.suits?.key, who]);
  const start = advance(search, every, { from: 0, until: has });
  const at = advance(search, key, { from: start, until: serves });
  return pools[at];
}

/** Moves the place of a key on to the first pool that will do. */
function advance(
  { pools, next }: Search,
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
