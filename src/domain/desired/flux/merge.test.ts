import { describe, expect, it } from 'vitest';
import { parseTree } from '../../../platform/files/tree.ts';
import { configDigest } from './digest.ts';
import { ValuesError } from './errors.ts';
import { effectiveValues, type ValuesReference } from './merge.ts';
import { toJson } from './value.ts';

type Objects = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Case {
  readonly inline?: unknown;
  readonly refs?: readonly ValuesReference[];
  /** "ConfigMap/base": its data. */
  readonly objects?: Objects;
}

function merged({ inline, refs = [], objects = {} }: Case) {
  return effectiveValues({
    inline: inline ?? {},
    references: refs,
    data: (kind, name) => {
      const data = objects[`${kind}/${name}`];
      return data && new Map(Object.entries(data));
    },
    parse: parseTree,
  });
}

const values = (c: Case) => toJson(merged(c));
const from = (name: string, more: Partial<ValuesReference> = {}): ValuesReference => ({
  kind: 'ConfigMap',
  name,
  ...more,
});
const yaml = (text: string) => ({ 'values.yaml': text });

/** One targetPath whose text is `text`. */
const at = (targetPath: string, text: string, more: Partial<ValuesReference> = {}, inline: unknown = {}) =>
  values({
    inline,
    refs: [from('one', { targetPath, valuesKey: 'v', ...more })],
    objects: { 'ConfigMap/one': { v: text } },
  });

function refusal(c: Case): string {
  try {
    merged(c);
  } catch (e) {
    if (e instanceof ValuesError) return e.because;
    throw e;
  }
  return 'none';
}

describe('layers', () => {
  const two = {
    'ConfigMap/base': yaml('a: {x: 1, z: 1}\nl: [1, 2]'),
    'Secret/over': yaml('a: {z: 2}\nl: [3]'),
  };

  it('lets a later reference win, merges maps deeply and replaces lists whole', () => {
    expect(values({ refs: [from('base'), from('over', { kind: 'Secret' })], objects: two })).toEqual({
      a: { x: 1, z: 2 },
      l: [3],
    });
  });

  it('lets inline values beat every reference without targetPath', () => {
    expect(values({ inline: { a: { x: 9 } }, refs: [from('base')], objects: two })).toEqual({
      a: { x: 9, z: 1 },
      l: [1, 2],
    });
  });

  it('keeps a null, which hides the map of an earlier layer, and starts afresh after it', () => {
    const objects = {
      'ConfigMap/1': yaml('a: {x: 1}'),
      'ConfigMap/2': yaml('a: null'),
      'ConfigMap/3': yaml('a: {z: 2}'),
    };
    expect(values({ refs: [from('1'), from('2')], objects })).toEqual({ a: null });
    expect(values({ refs: [from('1'), from('2'), from('3')], objects })).toEqual({ a: { z: 2 } });
  });

  it('takes inline values that are no map for none', () => {
    expect(values({ inline: ['a'], refs: [from('base')], objects: two })).toEqual({
      a: { x: 1, z: 1 },
      l: [1, 2],
    });
    expect(values({ inline: 'text' })).toEqual({});
  });

  it('drops all inline values for one control character or one long key in them, as Flux does', () => {
    for (const inline of [
      { a: 'x\u007fy', b: 1 },
      { a: { l: ['\u0080'] }, b: 1 },
      { a: '\ufffe', b: 1 },
      { 'a\u0085': 1, b: 1 },
      { '\u009f': 1, b: 1 },
      { ['k'.repeat(1023)]: 1, b: 1 },
      { ['<'.repeat(171)]: 1, b: 1 },
    ])
      expect(values({ inline }), JSON.stringify(inline)).toEqual({});
    const kept = { a: '\u0000\u001f\ufeff\u2028', ['k'.repeat(1022)]: 1 };
    expect(values({ inline: kept })).toEqual(kept);
  });

  it.each([
    ['a\u0085b', 'a b'],
    ['a  \u0085   b', 'a b'],
    ['a\u0085\u0085b', 'a\nb'],
    ['a \u0085 \u0085\u0085 b', 'a\n\nb'],
    ['a\t\u0085b', 'a\t b'],
    ['\u0085', ' '],
  ])('folds the line breaks of YAML 1.1 in the inline text %j', (text, expected) => {
    expect(values({ inline: { a: [text] } })).toEqual({ a: [expected] });
  });

  it('forgives in an earlier of two equal keys what it would refuse', () => {
    const text = 'a: {b: {~: 1}, c: .inf}\na: 1\n';
    expect(values({ refs: [from('c')], objects: { 'ConfigMap/c': yaml(text) } })).toEqual({ a: 1 });
  });

  it('reads empty and null text as no values', () => {
    for (const text of ['', 'null', '---\n...\n', '# nothing\n', '{}'])
      expect(values({ refs: [from('c')], objects: { 'ConfigMap/c': yaml(text) } }), text).toEqual({});
  });

  it('reads the first document only, and the last of two equal keys', () => {
    expect(
      values({ refs: [from('c')], objects: { 'ConfigMap/c': yaml('a: 1\na: 2\n---\nb: 3\n') } }),
    ).toEqual({ a: 2 });
  });

  it('types scalars as YAML 1.1 does, without base 60', () => {
    const text = 'y: 1\nn: 2\na: on\nb: 0777\nc: 1_000\nd: 64512:10\ne: 12:30:45\nf: "yes"\n';
    expect(values({ refs: [from('c')], objects: { 'ConfigMap/c': yaml(text) } })).toEqual({
      true: 1,
      false: 2,
      a: true,
      b: 511,
      c: 1000,
      d: '64512:10',
      e: '12:30:45',
      f: 'yes',
    });
  });

  it('reads no key of the prototype into the values, and keeps a key named __proto__', () => {
    const got = values({ refs: [from('c')], objects: { 'ConfigMap/c': yaml('__proto__: {polluted: 1}') } });
    expect(JSON.stringify(got)).toBe('{"__proto__":{"polluted":1}}');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('references that lead nowhere', () => {
  const objects = { 'ConfigMap/c': { other: 'a: 1' } };
  const rows: readonly (readonly [string, Case, string])[] = [
    ['a missing object', { refs: [from('gone')] }, 'ResourceNotFound'],
    ['a missing key', { refs: [from('c')], objects }, 'KeyNotFound'],
    ['a missing key of an optional reference', { refs: [from('c', { optional: true })], objects }, 'none'],
    ['an optional missing object', { refs: [from('gone', { optional: true })] }, 'none'],
    [
      'the same object, optional first and required later',
      { refs: [from('gone', { optional: true }), from('gone')] },
      'ResourceNotFound',
    ],
    ['another kind', { refs: [from('c', { kind: 'Pod' })], objects }, 'UnsupportedKind'],
    [
      'broken YAML of an optional reference',
      { refs: [from('b', { optional: true })], objects: { 'ConfigMap/b': yaml('a: b: c') } },
      'ValuesDataRead',
    ],
    ['a list', { refs: [from('b')], objects: { 'ConfigMap/b': yaml('- a') } }, 'ValuesDataRead'],
    ['a scalar', { refs: [from('b')], objects: { 'ConfigMap/b': yaml('text') } }, 'ValuesDataRead'],
    ['a null key', { refs: [from('b')], objects: { 'ConfigMap/b': yaml('~: 1') } }, 'ValuesDataRead'],
    ['a tab', { refs: [from('b')], objects: { 'ConfigMap/b': yaml('a:\n\tb: 1') } }, 'ValuesDataRead'],
  ];
  for (const [what, input, because] of rows) {
    it(`answers ${because} to ${what}`, () => expect(refusal(input)).toBe(because));
  }

  it('never repeats what a Secret holds', () => {
    const secret = { 'Secret/s': { 'values.yaml': 'hunter2: [', v: 'hunter2,hunter2' } };
    for (const ref of [
      from('s', { kind: 'Secret' }),
      from('s', { kind: 'Secret', valuesKey: 'v', targetPath: 'a' }),
      from('s', { kind: 'Secret', valuesKey: 'v' }),
    ]) {
      let text = '';
      try {
        merged({ refs: [ref], objects: secret });
      } catch (e) {
        text = String(e);
      }
      expect(text).toContain('Secret s');
      expect(text).not.toContain('hunter2');
    }
  });
});

describe('targetPath and inline values', () => {
  const one = { 'ConfigMap/one': { v: 'from-path' } };
  const path = (targetPath: string) => from('one', { targetPath, valuesKey: 'v' });

  it('wins where the path is not set inline', () => {
    expect(values({ inline: { b: 1 }, refs: [path('m.x')], objects: one })).toEqual({
      b: 1,
      m: { x: 'from-path' },
    });
  });

  it('is overwritten by a later plain reference', () => {
    const objects = { ...one, 'ConfigMap/late': yaml('m: {x: late}') };
    expect(values({ refs: [path('m.x'), from('late')], objects })).toEqual({ m: { x: 'late' } });
  });

  it('wins over a nested inline leaf whose map exists only inline: the map is the same object', () => {
    expect(values({ inline: { m: { x: 'inline' } }, refs: [path('m.x')], objects: one })).toEqual({
      m: { x: 'from-path' },
    });
  });

  it('loses to the inline leaf once an earlier reference has brought the map: it is a copy then', () => {
    const objects = { ...one, 'ConfigMap/base': yaml('m: {z: 1}') };
    expect(values({ inline: { m: { x: 'inline' } }, refs: [from('base'), path('m.x')], objects })).toEqual({
      m: { x: 'inline', z: 1 },
    });
  });

  it('loses to a top-level inline scalar', () => {
    expect(values({ inline: { k: 'inline' }, refs: [path('k')], objects: one })).toEqual({ k: 'inline' });
  });

  it('wins in an existing element of an inline list, and loses past its end', () => {
    expect(values({ inline: { l: ['a', 'b'] }, refs: [path('l[1]')], objects: one })).toEqual({
      l: ['a', 'from-path'],
    });
    expect(values({ inline: { l: ['a', 'b'] }, refs: [path('l[3]')], objects: one })).toEqual({
      l: ['a', 'b'],
    });
  });
});

describe("targetPath's grammar", () => {
  const rows: readonly (readonly [string, string, unknown])[] = [
    ['a number', '64512', 64512],
    ['a signed number', '-5', -5],
    ['a leading zero', '007', '007'],
    ['zero', '0', 0],
    ['a float', '1.5', '1.5'],
    ['a trailing newline', '64512\n', '64512\n'],
    ['true in any case', 'TrUe', true],
    ['null', 'null', null],
    ['a quoted number', '"64512"', '64512'],
    ['mixed quotes', `'"5"'`, '5'],
    ['a single quote character', "'", ''],
    ['a list', '{p,1,true}', ['p', 1, true]],
    ['a quoted list', '"{1,2}"', ['1', '2']],
    ['an escaped comma', 'a\\,b', 'a,b'],
    ['a lone trailing comma', 'a,', 'a'],
    ['a trailing backslash', 'a\\', 'a'],
    ['nothing', '', ''],
    ['a CIDR', '10.0.0.0/24', '10.0.0.0/24'],
    ['a number beyond int64', '9223372036854775808', '9223372036854775808'],
  ];
  for (const [what, text, expected] of rows) {
    it(`reads ${what}`, () => expect(at('k', text)).toEqual({ k: expected }));
  }

  it('takes a comma for the start of a new key', () => {
    expect(at('k', 'a,b=c')).toEqual({ k: 'a', b: 'c' });
    expect(() => at('k', '10.0.0.0/24,10.1.0.0/24')).toThrow(ValuesError);
    expect(() => at('k', '{a')).toThrow(ValuesError);
  });

  it('takes literal text verbatim, the path still with its grammar', () => {
    const text = 'a,b={c}[0]\\ "q" \n';
    expect(at('p.dot\\.ted', text, { literal: true })).toEqual({ p: { 'dot.ted': text } });
  });

  it('walks and makes lists, filling gaps with null', () => {
    expect(at('p.arr[0].a', 'x')).toEqual({ p: { arr: [{ a: 'x' }] } });
    expect(at('l[2]', 'x')).toEqual({ l: [null, null, 'x'] });
    expect(at('l[0][1]', 'x')).toEqual({ l: [[null, 'x']] });
  });

  it('loses a new list element whose value is empty, as Helm does', () => {
    expect(at('l[0].a', '')).toEqual({ l: [] });
  });

  it('refuses to walk into what is no map or list, and paths beyond its bounds', () => {
    expect(() => at('k.x', 'v', {}, { k: 1 })).toThrow(ValuesError);
    expect(() => at('k.x', 'v', {}, { k: null })).toThrow(ValuesError);
    expect(() => at('k[0]', 'v', {}, { k: {} })).toThrow(ValuesError);
    expect(() => at('k[65537]', 'v')).toThrow(ValuesError);
    expect(() => at('k[-1]', 'v')).toThrow(ValuesError);
    expect(() => at(Array(32).fill('a').join('.'), 'v')).toThrow(ValuesError);
  });
});

describe('the config digest', () => {
  it('hashes no values as the empty text', () => {
    expect(configDigest(merged({}))).toBe(
      'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('hashes a line separator with the indent that the emitter writes after it', () => {
    expect(configDigest(merged({ inline: { a: 'a\u2028b', b: { c: 'a\u2028b' } } }))).toBe(
      'sha256:c5dceb9d2a9c8db4f535613fb90834e59ddd4faefc97ad0522c3b23fabbcb4a8',
    );
  });

  it('hashes what the lab saw the real controller hash', () => {
    // The text is `"false": 1\nk: susp\nm:\n  x: susp\n`.
    expect(configDigest(merged({ inline: { m: { x: 'susp' }, k: 'susp', false: 1 } }))).toBe(
      'sha256:ead505c43ba11f595e5aa2880d046495e571a4b633cc31b225f1d695968b0c4f',
    );
  });
});
