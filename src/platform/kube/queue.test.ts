import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { createLog } from '../obs/log.ts';
import { ApiError } from './errors.ts';
import { Queue, type QueueOptions, Terminal } from './queue.ts';

/** A queue on a virtual clock; chance is always its middle, so a first failure waits 75 ms of 100. */
function queue(run: QueueOptions['run'], o: Partial<QueueOptions> = {}) {
  const clock = new VirtualClock();
  const lines: { level: string; msg: string }[] = [];
  const log = createLog({
    level: 'all',
    clock,
    write: (l) => lines.push(JSON.parse(l) as { level: string; msg: string }),
  });
  const q = new Queue({ run, clock, random: { next: () => 0.5 }, log, ...o });
  return { q, clock, lines };
}

describe('a queue', () => {
  it('runs each key once, however often it was added before', async () => {
    const ran: string[] = [];
    const { q } = queue(async (key) => void ran.push(key));
    for (const key of ['a', 'b', 'a', 'a']) q.add(key);
    expect(q.size).toBe(2);
    q.start();
    await q.idle();
    expect(ran).toEqual(['a', 'b']);
    expect(q.size).toBe(0);
  });

  it('never runs one key twice at a time, and once more for what came meanwhile', async () => {
    let now = 0;
    let most = 0;
    let runs = 0;
    const { q } = queue(
      async () => {
        most = Math.max(most, ++now);
        if (++runs === 1) for (let i = 0; i < 5; i++) q.add('a');
        await Promise.resolve();
        now--;
      },
      { concurrency: 8 },
    );
    q.add('a');
    q.start();
    await q.idle();
    expect([runs, most]).toEqual([2, 1]);
  });

  it('runs as many keys at a time as it may', async () => {
    const ends: (() => void)[] = [];
    const { q, clock } = queue(() => new Promise((resolve) => ends.push(resolve)), { concurrency: 3 });
    q.start();
    for (let i = 0; i < 5; i++) q.add(String(i));
    await clock.advance(0);
    expect(ends.length).toBe(3);
    ends[1]?.();
    await clock.advance(0);
    expect(ends.length).toBe(4);
    for (const end of ends) end();
    await clock.advance(0);
    for (const end of ends) end();
    await q.idle();
    expect(ends.length).toBe(5);
  });

  it('tries a failed key again after doubling delays, and starts over after a success', async () => {
    const at: number[] = [];
    let fail = true;
    const { q, clock } = queue(
      async () => {
        at.push(clock.now());
        if (fail) throw new Error('no');
      },
      { backoff: { firstMs: 100, maxMs: 300 } },
    );
    q.start();
    q.add('a');
    await clock.advance(800);
    expect(at).toEqual([0, 75, 225, 450, 675]);
    fail = false;
    await clock.advance(1_000);
    fail = true;
    at.length = 0;
    q.add('a');
    await clock.advance(80);
    expect(at).toEqual([1_800, 1_875]);
    await q.close();
  });

  it('keeps the delays of keys apart', async () => {
    const ran: string[] = [];
    const { q, clock } = queue(async (key) => {
      ran.push(`${key}@${clock.now()}`);
      if (key === 'bad') throw new Error('no');
    });
    q.start();
    q.add('bad');
    q.add('good');
    await clock.advance(74);
    q.add('good');
    await clock.advance(1);
    expect(ran).toEqual(['bad@0', 'good@0', 'good@74', 'bad@75']);
    await q.close();
  });

  it('runs a key that waits out a failure at once when something changed', async () => {
    const at: number[] = [];
    const { q, clock } = queue(async () => {
      at.push(clock.now());
      if (at.length === 1) throw new Error('no');
    });
    q.start();
    q.add('a');
    await clock.advance(10);
    q.add('a');
    await clock.advance(1_000);
    expect(at).toEqual([0, 10]);
    expect(clock.timers).toBe(0);
  });

  it('does not try what is terminal again', async () => {
    let runs = 0;
    const { q, clock, lines } = queue(async () => {
      runs++;
      throw new Terminal('never');
    });
    q.start();
    q.add('a');
    await clock.advance(600_000);
    expect(runs).toBe(1);
    expect(lines.map((l) => l.level)).toEqual(['error']);
    q.add('a');
    await q.idle();
    expect(runs).toBe(2);
  });

  it('logs a conflict quietly and any other failure as a warning', async () => {
    const { q, lines } = queue(async (key) => {
      throw key === 'conflict' ? new ApiError('moved on', { status: 409 }) : new Error('broken');
    });
    q.start();
    q.add('conflict');
    q.add('broken');
    await q.idle();
    expect(lines.map((l) => l.level)).toEqual(['debug', 'warn']);
    await q.close();
  });

  it('of several wishes for later keeps the earliest', async () => {
    const at: number[] = [];
    const { q, clock } = queue(async () => void at.push(clock.now()));
    q.start();
    q.addAfter('a', 100);
    q.addAfter('a', 50);
    q.addAfter('a', 200);
    await clock.advance(1_000);
    expect(at).toEqual([50]);
    q.addAfter('b', 0);
    await q.idle();
    expect(at.length).toBe(2);
  });

  it('forgets a key that waits', async () => {
    let runs = 0;
    const { q, clock } = queue(async () => void runs++);
    q.add('a');
    q.addAfter('b', 10);
    q.forget('a');
    q.forget('b');
    await q.idle();
    q.start();
    await clock.advance(100);
    expect([runs, q.size]).toEqual([0, 0]);
  });

  it('on close aborts what runs, waits for it, and starts nothing more', async () => {
    const seen: string[] = [];
    const { q, clock } = queue(async (key, signal) => {
      seen.push(key);
      await clock.sleep(60_000, signal);
    });
    q.start();
    q.add('a');
    q.add('b');
    q.addAfter('c', 5);
    await clock.advance(0);
    await q.close();
    q.add('d');
    await clock.advance(60_000);
    await q.idle();
    expect(seen).toEqual(['a']);
    expect(clock.timers).toBe(0);
  });
});
