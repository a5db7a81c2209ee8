import { type Address, addressFromBytes } from '../../domain/ip/address.ts';
import type { Mac } from '../../domain/ip/mac.ts';
import { reaches } from '../layer2/announced.ts';
import { foreignMac, type Other, type Whose } from '../layer2/other.ts';
import {
  ADVERTISEMENT,
  AT,
  decode,
  findOption,
  HOP_LIMIT,
  intact,
  SOLICITATION,
  SOURCE_MAC,
  TARGET_MAC,
  wellFormed,
} from './codec.ts';

/**
 * Who else has an address of ours: whoever advertises it, asked or not, and whoever asks from it. A check whether the address
 * is free comes from no address, and claims nothing yet. Undefined for all other frames, at the price of one look-up.
 */
export function otherOwner(
  { frame, length }: { readonly frame: Uint8Array; readonly length: number },
  at: Whose,
): Other | undefined {
  if (length < AT.options) return undefined;
  const advertised = frame[AT.icmp] === ADVERTISEMENT;
  const announcement = at.announced.ipv6(frame, advertised ? AT.target : AT.from);
  if (!announcement || !reaches(announcement.interfaces, at.face.name)) return undefined;
  if (!wellFormed(frame, length) || frame[AT.hopLimit] !== HOP_LIMIT || !intact(frame)) return undefined;
  if (!advertised && frame[AT.icmp] !== SOLICITATION) return undefined;
  // An answer to one host may leave the MAC out: it is where the frame came from (RFC 4861 4.4).
  const option = findOption(frame, advertised ? TARGET_MAC : SOURCE_MAC);
  const mac = foreignMac(frame, option === 0 ? AT.source : option + 2, at);
  return mac && { announcement, mac };
}

/** Which address a frame says is where: that of an advertisement, asked for or not. Undefined when it says nothing of the kind. */
export function claimant({
  frame,
  length,
}: {
  readonly frame: Uint8Array;
  readonly length: number;
}): { readonly address: Address; readonly mac: Mac } | undefined {
  // Most frames are questions of others.
  if (frame[AT.icmp] !== ADVERTISEMENT) return undefined;
  const packet = decode(frame.subarray(0, length));
  if (packet?.type !== ADVERTISEMENT || packet.hopLimit !== HOP_LIMIT) return undefined;
  const mac = packet.options.find(({ type }) => type === TARGET_MAC)?.value ?? packet.source;
  const address = addressFromBytes(packet.target);
  return mac.length === 6 && ((mac[0] ?? 0) & 1) === 0 ? { address, mac } : undefined;
}
