import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bursts, UPSTREAM_TIMING } from './gratuitous.ts';

/** Runs until nothing is due any more; when each name was told. */
function play(bursts: Bursts, most = 100): [number, string][] {
  const told: [number, string][] = [];
  for (let next = bursts.next; next !== undefined; next = bursts.next) {
    for (const name of bursts.take(next, most)) told.push([next, name]);
  }
  return told;
}

describe('the schedule of telling a take-over', () => {
  it('tells a take-over at once and then each 1.1 seconds, five times within five seconds', () => {
    const bursts = new Bursts();
    bursts.start('a', 1_000);
    expect(play(bursts)).toEqual([1_000, 2_100, 3_200, 4_300, 5_400].map((at) => [at, 'a']));
    expect(bursts.size).toBe(0);
  });

  it('gives nothing before it is due', () => {
    const bursts = new Bursts();
    bursts.start('a', 0);
    expect(bursts.take(0, 10)).toEqual(['a']);
    expect(bursts.take(1_099, 10)).toEqual([]);
    expect(bursts.take(1_100, 10)).toEqual(['a']);
  });

  it('stops when the address is no longer ours', () => {
    const bursts = new Bursts();
    bursts.start('a', 0);
    bursts.take(0, 10);
    bursts.stop('a');
    expect([bursts.next, bursts.take(1_100, 10)]).toEqual([undefined, []]);
  });

  it('begins anew at once when the address is taken over again', () => {
    const bursts = new Bursts();
    bursts.start('a', 0);
    bursts.take(0, 10);
    bursts.start('a', 500);
    expect(bursts.next).toBe(500);
    expect(play(bursts)).toHaveLength(5);
  });

  it('reminds of an address twice, and leaves what is under way as it is', () => {
    const bursts = new Bursts();
    bursts.remind('a', 0);
    expect(play(bursts)).toEqual([
      [0, 'a'],
      [1_100, 'a'],
    ]);
    bursts.start('b', 2_000);
    bursts.take(2_000, 1);
    bursts.remind('b', 2_500);
    expect(play(bursts).map(([at]) => at)).toEqual([3_100, 4_200, 5_300, 6_400]);
  });

  it('puts a fresh take-over before those that repeat', () => {
    const bursts = new Bursts();
    bursts.start('old', 0);
    bursts.take(0, 10);
    bursts.start('new', 1_100);
    expect(bursts.take(1_100, 1)).toEqual(['new']);
    expect(bursts.take(1_100, 10)).toEqual(['old']);
  });

  it('gives at most as many as asked for, and the rest the next time', () => {
    const bursts = new Bursts();
    for (const name of ['a', 'b', 'c']) bursts.start(name, 0);
    expect(bursts.take(0, 2)).toEqual(['a', 'b']);
    expect(bursts.next).toBe(0);
    expect(bursts.take(0, 2)).toEqual(['c']);
  });

  it('takes a change of timing from the next round on', () => {
    const bursts = new Bursts();
    bursts.start('a', 0);
    bursts.timing = { intervalMs: 100, durationMs: 250 };
    bursts.take(0, 1);
    expect(bursts.next).toBe(100);
    bursts.start('b', 100);
    expect(
      play(bursts)
        .filter(([, name]) => name === 'b')
        .map(([at]) => at),
    ).toEqual([100, 200, 300]);
  });

  it('never tells twice within an interval, nor after the duration, and loses nobody', () => {
    const start = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), at: fc.nat(8_000) });
    fc.assert(
      fc.property(
        fc.array(start, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 3 }),
        (starts, most) => {
          const bursts = new Bursts();
          const told = new Map<string, number[]>();
          const last = new Map<string, number>();
          const drain = (until: number) => {
            for (let next = bursts.next; next !== undefined && next <= until; next = bursts.next) {
              for (const name of bursts.take(next, most)) told.set(name, [...(told.get(name) ?? []), next]);
            }
          };
          for (const { name, at } of starts.toSorted((a, b) => a.at - b.at)) {
            drain(at);
            bursts.start(name, at);
            last.set(name, at);
          }
          drain(Infinity);
          for (const [name, at] of last) {
            const times = (told.get(name) ?? []).filter((time) => time >= at);
            expect(times.slice(-5)).toEqual([0, 1, 2, 3, 4].map((i) => at + i * UPSTREAM_TIMING.intervalMs));
          }
        },
      ),
    );
  });
});
