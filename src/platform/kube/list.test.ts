import { describe, expect, it } from 'vitest';
import { readList } from './list.ts';

const read = (text: string) => {
  const { items, ...rest } = Object(readList(text));
  return { ...rest, items: [...items] };
};

describe('the text of a list', () => {
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
    ['letters of other scripts', '{"metadata":{},"items":[{"a":"Zürich, 東京"}]}'],
    ['no items', '{"kind":"Status","status":"Failure"}'],
    ['none at all', '{"metadata":{},"items":null}'],
    ['blanks, as people write', '{ "items" : [ { "a" : 1 } ], "metadata" : {} }'],
    ['an item that has items', '{"metadata":{},"items":[{"items":[1,2],"more":{"items":[]}},{"items":[3]}]}'],
  ])('is read as JSON.parse reads it: %s', (_, text) => {
    const { items, ...rest } = Object(readList(text));
    expect(items ? { ...rest, items: [...items] } : { ...rest, ...(items === null && { items }) }).toEqual(
      JSON.parse(text),
    );
  });

  it('parses an item only when it is its turn', () => {
    const { items, metadata } = Object(readList('{"metadata":{"v":1},"items":[{"a":1},{"b":oops}]}'));
    expect(metadata).toEqual({ v: 1 });
    expect(items.next().value).toEqual({ a: 1 });
    expect(() => items.next()).toThrow(SyntaxError);
  });

  it.each([
    '{"items":[',
    '{"items":[{"a":1},',
    '{"items":[{"a":"b},{"',
    '{"items":[{"a":1}]',
    '{"metadata":{},"items":[{"a":1}]} more',
    '"items":[]',
  ])('is refused when it is cut short or more than one: %s', (text) => {
    expect(() => read(text)).toThrow(SyntaxError);
  });

  it.each(['{"items":[{"a":1},]}', '{"items":[,{"a":1}]}', '{"items":[{"a":1}}]}'])(
    'is refused when its items are none: %s',
    (text) => {
      expect(() => read(text)).toThrow(SyntaxError);
    },
  );
});
