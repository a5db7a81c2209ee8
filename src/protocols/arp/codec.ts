import type { Mac } from '../../domain/ip/mac.ts';

/** An IPv4 address as an unsigned 32-bit number; frames are answered without making objects. */
export type Ipv4 = number;

/** An ARP packet for IPv4 over Ethernet, in its Ethernet frame. */
export interface Packet {
  readonly destination: Mac;
  readonly source: Mac;
  /** 1 request, 2 reply; others exist and are carried as they are. */
  readonly operation: number;
  readonly senderMac: Mac;
  readonly senderIp: Ipv4;
  readonly targetMac: Mac;
  readonly targetIp: Ipv4;
}

export const REQUEST = 1;
export const REPLY = 2;
/** Ethernet header (14) and ARP body (28). Hosts may pad to 60; what follows is no part of it. */
export const FRAME_LENGTH = 42;
export const BROADCAST: Mac = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** Offsets within the frame (RFC 826). */
export const AT = {
  destination: 0,
  source: 6,
  type: 12,
  body: 14,
  operation: 20,
  senderMac: 22,
  senderIp: 28,
  targetMac: 32,
  targetIp: 38,
} as const;

/** Ethertype, hardware type, protocol type and the two address lengths, which are the same in each frame. */
export const FIXED = Uint8Array.of(0x08, 0x06, 0, 1, 0x08, 0, 6, 4);

/** Whether the first `length` bytes hold a whole ARP packet for IPv4 over Ethernet. */
export function wellFormed(frame: Uint8Array, length: number): boolean {
  if (length < FRAME_LENGTH || frame.length < FRAME_LENGTH) return false;
  for (let i = 0; i < FIXED.length; i++) if (frame[AT.type + i] !== FIXED[i]) return false;
  return true;
}

/** Reads a frame; undefined when it is cut short or about something else. Padding is ignored. */
export function decode(frame: Uint8Array): Packet | undefined {
  if (!wellFormed(frame, frame.length)) return undefined;
  return {
    destination: copy(frame, AT.destination, AT.source),
    source: copy(frame, AT.source, AT.type),
    operation: ((frame[AT.operation] ?? 0) << 8) | (frame[AT.operation + 1] ?? 0),
    senderMac: copy(frame, AT.senderMac, AT.senderIp),
    senderIp: readIpv4(frame, AT.senderIp),
    targetMac: copy(frame, AT.targetMac, AT.targetIp),
    targetIp: readIpv4(frame, AT.targetIp),
  };
}

/** Writes a frame of 42 bytes. */
export function encode(p: Packet): Uint8Array {
  const frame = new Uint8Array(FRAME_LENGTH);
  frame.set(p.destination, AT.destination);
  frame.set(p.source, AT.source);
  frame.set(FIXED, AT.type);
  frame[AT.operation] = p.operation >>> 8;
  frame[AT.operation + 1] = p.operation;
  frame.set(p.senderMac, AT.senderMac);
  writeIpv4(frame, AT.senderIp, p.senderIp);
  frame.set(p.targetMac, AT.targetMac);
  writeIpv4(frame, AT.targetIp, p.targetIp);
  return frame;
}

/** Not slice: on a Buffer that would be a view of the frame, which the next one overwrites. */
function copy(frame: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(frame.subarray(from, to));
}

export function readIpv4(bytes: Uint8Array, at: number): Ipv4 {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

export function writeIpv4(bytes: Uint8Array, at: number, ip: Ipv4): void {
  bytes[at] = ip >>> 24;
  bytes[at + 1] = ip >>> 16;
  bytes[at + 2] = ip >>> 8;
  bytes[at + 3] = ip;
}

/**
 * Tells everybody on the link where the address lives. Both operations are sent, since some hosts heed only the
 * one and some only the other (RFC 5227 section 3). Sender and target are the address itself; the target MAC is broadcast, as upstream sends it.
 */
export function gratuitous(ip: Ipv4, mac: Mac): readonly [Uint8Array, Uint8Array] {
  const frame = (operation: number) =>
    encode({
      destination: BROADCAST,
      source: mac,
      operation,
      senderMac: mac,
      senderIp: ip,
      targetMac: BROADCAST,
      targetIp: ip,
    });
  return [frame(REQUEST), frame(REPLY)];
}

/** Asks everybody who has an address, without saying anything about the asker: an ARP probe (RFC 5227 2.1.1). */
export function probe(ip: Ipv4, mac: Mac): Uint8Array {
  return encode({
    destination: BROADCAST,
    source: mac,
    operation: REQUEST,
    senderMac: mac,
    senderIp: 0,
    targetMac: new Uint8Array(6),
    targetIp: ip,
  });
}
