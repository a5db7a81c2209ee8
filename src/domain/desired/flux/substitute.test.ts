// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test.
import { describe, expect, it } from 'vitest';
import { isExempt, substitute, variablesOf } from './substitute.ts';

const VARIABLES = new Map(
  Object.entries({
    v: 'abcABC123ABCabc',
    path: 'path/to/file',
    file: 'bash.string.txt',
    slash: 'foo/bar/baz',
    range: '192.0.2.0/24',
    empty: '',
    accent: 'éa',
    sharp: 'ß',
    brackets: 'a[b]c',
    dots: 'a.b.c',
  }),
);
const substituted = (text: string) => {
  const got = substitute(text, VARIABLES);
  return 'text' in got ? got.text : got;
};

describe('what is replaced', () => {
  // Expectations from bash's manual where upstream follows it, otherwise from upstream's source (funcs.go, parse.go).
  it.each([
    ['plain text', 'plain text'],
    ['a ${v} b', 'a abcABC123ABCabc b'],
    ['- ${range}\n- ${range}', '- 192.0.2.0/24\n- 192.0.2.0/24'],
    ['[${empty}]', '[]'],
    // Not ours.
    ['$v', '$v'],
    ['}text{', '}text{'],
    ['\\\\.\\pipe', '\\\\.\\pipe'],
    ['cost: $5', 'cost: $5'],
    ['ends with $', 'ends with $'],
    // Escapes.
    ['$${v}', '${v}'],
    ['$$v', '$v'],
    ['$$${range}', '$192.0.2.0/24'],
    ['$$$${v}', '$${v}'],
    ['${range}$${x$${range}$range${range}', '192.0.2.0/24${x${range}$range192.0.2.0/24'],
    // Defaults: all alike.
    ['${none:-d}', 'd'],
    ['${none:=d}', 'd'],
    ['${none=d}', 'd'],
    ['${none:?d}', 'd'],
    ['${none:+d}', 'd'],
    ['${empty:-d}', 'd'],
    ['${empty=d}', 'd'],
    ['${range:-d}', '192.0.2.0/24'],
    ['${range:+d}', '192.0.2.0/24'],
    ['${none:-}', ''],
    ['${none:-a b: c}', 'a b: c'],
    ['${none:-${range}}', '192.0.2.0/24'],
    ['${none:-pre${none:=x}-${range}post}', 'prex-192.0.2.0/24post'],
    ['${none:-$$x}', '$$x'],
    // Lengths count bytes.
    ['${#range}', '12'],
    ['${#accent}', '3'],
    ['${#empty}', '0'],
    // Parts.
    ['${v:3}', 'ABC123ABCabc'],
    ['${v:3:3}', 'ABC'],
    ['${v:3:99}', 'ABC123ABCabc'],
    ['${v:99}', ''],
    ['${v:99:1}', ''],
    ['${v:0:0}', ''],
    ['${v: -3}', 'abcABC123ABCabc'],
    ['${v:0x1}', 'abcABC123ABCabc'],
    ['${v:1:x}', 'abcABC123ABCabc'],
    ['${accent:2}', 'a'],
    ['${v:3::3}', 'ABC'],
    // Prefixes and suffixes.
    ['${file#*.}', 'string.txt'],
    ['${file##*.}', 'txt'],
    ['${file%.*}', 'bash.string'],
    ['${file%%.*}', 'bash'],
    ['${path#*/}', 'to/file'],
    ['${path##*/}', 'file'],
    ['${path%/*}', 'path/to'],
    ['${path#nothing}', 'path/to/file'],
    ['${range%/24}', '192.0.2.0'],
    ['${range%%.*}', '192'],
    ['${range%/??}', '192.0.2.0'],
    ['${v#[a-c]}', 'bcABC123ABCabc'],
    ['${v#[^x]bc}', 'ABC123ABCabc'],
    ['${v#[]}', 'abcABC123ABCabc'],
    ['${v##*[0-9]}', 'ABCabc'],
    ['${v#*}', 'bcABC123ABCabc'],
    ['${v##*}', ''],
    ['${dots#a\\.}', 'b.c'],
    ['${brackets#a\\[}', 'b]c'],
    ['${accent#é}', 'a'],
    // Upstream turns the pattern round with the text, brackets too: it becomes malformed.
    ['${v%[a-c]}', 'abcABC123ABCabc'],
    // Replacing.
    ['${v/abc/xyz}', 'xyzABC123ABCabc'],
    ['${v//abc/xyz}', 'xyzABC123ABCxyz'],
    ['${v/#abc/xyz}', 'xyzABC123ABCabc'],
    ['${v/%abc/xyz}', 'abcABC123ABCxyz'],
    ['${v/#ABC/xyz}', 'abcABC123ABCabc'],
    ['${v/abc/}', 'ABC123ABCabc'],
    ['${v/#abc/}', 'abcABC123ABCabc'],
    ['${v/abc/$&}', '$&ABC123ABCabc'],
    ['${slash/\\//-}', 'foo-bar/baz'],
    ['${slash//\\//-}', 'foo-bar-baz'],
    ['${slash//\\//\\\\}', 'foo\\bar\\baz'],
    ['${v/*/x}', 'abcABC123ABCabc'],
    ['${v/${empty}/x}', 'xabcABC123ABCabc'],
    ['${v//abc/${range}}', '192.0.2.0/24ABC123ABC192.0.2.0/24'],
    // Case.
    ['${v^}', 'AbcABC123ABCabc'],
    ['${v^^}', 'ABCABC123ABCABC'],
    ['${v,}', 'abcABC123ABCabc'],
    ['${v,,}', 'abcabc123abcabc'],
    ['${v^,}', 'abcABC123ABCabc'],
    ['${accent^}', 'Éa'],
    ['${sharp^^}', 'ß'],
  ])('turns %j into %j', (text, expected) => {
    expect(substituted(text)).toBe(expected);
  });

  it('keeps what a value holds: it is not expanded again', () => {
    expect(substitute('a: ${v}', new Map([['v', '${w} $$ $& \\']]))).toEqual({ text: 'a: ${w} $$ $& \\' });
  });

  it('survives many escapes and expansions', () => {
    const got = substitute('$${v}${v}'.repeat(50_000), new Map([['v', 'x']]));
    expect(got).toEqual({ text: '${v}x'.repeat(50_000) });
  });
});

describe('what is refused', () => {
  it.each([
    ['${', 'unable to parse variable name'],
    ['${}', 'unable to parse variable name'],
    ['${ v}', 'unable to parse variable name'],
    ['${.Values.x}', 'unable to parse variable name'],
    ['${v', 'missing closing brace'],
    ['${v }', 'missing closing brace'],
    ['${v-d}', 'missing closing brace'],
    ['${v+d}', 'missing closing brace'],
    ['${v?d}', 'missing closing brace'],
    ['${v@Q}', 'missing closing brace'],
    ['${v:}', 'unable to parse substitution within function'],
    ['${v:é}', 'bad substitution'],
    ['${v:-', 'unable to parse substitution within function'],
    ['${v#}', 'unable to parse substitution within function'],
    ['${#v', 'bad substitution'],
    ['${#}', 'bad substitution'],
    ['${v/a}', 'bad substitution'],
    ['${v//}', 'bad substitution'],
    ['${v/a${v}/x}', 'bad substitution'],
    ['${v,,,}', 'bad substitution'],
    ['${v:3:-1}', '${v:...} has a negative length'],
    ['${accent:1}', '${accent:...} cuts a character in two'],
    ['${accent#?}', '${accent#...} cuts a character in two'],
  ])('refuses %j', (text, error) => {
    expect(substituted(`one: 1\ntwo: ${text}`)).toEqual({ error, line: 2 });
  });

  it.each(['${none}', '${#none}', '${none^^}', '${none:0}', '${none/a/b}', '${none#x}', '${v:-${none}}'])(
    'refuses %j, which is not set',
    (text) => {
      expect(substituted(text)).toEqual({
        error: 'variable none is not set and has no default',
        line: 1,
        variable: 'none',
      });
    },
  );

  it('takes a variable that is not set as empty where it is not strict', () => {
    const loose = (text: string) => substitute(text, VARIABLES, { strict: false });
    expect(loose('- ${none}')).toEqual({ text: '- ' });
    expect(loose('${#none}')).toEqual({ text: '0' });
    expect(loose('${none:-d}')).toEqual({ text: 'd' });
  });

  it('gives up on nesting without end', () => {
    const text = `${'${v:-'.repeat(10_000)}x${'}'.repeat(10_000)}`;
    expect(substituted(text)).toMatchObject({ error: 'more than 100 expansions in each other' });
  });
});

describe('whether anything happens', () => {
  it('leaves the text alone when there are no variables at all', () => {
    expect(substitute('${X:=d} $${Y} ${', new Map())).toEqual({ text: '${X:=d} $${Y} ${' });
  });

  it('replaces defaults without variables under the strategy Always', () => {
    expect(substitute('${X:=d} $${Y}', new Map(), { always: true })).toEqual({ text: 'd ${Y}' });
    expect(substitute('${X}', new Map(), { always: true })).toMatchObject({ variable: 'X' });
  });

  const KEY = 'kustomize.toolkit.fluxcd.io/substitute';
  it.each([
    [{}, false],
    [{ labels: { [KEY]: 'disabled' } }, true],
    [{ annotations: { [KEY]: 'disabled' } }, true],
    [{ annotations: { [KEY]: 'Disabled' } }, false],
    [{ labels: { [KEY]: 'enabled' } }, false],
  ])('knows whether %j opts out', (metadata, expected) => {
    expect(isExempt(metadata)).toBe(expected);
  });
});

describe('the variables', () => {
  const OBJECTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'ConfigMap/one': { a: 'one', b: 'one', c: 'one\ntwo\n' },
    'Secret/two': { b: 'two' },
    'ConfigMap/bad': { 'a-b': 'x' },
  };
  const of = (postBuild: Parameters<typeof variablesOf>[0]) => {
    const got = variablesOf(postBuild, (kind, name) => {
      const data = OBJECTS[`${kind}/${name}`];
      return data && new Map(Object.entries(data));
    });
    return 'variables' in got ? Object.fromEntries(got.variables) : got;
  };
  const ref = (kind: string, name: string, more = {}) => ({ kind, name, ...more });

  it('come from the references in order, then from those written down, without newlines', () => {
    expect(of({ substituteFrom: [ref('ConfigMap', 'one'), ref('Secret', 'two')] })).toEqual({
      a: 'one',
      b: 'two',
      c: 'onetwo',
    });
    expect(of({ substituteFrom: [ref('Secret', 'two'), ref('ConfigMap', 'one')] })).toMatchObject({
      b: 'one',
    });
    expect(
      of({
        substitute: { b: 'in\nline\n' },
        substituteFrom: [ref('ConfigMap', 'one'), ref('Secret', 'two')],
      }),
    ).toMatchObject({ b: 'inline' });
    expect(of({})).toEqual({});
  });

  it('skip a reference that leads nowhere only where it is optional', () => {
    const gone = ref('Secret', 'gone');
    expect(of({ substituteFrom: [gone] })).toEqual({ error: 'Secret gone does not exist', reference: gone });
    expect(of({ substituteFrom: [{ ...gone, optional: true }, ref('Secret', 'two')] })).toEqual({ b: 'two' });
  });

  it.each(['a-b', '1a', '', 'a.b', 'é', 'a b'])('refuse the name %j, used or not', (name) => {
    expect(of({ substitute: { ok: '1', [name]: 'x' } })).toMatchObject({ variable: name });
  });

  it('refuse a ConfigMap with one illegal key', () => {
    expect(of({ substituteFrom: [ref('ConfigMap', 'bad')] })).toEqual({
      error: '"a-b" is no name of a variable: letters, digits and _ only',
      variable: 'a-b',
    });
  });
});
