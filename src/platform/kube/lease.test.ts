import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { abortError, type Clock } from '../obs/clock.ts';
import { createLog } from '../obs/log.ts';
import { ApiError, ConnectionError } from './errors.ts';
import { LeaderElector } from './lease.ts';
import type { KubeClient } from './ports.ts';

/** A Lease in memory: only what the passing of time does is tried here, the rest with a real server in test/api. */
class OneLease implements KubeClient {
  readonly server = '';
  down = false;
  version = 0;
  stored: Record<string, unknown> | undefined;

  async request(r: Parameters<KubeClient['request']>[0]): Promise<unknown> {
    if (this.down) throw new ConnectionError('down');
    if (r.method === 'GET') {
      if (!this.stored) throw new ApiError('none', { status: 404 });
      return this.stored;
    }
    const { metadata, spec } = r.body as { metadata: { resourceVersion?: string }; spec: object };
    if (this.stored && metadata.resourceVersion !== String(this.version))
      throw new ApiError('moved', { status: 409 });
    this.stored = { metadata: { ...metadata, resourceVersion: String(++this.version) }, spec };
    return this.stored;
  }
  watch: KubeClient['watch'] = () => {
    throw new Error('no watch');
  };
  async close(): Promise<void> {}
}

/** A Lease that can be followed. */
class FollowedLease extends OneLease {
  looks = 0;
  readonly #watchers = new Set<(event: object) => void>();

  override async request(r: Parameters<KubeClient['request']>[0]): Promise<unknown> {
    if (r.method === 'GET') this.looks++;
    const answer = await super.request(r);
    if (r.method !== 'GET') this.#tell();
    return answer;
  }
  /** Somebody writes. */
  change(spec: object): void {
    const metadata = { name: 'l', resourceVersion: String(++this.version) };
    this.stored = { metadata, spec };
    this.#tell();
  }
  override watch: KubeClient['watch'] = ({ signal }) => this.#events(signal);
  async *#events(signal?: AbortSignal): AsyncGenerator<unknown> {
    for (;;) {
      const next = Promise.withResolvers<object>();
      const onAbort = () => next.reject(abortError(signal ?? AbortSignal.abort()));
      this.#watchers.add(next.resolve);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        yield await next.promise;
      } finally {
        this.#watchers.delete(next.resolve);
        signal?.removeEventListener('abort', onAbort);
      }
    }
  }
  #tell(): void {
    for (const tell of this.#watchers) tell({ type: 'MODIFIED', object: this.stored });
  }
}

function elect(client: KubeClient, identity: string, clock: Clock) {
  const log = createLog({ level: 'none', clock });
  const elector = new LeaderElector({
    client,
    namespace: 'n',
    name: 'l',
    identity,
    clock,
    random: { next: () => 0 },
    log,
  });
  const end = new AbortController();
  const terms: { from: number; to?: number }[] = [];
  const lead = async (signal: AbortSignal) => {
    const term: { from: number; to?: number } = { from: clock.now() };
    terms.push(term);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    term.to = clock.now();
  };
  const running = elector.run({ signal: end.signal, lead });
  const stop = async () => {
    end.abort();
    await running;
  };
  return { elector, terms, stop };
}

describe('a Lease over time', () => {
  it('is renewed every two seconds and lost ten seconds after the last renewal', async () => {
    const clock = new VirtualClock();
    const client = new OneLease();
    const a = elect(client, 'a', clock);
    await clock.advance(20_000);
    expect(client.version).toBe(11);
    client.down = true;
    await clock.advance(9_900);
    expect(a.elector.leading).toBe(true);
    await clock.advance(200);
    expect(a.elector.leading).toBe(false);
    expect(a.terms).toEqual([{ from: 0, to: 30_000 }]);
    await a.stop();
    expect(clock.timers).toBe(0);
  });

  it('passes on fifteen seconds after its last sign of life: five after the old leader stopped', async () => {
    const clock = new VirtualClock();
    const shared = new OneLease();
    const cut = new OneLease();
    cut.request = (r) => (cut.down ? Promise.reject(new ConnectionError('down')) : shared.request(r));
    const a = elect(cut, 'a', clock);
    await clock.advance(100);
    const b = elect(shared, 'b', clock);
    await clock.advance(19_900);
    cut.down = true;
    await clock.advance(30_000);
    expect(a.terms[0]?.to).toBe(30_000);
    expect(b.terms[0]?.from).toBeGreaterThanOrEqual(35_000);
    expect(b.terms[0]?.from).toBeLessThanOrEqual(38_000);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('is taken by one that follows it at the moment it runs out or is given up, with no look in between', async () => {
    const clock = new VirtualClock();
    const client = new FollowedLease();
    const dead = { holderIdentity: 'dead', leaseDurationSeconds: 15 };
    client.stored = { metadata: { name: 'l', resourceVersion: '0' }, spec: dead };
    const a = elect(client, 'a', clock);
    await clock.advance(10_000);
    client.change({ ...dead, renewTime: 'later' });
    await clock.advance(14_900);
    expect(client.looks).toBe(1);
    expect(a.terms).toEqual([]);
    await clock.advance(100);
    expect(a.terms).toEqual([{ from: 25_000 }]);
    const b = elect(client, 'b', clock);
    await clock.advance(2_500);
    await a.stop();
    await clock.advance(0);
    expect(b.terms).toEqual([{ from: clock.now() }]);
    await b.stop();
    expect(clock.timers).toBe(0);
  });

  it('counts as lost in a process that was stopped for too long, before any timer could say so', async () => {
    const clock = new VirtualClock();
    let stalled = 0;
    const frozen: Clock = {
      now: () => clock.now() + stalled,
      date: () => clock.date(),
      after: (ms, run) => clock.after(ms, run),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    };
    const a = elect(new OneLease(), 'a', frozen);
    await clock.advance(1_000);
    expect(a.elector.leading).toBe(true);
    stalled = 10_000;
    expect(a.elector.leading).toBe(false);
    await a.stop();
  });

  it('is renewed until the work has really ended, then released', async () => {
    const clock = new VirtualClock();
    const client = new OneLease();
    const log = createLog({ level: 'none', clock });
    const elector = new LeaderElector({
      client,
      namespace: 'n',
      name: 'l',
      identity: 'a',
      clock,
      random: { next: () => 0 },
      log,
    });
    const end = new AbortController();
    const running = elector.run({
      signal: end.signal,
      // Takes twenty seconds to wind up: longer than an unrenewed lease would last.
      lead: async (signal) => {
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        await clock.sleep(20_000);
      },
    });
    await clock.advance(1_000);
    end.abort();
    await clock.advance(19_000);
    expect(elector.leading).toBe(true);
    expect(client.stored).toMatchObject({ spec: { holderIdentity: 'a' } });
    await clock.advance(2_000);
    await running;
    expect(client.stored).toMatchObject({ spec: { holderIdentity: '' } });
    expect(clock.timers).toBe(0);
  });

  it('ends with the error of the work, released', async () => {
    const clock = new VirtualClock();
    const client = new OneLease();
    const log = createLog({ level: 'none', clock });
    const elector = new LeaderElector({
      client,
      namespace: 'n',
      name: 'l',
      identity: 'a',
      clock,
      random: { next: () => 0 },
      log,
    });
    const running = elector.run({
      signal: new AbortController().signal,
      lead: () => Promise.reject(new Error('broken')),
    });
    await expect(running).rejects.toThrow('broken');
    expect(client.stored).toMatchObject({ spec: { holderIdentity: '' } });
  });
});
