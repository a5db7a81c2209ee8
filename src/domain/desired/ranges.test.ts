import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Range } from '../ip/range.ts';
import { overlaps, union } from './ranges.ts';

const range = fc
  .tuple(fc.constantFrom<Range['family']>('IPv4', 'IPv6'), fc.nat({ max: 60 }), fc.nat({ max: 12 }))
  .map(([family, first, length]): Range => ({ family, first: BigInt(first), last: BigInt(first + length) }));
const members = (list: readonly Range[]) =>
  new Set(
    list.flatMap((r) =>
      Array.from({ length: Number(r.last - r.first) + 1 }, (_, i) => `${r.family} ${r.first + BigInt(i)}`),
    ),
  );

describe('union', () => {
  it('holds the same addresses in ranges that neither overlap nor touch', () => {
    fc.assert(
      fc.property(fc.array(range), (list) => {
        const merged = union(list);
        expect(members(merged)).toEqual(members(list));
        for (const [i, r] of merged.entries()) {
          const next = merged[i + 1];
          if (next?.family === r.family) expect(next.first > r.last + 1n).toBe(true);
        }
      }),
    );
  });
});

describe('overlaps', () => {
  it('names every entry that shares an address with another, and no other', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (list) => {
        const entries = list.map((r, owner) => ({ range: r, owner, field: '' }));
        const found = new Set(overlaps(entries).flatMap(([a, b]) => [a.owner, b.owner]));
        const meets = (a: Range, b: Range) => a.family === b.family && a.first <= b.last && b.first <= a.last;
        for (const [i, a] of list.entries()) {
          const shared = list.some((b, j) => i !== j && meets(a, b));
          // The one that reaches furthest stands for those that end before the newcomer begins to matter.
          if (!shared) expect(found.has(i)).toBe(false);
        }
        const any = list.some((a, i) => list.some((b, j) => i < j && meets(a, b)));
        expect(found.size > 0).toBe(any);
      }),
    );
  });
});
