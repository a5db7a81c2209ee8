import { type Address, addressBytes, formatAddress } from '../../domain/ip/address.ts';
import type { Mac } from '../../domain/ip/mac.ts';

/** The interfaces on which an address is answered for, by name. */
export type Interfaces = 'all' | ReadonlySet<string>;

/** The interface that a question came in by. */
export interface Face {
  readonly name: string;
  readonly mac: Mac;
}

/** What a Service asks for. */
interface Claim {
  readonly service: string;
  readonly interfaces: Interfaces;
}

/** One address that this node answers for. The counters belong to whoever reads them, who may set them back. */
export interface Announcement {
  readonly address: Address;
  readonly text: string;
  /** Of IPv6 in network byte order; none of IPv4, which is looked up as a number. */
  readonly bytes: Uint8Array;
  /** The union of what its Services ask for. */
  readonly interfaces: Interfaces;
  readonly claims: readonly Claim[];
  /** Ours, but not answered for at the moment: somebody else has it. */
  readonly silent: boolean;
  readonly counts: { requests: number; replies: number; gratuitous: number };
}

/** One for all: an array costs more than all else that is kept of an address. */
const NO_BYTES = new Uint8Array();

/** What a claim changed, which says whether the neighbours must be told. */
export type Claimed = 'new' | 'widened' | 'narrowed' | 'same';

interface Entry extends Announcement {
  silent: boolean;
  interfaces: Interfaces;
  claims: readonly Claim[];
}

/**
 * The addresses that this node answers for. Several Services may share one: it is ours until the last of them
 * gives it up. Look-ups take the same time whatever the number of addresses.
 */
export class Announced {
  readonly #byText = new Map<string, Entry>();
  /** The same entries as frames name them: by number, and by what the 16 bytes fold to. */
  readonly #byIpv4 = new Map<number, Entry>();
  readonly #byIpv6 = new Map<number, readonly Entry[]>();

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

  /** By the address as an unsigned 32-bit number. The hot path: no text, no object. */
  ipv4(ip: number): Announcement | undefined {
    return this.#byIpv4.get(ip);
  }

  /** By the 16 bytes at an offset of a frame that is long enough; as hot a path. */
  ipv6(frame: Uint8Array, at: number): Announcement | undefined {
    const found = this.#byIpv6.get(fold(frame, at));
    if (!found) return undefined;
    for (const entry of found) if (isAt(frame, at, entry.bytes)) return entry;
    return undefined;
  }

  /** A Service has the address announced on these interfaces; again with others replaces what it asked for. */
  claim(address: Address, service: string, interfaces: Interfaces): Claimed {
    const known = this.#byText.get(formatAddress(address));
    if (!known) {
      this.#add(address, service, interfaces);
      return 'new';
    }
    const before = known.interfaces;
    known.claims = [...claimsBut(known, service), { service, interfaces }];
    known.interfaces = union(known.claims);
    return compare(before, known.interfaces);
  }

  /** Whether the address is answered for, which it is until somebody says otherwise. */
  setSilent(text: string, silent: boolean): void {
    const known = this.#byText.get(text);
    if (known) known.silent = silent;
  }

  /** The Service gives the address up. True when it was the last one, so that the address is no longer ours. */
  release(address: Address, service: string): boolean {
    const known = this.#byText.get(formatAddress(address));
    const rest = known && claimsBut(known, service);
    if (!rest || rest.length === known.claims.length) return false;
    if (rest.length > 0) {
      known.claims = rest;
      known.interfaces = union(rest);
      return false;
    }
    this.#byText.delete(known.text);
    this.#forget(known);
    return true;
  }

  #add(address: Address, service: string, interfaces: Interfaces): void {
    const entry: Entry = {
      address,
      text: formatAddress(address),
      bytes: address.family === 'IPv6' ? addressBytes(address) : NO_BYTES,
      interfaces,
      claims: [{ service, interfaces }],
      silent: false,
      counts: { requests: 0, replies: 0, gratuitous: 0 },
    };
    this.#byText.set(entry.text, entry);
    if (address.family === 'IPv4') {
      this.#byIpv4.set(Number(address.bits), entry);
      return;
    }
    const key = fold(entry.bytes, 0);
    this.#byIpv6.set(key, [...(this.#byIpv6.get(key) ?? []), entry]);
  }

  #forget({ address, bytes, text }: Entry): void {
    if (address.family === 'IPv4') {
      this.#byIpv4.delete(Number(address.bits));
      return;
    }
    const key = fold(bytes, 0);
    const others = (this.#byIpv6.get(key) ?? []).filter((entry) => entry.text !== text);
    if (others.length > 0) this.#byIpv6.set(key, others);
    else this.#byIpv6.delete(key);
  }
}

/** 16 bytes as one 32-bit number. Each word is mixed in, as pools may count in any of them. */
function fold(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = at; i < at + 16; i += 4) {
    const word =
      ((bytes[i] ?? 0) << 24) |
      ((bytes[i + 1] ?? 0) << 16) |
      ((bytes[i + 2] ?? 0) << 8) |
      (bytes[i + 3] ?? 0);
    sum = (Math.imul(sum, 31) + word) | 0;
  }
  return sum;
}

function isAt(frame: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (frame[at + i] !== bytes[i]) return false;
  return true;
}

/** Whether the interface is among them. */
export function reaches(interfaces: Interfaces, name: string): boolean {
  return interfaces === 'all' || interfaces.has(name);
}

/** Mostly there is one: a map would be larger than all else that is kept of an address. */
function claimsBut({ claims }: Entry, its: string): readonly Claim[] {
  return claims.filter(({ service }) => service !== its);
}

function union(claims: readonly Claim[]): Interfaces {
  const names = new Set<string>();
  for (const { interfaces } of claims) {
    if (interfaces === 'all') return 'all';
    for (const name of interfaces) names.add(name);
  }
  return names;
}

function compare(before: Interfaces, after: Interfaces): Claimed {
  if (before === 'all') return after === 'all' ? 'same' : 'narrowed';
  if (after === 'all' || !after.isSubsetOf(before)) return 'widened';
  return after.size === before.size ? 'same' : 'narrowed';
}
