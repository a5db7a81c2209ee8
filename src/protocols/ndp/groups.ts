import type { Mac } from '../../domain/ip/mac.ts';
import type { Ipv6 } from './codec.ts';

/** What all solicited-node groups begin with, ff02::1:ff00:0/104; the last three bytes are those of the address (RFC 4291 2.7.1). */
export const SOLICITED_NODE: Uint8Array = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff);

/** The group at which an address is asked for. */
export function solicitedNode(address: Ipv6): Ipv6 {
  const group = new Uint8Array(16);
  group.set(SOLICITED_NODE);
  group.set(address.subarray(13), 13);
  return group;
}

/** The Ethernet address of a group (RFC 2464 7). */
export function groupMac(group: Ipv6): Mac {
  return Uint8Array.of(0x33, 0x33, ...group.subarray(12));
}

/** Groups to join and to leave, as the first address of each came and the last one went. */
export interface GroupChanges {
  readonly join: readonly Ipv6[];
  readonly leave: readonly Ipv6[];
}

/**
 * The solicited-node groups that one interface has to be in. Addresses that end alike share a group. Changes are
 * gathered until they are taken: a group that comes and goes in between never shows.
 */
export class Groups {
  /** By the last three bytes as a number: how many addresses need the group. */
  readonly #needed = new Map<number, Set<string>>();
  readonly #joined = new Set<number>();
  readonly #touched = new Set<number>();

  /** Whether an address is answered for on this interface; again with the same is fine. `name` tells addresses apart. */
  set(address: Ipv6, name: string, wanted: boolean): void {
    const key = keyOf(address);
    const names = this.#needed.get(key) ?? new Set();
    if (wanted) names.add(name);
    else names.delete(name);
    if (names.size > 0) this.#needed.set(key, names);
    else this.#needed.delete(key);
    if (this.#needed.has(key) === this.#joined.has(key)) this.#touched.delete(key);
    else this.#touched.add(key);
  }

  /** Groups that still have to be joined or left. */
  get pending(): number {
    return this.#touched.size;
  }

  /** At most `most` of them, from then on taken for done. */
  take(most: number): GroupChanges {
    const join: Ipv6[] = [];
    const leave: Ipv6[] = [];
    for (const key of this.#touched) {
      if (join.length + leave.length >= most) break;
      this.#touched.delete(key);
      if (this.#joined.delete(key)) {
        leave.push(groupOf(key));
      } else {
        this.#joined.add(key);
        join.push(groupOf(key));
      }
    }
    return { join, leave };
  }

  /** The group could not be joined after all: it is to be tried again. */
  failed(group: Ipv6): void {
    const key = keyOf(group);
    this.#joined.delete(key);
    if (this.#needed.has(key)) this.#touched.add(key);
  }
}

function keyOf(address: Ipv6): number {
  return ((address[13] ?? 0) << 16) | ((address[14] ?? 0) << 8) | (address[15] ?? 0);
}

function groupOf(key: number): Ipv6 {
  return Uint8Array.of(...SOLICITED_NODE, key >>> 16, (key >>> 8) & 0xff, key & 0xff);
}
