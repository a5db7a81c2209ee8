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

/**
 * Finds the lowest free number of one range (of addresses, or of the places of a list) without ever walking the range again: everything below `frontier`
 * is taken, except what was given back and waits in a heap. The frontier passes each address once, so that an
 * allocation costs O(log n) amortised, in a /64 as in a /30, and a full range answers at once.
 */
export class FreeIndex {
  readonly #last: bigint;
  readonly #taken: (bits: bigint) => boolean;
  readonly #freed = new Heap();
  #frontier: bigint;

  /** `taken` tells whether a number is held or may never be handed out; it is asked again on each search. */
  constructor(range: { readonly first: bigint; readonly last: bigint }, taken: (number: bigint) => boolean) {
    this.#last = range.last;
    this.#taken = taken;
    this.#frontier = range.first;
  }

  lowest(): bigint | undefined {
    // What was taken again since it was given back is dropped here, late: that keeps taking O(1).
    for (let top = this.#freed.peek(); top !== undefined; top = this.#freed.peek()) {
      if (!this.#taken(top)) return top;
      this.#freed.pop();
    }
    while (this.#frontier <= this.#last && this.#taken(this.#frontier)) this.#frontier += 1n;
    return this.#frontier <= this.#last ? this.#frontier : undefined;
  }

  /** Tells that a number of the range became free. */
  release(number: bigint): void {
    if (number < this.#frontier) this.#freed.push(number);
  }
}
