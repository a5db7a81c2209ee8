import { describe, expect, it } from 'vitest';
import { Sending } from './sending.ts';

/** Each step: milliseconds after the start, and whether a frame left. */
type Step = readonly [at: number, left: boolean];

const times = (count: number, from: number, every: number): readonly Step[] =>
  Array.from({ length: count }, (_, i) => [from + i * every, false] as const);

function run(steps: readonly Step[]): Sending {
  const sending = new Sending();
  for (const [at, left] of steps) {
    if (left) sending.succeeded('eth0');
    else sending.failed(at, 'eth0');
  }
  return sending;
}

describe('an interface on which frames fail', () => {
  it.each<[string, readonly Step[], boolean]>([
    ['never', [[0, true]], false],
    ['a hundred times at once', times(100, 0, 1), false],
    ['four times in a second', times(4, 0, 250), false],
    ['five times in a second', times(5, 0, 250), true],
    ['often, with one success between', [...times(4, 0, 100), [350, true], ...times(4, 400, 100)], false],
    ['a hundred times at once and once a second later', [...times(100, 0, 1), [1_000, false]], true],
  ])('is held for dead or not when they fail %s', (_, steps, dead) => {
    expect(run(steps).muted(1_000).has('eth0')).toBe(dead);
  });

  it('is tried again after ten seconds, then after longer and longer, up to ten minutes', () => {
    const sending = run(times(5, 0, 100));
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const at = sending.next;
      const [before, after] = [sending.muted(at - 1).size, sending.muted(at).size];
      expect([before, after]).toEqual([1, 0]);
      for (const [when] of times(5, at, 100)) sending.failed(when, 'eth0');
      pauses.push(sending.next - at - 400);
    }
    expect(pauses).toEqual([20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000]);
  });

  it('lives as soon as a frame leaves, and is forgotten with its name', () => {
    const sending = run(times(5, 0, 100));
    expect([sending.succeeded('eth0'), sending.muted(500).size, sending.next]).toEqual([
      true,
      0,
      Number.POSITIVE_INFINITY,
    ]);
    expect(sending.succeeded('eth0')).toBe(false);
    for (const [when] of times(5, 1_000, 100)) sending.failed(when, 'eth0');
    sending.forget('eth0');
    expect(sending.muted(1_500).size).toBe(0);
  });
});
