import type { Reservation as ReservationObject } from '../api/herald.ts';
import type { Config, Reservation } from '../config/config.ts';
import { type Address, type Family, parseAddress } from '../ip/address.ts';
import type { Range } from '../ip/range.ts';
import { holds, type RangeSet, union } from '../ip/ranges.ts';
import { isAmong } from './claim.ts';
import type { Want } from './want.ts';

/** Addresses by the Service, "namespace/name", that they are kept for. */
export type Remembered = ReadonlyMap<string, readonly Address[]>;

const NONE: readonly Range[] = [];
const NOTHING: readonly Address[] = [];

/** Whom a Service is, as far as reservations ask. */
type Who = Pick<Want, 'key' | 'namespace'>;

/**
 * Addresses that are kept: ranges for a Service or a namespace, and for Services that are named without addresses those that
 * they have or had last. Addresses in two reservations are kept for both.
 */
export class Reserve {
  readonly #reservations: readonly Reservation[];
  readonly #byNamespace = new Map<string, Reservation[]>();
  /** The addresses of all of them, without those that are remembered. */
  readonly ranges: RangeSet;
  readonly #last = new Map<string, readonly Address[]>();
  readonly #owners: Readonly<Record<Family, Map<bigint, string>>> = { IPv4: new Map(), IPv6: new Map() };

  /** `last`: what Services had, of which those count that a reservation names. */
  constructor({ reservations = [] }: Config, last: Remembered) {
    this.#reservations = reservations;
    this.ranges = union(reservations.flatMap(({ ranges }) => ranges));
    for (const reservation of reservations) {
      const { namespace, service, ranges } = reservation;
      this.#byNamespace.set(namespace, [...(this.#byNamespace.get(namespace) ?? []), reservation]);
      const key = `${namespace}/${service}`;
      if (service !== undefined && ranges.length === 0) this.#keep(key, last.get(key) ?? []);
    }
  }

  get last(): Remembered {
    return this.#last;
  }

  /** Takes note of what a Service has now; the addresses that are no longer kept for it. */
  remember(key: string, addresses: readonly Address[]): readonly Address[] {
    const before = this.#last.get(key);
    if (!before) return NOTHING;
    this.#keep(key, addresses);
    return before.filter((address) => !isAmong(address, addresses));
  }

  /** Whether an address is remembered for somebody. */
  has(family: Family, bits: bigint): boolean {
    return this.#owners[family].has(bits);
  }

  /** Addresses that are remembered for somebody. */
  owned(family: Family): readonly bigint[] {
    return [...this.#owners[family].keys()];
  }

  /** Ranges that are kept for the Service, those for it alone before those of its namespace. */
  rangesFor(who: Who): readonly Range[] {
    const among = this.#byNamespace.get(who.namespace);
    if (!among) return NONE;
    const all = among.filter((r) => isFor(r, who));
    const ordered = [
      ...all.filter((r) => r.service !== undefined),
      ...all.filter((r) => r.service === undefined),
    ];
    const own = (this.#last.get(who.key) ?? []).map(({ family, bits }) => ({
      family,
      first: bits,
      last: bits,
    }));
    return [...own, ...ordered.flatMap(({ ranges }) => ranges)];
  }

  /** Whether the address is kept for this Service, perhaps for others as well. */
  isFor(who: Who, address: Address): boolean {
    if (this.#owners[address.family].get(address.bits) === who.key) return true;
    return holds(this.ranges, address) && this.#holding(address).some((r) => isFor(r, who));
  }

  /** For whom the address is kept, if that is somebody else: "t1/web", or "namespace t1". */
  against(who: Who, address: Address): string | undefined {
    const owner = this.#owners[address.family].get(address.bits);
    if (owner === undefined && !holds(this.ranges, address)) return undefined;
    if (this.isFor(who, address)) return undefined;
    const [first] = this.#holding(address);
    if (owner !== undefined || !first) return owner;
    return first.service === undefined
      ? `namespace ${first.namespace}`
      : `${first.namespace}/${first.service}`;
  }

  #holding(address: Address): readonly Reservation[] {
    return this.#reservations.filter(({ ranges }) => holds(ranges, address));
  }

  #keep(key: string, addresses: readonly Address[]): void {
    for (const { family, bits } of this.#last.get(key) ?? [])
      if (this.#owners[family].get(bits) === key) this.#owners[family].delete(bits);
    this.#last.set(key, addresses);
    for (const { family, bits } of addresses) this.#owners[family].set(bits, key);
  }
}

const isFor = ({ namespace, service }: Reservation, who: Who): boolean =>
  service === undefined ? namespace === who.namespace : `${namespace}/${service}` === who.key;

/** What the statuses of reservations say that Services had: those that name a Service and no addresses. */
export function rememberedIn(objects: Iterable<ReservationObject>): Remembered {
  const last = new Map<string, readonly Address[]>();
  for (const object of objects) {
    const key = remembersFor(object);
    if (key === undefined) continue;
    const addresses = (object.status?.addresses ?? []).map((text) => parseAddress(text));
    last.set(
      key,
      addresses.filter((address) => address !== undefined),
    );
  }
  return last;
}

/** The Service that a Reservation names without addresses, so that it keeps what that has. */
export function remembersFor({ spec }: ReservationObject): string | undefined {
  const { namespace, service, addresses = [] } = spec;
  return service === undefined || addresses.length > 0 ? undefined : `${namespace}/${service}`;
}
