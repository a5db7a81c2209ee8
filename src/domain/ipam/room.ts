import { isAvoided, type Pool } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { holds, type RangeSet, union, without } from '../ip/ranges.ts';
import { FreeIndex, type Piece, type Spot } from './free.ts';
import { Rotation } from './rotation.ts';
import { scatter } from './scatter.ts';

/**
 * The free addresses of one family of a pool. Nothing is given out of draining ranges and of those kept for somebody, which cost
 * nothing however large they are.
 */
export class Room {
  readonly #family: Family;
  readonly #strategy: Pool['strategy'];
  readonly #barred: RangeSet;
  readonly #pieces: readonly Piece[];
  readonly #taken: (bits: bigint) => boolean;
  readonly #free: FreeIndex;
  readonly #rotation: Rotation;
  /** Free addresses that are `taken` all the same: to be given out when there is no other, the first ones first. */
  readonly spare = new Set<bigint>();

  /** `taken` tells whether an address is held or kept back; those in `kept` are so whatever it says. */
  constructor(o: {
    readonly pool: Pool;
    readonly family: Family;
    readonly kept: RangeSet;
    readonly taken: (bits: bigint) => boolean;
  }) {
    const { pool, family, kept, taken } = o;
    const barred = union([...(pool.draining ?? []), ...kept]);
    this.#family = family;
    this.#strategy = pool.strategy;
    this.#barred = barred;
    this.#taken = pool.avoidBuggyIPs ? (bits) => taken(bits) || isAvoided(pool, { family, bits }) : taken;
    this.#pieces = pool.ranges.flatMap((range, index) =>
      range.family === family
        ? without(range, barred).map(({ first, last }): Piece => ({ index, first, last }))
        : [],
    );
    this.#free = new FreeIndex(this.#pieces, this.#taken);
    this.#rotation = new Rotation(this.#pieces, this.#taken);
  }

  /** The free address that the pool's strategy has for the Service of that key; by default the lowest of the first range that has one. */
  pick(key: string): Spot | undefined {
    if (this.#strategy === 'least-recently-used') return this.#rotation.next();
    const scattered = this.#strategy === 'hash' && scatter(this.#pieces, key, this.#taken);
    return scattered || this.#free.lowest();
  }

  /** What was given back, for a room that follows this one: the first of them first. */
  *freed(): Generator<Address> {
    for (const bits of this.#rotation.freed()) yield { family: this.#family, bits };
  }

  /** Tells that an address became free. */
  release(spot: Spot): void {
    this.spare.delete(spot.bits);
    if (holds(this.#barred, { family: this.#family, bits: spot.bits })) return;
    if (this.#strategy === 'least-recently-used') this.#rotation.release(spot);
    else this.#free.release(spot);
  }
}
