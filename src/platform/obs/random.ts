/** Chance as an argument: jitter and shuffles are repeatable where a test needs them so. Not for secrets. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

export const systemRandom: Random = { next: () => Math.random() };

/** The same seed gives the same sequence for ever (mulberry32: 32 bits of state, good enough for jitter). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/**
 * A delay with full jitter: uniform in [0, min(max, first * 2^attempt)) milliseconds. Many clients that failed together come
 * back spread out instead of together.
 */
export function fullJitter(o: { firstMs: number; maxMs: number; attempt: number; random: Random }): number {
  return o.random.next() * Math.min(o.maxMs, o.firstMs * 2 ** Math.min(o.attempt, 30));
}
