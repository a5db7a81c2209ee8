/**
 * Route netlink messages about links and their addresses, bytes in and facts out (rtnetlink(7), Linux uapi rtnetlink.h and if_link.h).
 * Native byte order, which is little-endian on every machine that `libc.ts` accepts.
 */

/** A network interface as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Empty where the link has no hardware address, as tunnels. */
  readonly mac: Uint8Array;
  /** IFF_UP: switched on, which says nothing of a carrier. */
  readonly up: boolean;
  /** IFF_LOWER_UP, and an operational state that lets frames through: there is a carrier. */
  readonly carrier: boolean;
  readonly broadcast: boolean;
  readonly loopback: boolean;
  /** IFF_NOARP. */
  readonly noArp: boolean;
  /** It has an IPv6 address that counts, be it link-local: the kernel takes packets of that family there. */
  readonly ipv6: boolean;
  /** Index of the bridge, bond or team that it is a part of. */
  readonly master?: number;
  /** The subnets of its addresses, as text; link-local ones and single addresses are not among them. Absent: none. */
  readonly nets?: readonly string[];
  /** `veth`, `vlan`, `bridge`, ... ; physical ones have none. */
  readonly kind?: string;
}

/** A link as the messages about links tell it: addresses come in messages of their own. */
export type BareLink = Omit<Link, 'ipv6' | 'nets'>;

/** What a datagram of netlink can tell. `sequence` is that of the request it answers, 0 for a notification. */
export type LinkMessage =
  | { readonly type: 'link'; readonly sequence: number; readonly link: BareLink }
  /** An address (hexadecimal) that the link has from now on, or no longer, and how many bits of it are the subnet's. */
  | {
      readonly type: 'address';
      readonly sequence: number;
      readonly index: number;
      readonly address: string;
      readonly prefix: number;
      readonly gone: boolean;
    }
  | { readonly type: 'gone'; readonly sequence: number; readonly index: number }
  | { readonly type: 'done'; readonly sequence: number }
  | { readonly type: 'interrupted'; readonly sequence: number }
  | { readonly type: 'error'; readonly sequence: number; readonly errno: number };

const HEADER = 16;
const LINK_HEADER = 16;
const ADDRESS_HEADER = 8;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const AF_INET = 2;
const AF_INET6 = 10;
const BYTES: Readonly<Record<number, number>> = { [AF_INET]: 4, [AF_INET6]: 16 };
const NLM_F_REQUEST = 0x1;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;

const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
const IFF_NOARP = 0x80;
const IFF_LOWER_UP = 0x10000;

/** Another host has the address: the kernel does not use it. */
const IFA_F_DADFAILED = 0x08;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
/** Of RFC 2863's operational states: unknown, as of links that do not tell, and up. */
const PASSING: ReadonlySet<number> = new Set([0, 6]);
/** The two top bits of an attribute's type are flags (nested, network byte order). */
const TYPE_MASK = 0x3fff;

/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR, the multicast groups of changes; joining them needs no capability. */
export const LINK_GROUP = 0x1;
export const ADDRESS_GROUPS = 0x110;

/** `struct sockaddr_nl` with the groups to hear; port id 0 lets the kernel choose. */
export function netlinkAddress(groups: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 16, true);
  view.setUint32(8, groups, true);
  return bytes;
}

/** Asks for all links. `sequence` comes back in each part of the answer and must not be 0. */
export function dumpLinks(sequence: number): Uint8Array {
  return dump(RTM_GETLINK, sequence, new Uint8Array(LINK_HEADER));
}

/** Asks for all addresses of all families, in the same way. */
export function dumpAddresses(sequence: number): Uint8Array {
  return dump(RTM_GETADDR, sequence, new Uint8Array(ADDRESS_HEADER));
}

function dump(type: number, sequence: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length);
  bytes.set(body, HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  view.setUint32(8, sequence, true);
  return bytes;
}

/**
 * Reads one datagram, which may hold several messages. Messages about other things, and whatever is cut short,
 * are left out; nothing throws. Bridges send messages of family AF_BRIDGE about their ports in the same group,
 * where "deleted" only means that the port left the bridge: those are not about links.
 */
export function readLinks(datagram: Uint8Array): readonly LinkMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: LinkMessage[] = [];
  let at = 0;
  while (at + HEADER <= datagram.length) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > datagram.length) break;
    const message = readMessage(view, at, length);
    if (message) messages.push(message);
    at += align(length);
  }
  return messages;
}

function readMessage(view: DataView, at: number, length: number): LinkMessage | undefined {
  const type = view.getUint16(at + 4, true);
  const flags = view.getUint16(at + 6, true);
  const sequence = view.getUint32(at + 8, true);
  const body = at + HEADER;
  const end = at + length;
  if (type === NLMSG_DONE) {
    // The set changed while the kernel was listing it: the list may be inconsistent.
    return { type: (flags & NLM_F_DUMP_INTR) === 0 ? 'done' : 'interrupted', sequence };
  }
  if (type === NLMSG_ERROR) {
    return body + 4 <= end ? { type: 'error', sequence, errno: -view.getInt32(body, true) } : undefined;
  }
  if (type === RTM_NEWADDR || type === RTM_DELADDR) {
    const address = readAddress(view, body, end);
    return address && { ...address, sequence, gone: address.gone || type === RTM_DELADDR };
  }
  if ((type !== RTM_NEWLINK && type !== RTM_DELLINK) || body + LINK_HEADER > end) return undefined;
  if (view.getUint8(body) !== 0) return undefined;
  const index = view.getInt32(body + 4, true);
  if (type === RTM_DELLINK) return { type: 'gone', sequence, index };
  const link = readLink(view, body, end);
  return link && { type: 'link', sequence, link };
}

function readAddress(view: DataView, body: number, end: number) {
  if (body + ADDRESS_HEADER > end) return undefined;
  const bytes = BYTES[view.getUint8(body)];
  if (bytes === undefined) return undefined;
  const gone = (view.getUint8(body + 2) & IFA_F_DADFAILED) !== 0;
  let address: string | undefined;
  for (const { type, from, to } of attributes(view, body + ADDRESS_HEADER, end)) {
    if (to - from !== bytes || (type !== IFA_ADDRESS && type !== IFA_LOCAL)) continue;
    // On a link between two hosts IFA_ADDRESS is the other one's; IFA_LOCAL comes later and is always our own.
    address = Array.from(copy(view, from, to), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  if (address === undefined) return undefined;
  const prefix = Math.min(view.getUint8(body + 1), 8 * bytes);
  return { type: 'address' as const, index: view.getUint32(body + 4, true), address, prefix, gone };
}

function readLink(view: DataView, body: number, end: number): BareLink | undefined {
  const flags = view.getUint32(body + 8, true);
  let name: string | undefined;
  let mac: Uint8Array = new Uint8Array(0);
  let master: number | undefined;
  let kind: string | undefined;
  let passing = true;
  for (const { type, from, to } of attributes(view, body + LINK_HEADER, end)) {
    if (type === IFLA_IFNAME) name = text(view, from, to);
    else if (type === IFLA_ADDRESS) mac = copy(view, from, to);
    else if (type === IFLA_MASTER && to - from >= 4) master = view.getUint32(from, true);
    else if (type === IFLA_OPERSTATE && to > from) passing = PASSING.has(view.getUint8(from));
    else if (type === IFLA_LINKINFO) {
      for (const inner of attributes(view, from, to)) {
        if (inner.type === IFLA_INFO_KIND) kind = text(view, inner.from, inner.to);
      }
    }
  }
  if (name === undefined) return undefined;
  return {
    index: view.getInt32(body + 4, true),
    name,
    mac,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0 && passing,
    broadcast: (flags & IFF_BROADCAST) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    noArp: (flags & IFF_NOARP) !== 0,
    ...(master !== undefined && master !== 0 && { master }),
    ...(kind !== undefined && { kind }),
  };
}

interface Attribute {
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

/** Type-length-value triples, each padded to four bytes. */
function* attributes(view: DataView, start: number, end: number): Generator<Attribute> {
  let at = start;
  while (at + 4 <= end) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) return;
    yield { type: view.getUint16(at + 2, true) & TYPE_MASK, from: at + 4, to: at + length };
    at += align(length);
  }
}

function align(length: number): number {
  return (length + 3) & ~3;
}

function copy(view: DataView, from: number, to: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + from, to - from).slice();
}

function text(view: DataView, from: number, to: number): string {
  const bytes = copy(view, from, to);
  const zero = bytes.indexOf(0);
  return String.fromCharCode(...(zero < 0 ? bytes : bytes.subarray(0, zero)));
}
