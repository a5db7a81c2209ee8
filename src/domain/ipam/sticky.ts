import type { Address, Family } from '../ip/address.ts';

const NONE: readonly Address[] = [];

interface Kept {
  readonly addresses: readonly Address[];
  readonly until: number;
}

/**
 * What deleted Services had, each for one of the same name that is made soon afterwards. Others get such an address only when
 * there is no other. Times are milliseconds of one clock, given by the caller.
 */
export class Sticky {
  /** By "namespace/name", the longest deleted first. */
  readonly #kept = new Map<string, Kept>();
  readonly #owners: Readonly<Record<Family, Map<bigint, string>>> = { IPv4: new Map(), IPv6: new Map() };
  readonly #onRelease: (address: Address) => void;

  /** `onRelease` hears of each address that is kept for nobody any more. */
  constructor(onRelease: (address: Address) => void) {
    this.#onRelease = onRelease;
  }

  /** What is kept for a Service of that name. */
  of(key: string): readonly Address[] {
    return this.#kept.get(key)?.addresses ?? NONE;
  }

  has(family: Family, bits: bigint): boolean {
    return this.#owners[family].has(bits);
  }

  /** All that is kept, the longest kept first. */
  *addresses(): Generator<Address> {
    for (const { addresses } of this.#kept.values()) yield* addresses;
  }

  keep(key: string, addresses: readonly Address[], until: number): void {
    this.drop(key);
    for (const address of addresses) this.take(address);
    this.#kept.set(key, { addresses: [...addresses], until });
    for (const { family, bits } of addresses) this.#owners[family].set(bits, key);
  }

  /** Nothing is kept for the Service any more. */
  drop(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    for (const address of kept.addresses) this.#free(address);
  }

  /** Somebody has the address now. */
  take(address: Address): void {
    const owner = this.#owners[address.family].get(address.bits);
    const kept = owner === undefined ? undefined : this.#kept.get(owner);
    if (owner === undefined || !kept) return;
    const { family, bits } = address;
    const left = kept.addresses.filter((other) => other.family !== family || other.bits !== bits);
    if (left.length > 0) this.#kept.set(owner, { ...kept, addresses: left });
    else this.#kept.delete(owner);
    this.#free(address);
  }

  /** Lets go of what was kept for long enough. */
  expire(now: number): void {
    for (const [key, { until }] of this.#kept) {
      if (until > now) return;
      this.drop(key);
    }
  }

  #free(address: Address): void {
    this.#owners[address.family].delete(address.bits);
    this.#onRelease(address);
  }
}
