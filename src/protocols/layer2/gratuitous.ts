/** How often, and for how long, the neighbours are told after a take-over. */
export interface Timing {
  /** Pause between two rounds. Some hosts drop a second update within a second of the first, hence more than one second. */
  readonly intervalMs: number;
  /** After the take-over. */
  readonly durationMs: number;
}

/** Upstream's: at once, then at 1.1, 2.2, 3.3 and 4.4 seconds. */
export const UPSTREAM_TIMING: Timing = { intervalMs: 1_100, durationMs: 5_000 };

interface Burst {
  readonly due: number;
  readonly until: number;
}

/**
 * Which addresses are due to be told, by name. Times are milliseconds of one clock that never goes back, and
 * given by the caller. Each operation costs the same whatever the number of addresses: since all wait the same
 * interval, the order in which they were put back is the order in which they fall due.
 */
export class Bursts {
  timing: Timing;
  /** Never told yet: ahead of everything that waits. */
  readonly #fresh = new Map<string, Burst>();
  readonly #waiting = new Map<string, Burst>();

  constructor(timing: Timing = UPSTREAM_TIMING) {
    this.timing = timing;
  }

  get size(): number {
    return this.#fresh.size + this.#waiting.size;
  }

  /** The address was taken over: due now, and from then on until the duration is over. Begins anew when under way. */
  start(name: string, now: number): void {
    this.#begin(name, now, this.timing.durationMs);
  }

  /** Somebody may have missed it: due now and once more. Changes nothing when under way. */
  remind(name: string, now: number): void {
    if (!this.#fresh.has(name) && !this.#waiting.has(name)) this.#begin(name, now, this.timing.intervalMs);
  }

  /** No longer ours: somebody else is telling the neighbours now. */
  stop(name: string): void {
    this.#fresh.delete(name);
    this.#waiting.delete(name);
  }

  #begin(name: string, now: number, durationMs: number): void {
    this.#waiting.delete(name);
    this.#fresh.set(name, { due: now, until: now + durationMs });
  }

  /** At most `most` addresses that are due, each put back for its next round unless that was its last. */
  take(now: number, most: number): string[] {
    const due: string[] = [];
    for (const queue of [this.#fresh, this.#waiting]) {
      for (const [name, burst] of queue) {
        if (due.length >= most || burst.due > now) break;
        queue.delete(name);
        due.push(name);
        const again = now + this.timing.intervalMs;
        if (again <= burst.until) this.#waiting.set(name, { due: again, until: burst.until });
      }
    }
    return due;
  }

  /** When `take` has something to give; undefined: not before another take-over. */
  get next(): number | undefined {
    for (const queue of [this.#fresh, this.#waiting]) for (const { due } of queue.values()) return due;
    return undefined;
  }
}
