import { describe, expect, it } from 'vitest';
import { parseDocument, parseYaml, parseYamlAll, type Yaml } from './yaml.ts';

function good(text: string): Yaml {
  const parsed = parseYaml(text, { source: 'values.yaml' });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}
function bad(text: string) {
  const parsed = parseYaml(text, { source: 'values.yaml' });
  if (!('problems' in parsed)) throw new Error(`taken: ${JSON.stringify(parsed.value)}`);
  return parsed.problems;
}

describe('YAML', () => {
  it('knows the line and column of each value', () => {
    const yaml = good(
      'pools:\n  web:\n    addresses:\n      - 192.0.2.0/24\n      - 198.51.100.1-198.51.100.9\n',
    );
    expect(yaml.value).toEqual({
      pools: { web: { addresses: ['192.0.2.0/24', '198.51.100.1-198.51.100.9'] } },
    });
    expect(yaml.at(['pools', 'web', 'addresses', 1])).toEqual({ line: 5, column: 9 });
    expect(yaml.at([])).toEqual({ line: 1, column: 1 });
    expect(yaml.at(['pools', 'db'])).toBeUndefined();
    expect(yaml.at(['pools', 'web', 'addresses', 0, 'deeper'])).toBeUndefined();
  });

  it('knows the line and column of each key', () => {
    const yaml = good('pools:\n  web:\n    "a.b":\n      - 1\n    empty:\nmore: {<<: {deep: 1}}\n');
    expect(yaml.at(['pools', 'web'], 'key')).toEqual({ line: 2, column: 3 });
    expect(yaml.at(['pools', 'web', 'a.b'], 'key')).toEqual({ line: 3, column: 5 });
    expect(yaml.at(['pools', 'web', 'empty'], 'key')).toEqual({ line: 5, column: 5 });
    expect(yaml.at(['more', 'deep'], 'key')).toEqual({ line: 6, column: 13 });
    // What has no key is where its value is.
    expect(yaml.at(['pools', 'web', 'a.b', 0], 'key')).toEqual({ line: 4, column: 9 });
    expect(yaml.at([], 'key')).toEqual({ line: 1, column: 1 });
    expect(yaml.at(['pools', 'db'], 'key')).toBeUndefined();
  });

  it('knows places behind an alias', () => {
    const yaml = good('base: &b\n  addresses: [192.0.2.1]\nweb: *b\n');
    expect(yaml.at(['web', 'addresses'])).toEqual({ line: 2, column: 14 });
  });

  it('merges with <<', () => {
    expect(good('a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n').value).toMatchObject({ b: { x: 1, y: 3 } });
  });

  // What YAML 1.1 would make of them: booleans, a number in base 60, an octal number, a date.
  it.each([
    ['yes', 'yes'],
    ['on', 'on'],
    ['64512:10', '64512:10'],
    ['00:11:22:33:44:55', '00:11:22:33:44:55'],
    ['2026-01-01', '2026-01-01'],
    ['0777', 777],
    ['true', true],
    ['~', null],
  ])('reads the plain scalar %s as %j', (text, value) => {
    expect(good(`k: ${text}`).value).toEqual({ k: value });
  });

  it('takes a byte order mark and lines that end in CRLF', () => {
    const yaml = good('\uFEFFa: 1\r\nb:\r\n  c: x\r\n');
    expect(yaml.value).toEqual({ a: 1, b: { c: 'x' } });
    expect(yaml.at(['b', 'c'])).toEqual({ line: 3, column: 6 });
  });

  it('takes nothing, and comments alone, as null', () => {
    expect(good('').value).toBeNull();
    expect(good('# only this\n').value).toBeNull();
    expect(good('---\n').value).toBeNull();
  });

  it('keeps __proto__ as a key like any other', () => {
    const { value } = good('__proto__: {polluted: true}\n');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ['a tab', 'a:\n\tb: 1\n', 2],
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 3],
    ['a bad indent', 'a:\n  b: 1\n c: 2\n', 3],
    ['an unknown tag', 'a: !vault x\n', 1],
    ['an unclosed bracket', 'a: [1, 2\n', 2],
    ['an unknown anchor', 'a: *nobody\n', 1],
  ])('refuses %s and says where', (_, text, line) => {
    const [first] = bad(text);
    expect(first).toMatchObject({ source: 'values.yaml', line });
    expect(first?.message).not.toContain('\n');
  });

  it('refuses a bomb of aliases without expanding it', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `l${i}: &l${i} [${
          i === 0
            ? 'x'
            : Array(10)
                .fill(`*l${i - 1}`)
                .join(', ')
        }]`,
    );
    const [first] = bad(levels.join('\n'));
    expect(first?.code).toBe('YamlAliases');
  });

  it('refuses more than a mebibyte before reading it', () => {
    const [first] = bad('x'.repeat(1024 * 1024 + 1));
    expect(first?.code).toBe('YamlTooLarge');
  });

  it('refuses a second document where one is expected, and takes several where they are', () => {
    expect(bad('a: 1\n---\nb: 2\n')).toMatchObject([{ code: 'YamlDocuments', line: 3 }]);
    const all = parseYamlAll('a: 1\n---\n---\nb: 2\n...\n', { source: 's' });
    if ('problems' in all) throw new Error('refused');
    expect(all.map((y) => y.value)).toEqual([{ a: 1 }, { b: 2 }]);
    expect(all[1]?.at(['b'])).toEqual({ line: 4, column: 4 });
  });

  it('names at most ten mistakes', () => {
    expect(bad(Array.from({ length: 50 }, () => 'a: 1').join('\n')).length).toBe(10);
  });
});

describe('a document whose reader is not known yet', () => {
  const document = (text: string) => {
    const parsed = parseDocument(text, { source: 's' });
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    return parsed;
  };

  it('keeps the last of equal keys, finds its place, and tells of both', () => {
    const { value, at, duplicates } = document('a:\n  x: 1\n  "x": 2\n  x: 3\nb:\n  x: 4\n');
    expect(value).toEqual({ a: { x: 3 }, b: { x: 4 } });
    expect(at(['a', 'x'])).toEqual({ line: 4, column: 6 });
    expect(duplicates).toMatchObject([
      { code: 'DuplicateKey', source: 's', path: 'a.x', line: 3, column: 3 },
      { code: 'DuplicateKey', path: 'a.x', line: 4 },
    ]);
  });

  it('takes two merges in one map for no slip, and finds merged values where they come from', () => {
    const text = 'a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: *a\n  <<: *b\nd:\n  <<: [*a, *b]\n';
    const { duplicates, at } = document(text);
    expect(duplicates).toEqual([]);
    expect(at(['c', 'y'])).toEqual({ line: 2, column: 11 });
    expect(at(['d', 'x'])).toEqual({ line: 1, column: 11 });
  });

  it('passes over tags, and tells of them', () => {
    const { value, tags } = document('a: !vault |\n  x\nb: 1\n');
    expect(value).toEqual({ a: 'x\n', b: 1 });
    expect(tags).toMatchObject([{ code: 'YamlSyntax', line: 1, column: 4 }]);
  });

  it('has the syntax with its places', () => {
    const { tree, place } = document('a:\n  b: 0123\n');
    const { entries = [] } = { ...tree() } as { entries?: [unknown, { offset: number }][] };
    expect(entries).toMatchObject([
      [{ text: 'a' }, { entries: [[{ text: 'b' }, { text: '0123', plain: true }]] }],
    ]);
    expect(place(entries[0]?.[1].offset ?? 0)).toEqual({ line: 2, column: 3 });
  });

  it('takes an empty text for an empty document', () => {
    expect(document('---\n# nothing\n').value).toBeNull();
  });
});

describe('a template that nothing has rendered', () => {
  // Bare braces are a map in YAML, and often not even that.
  it.each([
    ['a: 1\nb: {{ .Release.Namespace }}\n', 2, '{{ .Release.Namespace }}', 'b'],
    ['a:\n  - {{ x }}/24\n', 2, '{{ x }}', 'a[0]'],
    ['a: {{ x }}-{{ y }}\n', 1, '{{ x }}', 'a'],
    ['a:\n  - {{ x }}\n', 2, '{{ x }}', 'a[0]'],
    ['{{- if x }}\na: 1\n{{- end }}\n', 1, '{{- if x }}', ''],
  ])('is told as such: %j', (text, line, action, path) => {
    const [first] = bad(text);
    expect(first).toMatchObject({ code: 'Unrendered', line, path });
    expect(first?.message).toContain(action);
  });

  it('is told once for each line, without what the parser makes of it', () => {
    const text = 'a: {{ x }}-{{ y }}\nb: {{ z }}\nc: [\n';
    expect(bad(text).map((p) => [p.code, p.line])).toEqual([
      ['Unrendered', 1],
      ['Unrendered', 2],
    ]);
  });

  it('is text where it stands in quotes', () => {
    expect(good('a: "{{ x }}"\n').value).toEqual({ a: '{{ x }}' });
    expect(bad('a: "{{ x }}\nb: 1\n')).toMatchObject([{ code: 'YamlSyntax' }]);
  });

  it('has nothing to do with another map in the place of a key', () => {
    expect(bad('a: 1\n? {x: 1}\n: 2\n')).toMatchObject([{ code: 'YamlSyntax', line: 1 }]);
  });
});
