import type { Address } from './address.ts';
import { intersection, type Range } from './range.ts';

/** Ranges that are disjoint and ascending, IPv4 before IPv6: what `union` makes, and what the functions here take. */
export type RangeSet = readonly Range[];

/** The same addresses as few ascending ranges: overlapping and adjacent ones become one. */
export function union(ranges: readonly Range[]): RangeSet {
  const merged: Range[] = [];
  for (const range of ranges.toSorted(byFirst)) {
    const last = merged.at(-1);
    if (!last || last.family !== range.family || range.first > last.last + 1n) merged.push(range);
    else if (range.last > last.last) merged[merged.length - 1] = { ...last, last: range.last };
  }
  return merged;
}

/** What is left of a range without those of the set, ascending. */
export function without(range: Range, set: RangeSet): RangeSet {
  const { family } = range;
  const left: Range[] = [];
  let { first } = range;
  for (const hole of set) {
    if (hole.family !== family || hole.last < first) continue;
    if (hole.first > range.last) break;
    if (hole.first > first) left.push({ family, first, last: hole.first - 1n });
    first = hole.last + 1n;
  }
  if (first <= range.last) left.push({ family, first, last: range.last });
  return left;
}

/** What the set has of a range, ascending. */
export function within(range: Range, set: RangeSet): RangeSet {
  return set.flatMap((part) => intersection(part, range) ?? []);
}

/** Whether the set holds the address. O(log n). */
export function holds(set: RangeSet, address: Address): boolean {
  if (set.length === 0) return false;
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = set[middle];
    if (range === undefined || isBefore(address, range)) high = middle;
    else low = middle + 1;
  }
  const found = set[low - 1];
  return found?.family === address.family && address.bits <= found.last;
}

const isBefore = (address: Address, range: Range): boolean =>
  address.family === range.family ? address.bits < range.first : address.family < range.family;

function byFirst(a: Range, b: Range): number {
  if (a.family !== b.family) return a.family < b.family ? -1 : 1;
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}
