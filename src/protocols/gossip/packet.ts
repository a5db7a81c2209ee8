import { crc32 } from './crc.ts';
import type { Drop } from './events.ts';
import { type Keyring, SEAL_OVERHEAD } from './keyring.ts';
import { unpack } from './lzw.ts';
import { decodeMessage, type Message, Struct, TYPE } from './messages.ts';
import { Reader } from './msgpack.ts';

/** What a ring's packets and streams are wrapped in. */
export interface Wrapping {
  /** Keeps rings apart that share a network; empty: none. At most 255 bytes. */
  readonly label: string;
  readonly keyring: Keyring;
}

/** The most that is sent in a packet, as upstream: it fits into an Ethernet frame beside what tunnels add. */
export const MAX_PACKET = 1400;
/** The most that is read: UDP cannot carry more, nor does upstream send more. */
const MAX_READ = 65_535;
/** Compressed in compound in compressed: nobody writes deeper. */
const DEPTH = 4;
/** Parts of one compound: its count is one byte. */
export const MAX_PARTS = 255;
/** Type and count of a compound, and the length of each part. */
export const COMPOUND_OVERHEAD = 2;
export const PART_OVERHEAD = 2;
const CHECKSUM_LENGTH = 5;

/** Bytes that messages may fill in one packet of this ring, compound header taken off. */
export function room({ label, keyring }: Wrapping): number {
  const bytes = label === '' ? 0 : labelHeader(label).length;
  return MAX_PACKET - COMPOUND_OVERHEAD - bytes - CHECKSUM_LENGTH - (keyring.enabled ? SEAL_OVERHEAD : 0);
}

/** Wraps messages into one packet. `checksum`: the receiver speaks protocol 5. */
export function encodePacket(
  messages: readonly Uint8Array[],
  wrapping: Wrapping,
  o: { checksum: boolean },
): Uint8Array {
  const [only] = messages;
  const body = messages.length === 1 && only ? only : compound(messages);
  const checked = o.checksum ? withChecksum(body) : body;
  const sealed = wrapping.keyring.seal(checked, labelBytes(wrapping));
  return wrapping.label === '' ? sealed : join([labelHeader(wrapping.label), sealed]);
}

/** What a packet held. Of a damaged one, what is good. */
export interface Unwrapped {
  readonly messages: readonly Message[];
  readonly drops: readonly Drop[];
}

export function decodePacket(bytes: Uint8Array, wrapping: Wrapping): Unwrapped {
  const drop = (reason: Drop): Unwrapped => ({ messages: [], drops: [reason] });
  if (bytes.length > MAX_READ) return drop('oversized');
  const labelled = takeLabel(bytes);
  if (labelled === 'short' || labelled === 'malformed') return drop('malformed');
  if (labelled.label !== wrapping.label) return drop('wrong-label');
  let { rest } = labelled;
  if (wrapping.keyring.enabled) {
    const plain = wrapping.keyring.open(rest, labelBytes(wrapping));
    if (!plain) return drop('not-decrypted');
    rest = plain;
  }
  if (rest[0] === TYPE.checksum) {
    const body = withoutChecksum(rest);
    if (!body) return drop('bad-checksum');
    rest = body;
  }
  const into = { messages: [], drops: [] };
  unwrap(rest, into, DEPTH);
  return into;
}

/** The label in front, if there is one. Streams have it, too; `short`: more bytes may come. */
export function takeLabel(bytes: Uint8Array): { label: string; rest: Uint8Array } | 'short' | 'malformed' {
  if (bytes[0] !== TYPE.label) return { label: '', rest: bytes };
  const length = bytes[1];
  if (length === undefined) return 'short';
  if (length === 0) return 'malformed';
  if (bytes.length < 2 + length) return 'short';
  return {
    label: new TextDecoder().decode(bytes.subarray(2, 2 + length)),
    rest: bytes.subarray(2 + length),
  };
}

const NO_LABEL = new Uint8Array();

function labelBytes({ label }: Wrapping): Uint8Array {
  return label === '' ? NO_LABEL : new TextEncoder().encode(label);
}

export function labelHeader(label: string): Uint8Array {
  const text = new TextEncoder().encode(label);
  return join([Uint8Array.of(TYPE.label, text.length), text]);
}

/** What a compressed message holds, given the fields behind its type byte. */
export function decompress(s: Struct, limit: number): Uint8Array | undefined {
  // The only algorithm there is has the number 0.
  const packed = s.uint('Algo') === 0 ? s.bytes('Buf') : undefined;
  return packed && s.good(packed) && unpack(packed, limit);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function unwrap(bytes: Uint8Array, into: { messages: Message[]; drops: Drop[] }, depth: number): void {
  const type = bytes[0];
  const rest = bytes.subarray(1);
  if (type === undefined || depth === 0) {
    into.drops.push('malformed');
  } else if (type === TYPE.compound) {
    for (const part of parts(rest)) {
      if (part) unwrap(part, into, depth - 1);
      else into.drops.push('malformed');
    }
  } else if (type === TYPE.compress) {
    const fields = new Reader(rest).fields();
    const plain = fields && decompress(new Struct(fields), MAX_READ);
    if (plain) unwrap(plain, into, depth - 1);
    else into.drops.push('malformed');
  } else {
    const message = decodeMessage(type, rest);
    if (typeof message === 'string') into.drops.push(message);
    else into.messages.push(message);
  }
}

/** Undefined stands for what is cut off. */
function parts(bytes: Uint8Array): readonly (Uint8Array | undefined)[] {
  const count = bytes[0];
  if (!count || bytes.length < 1 + count * PART_OVERHEAD) return [undefined];
  const found: (Uint8Array | undefined)[] = [];
  let at = 1 + count * PART_OVERHEAD;
  for (let i = 0; i < count; i++) {
    const length = ((bytes[1 + 2 * i] ?? 0) << 8) | (bytes[2 + 2 * i] ?? 0);
    if (bytes.length < at + length) return [...found, undefined];
    found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

function compound(messages: readonly Uint8Array[]): Uint8Array {
  const header = Uint8Array.of(
    TYPE.compound,
    messages.length,
    ...messages.flatMap(({ length }) => [length >>> 8, length & 0xff]),
  );
  return join([header, ...messages]);
}

function withChecksum(body: Uint8Array): Uint8Array {
  const header = new Uint8Array(CHECKSUM_LENGTH);
  header[0] = TYPE.checksum;
  new DataView(header.buffer).setUint32(1, crc32(body));
  return join([header, body]);
}

function withoutChecksum(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < CHECKSUM_LENGTH) return undefined;
  const body = bytes.subarray(CHECKSUM_LENGTH);
  const told = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1);
  return told === crc32(body) ? body : undefined;
}
