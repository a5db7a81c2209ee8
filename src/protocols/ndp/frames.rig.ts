import { addressBytes, parseAddress } from '../../domain/ip/address.ts';
import { encode, type Ipv6, type Packet } from './codec.ts';

/** What a Linux kernel (6.18) sent on an Ethernet link. */
export const recorded = {
  /** 2001:db8::fe at 02:00:00:00:00:01 asks for 2001:db8::7. */
  question: Buffer.from(
    '3333ff000007' +
      '020000000001' +
      '86dd' +
      '6000000000203aff' +
      '20010db80000000000000000000000fe' +
      'ff0200000000000000000001ff000007' +
      '87001b2000000000' +
      '20010db8000000000000000000000007' +
      '0101020000000001',
    'hex',
  ),
  /** The same host checks whether 2001:db8::fe is free, with a nonce (RFC 7527). */
  probe: Buffer.from(
    '3333ff0000fe' +
      '020000000001' +
      '86dd' +
      '6000000000203aff' +
      '00000000000000000000000000000000' +
      'ff0200000000000000000001ff0000fe' +
      '8700631c00000000' +
      '20010db80000000000000000000000fe' +
      '0e015ab924405ad4',
    'hex',
  ),
};

export function ip6(text: string): Ipv6 {
  const parsed = parseAddress(text);
  if (parsed?.family !== 'IPv6') throw new Error(text);
  return addressBytes(parsed);
}

/** The interface, and a host on its link. */
export const own: Uint8Array = Uint8Array.from([2, 0, 0, 0, 0, 9]);
export const client: Uint8Array = Uint8Array.from([2, 0, 0, 0, 0, 1]);

/** The recorded question as a packet. */
export const question: Packet = {
  destination: Uint8Array.from([0x33, 0x33, 0xff, 0, 0, 7]),
  source: client,
  hopLimit: 255,
  from: ip6('2001:db8::fe'),
  to: ip6('ff02::1:ff00:7'),
  type: 135,
  flags: 0,
  target: ip6('2001:db8::7'),
  options: [{ type: 1, value: client }],
};

/** The question with something else in it. */
export function asked(change: Partial<Packet> = {}): Uint8Array {
  return encode({ ...question, ...change });
}
