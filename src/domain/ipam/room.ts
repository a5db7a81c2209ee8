import { isAvoided, type Pool } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { holds, type RangeSet, union, without } from '../ip/ranges.ts';
import { FreeIndex } from './free.ts';
import { type Placed, Rotation } from './rotation.ts';
import { scatter } from './scatter.ts';

/** Where a free address lies: the index of its range in the order of the spec, and its bits. */
export interface Spot {
  readonly index: number;
  readonly bits: bigint;
}

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];

/**
 * The free addresses of a pool. Nothing is given out of draining ranges and of those kept for somebody, which cost nothing
 * however large they are.
 */
export class Room {
  readonly #strategy: Pool['strategy'];
  readonly #pieces: Readonly<Record<Family, readonly Placed[]>>;
  readonly #taken: (address: Address) => boolean;
  readonly #ranges: readonly FreeIndex[];
  readonly #next: Readonly<Record<Family, FreeIndex>>;
  readonly #rotations: Readonly<Record<Family, Rotation>>;
  /** Free addresses that are `taken` all the same: to be given out when there is no other, the first ones first. */
  readonly spare: Readonly<Record<Family, Set<bigint>>> = { IPv4: new Set(), IPv6: new Set() };

  /** `taken` tells whether an address is held or kept back; those in `kept` are so whatever it says. */
  constructor(pool: Pool, kept: RangeSet, taken: (family: Family, bits: bigint) => boolean) {
    const barred = union([...(pool.draining ?? []), ...kept]);
    this.#strategy = pool.strategy;
    this.#taken = (address) =>
      taken(address.family, address.bits) || isAvoided(pool, address) || holds(barred, address);
    const open = pool.ranges.map((range) => without(range, barred));
    const piecesOf = (family: Family) =>
      open.flatMap((pieces, index) =>
        pieces.filter((p) => p.family === family).map(({ first, last }): Placed => ({ first, last, index })),
      );
    this.#pieces = { IPv4: piecesOf('IPv4'), IPv6: piecesOf('IPv6') };
    this.#ranges = pool.ranges.map(
      ({ family }, i) => new FreeIndex(open[i] ?? [], (bits) => this.#taken({ family, bits })),
    );
    // A pool may have thousands of ranges: full ones are passed once, like taken addresses.
    const places = [{ first: 0n, last: BigInt(pool.ranges.length) - 1n }];
    const next = (family: Family) =>
      new FreeIndex(places, (index) => {
        const at = Number(index);
        return pool.ranges[at]?.family !== family || this.#ranges[at]?.lowest() === undefined;
      });
    this.#next = { IPv4: next('IPv4'), IPv6: next('IPv6') };
    const rotation = (family: Family) =>
      new Rotation(this.#pieces[family], (bits) => this.#taken({ family, bits }));
    this.#rotations = { IPv4: rotation('IPv4'), IPv6: rotation('IPv6') };
  }

  /** The free address of the family that the pool's strategy has for the Service of that key. */
  pick(family: Family, key: string): Spot | undefined {
    if (this.#strategy === 'least-recently-used') return this.#rotations[family].next();
    const scattered =
      this.#strategy === 'hash' &&
      scatter(this.#pieces[family], key, (bits) => this.#taken({ family, bits }));
    return scattered || this.#lowest(family);
  }

  /** The lowest free address of the first range, in the order of the spec, that has one of the family. */
  #lowest(family: Family): Spot | undefined {
    const next = this.#next[family].lowest();
    const index = Number(next ?? -1);
    const bits = this.#ranges[index]?.lowest();
    return bits === undefined ? undefined : { index, bits };
  }

  /** What was given back, for a room that follows this one: the first of them first. */
  *freed(): Generator<Address> {
    for (const family of FAMILIES) for (const bits of this.#rotations[family].freed()) yield { family, bits };
  }

  /** Tells that an address of the range at that index became free. */
  release({ family, bits }: Address, index: number): void {
    this.spare[family].delete(bits);
    if (this.#strategy === 'least-recently-used') this.#rotations[family].release(bits, index);
    else {
      this.#ranges[index]?.release(bits);
      this.#next[family].release(BigInt(index));
    }
  }
}
