import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../platform/obs/random.ts';
import { aesGcm } from '../../platform/ring/cipher.ts';
import { crc32 } from './crc.ts';
import { bytes, GOLDEN, hex, RING } from './golden.rig.ts';
import { Keyring } from './keyring.ts';
import { pack } from './lzw.rig.ts';
import { unpack } from './lzw.ts';
import { encodeMessage, type Message, TYPE } from './messages.ts';
import { decodePacket, encodePacket, MAX_PACKET, room, type Wrapping } from './packet.ts';

const text = (s: string) => new TextEncoder().encode(s);
const keyring = (...keys: string[]) => new Keyring(aesGcm, keys.map(text));
const plain: Wrapping = { label: '', keyring: keyring() };
const sealed: Wrapping = { label: RING.label, keyring: keyring(RING.key) };
const labelled = (packet: string) => bytes(`f4${'03'}${hex(text('lab'))}${packet}`);
const PING = { type: 'ping', seq: 300, node: 'node-b' };
const ack = (seq: number): Message => ({ type: 'ack', seq });
const unsealed = (packet: Uint8Array, wrapping = plain) => decodePacket(packet, wrapping);

describe('packets', () => {
  it('reads one message', () => {
    expect(unsealed(bytes(GOLDEN.ping))).toMatchObject({ messages: [PING], drops: [] });
  });

  it.each(['compound', 'compressed'] as const)('reads what is %s', (name) => {
    const { messages, drops } = unsealed(bytes(GOLDEN[name]));
    expect(messages.map(({ type }) => type)).toEqual(['ping', 'suspect', 'alive']);
    expect(drops).toEqual([]);
  });

  it.each(['sealed', 'sealedPadded'] as const)('reads what memberlist encrypted: %s', (name) => {
    expect(unsealed(labelled(GOLDEN[name]), sealed)).toMatchObject({ messages: [PING], drops: [] });
  });

  it('opens with any key of the ring', () => {
    const ring = { label: RING.label, keyring: keyring('f'.repeat(16), RING.key) };
    expect(unsealed(labelled(GOLDEN.sealed), ring).messages).toMatchObject([PING]);
  });

  it.each([
    ['another key', { label: RING.label, keyring: keyring('f'.repeat(32)) }, 'not-decrypted'],
    ['another label', { label: 'bal', keyring: keyring(RING.key) }, 'wrong-label'],
    ['no label', { label: '', keyring: keyring(RING.key) }, 'wrong-label'],
  ] as const)('drops what is sealed for %s', (_, ring, drop) => {
    expect(unsealed(labelled(GOLDEN.sealed), ring)).toEqual({ messages: [], drops: [drop] });
  });

  it('drops a label that was put before a packet of another ring: it is authenticated', () => {
    const packet = encodePacket(
      [bytes(GOLDEN.ping)],
      { label: 'bal', keyring: sealed.keyring },
      { checksum: false },
    );
    const moved = labelled(hex(packet.subarray(5)));
    expect(unsealed(moved, sealed).drops).toEqual(['not-decrypted']);
  });

  it('drops one that is longer than a datagram can be', () => {
    expect(unsealed(new Uint8Array(65_536))).toEqual({ messages: [], drops: ['oversized'] });
  });

  it('takes nothing in the clear once there is a key', () => {
    const clear = labelled(GOLDEN.ping);
    expect(unsealed(clear, sealed).drops).toEqual(['not-decrypted']);
  });

  it.each([plain, sealed])('reads what it writes, with a checksum and without', (wrapping) => {
    for (const checksum of [true, false]) {
      const messages = [ack(1), ack(2), ack(3)];
      for (const count of [1, 3]) {
        const packet = encodePacket(messages.slice(0, count).map(encodeMessage), wrapping, { checksum });
        expect(unsealed(packet, wrapping)).toEqual({ messages: messages.slice(0, count), drops: [] });
      }
    }
  });

  it('writes a checksum as memberlist does: type, CRC-32, message', () => {
    const packet = encodePacket([encodeMessage(ack(300))], plain, { checksum: true });
    expect(hex(packet)).toBe(`0c${crc32(bytes(GOLDEN.ack)).toString(16).padStart(8, '0')}${GOLDEN.ack}`);
    expect(crc32(text('123456789'))).toBe(0xcbf4_3926);
  });

  it('drops a packet that was damaged on its way', () => {
    const packet = encodePacket([encodeMessage(ack(300))], plain, { checksum: true });
    packet[8] = 0;
    expect(unsealed(packet).drops).toEqual(['bad-checksum']);
  });

  it('stays within the size of a packet when its room is filled', () => {
    for (const wrapping of [plain, sealed]) {
      const half = new Uint8Array(room(wrapping) / 2 - 2);
      const packet = encodePacket([half, half], wrapping, { checksum: true });
      expect(packet.length).toBeLessThanOrEqual(MAX_PACKET);
      expect(packet.length).toBeGreaterThan(MAX_PACKET - 4);
    }
  });

  it('reads the good parts of a compound that is cut short', () => {
    const { messages, drops } = unsealed(bytes(GOLDEN.compound).subarray(0, -1));
    expect(messages.map(({ type }) => type)).toEqual(['ping', 'suspect']);
    expect(drops).toEqual(['malformed']);
  });

  it('drops what is packed without end: compounds in compounds', () => {
    let packet = encodeMessage(ack(1));
    for (let i = 0; i < 10; i++) packet = encodePacket([packet, packet], plain, { checksum: false });
    const { messages, drops } = unsealed(packet);
    expect(messages).toEqual([]);
    expect(drops.length).toBeLessThan(20);
  });

  it('never throws, whatever comes', () => {
    const corpus = Object.values(GOLDEN).map(bytes);
    const damaged = fc
      .record({
        base: fc.constantFrom(...corpus),
        at: fc.nat(300),
        byte: fc.nat(255),
        cut: fc.nat(300),
      })
      .map(({ base, at, byte, cut }) => {
        const packet = new Uint8Array(base.subarray(0, Math.max(1, base.length - (cut % base.length))));
        packet[at % packet.length] = byte;
        return packet;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (packet) => {
        for (const wrapping of [plain, sealed]) {
          const { messages, drops } = decodePacket(packet, wrapping);
          expect(messages.length + drops.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000, examples: [[bytes(GOLDEN.compressed)], [Uint8Array.of(TYPE.label)]] },
    );
  });
});

describe('LZW', () => {
  it('unpacks what was packed, also when the table of codes is filled several times', () => {
    const letters = fc.array(fc.nat(3), { minLength: 0, maxLength: 60 });
    fc.assert(
      fc.property(letters, fc.integer({ min: 1, max: 800 }), (some, times) => {
        const random = seededRandom(times);
        const plain = Uint8Array.from({ length: some.length * times }, () => random.next() * 8);
        expect(unpack(pack(plain), plain.length)).toEqual(plain);
      }),
      { numRuns: 30, examples: [[Array<number>(60).fill(0), 800]] },
    );
  });

  it('refuses what would grow beyond the limit', () => {
    const packed = bytes(GOLDEN.compressed).subarray(15);
    expect(unpack(packed, 2_000)?.length).toBe(bytes(GOLDEN.compound).length);
    expect(unpack(packed, 10)).toBeUndefined();
  });

  it('refuses a code that stands for nothing, and an end without its mark', () => {
    // The nine-bit code 300, right at the start.
    expect(unpack(Uint8Array.of(0x2c, 0x01, 0, 0), 100)).toBeUndefined();
    expect(unpack(Uint8Array.of(), 100)).toBeUndefined();
    expect(unpack(Uint8Array.of(0x41), 100)).toBeUndefined();
  });
});
