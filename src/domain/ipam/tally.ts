import { isDraining, type Pool } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { holds, type RangeSet, within, without } from '../ip/ranges.ts';
import { type Counters, capacityOf } from './counters.ts';

/** Addresses of one family of a pool. */
interface Counts {
  all: number;
  /** In draining ranges. */
  draining: number;
  /** In other ranges that are kept for somebody. */
  kept: number;
}

/** How many addresses the draining ranges of a pool can hold, and those that are kept for somebody. */
interface Sizes {
  readonly draining: bigint;
  readonly kept: bigint;
}

/** Counts the distinct addresses in use by pool. */
export class Tally {
  readonly #kept: RangeSet;
  readonly #used = new Map<Pool, Record<Family, Counts>>();
  readonly #sizes = new Map<Pool, Record<Family, Sizes>>();

  /** `kept`: ranges that are kept for somebody. */
  constructor(kept: RangeSet) {
    this.#kept = kept;
  }

  /** Counts one more address of the pool, or one less. */
  count(pool: Pool, address: Address, by: 1 | -1): void {
    const used = this.#used.get(pool) ?? { IPv4: unused(), IPv6: unused() };
    this.#used.set(pool, used);
    const counts = used[address.family];
    counts.all += by;
    if (isDraining(pool, address)) counts.draining += by;
    else if (holds(this.#kept, address)) counts.kept += by;
  }

  /** How full the pool is; what drains and is free is not available. */
  counters(pool: Pool): Counters {
    const { IPv4, IPv6 } = this.#used.get(pool) ?? UNUSED;
    const total = capacityOf(pool);
    return {
      assignedIPv4: BigInt(IPv4.all),
      assignedIPv6: BigInt(IPv6.all),
      availableIPv4: total.IPv4 - BigInt(IPv4.all - IPv4.draining),
      availableIPv6: total.IPv6 - BigInt(IPv6.all - IPv6.draining),
    };
  }

  /** Addresses that nobody has: in draining ranges, and in others that are kept for somebody. */
  idle(pool: Pool, family: Family): Sizes {
    const used = (this.#used.get(pool) ?? UNUSED)[family];
    const { draining, kept } = this.#sizesOf(pool)[family];
    return { draining: draining - BigInt(used.draining), kept: kept - BigInt(used.kept) };
  }

  #sizesOf(pool: Pool): Record<Family, Sizes> {
    const known = this.#sizes.get(pool);
    if (known) return known;
    const { draining = [], ...whole } = pool;
    const going = capacityOf({ ...whole, ranges: pool.ranges.flatMap((range) => within(range, draining)) });
    const open = pool.ranges.flatMap((range) => without(range, draining));
    const kept = capacityOf({ ...whole, ranges: open.flatMap((range) => within(range, this.#kept)) });
    const of = (family: Family): Sizes => ({ draining: going[family], kept: kept[family] });
    const made = { IPv4: of('IPv4'), IPv6: of('IPv6') };
    this.#sizes.set(pool, made);
    return made;
  }
}

const unused = (): Counts => ({ all: 0, draining: 0, kept: 0 });
const UNUSED: Record<Family, Counts> = { IPv4: unused(), IPv6: unused() };
