import type { Address } from '../../domain/ip/address.ts';
import { Announced } from '../layer2/announced.ts';
import { BROADCAST, encode, type Packet } from './codec.ts';

/** The interface, and hosts on its link. */
export const own: Uint8Array = Uint8Array.from([2, 0, 0, 0, 0, 1]);
export const client: Uint8Array = Uint8Array.from([2, 0, 0, 0, 0, 2]);

/** 192.0.2.7, which is announced, and 192.0.2.8, which is announced on another interface. */
export const SEVEN = 0xc0000207;
export const EIGHT = 0xc0000208;

/** The client, 192.0.2.1, asks for 192.0.2.7. */
export const question: Packet = {
  destination: BROADCAST,
  source: client,
  operation: 1,
  senderMac: client,
  senderIp: 0xc0000201,
  targetMac: new Uint8Array(6),
  targetIp: SEVEN,
};

/** The question with something else in it. */
export function asked(change: Partial<Packet> = {}): Uint8Array {
  return encode({ ...question, ...change });
}

export function announcing(): Announced {
  const announced = new Announced();
  const ip = (bits: number): Address => ({ family: 'IPv4', bits: BigInt(bits) });
  announced.claim(ip(SEVEN), 'default/web', 'all');
  announced.claim(ip(EIGHT), 'default/elsewhere', new Set(['eth1']));
  return announced;
}
