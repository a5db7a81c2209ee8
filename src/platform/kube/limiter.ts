/** How much one process may ask of the API server: a token bucket and a bound on what is under way, first come first served. */
import { abortError, type Clock, type Timer } from '../obs/clock.ts';

interface Waiting {
  readonly start: () => void;
}

export class Limiter {
  readonly #qps: number;
  readonly #burst: number;
  readonly #concurrency: number;
  readonly #clock: Clock;
  /** A Set keeps order and lets an aborted waiter leave from the middle. */
  readonly #waiting = new Set<Waiting>();
  #tokens: number;
  #filled: number;
  #running = 0;
  #timer: Timer | undefined;

  /** `qps` 0 means no rate limit; `burst` is the size of the bucket. */
  constructor(o: { qps: number; burst: number; concurrency: number; clock: Clock }) {
    this.#qps = o.qps > 0 ? o.qps : Number.POSITIVE_INFINITY;
    this.#burst = Math.max(1, o.burst);
    this.#concurrency = Math.max(1, o.concurrency);
    this.#clock = o.clock;
    this.#tokens = this.#burst;
    this.#filled = o.clock.now();
  }

  /** Waits for a turn, then runs `f`. Rejects with an AbortError if the signal aborts before the turn came. */
  async run<T>(f: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#turn(signal);
    if (turn) await turn;
    try {
      return await f();
    } finally {
      this.#running--;
      this.#pump();
    }
  }

  #turn(signal?: AbortSignal): Promise<void> | undefined {
    if (this.#waiting.size === 0 && !signal?.aborted && this.#take()) return undefined;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError(signal));
        return;
      }
      const onAbort = () => {
        this.#waiting.delete(entry);
        if (signal) reject(abortError(signal));
      };
      const entry: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(entry);
      this.#pump();
    });
  }

  #pump(): void {
    for (const entry of this.#waiting) {
      if (!this.#take()) return;
      this.#waiting.delete(entry);
      entry.start();
    }
  }

  /** A turn, if there is one to be had now. */
  #take(): boolean {
    if (this.#running >= this.#concurrency) return false;
    this.#fill();
    if (this.#tokens < 1) {
      this.#wakeLater();
      return false;
    }
    this.#tokens--;
    this.#running++;
    return true;
  }

  #fill(): void {
    const now = this.#clock.now();
    // An unlimited rate fills the bucket on each look, also when no time has passed (0 * Infinity is not a number).
    const gained =
      this.#qps === Number.POSITIVE_INFINITY ? this.#burst : ((now - this.#filled) / 1000) * this.#qps;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filled = now;
  }

  #wakeLater(): void {
    if (this.#timer) return;
    this.#timer = this.#clock.after(Math.ceil(((1 - this.#tokens) / this.#qps) * 1000), () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}
