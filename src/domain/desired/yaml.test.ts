import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../platform/files/yaml.ts';
import type { YamlFlavour } from './source.ts';
import { fromYaml } from './yaml.ts';

type Outer = Parameters<typeof fromYaml>[1];

function read(text: string, flavour: YamlFlavour, outer?: Outer) {
  const document = parseDocument(text, { source: 's' });
  if ('problems' in document) throw new Error(JSON.stringify(document.problems));
  const typed = fromYaml(document, outer).typed?.(flavour);
  if (!typed) throw new Error('no typing');
  return typed;
}
function good(text: string, flavour: YamlFlavour, outer?: Outer) {
  const typed = read(text, flavour, outer);
  if ('problems' in typed) throw new Error(JSON.stringify(typed.problems));
  return typed;
}

describe('one text in the typing of its reader', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['yes', 'yes', true, true],
    ['y', 'y', true, 'y'],
    ['off', 'off', false, false],
    ['0123', 123, 83, 83],
    ['0o17', 15, 15, '0o17'],
    ['1_000', '1_000', 1000, 1000],
    ['64512:10', '64512:10', '64512:10', 3_870_730],
    ['65535:65282', '65535:65282', '65535:65282', '65535:65282'],
    ['1e3', 1000, 1000, '1e3'],
    ['0x1F', 31, 31, 31],
    ['4200000000', 4_200_000_000, 4_200_000_000, 4_200_000_000],
    ['1.10', 1.1, 1.1, 1.1],
    ['"yes"', 'yes', 'yes', 'yes'],
    ['2026-01-01', '2026-01-01', '2026-01-01', '2026-01-01'],
    ['', null, null, null],
  ])('reads %s as YAML 1.2 %j, Go %j, Python %j', (text, core, go, python) => {
    const document = `k: ${text}\n`;
    expect(good(document, 'core').value).toEqual({ k: core });
    expect(good(document, 'go').value).toEqual({ k: go });
    expect(good(document, 'pyyaml').value).toEqual({ k: python });
  });

  it('finds places and the text as it was written', () => {
    const { at, text } = good('peers:\n  - password: 0123\n    asn: &a 64512\n  - asn: *a\n', 'pyyaml');
    expect(at?.(['peers', 0, 'password'])).toEqual({ line: 2, column: 15 });
    expect(text?.(['peers', 0, 'password'])).toBe('0123');
    expect(at?.(['peers', 1, 'asn'])).toEqual({ line: 3, column: 13 });
    expect(at?.(['peers', 0, 'password'], 'key')).toEqual({ line: 2, column: 5 });
    expect(at?.(['peers', 1], 'key')).toEqual({ line: 4, column: 5 });
    expect(at?.(['peers', 2])).toBeUndefined();
    expect(text?.(['peers'])).toBeUndefined();
  });

  it('moves places into the file that holds the text', () => {
    const outer: Outer = ({ line, column }) => ({ line: line + 5, column: column + 4 });
    const { at } = good('a:\n  b: yes\n', 'go', outer);
    expect(at?.(['a', 'b'])).toEqual({ line: 7, column: 10 });
    expect(at?.(['a', 'b'], 'key')).toEqual({ line: 7, column: 7 });
    expect(read('a: !!int x\n', 'go', outer)).toMatchObject({
      problems: [{ line: 6, column: 14, path: 'a' }],
    });
    expect(good('a: 1\na: 2\n', 'go', outer).duplicates).toMatchObject([{ line: 7, column: 5 }]);
  });

  it('takes the last of equal keys and tells of the others', () => {
    for (const flavour of ['core', 'go', 'pyyaml'] as const) {
      const { value, duplicates, at } = good('a: 1\nb: {x: 1, x: 2}\na: 3\n', flavour);
      expect(value).toEqual({ a: 3, b: { x: 2 } });
      expect(duplicates?.map((p) => [p.code, p.path, p.line])).toEqual([
        ['DuplicateKey', 'b.x', 2],
        ['DuplicateKey', 'a', 3],
      ]);
      expect(at?.(['a'])).toEqual({ line: 3, column: 4 });
    }
  });

  // In Go `y` would be the key "true".
  it('merges: in Python under the own keys, in Go at the place where the merge stands', () => {
    const text = 'base: &b {p: 1, q: 1}\nafter:\n  p: 2\n  <<: *b\nbefore:\n  <<: *b\n  p: 2\n';
    expect(good(text, 'pyyaml').value).toMatchObject({ after: { p: 2, q: 1 }, before: { p: 2, q: 1 } });
    expect(good(text, 'go').value).toMatchObject({ after: { p: 1, q: 1 }, before: { p: 2, q: 1 } });
    expect(good(text, 'go').at?.(['before', 'q'])).toEqual({ line: 1, column: 20 });
    const several = 'a: &a {p: 1}\nb: &b {p: 2, q: 2}\nc:\n  <<: [*a, *b]\n';
    for (const flavour of ['go', 'pyyaml'] as const)
      expect(good(several, flavour).value).toMatchObject({ c: { p: 1, q: 2 } });
  });

  it('judges tags as each reader does', () => {
    const vault = 'secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  66\nrange: [192.0.2.0/24]\n';
    expect(read(vault, 'core')).toMatchObject({ problems: [{ code: 'YamlSyntax', line: 1 }] });
    expect(good(vault, 'pyyaml').value).toMatchObject({ secret: '$ANSIBLE_VAULT;', range: ['192.0.2.0/24'] });
    expect(good('a: !whatever 5\n', 'go').value).toEqual({ a: 5 });
    expect(read('a: !whatever 5\nb: !other x\n', 'pyyaml')).toMatchObject({
      problems: [
        { code: 'YamlSyntax', path: 'a', line: 1, column: 14 },
        { path: 'b', line: 2 },
      ],
    });
  });

  it('refuses what its reader refuses, everywhere in the text', () => {
    expect(read('a: .inf\nb: [1, ~: 2]\nc: [!!int x]\n', 'go')).toMatchObject({
      problems: [
        { code: 'YamlSyntax', path: 'a', line: 1 },
        { code: 'YamlSyntax', path: 'b[1]', line: 2 },
        { code: 'YamlSyntax', path: 'c[0]', line: 3 },
      ],
    });
  });

  it('keeps __proto__ as a key like any other', () => {
    const { value } = good('__proto__: {polluted: true}\n', 'go');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('reads an empty text as null', () => {
    expect(good('# nothing\n', 'go').value).toBeNull();
    expect(good('', 'pyyaml').value).toBeNull();
  });
});
