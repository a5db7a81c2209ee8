import { type Endpoint, packAddress, unpackAddress } from './endpoint.ts';
import { decodeText, type Fields, Reader, type Writable, writeFields } from './msgpack.ts';

/** Types of messages by their number on the wire, as memberlist counts them. Append only. */
export const TYPE = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compress: 9,
  encrypt: 10,
  nack: 11,
  checksum: 12,
  error: 13,
  label: 244,
} as const;

/** Who asks, so that the answer finds the way back whatever the packet's source was. */
export interface Origin {
  readonly node: string;
  readonly at: Endpoint;
}

/** Least, most and spoken version of the protocol, then the same of the application above it. */
export type Versions = Uint8Array;

/** Upstream's: protocol 1 to 5, speaking 2, and nothing above it. */
export const OUR_VERSIONS: Versions = Uint8Array.of(1, 5, 2, 0, 0, 0);
/** Bytes of metadata that a member may have, as upstream. */
export const MAX_META = 512;

export interface Ping {
  readonly type: 'ping';
  readonly seq: number;
  /** Whom it is for; empty: whoever gets it. */
  readonly node: string;
  readonly origin?: Origin;
}
/** Asks a third one to ping `node` at `target`, and to say so when it gets no answer. */
export interface IndirectPing {
  readonly type: 'indirect-ping';
  readonly seq: number;
  readonly node: string;
  readonly target: Endpoint;
  readonly nack: boolean;
  readonly origin?: Origin;
}
export interface Ack {
  readonly type: 'ack';
  readonly seq: number;
}
export interface Nack {
  readonly type: 'nack';
  readonly seq: number;
}
export interface Alive {
  readonly type: 'alive';
  readonly incarnation: number;
  readonly node: string;
  readonly at: Endpoint;
  readonly meta: Uint8Array;
  readonly versions: Versions;
}
/** `from` accuses `node`. A dead one that accuses itself has left. */
export interface Accusation {
  readonly type: 'suspect' | 'dead';
  readonly incarnation: number;
  readonly node: string;
  readonly from: string;
}
/** Bytes of the application above. */
export interface User {
  readonly type: 'user';
  readonly payload: Uint8Array;
}
export type Message = Ping | IndirectPing | Ack | Nack | Alive | Accusation | User;

/** Writes a message with its type byte. */
export function encodeMessage(message: Message): Uint8Array {
  if (message.type === 'user') return Uint8Array.of(TYPE.user, ...message.payload);
  const [type, fields] = written(message);
  const to = [type];
  writeFields(to, fields);
  return Uint8Array.from(to);
}

type Written = readonly [type: number, Readonly<Record<string, Writable>>];

function written(m: Exclude<Message, User>): Written {
  switch (m.type) {
    case 'ping':
      return [TYPE.ping, { SeqNo: m.seq, Node: m.node, ...source(m.origin) }];
    case 'indirect-ping': {
      const target = { Target: packAddress(m.target.address), Port: m.target.port };
      return [
        TYPE.indirectPing,
        { SeqNo: m.seq, ...target, Node: m.node, Nack: m.nack, ...source(m.origin) },
      ];
    }
    case 'ack':
      return [TYPE.ack, { SeqNo: m.seq, Payload: null }];
    case 'nack':
      return [TYPE.nack, { SeqNo: m.seq }];
    case 'alive': {
      const at = { Addr: packAddress(m.at.address), Port: m.at.port };
      const meta = m.meta.length === 0 ? null : m.meta;
      return [TYPE.alive, { Incarnation: m.incarnation, Node: m.node, ...at, Meta: meta, Vsn: m.versions }];
    }
    default:
      return [TYPE[m.type], { Incarnation: m.incarnation, Node: m.node, From: m.from }];
  }
}

function source(origin: Origin | undefined): Readonly<Record<string, Writable>> {
  if (!origin) return {};
  const { node, at } = origin;
  return { SourceAddr: packAddress(at.address), SourcePort: at.port, SourceNode: node };
}

/** Reads a message of `type` from the bytes that follow its type byte. Unknown fields are ignored, missing ones empty. */
export function decodeMessage(type: number, bytes: Uint8Array): Message | 'malformed' | 'unknown-type' {
  if (type === TYPE.user) return { type: 'user', payload: bytes.slice() };
  const read = READ.get(type);
  if (!read) return 'unknown-type';
  const fields = new Reader(bytes).fields();
  return (fields && read(new Struct(fields))) ?? 'malformed';
}

const READ: ReadonlyMap<number, (s: Struct) => Message | undefined> = new Map([
  [
    TYPE.ping,
    (s: Struct) => s.good({ type: 'ping', seq: s.uint('SeqNo'), node: s.text('Node'), ...s.origin() }),
  ],
  [TYPE.indirectPing, readIndirectPing],
  [TYPE.ack, (s: Struct) => s.good({ type: 'ack', seq: s.uint('SeqNo') })],
  [TYPE.nack, (s: Struct) => s.good({ type: 'nack', seq: s.uint('SeqNo') })],
  [TYPE.alive, readAlive],
  [TYPE.suspect, (s: Struct) => readAccusation(s, 'suspect')],
  [TYPE.dead, (s: Struct) => readAccusation(s, 'dead')],
]);

function readIndirectPing(s: Struct): Message | undefined {
  const target = s.endpoint('Target', 'Port');
  if (!target) return undefined;
  const nack = s.flag('Nack');
  return s.good({
    type: 'indirect-ping',
    seq: s.uint('SeqNo'),
    node: s.text('Node'),
    target,
    nack,
    ...s.origin(),
  });
}

function readAlive(s: Struct): Alive | undefined {
  const at = s.endpoint('Addr', 'Port');
  const node = s.text('Node');
  const meta = s.bytes('Meta');
  if (!at || node === '' || meta.length > MAX_META) return undefined;
  return s.good({
    type: 'alive',
    incarnation: s.uint('Incarnation'),
    node,
    at,
    meta,
    versions: s.bytes('Vsn'),
  });
}

function readAccusation(s: Struct, type: Accusation['type']): Accusation | undefined {
  const node = s.text('Node');
  if (node === '') return undefined;
  return s.good({ type, incarnation: s.uint('Incarnation'), node, from: s.text('From') });
}

const MAX_UINT32 = 0xffff_ffff;

/** The fields of a Go struct by name. A field of another kind than asked for makes all of it bad. */
export class Struct {
  readonly #fields: Fields;
  #bad = false;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** What was made of it, unless a field was bad. */
  good<T>(made: T): T | undefined {
    return this.#bad ? undefined : made;
  }

  /** 32 bits. */
  uint(name: string): number {
    const value = this.#fields.get(name) ?? 0;
    if (typeof value === 'number' && value >= 0 && value <= MAX_UINT32) return value;
    this.#bad = true;
    return 0;
  }

  flag(name: string): boolean {
    const value = this.#fields.get(name) ?? false;
    if (typeof value !== 'boolean') this.#bad = true;
    return value === true;
  }

  /** A copy: what a packet came in is used again. */
  bytes(name: string): Uint8Array {
    const value = this.#fields.get(name) ?? new Uint8Array();
    if (value instanceof Uint8Array) return new Uint8Array(value);
    this.#bad = true;
    return new Uint8Array();
  }

  text(name: string): string {
    const value = this.#fields.get(name) ?? '';
    if (value instanceof Uint8Array) return decodeText(value);
    if (value !== '') this.#bad = true;
    return '';
  }

  endpoint(address: string, port: string): Endpoint | undefined {
    const text = unpackAddress(this.bytes(address));
    const number = this.uint(port);
    if (text === undefined || number === 0 || number > 0xffff) return undefined;
    return { address: text, port: number };
  }

  origin(): { origin?: Origin } {
    const at = this.endpoint('SourceAddr', 'SourcePort');
    const node = this.text('SourceNode');
    return at ? { origin: { node, at } } : {};
  }
}
