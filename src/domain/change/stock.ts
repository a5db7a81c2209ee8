import { type Config, isAvoided, isDraining, type Pool, poolOf } from '../config/config.ts';
import { type Address, type Family, formatAddress } from '../ip/address.ts';
import { intersection } from '../ip/range.ts';
import { holds, type RangeSet, union, without } from '../ip/ranges.ts';
import { capacityOf } from '../ipam/counters.ts';
import { Quotas } from '../ipam/quotas.ts';
import { Reserve } from '../ipam/reserve.ts';
import type { Want } from '../ipam/want.ts';
import type { Subject } from './subject.ts';

/** One address of each family, of one pool. */
export interface Gift {
  readonly pool: Pool;
  readonly families: readonly Family[];
}

/**
 * What pools have left to give while one after the other takes from it: a count of what is free, and one by one what reservations
 * keep. Draining ranges and addresses in use elsewhere have nothing to give; nothing is ever given back.
 */
export class Stock {
  readonly #config: Config;
  readonly #reserve: Reserve;
  readonly #quotas: Quotas;
  /** Addresses by pool that nobody gets who is not meant. */
  readonly #barred = new Map<Pool, RangeSet>();
  readonly #free = new Map<Pool, Record<Family, bigint>>();
  readonly #taken = new Set<string>();
  /** Where the search for a free address of a reservation goes on, by pool and first address. */
  readonly #next = new Map<string, bigint>();
  #given = 0n;

  /** `holding`: those who have addresses, and what they keep for now. */
  constructor(config: Config, holding: readonly Subject[]) {
    this.#config = config;
    this.#reserve = new Reserve(config, new Map());
    this.#quotas = new Quotas(config.quotas);
    for (const pool of config.pools.values()) {
      const barred = barredIn(pool, this.#reserve.ranges);
      const ranges = pool.ranges.flatMap((range) => without(range, barred));
      this.#barred.set(pool, barred);
      this.#free.set(pool, { ...capacityOf({ ...pool, ranges }) });
    }
    for (const { want, texts, addresses } of holding)
      for (const [i, address] of addresses.entries()) this.#occupy(want, address, texts[i] ?? '');
  }

  /** Whether it matters in which namespace somebody is. */
  get isLimited(): boolean {
    return !this.#quotas.none;
  }

  /** Whether the pool has addresses of these families that nobody keeps. */
  has({ pool, families }: Gift): boolean {
    return families.every((family) => (this.#free.get(pool)?.[family] ?? 0n) > 0n);
  }

  /** Whether one of the addresses that the pool would give is kept for the Service. */
  keeps(want: Want, { pool, families }: Gift): boolean {
    const kept = families.filter((family) => this.#reserved(want, pool, family) !== undefined);
    const others = families.filter((family) => !kept.includes(family));
    return kept.length > 0 && this.has({ pool, families: others });
  }

  /** Whether quotas let a Service have so much that has nothing. */
  allows({ namespace }: Want, { pool, families }: Gift): boolean {
    if (this.#quotas.none) return true;
    const some = families.map((family, i): Address => ({ family, bits: -1n - BigInt(i) - this.#given }));
    return this.#quotas.against(namespace, pool.name, some) === undefined;
  }

  /** Gives one address of each family: one that is kept for the Service where there is one. */
  give(want: Want, { pool, families }: Gift): void {
    const left = this.#free.get(pool);
    for (const family of families) {
      const kept = this.#reserved(want, pool, family);
      if (kept !== undefined) this.#taken.add(formatAddress({ family, bits: kept }));
      else if (left) left[family] -= 1n;
      // Which address it is nobody knows: one that no other is equal to.
      this.#given += 1n;
      this.#count(want, pool, { family, bits: -this.#given });
    }
  }

  /** Whether the Service may have just this address, which it asks for. */
  offers(want: Want, pool: Pool, address: Address): boolean {
    const { family, bits } = address;
    const elsewhere = pool.quarantined?.some((q) => q.address.family === family && q.address.bits === bits);
    const free = !elsewhere && !isDraining(pool, address) && !this.#taken.has(formatAddress(address));
    return free && this.#reserve.against(want, address) === undefined;
  }

  /** Gives just this address. */
  giveOne(want: Want, address: Address): void {
    this.#occupy(want, address, formatAddress(address));
  }

  #occupy(want: Want, address: Address, text: string): void {
    const pool = poolOf(this.#config, address);
    if (!pool) {
      this.#taken.add(text);
      return;
    }
    const left = this.#free.get(pool);
    const fresh = !this.#taken.has(text) && !holds(this.#barred.get(pool) ?? [], address);
    if (left && fresh) left[address.family] -= 1n;
    this.#taken.add(text);
    this.#count(want, pool, address);
  }

  #count({ key }: Want, pool: Pool, address: Address): void {
    this.#quotas.add({ key, pool: pool.name, addresses: [address], ports: [], sharing: '', backend: '' });
  }

  /** The first address of the pool that is kept for the Service and that nobody has. */
  #reserved(want: Want, pool: Pool, family: Family): bigint | undefined {
    for (const own of this.#reserve.rangesFor(want)) {
      if (own.family !== family) continue;
      for (const range of pool.ranges) {
        const common = intersection(own, range);
        if (!common) continue;
        const key = `${pool.name} ${family} ${common.first} ${common.last}`;
        let bits = this.#next.get(key) ?? common.first;
        while (bits <= common.last && !this.#isOpen(pool, { family, bits })) bits++;
        this.#next.set(key, bits);
        if (bits <= common.last) return bits;
      }
    }
    return undefined;
  }

  #isOpen(pool: Pool, address: Address): boolean {
    return (
      !this.#taken.has(formatAddress(address)) && !isDraining(pool, address) && !isAvoided(pool, address)
    );
  }
}

function barredIn({ draining = [], quarantined = [] }: Pool, kept: RangeSet): RangeSet {
  const elsewhere = quarantined.map(({ address: { family, bits } }) => ({ family, first: bits, last: bits }));
  return union([...draining, ...elsewhere, ...kept]);
}
