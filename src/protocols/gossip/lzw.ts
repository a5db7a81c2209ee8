/** LZW with the least significant bit first and literals of eight bits, as Go's compress/lzw writes it. */
const CLEAR = 256;
const END = 257;
const MAX_WIDTH = 12;

/** Unpacks; undefined when the bytes are no LZW, end without their end mark, or would grow beyond `limit` bytes. */
export function unpack(packed: Uint8Array, limit: number): Uint8Array | undefined {
  const table = new Table();
  const out: number[] = [];
  let width = 9;
  let bits = 0;
  let held = 0;
  let at = 0;
  for (;;) {
    while (held < width) {
      const byte = packed[at++];
      if (byte === undefined) return undefined;
      bits |= byte << held;
      held += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    held -= width;
    if (code === END) return Uint8Array.from(out);
    if (code === CLEAR) {
      table.clear();
      width = 9;
      continue;
    }
    if (!table.append(code, out) || out.length > limit) return undefined;
    width = Math.min(MAX_WIDTH, table.width);
  }
}

/** The strings that codes stand for: each is an earlier one and one more byte. */
class Table {
  readonly #prefix = new Uint16Array(1 << MAX_WIDTH);
  readonly #suffix = new Uint8Array(1 << MAX_WIDTH);
  /** The code that the next entry gets. */
  #next = END + 1;
  #last: number | undefined;

  /** Bits of the code that follows: the reader's table is one entry behind the writer's. */
  get width(): number {
    return 32 - Math.clz32(this.#last === undefined ? this.#next - 1 : this.#next);
  }

  clear(): void {
    this.#next = END + 1;
    this.#last = undefined;
  }

  /** Appends what the code stands for; false when it stands for nothing yet. */
  append(code: number, out: number[]): boolean {
    const last = this.#last;
    const known = code < CLEAR || (code > END && code < this.#next);
    // The one code that is used in the very moment of its making: the last string and its own first byte.
    const fresh = code === this.#next && last !== undefined && this.#next < 1 << MAX_WIDTH;
    if (!known && !fresh) return false;
    const start = out.length;
    this.#write(fresh && last !== undefined ? last : code, out);
    const first = out[start] ?? 0;
    if (fresh) out.push(first);
    if (last !== undefined && this.#next < 1 << MAX_WIDTH) {
      this.#prefix[this.#next] = last;
      this.#suffix[this.#next] = first;
      this.#next++;
    }
    this.#last = code;
    return true;
  }

  #write(code: number, out: number[]): void {
    const start = out.length;
    let c = code;
    while (c >= CLEAR) {
      out.push(this.#suffix[c] ?? 0);
      c = this.#prefix[c] ?? 0;
    }
    out.push(c);
    for (let i = start, j = out.length - 1; i < j; i++, j--) {
      const swap = out[i] ?? 0;
      out[i] = out[j] ?? 0;
      out[j] = swap;
    }
  }
}
