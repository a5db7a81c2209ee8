import { type Config, isAvoided, type Pool, placeOf, poolOf } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { type Claim, groupKey, type Holding, noSharing, sameClaim } from './claim.ts';
import { type Counters, capacityOf } from './counters.ts';
import { fits } from './fits.ts';
import { FreeIndex } from './free.ts';
import type { Refusal } from './reasons.ts';
import { familyOf, type Want } from './want.ts';

/** The free addresses of a pool: by range, and by family which range comes next. */
interface Room {
  readonly ranges: readonly FreeIndex[];
  readonly next: Readonly<Record<Family, FreeIndex>>;
}

/** What a new Config did to claims: those that no pool holds any more, and those that another pool holds now. */
export interface Upheaval {
  readonly released: readonly string[];
  readonly moved: readonly string[];
}

/**
 * Who holds which address. Plain bookkeeping in memory: an address has several holders only when they may share it
 * (metallb.md 3.4), every claim lies in one pool of the Config, and nothing is handed out that a pool avoids.
 */
export class Ledger {
  #config: Config;
  readonly #claims = new Map<string, Claim>();
  readonly #held: Readonly<Record<Family, Map<bigint, Holding>>> = { IPv4: new Map(), IPv6: new Map() };
  /** Addresses by sharing and backend key, for Services that would join. */
  readonly #shared = new Map<string, Record<Family, Set<bigint>>>();
  /** Distinct addresses in use by pool. */
  #used = new Map<string, Record<Family, bigint>>();
  #rooms = new Map<string, Room>();
  #openings = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#index();
  }

  get config(): Config {
    return this.#config;
  }

  /** Grows with each event that may make room for a Service that waits: compare before and after. */
  get openings(): number {
    return this.#openings;
  }

  /** How many Services hold something. */
  get size(): number {
    return this.#claims.size;
  }

  claimOf(key: string): Claim | undefined {
    return this.#claims.get(key);
  }

  /** All claims, in the order of their making. */
  claims(): IterableIterator<[string, Claim]> {
    return this.#claims.entries();
  }

  /** Puts another Config in force. Claims move with their addresses; those outside every pool are released. */
  reconfigure(config: Config): Upheaval {
    const before = [...this.#claims];
    for (const [key] of before) this.#drop(key);
    this.#config = config;
    this.#index();
    const upheaval = { released: [] as string[], moved: [] as string[] };
    for (const [key, claim] of before) {
      const pool = this.#commonPool(claim.addresses);
      if (!pool) upheaval.released.push(key);
      else this.#put(key, { ...claim, pool: pool.name });
      if (pool && pool.name !== claim.pool) upheaval.moved.push(key);
    }
    this.#openings++;
    return upheaval;
  }

  /** Whether the Service may have these addresses, all of them: the pool that holds them, or why not. Changes nothing. */
  judge(want: Want, addresses: readonly Address[]): Pool | Refusal {
    const pool = this.#commonPool(addresses);
    if (!pool) return { refused: 'outside-pools', addresses };
    if (!fits(pool, want)) return { refused: 'pool-not-for-service', pool: pool.name };
    if (addresses.length > 2) return { refused: 'too-many-addresses', addresses };
    if (familyOf(addresses) === 'unknown') return { refused: 'same-family-twice', addresses };
    for (const address of addresses) {
      const refusal = this.#conflict(want, address);
      if (refusal) return refusal;
    }
    return pool;
  }

  /** Gives the Service these addresses in place of what it holds, or says why not and leaves everything as it was. */
  claim(want: Want, addresses: readonly Address[]): Claim | Refusal {
    const pool = this.judge(want, addresses);
    if ('refused' in pool) return pool;
    const { ports, sharing, backend } = want;
    const claim: Claim = { pool: pool.name, addresses: [...addresses], ports: [...ports], sharing, backend };
    const before = this.#claims.get(want.key);
    if (before && sameClaim(before, claim)) return before;
    // A port given up, another key, or a first address under a key may let somebody in that waits.
    if (before || sharing !== '') this.#openings++;
    this.#drop(want.key);
    this.#put(want.key, claim);
    return claim;
  }

  /** Gives back all that the Service holds; false when that is nothing. */
  release(key: string): boolean {
    const had = this.#drop(key);
    if (had) this.#openings++;
    return had;
  }

  /**
   * The address of that family that the Service would get from the pool: in the first range, in the order of the spec,
   * that has one, the lowest that is free or that the Service may share.
   */
  lowest(pool: Pool, family: Family, want: Want): Address | undefined {
    const room = this.#rooms.get(pool.name);
    const next = room?.next[family].lowest();
    let index = next === undefined ? pool.ranges.length : Number(next);
    let best = room?.ranges[index]?.lowest();
    for (const bits of this.#joinable(family, want)) {
      const place = placeOf(this.#config, { family, bits });
      if (place?.pool !== pool || place.index > index) continue;
      if (best !== undefined && place.index === index && bits >= best) continue;
      ({ index } = place);
      best = bits;
    }
    return best === undefined ? undefined : { family, bits: best };
  }

  /** How full a pool is. Zeros for a pool that the Config does not have. */
  counters(name: string): Counters {
    const pool = this.#config.pools.get(name);
    const used = this.#used.get(name) ?? { IPv4: 0n, IPv6: 0n };
    const total = pool ? capacityOf(pool) : { IPv4: 0n, IPv6: 0n };
    return {
      assignedIPv4: used.IPv4,
      assignedIPv6: used.IPv6,
      availableIPv4: total.IPv4 - used.IPv4,
      availableIPv6: total.IPv6 - used.IPv6,
    };
  }

  #index(): void {
    this.#used = new Map();
    this.#rooms = new Map();
    for (const pool of this.#config.pools.values()) {
      this.#rooms.set(pool.name, this.#roomOf(pool));
      this.#used.set(pool.name, { IPv4: 0n, IPv6: 0n });
    }
  }

  #roomOf(pool: Pool): Room {
    const ranges = pool.ranges.map((range) => {
      const { family } = range;
      return new FreeIndex(
        range,
        (bits) => this.#held[family].has(bits) || isAvoided(pool, { family, bits }),
      );
    });
    // A pool may have thousands of ranges: full ones are passed once, like taken addresses.
    const next = (family: Family) =>
      new FreeIndex({ first: 0n, last: BigInt(ranges.length) - 1n }, (index) => {
        const at = Number(index);
        return pool.ranges[at]?.family !== family || ranges[at]?.lowest() === undefined;
      });
    return { ranges, next: { IPv4: next('IPv4'), IPv6: next('IPv6') } };
  }

  #commonPool(addresses: readonly Address[]): Pool | undefined {
    const [first] = addresses;
    const pool = first && poolOf(this.#config, first);
    return pool && addresses.every((address) => poolOf(this.#config, address) === pool) ? pool : undefined;
  }

  #conflict(want: Want, address: Address): Refusal | undefined {
    const holding = this.#held[address.family].get(address.bits);
    if (!holding) return undefined;
    const cause = noSharing(holding, want);
    if (cause !== undefined) {
      // The only user of an address may change its own keys.
      const holders = [...holding.holders].filter((key) => key !== want.key).sort();
      return holders.length === 0 ? undefined : { refused: 'address-in-use', address, holders, cause };
    }
    for (const port of want.ports) {
      const holder = holding.ports.get(port);
      if (holder !== undefined && holder !== want.key)
        return { refused: 'port-in-use', address, port, holder };
    }
    return undefined;
  }

  /** Addresses in use that the Service may join. Costs the number of addresses under its key: few, or none without one. */
  #joinable(family: Family, want: Want): bigint[] {
    const group = want.sharing === '' ? undefined : this.#shared.get(groupKey(want));
    return [...(group?.[family] ?? [])].filter((bits) => !this.#conflict(want, { family, bits }));
  }

  #put(key: string, claim: Claim): void {
    this.#claims.set(key, claim);
    for (const address of claim.addresses) {
      const held = this.#held[address.family];
      const { pool, sharing, backend } = claim;
      let holding = held.get(address.bits);
      if (!holding) {
        holding = { holders: new Set(), ports: new Map(), sharing, backend };
        held.set(address.bits, holding);
        this.#count(pool, address.family, 1n);
      }
      holding.holders.add(key);
      for (const port of claim.ports) holding.ports.set(port, key);
      if (sharing !== '') this.#join(claim, address);
    }
  }

  #drop(key: string): boolean {
    const claim = this.#claims.get(key);
    if (!claim) return false;
    this.#claims.delete(key);
    for (const address of claim.addresses) this.#leave(key, claim, address);
    return true;
  }

  #leave(key: string, claim: Claim, address: Address): void {
    const held = this.#held[address.family];
    const holding = held.get(address.bits);
    if (!holding) return;
    for (const port of claim.ports) if (holding.ports.get(port) === key) holding.ports.delete(port);
    holding.holders.delete(key);
    if (holding.holders.size > 0) return;
    held.delete(address.bits);
    this.#count(claim.pool, address.family, -1n);
    this.#part(claim, address);
    const place = placeOf(this.#config, address);
    const room = place && this.#rooms.get(place.pool.name);
    room?.ranges[place?.index ?? -1]?.release(address.bits);
    room?.next[address.family].release(BigInt(place?.index ?? 0));
  }

  #join(claim: Claim, { family, bits }: Address): void {
    const group = this.#shared.get(groupKey(claim)) ?? { IPv4: new Set(), IPv6: new Set() };
    this.#shared.set(groupKey(claim), group);
    group[family].add(bits);
  }

  #part(claim: Claim, { family, bits }: Address): void {
    const group = this.#shared.get(groupKey(claim));
    group?.[family].delete(bits);
    if (group && group.IPv4.size + group.IPv6.size === 0) this.#shared.delete(groupKey(claim));
  }

  #count(pool: string, family: Family, by: bigint): void {
    const used = this.#used.get(pool);
    if (used) used[family] += by;
  }
}
