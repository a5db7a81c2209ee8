import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../domain/ip/address.ts';
import { formatMac, type Mac } from '../../domain/ip/mac.ts';
import { Announced } from '../layer2/announced.ts';
import { ALL_NODES, ALL_NODES_MAC, encode, OVERRIDE, type Packet, SOLICITED, unsolicited } from './codec.ts';
import { asked, client, ip6, own, recorded } from './frames.rig.ts';
import { claimant, otherOwner } from './other.ts';

const bridge = Uint8Array.from([2, 0, 0, 0, 0, 8]);
const SEVEN = ip6('2001:db8::7');

const announced = new Announced();
for (const [text, on] of [
  ['2001:db8::7', 'all'],
  ['2001:db8::8', new Set(['eth1'])],
] as const) {
  const address = parseAddress(text);
  if (address) announced.claim(address, `default/${text}`, on);
}
const at = {
  face: { name: 'eth0', mac: own },
  announced,
  isOwn: (mac: Mac) => formatMac(mac) === formatMac(bridge),
};

function see(frame: Uint8Array, length = frame.length): readonly [address: string, mac: string] | undefined {
  const other = otherOwner({ frame, length }, at);
  return other && [other.announcement.text, formatMac(other.mac)];
}

/** The host at 02:..:01 says to everybody that it has an address of ours. */
const claim: Packet = {
  destination: ALL_NODES_MAC,
  source: client,
  hopLimit: 255,
  from: SEVEN,
  to: ALL_NODES,
  type: 136,
  flags: OVERRIDE,
  target: SEVEN,
  options: [{ type: 2, value: client }],
};
const SEEN = ['2001:db8::7', '02:00:00:00:00:01'];

describe('somebody else that has an IPv6 address of ours', () => {
  it('is seen by what it tells everybody, and by what it answers us', () => {
    expect(see(unsolicited(SEVEN, client))).toEqual(SEEN);
    const answer = { ...claim, destination: own, to: ip6('2001:db8::99'), flags: SOLICITED | OVERRIDE };
    expect(see(encode(answer))).toEqual(SEEN);
    expect(see(encode({ ...answer, options: [] }))).toEqual(SEEN);
  });

  it('is seen when it asks from that address', () => {
    expect(see(asked({ from: SEVEN, target: ip6('2001:db8::99') }))).toEqual(SEEN);
    expect(see(asked({ from: SEVEN, options: [] }))).toEqual(SEEN);
  });

  it.each([
    ['this interface itself', { source: own, options: [{ type: 2, value: own }] }],
    ['another interface of this machine', { options: [{ type: 2, value: bridge }] }],
    ['a group', { options: [{ type: 2, value: ALL_NODES_MAC }] }],
    ['another address', { target: ip6('2001:db8::99') }],
    ['an address that is ours on another interface only', { target: ip6('2001:db8::8') }],
    ['what a router has forwarded', { hopLimit: 254 }],
  ] as const)('is not %s', (_, change) => {
    expect(see(encode({ ...claim, ...change }))).toBeUndefined();
  });

  it('is not who asks for our address, nor who checks whether it is free', () => {
    expect(see(recorded.question)).toBeUndefined();
    expect(see(recorded.probe)).toBeUndefined();
    const probe = { from: new Uint8Array(16), options: [] };
    expect(see(asked(probe))).toBeUndefined();
  });

  it('is not seen in a frame that is cut short, damaged or no neighbour discovery', () => {
    const frame = encode(claim);
    for (let length = 0; length < frame.length; length++) expect(see(frame, length)).toBeUndefined();
    for (const i of [12, 14, 20, 54, 55, 60, 85]) {
      const bytes = frame.slice();
      bytes[i] = (bytes[i] ?? 0) ^ 0x80;
      expect(see(bytes)).toBeUndefined();
    }
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => see(bytes) === undefined));
    const good = encode(claim);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(85), fc.nat(255)), { maxLength: 4 }), (patches) => {
        const frame = good.slice();
        for (const [index, value] of patches) frame[index] = value;
        see(frame);
      }),
    );
  });
});

describe('who answers a question of ours about an IPv6 address', () => {
  const read = (change: Partial<Packet>) => {
    const frame = encode({ ...claim, ...change });
    return claimant({ frame, length: frame.length });
  };
  const found = { address: parseAddress('2001:db8::7'), mac: client };

  it('is who advertises it, with or without its MAC', () => {
    expect(read({})).toEqual(found);
    expect(read({ options: [] })).toEqual(found);
  });

  it.each([
    ['a question', { type: 135 }],
    ['what a router has forwarded', { hopLimit: 254 }],
    ['a group', { options: [{ type: 2, value: ALL_NODES_MAC }] }],
    ['a MAC of another length', { options: [{ type: 2, value: new Uint8Array(14) }] }],
  ] as const)('is not %s', (_, change) => {
    expect(read(change)).toBeUndefined();
  });
});
