import type { Clock } from '../../../platform/obs/clock.ts';

/** Fewer changes are told of at once. */
const FEW = 20;
/** A process that is replaced is back within this time, and its addresses change hands a second time. */
const REST_MS = 2_000;
/** After so long it is told all the same. */
const MOST_MS = 10_000;

/** Whether many Services change hands, so that what can be told later should wait until it is over. */
export class Unrest {
  readonly #clock: Clock;
  #began = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #changes = 0;
  readonly #ended = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A Service changed hands. */
  stir(): void {
    const now = this.#clock.now();
    if (now - this.#last >= REST_MS) {
      this.#began = now;
      this.#changes = 0;
    }
    this.#last = now;
    this.#changes++;
  }

  /** Nobody waits for it from now on. */
  end(): void {
    this.#ended.abort();
  }

  /** Resolves when it is over. Rejects when the signal aborts. */
  async rest(signal?: AbortSignal): Promise<void> {
    if (this.#restMs() <= 0) return;
    const either = AbortSignal.any([this.#ended.signal, ...(signal ? [signal] : [])]);
    for (let ms = this.#restMs(); ms > 0 && !either.aborted; ms = this.#restMs())
      await this.#clock.sleep(ms, either).catch(() => {});
    signal?.throwIfAborted();
  }

  #restMs(): number {
    if (this.#changes <= FEW) return 0;
    return Math.min(this.#last + REST_MS, this.#began + MOST_MS) - this.#clock.now();
  }
}
