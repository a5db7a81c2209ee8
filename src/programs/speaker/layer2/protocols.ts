import { type Address, addressBytes, type Family } from '../../../domain/ip/address.ts';
import type { Mac } from '../../../domain/ip/mac.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import {
  openArpSocket,
  openNdpSocket,
  type PacketSocket,
  type PacketSocketOptions,
} from '../../../platform/linux/packet.ts';
import * as arpCodec from '../../../protocols/arp/codec.ts';
import type { Drop as ArpDrop } from '../../../protocols/arp/events.ts';
import { claimant as arpClaimant, otherOwner as arpOther } from '../../../protocols/arp/other.ts';
import * as arp from '../../../protocols/arp/respond.ts';
import type { Announced, Announcement, Face } from '../../../protocols/layer2/announced.ts';
import type { Other, Whose } from '../../../protocols/layer2/other.ts';
import * as ndpCodec from '../../../protocols/ndp/codec.ts';
import type { Drop as NdpDrop } from '../../../protocols/ndp/events.ts';
import { groupMac, solicitedNode } from '../../../protocols/ndp/groups.ts';
import { claimant as ndpClaimant, otherOwner as ndpOther } from '../../../protocols/ndp/other.ts';
import * as ndp from '../../../protocols/ndp/respond.ts';
import { answersArp, answersNdp, type Exclusion } from './interfaces.ts';

/** How addresses of one family are answered for: what a responder has to know of ARP or neighbour discovery. */
export interface Protocol {
  readonly name: 'arp' | 'ndp';
  readonly family: Family;
  readonly answersOn: (link: Link, excluded: Exclusion) => boolean;
  /** Throws LinuxError. */
  readonly open: (options: PacketSocketOptions) => PacketSocket;
  /** On 'reply' the answer stands in `reply`, which `replyBuffer` has made. */
  readonly respond: (
    request: { readonly frame: Uint8Array; readonly length: number },
    at: { readonly face: Face; readonly announced: Announced },
    reply: Uint8Array,
  ) => 'reply' | ArpDrop | NdpDrop;
  /** Who else claims an address of ours with this frame. */
  readonly otherOwner: (
    request: { readonly frame: Uint8Array; readonly length: number },
    at: Whose,
  ) => Other | undefined;
  /** Which address a frame says is where, whosever it is. */
  readonly claimant: (request: {
    readonly frame: Uint8Array;
    readonly length: number;
  }) => Claimant | undefined;
  /** The frame that asks everybody who has the address. */
  readonly probe: (address: Address, mac: Mac) => Uint8Array;
  /** The address that a frame asks for, when it is ours. */
  readonly target: (frame: Uint8Array, announced: Announced) => Announcement | undefined;
  readonly replyBuffer: () => Uint8Array;
  /** The frames that tell the neighbours that the address is here. */
  readonly unasked: (announcement: Announcement, mac: Mac) => readonly Uint8Array[];
}

/** Who says that an address is theirs. */
export interface Claimant {
  readonly address: Address;
  readonly mac: Mac;
}

export type Drop = ArpDrop | NdpDrop;

export const ARP: Protocol = {
  ...arp,
  name: 'arp',
  family: 'IPv4',
  answersOn: answersArp,
  open: openArpSocket,
  otherOwner: arpOther,
  claimant: arpClaimant,
  probe: ({ bits }, mac) => arpCodec.probe(Number(bits), mac),
  unasked: ({ address }, mac) => arpCodec.gratuitous(Number(address.bits), mac),
};

export const NDP: Protocol = {
  ...ndp,
  name: 'ndp',
  family: 'IPv6',
  answersOn: answersNdp,
  open: openNdpSocket,
  otherOwner: ndpOther,
  claimant: ndpClaimant,
  probe: probeIpv6,
  unasked: ({ bytes }, mac) => [ndpCodec.unsolicited(bytes, mac)],
};

export const PROTOCOLS: readonly Protocol[] = [ARP, NDP];

function probeIpv6(address: Address, mac: Mac): Uint8Array {
  const target = addressBytes(address);
  const ip = solicitedNode(target);
  return ndpCodec.probe(target, mac, { ip, mac: groupMac(ip) });
}
