import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMac, type Mac } from '../../domain/ip/mac.ts';
import { BROADCAST, encode, gratuitous, type Packet } from './codec.ts';
import { announcing, EIGHT, own, question, SEVEN } from './frames.rig.ts';
import { claimant, otherOwner } from './other.ts';

const bridge = Uint8Array.from([2, 0, 0, 0, 0, 9]);
const rival = Uint8Array.from([2, 0, 0, 0, 0, 3]);

const at = {
  face: { name: 'eth0', mac: own },
  announced: announcing(),
  isOwn: (mac: Mac) => formatMac(mac) === formatMac(bridge),
};

function see(frame: Uint8Array, length = frame.length): readonly [address: string, mac: string] | undefined {
  const other = otherOwner({ frame, length }, at);
  return other && [other.announcement.text, formatMac(other.mac)];
}

/** Of the host at 02:..:03, which has an address of ours. */
const claim: Packet = { ...question, source: rival, senderMac: rival, senderIp: SEVEN, targetIp: 0xc0000201 };

describe('somebody else that has an address of ours', () => {
  it('is seen by its gratuitous request and by its gratuitous reply', () => {
    for (const frame of gratuitous(SEVEN, rival))
      expect(see(frame)).toEqual(['192.0.2.7', '02:00:00:00:00:03']);
  });

  it('is seen when it asks for anything, and when it answers us', () => {
    expect(see(encode(claim))).toEqual(['192.0.2.7', '02:00:00:00:00:03']);
    expect(see(encode({ ...claim, operation: 2, destination: own, targetMac: own }))).toBeDefined();
  });

  it('is who the packet names, not who brought it', () => {
    expect(see(encode({ ...claim, source: own }))?.[1]).toBe('02:00:00:00:00:03');
    expect(see(encode({ ...claim, source: rival, senderMac: own }))).toBeUndefined();
  });

  it.each([
    ['this interface itself', { senderMac: own }],
    ['another interface of this machine', { senderMac: bridge }],
    ['a group', { senderMac: BROADCAST }],
    ['no MAC', { senderMac: new Uint8Array(6) }],
    ['a check whether our address is free', { senderIp: 0, targetIp: SEVEN }],
    ['another address', { senderIp: 0xc0000209 }],
    ['an address that is ours on another interface only', { senderIp: EIGHT }],
    ['another operation', { operation: 3 }],
  ] as const)('is not %s', (_, change) => {
    expect(see(encode({ ...claim, ...change }))).toBeUndefined();
  });

  it('is not seen in a frame that is cut short or about something else', () => {
    const frame = encode(claim);
    for (let length = 0; length < 42; length++) expect(see(frame, length)).toBeUndefined();
    for (let i = 12; i < 20; i++) {
      const bytes = frame.slice();
      bytes[i] = (bytes[i] ?? 0) ^ 0x80;
      expect(see(bytes)).toBeUndefined();
    }
  });

  it('has a MAC of its own bytes, which the next frame does not overwrite', () => {
    const frame = Buffer.from(encode(claim));
    const other = otherOwner({ frame, length: frame.length }, at);
    frame.fill(0);
    expect(other && formatMac(other.mac)).toBe('02:00:00:00:00:03');
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => see(bytes) === undefined));
  });
});

describe('who answers a question of ours', () => {
  const read = (change: Partial<Packet>) => {
    const frame = encode({ ...claim, operation: 2, destination: own, senderIp: 0xc0000209, ...change });
    return claimant({ frame, length: frame.length });
  };

  it('is the sender of a reply, whosever the address is', () => {
    expect(read({})).toEqual({ address: { family: 'IPv4', bits: 0xc0000209n }, mac: rival });
  });

  it.each([
    ['a question', { operation: 1 }],
    ['an answer without an address', { senderIp: 0 }],
    ['a group', { senderMac: BROADCAST }],
    ['another operation', { operation: 0x0102 }],
  ] as const)('is not %s', (_, change) => {
    expect(read(change)).toBeUndefined();
  });

  it('is not in a frame that is cut short', () => {
    const frame = encode({ ...claim, operation: 2 });
    for (let length = 0; length < 42; length++) expect(claimant({ frame, length })).toBeUndefined();
  });
});
