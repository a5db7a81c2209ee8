import { type Config, isAvoided, isDraining, type Pool, placeOf, poolOf } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { intersection } from '../ip/range.ts';
import { without } from '../ip/ranges.ts';
import {
  type Claim,
  groupKey,
  type Holding,
  held,
  isAmong,
  type Lot,
  noSharing,
  sameClaim,
} from './claim.ts';
import { type Counters, capacityOf } from './counters.ts';
import { fits } from './fits.ts';
import { Quarantine } from './quarantine.ts';
import { Quotas, type Use as QuotaUse } from './quotas.ts';
import type { Refusal } from './reasons.ts';
import { type Remembered, Reserve } from './reserve.ts';
import { Room } from './room.ts';
import { Sticky } from './sticky.ts';
import { familyOf, type Want } from './want.ts';

/** Distinct addresses in use: all, and those of them that lie in draining ranges. */
interface Use {
  readonly all: Record<Family, bigint>;
  readonly draining: Record<Family, bigint>;
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
  #used = new Map<string, Use>();
  #rooms = new Map<string, Room>();
  #reserve: Reserve;
  #quotas: Quotas;
  /** Addresses that somebody else uses, as far as is known. */
  readonly quarantine = new Quarantine((address) => {
    this.#vacated(address);
    this.#openings++;
  });
  /** Addresses of Services that were deleted a moment ago. */
  readonly sticky = new Sticky((address) => this.#vacated(address));
  #openings = 0;

  /** `last`: what Services had that a reservation names, for those that are not here. */
  constructor(config: Config, last: Remembered = new Map()) {
    this.#config = config;
    this.#reserve = new Reserve(config, last);
    this.#quotas = new Quotas(config.quotas);
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

  /** All that hold the address, in the order of their claims. */
  holdersOf({ family, bits }: Address): readonly string[] {
    return [...(this.#held[family].get(bits)?.holders ?? [])];
  }

  /** What is kept for Services that reservations name without addresses. */
  get remembered(): Remembered {
    return this.#reserve.last;
  }

  /**
   * Puts another Config in force. Claims move with their addresses; those outside every pool are released. `last` as at the
   * start: what is remembered here counts before it.
   */
  reconfigure(config: Config, last: Remembered = new Map()): Upheaval {
    const before = [...this.#claims];
    for (const [key] of before) this.#drop(key);
    this.#config = config;
    this.#quotas = new Quotas(config.quotas);
    this.#reserve = new Reserve(config, new Map([...last, ...this.#reserve.last]));
    this.#index();
    const upheaval = { released: [] as string[], moved: [] as string[] };
    for (const [key, claim] of before) {
      const now = this.#rehoused(claim);
      if (!now) upheaval.released.push(key);
      else this.#put(key, now);
      if (now && (now.pool !== claim.pool || now.next?.pool !== claim.next?.pool)) upheaval.moved.push(key);
    }
    this.#openings++;
    return upheaval;
  }

  /** The claim under the present Config. One that moves goes on with the half that still lies in a pool. */
  #rehoused(claim: Claim): Claim | undefined {
    const lot = ({ addresses }: Lot): Lot | undefined => {
      const pool = this.#commonPool(addresses);
      return pool && { pool: pool.name, addresses };
    };
    const now = lot(claim);
    const next = claim.next && lot(claim.next);
    const { ports, sharing, backend } = claim;
    const main = now ?? next;
    return main && { ...main, ports, sharing, backend, ...(now && next && { next }) };
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

  /** Why the Service may not have the address unless it has it already, if so. */
  keptBack(want: Want, address: Address): Refusal | undefined {
    const pool = poolOf(this.#config, address);
    if (pool && isDraining(pool, address)) return { refused: 'address-draining', address, pool: pool.name };
    const whom = this.#reserve.against(want, address);
    if (whom !== undefined) return { refused: 'address-reserved', address, whom };
    const entry = this.quarantine.of(address);
    return entry && { refused: 'address-quarantined', address, cause: entry.reason };
  }

  /**
   * Gives the Service these addresses in place of what it holds, or says why not and leaves everything as it was. `next`:
   * what it is to have soon, kept for it from now on.
   */
  claim(want: Want, addresses: readonly Address[], next?: readonly Address[]): Claim | Refusal {
    const pool = this.judge(want, addresses);
    if ('refused' in pool) return pool;
    const nextPool = next && this.judge(want, next);
    if (nextPool && 'refused' in nextPool) return nextPool;
    const { ports, sharing, backend } = want;
    const claim: Claim = {
      pool: pool.name,
      addresses: [...addresses],
      ports: [...ports],
      sharing,
      backend,
      ...(next && nextPool && { next: { pool: nextPool.name, addresses: [...next] } }),
    };
    const before = this.#claims.get(want.key);
    if (before && sameClaim(before, claim)) return before;
    // A port given up, another key, or a first address under a key may let somebody in that waits.
    if (before || sharing !== '') this.#openings++;
    this.#drop(want.key);
    this.#put(want.key, claim);
    return claim;
  }

  /**
   * Gives back all that the Service holds; false when that is nothing. `until`: it was deleted, and one of its name that is made
   * by then should have the same.
   */
  release(key: string, until?: number): boolean {
    const claim = this.#claims.get(key);
    if (!claim) return false;
    this.#drop(key);
    this.#openings++;
    if (until === undefined) return true;
    const { addresses } = claim.next ?? claim;
    this.sticky.keep(key, addresses, until);
    for (const address of addresses) this.#vacated(address);
    return true;
  }

  /** The quota that does not allow the Service these addresses of one pool beside what its namespace has, if any. */
  overQuota(want: Want, addresses: readonly Address[]): Refusal | undefined {
    const [first] = addresses;
    const pool = first && poolOf(this.#config, first);
    return pool && !want.replaces ? this.#quotas.against(want.namespace, pool.name, addresses) : undefined;
  }

  /** How far quotas are used. */
  get quotaUses(): readonly QuotaUse[] {
    return this.#quotas.uses();
  }

  /** Whether the Service had the address before it was deleted. */
  wasHeld({ key }: Want, address: Address): boolean {
    return isAmong(address, this.sticky.of(key));
  }

  /** The pool of what the Service had before it was deleted. */
  formerPool({ key }: Want): Pool | undefined {
    const [address] = this.sticky.of(key);
    return address && poolOf(this.#config, address);
  }

  /** Whether the address is kept for this Service. */
  isReserved(want: Want, address: Address): boolean {
    return this.#reserve.isFor(want, address);
  }

  /** The pools that have a free address of a family of the Service's that is kept for it. */
  reserving(want: Want): readonly Pool[] {
    if (this.#reserve.rangesFor(want).length === 0) return [];
    const pools = new Set<Pool>();
    const families = want.family === 'IPv4' || want.family === 'IPv6' ? [want.family] : FAMILIES;
    for (const pool of this.#config.pools.values())
      if (fits(pool, want) && families.some((family) => this.#reserved(pool, family, want))) pools.add(pool);
    return [...pools];
  }

  /** The first free address of the pool that is kept for the Service. Costs what is taken of those. */
  #reserved(pool: Pool, family: Family, want: Want): Address | undefined {
    for (const kept of this.#reserve.rangesFor(want)) {
      if (kept.family !== family) continue;
      for (const range of pool.ranges) {
        const common = intersection(kept, range);
        if (!common) continue;
        for (const piece of without(common, pool.draining ?? []))
          for (let bits = piece.first; bits <= piece.last; bits++)
            if (this.#isFree({ family, bits }, pool)) return { family, bits };
      }
    }
    return undefined;
  }

  #isFree(address: Address, pool: Pool): boolean {
    const { family, bits } = address;
    return !this.#held[family].has(bits) && !this.quarantine.has(family, bits) && !isAvoided(pool, address);
  }

  /**
   * The address of that family that the Service would get from the pool: one that is kept for it, one that it had before it was
   * deleted, or what the pool's strategy gives: in the first range, in the order of the spec, that has one, the lowest that is free or
   * that the Service may share; with another strategy one that it may share comes before a free one. Where all that is free was others' a moment ago, the one that was given back first.
   */
  offer(pool: Pool, family: Family, want: Want): Address | undefined {
    const own = this.#reserved(pool, family, want) ?? this.#former(pool, family, want);
    if (own && !this.overQuota(want, [own])) return own;
    let best = this.#rooms.get(pool.name)?.pick(family, want.key);
    if (best && this.overQuota(want, [{ family, bits: best.bits }])) best = undefined;
    for (const bits of this.#joinable(family, want)) {
      const place = placeOf(this.#config, { family, bits });
      if (place?.pool !== pool || this.keptBack(want, { family, bits })) continue;
      if (this.overQuota(want, [{ family, bits }])) continue;
      const { index } = place;
      if (pool.strategy) return { family, bits };
      if (!best || index < best.index || (index === best.index && bits < best.bits)) best = { index, bits };
    }
    return best ? { family, bits: best.bits } : this.#last(pool, family, want);
  }

  /** What the Service had in the pool before it was deleted, if it may have it. */
  #former(pool: Pool, family: Family, want: Want): Address | undefined {
    return this.sticky
      .of(want.key)
      .find(
        (address) =>
          address.family === family &&
          poolOf(this.#config, address) === pool &&
          !this.keptBack(want, address) &&
          !this.#conflict(want, address),
      );
  }

  /** A free address of the pool that others had before they were deleted. */
  #last(pool: Pool, family: Family, want: Want): Address | undefined {
    for (const bits of this.#rooms.get(pool.name)?.spare[family] ?? []) {
      const address = { family, bits };
      if (!this.keptBack(want, address) && !this.overQuota(want, [address])) return address;
    }
    return undefined;
  }

  /** How full a pool is. Zeros for a pool that the Config does not have; what drains and is free is not available. */
  counters(name: string): Counters {
    const pool = this.#config.pools.get(name);
    const used = this.#used.get(name) ?? noUse();
    const total = pool ? capacityOf(pool) : { IPv4: 0n, IPv6: 0n };
    const available = (family: Family) => total[family] - (used.all[family] - used.draining[family]);
    return {
      assignedIPv4: used.all.IPv4,
      assignedIPv6: used.all.IPv6,
      availableIPv4: available('IPv4'),
      availableIPv6: available('IPv6'),
    };
  }

  /** Addresses in use of a family, by pool. */
  usedByPool(family: Family): ReadonlyMap<string, readonly bigint[]> {
    const used = new Map<string, bigint[]>();
    for (const bits of this.#held[family].keys()) {
      const pool = poolOf(this.#config, { family, bits })?.name;
      if (pool === undefined) continue;
      const list = used.get(pool);
      if (list) list.push(bits);
      else used.set(pool, [bits]);
    }
    return used;
  }

  #index(): void {
    const freed = [...this.#rooms.values()].flatMap((room) => [...room.freed()]);
    this.#used = new Map();
    this.#rooms = new Map();
    for (const pool of this.#config.pools.values()) {
      this.#rooms.set(
        pool.name,
        new Room(pool, this.#reserve.ranges, (family, bits) => this.#isTaken(family, bits)),
      );
      this.#used.set(pool.name, noUse());
    }
    for (const address of [...freed, ...this.sticky.addresses()]) this.#vacated(address);
  }

  #isTaken(family: Family, bits: bigint): boolean {
    if (this.#held[family].has(bits) || this.#reserve.has(family, bits)) return true;
    if (this.sticky.has(family, bits)) return true;
    return this.quarantine.size > 0 && this.quarantine.has(family, bits);
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
    this.sticky.drop(key);
    for (const address of this.#reserve.remember(key, claim.addresses)) this.#vacated(address);
    const { sharing, backend } = claim;
    for (const item of held(claim)) {
      const { address } = item;
      this.#quotas.add(namespaceOf(key), item);
      const holdings = this.#held[address.family];
      let holding = holdings.get(address.bits);
      if (!holding) {
        holding = { holders: new Set(), ports: new Map(), sharing, backend };
        holdings.set(address.bits, holding);
        this.sticky.take(address);
        this.#rooms
          .get(poolOf(this.#config, address)?.name ?? '')
          ?.spare[address.family].delete(address.bits);
        this.#count(address, 1n);
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
    for (const item of held(claim)) {
      this.#quotas.remove(namespaceOf(key), item);
      this.#leave(key, claim, item.address);
    }
    return true;
  }

  #leave(key: string, claim: Claim, address: Address): void {
    const holdings = this.#held[address.family];
    const holding = holdings.get(address.bits);
    if (!holding) return;
    for (const port of claim.ports) if (holding.ports.get(port) === key) holding.ports.delete(port);
    holding.holders.delete(key);
    if (holding.holders.size > 0) return;
    holdings.delete(address.bits);
    this.#count(address, -1n);
    this.#part(claim, address);
    this.#vacated(address);
  }

  #vacated(address: Address): void {
    const { family, bits } = address;
    const place = placeOf(this.#config, address);
    const room = place && this.#rooms.get(place.pool.name);
    if (!room || this.#held[family].has(bits)) return;
    if (this.sticky.has(family, bits)) room.spare[family].add(bits);
    else room.release(address, place.index);
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

  #count(address: Address, by: bigint): void {
    const pool = poolOf(this.#config, address);
    const used = pool && this.#used.get(pool.name);
    if (!used) return;
    used.all[address.family] += by;
    if (isDraining(pool, address)) used.draining[address.family] += by;
  }
}

const namespaceOf = (key: string): string => key.slice(0, key.indexOf('/'));
const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const noUse = (): Use => ({ all: { IPv4: 0n, IPv6: 0n }, draining: { IPv4: 0n, IPv6: 0n } });
