import { createHash } from 'node:crypto';

/**
 * Orders the names by SHA-256 of `name#address`, ascending by the raw bytes: upstream's order, which every speaker
 * must share. `address` is canonical text. Hexadecimal text sorts as the bytes do.
 */
export function rank(names: Iterable<string>, address: string): readonly string[] {
  return [...names]
    .map((name) => ({ name, digest: createHash('sha256').update(`${name}#${address}`).digest('hex') }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    .map(({ name }) => name);
}

/** Orders kept at most: a hundred nodes need 16 MB for them. */
const KEPT = 20_000;

/** Orders of one set of nodes, each computed once. Whoever changes the set of nodes makes a new one. */
export class Ranks {
  readonly names: ReadonlySet<string>;
  readonly #orders = new Map<string, readonly string[]>();

  constructor(names: Iterable<string>) {
    this.names = new Set(names);
  }

  /** All nodes, the one that comes first for the address ahead. */
  order(address: string): readonly string[] {
    const known = this.#orders.get(address);
    if (known) return known;
    const made = rank(this.names, address);
    if (this.#orders.size >= KEPT) this.#forgetOldest();
    this.#orders.set(address, made);
    return made;
  }

  #forgetOldest(): void {
    for (const address of this.#orders.keys()) {
      this.#orders.delete(address);
      return;
    }
  }
}
