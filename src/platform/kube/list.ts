/** Reads a list while its bytes come in, object by object: ten thousand are far more as text or as values than what is kept of them. */

const ITEMS = '"items":[';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** Braces and brackets differ in this bit alone. */
const CURLED = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Takes the bytes of one answer, then says what they were. Either throws SyntaxError when they are no JSON. */
export interface BodyReader {
  /** The next bytes, which are only good until the call returns. */
  take(chunk: Uint8Array): void;
  /** They are complete. */
  end(): unknown;
}

/**
 * Calls `item` with each of a list's `items` as soon as it is there; `end` returns the rest of the list, without them. Text that is
 * written otherwise than API servers write it is kept and parsed whole in the end.
 */
export class ListReader implements BodyReader {
  readonly #item: (raw: unknown) => void;
  /** All but the items: up to the bracket after ITEMS, and from the one at the end of the list. */
  #rest: Buffer = Buffer.alloc(0);
  #phase: 'head' | 'items' | 'tail' = 'head';
  /** The beginning of an item whose end did not come yet. */
  #held: Buffer[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;
  #first = true;

  constructor(item: (raw: unknown) => void) {
    this.#item = item;
  }

  take(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#phase === 'items') this.#takeItems(bytes);
    else if (this.#phase === 'tail') this.#rest = Buffer.concat([this.#rest, bytes]);
    else this.#takeHead(bytes);
  }

  end(): unknown {
    if (this.#phase === 'items') throw new SyntaxError('the list is cut short');
    const rest: unknown = JSON.parse(this.#rest.toString('utf8'));
    if (this.#phase === 'tail') return rest;
    const { items, ...others } = Object(rest);
    if (!Array.isArray(items)) return rest;
    for (const item of items) this.#item(item);
    return { ...others, items: [] };
  }

  #takeHead(bytes: Buffer): void {
    const all = Buffer.concat([this.#rest, bytes]);
    const at = all.indexOf(ITEMS);
    const end = at < 0 ? all.length : at + ITEMS.length;
    this.#rest = Buffer.from(all.subarray(0, end));
    if (at < 0) return;
    this.#phase = 'items';
    this.#takeItems(all.subarray(end));
  }

  /** Structure is in bytes below 0x80, which are no part of any other letter. */
  #takeItems(bytes: Buffer): void {
    let from = 0;
    for (let i = 0; i < bytes.length; i++) {
      const c = bytes[i] ?? 0;
      if (this.#inString) i = this.#endOfString(bytes, i);
      else if (c === QUOTE) this.#inString = true;
      else if ((c | CURLED) === OPEN) this.#depth++;
      else if (c === COMMA && this.#depth === 0) {
        this.#give(bytes.subarray(from, i));
        from = i + 1;
      } else if ((c | CURLED) === CLOSE && this.#depth-- === 0) {
        // An empty list has no item between its brackets.
        if (!this.#first || this.#held.length > 0 || i > from) this.#give(bytes.subarray(from, i));
        this.#phase = 'tail';
        this.#rest = Buffer.concat([this.#rest, bytes.subarray(i)]);
        return;
      }
    }
    if (from < bytes.length) this.#held.push(Buffer.from(bytes.subarray(from)));
  }

  /** Place of the quote that ends the string in which `at` is; of the last byte when it does not end here. */
  #endOfString(bytes: Buffer, at: number): number {
    for (let i = at; i < bytes.length; i++) {
      const c = bytes[i];
      if (this.#escaped) this.#escaped = false;
      else if (c === BACKSLASH) this.#escaped = true;
      else if (c === QUOTE) {
        this.#inString = false;
        return i;
      }
    }
    return bytes.length;
  }

  #give(end: Buffer): void {
    const text = (this.#held.length === 0 ? end : Buffer.concat([...this.#held, end])).toString('utf8');
    this.#held = [];
    this.#first = false;
    this.#item(JSON.parse(text));
  }
}
