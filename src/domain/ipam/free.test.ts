import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeIndex } from './free.ts';

describe('the free index', () => {
  it('always gives the lowest free number of its range, whatever was taken and given back', () => {
    const step = fc.record({ number: fc.bigInt(0n, 20n), take: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const taken = new Set<bigint>();
        const index = new FreeIndex([{ index: 0, first: 3n, last: 17n }], (n) => taken.has(n));
        for (const { number, take } of steps) {
          if (take) taken.add(number);
          else if (taken.delete(number) && number >= 3n && number <= 17n)
            index.release({ index: 0, bits: number });
          let lowest: bigint | undefined = 3n;
          while (taken.has(lowest)) lowest += 1n;
          expect(index.lowest()?.bits).toBe(lowest > 17n ? undefined : lowest);
        }
      }),
    );
  });

  it('looks at each number of a range about once, also when one is given back and taken again and again', () => {
    const taken = new Set<bigint>();
    let asked = 0;
    const index = new FreeIndex([{ index: 0, first: 0n, last: 1n << 64n }], (n) => {
      asked++;
      return taken.has(n);
    });
    for (let i = 0; i < 5_000; i++) taken.add(index.lowest()?.bits ?? -1n);
    for (let i = 0n; i < 1_000n; i++) {
      taken.delete(i);
      index.release({ index: 0, bits: i });
      taken.add(index.lowest()?.bits ?? -1n);
      taken.add(index.lowest()?.bits ?? -1n);
    }
    expect(taken.size).toBe(6_000);
    expect(asked).toBeLessThan(20_000);
  });

  it('leaps over gaps, of whatever width', () => {
    const pieces = [
      { index: 0, first: 1n, last: 2n },
      { index: 0, first: 1n << 100n, last: (1n << 100n) + 1n },
    ];
    const taken = new Set<bigint>();
    let asked = 0;
    const index = new FreeIndex(pieces, (n) => {
      asked++;
      return taken.has(n);
    });
    const got: (bigint | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      const lowest = index.lowest()?.bits;
      got.push(lowest);
      if (lowest !== undefined) taken.add(lowest);
    }
    expect(got).toEqual([1n, 2n, 1n << 100n, (1n << 100n) + 1n, undefined]);
    expect(asked).toBeLessThan(20);
    taken.delete(2n);
    index.release({ index: 0, bits: 2n });
    expect(index.lowest()?.bits).toBe(2n);
    expect(new FreeIndex([], () => false).lowest()).toBeUndefined();
  });

  it('gives the ranges in their order, whichever has the lower numbers', () => {
    const taken = new Set<bigint>();
    const pieces = [
      { index: 0, first: 8n, last: 9n },
      { index: 1, first: 2n, last: 3n },
    ];
    const index = new FreeIndex(pieces, (n) => taken.has(n));
    const take = () => {
      const spot = index.lowest();
      if (spot) taken.add(spot.bits);
      return spot && `${spot.index}: ${spot.bits}`;
    };
    const give = (at: number, bits: bigint) => {
      taken.delete(bits);
      index.release({ index: at, bits });
    };
    expect([take(), take(), take()]).toEqual(['0: 8', '0: 9', '1: 2']);
    give(1, 2n);
    give(0, 9n);
    expect([take(), take(), take(), take()]).toEqual(['0: 9', '1: 2', '1: 3', undefined]);
    give(1, 3n);
    give(0, 8n);
    expect([take(), take(), take()]).toEqual(['0: 8', '1: 3', undefined]);
  });

  it('stays small when one number goes back and forth', () => {
    const taken = new Set([0n, 1n]);
    const index = new FreeIndex([{ index: 0, first: 0n, last: 9n }], (n) => taken.has(n));
    expect(index.lowest()?.bits).toBe(2n);
    for (let i = 0; i < 100; i++) index.release({ index: 0, bits: 0n });
    taken.delete(0n);
    expect(index.lowest()?.bits).toBe(0n);
    taken.add(0n);
    expect(index.lowest()?.bits).toBe(2n);
  });
});
