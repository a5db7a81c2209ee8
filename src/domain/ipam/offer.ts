import { isAvoided, type Pool, placeOf, poolOf } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { intersection } from '../ip/range.ts';
import { without } from '../ip/ranges.ts';
import { fits } from './fits.ts';
import { comesBefore, type Spot } from './free.ts';
import { type Books, keptBack, overQuota } from './rights.ts';
import type { Want } from './want.ts';

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];

/**
 * The address of that family that the Service would get from the pool: one that is kept for it, one that it had before it was
 * deleted, or what the pool's strategy gives: in the first range, in the order of the spec, that has one, the lowest that is free or
 * that the Service may share; with another strategy one that it may share comes before a free one. Where all that is free was
 * others' a moment ago, the one that was given back first.
 */
export function offer(books: Books, pool: Pool, asked: Asked): Address | undefined {
  const { family, want } = asked;
  const own = kept(books, pool, asked) ?? former(books, pool, asked);
  if (own && !overQuota(books, want, [own])) return own;
  const spot = books.space.pick(pool, family, want.key);
  const free = spot && { family, bits: spot.bits };
  const best = free && !overQuota(books, want, [free]) ? spot : undefined;
  const joined = want.sharing === '' ? undefined : shareable(books, pool, asked);
  if (joined && (!best || pool.strategy || comesBefore(joined, best))) return { family, bits: joined.bits };
  return best ? free : last(books, pool, asked);
}

/** Who asks, and for which family. */
export interface Asked {
  readonly family: Family;
  readonly want: Want;
}

/** The first address of the pool that the Service may share. */
function shareable(books: Books, pool: Pool, { family, want }: Asked): Spot | undefined {
  let best: Spot | undefined;
  for (const bits of books.holdings.joinable(family, want)) {
    const address = { family, bits };
    const place = placeOf(books.config, address);
    if (place?.pool !== pool || keptBack(books, want, address)) continue;
    if (overQuota(books, want, [address])) continue;
    const spot = { index: place.index, bits };
    if (pool.strategy) return spot;
    if (!best || comesBefore(spot, best)) best = spot;
  }
  return best;
}

/** The pools that have a free address of a family of the Service's that is kept for it. */
export function reserving(books: Books, want: Want): readonly Pool[] {
  if (books.reserve.rangesFor(want).length === 0) return [];
  const families = want.family === 'IPv4' || want.family === 'IPv6' ? [want.family] : FAMILIES;
  return [...books.config.pools.values()].filter(
    (pool) => fits(pool, want) && families.some((family) => kept(books, pool, { family, want })),
  );
}

/** The first free address of the pool that is kept for the Service. Costs what is taken of those. */
function kept(books: Books, pool: Pool, { family, want }: Asked): Address | undefined {
  for (const own of books.reserve.rangesFor(want)) {
    if (own.family !== family) continue;
    for (const range of pool.ranges) {
      const common = intersection(own, range);
      if (!common) continue;
      for (const piece of without(common, pool.draining ?? []))
        for (let bits = piece.first; bits <= piece.last; bits++)
          if (isFree(books, pool, { family, bits })) return { family, bits };
    }
  }
  return undefined;
}

function isFree({ holdings, quarantine }: Books, pool: Pool, address: Address): boolean {
  const { family, bits } = address;
  return !holdings.has(family, bits) && !quarantine.has(family, bits) && !isAvoided(pool, address);
}

/** What the Service had in the pool before it was deleted, if it may have it. */
function former(books: Books, pool: Pool, { family, want }: Asked): Address | undefined {
  return books.sticky
    .of(want.key)
    .find(
      (address) =>
        address.family === family &&
        poolOf(books.config, address) === pool &&
        !keptBack(books, want, address) &&
        !books.holdings.conflict(want, address),
    );
}

/** A free address of the pool that others had before they were deleted. */
function last(books: Books, pool: Pool, { family, want }: Asked): Address | undefined {
  for (const bits of books.space.spare(pool, family)) {
    const address = { family, bits };
    if (!keptBack(books, want, address) && !overQuota(books, want, [address])) return address;
  }
  return undefined;
}
