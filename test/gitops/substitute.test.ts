// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostBuild } from '../../src/domain/desired/flux/substitute.ts';
import { available } from '../servers/index.ts';
import type { Objects } from './objects.rig.ts';
import { REFUSED, type SubstituteCase, SubstituteLab } from './substitute.rig.ts';

const can = available('flux');

const OBJECTS: Objects = {
  'ConfigMap/one': { A: 'one', B: 'one', LINES: 'x\ny\n' },
  'Secret/two': { B: 'two' },
  'ConfigMap/bad': { 'a-b': 'x' },
};
const KEY = 'kustomize.toolkit.fluxcd.io/substitute';

/** Variables of the cases that do not name their own. */
const substitute = {
  RANGE: '192.0.2.0/28',
  NUMBER: '64512',
  YES: 'yes',
  EMPTY: '',
  LIST: '[192.0.2.0/28, 198.51.100.0/28]',
  TEXT: 'abcABC123ABCabc',
  PATH: 'path/to/file',
  COLON: 'a: b',
  HASH: 'a #b',
  NESTED: '${RANGE} $${x}',
  QUOTE: "it's",
  ACCENT: 'éa',
};

type Case = SubstituteCase & { readonly refused?: true };
const all = (what: string, values: string, more: Partial<Case> = {}): Case => ({
  what,
  values,
  postBuild: { substitute },
  ...more,
});
/** Each expression as a value of its own. */
const each = (what: string, ...texts: readonly string[]): Case =>
  all(what, texts.map((text, i) => `k${i}: ${JSON.stringify(text)}`).join('\n'));
const refused = (text: string): Case => ({ ...each(`${text} (refused)`, text), refused: true });
const from = (what: string, postBuild: PostBuild, more: Partial<Case> = {}): Case =>
  all(what, 'a: ${A:-none}\nb: ${B:-none}\nlines: ${LINES:-none}', { postBuild, ...more });
const ref = (kind: string, name: string, more = {}) => ({ kind, name, ...more });

const CASES: readonly Case[] = [
  all(
    'a value that turns into a number, a boolean, a list',
    'n: ${NUMBER}\ny: ${YES}\nl: ${LIST}\nr: ${RANGE}',
  ),
  all('the same inside of quotes', 'n: "${NUMBER}"\ny: \'${YES}\'\nl: "x${LIST}"'),
  all('a variable as key, and in a list', '${RANGE}: 1\nl: [a, "${RANGE}"]'),
  all('an empty value', 'a: ${EMPTY}\nl: ["${EMPTY}", "x${EMPTY}"]'),
  all('a value that breaks the YAML', 'a: x${COLON}', { refused: true }),
  all('a value that begins a comment', 'a: x${HASH}'),
  all('a quote inside of those that the build writes', 'a: "x: ${QUOTE}"', { refused: true }),
  each('a value that holds variables', '${NESTED}'),
  each('escapes', '$${RANGE}', '$$RANGE', '$RANGE', '$$$${RANGE}', '$', '${RANGE}$'),
  each(
    'defaults',
    '${NONE:-d}',
    '${NONE:=d}',
    '${NONE=d}',
    '${NONE:?d}',
    '${NONE:+d}',
    '${EMPTY:-d}',
    '${RANGE:-d}',
  ),
  each('defaults in each other', '${NONE:-${RANGE}}', '${NONE:-a${OTHER:=b}c}', '${NONE:-}'),
  each(
    'lengths and parts',
    '${#TEXT}',
    '${#ACCENT}',
    '${TEXT:3}',
    '${TEXT:3:3}',
    '${TEXT:99}',
    '${TEXT: -3}',
    '${TEXT:3::3}',
  ),
  each('prefixes', '${PATH#*/}', '${PATH##*/}', '${TEXT#[a-c]}', '${TEXT#[^x]b}', '${TEXT#*}', '${TEXT##*}'),
  each('suffixes', '${PATH%/*}', '${PATH%%/*}', '${TEXT%[a-c]}', '${RANGE%/28}', '${RANGE%/??}'),
  each(
    'replacements',
    '${TEXT/abc/x}',
    '${TEXT//abc/x}',
    '${TEXT/#abc/x}',
    '${TEXT/%abc/x}',
    '${TEXT/abc/}',
    '${PATH/t/${NUMBER}}',
  ),
  each('upper and lower case', '${TEXT^}', '${TEXT^^}', '${TEXT,}', '${TEXT,,}', '${ACCENT^}'),
  all('long text, which the build folds', `a: ${'word '.repeat(30)}\${RANGE} ${'word '.repeat(30)}`),
  all('a block', 'a: |\n  first ${RANGE}\n  second ${NUMBER}\nb: >-\n  ${RANGE}'),
  ...[
    '${NONE}',
    '${#NONE}',
    '${NONE^^}',
    '${RANGE:-${NONE}}',
    '${RANGE',
    '${}',
    '${RANGE-d}',
    '${RANGE?d}',
    '${RANGE+d}',
  ].map(refused),
  ...['${.Values.x}', '${RANGE@Q}', '${ACCENT:1}', '${TEXT/a}', '${RANGE:é}'].map(refused),
  all('a label that opts out', 'a: ${RANGE}', { metadata: { labels: { [KEY]: 'disabled' } } }),
  all('an annotation that opts out', 'a: ${NONE}', { metadata: { annotations: { [KEY]: 'disabled' } } }),
  all('an annotation that says something else', 'a: ${RANGE}', {
    metadata: { annotations: { [KEY]: 'Disabled' } },
  }),
  { ...each('no variables at all', '${X:=d}', '$${Y}', '${'), postBuild: { substitute: {} } },
  { ...each('no postBuild', '${X:=d}', '$${Y}', '${'), postBuild: undefined },
  {
    ...each('no variables, and the strategy Always', '${X:=d}', '$${Y}'),
    postBuild: { substituteStrategy: 'Always' },
  },
  {
    ...each('no variables, the strategy Always, and none set', '${X}'),
    postBuild: { substituteStrategy: 'Always' },
    refused: true,
  },
  from('references in order', { substituteFrom: [ref('ConfigMap', 'one'), ref('Secret', 'two')] }),
  from('references in the other order', { substituteFrom: [ref('Secret', 'two'), ref('ConfigMap', 'one')] }),
  from('what is written down over references', {
    substitute: { B: 'written\n', LINES: 'a\n\nb' },
    substituteFrom: [ref('ConfigMap', 'one'), ref('Secret', 'two')],
  }),
  from('an optional reference to nothing', {
    substituteFrom: [ref('ConfigMap', 'gone', { optional: true }), ref('Secret', 'two')],
  }),
  from('a reference to nothing', { substituteFrom: [ref('Secret', 'gone')] }, { refused: true }),
  from('an illegal name, though unused', { substituteFrom: [ref('ConfigMap', 'bad')] }, { refused: true }),
];

describe.skipIf(can !== true)(
  `variables as the real kustomize-controller replaces them${can === true ? '' : ` (${can})`}`,
  () => {
    let lab: SubstituteLab;
    beforeAll(async () => {
      lab = await SubstituteLab.start(CASES, { objects: OBJECTS });
    });
    afterAll(() => lab?.stop());

    for (const [i, c] of CASES.entries())
      it(`agrees on ${c.what}`, async () => {
        const { ours, theirs } = await lab.compare(i);
        expect(ours).toEqual(theirs);
        expect(theirs === REFUSED).toBe(c.refused ?? false);
      });
  },
);
