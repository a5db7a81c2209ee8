import type { Mac } from '../../domain/ip/mac.ts';
import { type Announced, type Announcement, type Face, reaches } from '../layer2/announced.ts';
import {
  ALL_NODES,
  ALL_NODES_MAC,
  AT,
  findOption,
  HOP_LIMIT,
  intact,
  OVERRIDE,
  SOLICITATION,
  SOLICITED,
  SOURCE_MAC,
  seal,
  unsolicited,
  wellFormed,
} from './codec.ts';
import type { Drop } from './events.ts';
import { SOLICITED_NODE } from './groups.ts';

/**
 * Answers one frame. On 'reply' the answer stands in `reply` (86 bytes, overwritten each time); otherwise the result
 * says why there is none. The answer says that the address is at the MAC of the interface the question came in by, and
 * replaces what the asker knew. A check whether the address is free (RFC 4862 5.4, sender ::) is answered to all nodes.
 * Who asks without a link-layer address of its own, as probes of a known neighbour may, is answered where the frame came from.
 */
export function respond(
  request: { readonly frame: Uint8Array; readonly length: number },
  at: { readonly face: Face; readonly announced: Announced },
  reply: Uint8Array,
): 'reply' | Drop {
  const { frame, length } = request;
  const { mac, name } = at.face;
  if (!wellFormed(frame, length)) return 'malformed';
  if (frame[AT.icmp] !== SOLICITATION) return 'not-solicitation';
  if (frame[AT.hopLimit] !== HOP_LIMIT) return 'hop-limit';
  if (!isGroup(frame) && !same(frame, AT.destination, mac)) return 'other-destination';
  const announcement = at.announced.ipv6(frame, AT.target);
  if (!announcement) return 'not-announced';
  if (!reaches(announcement.interfaces, name)) return 'other-interface';
  if (announcement.silent) return 'yielded';
  const asker = whoAsks(frame);
  if (asker < 0) return 'malformed';
  if (same(frame, asker, mac)) return 'own-question';
  // Last, as it looks at each byte: most questions on a large link are not for us.
  if (!intact(frame)) return 'checksum';
  announcement.counts.requests++;
  if (isProbe(frame)) writeToAll(frame, mac, reply);
  else writeTo(frame, { asker, mac }, reply);
  seal(reply);
  return 'reply';
}

/** The address that a frame asks for, when it is ours: its answer counts once it has left. */
export function target(frame: Uint8Array, announced: Announced): Announcement | undefined {
  return announced.ipv6(frame, AT.target);
}

/** A room for one answer, with what all answers have in common. */
export function replyBuffer(): Uint8Array {
  return unsolicited(new Uint8Array(16), new Uint8Array(6));
}

/** Offset of the MAC of whoever asks; -1 when the question is not one (RFC 4861 7.1.1). */
function whoAsks(frame: Uint8Array): number {
  const option = findOption(frame, SOURCE_MAC);
  if (isProbe(frame)) return option === 0 && isSolicitedNode(frame) ? AT.source : -1;
  if (frame[AT.from] === 0xff) return -1;
  if (option !== 0 && frame[option + 1] !== 1) return -1;
  const mac = option === 0 ? AT.source : option + 2;
  // No host has a group address; an answer to one would go to everybody.
  return ((frame[mac] ?? 0) & 1) === 0 ? mac : -1;
}

/** The unspecified address asks: somebody is about to use the target and wants to know whether it is free. */
function isProbe(frame: Uint8Array): boolean {
  for (let i: number = AT.from; i < AT.to; i++) if (frame[i] !== 0) return false;
  return true;
}

function isSolicitedNode(frame: Uint8Array): boolean {
  for (let i = 0; i < SOLICITED_NODE.length; i++) if (frame[AT.to + i] !== SOLICITED_NODE[i]) return false;
  return true;
}

/** Byte by byte: for such short runs that costs less than making views. */
function writeTo(
  request: Uint8Array,
  { asker, mac }: { readonly asker: number; readonly mac: Mac },
  reply: Uint8Array,
): void {
  for (let i = 0; i < 6; i++) reply[AT.destination + i] = request[asker + i] ?? 0;
  for (let i = 0; i < 16; i++) reply[AT.to + i] = request[AT.from + i] ?? 0;
  reply[AT.flags] = SOLICITED | OVERRIDE;
  writeOwn(request, mac, reply);
}

function writeToAll(request: Uint8Array, mac: Mac, reply: Uint8Array): void {
  for (let i = 0; i < 6; i++) reply[AT.destination + i] = ALL_NODES_MAC[i] ?? 0;
  for (let i = 0; i < 16; i++) reply[AT.to + i] = ALL_NODES[i] ?? 0;
  reply[AT.flags] = OVERRIDE;
  writeOwn(request, mac, reply);
}

function writeOwn(request: Uint8Array, mac: Mac, reply: Uint8Array): void {
  for (let i = 0; i < 6; i++) {
    const own = mac[i] ?? 0;
    reply[AT.source + i] = own;
    reply[AT.options + 2 + i] = own;
  }
  for (let i = 0; i < 16; i++) {
    const byte = request[AT.target + i] ?? 0;
    reply[AT.from + i] = byte;
    reply[AT.target + i] = byte;
  }
}

/** IPv6 groups have Ethernet addresses of their own, 33:33 (RFC 2464 7). */
function isGroup(frame: Uint8Array): boolean {
  return frame[AT.destination] === 0x33 && frame[AT.destination + 1] === 0x33;
}

function same(frame: Uint8Array, at: number, mac: Mac): boolean {
  for (let i = 0; i < 6; i++) if (frame[at + i] !== mac[i]) return false;
  return true;
}
