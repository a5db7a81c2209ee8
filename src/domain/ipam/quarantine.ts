import type { Address, Family } from '../ip/address.ts';

/** An address that is not given out for a while. Times are milliseconds of one clock, given by the caller. */
export interface Quarantined {
  readonly address: Address;
  /** Part of a sentence: "host 02:00:5e:00:53:01 answers for it". */
  readonly reason: string;
  readonly since: number;
  /** When it is tried again. */
  readonly until: number;
}

/** Addresses that are passed over until their time is up. Who holds one keeps it. */
export class Quarantine {
  readonly #entries: Readonly<Record<Family, Map<bigint, Quarantined>>> = {
    IPv4: new Map(),
    IPv6: new Map(),
  };
  readonly #onRelease: (address: Address) => void;

  /** `onRelease` hears of each address that may be given out again. */
  constructor(onRelease: (address: Address) => void) {
    this.#onRelease = onRelease;
  }

  get size(): number {
    return this.#entries.IPv4.size + this.#entries.IPv6.size;
  }

  has(family: Family, bits: bigint): boolean {
    return this.#entries[family].has(bits);
  }

  of({ family, bits }: Address): Quarantined | undefined {
    return this.#entries[family].get(bits);
  }

  addresses(family: Family): readonly bigint[] {
    return [...this.#entries[family].keys()];
  }

  entries(): readonly Quarantined[] {
    return [...this.#entries.IPv4.values(), ...this.#entries.IPv6.values()];
  }

  /** An address that is in already goes on with the new reason and end; its age stays. */
  add(entry: Quarantined): void {
    const { family, bits } = entry.address;
    const since = this.of(entry.address)?.since ?? entry.since;
    this.#entries[family].set(bits, { ...entry, since });
  }

  /** Lets one out before its time. */
  lift(address: Address): void {
    if (this.#entries[address.family].delete(address.bits)) this.#onRelease(address);
  }

  /** Lets out every address whose time is up; these are the result. */
  expire(now: number): readonly Quarantined[] {
    const due = this.entries().filter(({ until }) => until <= now);
    for (const { address } of due) {
      this.#entries[address.family].delete(address.bits);
      this.#onRelease(address);
    }
    return due;
  }
}
