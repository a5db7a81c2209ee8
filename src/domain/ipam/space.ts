import { type Config, type Pool, placeOf, poolOf } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import type { RangeSet } from '../ip/ranges.ts';
import type { Counters } from './counters.ts';
import type { Spot } from './free.ts';
import type { Holdings } from './holdings.ts';
import { Room } from './room.ts';
import { Tally } from './tally.ts';

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const NONE: ReadonlySet<bigint> = new Set();

interface SpaceOptions {
  readonly config: Config;
  readonly holdings: Holdings;
  /** Ranges that are kept for somebody. */
  readonly kept: RangeSet;
  /** Whether an address that nobody holds is kept back all the same. */
  readonly withheld: (family: Family, bits: bigint) => boolean;
  /** Whether an address is given out only where there is no other. */
  readonly spared: (family: Family, bits: bigint) => boolean;
}

/** The pools of one Config: which of their addresses are free, and how many are in use. */
export class Space {
  readonly #o: SpaceOptions;
  readonly #rooms = new Map<Pool, Record<Family, Room>>();
  readonly #tally: Tally;

  constructor(o: SpaceOptions) {
    this.#o = o;
    const { config, holdings, kept } = o;
    this.#tally = new Tally(kept);
    for (const pool of config.pools.values()) {
      const room = (family: Family) =>
        new Room({ pool, family, kept, taken: (bits) => this.#isTaken(family, bits) });
      this.#rooms.set(pool, { IPv4: room('IPv4'), IPv6: room('IPv6') });
    }
    for (const family of FAMILIES)
      for (const bits of holdings.addresses(family)) this.#count({ family, bits }, 1);
  }

  /** The free address that the pool's strategy has for the Service of that key. */
  pick(pool: Pool, family: Family, key: string): Spot | undefined {
    return this.#rooms.get(pool)?.[family].pick(key);
  }

  /** Free addresses of the pool that are given out only where there is no other, the first ones first. */
  spare(pool: Pool, family: Family): Iterable<bigint> {
    return this.#rooms.get(pool)?.[family].spare ?? NONE;
  }

  /** Addresses that were given back, for the space of the next Config: the first of them first. */
  freed(): readonly Address[] {
    return [...this.#rooms.values()].flatMap((rooms) =>
      FAMILIES.flatMap((family) => [...rooms[family].freed()]),
    );
  }

  /** Tells that somebody has an address that nobody had. */
  took(address: Address): void {
    const pool = this.#count(address, 1);
    if (pool) this.#rooms.get(pool)?.[address.family].spare.delete(address.bits);
  }

  /** Tells that nobody has an address that somebody had. */
  gave(address: Address): void {
    this.#count(address, -1);
    this.opened(address);
  }

  /** Tells that an address may be free that was not. */
  opened(address: Address): void {
    const { family, bits } = address;
    const place = placeOf(this.#o.config, address);
    const room = place && this.#rooms.get(place.pool)?.[family];
    if (!room || this.#o.holdings.has(family, bits)) return;
    if (this.#o.spared(family, bits)) room.spare.add(bits);
    else room.release({ index: place.index, bits });
  }

  counters(pool: Pool): Counters {
    return this.#tally.counters(pool);
  }

  /** Addresses that nobody has: in draining ranges, and in others that are kept for somebody. */
  idle(pool: Pool, family: Family): { readonly draining: bigint; readonly kept: bigint } {
    return this.#tally.idle(pool, family);
  }

  #isTaken(family: Family, bits: bigint): boolean {
    const { holdings, withheld, spared } = this.#o;
    return holdings.has(family, bits) || withheld(family, bits) || spared(family, bits);
  }

  #count(address: Address, by: 1 | -1): Pool | undefined {
    const pool = poolOf(this.#o.config, address);
    if (pool) this.#tally.count(pool, address, by);
    return pool;
  }
}
