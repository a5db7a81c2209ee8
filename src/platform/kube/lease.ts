/** One active process of several, by a coordination.k8s.io/v1 Lease. */
import { type Clock, isAbort } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';
import type { Random } from '../obs/random.ts';
import { isConflict, isNotFound } from './errors.ts';
import { changesOf, type Held, heldOf, LEASES, microTime } from './lease-record.ts';
import { collectionPath, objectPath } from './paths.ts';
import type { KubeClient } from './ports.ts';

/** One attempt must end well before the renew deadline, or a dead connection costs the lease. */
const ATTEMPT_MS = 3_000;

export interface LeaderOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Who we are: the pod's name, so that a restarted container takes its own lease back at once. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How long others wait after our last renewal; default 15 s. */
  readonly durationMs?: number;
  /** How long we lead without a renewal that succeeded; default 10 s. Less than durationMs: the rest is for slow clocks. */
  readonly renewMs?: number;
  /** Between two attempts; default 2 s. */
  readonly retryMs?: number;
}

export class LeaderElector {
  readonly #o: LeaderOptions;
  readonly #log: Log;
  readonly #durationMs: number;
  readonly #renewMs: number;
  readonly #retryMs: number;
  /** The record as last seen, and when it last changed by our own clock: clocks of other machines are never compared. */
  #seen: Held | undefined;
  #changedAt = 0;
  /** When we asked for the renewal that succeeded last; the server counts from a later moment, so this errs to the safe side. */
  #renewedAt: number | undefined;

  constructor(o: LeaderOptions) {
    this.#o = o;
    this.#log = o.log.child({ op: 'lease', lease: `${o.namespace}/${o.name}`, identity: o.identity });
    this.#durationMs = o.durationMs ?? 15_000;
    this.#renewMs = o.renewMs ?? 10_000;
    this.#retryMs = o.retryMs ?? 2_000;
  }

  /** True while nobody else can hold the lease; turns false by time alone, even when the loop was stalled. */
  get leading(): boolean {
    return this.#renewedAt !== undefined && this.#o.clock.now() < this.#renewedAt + this.#renewMs;
  }

  /**
   * Competes until `signal` aborts. Each time the lease is won `lead` runs, with a signal that aborts when the lease is lost
   * or `signal` aborts; the lease is renewed until `lead` has returned, then released. Resolves on abort, or when `lead`
   * returns by itself; rejects with what `lead` throws (not with an AbortError after it was told to stop).
   */
  async run(o: { signal: AbortSignal; lead: (signal: AbortSignal) => Promise<void> }): Promise<void> {
    while (!o.signal.aborted) {
      if (!(await this.#attempt(o.signal))) {
        if (!(await this.#comesFree(o.signal))) await this.#wait(o.signal);
        continue;
      }
      this.#log.info({}, 'leading');
      const lost = await this.#lead(o.signal, o.lead);
      if (!lost) return;
      this.#log.warn({}, 'lease lost');
    }
  }

  /** Resolves to true when the lease was lost, to false when leading ended in order. */
  async #lead(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const stop = new AbortController();
    const done = new AbortController();
    const onAbort = () => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    // Also when the signal came between winning and here.
    if (signal.aborted) onAbort();
    const renewing = this.#renew(done.signal, () => stop.abort());
    try {
      await lead(stop.signal);
    } catch (e) {
      if (!(stop.signal.aborted && isAbort(e))) throw e;
    } finally {
      signal.removeEventListener('abort', onAbort);
      done.abort();
      await renewing;
      if (this.#renewedAt !== undefined) await this.#release();
    }
    return stop.signal.aborted && !signal.aborted;
  }

  /** Renews until `done`; calls `lose` when the deadline passes or somebody else holds the lease. */
  async #renew(done: AbortSignal, lose: () => void): Promise<void> {
    const deadline = new AbortController();
    const either = AbortSignal.any([done, deadline.signal]);
    const arm = () =>
      this.#o.clock.after((this.#renewedAt ?? 0) + this.#renewMs - this.#o.clock.now(), () =>
        deadline.abort(),
      );
    let timer = arm();
    try {
      for (;;) {
        await this.#wait(either);
        if (either.aborted) break;
        if (await this.#attempt(either)) {
          timer.cancel();
          timer = arm();
        } else if (this.#seen && this.#seen.holder !== this.#o.identity) break;
      }
    } finally {
      timer.cancel();
    }
    if (done.aborted) return;
    this.#renewedAt = undefined;
    lose();
  }

  /** One try to get or to renew; true when we hold the lease afterwards. Never throws. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { clock, identity } = this.#o;
    const askedAt = clock.now();
    try {
      // A renewal writes on what it wrote last; only a conflict makes it look again.
      const held = this.#seen?.holder === identity ? this.#seen : await this.#get(signal);
      if (held) this.#observe(held);
      if (held && held.holder !== identity && held.holder !== '' && !this.#expired(held)) return false;
      this.#observe(await this.#put(held, this.#claim(held), signal));
      this.#renewedAt = askedAt;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // What we remember may be wrong now: the next attempt looks first.
      if (isConflict(error) || isNotFound(error)) await this.#look(signal);
      this.#log[isConflict(error) ? 'debug' : 'warn']({ error }, 'lease could not be written');
      return false;
    }
  }

  /** Learns who holds the lease; silent about failures, which the next attempt meets again. */
  async #look(signal: AbortSignal): Promise<void> {
    try {
      const held = await this.#get(signal);
      if (held) this.#observe(held);
      else this.#seen = undefined;
    } catch {
      this.#seen = undefined;
    }
  }

  #observe(held: Held): void {
    if (this.#seen?.version !== held.version) this.#changedAt = this.#o.clock.now();
    this.#seen = held;
  }

  #expired(held: Held): boolean {
    return this.#o.clock.now() >= this.#endOf(held);
  }

  /** By the holder's own promise, counted from when we saw its last sign of life. */
  #endOf({ spec }: Held): number {
    const seconds = spec.leaseDurationSeconds;
    return this.#changedAt + (typeof seconds === 'number' ? seconds * 1000 : this.#durationMs);
  }

  /**
   * Follows the lease of another until it is given up, deleted, or not renewed for as long as was promised: then true. False
   * at once when it cannot be followed, so that looking now and then is what remains.
   */
  async #comesFree(signal: AbortSignal): Promise<boolean> {
    const held = this.#seen;
    if (!held || held.holder === '' || held.holder === this.#o.identity) return false;
    const over = new AbortController();
    const runsOut = (current: Held) =>
      this.#o.clock.after(this.#endOf(current) - this.#o.clock.now(), () => over.abort());
    let timer = runsOut(held);
    try {
      const either = AbortSignal.any([signal, over.signal]);
      for await (const change of changesOf({ ...this.#o, from: held.version, signal: either })) {
        if (change === 'deleted') return true;
        this.#observe(change);
        if (change.holder === '') return true;
        timer.cancel();
        timer = runsOut(change);
      }
    } catch (error) {
      if (!over.signal.aborted && !signal.aborted) this.#log.debug({ error }, 'lease cannot be watched');
    } finally {
      timer.cancel();
    }
    return over.signal.aborted;
  }

  #claim(held: Held | undefined): Record<string, unknown> {
    const { clock, identity } = this.#o;
    const now = microTime(clock.date());
    const spec = held?.spec ?? {};
    const ours = held?.holder === identity;
    const transitions = typeof spec.leaseTransitions === 'number' ? spec.leaseTransitions : 0;
    return {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(this.#durationMs / 1000)),
      acquireTime: ours ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: ours || !held ? transitions : transitions + 1,
    };
  }

  async #get(signal: AbortSignal): Promise<Held | undefined> {
    const path = objectPath(LEASES, this.#o);
    try {
      return heldOf(await this.#o.client.request({ method: 'GET', path, signal, ...this.#fast() }));
    } catch (e) {
      if (isNotFound(e)) return undefined;
      throw e;
    }
  }

  /** Optimistic: the server refuses it (409) when anybody wrote since `held`. */
  async #put(held: Held | undefined, spec: Record<string, unknown>, signal: AbortSignal): Promise<Held> {
    const { client, namespace, name } = this.#o;
    const body = held
      ? { ...held.raw, spec }
      : { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec };
    const path = held ? objectPath(LEASES, this.#o) : collectionPath(LEASES, namespace);
    const method = held ? 'PUT' : 'POST';
    return heldOf(await client.request({ method, path, body, signal, ...this.#fast() }));
  }

  #fast() {
    return { urgent: true, retry: false, timeoutMs: Math.min(ATTEMPT_MS, this.#renewMs / 2) };
  }

  /** Lets the next process in at once. Best effort: if it fails, the lease runs out. */
  async #release(): Promise<void> {
    this.#renewedAt = undefined;
    const { signal } = new AbortController();
    for (let tries = 0; tries < 2 && this.#seen?.holder === this.#o.identity; tries++) {
      try {
        const spec = { ...this.#seen.spec, holderIdentity: '', leaseDurationSeconds: 1 };
        this.#observe(await this.#put(this.#seen, spec, signal));
        this.#log.info({}, 'lease released');
      } catch (error) {
        // A renewal that was cut off may have been written: look, and once more.
        if (!isConflict(error)) {
          this.#log.warn({ error }, 'lease could not be released');
          return;
        }
        await this.#look(signal);
      }
    }
  }

  /** retryMs and up to a fifth more, so that two standbys do not march in step. Returns early on abort. */
  async #wait(signal: AbortSignal): Promise<void> {
    const ms = this.#retryMs * (1 + this.#o.random.next() / 5);
    await this.#o.clock.sleep(ms, signal).catch((e: unknown) => {
      if (!isAbort(e)) throw e;
    });
  }
}
