/** Time as an argument. Everything that waits or measures takes a Clock, so that tests can own it. */
import { setImmediate as immediate } from 'node:timers/promises';

/** A pending `after`. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary zero: for measuring and for deadlines. */
  now(): number;
  /** Wall time: only for what people and other programs read. */
  date(): Date;
  /** Calls `run` once after `ms` (at most 24 days). The caller owns the timer and cancels it when it closes. */
  after(ms: number, run: () => void): Timer;
  /** Resolves after `ms`; rejects with an AbortError as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest delay of a Node timer; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** What `sleep` rejects with. Always named AbortError, whatever reason the signal carried (kept as the cause). */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return error;
}

/** True for the end of a cancelled wait or request: a caller that asked for it stays silent about it. */
export function isAbort(e: unknown): boolean {
  return e instanceof Error && e.name === 'AbortError';
}

/** `sleep` on top of any `after`: shared by the system clock and the virtual one. */
export function sleepOn(
  after: (ms: number, run: () => void) => Timer,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const onAbort = () => {
      timer.cancel();
      if (signal) reject(abortError(signal));
    };
    const timer = after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function after(ms: number, run: () => void): Timer {
  const handle = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_MS));
  return { cancel: () => clearTimeout(handle) };
}

/** The process's own time. Its timers hold the process open until they fire or are cancelled. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after,
  sleep: (ms, signal) => sleepOn(after, ms, signal),
};

/** Lets waiting I/O and timers run; long loops call it every few milliseconds so that ARP and health answers are not late. */
export function yieldToLoop(): Promise<void> {
  return immediate();
}

/**
 * For long loops: call the result once a step. It yields to the loop when `sliceMs` of real time went by since it last did,
 * and costs next to nothing otherwise.
 */
export function breather(sliceMs = 5): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < sliceMs) return undefined;
    return yieldToLoop().then(() => {
      since = performance.now();
    });
  };
}
