import { type Endpoint, packAddress } from './endpoint.ts';
import type { Drop } from './events.ts';
import { type Ack, decodeMessage, MAX_META, type Ping, Struct, TYPE, type Versions } from './messages.ts';
import { Reader, writeFields } from './msgpack.ts';
import { decompress, join, labelHeader, takeLabel, type Wrapping } from './packet.ts';

/** The most that a stream may bring, packed or unpacked: tens of thousands of members. Upstream reads 20 MiB. */
export const MAX_STREAM = 4 << 20;

/** States by their number on the wire. */
export const STATES = ['alive', 'suspect', 'dead', 'left'] as const;
export type State = (typeof STATES)[number];

/** One member as another one sees it. */
export interface Report {
  readonly name: string;
  readonly at: Endpoint;
  readonly meta: Uint8Array;
  readonly incarnation: number;
  readonly state: State;
  readonly versions: Versions;
}

/** All that a member knows; the one that is called answers with the same. */
export interface PushPull {
  readonly type: 'push-pull';
  /** The first one of a member that joins. */
  readonly join: boolean;
  readonly reports: readonly Report[];
}

/** One message a stream and direction. */
export type StreamMessage =
  | PushPull
  | Ping
  | Ack
  | { readonly type: 'user'; readonly payload: Uint8Array }
  | { readonly type: 'error'; readonly text: string };

/** Whether the bytes go from the caller to the called, or back: only a call carries the ring's label. */
export type Direction = 'call' | 'answer';

/** Wraps a message (type byte and all) for a stream. */
export function encodeStream(
  message: Uint8Array,
  { label, keyring }: Wrapping,
  direction: Direction,
): Uint8Array {
  const front = label === '' || direction === 'answer' ? [] : [labelHeader(label)];
  if (!keyring.enabled) return join([...front, message]);
  // Version, nonce and tag: known before sealing, since the length is authenticated.
  const header = encryptHeader(1 + 12 + message.length + 16);
  const sealed = keyring.seal(message, join([header, new TextEncoder().encode(label)]));
  return join([...front, header, sealed]);
}

export function encodePushPull({ join, reports }: PushPull): Uint8Array {
  const to: number[] = [TYPE.pushPull];
  writeFields(to, { Nodes: reports.length, UserStateLen: 0, Join: join });
  for (const { name, at, meta, incarnation, state, versions } of reports) {
    writeFields(to, {
      Name: name,
      Addr: packAddress(at.address),
      Port: at.port,
      Meta: meta.length === 0 ? null : meta,
      Incarnation: incarnation,
      State: STATES.indexOf(state),
      Vsn: versions,
    });
  }
  return Uint8Array.from(to);
}

/** What the bytes of a stream hold so far: a message, `more` when it is not whole yet, or why it is refused. */
export function decodeStream(
  bytes: Uint8Array,
  wrapping: Wrapping,
  direction: Direction,
): StreamMessage | 'more' | Drop {
  if (bytes.length > MAX_STREAM) return 'oversized';
  if (bytes.length === 0) return 'more';
  const labelled = takeLabel(bytes);
  if (labelled === 'short') return 'more';
  if (labelled === 'malformed') return 'malformed';
  const { label, rest } = labelled;
  if (label !== (direction === 'call' ? wrapping.label : '')) return 'wrong-label';
  if (rest.length === 0) return 'more';
  if (rest[0] !== TYPE.encrypt) {
    return wrapping.keyring.enabled ? 'not-decrypted' : decodeBody(rest);
  }
  if (!wrapping.keyring.enabled) return 'encrypted';
  const plain = decrypt(rest, wrapping);
  if (typeof plain === 'string') return plain;
  const message = decodeBody(plain);
  // It was sealed as a whole: what is missing will not come.
  return message === 'more' ? 'malformed' : message;
}

function decrypt(bytes: Uint8Array, { label, keyring }: Wrapping): Uint8Array | 'more' | Drop {
  if (bytes.length < 5) return 'more';
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1);
  if (length > MAX_STREAM) return 'oversized';
  if (bytes.length < 5 + length) return 'more';
  const data = join([bytes.subarray(0, 5), new TextEncoder().encode(label)]);
  return keyring.open(bytes.subarray(5, 5 + length), data) ?? 'not-decrypted';
}

function encryptHeader(length: number): Uint8Array {
  const header = new Uint8Array(5);
  header[0] = TYPE.encrypt;
  new DataView(header.buffer).setUint32(1, length);
  return header;
}

function decodeBody(bytes: Uint8Array): StreamMessage | 'more' | Drop {
  if (bytes[0] !== TYPE.compress) return decodePlain(bytes);
  const reader = new Reader(bytes, 1);
  const fields = reader.fields();
  if (!fields) return reader.fault === 'short' ? 'more' : 'malformed';
  const plain = decompress(new Struct(fields), MAX_STREAM);
  const message = plain ? decodePlain(plain) : 'malformed';
  return message === 'more' ? 'malformed' : message;
}

function decodePlain(bytes: Uint8Array): StreamMessage | 'more' | Drop {
  const [type] = bytes;
  if (type === undefined) return 'more';
  if (type === TYPE.pushPull) return readPushPull(bytes);
  if (type === TYPE.user) return readUser(bytes);
  if (type !== TYPE.ping && type !== TYPE.ack && type !== TYPE.error) return 'unknown-type';
  const reader = new Reader(bytes, 1);
  const fields = reader.fields();
  if (!fields) return reader.fault === 'short' ? 'more' : 'malformed';
  if (type === TYPE.error) return { type: 'error', text: new Struct(fields).text('Error') };
  const message = decodeMessage(type, bytes.subarray(1));
  if (typeof message === 'string') return message;
  return message.type === 'ping' || message.type === 'ack' ? message : 'unknown-type';
}

function readPushPull(bytes: Uint8Array): PushPull | 'more' | Drop {
  const reader = new Reader(bytes, 1);
  const fault = () => (reader.fault === 'short' ? 'more' : 'malformed');
  const fields = reader.fields();
  if (!fields) return fault();
  const header = new Struct(fields);
  const nodes = header.uint('Nodes');
  const userLength = header.uint('UserStateLen');
  const join = header.flag('Join');
  if (!header.good(true)) return 'malformed';
  if (nodes > MAX_STREAM || userLength > MAX_STREAM) return 'oversized';
  const reports: Report[] = [];
  for (let i = 0; i < nodes; i++) {
    const each = reader.fields();
    if (!each) return fault();
    const report = readReport(new Struct(each));
    if (!report) return 'malformed';
    reports.push(report);
  }
  // State of the application above, which nobody here has.
  return bytes.length < reader.at + userLength ? 'more' : { type: 'push-pull', join, reports };
}

function readReport(s: Struct): Report | undefined {
  const name = s.text('Name');
  const at = s.endpoint('Addr', 'Port');
  const meta = s.bytes('Meta');
  const state = STATES[s.uint('State')];
  if (name === '' || !at || !state || meta.length > MAX_META) return undefined;
  return s.good({ name, at, meta, incarnation: s.uint('Incarnation'), state, versions: s.bytes('Vsn') });
}

function readUser(bytes: Uint8Array): StreamMessage | 'more' | Drop {
  const reader = new Reader(bytes, 1);
  const fields = reader.fields();
  if (!fields) return reader.fault === 'short' ? 'more' : 'malformed';
  const header = new Struct(fields);
  const length = header.uint('UserMsgLen');
  if (!header.good(true)) return 'malformed';
  if (length > MAX_STREAM) return 'oversized';
  if (bytes.length < reader.at + length) return 'more';
  return { type: 'user', payload: bytes.slice(reader.at, reader.at + length) };
}
