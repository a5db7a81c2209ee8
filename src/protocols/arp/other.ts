import type { Address } from '../../domain/ip/address.ts';
import type { Mac } from '../../domain/ip/mac.ts';
import { reaches } from '../layer2/announced.ts';
import { foreignMac, type Other, type Whose } from '../layer2/other.ts';
import { AT, decode, REPLY, REQUEST, readIpv4, wellFormed } from './codec.ts';

/**
 * Who else has an address of ours: the sender of a request or reply, whatever it is about (RFC 5227 2.4). A check whether the
 * address is free has no sender, and claims nothing yet. Undefined for all other frames, at the price of one look-up.
 */
export function otherOwner(
  { frame, length }: { readonly frame: Uint8Array; readonly length: number },
  at: Whose,
): Other | undefined {
  const announcement = at.announced.ipv4(readIpv4(frame, AT.senderIp));
  if (!announcement || !wellFormed(frame, length)) return undefined;
  const operation = ((frame[AT.operation] ?? 0) << 8) | (frame[AT.operation + 1] ?? 0);
  if (operation !== REQUEST && operation !== REPLY) return undefined;
  if (!reaches(announcement.interfaces, at.face.name)) return undefined;
  const mac = foreignMac(frame, AT.senderMac, at);
  return mac && { announcement, mac };
}

/** Which address a frame says is where: the sender of a reply, asked for or not. Undefined when it says nothing of the kind. */
export function claimant({
  frame,
  length,
}: {
  readonly frame: Uint8Array;
  readonly length: number;
}): { readonly address: Address; readonly mac: Mac } | undefined {
  // Most frames are questions of others.
  if (frame[AT.operation + 1] !== REPLY) return undefined;
  const packet = decode(frame.subarray(0, length));
  if (!packet || packet.senderIp === 0 || ((packet.senderMac[0] ?? 0) & 1) !== 0) return undefined;
  if (packet.operation !== REPLY) return undefined;
  return { address: { family: 'IPv4', bits: BigInt(packet.senderIp) }, mac: packet.senderMac };
}
