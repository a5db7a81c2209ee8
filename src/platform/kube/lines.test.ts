import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLines } from './lines.ts';

async function parse(chunks: readonly Uint8Array[]): Promise<unknown[]> {
  const values: unknown[] = [];
  async function* stream() {
    yield* chunks;
  }
  for await (const value of jsonLines(stream())) values.push(value);
  return values;
}
const bytes = (text: string) => new TextEncoder().encode(text);

describe('lines of a watch', () => {
  it('come out whole however the network cut them', async () => {
    const values = fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }), n: fc.integer() }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(values, fc.array(fc.nat(200), { maxLength: 12 }), async (expected, cuts) => {
        const all = bytes(expected.map((v) => `${JSON.stringify(v)}\n`).join(''));
        const edges = [0, ...cuts.filter((c) => c < all.length).toSorted((a, b) => a - b), all.length];
        const chunks = edges.slice(1).map((edge, i) => all.subarray(edges[i], edge));
        expect(await parse(chunks)).toEqual(expected);
      }),
    );
  });

  it('skip blank ones and drop one that was cut off', async () => {
    expect(await parse([bytes('{"a":1}\n\n\r\n{"b":2}\n{"c":')])).toEqual([{ a: 1 }, { b: 2 }]);
    expect(await parse([])).toEqual([]);
  });

  it('that are no JSON are an error', async () => {
    await expect(parse([bytes('<html>\n')])).rejects.toBeInstanceOf(SyntaxError);
  });

  it('without an end are an error before memory is', async () => {
    const chunk = new Uint8Array(8 * 1024 * 1024).fill(0x20);
    await expect(parse([chunk, chunk, chunk, chunk, chunk])).rejects.toThrow(/longer/);
  });

  it('are not touched by a stream that uses its buffer again', async () => {
    const buffer = bytes('{"a":');
    async function* stream() {
      yield buffer;
      buffer.set(bytes('12345'));
      yield bytes('1}\n');
    }
    const values: unknown[] = [];
    for await (const value of jsonLines(stream())) values.push(value);
    expect(values).toEqual([{ a: 1 }]);
  });
});
