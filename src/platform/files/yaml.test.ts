import { describe, expect, it } from 'vitest';
import { parseYaml, parseYamlAll, type Yaml } from './yaml.ts';

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
