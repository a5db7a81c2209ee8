// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of other tools, as they stand in values.
/** HelmReleases that nobody would write, with the objects that they refer to: made at random, repeatable by their seed. */
import fc from 'fast-check';
import type { ValuesReference } from '../../src/domain/api/flux.ts';
import type { Objects } from '../gitops/objects.rig.ts';
import type { ValuesCase } from '../gitops/values.rig.ts';
import { document, key, oneOf, words } from './yaml.cases.ts';

/** The same cases for the same seed. */
export function valuesCases(o: { seed: number; count: number }): readonly ValuesCase[] {
  return fc.sample(CASE, { seed: o.seed, numRuns: o.count });
}

/** What a targetPath may be set to. */
const text = fc.oneof(
  {
    weight: 5,
    arbitrary: oneOf([
      ...words(
        'text 64512 "64512" \'x\' " \' "" "a\' true NULL False tRuE 0 -0 007 -5 +5 1.5 1e3 9223372036854775807 \u017false é ${v}',
      ),
      ...words(
        '9223372036854775808 -9223372036854775808 {a,b} {1,true,null,"x"} {} {a\\,b} {{a}} {a,b},c=1 {a,b}c a=b a.b=c a[0]=b [0]=x',
      ),
      ...words(
        'a,b=c a\\,b a\\\\ a,b=1,c={1,2} a,m.x=5 a,l[1]=5 192.0.2.0/24 "192.0.2.0/24,198.51.100.0/24" 2001:db8::/64',
      ),
      '',
      ' ',
      '\n',
      ' 5',
      '64512\n',
      '"64512"\n',
      'two words',
      'a: b\nc: d\n',
    ]),
  },
  { weight: 1, arbitrary: oneOf(words('{a a,b a,m=5 ,a=1 a, a,b= [0] \\ 192.0.2.0/24,198.51.100.0/24')) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 10 }) },
);

/** Keys that a targetPath can hold as they are. */
const step = oneOf(['a', 'b', 'm', 'l', 'x', '1', 'true', 'dot\\.ted', 'p', 'q']);
const targetPath = fc.oneof(
  { weight: 8, arbitrary: fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.')) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(step, oneOf(words('[0] [1] [3] [0][1] [0].x [1].m.x [2][0].p')))
      .map(([first, rest]) => first + rest),
  },
  { weight: 1, arbitrary: oneOf(words('a. .a a..b a\\ [0] a[0]b a[99999] a/b m.x.y.x.y a\\\\b')) },
);

const NAMES = ['one', 'two'];
const kind = fc.constantFrom('ConfigMap', 'ConfigMap', 'Secret');
const optional = fc.constantFrom({}, {}, { optional: true }, { optional: false });

const whole: fc.Arbitrary<ValuesReference> = fc
  .record({ kind, name: oneOf(NAMES), key: fc.constantFrom({}, {}, { valuesKey: 'other' }), optional })
  .map(({ key: at, optional: maybe, ...reference }) => ({ ...reference, ...at, ...maybe }));
const single: fc.Arbitrary<ValuesReference> = fc
  .record({
    kind,
    name: oneOf(NAMES),
    valuesKey: oneOf(['v', 'w']),
    targetPath,
    literal: fc.constantFrom({}, {}, {}, { literal: true }),
  })
  .map(({ literal, ...reference }) => ({ ...reference, ...literal }));
/** Leads nowhere; mostly it may. */
const nowhere: fc.Arbitrary<ValuesReference> = fc
  .record({ kind, name: oneOf(['one', 'gone']), optional: fc.constantFrom(true, true, true, false) })
  .map((reference) => ({ ...reference, valuesKey: 'gone' }));

const data = fc.record({ 'values.yaml': document, other: document, v: text, w: text });
const objects: fc.Arbitrary<Objects> = fc.record({
  'ConfigMap/one': data,
  'ConfigMap/two': data,
  'Secret/one': data,
  'Secret/two': data,
});

const JSON_SCALARS: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  64512,
  4200000000,
  1.5,
  1e21,
  1e-7,
  0.1,
  '',
  'text',
  'a: b',
  'x\ny\n',
  ' x',
  '\n',
  'x\n\n',
  ...words('true 1 0x1 1e3 2020-01-01 ~ = << 1_000 y 64512:10 - ? : # & * ! | > % @ ` 0777 .5 null a\u0085b'),
];
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'json' },
    { weight: 4, arbitrary: fc.constantFrom(...JSON_SCALARS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 100 }) },
    { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
    { weight: 1, arbitrary: fc.maxSafeInteger() },
    { weight: 2, arbitrary: fc.array(tie('json'), { maxLength: 3, depthIdentifier: 'json' }) },
    { weight: 3, arbitrary: map(tie('json')) },
  ),
}));
function map(value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  const name = fc.oneof(key, fc.constantFrom('a', 'm', 'l', 'x', ''), fc.string({ maxLength: 5 }));
  return fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true, depthIdentifier: 'json' });
}

const inline = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 8, arbitrary: map(json) },
  // A value that is no map counts as none.
  { weight: 1, arbitrary: fc.constantFrom<unknown>([], [1], 'text', 5, null, {}) },
);

const CASE: fc.Arbitrary<ValuesCase> = fc
  .tuple(
    inline,
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: whole },
        { weight: 6, arbitrary: single },
        { weight: 1, arbitrary: nowhere },
      ),
      { maxLength: 4 },
    ),
    objects,
  )
  .map(([values, from, all]) => ({
    what: 'generated',
    ...(values !== undefined && { values }),
    from,
    objects: Object.fromEntries(
      Object.entries(all).filter(([id]) => from.some((ref) => id === `${ref.kind}/${ref.name}`)),
    ),
  }));
