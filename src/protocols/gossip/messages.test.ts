import { describe, expect, it } from 'vitest';
import { bytes, GOLDEN, hex } from './golden.rig.ts';
import { decodeMessage, encodeMessage, type Message, OUR_VERSIONS, TYPE } from './messages.ts';

const at = (address: string, port = 7946) => ({ address, port });
const origin = { node: 'node-a', at: at('192.0.2.11') };
const NONE = new Uint8Array();

const TABLE: readonly [name: keyof typeof GOLDEN, message: Message][] = [
  ['ping', { type: 'ping', seq: 300, node: 'node-b', origin }],
  ['pingBare', { type: 'ping', seq: 1, node: 'node-b' }],
  ['pingLong', { type: 'ping', seq: 4_294_967_295, node: 'a-name-of-more-than-thirty-one-bytes.example' }],
  [
    'indirectPing',
    { type: 'indirect-ping', seq: 70_000, node: 'node-c', target: at('192.0.2.12'), nack: true, origin },
  ],
  ['ack', { type: 'ack', seq: 300 }],
  ['nack', { type: 'nack', seq: 300 }],
  ['suspect', { type: 'suspect', incarnation: 5, node: 'node-b', from: 'node-a' }],
  [
    'alive',
    {
      type: 'alive',
      incarnation: 7,
      node: 'node-b',
      at: at('192.0.2.12'),
      meta: NONE,
      versions: OUR_VERSIONS,
    },
  ],
  ['dead', { type: 'dead', incarnation: 7, node: 'node-b', from: 'node-b' }],
];
const decode = (b: Uint8Array) => decodeMessage(b[0] ?? -1, b.subarray(1));

describe('messages', () => {
  it.each(TABLE)('writes %s as memberlist does, byte by byte', (name, message) => {
    expect(hex(encodeMessage(message))).toBe(GOLDEN[name]);
  });

  it.each(TABLE)('reads %s as memberlist writes it', (name, message) => {
    expect(decode(bytes(GOLDEN[name]))).toEqual(message);
  });

  it('reads an IPv4 address in its IPv6 form, and metadata', () => {
    const meta = new TextEncoder().encode('m');
    expect(decode(bytes(GOLDEN.aliveMapped))).toMatchObject({ at: at('192.0.2.12', 80), meta });
  });

  it('does without the payload of an ack', () => {
    expect(decode(bytes(GOLDEN.ackWithPayload))).toEqual({ type: 'ack', seq: 300 });
  });

  it('carries user messages as they are', () => {
    const message: Message = { type: 'user', payload: Uint8Array.of(1, 2) };
    expect(hex(encodeMessage(message))).toBe('080102');
    expect(decode(Uint8Array.of(8, 1, 2))).toEqual(message);
  });

  it('does not know a type that has no reader', () => {
    expect(decodeMessage(TYPE.pushPull, NONE)).toBe('unknown-type');
    expect(decodeMessage(99, NONE)).toBe('unknown-type');
  });

  it.each([
    ['nothing', TYPE.ping, ''],
    ['no map', TYPE.ping, 'c0'],
    ['a number where a name is', TYPE.ping, '81a44e6f646505'],
    ['a negative sequence number', TYPE.ack, '81a55365714e6fff'],
    ['a sequence number of more than 32 bits', TYPE.ack, '81a55365714e6fcf0000000100000000'],
    ['an accusation of nobody', TYPE.dead, '80'],
    ['an address of three bytes', TYPE.alive, '83a441646472a3c00002a44e6f6465a162a4506f7274cd1f0a'],
    ['port 0', TYPE.alive, '83a441646472a4c000020ca44e6f6465a162a4506f727400'],
    ['an indirect ping without a target', TYPE.indirectPing, '80'],
  ])('refuses %s', (_, type, text) => {
    expect(decodeMessage(type, bytes(text))).toBe('malformed');
  });

  it('refuses more than 512 bytes of metadata', () => {
    const alive = (length: number): Message => ({
      type: 'alive',
      incarnation: 1,
      node: 'b',
      at: at('2001:db8::7'),
      meta: new Uint8Array(length),
      versions: OUR_VERSIONS,
    });
    expect(decode(encodeMessage(alive(512)))).toEqual(alive(512));
    expect(decode(encodeMessage(alive(513)))).toBe('malformed');
  });

  it('copies what it keeps, as the packet is overwritten by the next one', () => {
    const packet = bytes(GOLDEN.alive);
    const message = decode(packet);
    packet.fill(0xff);
    expect(message).toMatchObject({ at: at('192.0.2.12'), versions: OUR_VERSIONS });
  });
});
