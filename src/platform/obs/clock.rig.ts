/** A clock that moves only when a test says so. */
import { type Clock, sleepOn, type Timer, yieldToLoop } from './clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Timers run in the order of their time, then of their making. Wall time starts at 2026-01-01T00:00:00Z and keeps step. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();
  readonly #start: number;

  constructor(start: Date = new Date('2026-01-01T00:00:00Z')) {
    this.#start = start.getTime();
  }

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(this.#start + this.#now);
  }

  after(ms: number, run: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(ms, 0), order: this.#order++, run };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((m, run) => this.after(m, run), ms, signal);
  }

  /** How many timers wait: a closed loop leaves none. */
  get timers(): number {
    return this.#pending.size;
  }

  /**
   * Moves time on by `ms`, running what falls due on the way, also what those runs schedule. Promise chains settle before the
   * first timer and after each, so that a loop of sleeps takes every step of its own.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await yieldToLoop();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await yieldToLoop();
    }
    this.#now = end;
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const p of this.#pending) {
      if (p.at > end) continue;
      if (!first || p.at < first.at || (p.at === first.at && p.order < first.order)) first = p;
    }
    return first;
  }
}
