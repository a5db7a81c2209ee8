import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aesGcm } from '../../platform/ring/cipher.ts';
import { bytes, GOLDEN, RING } from './golden.rig.ts';
import { Keyring } from './keyring.ts';
import { encodeMessage, OUR_VERSIONS } from './messages.ts';
import type { Wrapping } from './packet.ts';
import { decodeStream, encodePushPull, encodeStream, MAX_STREAM, type PushPull } from './stream.ts';

const text = (s: string) => new TextEncoder().encode(s);
const keyring = (...keys: string[]) => new Keyring(aesGcm, keys.map(text));
const plain: Wrapping = { label: '', keyring: keyring() };
const sealed: Wrapping = { label: RING.label, keyring: keyring(RING.key) };
const labelled = (packet: string) => new Uint8Array([0xf4, 3, ...text('lab'), ...bytes(packet)]);
const report = (i: number, state: 'alive' | 'left') => ({
  name: `node-${i}`,
  at: { address: `192.0.2.${i}`, port: 7946 },
  meta: new Uint8Array(),
  incarnation: i + 1,
  state,
  versions: OUR_VERSIONS,
});
const BOTH: PushPull = { type: 'push-pull', join: true, reports: [report(0, 'alive'), report(1, 'left')] };

describe('streams', () => {
  it.each(['pushPull', 'pushPullCompressed'] as const)('read a %s of memberlist', (name) => {
    expect(decodeStream(bytes(GOLDEN[name]), plain, 'call')).toEqual(BOTH);
  });

  it('read an encrypted one: with the label in front when it is a call, without when it is an answer', () => {
    expect(decodeStream(labelled(GOLDEN.streamSealed), sealed, 'call')).toEqual(BOTH);
    expect(decodeStream(bytes(GOLDEN.streamSealed), sealed, 'answer')).toEqual(BOTH);
    expect(decodeStream(bytes(GOLDEN.streamSealed), sealed, 'call')).toBe('wrong-label');
    expect(decodeStream(labelled(GOLDEN.streamSealed), sealed, 'answer')).toBe('wrong-label');
  });

  it.each([
    ['in the clear', plain],
    ['encrypted', sealed],
  ])('read what they write, %s', (_, wrapping) => {
    for (const direction of ['call', 'answer'] as const) {
      const push = encodeStream(encodePushPull(BOTH), wrapping, direction);
      expect(decodeStream(push, wrapping, direction)).toEqual(BOTH);
      const ack = encodeStream(encodeMessage({ type: 'ack', seq: 9 }), wrapping, direction);
      expect(decodeStream(ack, wrapping, direction)).toEqual({ type: 'ack', seq: 9 });
    }
  });

  it.each([
    ['in the clear', bytes(GOLDEN.pushPull), plain],
    ['compressed', bytes(GOLDEN.pushPullCompressed), plain],
    ['encrypted', labelled(GOLDEN.streamSealed), sealed],
  ])('wait for more until the last byte is there: %s', (_, whole, wrapping) => {
    for (let length = 0; length < whole.length; length++) {
      expect(decodeStream(whole.subarray(0, length), wrapping, 'call')).toBe('more');
    }
  });

  it('hand out user messages and what the other side complains about', () => {
    const user = new Uint8Array([8, 0x81, 0xaa, ...text('UserMsgLen'), 2, 1, 2]);
    expect(decodeStream(user, plain, 'call')).toEqual({ type: 'user', payload: Uint8Array.of(1, 2) });
    expect(decodeStream(user.subarray(0, -1), plain, 'call')).toBe('more');
    expect(decodeStream(bytes('0d81a54572726f72a26e6f'), plain, 'answer')).toEqual({
      type: 'error',
      text: 'no',
    });
  });

  it.each([
    ['encrypted without a key', bytes(GOLDEN.streamSealed), plain, 'encrypted'],
    ['clear although there is a key', labelled(GOLDEN.pushPull), sealed, 'not-decrypted'],
    ['longer than any ring needs', new Uint8Array(MAX_STREAM + 1), plain, 'oversized'],
    ['announcing too much', labelled('0a7fffffff'), sealed, 'oversized'],
    ['of a type that no stream has', bytes(GOLDEN.alive), plain, 'unknown-type'],
    ['no msgpack', bytes('06c1'), plain, 'malformed'],
    ['a member without a name', bytes('0681a54e6f6465730180'), plain, 'malformed'],
    ['an empty label', bytes('f400'), plain, 'malformed'],
  ] as const)('refuse what is %s', (_, stream, wrapping, drop) => {
    expect(decodeStream(stream, wrapping, 'call')).toBe(drop);
  });

  it('never throw, whatever comes', () => {
    const corpus = [bytes(GOLDEN.pushPull), bytes(GOLDEN.pushPullCompressed), labelled(GOLDEN.streamSealed)];
    const damaged = fc
      .tuple(fc.constantFrom(...corpus), fc.nat(400), fc.nat(255))
      .map(([base, at, byte]) => new Uint8Array(base).fill(byte, at % base.length, (at % base.length) + 1));
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 })), (stream) => {
        for (const wrapping of [plain, sealed]) {
          expect(decodeStream(stream, wrapping, 'call')).toBeDefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
