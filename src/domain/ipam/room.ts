import { isAvoided, type Pool } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { holds, type RangeSet, union, without } from '../ip/ranges.ts';
import { FreeIndex } from './free.ts';

/** Where a free address lies: the index of its range in the order of the spec, and its bits. */
export interface Spot {
  readonly index: number;
  readonly bits: bigint;
}

/**
 * The free addresses of a pool. Nothing is given out of draining ranges and of those kept for somebody, which cost nothing
 * however large they are.
 */
export class Room {
  readonly #ranges: readonly FreeIndex[];
  readonly #next: Readonly<Record<Family, FreeIndex>>;
  /** Free addresses that are `taken` all the same: to be given out when there is no other, the first ones first. */
  readonly spare: Readonly<Record<Family, Set<bigint>>> = { IPv4: new Set(), IPv6: new Set() };

  /** `taken` tells whether an address is held or kept back; those in `kept` are so whatever it says. */
  constructor(pool: Pool, kept: RangeSet, taken: (family: Family, bits: bigint) => boolean) {
    const barred = union([...(pool.draining ?? []), ...kept]);
    const ranges = pool.ranges.map((range) => {
      const { family } = range;
      const isBarred = (address: Address) => isAvoided(pool, address) || holds(barred, address);
      return new FreeIndex(
        without(range, barred),
        (bits) => taken(family, bits) || isBarred({ family, bits }),
      );
    });
    // A pool may have thousands of ranges: full ones are passed once, like taken addresses.
    const places = [{ first: 0n, last: BigInt(ranges.length) - 1n }];
    const next = (family: Family) =>
      new FreeIndex(places, (index) => {
        const at = Number(index);
        return pool.ranges[at]?.family !== family || ranges[at]?.lowest() === undefined;
      });
    this.#ranges = ranges;
    this.#next = { IPv4: next('IPv4'), IPv6: next('IPv6') };
  }

  /** The lowest free address of the first range, in the order of the spec, that has one of the family. */
  lowest(family: Family): Spot | undefined {
    const next = this.#next[family].lowest();
    const index = Number(next ?? -1);
    const bits = this.#ranges[index]?.lowest();
    return bits === undefined ? undefined : { index, bits };
  }

  /** Tells that an address of the range at that index became free. */
  release({ family, bits }: Address, index: number): void {
    this.spare[family].delete(bits);
    this.#ranges[index]?.release(bits);
    this.#next[family].release(BigInt(index));
  }
}
