import { type Config, isDraining, type Pool, poolOf } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { holds } from '../ip/ranges.ts';
import { fits } from './fits.ts';
import type { Holdings } from './holdings.ts';
import type { Quarantine } from './quarantine.ts';
import type { Quotas } from './quotas.ts';
import type { Refusal } from './reasons.ts';
import type { Reserve } from './reserve.ts';
import type { Space } from './space.ts';
import type { Sticky } from './sticky.ts';
import { familyOf, type Want } from './want.ts';
import type { Withheld } from './withheld.ts';

/** What is known of addresses under one Config. */
export interface Books {
  readonly config: Config;
  /** Who holds which. */
  readonly holdings: Holdings;
  /** Which are free. */
  readonly space: Space;
  /** Which are kept, and for whom. */
  readonly reserve: Reserve;
  /** How many each may have. */
  readonly quotas: Quotas;
  /** Which somebody else uses. */
  readonly quarantine: Quarantine;
  /** Which deleted Services had. */
  readonly sticky: Sticky;
}

/** Whether the Service may have these addresses, all of them: the pool that holds them, or why not. */
export function judge(
  { config, holdings }: Books,
  want: Want,
  addresses: readonly Address[],
): Pool | Refusal {
  const pool = commonPool(config, addresses);
  if (!pool) return { refused: 'outside-pools', addresses };
  if (!fits(pool, want)) return { refused: 'pool-not-for-service', pool: pool.name };
  if (addresses.length > 2) return { refused: 'too-many-addresses', addresses };
  if (familyOf(addresses) === 'unknown') return { refused: 'same-family-twice', addresses };
  for (const address of addresses) {
    const refusal = holdings.conflict(want, address);
    if (refusal) return refusal;
  }
  return pool;
}

/** The pool that has all of these addresses, if one has. */
export function commonPool(config: Config, addresses: readonly Address[]): Pool | undefined {
  const first = addresses[0];
  const pool = first && poolOf(config, first);
  if (pool === undefined || addresses.length === 1) return pool;
  return addresses.every((address) => poolOf(config, address) === pool) ? pool : undefined;
}

/** Why the Service may not have the address unless it has it already, if so. */
export function keptBack(books: Books, want: Want, address: Address): Refusal | undefined {
  const pool = poolOf(books.config, address);
  if (pool && isDraining(pool, address)) return { refused: 'address-draining', address, pool: pool.name };
  const whom = books.reserve.against(want, address);
  if (whom !== undefined) return { refused: 'address-reserved', address, whom };
  const entry = books.quarantine.of(address);
  return entry && { refused: 'address-quarantined', address, cause: entry.reason };
}

/** The quota that does not allow the Service these addresses of one pool beside what its namespace has, if any. */
export function overQuota(
  { config, quotas }: Books,
  want: Want,
  addresses: readonly Address[],
): Refusal | undefined {
  if (want.replaces || quotas.none) return undefined;
  const first = addresses[0];
  const pool = first && poolOf(config, first);
  return pool && quotas.against(want.namespace, pool.name, addresses);
}

/** What of one family a pool keeps back. Costs the quarantined addresses, and those of Services that reservations name. */
export function withheld(books: Books, pool: Pool, family: Family): Withheld {
  const { config, holdings, space, reserve, quarantine } = books;
  const { draining, kept } = space.idle(pool, family);
  const isOpen = (bits: bigint) => {
    const address = { family, bits };
    return poolOf(config, address) === pool && !holdings.has(family, bits) && !isDraining(pool, address);
  };
  const isKept = (bits: bigint) => holds(reserve.ranges, { family, bits });
  const elsewhere = quarantine.addresses(family).filter(isOpen);
  const named = reserve
    .owned(family)
    .filter((bits) => isOpen(bits) && !isKept(bits) && !quarantine.has(family, bits));
  return {
    draining,
    quarantined: BigInt(elsewhere.length),
    reserved: kept - BigInt(elsewhere.filter(isKept).length) + BigInt(named.length),
  };
}
