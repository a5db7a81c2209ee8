import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { Limiter } from './limiter.ts';

/** Starts `n` jobs that note the time of their start and end when told. */
function jobs(limiter: Limiter, clock: VirtualClock, n: number) {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const all = Array.from({ length: n }, () =>
    limiter.run(() => {
      started.push(clock.now());
      return new Promise<void>((resolve) => ends.push(resolve));
    }),
  );
  return { started, ends, all: Promise.all(all) };
}

describe('a limiter', () => {
  it('lets a burst through at once and the rest at the rate', async () => {
    const clock = new VirtualClock();
    const { started } = jobs(new Limiter({ qps: 10, burst: 3, concurrency: 100, clock }), clock, 6);
    await clock.advance(1_000);
    expect(started).toEqual([0, 0, 0, 100, 200, 300]);
  });

  it('saves no more than one burst in quiet times', async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter({ qps: 10, burst: 3, concurrency: 100, clock });
    await clock.advance(60_000);
    const { started } = jobs(limiter, clock, 5);
    await clock.advance(100);
    expect(started).toEqual([60_000, 60_000, 60_000, 60_100]);
  });

  it('never has more under way than allowed, also without a rate', async () => {
    const clock = new VirtualClock();
    const { started, ends, all } = jobs(new Limiter({ qps: 0, burst: 1, concurrency: 2, clock }), clock, 5);
    await clock.advance(0);
    expect(started.length).toBe(2);
    ends[0]?.();
    await clock.advance(0);
    expect(started.length).toBe(3);
    for (let i = 1; i < 5; i++) {
      ends[i]?.();
      await clock.advance(0);
    }
    await all;
    expect(clock.timers).toBe(0);
  });

  it('gives the turn of a failed job to the next', async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter({ qps: 0, burst: 1, concurrency: 1, clock });
    const failing = limiter.run(() => Promise.reject(new Error('x')));
    const next = limiter.run(() => Promise.resolve('ran'));
    await expect(failing).rejects.toThrow('x');
    expect(await next).toBe('ran');
  });

  it('lets an aborted waiter leave without a turn', async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter({ qps: 0, burst: 1, concurrency: 1, clock });
    const { ends, all } = jobs(limiter, clock, 1);
    const stop = new AbortController();
    let ran = false;
    const waiting = limiter.run(async () => {
      ran = true;
    }, stop.signal);
    const third = limiter.run(() => Promise.resolve(3));
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(0);
    ends[0]?.();
    await all;
    expect(await third).toBe(3);
    expect(ran).toBe(false);
  });
});
