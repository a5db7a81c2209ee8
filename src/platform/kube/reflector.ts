/** Keeps a Store equal to what the API server has, whatever happens to server, network and history. Never stops by itself. */
import type { Kind, KubeObject } from '../../domain/api/object.ts';
import { abortError, breather, type Clock, isAbort } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';
import type { Metrics } from '../obs/metrics.ts';
import { fullJitter, type Random } from '../obs/random.ts';
import { ApiError, isForbidden, isGone, isNotFound, isRecord, statusError } from './errors.ts';
import { type Changed, headOf, Mirror } from './mirror.ts';
import { listPages } from './pager.ts';
import { collectionPath } from './paths.ts';
import type { KubeClient } from './ports.ts';
import { type ReflectorMetrics, reflectorMetrics } from './reflector-metrics.ts';
import type { Indexes, Store } from './store.ts';

/**
 * starting: no complete list yet, nothing known to be wrong. synced: a list is in and a watch stands. missing: the server does
 * not know the kind. forbidden: RBAC. disconnected: no connection, or the server failed. In the last three the store keeps
 * what it has, and the next attempt follows within seconds.
 */
export interface ReflectorState {
  readonly phase: 'starting' | 'synced' | 'missing' | 'forbidden' | 'disconnected';
  /** Clock milliseconds at which the phase began. */
  readonly since: number;
  /** Why, where something is wrong. */
  readonly message?: string;
}

/** Presets with their reasons; tests shorten them. */
export interface ReflectorTiming {
  /** The longest life of one watch; each draws from its upper half, so that many clients do not return at once. */
  readonly watchSeconds: number;
  /** Silence that ends a watch: two bookmarks (one a minute) are missing. */
  readonly inactivityMs: number;
  /** Bound of the delay between attempts: a server that returns is seen within seconds, without a stampede. */
  readonly maxBackoffMs: number;
  /** Cache and server are compared when the last list is between this and twice this old. */
  readonly compareMs: number;
}

const TIMING: ReflectorTiming = {
  watchSeconds: 600,
  inactivityMs: 120_000,
  maxBackoffMs: 5_000,
  compareMs: 600_000,
};

const FIRST_BACKOFF_MS = 100;

/** A watch that ends sooner, without an event, was none: a proxy in the way, or a kind that comes or goes. */
const SHORT_WATCH_MS = 1_000;

/** A server may ask for patience (Retry-After), not for silence. */
const LONGEST_ASKED_MS = 30_000;

/** How much longer than agreed a server may keep a watch open before we end it. */
const GRACE_MS = 30_000;

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly kind: Kind<T>;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** All namespaces without it. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Indexes<T>;
  readonly metrics?: Metrics;
  /** The first list is a quorum read: for who has just become the leader and must see all that the last one wrote. */
  readonly fresh?: boolean;
  readonly timing?: Partial<ReflectorTiming>;
}

export class Reflector<T extends KubeObject> {
  readonly store: Store<T>;
  readonly #o: ReflectorOptions<T>;
  readonly #log: Log;
  readonly #timing: ReflectorTiming;
  readonly #metrics: ReflectorMetrics | undefined;
  readonly #mirror: Mirror<T>;
  readonly #changed = new Set<(key: string, before: T | undefined) => void>();
  readonly #relisted = new Set<(empty: boolean) => void>();
  readonly #closing = new AbortController();
  readonly #firstList = Promise.withResolvers<void>();
  #synced = false;
  #state: ReflectorState;
  #loop: Promise<void> | undefined;
  #failures = 0;
  /** The version that the store stands at; undefined when it must be listed (anew). */
  #version: string | undefined;
  /** What the next list asks for: "0" at first, then the last version seen, so that we never go back; "" when that is refused. */
  #least = '0';
  #compareAt = 0;

  constructor(o: ReflectorOptions<T>) {
    this.#o = o;
    this.#log = o.log.child({ op: 'reflect', kind: o.kind.kind });
    this.#timing = { ...TIMING, ...o.timing };
    this.#metrics = o.metrics ? reflectorMetrics(o.metrics, o.kind.kind) : undefined;
    this.#mirror = new Mirror(o.kind, o.indexes, (object, error) => {
      this.#metrics?.unreadable();
      this.#log.error({ object, error }, 'object cannot be read, its last good form stays');
    });
    this.store = this.#mirror.store;
    if (o.fresh) this.#least = '';
    this.#state = { phase: 'starting', since: o.clock.now() };
  }

  /** True once a first complete list is in, and from then on. */
  get synced(): boolean {
    return this.#synced;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** Resolves when synced; rejects with an AbortError when `signal` aborts, or the reflector closes, before that. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const stopped = Promise.withResolvers<never>();
    const onAbort = () => stopped.reject(abortError(either));
    if (either.aborted && !this.#synced) throw abortError(either);
    either.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#firstList.promise, stopped.promise]);
    } finally {
      either.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Calls `f` with the key of each object that was added, changed or deleted, and with what it was before, after the store took it;
   * on a list, once for each difference. What `f` throws is logged and goes no further. Returns how to stop.
   */
  onChange(f: (key: string, before: T | undefined) => void): () => void {
    this.#changed.add(f);
    return () => this.#changed.delete(f);
  }

  /** Calls `f` after each complete list, with whether it was empty. An empty list may be a stale one: ask `Resource.list`. */
  onRelist(f: (empty: boolean) => void): () => void {
    this.#relisted.add(f);
    return () => this.#relisted.delete(f);
  }

  start(): void {
    this.#loop ??= this.#run(this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs = 0;
      try {
        await this.#round(signal);
      } catch (e) {
        if (signal.aborted) return;
        this.#failed(e);
        if (e instanceof ApiError) waitMs = Math.min(e.retryAfterMs ?? 0, LONGEST_ASKED_MS);
      }
      waitMs += this.#backoff();
      if (waitMs === 0) continue;
      await this.#o.clock.sleep(waitMs, signal).catch((e: unknown) => {
        if (!isAbort(e)) throw e;
      });
    }
  }

  /** A list where one is due, then one watch to its end. */
  async #round(signal: AbortSignal): Promise<void> {
    if (this.#version === undefined) await this.#read({ resourceVersion: this.#least }, signal);
    else if (this.#o.clock.now() >= this.#compareAt) await this.#compare(this.#version, signal);
    await this.#watch(signal);
  }

  /** Milliseconds until the next round: none after a watch that ended in order, then doubling, by chance. */
  #backoff(): number {
    if (this.#failures === 0) return 0;
    const { random } = this.#o;
    const maxMs = this.#timing.maxBackoffMs;
    return fullJitter({ firstMs: FIRST_BACKOFF_MS, maxMs, attempt: this.#failures - 1, random });
  }

  #failed(e: unknown): void {
    this.#failures++;
    if (isGone(e) && this.#version !== undefined) {
      this.#version = undefined;
      this.#metrics?.restart('expired');
      this.#log.info({ error: e }, 'watched version expired, listing again');
      return;
    }
    // A list that refuses our version (410, or 504 "too large" after a restored etcd) is followed by a quorum read.
    if (this.#version === undefined && e instanceof ApiError && (e.status === 410 || e.status === 504))
      this.#least = '';
    // What went away with its CRD is seen by the list that follows when the kind returns.
    if (isNotFound(e)) this.#version = undefined;
    const phase = isNotFound(e) ? 'missing' : isForbidden(e) ? 'forbidden' : 'disconnected';
    this.#metrics?.restart(phase);
    this.#enter(phase, e);
  }

  #enter(phase: ReflectorState['phase'], e?: unknown): void {
    const why = e instanceof Error ? { message: e.message } : {};
    const same = phase === this.#state.phase;
    this.#state = { phase, since: same ? this.#state.since : this.#o.clock.now(), ...why };
    if (same) return;
    if (phase === 'synced') this.#log.info({ objects: this.store.size }, 'kind is in sync');
    else this.#log.warn({ phase, error: e }, 'kind is out of sync, trying again');
  }

  /** One complete list into the store; resolves to the number of differences. */
  async #read(o: { resourceVersion: string; exact?: boolean }, signal: AbortSignal): Promise<number> {
    const { client, kind, clock, random, namespace, labelSelector, fieldSelector } = this.#o;
    const listing = this.#mirror.listing();
    const path = collectionPath(kind, namespace);
    const request = { path, labelSelector, fieldSelector, ...o, signal, retry: false };
    this.#moved(await listPages(client, { ...request, ...listing }));
    const changed = listing.finish();
    this.#compareAt = clock.now() + this.#timing.compareMs * (1 + random.next());
    this.#metrics?.objects(this.store.size);
    if (!this.#synced) {
      this.#synced = true;
      this.#enter('synced');
      this.#firstList.resolve();
    }
    for (const one of changed) this.#tell(one);
    for (const f of this.#relisted) this.#call(() => f(this.store.size === 0));
    return changed.length;
  }

  /**
   * Reads the list as it was at the version that the store stands at: each difference is a change that the watch did not
   * bring. Where the server no longer has that version, a quorum read repairs without counting.
   */
  async #compare(version: string, signal: AbortSignal): Promise<void> {
    try {
      const differences = await this.#read({ resourceVersion: version, exact: true }, signal);
      this.#metrics?.compared(differences);
      if (differences > 0) this.#log.error({ differences, version }, 'watch had missed changes');
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      await this.#read({ resourceVersion: '' }, signal);
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, clock, random, kind, namespace, labelSelector, fieldSelector } = this.#o;
    const seconds = Math.ceil((this.#timing.watchSeconds * (1 + random.next())) / 2);
    const overdue = new AbortController();
    const timer = clock.after(seconds * 1000 + GRACE_MS, () => overdue.abort());
    const started = clock.now();
    const before = this.#version;
    const breathe = breather();
    try {
      const events = client.watch({
        path: collectionPath(kind, namespace),
        query: {
          labelSelector,
          fieldSelector,
          resourceVersion: this.#version,
          allowWatchBookmarks: 'true',
          timeoutSeconds: String(seconds),
        },
        signal: AbortSignal.any([signal, overdue.signal]),
        inactivityMs: this.#timing.inactivityMs,
        onOpen: () => this.#enter('synced'),
      });
      for await (const event of events) {
        this.#take(event);
        const pause = breathe();
        if (pause) await pause;
      }
      if (this.#version === before && clock.now() - started < SHORT_WATCH_MS) {
        this.#failures++;
        this.#metrics?.restart('short');
      }
    } finally {
      timer.cancel();
      // However it ended, a watch that brought something or lasted ends a row of failures.
      if (this.#version !== before || clock.now() - started >= SHORT_WATCH_MS) this.#failures = 0;
    }
  }

  #take(event: unknown): void {
    const type = isRecord(event) ? event.type : undefined;
    const object = isRecord(event) ? event.object : undefined;
    if (type === 'ERROR') throw statusError(`WATCH ${this.#o.kind.plural}`, object);
    let changed: Changed<T> | undefined;
    if (type === 'ADDED' || type === 'MODIFIED') changed = this.#mirror.put(object);
    else if (type === 'DELETED') changed = this.#mirror.drop(object);
    else if (type !== 'BOOKMARK') throw new Error(`watch event of unknown type ${String(type)}`);
    // Only now: a version counts as seen when the store has taken it.
    this.#moved(type === 'BOOKMARK' ? bookmarkOf(object) : headOf(object).version);
    if (!changed) return;
    this.#metrics?.objects(this.store.size);
    this.#tell(changed);
  }

  #moved(version: string): void {
    this.#version = version;
    this.#least = version;
  }

  #tell({ key, before }: Changed<T>): void {
    for (const f of this.#changed) this.#call(() => f(key, before));
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#log.error({ error }, 'listener failed');
    }
  }
}

/** A bookmark has a resourceVersion and nothing else. */
function bookmarkOf(raw: unknown): string {
  const meta = isRecord(raw) ? raw.metadata : undefined;
  if (!isRecord(meta) || typeof meta.resourceVersion !== 'string')
    throw new Error('bookmark without resourceVersion');
  return meta.resourceVersion;
}
