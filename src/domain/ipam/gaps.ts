import type { Pool } from '../config/config.ts';
import type { Family } from '../ip/address.ts';
import { type RangeSet, union, without } from '../ip/ranges.ts';

/**
 * How many addresses the longest run of a pool has that are not taken, do not drain and lie in no range that is kept. `taken` are
 * addresses of the family, in any order. A run ends at addresses that the pool avoids.
 */
export function largestGap(o: {
  readonly pool: Pool;
  readonly family: Family;
  readonly taken: Iterable<bigint>;
  readonly kept: RangeSet;
}): bigint {
  const { pool, family } = o;
  const taken = [...o.taken].sort((a, b) => (a < b ? -1 : 1));
  let at = 0;
  let longest = 0n;
  const measure = (first: bigint, last: bigint) => {
    const size = pool.avoidBuggyIPs && family === 'IPv4' ? withinBlock(first, last) : last - first + 1n;
    if (size > longest) longest = size;
  };
  const barred = union([...(pool.draining ?? []), ...o.kept]);
  const open = union(pool.ranges).flatMap((range) => without(range, barred));
  for (const range of open.filter((r) => r.family === family)) {
    let { first } = range;
    for (; at < taken.length; at++) {
      const bits = taken[at] ?? 0n;
      if (bits > range.last) break;
      if (bits < range.first) continue;
      if (bits > first) measure(first, bits - 1n);
      first = bits + 1n;
    }
    if (first <= range.last) measure(first, range.last);
  }
  return longest;
}

/** The longest run of a gap without the addresses that end in 0 or 255. */
function withinBlock(first: bigint, last: bigint): bigint {
  let longest = 0n;
  // The first two blocks and the last hold the longest run: those between are whole, like the second.
  const blocks = [first >> 8n, (first >> 8n) + 1n, last >> 8n];
  for (const block of blocks) {
    const low = max(first, (block << 8n) + 1n);
    const high = min(last, (block << 8n) + 254n);
    if (high - low + 1n > longest) longest = high - low + 1n;
  }
  return longest;
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
