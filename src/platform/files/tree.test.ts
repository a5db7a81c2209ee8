import { describe, expect, it } from 'vitest';
import { parseTree } from './tree.ts';

const scalar = (text: string, plain = true) => ({ kind: 'scalar', text, plain });

describe('parseTree', () => {
  it('keeps scalars as text and tells which were plain', () => {
    expect(parseTree('a: yes\nb: "yes"\nc: |\n  no\n')).toMatchObject({
      kind: 'map',
      entries: [
        [scalar('a'), scalar('yes')],
        [scalar('b'), scalar('yes', false)],
        [scalar('c'), scalar('no\n', false)],
      ],
    });
  });

  it.each([
    ['a: |\n  one', 'one'],
    ['a: |\n  one\n', 'one\n'],
    ['a: |+\n  one\n\n', 'one\n\n'],
    ['a: >\n  one\n  two', 'one two'],
    ['a: |\n  one\n# end', 'one\n'],
    ['a: |\n  one\n  ', 'one\n'],
  ])('ends a block scalar as libyaml does in %j', (text, expected) => {
    expect(parseTree(text)).toMatchObject({ entries: [[scalar('a'), scalar(expected, false)]] });
  });

  it('keeps duplicate keys, explicit tags and the place of an empty value', () => {
    expect(parseTree('a: 1\na: !!str 2\nb:\n')).toMatchObject({
      kind: 'map',
      entries: [
        [scalar('a'), scalar('1')],
        [scalar('a'), { ...scalar('2'), tag: 'tag:yaml.org,2002:str' }],
        [scalar('b'), scalar('')],
      ],
    });
  });

  it('knows where each node begins, an alias where its anchor stands', () => {
    expect(parseTree('a: &x [1]\nb: *x\nc:\n')).toMatchObject({
      offset: 0,
      entries: [
        [{ offset: 0 }, { offset: 6, items: [{ offset: 7 }] }],
        [{ offset: 10 }, { offset: 6 }],
        [{ offset: 16 }, { offset: 18 }],
      ],
    });
  });

  it('puts the named node in the place of an alias', () => {
    expect(parseTree('a: &x [1]\nb: *x\n')).toMatchObject({
      entries: [
        [{}, { items: [scalar('1')] }],
        [{}, { items: [scalar('1')] }],
      ],
    });
  });

  it('reads the first document of several, and takes a byte order mark and CRLF', () => {
    expect(parseTree('\ufeffa: 1\r\n---\r\nb: [\r\n')).toMatchObject({
      kind: 'map',
      entries: [[scalar('a'), scalar('1')]],
    });
    expect(parseTree('# nothing\n')).toBeUndefined();
  });

  it('ends with the bracket that closes the document, and takes the line breaks of YAML 1.1', () => {
    for (const text of ['{a: 1}}', '{a: 1} b', 'a: 1\u0085', '\ra: 1\r'])
      expect(parseTree(text), text).toMatchObject({ entries: [[scalar('a'), scalar('1')]] });
    expect(() => parseTree('{a: 1, b: [}')).toThrow(SyntaxError);
    expect(() => parseTree('a: 1\n b: 2\n')).toThrow(SyntaxError);
  });

  it.each(['a: "\u007f"', 'a: \u0080', '# \u0007', 'a: \ufffe'])(
    'refuses the control character in %j',
    (text) => {
      expect(() => parseTree(text)).toThrow('control characters');
    },
  );

  it('refuses bad syntax with its place and none of its text', () => {
    expect(() => parseTree('a: 1\nb: "hunter2\n')).toThrow(/^line \d+, column \d+: [A-Z_]+$/);
    expect(() => parseTree('a: *nowhere\n')).toThrow(SyntaxError);
  });

  it('refuses anchors that contain themselves and those that multiply', () => {
    expect(() => parseTree('a: &x [*x]\n')).toThrow(SyntaxError);
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    expect(() => parseTree(bomb.join('\n'))).toThrow('excessive aliasing');
  });
});
