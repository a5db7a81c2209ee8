import { type Path, pathText } from '../api/check.ts';
import type { Problem } from '../api/problem.ts';
import { checkValues } from '../api/values.ts';
import type { Draft } from './draft.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { legibleRanges, pathOf, placeOf } from './path.ts';
import { isError, located, type Source } from './source.ts';

/** A draft beside what the schema of its kind says against it. */
export interface Fitted {
  readonly problems: readonly Problem[];
  /** What can be judged further: without unknown fields; of a pool that does not fit, its ranges; of others then nothing. */
  readonly draft?: Draft;
}

/**
 * Judges a draft that no schema has seen yet. A field that the kind does not know is a warning, and is dropped as the API server
 * would drop it.
 */
export function fitDraft(source: Source, draft: Draft): Fitted {
  const unknown = misfits(draft).filter((p) => p.code === 'UnknownKey');
  const spec = unknown.reduce((rest, { field }) => without(rest, field), draft.spec);
  // What a misspelt field stands for is missing only now.
  const known = { ...draft, spec };
  const problems = [
    ...unknown.map(
      (p): Misfit => ({ ...p, severity: 'warning', message: 'is not a known field and has no effect' }),
    ),
    ...misfits(known),
  ].map(({ field, ...p }) => located(source, { ...p, path: placeOf(draft, pathText(field)) }));
  const judged = problems.some(isError) ? legible(draft) : known;
  return { problems, ...(judged && { draft: judged }) };
}

type Misfit = Problem & { readonly field: Path };

function misfits({ section, name, spec }: Draft): readonly Misfit[] {
  const checked = checkValues({ [section]: { [name]: spec } });
  if (!('problems' in checked)) return [];
  return checked.problems
    .filter((p) => p.code !== 'InvalidName')
    .map((p) => ({ ...p, field: pathOf(p.path).slice(2) }));
}

function without(spec: JsonObject, field: Path): JsonObject {
  const [step, ...rest] = field;
  return Object.fromEntries(
    Object.entries(spec).flatMap(([key, value]): [string, Json][] => {
      if (key !== step) return [[key, value]];
      return rest.length === 0 ? [] : [[key, inner(value, rest)]];
    }),
  );
}

function inner(value: Json, field: Path): Json {
  if (isObject(value)) return without(value, field);
  const [step, ...rest] = field;
  return Array.isArray(value) ? value.map((item: Json, i) => (i === step ? inner(item, rest) : item)) : value;
}

function legible(draft: Draft): Draft | undefined {
  if (draft.section !== 'pools') return undefined;
  const ranges = legibleRanges(draft.spec, (key) => placeOf(draft, pathText([key])));
  if (!ranges) return undefined;
  const fields = new Map([...(draft.fields ?? []), ...ranges.fields]);
  return { ...draft, fields, spec: { addresses: ranges.texts } };
}
