// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of other tools, as they stand in values.
/** Values files that nobody would write: where the readers of YAML disagree, and where they give up. */
import fc from 'fast-check';

const lines = (text: string): readonly string[] => text.trim().split('\n');
export const words = (text: string): readonly string[] => text.trim().split(/\s+/);
export const oneOf = (list: readonly string[]) => fc.constantFrom(...list);

/**
 * Few, so that layers meet; some of them are other things than text to Go's reader. No two become the same text in one map: which
 * of them Go's reader keeps is a matter of chance.
 */
const KEYS = [
  'a',
  'b',
  'm',
  'l',
  'x',
  'y',
  'n',
  '1',
  '0777',
  '1.5',
  'dot.ted',
  'a b',
  'é',
  '-',
  '2020-01-01',
  '"q"',
];
export const key = oneOf(KEYS);

/** What stands without quotes, and where the readers of YAML disagree about its type. */
const PLAIN = [
  ...words(
    'y N yes No on OFF true False tRue ~ null Null NULL nULL none 0 -0 +1 -1 007 0777 0o17 0O17 08 0x1F 0X1f -0x1',
  ),
  ...words(
    '0b101 1_000 _1 1__0 0_7 64512:10 1:1 12:30 12:30:45 190:20:30 1:60 1.5 .5 5. -.5 +.5 1e3 1E+3 1e-7 1e21 1e400',
  ),
  ...words(
    '1. . 1.2.3 1_0.5 -0.0 0.1e1 inf nan Infinity 4200000000 2147483648 9007199254740993 9223372036854775807',
  ),
  ...words(
    '18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809 0.1 3.141592653589793238',
  ),
  ...words(
    '123456789012345678901234567890 2020-01-01 2020-1-1 2020-02-30 2020-01-01T00:00:00Z 2020-01-01t1:2:3+01:00 20-01-01',
  ),
  ...words(
    "192.0.2.0/24 192.0.2.1-192.0.2.9 2001:db8::/64 ::1 fe80::1%eth0 text a#b a:b http://x/y = << ?x -x ${v} a\\b it's",
  ),
  '2020-01-01 00:00:00',
  '10.0.0.1 - 10.0.0.9',
  'two words',
  '',
  '1 # one',
  'x   ',
  '"a" # b',
  '!!str 1',
  '!!int 7',
  '!!float 1',
  '!!bool yes',
  '!!null ""',
  '!!binary aGk=',
  '!custom x',
];
const QUOTED = lines(String.raw`
""
''
"1"
'1'
"true"
'null'
"a\tb"
"\x41\u00e9\U0001F600"
'it''s'
"\0"
"192.0.2.0/24"
"0123"
'a: b'
"- x"
"#x"
" x "
"\e\a\_\N\L"`);

const scalar = fc.oneof(
  { weight: 4, arbitrary: oneOf(PLAIN) },
  { weight: 2, arbitrary: oneOf(QUOTED) },
  { weight: 1, arbitrary: fc.integer().map(String) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((s) => JSON.stringify(s)) },
);

/** A piece of YAML: on one line, or lines that stand below their key. */
type Piece = string | readonly string[];

const entry = (head: string, value: Piece): readonly string[] => {
  if (typeof value === 'string') return [`${head} ${value}`];
  const [first = '', ...rest] = value;
  const inner = (line: string) => `  ${line}`;
  // A block scalar begins beside its key.
  return /^[|>]/.test(first) ? [`${head} ${first}`, ...rest.map(inner)] : [head, ...value.map(inner)];
};

/** A block scalar: its header, then its lines. */
const block = fc
  .tuple(
    oneOf(words('| > |- >- |+ >+ |2 >2-')),
    fc.array(oneOf(['one', 'two words', '', '  more', '# no comment', 'a: b', '- x', 'é', 'trailing ']), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([header, text]): Piece => [header, ...text]);

const inner = oneOf(lines('1\nyes\n"x"\na b\n~\n0x10\n1e3\n\'\'\n{a: 1}\n[1, two]\n{}\n[]\n64512\n[[]]'));
/** Lists and maps between brackets. */
const flow = fc.oneof(
  fc.array(inner, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  fc
    .uniqueArray(fc.tuple(oneOf(['a', 'b', 'y', '1', '"q"', 'x']), inner), {
      maxLength: 3,
      selector: ([k]) => k,
    })
    .map((pairs) => `{${pairs.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
);

const { node } = fc.letrec<{ node: Piece }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'yaml' },
    { weight: 6, arbitrary: scalar },
    { weight: 2, arbitrary: entries(tie('node')) },
    {
      weight: 2,
      arbitrary: fc
        .array(tie('node'), { minLength: 1, maxLength: 3, depthIdentifier: 'yaml' })
        .map((items) => items.flatMap((item) => entry('-', item))),
    },
    { weight: 1, arbitrary: block },
    { weight: 1, arbitrary: flow },
  ),
}));

function entries(value: fc.Arbitrary<Piece>): fc.Arbitrary<readonly string[]> {
  const pair = fc.tuple(key, value);
  return fc
    .uniqueArray(pair, { minLength: 1, maxLength: 3, selector: ([k]) => k, depthIdentifier: 'yaml' })
    .map((pairs) => pairs.flatMap(([k, v]) => entry(`${k}:`, v)));
}

/** Lines that follow a map's; `%s` stands for the map. Each is one line here. */
const ADDED = lines(String.raw`
base: &x {p: 1, q: 2}\nover:\n  <<: *x\n  q: 3\nsame: *x
one: &x {p: 1}\ntwo: &z {p: 2, r: 3}\nboth: {<<: [*x, *z], r: 4}
q: 1\n<<: {q: 2, r: 3}\nr: 4
anchored: &x yes\ncopy: *x\n*x : 1
? complex\n: value
# a comment
---\n%s
---\n%s\n...\n
%s\n---\nsecond: 1
%s\n--- text
%YAML 1.1\n---\n%s
# before\n\n%s
a: {b: 1, b: 2}
m: {x: 1}\nm: {z: 2}
m: null
m: {}
l: []
l: {x: 1}
m: {x: {z: 1}}
m: {x: null}
long: some words that go on for more than eighty columns, so that a writer of YAML would fold them somewhere
folded: one\n  two\n\n  three
quoted: "one\n  two\n\n  three"
quoted: 'one\n  two \\\n  three'
no: {on: off}
? 1e3\n: 1
.5: 1
0x10: 1
-1: 1
12345678: 1
0.1: 1
1.25e-7: 1
a:\n- 1\n- - 2\n  - 3\n- x: 1\n  z: 2
a:\n    deep:\n        er: 1
{"a": 1,\n "b": [1,\n 2]}
{}
~
null`).map(unescaped);
/** Texts that are refused, or that say nothing. */
const BROKEN = lines(String.raw`
[]
text
- a
a: b: c
a:\n\tb: 1
a: [1
a: "x
a: *none
{a: 1}}
a: 1\n b: 2
@x
a: !!int x
a: !!float x
a: .inf
a: .NaN
~: 1
? [a, b]\n: value
? {a: 1}\n: value
a: &x [*x]
<<: 1
a: {<<: [1]}
a: !!binary "?"
a: "\q"
a: %x`).map(unescaped);
function unescaped(line: string): string {
  return line.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
}

/** A values file. */
export const document = fc
  .tuple(
    fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 9, arbitrary: entries(node) }),
    fc.oneof(
      { weight: 20, arbitrary: fc.constant('') },
      { weight: 20, arbitrary: oneOf(ADDED) },
      { weight: 1, arbitrary: oneOf(BROKEN) },
    ),
    fc.constantFrom('\n', '\n', '\n', '', '\r\n', '\ufeff'),
  )
  .map(([map, added, ending]) => {
    const whole = added.includes('%s') || added.startsWith('{') || !/[:?]/.test(added);
    const text = whole ? added.replace('%s', () => map.join('\n')) : [...map, added].join('\n');
    if (ending === '\r\n') return text.replaceAll('\n', ending);
    return ending === '\ufeff' ? ending + text : text + ending;
  });
