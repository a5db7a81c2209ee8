import { type Checker, checker, type Misfit, pathText } from './check.ts';
import { withoutNulls } from './kind.ts';
import type { Problem } from './problem.ts';
import { fieldsOf, fromKeywords, type Schema, type TypeOf } from './schema.ts';
import { CHART, FOREIGN_ROOT_PATTERN, FOREIGN_ROOTS } from './values/chart.ts';
import { BEHAVIOUR, ENTRY_MAPS } from './values/entries.ts';
import { meantKey, mend, nearest } from './values/mend.ts';
import { type Respelt, respell } from './values/respell.ts';

export { CHANGE_POLICIES, type ChangePolicy } from './values/entries.ts';

type Entries = { readonly [K in keyof typeof ENTRY_MAPS]?: TypeOf<(typeof ENTRY_MAPS)[K]> };

/**
 * The chart's values, nulls taken out. The first eight keys map object names to entries, which hold the kind's spec fields beside the
 * reserved `labels`, `annotations` and `onChange`.
 */
export type HeraldValues = Entries & TypeOf<typeof BEHAVIOUR> & TypeOf<typeof CHART>;
type EntryOf<K extends keyof Entries> = NonNullable<Entries[K]>[string];
export type PoolValues = EntryOf<'pools'>;
export type L2AdvertisementValues = EntryOf<'l2Advertisements'>;
export type BGPAdvertisementValues = EntryOf<'bgpAdvertisements'>;
export type BGPPeerValues = EntryOf<'bgpPeers'>;
export type BFDProfileValues = EntryOf<'bfdProfiles'>;
export type CommunityValues = EntryOf<'communities'>;

const ROOT_KEYS = { ...ENTRY_MAPS, ...fieldsOf(BEHAVIOUR), ...fieldsOf(CHART) };

/** The whole of values.schema.json but for its header. Unknown roots are refused, foreign roots let through. */
export const valuesSchema: Schema<HeraldValues> = fromKeywords<HeraldValues>({
  type: 'object',
  properties: {
    ...Object.fromEntries(Object.entries(ROOT_KEYS).map(([key, schema]) => [key, nullableRoot(schema)])),
    ...Object.fromEntries(FOREIGN_ROOTS.map((key) => [key, foreign()])),
  },
  patternProperties: { [FOREIGN_ROOT_PATTERN]: foreign() },
  additionalProperties: false,
});

/** `pools:` with nothing after it is null in YAML. */
function nullableRoot(schema: object): object {
  const type: unknown = Reflect.get(schema, 'type');
  return typeof type === 'string' ? { ...schema, type: [type, 'null'] } : schema;
}

function foreign(): object {
  return { description: "Key of another product's values." };
}

const VALUES: Checker<HeraldValues> = checker(valuesSchema);

/** warnings: what was read and has no effect; never stops anything. respelt: what can be judged further. */
export type CheckedValues =
  | { readonly values: HeraldValues; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[]; readonly respelt: Respelt };

/**
 * Checks merged values and takes the nulls out. Every mistake is reported, each with its place and the mend; no
 * message holds a value, since values may be secret. Address ranges are not looked at here.
 */
export function checkValues(raw: unknown): CheckedValues {
  const given = raw ?? {};
  const misfits = VALUES.misfits(given);
  if (misfits.length > 0) {
    const respelt = respell(given, misfits);
    return { problems: misfitProblems([...misfits, ...hidden(respelt)], given), respelt };
  }
  const values = withoutNulls(given);
  // Taking nulls out cannot break a fit; the check gives the value its type.
  if (!VALUES.fits(values))
    return { problems: misfitProblems(VALUES.misfits(values), values), respelt: respell(values, []) };
  return { values, warnings: [...foreignKeys(values), ...unknownSubKeys(values)] };
}

/** What would not fit below misspelt keys: whoever mends those is to meet no second round. */
function hidden({ value, written }: Respelt): readonly Misfit[] {
  return VALUES.misfits(value).flatMap((misfit) => {
    const path = written(misfit.path);
    return path === misfit.path ? [] : [{ ...misfit, path }];
  });
}

/** What values in another product's words say about Herald's own behaviour; undefined when that does not fit. */
export function behaviourOf(raw: unknown): HeraldValues | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const known = Object.keys(fieldsOf(BEHAVIOUR));
  const checked = checkValues(Object.fromEntries(Object.entries(raw).filter(([key]) => known.includes(key))));
  return 'values' in checked ? checked.values : undefined;
}

/** The misfits of a value as Problems, each with the mend and its path from the value. No message holds a value. */
export function misfitProblems(misfits: readonly Misfit[], root: unknown): readonly Problem[] {
  return withoutEchoes(misfits).map((misfit) => problemOf(misfit, root));
}

/** A misspelt key is reported once: not again as the missing key that it stands for. */
function withoutEchoes(misfits: readonly Misfit[]): readonly Misfit[] {
  const meant = new Set(
    misfits
      .filter(({ kind }) => kind === 'unknownKey')
      .map((misfit) => JSON.stringify([...misfit.path.slice(0, -1), meantKey(misfit)])),
  );
  return misfits.filter(({ kind, path }) => kind !== 'required' || !meant.has(JSON.stringify(path)));
}

const CODES: Readonly<Record<Misfit['kind'], string>> = {
  type: 'WrongType',
  unknownKey: 'UnknownKey',
  required: 'MissingKey',
  name: 'InvalidName',
  value: 'InvalidValue',
};

function problemOf(misfit: Misfit, root: unknown): Problem {
  const hint = mend(misfit, root);
  return {
    code: CODES[misfit.kind],
    path: pathText(misfit.path),
    message: misfit.message,
    ...(hint !== undefined && { hint }),
  };
}

function warning(p: Omit<Problem, 'severity'>): Problem {
  return { severity: 'warning', ...p };
}

const FOREIGN: ReadonlySet<string> = new Set(FOREIGN_ROOTS);

/** Whether a root key is that of another product which the schema lets through. */
export function isForeignRoot(key: string): boolean {
  return FOREIGN.has(key) || new RegExp(FOREIGN_ROOT_PATTERN).test(key);
}

function foreignKeys(values: HeraldValues): readonly Problem[] {
  return Object.keys(values)
    .filter(isForeignRoot)
    .map((key) =>
      warning({
        code: 'ForeignKey',
        path: pathText([key]),
        message: "is another product's key, with nothing in it that can be read",
      }),
    );
}

/** Keys below the chart's open roots that neither upstream nor Herald knows: most likely misspelt. */
function unknownSubKeys(values: HeraldValues): readonly Problem[] {
  return Object.entries(fieldsOf(CHART)).flatMap(([root, schema]) => {
    const known = Object.keys(fieldsOf(schema));
    const given: unknown = Reflect.get(values, root);
    if (known.length === 0 || typeof given !== 'object' || given === null || Array.isArray(given)) return [];
    return Object.keys(given)
      .filter((key) => !known.includes(key))
      .map((key) => {
        const guess = nearest(key, known);
        return warning({
          code: 'UnknownKey',
          path: pathText([root, key]),
          message: 'is not a known key and has no effect',
          ...(guess !== undefined && { hint: `did you mean "${guess}"?` }),
        });
      });
  });
}
