import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, FRAME_LENGTH, gratuitous, type Packet, readIpv4, writeIpv4 } from './codec.ts';

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
const ipv4 = fc.nat(0xffff_ffff);
const packet: fc.Arbitrary<Packet> = fc.record({
  destination: mac,
  source: mac,
  operation: fc.nat(0xffff),
  senderMac: mac,
  senderIp: ipv4,
  targetMac: mac,
  targetIp: ipv4,
});

/** `arping` from 192.0.2.1 for 192.0.2.7, padded to 60 bytes by the driver. */
const recorded = Buffer.from(
  'ffffffffffff' +
    '020000000001' +
    '0806' +
    '0001080006040001' +
    '020000000001c0000201' +
    '000000000000c0000207' +
    '00'.repeat(18),
  'hex',
);

describe('the ARP codec', () => {
  it('reads a request as hosts send it, padding and all', () => {
    expect(decode(recorded)).toEqual({
      destination: Uint8Array.from([255, 255, 255, 255, 255, 255]),
      source: Uint8Array.from([2, 0, 0, 0, 0, 1]),
      operation: 1,
      senderMac: Uint8Array.from([2, 0, 0, 0, 0, 1]),
      senderIp: 0xc0000201,
      targetMac: new Uint8Array(6),
      targetIp: 0xc0000207,
    });
  });

  it('writes what it reads, and reads what it writes', () => {
    fc.assert(
      fc.property(packet, (p) => {
        const frame = encode(p);
        expect(frame).toHaveLength(FRAME_LENGTH);
        expect(decode(frame)).toEqual(p);
      }),
    );
    const again = decode(recorded);
    expect(again && Buffer.from(encode(again)).toString('hex')).toBe(
      recorded.subarray(0, 42).toString('hex'),
    );
  });

  it('refuses each frame that is shorter than a packet', () => {
    for (let length = 0; length < FRAME_LENGTH; length++) {
      expect(decode(recorded.subarray(0, length))).toBeUndefined();
    }
  });

  it('refuses another ethertype, hardware, protocol and address length', () => {
    for (let at = 12; at < 20; at++) {
      const bytes = Uint8Array.from(recorded);
      bytes[at] = (bytes[at] ?? 0) ^ 0x80;
      expect(decode(bytes)).toBeUndefined();
    }
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = decode(bytes);
        if (read) expect(encode(read)).toEqual(bytes.subarray(0, FRAME_LENGTH));
      }),
    );
    fc.assert(
      fc.property(fc.nat(59), fc.nat(255), (at, value) => {
        const bytes = Uint8Array.from(recorded);
        bytes[at] = value;
        const read = decode(bytes);
        if (read) expect(encode(read)).toEqual(bytes.subarray(0, FRAME_LENGTH));
      }),
    );
  });

  it('keeps addresses above 127.255.255.255 positive', () => {
    const bytes = new Uint8Array(4);
    writeIpv4(bytes, 0, 0xfffefdfc);
    expect([...bytes]).toEqual([0xff, 0xfe, 0xfd, 0xfc]);
    expect(readIpv4(bytes, 0)).toBe(0xfffefdfc);
  });

  it('tells a take-over as a request and as a reply, to everybody, about the address itself', () => {
    const own = Uint8Array.from([2, 0, 0, 0, 0, 9]);
    const [request, reply] = gratuitous(0xc0000207, own).map(decode);
    const all = Uint8Array.from([255, 255, 255, 255, 255, 255]);
    const common = {
      destination: all,
      source: own,
      senderMac: own,
      senderIp: 0xc0000207,
      targetMac: all,
      targetIp: 0xc0000207,
    };
    expect(request).toEqual({ ...common, operation: 1 });
    expect(reply).toEqual({ ...common, operation: 2 });
  });
});
