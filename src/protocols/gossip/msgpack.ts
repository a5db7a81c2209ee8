/**
 * The part of msgpack that memberlist speaks. Its codec writes byte slices and strings alike, in the old "raw" format
 * without a text type, so that both are bytes here; the newer types are read as well.
 */
export type Value = number | boolean | null | Uint8Array | readonly Value[] | Fields;
export type Fields = ReadonlyMap<string, Value>;

/** `short`: good as far as it goes, and cut off. */
export type Fault = 'short' | 'malformed';

/** Both keep nothing between two calls. */
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** UTF-8 to text; what is none becomes U+FFFD. Names are short and plain mostly, for which a loop is faster. */
export function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte >= 0x80) return DECODER.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Real messages have a depth of two. */
const DEPTH = 6;

/** Reads one value after another. Never throws: a fault is kept, and whatever is read after it is null. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  #fault: Fault | undefined;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  /** Where the next value begins. */
  get at(): number {
    return this.#at;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** One map with text keys, as a Go struct is written; undefined: something else, or a fault. */
  fields(): Fields | undefined {
    const value = this.value();
    if (this.#fault === undefined && value instanceof Map) return value;
    this.#fault ??= 'malformed';
    return undefined;
  }

  value(depth = DEPTH): Value {
    const tag = this.#number(1);
    if (this.#fault !== undefined) return null;
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#raw(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    return this.#long(tag, depth);
  }

  #long(tag: number, depth: number): Value {
    if (tag === 0xc0) return null;
    if (tag === 0xc2 || tag === 0xc3) return tag === 0xc3;
    if (tag >= 0xc4 && tag <= 0xc6) return this.#raw(this.#number(1 << (tag - 0xc4)));
    if (tag >= 0xcc && tag <= 0xcf) return this.#number(1 << (tag - 0xcc));
    if (tag >= 0xd0 && tag <= 0xd3) return this.#signed(1 << (tag - 0xd0));
    if (tag >= 0xd9 && tag <= 0xdb) return this.#raw(this.#number(1 << (tag - 0xd9)));
    if (tag === 0xdc || tag === 0xdd) return this.#array(this.#number(tag === 0xdc ? 2 : 4), depth);
    if (tag === 0xde || tag === 0xdf) return this.#map(this.#number(tag === 0xde ? 2 : 4), depth);
    return this.#fail('malformed');
  }

  /** Unsigned, big-endian; those of eight bytes only where a number holds them. */
  #number(length: number): number {
    const at = this.#take(length);
    if (at === undefined) return 0;
    if (length === 1) return this.#view.getUint8(at);
    if (length === 2) return this.#view.getUint16(at);
    if (length === 4) return this.#view.getUint32(at);
    return this.#safe(this.#view.getBigUint64(at));
  }

  #signed(length: number): number {
    const at = this.#take(length);
    if (at === undefined) return 0;
    if (length === 1) return this.#view.getInt8(at);
    if (length === 2) return this.#view.getInt16(at);
    if (length === 4) return this.#view.getInt32(at);
    return this.#safe(this.#view.getBigInt64(at));
  }

  #safe(value: bigint): number {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    this.#fail('malformed');
    return 0;
  }

  #raw(length: number): Uint8Array | null {
    const at = this.#take(length);
    return at === undefined ? null : this.#bytes.subarray(at, at + length);
  }

  #array(length: number, depth: number): readonly Value[] | null {
    if (depth === 0) return this.#fail('malformed');
    const values: Value[] = [];
    // Each value has at least one byte, so that a lie about the length costs nothing.
    for (let i = 0; i < length && this.#fault === undefined; i++) values.push(this.value(depth - 1));
    return values;
  }

  #map(length: number, depth: number): Fields | null {
    if (depth === 0) return this.#fail('malformed');
    const fields = new Map<string, Value>();
    for (let i = 0; i < length && this.#fault === undefined; i++) {
      const key = this.value(depth - 1);
      if (this.#fault !== undefined) break;
      if (!(key instanceof Uint8Array)) return this.#fail('malformed');
      fields.set(decodeText(key), this.value(depth - 1));
    }
    return fields;
  }

  #take(length: number): number | undefined {
    if (this.#fault !== undefined) return undefined;
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      this.#fail('short');
      return undefined;
    }
    this.#at = at + length;
    return at;
  }

  #fail(fault: Fault): null {
    this.#fault ??= fault;
    return null;
  }
}

/** What a message is written from; undefined leaves the field out. */
export type Writable = number | boolean | null | string | Uint8Array | undefined;

/**
 * Appends a map to `to`, keys in alphabetical order, as Go's codec orders the fields of a struct. Numbers are unsigned
 * and of at most 32 bits.
 */
export function writeFields(to: number[], fields: Readonly<Record<string, Writable>>): void {
  const names = Object.keys(fields).sort();
  const start = to.length;
  to.push(0);
  let count = 0;
  for (const name of names) {
    const value = fields[name];
    if (value === undefined) continue;
    count++;
    writeText(to, name);
    if (value === null) to.push(0xc0);
    else if (typeof value === 'boolean') to.push(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') writeNumber(to, value);
    else if (typeof value === 'string') writeText(to, value);
    else writeRaw(to, value);
  }
  to[start] = 0x80 | count;
}

/** Names are short and plain mostly, for which a loop is faster than an encoder. */
function writeText(to: number[], text: string): void {
  if (text.length >= 0x20 || !isAscii(text)) {
    writeRaw(to, ENCODER.encode(text));
    return;
  }
  to.push(0xa0 | text.length);
  for (let i = 0; i < text.length; i++) to.push(text.charCodeAt(i));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

function writeNumber(to: number[], n: number): void {
  if (n < 0x80) to.push(n);
  else if (n < 0x100) to.push(0xcc, n);
  else if (n < 0x1_0000) to.push(0xcd, n >>> 8, n & 0xff);
  else to.push(0xce, n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff);
}

function writeRaw(to: number[], bytes: Uint8Array): void {
  const { length } = bytes;
  if (length < 0x20) to.push(0xa0 | length);
  else if (length < 0x1_0000) to.push(0xda, length >>> 8, length & 0xff);
  else to.push(0xdb, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
  for (const byte of bytes) to.push(byte);
}
