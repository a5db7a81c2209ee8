/** One active process of several, by a coordination.k8s.io/v1 Lease. */
import { type Clock, isAbort } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';
import type { Random } from '../obs/random.ts';
import { isConflict, isNotFound, isRecord } from './errors.ts';
import { collectionPath, objectPath } from './paths.ts';
import type { KubeClient } from './ports.ts';

const LEASES = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

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

/** The lease as the server has it; everything unknown in it is kept when it is written. */
interface Held {
  readonly raw: Record<string, unknown>;
  readonly spec: Record<string, unknown>;
  readonly version: string;
  readonly holder: string;
}

function heldOf(raw: unknown): Held {
  const meta = isRecord(raw) ? raw.metadata : undefined;
  if (!isRecord(raw) || !isRecord(meta) || typeof meta.resourceVersion !== 'string')
    throw new Error('not a Lease');
  const spec = isRecord(raw.spec) ? raw.spec : {};
  const holder = typeof spec.holderIdentity === 'string' ? spec.holderIdentity : '';
  return { raw, spec, version: meta.resourceVersion, holder };
}

/** metav1.MicroTime. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
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
        await this.#wait(o.signal);
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

  /** By the holder's own promise, counted from when we saw its last sign of life. */
  #expired(held: Held): boolean {
    const seconds = held.spec.leaseDurationSeconds;
    const promisedMs = typeof seconds === 'number' ? seconds * 1000 : this.#durationMs;
    return this.#o.clock.now() >= this.#changedAt + promisedMs;
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
