import { describe, expect, it } from 'vitest';
import { fullJitter, seededRandom } from './random.ts';

describe('seeded chance', () => {
  it('repeats itself for one seed and differs for another', () => {
    const take = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 8 }, () => random.next());
    };
    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });

  it('is spread over [0, 1)', () => {
    const random = seededRandom(7);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) {
      const bucket = Math.floor(random.next() * 10);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(counts.length).toBe(10);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('full jitter', () => {
  it('doubles its bound with each attempt, up to the maximum', () => {
    const almostOne = { next: () => 1 };
    const at = (attempt: number) => fullJitter({ firstMs: 100, maxMs: 1_000, attempt, random: almostOne });
    expect([0, 1, 2, 3, 4, 1000].map(at)).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(fullJitter({ firstMs: 100, maxMs: 1_000, attempt: 3, random: { next: () => 0 } })).toBe(0);
  });
});
