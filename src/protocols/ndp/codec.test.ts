import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, type Packet, unsolicited } from './codec.ts';
import { asked, client, ip6, question, recorded } from './frames.rig.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const packet: fc.Arbitrary<Packet> = fc.record({
  destination: bytes(6),
  source: bytes(6),
  hopLimit: fc.nat(255),
  from: bytes(16),
  to: bytes(16),
  type: fc.constantFrom(135, 136),
  flags: fc.nat(255),
  target: bytes(16),
  options: fc.array(
    fc.record({ type: fc.nat(255), value: fc.integer({ min: 1, max: 4 }).chain((n) => bytes(8 * n - 2)) }),
    { maxLength: 4 },
  ),
});
/** A copy of a frame with bytes overwritten from an offset on. */
const patched = (frame: Uint8Array, at: number, ...patch: number[]) => {
  const copy = Uint8Array.from(frame);
  copy.set(patch, at);
  return copy;
};

describe('the neighbour discovery codec', () => {
  it('reads what a kernel sends', () => {
    expect(decode(recorded.question)).toEqual(question);
    expect(decode(recorded.probe)).toMatchObject({
      from: new Uint8Array(16),
      to: ip6('ff02::1:ff00:fe'),
      target: ip6('2001:db8::fe'),
      options: [{ type: 14, value: Uint8Array.from([0x5a, 0xb9, 0x24, 0x40, 0x5a, 0xd4]) }],
    });
  });

  it('writes what a kernel sends, checksum and all', () => {
    expect(Buffer.from(encode(question)).toString('hex')).toBe(recorded.question.toString('hex'));
  });

  it('writes what it reads, and reads what it writes', () => {
    fc.assert(
      fc.property(packet, (p) => {
        expect(decode(encode(p))).toEqual(p);
      }),
    );
  });

  it('reads no padding', () => {
    const padded = new Uint8Array(120).fill(0xee);
    padded.set(recorded.question);
    expect(decode(padded)).toEqual(question);
  });

  it('refuses each frame that is shorter than its packet', () => {
    for (let length = 0; length < recorded.question.length; length++) {
      expect(decode(recorded.question.subarray(0, length)), `${length}`).toBeUndefined();
    }
  });

  it.each([
    ['another ethertype', 12, [0x08, 0x00]],
    ['another version of IP', 14, [0x40]],
    ['a next header that is not ICMPv6', 20, [17]],
    ['a hop-by-hop header before the message', 20, [0]],
    ['a router advertisement', 54, [134]],
    ['a code', 55, [1]],
    ['a payload longer than the frame', 18, [0, 40]],
    ['a payload as long as IPv6 allows', 18, [0xff, 0xff]],
    ['a payload too short for a target', 18, [0, 16]],
    ['an option of no length', 79, [0]],
    ['an option that reaches beyond the packet', 79, [2]],
    ['an option of the greatest length', 79, [255]],
    ['a payload that ends within an option', 18, [0, 28]],
  ])('refuses %s', (_, at, patch) => {
    expect(decode(patched(recorded.question, at, ...patch))).toBeUndefined();
  });

  it('refuses a frame of which one bit was turned over, unless the checksum does not cover it', () => {
    // Covered: both addresses, the length, the next header, and the message.
    const covered = [18, 19, 20, ...Array.from({ length: 64 }, (_, i) => 22 + i)];
    for (const at of covered) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = patched(recorded.question, at, (recorded.question[at] ?? 0) ^ (1 << bit));
        expect(decode(flipped), `${at}.${bit}`).toBeUndefined();
      }
    }
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (frame) => void decode(frame)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(85), fc.nat(255)), { maxLength: 4 }),
        fc.nat(86),
        (patches, cut) => {
          const frame = Uint8Array.from(recorded.question);
          for (const [at, value] of patches) frame[at] = value;
          const read = decode(frame.subarray(0, cut));
          if (read) expect(decode(encode(read))).toEqual(read);
        },
      ),
    );
  });

  it('reads a frame as long as the link carries', () => {
    const options = [{ type: 200, value: new Uint8Array(1_430) }];
    expect(decode(asked({ options }))?.options).toEqual(options);
  });

  it('throws on an option that does not fill its units', () => {
    expect(() => asked({ options: [{ type: 1, value: new Uint8Array(5) }] })).toThrow(RangeError);
    expect(() => asked({ options: [{ type: 1, value: new Uint8Array(2_046) }] })).toThrow(RangeError);
  });

  it('tells a take-over to all nodes: unasked, overriding, by the address itself', () => {
    const own = Uint8Array.from([2, 0, 0, 0, 0, 9]);
    expect(decode(unsolicited(ip6('2001:db8::7'), own))).toEqual({
      destination: Uint8Array.from([0x33, 0x33, 0, 0, 0, 1]),
      source: own,
      hopLimit: 255,
      from: ip6('2001:db8::7'),
      to: ip6('ff02::1'),
      type: 136,
      flags: 0x20,
      target: ip6('2001:db8::7'),
      options: [{ type: 2, value: own }],
    });
  });

  it('keeps nothing of the buffer that it read from', () => {
    const frame = Buffer.from(recorded.question);
    const read = decode(frame);
    frame.fill(0);
    expect(read).toEqual({ ...question, source: client });
  });
});
