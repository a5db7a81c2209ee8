import { describe, expect, it } from 'vitest';
import { ListReader } from './list.ts';

/** What comes of the text when it comes in pieces of so many bytes. */
function read(text: string, size = Number.POSITIVE_INFINITY) {
  const given: unknown[] = [];
  const reader = new ListReader((item) => given.push(item));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    // Used again for the next piece, as sockets may do.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.take(piece);
    piece.fill(0x7d);
  }
  return { given, rest: reader.end() };
}

describe('a list that comes in', () => {
  it.each([
    ['nothing in it', '{"kind":"List","metadata":{"resourceVersion":"7"},"items":[]}'],
    ['one item', '{"metadata":{},"items":[{"a":1}]}'],
    [
      'several, and fields behind them',
      '{"items":[{"a":[1,{"b":2}]},{"c":{}},[],3,"x"],"metadata":{"continue":"t"}}',
    ],
    [
      'brackets, commas and quotes in strings',
      '{"items":[{"a":"]},{[\\"items\\":["},{"b":"\\\\"},{"c":"\\\\\\""}],"metadata":{}}',
    ],
    ['letters of other scripts', '{"metadata":{"name":"Zürich"},"items":[{"a":"Zürich, 東京"}],"z":"東京"}'],
    ['blanks, as people write', '{ "items" : [ { "a" : 1 } ], "metadata" : {} }'],
    ['an item that has items', '{"metadata":{},"items":[{"items":[1,2],"more":{"items":[]}},{"items":[3]}]}'],
  ])('is read as JSON.parse reads it, in pieces of any size: %s', (_, text) => {
    const { items, ...others } = JSON.parse(text);
    for (const size of [1, 2, 3, 7, 16, 1_000])
      expect(read(text, size)).toEqual({ given: items, rest: { ...others, items: [] } });
  });

  it.each([
    ['no items', '{"kind":"Status","status":"Failure"}'],
    ['none at all', '{"metadata":{},"items":null}'],
    ['something else', '"items"'],
  ])('is what JSON.parse says when it is none: %s', (_, text) => {
    for (const size of [1, 1_000]) expect(read(text, size)).toEqual({ given: [], rest: JSON.parse(text) });
  });

  it('gives an item as soon as its end is there', () => {
    const given: unknown[] = [];
    const reader = new ListReader((item) => given.push(item));
    reader.take(Buffer.from('{"metadata":{"v":1},"items":[{"a":1}'));
    expect(given).toEqual([]);
    reader.take(Buffer.from(',{"b":2'));
    expect(given).toEqual([{ a: 1 }]);
    reader.take(Buffer.from('}]}'));
    expect(given).toEqual([{ a: 1 }, { b: 2 }]);
    expect(reader.end()).toEqual({ metadata: { v: 1 }, items: [] });
  });

  it.each([
    '',
    '{"items":[',
    '{"items":[{"a":1},',
    '{"items":[{"a":"b},{"',
    '{"items":[{"a":1}]',
    '{"metadata":{},"items":[{"a":1}]} more',
    '"items":[]',
  ])('is refused when it is cut short or more than one: %s', (text) => {
    for (const size of [1, 1_000]) expect(() => read(text, size)).toThrow(SyntaxError);
  });

  it.each([
    '{"items":[{"a":1},]}',
    '{"items":[,{"a":1}]}',
    '{"items":[{"a":1}}]}',
    '{"items":[{"a":1},{"b":oops}]}',
  ])('is refused when its items are none: %s', (text) => {
    for (const size of [1, 1_000]) expect(() => read(text, size)).toThrow(SyntaxError);
  });
});
