import type { Reading } from '../draft.ts';
import { located, problemOf, type Source } from '../source.ts';
import { DIALECTS } from './all.ts';
import type { Dialect, Target } from './dialect.ts';
import { native } from './native.ts';

/** A source, read in the dialect that its values show. */
export interface Understood {
  /** Its values in the typing of the dialect, where the text was at hand. */
  readonly source: Source;
  /** Absent where two dialects claim the values. */
  readonly dialect?: Dialect;
  readonly reading: Reading;
}

/** Finds the dialect of a source and reads it. Values that show nothing are Herald's own. */
export function read(source: Source, target: Target): Understood {
  const [first, second] = claimsOf(source.values);
  if (first && second) {
    const places = `${first.paths[0]} (${first.dialect.title}) and ${second.paths[0]} (${second.dialect.title})`;
    const problem = problemOf(source, {
      code: 'AmbiguousDialect',
      path: second.paths[0] ?? '',
      message: `can be read in two ways: it has ${places}`,
      hint: 'keep one of the two; each source is written in one dialect',
    });
    return { source, reading: { drafts: [], problems: [problem] } };
  }
  const dialect = first?.dialect ?? native;
  const typed = dialect.yaml === 'core' ? undefined : source.typed?.(dialect.yaml);
  if (typed && 'problems' in typed)
    return {
      source,
      dialect,
      reading: { drafts: [], problems: typed.problems.map((p) => located(source, p)) },
    };
  const retyped = typed ? { ...source, values: typed.value, ...(typed.at && { at: typed.at }) } : source;
  return { source: retyped, dialect, reading: dialect.read(retyped, target) };
}

interface Claim {
  readonly dialect: Dialect;
  readonly paths: readonly string[];
}

function claimsOf(values: unknown): readonly Claim[] {
  return DIALECTS.map((dialect) => ({ dialect, paths: dialect.evidence(values) })).filter(
    ({ paths }) => paths.length > 0,
  );
}
