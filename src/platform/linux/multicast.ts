import { LinuxError } from './errors.ts';
import { AF_INET6, AF_PACKET, SOCK_DGRAM, SOCK_RAW, type Sockets } from './sockets.ts';

const IPPROTO_IPV6 = 41;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_DROP_MEMBERSHIP = 2;
const PACKET_MR_MULTICAST = 0;
/** Groups per socket: the kernel allows some 2,340 with its usual limit on the memory of a socket (net.core.optmem_max). */
const SHARD = 256;

/** One socket that is in some of the groups. It sends and receives nothing. */
interface Shard {
  readonly fd: number;
  groups: number;
}

/** How a group was joined: `listening` tells the switches too (MLD), `heard` only lets its frames through the interface. */
export type Joined = 'listening' | 'heard';

/**
 * The IPv6 groups that one interface is in, any number of them. Each socket holds few, so that they are spread over
 * many; a group that the kernel refuses is at least let through the filter of the hardware. Needs CAP_NET_RAW for that
 * second way only. A join costs the more the more groups there are: 20 to 200 microseconds with 10,000.
 */
export class Multicast {
  readonly #sockets: Sockets;
  readonly #index: number;
  /** By the group; undefined for one that is only heard. */
  readonly #groups = new Map<string, Shard | undefined>();
  readonly #shards = new Set<Shard>();
  readonly #roomy = new Set<Shard>();
  /** Never bound: it hears nothing itself. */
  #ear: number | undefined;

  constructor(o: { readonly sockets: Sockets; readonly index: number }) {
    this.#sockets = o.sockets;
    this.#index = o.index;
  }

  /** Joins a group (16 bytes), once. Throws LinuxError when neither way is open. */
  join(group: Uint8Array): Joined {
    const text = textOf(group);
    if (this.#groups.has(text)) return this.#groups.get(text) ? 'listening' : 'heard';
    const shard = this.#tryJoin(group);
    if (!shard) this.#hear(group, PACKET_ADD_MEMBERSHIP);
    this.#groups.set(text, shard);
    return shard ? 'listening' : 'heard';
  }

  /** Leaves a group. One that it is not in, or an interface that is gone, is no error. */
  leave(group: Uint8Array): void {
    const text = textOf(group);
    if (!this.#groups.has(text)) return;
    const shard = this.#groups.get(text);
    this.#groups.delete(text);
    try {
      if (shard) this.#option(shard, IPV6_LEAVE_GROUP, group);
      else this.#hear(group, PACKET_DROP_MEMBERSHIP);
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
    }
    if (!shard) return;
    shard.groups--;
    this.#roomy.add(shard);
    if (shard.groups === 0) this.#drop(shard);
  }

  /** Leaves all. */
  close(): void {
    // Newest first: the kernel looks for a group from there on, and 10,000 would take a second the other way.
    for (const shard of [...this.#shards].reverse()) this.#drop(shard);
    if (this.#ear !== undefined) this.#sockets.close(this.#ear);
    this.#ear = undefined;
    this.#groups.clear();
  }

  #tryJoin(group: Uint8Array): Shard | undefined {
    for (;;) {
      const [used] = this.#roomy;
      try {
        const shard = used ?? this.#open();
        this.#option(shard, IPV6_JOIN_GROUP, group);
        if (++shard.groups >= SHARD) this.#roomy.delete(shard);
        return shard;
      } catch (error) {
        if (!(error instanceof LinuxError)) throw error;
        // Where the kernel grants a socket less memory, shards are smaller.
        if (!used || used.groups === 0 || !error.passing) return undefined;
        this.#roomy.delete(used);
      }
    }
  }

  #open(): Shard {
    const fd = this.#sockets.open({ domain: AF_INET6, type: SOCK_DGRAM, protocol: 0 });
    const shard: Shard = { fd, groups: 0 };
    this.#shards.add(shard);
    this.#roomy.add(shard);
    return shard;
  }

  #drop(shard: Shard): void {
    this.#shards.delete(shard);
    this.#roomy.delete(shard);
    this.#sockets.close(shard.fd);
  }

  /** `struct ipv6_mreq`: the group, the interface. */
  #option(shard: Shard, name: number, group: Uint8Array): void {
    const value = new Uint8Array(20);
    value.set(group);
    new DataView(value.buffer).setInt32(16, this.#index, true);
    this.#sockets.option(shard.fd, { level: IPPROTO_IPV6, name, value });
  }

  /** `struct packet_mreq`: the interface, type and length of the address, the address (RFC 2464 7) in 8 bytes. */
  #hear(group: Uint8Array, name: number): void {
    this.#ear ??= this.#sockets.open({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 });
    const value = new Uint8Array(16);
    const view = new DataView(value.buffer);
    view.setInt32(0, this.#index, true);
    view.setUint16(4, PACKET_MR_MULTICAST, true);
    view.setUint16(6, 6, true);
    value.set([0x33, 0x33, ...group.subarray(12)], 8);
    this.#sockets.option(this.#ear, { level: SOL_PACKET, name, value });
  }
}

function textOf(group: Uint8Array): string {
  return String.fromCharCode(...group);
}
