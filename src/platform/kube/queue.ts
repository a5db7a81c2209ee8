/** Work by key: each key once in the queue, once at a time, and again later when it failed. */
import { type Clock, isAbort, type Timer } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';
import { fullJitter, type Random } from '../obs/random.ts';
import { isConflict } from './errors.ts';

/** Thrown by `run` for what no retry mends; it is logged, and the key waits for its next change. */
export class Terminal extends Error {
  override readonly name = 'Terminal';
}

export interface QueueOptions {
  /** One key's work. Level-based: it looks at what is, not at what happened. The signal aborts on close. */
  readonly run: (key: string, signal: AbortSignal) => Promise<void>;
  /** Keys at a time, default 1. */
  readonly concurrency?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Delay after the first failure in a row and its bound; default 100 ms and 60 s, doubling, half of it by chance. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
}

const BACKOFF = { firstMs: 100, maxMs: 60_000 } as const;

interface Delayed {
  readonly timer: Timer;
  readonly at: number;
}

export class Queue {
  readonly #o: QueueOptions;
  readonly #backoff: { readonly firstMs: number; readonly maxMs: number };
  readonly #concurrency: number;
  /** In order of arrival. */
  readonly #ready = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  /** Added while running: to be run once more. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #closing = new AbortController();
  /** Whoever waits for the queue to run dry; made when somebody does. */
  #idle: PromiseWithResolvers<void> | undefined;
  #started = false;

  constructor(o: QueueOptions) {
    this.#o = o;
    this.#backoff = o.backoff ?? BACKOFF;
    this.#concurrency = Math.max(1, o.concurrency ?? 1);
  }

  /** Keys that wait, now or later, or run. */
  get size(): number {
    return new Set([...this.#ready, ...this.#running.keys(), ...this.#delayed.keys()]).size;
  }

  /** Runs the key as soon as there is room, also when it waits out a failure: something changed. */
  add(key: string): void {
    if (this.#closing.signal.aborted) return;
    this.#undelay(key);
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#pump();
  }

  /** Adds the key in `ms`; of several such wishes the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closing.signal.aborted) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#o.clock.now() + ms;
    const pending = this.#delayed.get(key);
    if (pending && pending.at <= at) return;
    pending?.timer.cancel();
    const timer = this.#o.clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { timer, at });
  }

  /** Drops what waits for the key and its failures; a run under way ends by itself. */
  forget(key: string): void {
    this.#undelay(key);
    this.#ready.delete(key);
    this.#again.delete(key);
    this.#failures.delete(key);
    this.#settle();
  }

  start(): void {
    this.#started = true;
    this.#pump();
  }

  /** Resolves when nothing is ready or running. Delayed keys do not count. */
  idle(): Promise<void> {
    this.#idle ??= Promise.withResolvers<void>();
    const { promise } = this.#idle;
    this.#settle();
    return promise;
  }

  /** Aborts the runs under way and waits for them. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#ready.clear();
    this.#again.clear();
    await Promise.all(this.#running.values());
    this.#settle();
  }

  #pump(): void {
    if (!this.#started) return;
    for (const key of this.#ready) {
      if (this.#running.size >= this.#concurrency) return;
      this.#ready.delete(key);
      // Marked as running before its first step, so that a run that adds its own key runs once more, not twice at once.
      this.#running.set(
        key,
        Promise.resolve().then(() => this.#work(key)),
      );
    }
  }

  /** Never rejects. */
  async #work(key: string): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#o.run(key, signal);
      this.#failures.delete(key);
    } catch (e) {
      if (!signal.aborted) this.#failed(key, e);
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    this.#pump();
    this.#settle();
  }

  #failed(key: string, error: unknown): void {
    const { log, random } = this.#o;
    if (error instanceof Terminal) {
      this.#failures.delete(key);
      log.error({ key, error }, 'work failed, it is not tried again');
      return;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    // Half fixed, half chance: never at once, never all together.
    const delay = fullJitter({
      ...this.#backoff,
      attempt: failures - 1,
      random: { next: () => (1 + random.next()) / 2 },
    });
    // Somebody else wrote first: the ordinary life of optimistic writers.
    const level = isConflict(error) || isAbort(error) ? 'debug' : 'warn';
    log[level]({ key, error, failures, retryMs: Math.round(delay) }, 'work failed, it is tried again');
    if (!this.#again.has(key)) this.addAfter(key, delay);
  }

  #undelay(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }

  #settle(): void {
    if (this.#ready.size > 0 || this.#running.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
