import type { Piece, Spot } from './free.ts';

/**
 * So many freed numbers are remembered: where a range is larger than anybody uses, the first of them comes again before those
 * never given out.
 */
const REMEMBERED = 4_096;

/**
 * Gives out what was not given out for the longest time: numbers that were never seen in use, ascending, then those given back,
 * the first of them first. What was used before this was made counts as never used.
 */
export class Rotation {
  readonly #pieces: readonly Piece[];
  readonly #taken: (number: bigint) => boolean;
  /** Given back, with the index of their range, the first of them first. */
  readonly #freed = new Map<bigint, number>();
  #piece = 0;
  #frontier: bigint;

  /** `taken` tells whether a number is held or may never be handed out. */
  constructor(pieces: readonly Piece[], taken: (number: bigint) => boolean) {
    this.#pieces = pieces;
    this.#taken = taken;
    this.#frontier = pieces[0]?.first ?? 0n;
  }

  next(): Spot | undefined {
    if (this.#freed.size >= REMEMBERED) return this.#oldest() ?? this.#fresh();
    return this.#fresh() ?? this.#oldest();
  }

  /** Tells that a number became free. */
  release({ bits, index }: Spot): void {
    this.#freed.delete(bits);
    this.#freed.set(bits, index);
  }

  /** What was given back and is free, the first of them first. */
  *freed(): Generator<bigint> {
    for (const bits of this.#freed.keys()) if (!this.#taken(bits)) yield bits;
  }

  #fresh() {
    for (;;) {
      const piece = this.#pieces[this.#piece];
      if (!piece) return undefined;
      while (this.#frontier <= piece.last && this.#used(this.#frontier)) this.#frontier += 1n;
      if (this.#frontier <= piece.last) return { index: piece.index, bits: this.#frontier };
      this.#piece++;
      this.#frontier = this.#pieces[this.#piece]?.first ?? this.#frontier;
    }
  }

  #used(number: bigint): boolean {
    return this.#freed.has(number) || this.#taken(number);
  }

  #oldest() {
    for (const [bits, index] of this.#freed) {
      if (!this.#taken(bits)) return { index, bits };
      // It is told again when it is given back.
      this.#freed.delete(bits);
    }
    return undefined;
  }
}
