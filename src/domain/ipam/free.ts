/** Binary min-heap of numbers, each at most once: numbers given back again and again do not pile up. */
class Heap {
  readonly #items: bigint[] = [];
  readonly #members = new Set<bigint>();

  peek(): bigint | undefined {
    return this.#items[0];
  }

  push(value: bigint): void {
    if (this.#members.has(value)) return;
    this.#members.add(value);
    let at = this.#items.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= value) break;
      this.#items[at] = this.#at(parent);
      at = parent;
    }
    this.#items[at] = value;
  }

  pop(): void {
    const last = this.#items.pop();
    if (last === undefined) return;
    this.#members.delete(this.#items[0] ?? last);
    if (this.#items.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#items.length) break;
      const child = left + 1 < this.#items.length && this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(child) >= last) break;
      this.#items[at] = this.#at(child);
      at = child;
    }
    this.#items[at] = last;
  }

  #at(index: number): bigint {
    const value = this.#items[index];
    if (value === undefined) throw new RangeError(`no item ${index}`);
    return value;
  }
}

/** First and last number, both included. */
export interface Piece {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Finds the lowest free number of a range (of addresses, or of the places of a list) without ever walking the range again:
 * everything below `frontier` is taken, except what was given back and waits in a heap. The frontier passes each number
 * once and leaps over the gaps between pieces, so that an allocation costs O(log n) amortised, in a /64 as in a /30, and a
 * full range answers at once.
 */
export class FreeIndex {
  readonly #pieces: readonly Piece[];
  readonly #taken: (bits: bigint) => boolean;
  readonly #freed = new Heap();
  #piece = 0;
  #frontier: bigint;

  /**
   * `pieces` are disjoint and ascending. `taken` tells whether a number is held or may never be handed out; it is asked
   * again on each search.
   */
  constructor(pieces: readonly Piece[], taken: (number: bigint) => boolean) {
    this.#pieces = pieces;
    this.#taken = taken;
    this.#frontier = pieces[0]?.first ?? 0n;
  }

  lowest(): bigint | undefined {
    // What was taken again since it was given back is dropped here, late: that keeps taking O(1).
    for (let top = this.#freed.peek(); top !== undefined; top = this.#freed.peek()) {
      if (!this.#taken(top)) return top;
      this.#freed.pop();
    }
    for (;;) {
      const piece = this.#pieces[this.#piece];
      if (!piece) return undefined;
      while (this.#frontier <= piece.last && this.#taken(this.#frontier)) this.#frontier += 1n;
      if (this.#frontier <= piece.last) return this.#frontier;
      this.#piece++;
      this.#frontier = this.#pieces[this.#piece]?.first ?? this.#frontier;
    }
  }

  /** Tells that a number became free; one that lies in no piece must be `taken`. */
  release(number: bigint): void {
    if (number < this.#frontier) this.#freed.push(number);
  }
}
