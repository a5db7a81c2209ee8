import { isDraining, type Pool } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { type Counters, capacityOf } from './counters.ts';

type ByFamily = Record<Family, number>;

/** Distinct addresses in use: all, and those of them that lie in draining ranges. */
interface Use {
  readonly all: ByFamily;
  readonly draining: ByFamily;
}

/** Counts the addresses in use by pool. */
export class Tally {
  readonly #used = new Map<Pool, Use>();

  /** Counts one more address of the pool, or one less. */
  count(pool: Pool, address: Address, by: 1 | -1): void {
    const use = this.#used.get(pool) ?? { all: { IPv4: 0, IPv6: 0 }, draining: { IPv4: 0, IPv6: 0 } };
    this.#used.set(pool, use);
    use.all[address.family] += by;
    if (isDraining(pool, address)) use.draining[address.family] += by;
  }

  /** How full the pool is; what drains and is free is not available. */
  counters(pool: Pool): Counters {
    const { all, draining } = this.#used.get(pool) ?? UNUSED;
    const total = capacityOf(pool);
    const available = (family: Family) => total[family] - BigInt(all[family] - draining[family]);
    return {
      assignedIPv4: BigInt(all.IPv4),
      assignedIPv6: BigInt(all.IPv6),
      availableIPv4: available('IPv4'),
      availableIPv6: available('IPv6'),
    };
  }
}

const UNUSED: Use = { all: { IPv4: 0, IPv6: 0 }, draining: { IPv4: 0, IPv6: 0 } };
