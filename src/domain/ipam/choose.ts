import type { Config, Pool, Strategy } from '../config/config.ts';
import { type Address, type Family, formatAddress } from '../ip/address.ts';
import { type Claim, isAmong } from './claim.ts';
import { byPriority, fits, isMeantFor } from './fits.ts';
import type { Ledger } from './ledger.ts';
import type { Because, Refusal, Stay } from './reasons.ts';
import { familyOf, type Want } from './want.ts';
import { sum, type Withheld } from './withheld.ts';

/** Addresses chosen, from which pool and why; already claimed in the ledger. */
export interface Choice {
  readonly addresses: readonly Address[];
  /** Of a Service that moves: that of the addresses that go. */
  readonly pool: string;
  readonly because: Because;
  /** How the pool chose among its free addresses, where that is not the lowest. */
  readonly strategy?: Strategy;
  /** Which of the addresses go, which come, and from which pool. */
  readonly move?: {
    readonly from: readonly Address[];
    readonly to: readonly Address[];
    readonly pool: string;
  };
  /** The addresses lie in a moving range; why they stay. */
  readonly stay?: Stay;
}

/** Who asks, and of whom. */
interface Asking {
  readonly ledger: Ledger;
  readonly want: Want;
}

/**
 * Chooses and claims addresses for a Service that holds none: those it asks for, else from the pool
 * that it asks for, else those kept for it, else from pools meant for it, else from pools open to all. What a pool gives is one
 * that is kept for the Service, else one that it had before it was deleted, else as its strategy says, the lowest free.
 * `left`: addresses that the Service gave up just now, which it may ask for although nobody else could have them.
 */
export function choose(ledger: Ledger, want: Want, left: readonly Address[] = []): Choice | Refusal {
  if (want.family === 'unknown') return { refused: 'unknown-cluster-family', clusterIPs: want.clusterIPs };
  if ('refused' in want.request) return want.request;
  const asking = { ledger, want };
  if (want.request.length > 0) return chooseRequested(asking, want.request, left);
  if (want.pool !== undefined) return chooseFrom(ledger, want, want.pool);
  const { meant, open } = automatic(ledger, want);
  return (
    settle(asking, best(asking, ledger.reserving(want)), 'reserved') ??
    settle(asking, best(asking, formerFirst(ledger, want, meant)), 'matching-pool') ??
    settle(asking, best(asking, formerFirst(ledger, want, open)), 'open-pool') ??
    limited(asking, [...meant, ...open]) ?? {
      refused: 'no-room',
      family: want.family,
      withheld: withheldFrom(asking, [...meant, ...open]),
    }
  );
}

/** The pools that give the Service an address unasked: those meant for it come before those open to all. */
export function automatic(
  { config }: Ledger,
  want: Want,
): { readonly meant: readonly Pool[]; readonly open: readonly Pool[] } {
  const { limited, open } = ranked(config);
  return { meant: limited.length > 0 ? limited.filter((pool) => isMeantFor(pool, want)) : limited, open };
}

interface Ranked {
  readonly limited: readonly Pool[];
  readonly open: readonly Pool[];
}

/** Pools that give addresses unasked, in the order in which they are looked at; derived from an immutable Config, hence remembered. */
const ranks = new WeakMap<Config, Ranked>();

function ranked(config: Config): Ranked {
  const known = ranks.get(config);
  if (known) return known;
  const pools = [...config.pools.values()].filter((pool) => pool.autoAssign).sort(byPriority);
  const made = {
    limited: pools.filter((pool) => pool.allocation !== undefined),
    open: pools.filter((pool) => pool.allocation === undefined),
  };
  ranks.set(config, made);
  return made;
}

/** The pools with that of what the Service had before it was deleted in front. */
function formerFirst(ledger: Ledger, want: Want, pools: readonly Pool[]): readonly Pool[] {
  const former = ledger.formerPool(want);
  return former && pools.includes(former) ? [former, ...pools.filter((pool) => pool !== former)] : pools;
}

function chooseRequested(
  { ledger, want }: Asking,
  addresses: readonly Address[],
  left: readonly Address[],
): Choice | Refusal {
  if (familyOf(addresses) !== want.family)
    return { refused: 'family-mismatch', addresses, family: want.family };
  const pool = ledger.judge(want, addresses);
  if ('refused' in pool) return pool;
  if (want.pool !== undefined && pool.name !== want.pool)
    return { refused: 'not-in-requested-pool', addresses, pool: want.pool };
  for (const address of addresses) {
    const refusal = isAmong(address, left) ? undefined : ledger.keptBack(want, address);
    if (refusal) return refusal;
  }
  const limit = ledger.overQuota(want, addresses);
  return limit ?? claimed(ledger.claim(want, inTextOrder(addresses)), 'requested-address');
}

function chooseFrom(ledger: Ledger, want: Want, name: string): Choice | Refusal {
  const pool = ledger.config.pools.get(name);
  if (!pool) return { refused: 'unknown-pool', pool: name };
  if (!fits(pool, want)) return { refused: 'pool-not-for-service', pool: name };
  const asking = { ledger, want };
  return (
    settle(asking, best(asking, [pool]), 'requested-pool') ??
    limited(asking, [pool]) ?? {
      refused: 'pool-exhausted',
      pool: name,
      family: want.family,
      withheld: withheldFrom(asking, [pool]),
    }
  );
}

/** The quota that stands between the Service and a pool that has room for it, if that is what is in the way. */
function limited({ ledger, want }: Asking, pools: readonly Pool[]): Refusal | undefined {
  for (const pool of pools) {
    const free = best({ ledger, want: { ...want, replaces: true } }, [pool]);
    const limit = free && ledger.overQuota(want, free);
    if (limit) return limit;
  }
  return undefined;
}

/** What pools keep back of the families that the Service wants. */
function withheldFrom({ ledger, want }: Asking, pools: readonly Pool[]): Withheld {
  const families: readonly Family[] =
    want.family === 'IPv4' || want.family === 'IPv6' ? [want.family] : ['IPv4', 'IPv6'];
  return sum(pools.flatMap((pool) => families.map((family) => ledger.withheld(pool, family))));
}

/** The order in which two requested addresses end up in upstream's status: that of their text, not of the request. */
export function inTextOrder(addresses: readonly Address[]): readonly Address[] {
  return addresses.toSorted((a, b) => (formatAddress(a) < formatAddress(b) ? -1 : 1));
}

/**
 * The addresses of the first pool that satisfies the Service's families, both from one pool for dual stack.
 * PreferDualStack falls back to one family: the first pool with the primary one, else the first with the other.
 */
function best(asking: Asking, pools: readonly Pool[]): readonly Address[] | undefined {
  const { ledger, want } = asking;
  const { family, primary } = want;
  if (family === 'IPv4' || family === 'IPv6') return bestSingle(asking, pools, family);
  for (const pool of pools) {
    const v4 = ledger.offer(pool, 'IPv4', want);
    const v6 = v4 && ledger.offer(pool, 'IPv6', want);
    if (v4 && v6 && !ledger.overQuota(want, [v4, v6])) return [v4, v6];
  }
  if (want.policy !== 'PreferDualStack') return undefined;
  const secondary = primary === 'IPv4' ? 'IPv6' : 'IPv4';
  return bestSingle(asking, pools, primary) ?? bestSingle(asking, pools, secondary);
}

function bestSingle(
  { ledger, want }: Asking,
  pools: readonly Pool[],
  family: Family,
): readonly Address[] | undefined {
  for (const pool of pools) {
    const address = ledger.offer(pool, family, want);
    if (address) return [address];
  }
  return undefined;
}

function settle(
  { ledger, want }: Asking,
  addresses: readonly Address[] | undefined,
  because: Because,
): Choice | Refusal | undefined {
  if (!addresses) return undefined;
  const kept = ledger.keptFor(want, addresses);
  const chosen = claimed(ledger.claim(want, addresses), kept ?? because);
  const strategy = 'pool' in chosen ? ledger.config.pools.get(chosen.pool)?.strategy : undefined;
  return strategy && !('refused' in chosen) ? { ...chosen, strategy } : chosen;
}

function claimed(claim: Claim | Refusal, because: Because): Choice | Refusal {
  return 'refused' in claim ? claim : { addresses: claim.addresses, pool: claim.pool, because };
}

/**
 * Adds the family that a PreferDualStack Service with one address lacks, from the same pool.
 * The present address stays, also when this is refused.
 */
export function chooseSecond(ledger: Ledger, want: Want, held: Address): Choice | Refusal {
  const family = held.family === 'IPv4' ? 'IPv6' : 'IPv4';
  const pool = ledger.config.pools.get(ledger.claimOf(want.key)?.pool ?? '');
  const second = pool && ledger.offer(pool, family, want);
  const asking = { ledger, want: single(want, family) };
  const limit = pool && !second && limited(asking, [pool]);
  if (limit) return limit;
  if (!second) {
    const withheld = withheldFrom(asking, pool ? [pool] : []);
    return { refused: 'pool-exhausted', pool: pool?.name ?? '', family, withheld };
  }
  return claimed(ledger.claim(want, [held, second]), 'second-family');
}

const single = (want: Want, family: Family): Want => ({ ...want, family });
