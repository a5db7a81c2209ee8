/** Where an address lies: the index of its range in the order of the spec, and its bits. */
export interface Spot {
  readonly index: number;
  readonly bits: bigint;
}

/** A piece of the range at that index: first and last number, both included. */
export interface Piece {
  readonly index: number;
  readonly first: bigint;
  readonly last: bigint;
}

/** The order in which ranges are used up. */
export const comesBefore = (a: Spot, b: Spot): boolean =>
  a.index === b.index ? a.bits < b.bits : a.index < b.index;

/** Binary min-heap of spots, each at most once: those given back again and again do not pile up. */
class Heap {
  readonly #items: Spot[] = [];
  readonly #members = new Set<bigint>();

  peek(): Spot | undefined {
    return this.#items[0];
  }

  push(spot: Spot): void {
    if (this.#members.has(spot.bits)) return;
    this.#members.add(spot.bits);
    let at = this.#items.push(spot) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!comesBefore(spot, this.#at(parent))) break;
      this.#items[at] = this.#at(parent);
      at = parent;
    }
    this.#items[at] = spot;
  }

  pop(): void {
    const last = this.#items.pop();
    if (last === undefined) return;
    this.#members.delete((this.#items[0] ?? last).bits);
    if (this.#items.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#items.length) break;
      const right = left + 1;
      const child = right < this.#items.length && comesBefore(this.#at(right), this.#at(left)) ? right : left;
      if (!comesBefore(this.#at(child), last)) break;
      this.#items[at] = this.#at(child);
      at = child;
    }
    this.#items[at] = last;
  }

  #at(index: number): Spot {
    const spot = this.#items[index];
    if (spot === undefined) throw new RangeError(`no item ${index}`);
    return spot;
  }
}

/**
 * Finds the first free number of a list of ranges, however many and however large, without ever walking them again: everything
 * before the frontier is taken, except what was given back and waits in a heap. The frontier passes each number once and leaps
 * over the gaps between pieces, so that an allocation costs O(log n) amortised, in a /64 as in a /30, and full ranges answer at
 * once.
 */
export class FreeIndex {
  readonly #pieces: readonly Piece[];
  readonly #taken: (bits: bigint) => boolean;
  readonly #freed = new Heap();
  #piece = 0;
  #frontier: bigint;

  /**
   * `pieces` are disjoint and ascending, by range and then by number. `taken` tells whether a number is held or may never be handed
   * out; it is asked again on each search.
   */
  constructor(pieces: readonly Piece[], taken: (number: bigint) => boolean) {
    this.#pieces = pieces;
    this.#taken = taken;
    this.#frontier = pieces[0]?.first ?? 0n;
  }

  lowest(): Spot | undefined {
    // What was taken again since it was given back is dropped here, late: that keeps taking O(1).
    for (let top = this.#freed.peek(); top !== undefined; top = this.#freed.peek()) {
      if (!this.#taken(top.bits)) return top;
      this.#freed.pop();
    }
    for (;;) {
      const piece = this.#pieces[this.#piece];
      if (!piece) return undefined;
      while (this.#frontier <= piece.last && this.#taken(this.#frontier)) this.#frontier += 1n;
      if (this.#frontier <= piece.last) return { index: piece.index, bits: this.#frontier };
      this.#piece++;
      this.#frontier = this.#pieces[this.#piece]?.first ?? this.#frontier;
    }
  }

  /** Tells that a number of a piece became free. */
  release(spot: Spot): void {
    const { index } = this.#pieces[this.#piece] ?? {};
    if (index === undefined || comesBefore(spot, { index, bits: this.#frontier })) this.#freed.push(spot);
  }
}
