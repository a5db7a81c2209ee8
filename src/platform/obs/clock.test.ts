import { describe, expect, it, vi } from 'vitest';
import { VirtualClock } from './clock.rig.ts';
import { breather, type Clock, isAbort, systemClock } from './clock.ts';

const clocks: [string, () => { clock: Clock; pass: (ms: number) => Promise<void> }][] = [
  ['the system clock', () => ({ clock: systemClock, pass: () => Promise.resolve() })],
  [
    'a virtual clock',
    () => {
      const clock = new VirtualClock();
      return { clock, pass: (ms) => clock.advance(ms) };
    },
  ],
];

describe.each(clocks)('%s', (_, make) => {
  it('wakes sleepers in the order of their time', async () => {
    const { clock, pass } = make();
    const woken: number[] = [];
    const all = [20, 1, 10].map((ms) => clock.sleep(ms).then(() => woken.push(ms)));
    await pass(20);
    await Promise.all(all);
    expect(woken).toEqual([1, 10, 20]);
  });

  it('never runs a cancelled timer', async () => {
    const { clock, pass } = make();
    let ran = false;
    const timer = clock.after(1, () => {
      ran = true;
    });
    timer.cancel();
    const later = clock.sleep(5);
    await pass(5);
    await later;
    expect(ran).toBe(false);
  });

  it('rejects a sleep with an AbortError, whatever the reason of the abort', async () => {
    const { clock } = make();
    const stop = new AbortController();
    const sleeping = clock.sleep(60_000, stop.signal);
    stop.abort(new TypeError('because'));
    const error: unknown = await sleeping.catch((e: unknown) => e);
    expect(isAbort(error)).toBe(true);
    expect(error).toMatchObject({ cause: { message: 'because' } });
    await expect(clock.sleep(0, stop.signal)).rejects.toSatisfy(isAbort);
  });
});

describe('a virtual clock', () => {
  it('takes every step of a loop of sleeps within one advance', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const loop = async () => {
      for (let i = 0; i < 5; i++) {
        await clock.sleep(10);
        times.push(clock.now());
      }
    };
    const done = loop();
    await clock.advance(50);
    await done;
    expect(times).toEqual([10, 20, 30, 40, 50]);
    expect(clock.date()).toEqual(new Date('2026-01-01T00:00:00.050Z'));
  });

  it('shows a timer that was left behind', async () => {
    const clock = new VirtualClock();
    clock.after(10, () => undefined);
    const stop = new AbortController();
    const sleeping = clock.sleep(10, stop.signal).catch(() => undefined);
    expect(clock.timers).toBe(2);
    stop.abort();
    await sleeping;
    expect(clock.timers).toBe(1);
  });
});

describe('a breather', () => {
  it('lets timers of others run in a long loop', async () => {
    const breathe = breather(1);
    let ran = false;
    setTimeout(() => {
      ran = true;
    }, 1);
    const end = performance.now() + 5_000;
    while (!ran && performance.now() < end) await breathe();
    expect(ran).toBe(true);
  });
});

it('the system clock goes on evenly when the wall time is set', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const begin = systemClock.now();
    for (const year of ['1999', '2040']) {
      vi.setSystemTime(new Date(`${year}-01-01T00:00:00Z`));
      expect(systemClock.date().getUTCFullYear()).toBe(Number(year));
      await systemClock.sleep(1);
    }
    const passed = systemClock.now() - begin;
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThan(60_000);
  } finally {
    vi.useRealTimers();
  }
});
