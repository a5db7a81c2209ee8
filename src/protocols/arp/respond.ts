import type { Mac } from '../../domain/ip/mac.ts';
import { type Announced, type Announcement, type Face, reaches } from '../layer2/announced.ts';
import { AT, BROADCAST, FIXED, FRAME_LENGTH, REPLY, REQUEST, readIpv4, wellFormed } from './codec.ts';
import type { Drop } from './events.ts';

/**
 * Answers one frame. On 'reply' the answer stands in `reply` (42 bytes, overwritten each time);
 * otherwise the result says why there is none. The answer says that the address is at the MAC of the interface
 * the question came in by, and goes to whoever asked, be it an address check (sender 0.0.0.0, RFC 5227) or not.
 */
export function respond(
  request: { readonly frame: Uint8Array; readonly length: number },
  at: { readonly face: Face; readonly announced: Announced },
  reply: Uint8Array,
): 'reply' | Drop {
  const { frame, length } = request;
  const { mac, name } = at.face;
  if (!wellFormed(frame, length) || isGroup(frame, AT.senderMac)) return 'malformed';
  if (frame[AT.operation] !== 0 || frame[AT.operation + 1] !== REQUEST) return 'not-request';
  if (!same(frame, AT.destination, mac) && !same(frame, AT.destination, BROADCAST))
    return 'other-destination';
  const announcement = at.announced.ipv4(readIpv4(frame, AT.targetIp));
  if (!announcement) return 'not-announced';
  if (!reaches(announcement.interfaces, name)) return 'other-interface';
  if (announcement.silent) return 'yielded';
  if (same(frame, AT.senderMac, mac)) return 'own-question';
  announcement.counts.requests++;
  write(frame, mac, reply);
  return 'reply';
}

/** The address that a frame asks for, when it is ours: its answer counts once it has left. */
export function target(frame: Uint8Array, announced: Announced): Announcement | undefined {
  return announced.ipv4(readIpv4(frame, AT.targetIp));
}

/** Byte by byte: for such short runs that costs less than making views. */
function write(request: Uint8Array, mac: Mac, reply: Uint8Array): void {
  for (let i = 0; i < FIXED.length; i++) reply[AT.type + i] = FIXED[i] ?? 0;
  reply[AT.operation] = 0;
  reply[AT.operation + 1] = REPLY;
  for (let i = 0; i < 6; i++) {
    const own = mac[i] ?? 0;
    // Who asked is told by the ARP body; the Ethernet source may be a bridge's or a proxy's.
    const asker = request[AT.senderMac + i] ?? 0;
    reply[AT.destination + i] = asker;
    reply[AT.source + i] = own;
    reply[AT.senderMac + i] = own;
    reply[AT.targetMac + i] = asker;
  }
  for (let i = 0; i < 4; i++) {
    reply[AT.senderIp + i] = request[AT.targetIp + i] ?? 0;
    reply[AT.targetIp + i] = request[AT.senderIp + i] ?? 0;
  }
}

/** A room for one answer. */
export function replyBuffer(): Uint8Array {
  return new Uint8Array(FRAME_LENGTH);
}

/** No host has a group address; an answer to one would go to everybody. */
function isGroup(frame: Uint8Array, at: number): boolean {
  return ((frame[at] ?? 0) & 1) !== 0;
}

function same(frame: Uint8Array, at: number, mac: Mac): boolean {
  for (let i = 0; i < 6; i++) if (frame[at + i] !== mac[i]) return false;
  return true;
}
