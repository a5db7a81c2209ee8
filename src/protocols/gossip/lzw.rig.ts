/** Packs as Go's compress/lzw does (least significant bit first, 8-bit literals): a clear code at the start and whenever the table is full. */
export function pack(plain: Uint8Array): Uint8Array {
  const out: number[] = [];
  let bits = 0;
  let held = 0;
  let width = 9;
  const put = (code: number): void => {
    bits += code * 2 ** held;
    held += width;
    while (held >= 8) {
      out.push(bits % 256);
      bits = Math.floor(bits / 256);
      held -= 8;
    }
  };
  let table = new Map<string, number>();
  /** Of the last code that a reader knows. */
  let high = 257;
  const clear = (): void => {
    table = new Map(Array.from({ length: 256 }, (_, i) => [String.fromCharCode(i), i]));
    high = 257;
    width = 9;
  };
  clear();
  put(256);
  let word = '';
  for (const byte of plain) {
    const longer = word + String.fromCharCode(byte);
    if (table.has(longer)) {
      word = longer;
      continue;
    }
    put(table.get(word) ?? 0);
    high++;
    if (high === 1 << width) width++;
    if (width > 12) {
      width = 12;
      put(256);
      clear();
    } else {
      table.set(longer, high);
    }
    word = String.fromCharCode(byte);
  }
  if (word !== '') {
    put(table.get(word) ?? 0);
    high++;
    if (high === 1 << width && width < 12) width++;
  }
  put(257);
  if (held > 0) out.push(bits % 256);
  return Uint8Array.from(out);
}
