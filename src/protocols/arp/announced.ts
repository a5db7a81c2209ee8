import { type Address, formatAddress } from '../../domain/ip/address.ts';
import type { Ipv4 } from './codec.ts';

/** The interfaces on which an address is answered for, by name. */
export type Interfaces = 'all' | ReadonlySet<string>;

/** One address that this node answers for. The counters belong to whoever reads them, who may set them back. */
export interface Announcement {
  readonly address: Address;
  readonly text: string;
  /** The union of what its Services ask for. */
  readonly interfaces: Interfaces;
  readonly services: ReadonlyMap<string, Interfaces>;
  readonly counts: { requests: number; replies: number; gratuitous: number };
}

/** What a claim changed, which says whether the neighbours must be told. */
export type Claimed = 'new' | 'widened' | 'narrowed' | 'same';

interface Entry extends Announcement {
  interfaces: Interfaces;
  readonly services: Map<string, Interfaces>;
}

/**
 * The addresses that this node answers for. Several Services may share one: it is ours until the last of them
 * gives it up. Look-ups take the same time whatever the number of addresses. IPv6 addresses may be held too.
 */
export class Announced {
  readonly #byText = new Map<string, Entry>();
  /** The same entries by number: a frame is looked up without making text. */
  readonly #byIpv4 = new Map<Ipv4, Entry>();

  get size(): number {
    return this.#byText.size;
  }

  all(): IterableIterator<Announcement> {
    return this.#byText.values();
  }

  get(address: Address): Announcement | undefined {
    return this.#byText.get(formatAddress(address));
  }

  /** By the canonical text of the address. */
  byText(text: string): Announcement | undefined {
    return this.#byText.get(text);
  }

  /** The hot path: no text, no object. */
  ipv4(ip: Ipv4): Announcement | undefined {
    return this.#byIpv4.get(ip);
  }

  /** A Service has the address announced on these interfaces; again with others replaces what it asked for. */
  claim(address: Address, service: string, interfaces: Interfaces): Claimed {
    const known = this.#byText.get(formatAddress(address));
    if (!known) {
      this.#add(address, service, interfaces);
      return 'new';
    }
    const before = known.interfaces;
    known.services.set(service, interfaces);
    known.interfaces = union(known.services.values());
    return compare(before, known.interfaces);
  }

  /** The Service gives the address up. True when it was the last one, so that the address is no longer ours. */
  release(address: Address, service: string): boolean {
    const known = this.#byText.get(formatAddress(address));
    if (!known?.services.delete(service)) return false;
    if (known.services.size > 0) {
      known.interfaces = union(known.services.values());
      return false;
    }
    this.#byText.delete(known.text);
    if (address.family === 'IPv4') this.#byIpv4.delete(Number(address.bits));
    return true;
  }

  #add(address: Address, service: string, interfaces: Interfaces): void {
    const entry: Entry = {
      address,
      text: formatAddress(address),
      interfaces,
      services: new Map([[service, interfaces]]),
      counts: { requests: 0, replies: 0, gratuitous: 0 },
    };
    this.#byText.set(entry.text, entry);
    if (address.family === 'IPv4') this.#byIpv4.set(Number(address.bits), entry);
  }
}

/** Whether the interface is among them. */
export function reaches(interfaces: Interfaces, name: string): boolean {
  return interfaces === 'all' || interfaces.has(name);
}

function union(all: Iterable<Interfaces>): Interfaces {
  const names = new Set<string>();
  for (const one of all) {
    if (one === 'all') return 'all';
    for (const name of one) names.add(name);
  }
  return names;
}

function compare(before: Interfaces, after: Interfaces): Claimed {
  if (before === 'all') return after === 'all' ? 'same' : 'narrowed';
  if (after === 'all' || !after.isSubsetOf(before)) return 'widened';
  return after.size === before.size ? 'same' : 'narrowed';
}
