import type { Mac } from '../../domain/ip/mac.ts';

/** An IPv6 address in network byte order, 16 bytes. */
export type Ipv6 = Uint8Array;

/** A link-layer address or something else that goes with a message; `value` fills up whole units of 8 bytes, less 2. */
export interface Option {
  readonly type: number;
  readonly value: Uint8Array;
}

/** A neighbour solicitation or advertisement in its IPv6 packet and Ethernet frame (RFC 4861 4.3, 4.4). */
export interface Packet {
  readonly destination: Mac;
  readonly source: Mac;
  /** 255 unless a router has forwarded it, which makes it void. */
  readonly hopLimit: number;
  readonly from: Ipv6;
  readonly to: Ipv6;
  /** SOLICITATION or ADVERTISEMENT. */
  readonly type: number;
  /** ROUTER, SOLICITED, OVERRIDE; 0 in a solicitation. */
  readonly flags: number;
  readonly target: Ipv6;
  readonly options: readonly Option[];
}

export const SOLICITATION = 135;
export const ADVERTISEMENT = 136;
export const ROUTER = 0x80;
export const SOLICITED = 0x40;
export const OVERRIDE = 0x20;
/** Types of options: the link-layer address of who asks, and of what is asked for. */
export const SOURCE_MAC = 1;
export const TARGET_MAC = 2;
export const HOP_LIMIT = 255;
export const ICMPV6 = 58;

/** Offsets within the frame: Ethernet (14), IPv6 (40), ICMPv6. */
export const AT = {
  destination: 0,
  source: 6,
  type: 12,
  ip: 14,
  payloadLength: 18,
  nextHeader: 20,
  hopLimit: 21,
  from: 22,
  to: 38,
  icmp: 54,
  code: 55,
  checksum: 56,
  flags: 58,
  target: 62,
  options: 78,
} as const;

/** ICMPv6 without options. */
const MESSAGE_LENGTH = AT.options - AT.icmp;
/** A frame with one link-layer address, which each message of our own has. */
export const FRAME_LENGTH = AT.options + 8;

/** All nodes on the link, ff02::1, and its Ethernet address. */
export const ALL_NODES: Ipv6 = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
export const ALL_NODES_MAC: Mac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);

/**
 * Whether the first `length` bytes hold a whole solicitation or advertisement with sound options. Extension headers
 * are not looked behind: neighbour discovery has none (RFC 6980 forbids fragments). Bytes behind the packet are padding.
 * Hop limit and checksum are not looked at.
 */
export function wellFormed(frame: Uint8Array, length: number): boolean {
  if (length < AT.options || frame.length < length) return false;
  if (frame[AT.type] !== 0x86 || frame[AT.type + 1] !== 0xdd) return false;
  if ((frame[AT.ip] ?? 0) >>> 4 !== 6 || frame[AT.nextHeader] !== ICMPV6 || frame[AT.code] !== 0)
    return false;
  if (frame[AT.icmp] !== SOLICITATION && frame[AT.icmp] !== ADVERTISEMENT) return false;
  const end = endOf(frame);
  return end >= AT.options && end <= length && optionsFit(frame, end);
}

/** Where the packet ends, by its own word. */
export function endOf(frame: Uint8Array): number {
  return AT.icmp + (((frame[AT.payloadLength] ?? 0) << 8) | (frame[AT.payloadLength + 1] ?? 0));
}

function optionsFit(frame: Uint8Array, end: number): boolean {
  let at: number = AT.options;
  while (at + 8 <= end) {
    const units = frame[at + 1] ?? 0;
    if (units === 0) return false;
    at += 8 * units;
  }
  return at === end;
}

/** Offset of the first option of a type in a well-formed frame, 0 when there is none. */
export function findOption(frame: Uint8Array, type: number): number {
  const end = endOf(frame);
  for (let at: number = AT.options; at < end; at += 8 * (frame[at + 1] ?? 0))
    if (frame[at] === type) return at;
  return 0;
}

/** Whether the checksum of a well-formed frame is right. */
export function intact(frame: Uint8Array): boolean {
  return sum(frame) === 0xffff;
}

/** Sets the checksum of a frame that is otherwise complete. */
export function seal(frame: Uint8Array): void {
  frame[AT.checksum] = 0;
  frame[AT.checksum + 1] = 0;
  const checksum = ~sum(frame) & 0xffff;
  frame[AT.checksum] = checksum >>> 8;
  frame[AT.checksum + 1] = checksum;
}

/** The ones' complement sum over pseudo header and message (RFC 8200 8.1); both addresses stand right before the message. */
function sum(frame: Uint8Array): number {
  const end = endOf(frame);
  let total = ICMPV6 + (end - AT.icmp);
  for (let at: number = AT.from; at < end; at += 2) total += ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

/** Reads a frame; undefined when it is cut short, damaged or about something else. Traffic class and flow label are left out. */
export function decode(frame: Uint8Array): Packet | undefined {
  if (!wellFormed(frame, frame.length) || !intact(frame)) return undefined;
  const options: Option[] = [];
  const end = endOf(frame);
  for (let at: number = AT.options; at < end; ) {
    const next = at + 8 * (frame[at + 1] ?? 0);
    options.push({ type: frame[at] ?? 0, value: copy(frame, at + 2, next) });
    at = next;
  }
  return {
    destination: copy(frame, AT.destination, AT.source),
    source: copy(frame, AT.source, AT.type),
    hopLimit: frame[AT.hopLimit] ?? 0,
    from: copy(frame, AT.from, AT.to),
    to: copy(frame, AT.to, AT.icmp),
    type: frame[AT.icmp] ?? 0,
    flags: frame[AT.flags] ?? 0,
    target: copy(frame, AT.target, AT.options),
    options,
  };
}

/** Writes a frame with its checksum. Throws RangeError when an option is none: its value does not fill whole units. */
export function encode(p: Packet): Uint8Array {
  const length = p.options.reduce((total, { value }) => total + 2 + value.length, MESSAGE_LENGTH);
  const frame = new Uint8Array(AT.icmp + length);
  frame.set(p.destination, AT.destination);
  frame.set(p.source, AT.source);
  frame.set([0x86, 0xdd, 0x60], AT.type);
  frame.set([length >>> 8, length & 0xff, ICMPV6, p.hopLimit], AT.payloadLength);
  frame.set(p.from, AT.from);
  frame.set(p.to, AT.to);
  frame[AT.icmp] = p.type;
  frame[AT.flags] = p.flags;
  frame.set(p.target, AT.target);
  let at: number = AT.options;
  for (const { type, value } of p.options) {
    const size = 2 + value.length;
    if (size % 8 !== 0 || size > 255 * 8) throw new RangeError(`an option has no ${value.length} bytes`);
    frame.set([type, size / 8], at);
    frame.set(value, at + 2);
    at += size;
  }
  seal(frame);
  return frame;
}

/** Not slice: on a Buffer that would be a view of the frame, which the next one overwrites. */
function copy(frame: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(frame.subarray(from, to));
}

/**
 * Tells everybody on the link where the address lives: an advertisement that nobody asked for, which replaces what they
 * know (RFC 4861 7.2.6). Its source is the address itself, as for each host that has it.
 */
export function unsolicited(target: Ipv6, mac: Mac): Uint8Array {
  return encode({
    destination: ALL_NODES_MAC,
    source: mac,
    hopLimit: HOP_LIMIT,
    from: target,
    to: ALL_NODES,
    type: ADVERTISEMENT,
    flags: OVERRIDE,
    target,
    options: [{ type: TARGET_MAC, value: mac }],
  });
}

/**
 * Asks everybody who has an address, without saying anything about the asker: as for duplicate address detection (RFC 4862
 * 5.4.2), to which the answer goes to all nodes. `group`: the solicited-node group of the target, and its Ethernet address.
 */
export function probe(target: Ipv6, mac: Mac, group: { readonly ip: Ipv6; readonly mac: Mac }): Uint8Array {
  return encode({
    destination: group.mac,
    source: mac,
    hopLimit: HOP_LIMIT,
    from: new Uint8Array(16),
    to: group.ip,
    type: SOLICITATION,
    flags: 0,
    target,
    options: [],
  });
}
