import { type Config, type Pool, poolOf } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { type Claim, isAmong, sameClaim } from './claim.ts';
import type { Counters } from './counters.ts';
import { largestGap } from './gaps.ts';
import { Holdings } from './holdings.ts';
import { offer, reserving } from './offer.ts';
import { Quarantine } from './quarantine.ts';
import { Quotas, type Use } from './quotas.ts';
import type { Refusal } from './reasons.ts';
import { type Remembered, Reserve } from './reserve.ts';
import { type Books, commonPool, judge, keptBack, overQuota, withheld } from './rights.ts';
import { Space } from './space.ts';
import { Sticky } from './sticky.ts';
import type { Want } from './want.ts';
import type { Withheld } from './withheld.ts';

/** What a new Config did to claims: those that no pool holds any more, and those that another pool holds now. */
export interface Upheaval {
  readonly released: readonly string[];
  readonly moved: readonly string[];
}

/**
 * Who holds which address. Plain bookkeeping in memory: every claim lies in one pool of the Config, and nothing is handed out that a
 * pool avoids. What a Service may have is asked in `rights.ts`, which free address it would get in `offer.ts`.
 */
export class Ledger {
  readonly #claims = new Map<string, Claim>();
  readonly #holdings = new Holdings();
  /** Addresses that somebody else uses, as far as is known. */
  readonly quarantine = new Quarantine((address) => {
    this.#books.space.opened(address);
    this.#openings++;
  });
  /** Addresses of Services that were deleted a moment ago. */
  readonly sticky = new Sticky((address) => this.#books.space.opened(address));
  #books: Books;
  #openings = 0;

  /** `last`: what Services had that a reservation names, for those that are not here. */
  constructor(config: Config, last: Remembered = new Map()) {
    this.#books = this.#booksOf(config, last);
  }

  get config(): Config {
    return this.#books.config;
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
  holdersOf(address: Address): readonly string[] {
    return this.#holdings.holdersOf(address);
  }

  /** What is kept for Services that reservations name without addresses. */
  get remembered(): Remembered {
    return this.#books.reserve.last;
  }

  /**
   * Puts another Config in force. Claims move with their addresses; those outside every pool are released. `last` as at the
   * start: what is remembered here counts before it.
   */
  reconfigure(config: Config, last: Remembered = new Map()): Upheaval {
    const upheaval = { released: [] as string[], moved: [] as string[] };
    for (const [key, claim] of this.#claims) {
      const now = rehoused(config, claim);
      if (now === claim) continue;
      this.#holdings.remove(claim);
      if (!now) {
        this.#claims.delete(key);
        upheaval.released.push(key);
        continue;
      }
      this.#claims.set(key, now);
      this.#holdings.add(now);
      if (now.pool !== claim.pool || now.next?.pool !== claim.next?.pool) upheaval.moved.push(key);
    }
    const freed = this.#books.space.freed();
    this.#books = this.#booksOf(config, new Map([...last, ...this.remembered]));
    for (const address of [...freed, ...this.sticky.addresses()]) this.#books.space.opened(address);
    this.#openings++;
    return upheaval;
  }

  /** Whether the Service may have these addresses, all of them: the pool that holds them, or why not. Changes nothing. */
  judge(want: Want, addresses: readonly Address[]): Pool | Refusal {
    return judge(this.#books, want, addresses);
  }

  /** Why the Service may not have the address unless it has it already, if so. */
  keptBack(want: Want, address: Address): Refusal | undefined {
    return keptBack(this.#books, want, address);
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
    const { key, ports, sharing, backend } = want;
    const now = { key, pool: pool.name, addresses, ports, sharing, backend };
    const claim: Claim = next && nextPool ? { ...now, next: { pool: nextPool.name, addresses: next } } : now;
    const before = this.#claims.get(key);
    if (before && sameClaim(before, claim)) return before;
    // A port given up, another key, or a first address under a key may let somebody in that waits.
    if (before || sharing !== '') this.#openings++;
    if (before) this.#drop(before);
    this.#put(claim);
    return claim;
  }

  /**
   * Gives back all that the Service holds; false when that is nothing. `until`: it was deleted, and one of its name that is made
   * by then should have the same.
   */
  release(key: string, until?: number): boolean {
    const claim = this.#claims.get(key);
    if (!claim) return false;
    this.#drop(claim);
    this.#openings++;
    if (until === undefined) return true;
    const { addresses } = claim.next ?? claim;
    this.sticky.keep(key, addresses, until);
    for (const address of addresses) this.#books.space.opened(address);
    return true;
  }

  /** The quota that does not allow the Service these addresses of one pool beside what its namespace has, if any. */
  overQuota(want: Want, addresses: readonly Address[]): Refusal | undefined {
    return overQuota(this.#books, want, addresses);
  }

  /** How far quotas are used. */
  get quotaUses(): readonly Use[] {
    return this.#books.quotas.uses();
  }

  /** The pool of what the Service had before it was deleted. */
  formerPool({ key }: Want): Pool | undefined {
    const address = this.sticky.of(key)[0];
    return address && poolOf(this.config, address);
  }

  /** Why one of the addresses is kept for this Service, if it is: by a reservation, or since it had it before it was deleted. */
  keptFor(want: Want, addresses: readonly Address[]): 'reserved' | 'returned' | undefined {
    const { reserve, sticky } = this.#books;
    if (addresses.some((address) => reserve.isFor(want, address))) return 'reserved';
    const former = sticky.of(want.key);
    return former.some((address) => isAmong(address, addresses)) ? 'returned' : undefined;
  }

  /** The pools that have a free address of a family of the Service's that is kept for it. */
  reserving(want: Want): readonly Pool[] {
    return reserving(this.#books, want);
  }

  /** The address of that family that the Service would get from the pool. */
  offer(pool: Pool, family: Family, want: Want): Address | undefined {
    return offer(this.#books, pool, { family, want });
  }

  /** How full a pool is. Zeros for a pool that the Config does not have; what drains and is free is not available. */
  counters(name: string): Counters {
    const pool = this.config.pools.get(name);
    return pool ? this.#books.space.counters(pool) : NOTHING;
  }

  /** What of one family a pool keeps back from everybody, or from everybody but some. */
  withheld(pool: Pool, family: Family): Withheld {
    return withheld(this.#books, pool, family);
  }

  /** The longest run of addresses of a family that a pool could give to everybody. `used`: those in use. */
  longestFree(pool: Pool, family: Family, used: Iterable<bigint>): bigint {
    const { quarantine, reserve } = this.#books;
    const taken = [...used, ...quarantine.addresses(family), ...reserve.owned(family)];
    return largestGap({ pool, family, taken, kept: reserve.ranges });
  }

  /** Addresses in use of a family, by pool. */
  usedByPool(family: Family): ReadonlyMap<string, readonly bigint[]> {
    const used = new Map<string, bigint[]>();
    for (const bits of this.#holdings.addresses(family)) {
      const pool = poolOf(this.config, { family, bits })?.name;
      if (pool === undefined) continue;
      const list = used.get(pool);
      if (list) list.push(bits);
      else used.set(pool, [bits]);
    }
    return used;
  }

  /** The books of that Config, with what is held. */
  #booksOf(config: Config, last: Remembered): Books {
    const { quarantine, sticky } = this;
    const reserve = new Reserve(config, last);
    const quotas = new Quotas(config.quotas);
    for (const claim of this.#claims.values()) {
      reserve.remember(claim.key, claim.addresses);
      quotas.add(claim);
    }
    const space = new Space({
      config,
      holdings: this.#holdings,
      kept: reserve.ranges,
      withheld: (family, bits) => reserve.has(family, bits) || quarantine.has(family, bits),
      spared: (family, bits) => sticky.has(family, bits),
    });
    return { config, holdings: this.#holdings, space, reserve, quotas, quarantine, sticky };
  }

  #put(claim: Claim): void {
    const { space, reserve, quotas } = this.#books;
    this.#claims.set(claim.key, claim);
    this.sticky.drop(claim.key);
    for (const address of reserve.remember(claim.key, claim.addresses)) space.opened(address);
    quotas.add(claim);
    for (const address of this.#holdings.add(claim)) {
      this.sticky.take(address);
      space.took(address);
    }
  }

  #drop(claim: Claim): void {
    this.#claims.delete(claim.key);
    this.#books.quotas.remove(claim);
    for (const address of this.#holdings.remove(claim)) this.#books.space.gave(address);
  }
}

const NOTHING: Counters = { assignedIPv4: 0n, assignedIPv6: 0n, availableIPv4: 0n, availableIPv6: 0n };

/** The claim under another Config. One that moves goes on with the half that still lies in a pool. */
function rehoused(config: Config, claim: Claim): Claim | undefined {
  const { next, ...rest } = claim;
  const pool = commonPool(config, claim.addresses)?.name;
  const nextPool = next && commonPool(config, next.addresses)?.name;
  if (pool === claim.pool && nextPool === next?.pool) return claim;
  const after = next && nextPool !== undefined ? { ...next, pool: nextPool } : undefined;
  if (pool === undefined) return after && { ...rest, ...after };
  return { ...rest, pool, ...(after && { next: after }) };
}
