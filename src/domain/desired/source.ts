import type { Part, Path } from '../api/check.ts';
import type { Problem } from '../api/problem.ts';
import type { Code } from './errors.ts';
import { pathOf } from './path.ts';

/** How the readers of a text type what stands without quotes: YAML 1.2, Go's libraries, PyYAML (YAML 1.1). */
export type YamlFlavour = 'core' | 'go' | 'pyyaml';

/** A source of configuration, parsed. */
export interface Source {
  /** Name of its ConfigSource; stands in provenance annotations. */
  readonly name: string;
  /** In words: "Secret metallb-system/herald-values". */
  readonly title: string;
  /** Its values may hold secrets: no message repeats one. */
  readonly secret: boolean;
  /** Many may read the text itself: a password in it is refused. */
  readonly open?: boolean;
  readonly values: unknown;
  /** Where a place of the values stands in the text, if there is a text with lines. */
  readonly at?: At;
  /** The scalar at a place as it was written, where the values were read in the typing of a dialect. */
  readonly text?: (path: Path) => string | undefined;
  /** The same text, typed as another reader would; absent where there is no text. */
  readonly typed?: (flavour: YamlFlavour) => Typed;
  /** Reads a text that stands in the values as YAML of its own; absent where there is no parser. */
  readonly parse?: (
    text: string,
  ) => Pick<Source, 'values' | 'typed'> | { readonly problems: readonly Problem[] };
  readonly context?: Context;
}

/** The place of the value at a path, or of its key where it has one. source: the text that it is in, where the values come from several. */
type At = (
  path: Path,
  part?: Part,
) => { readonly source?: string; readonly line: number; readonly column: number } | undefined;

/** A text, read in the typing of one reader, or why that reader cannot. duplicates: keys that stand twice; the last one counts. */
export type Typed =
  | (Pick<Source, 'at' | 'text'> & {
      readonly value: unknown;
      readonly duplicates?: readonly Problem[];
    })
  | { readonly problems: readonly Problem[] };

/** What is known about a source beside its values. */
export interface Context {
  /** The chart whose values they are, as the HelmRelease says it: "0.12.1", ">=0.14.0", "v0.13". */
  readonly chart?: { readonly name: string; readonly version?: string };
  /** Release name and, for legacy ConfigMaps and charms, the name of the object that held them. */
  readonly release?: string;
  readonly object?: { readonly kind: string; readonly name: string; readonly namespace?: string };
}

/** What a Problem says, before its place in the source is known. */
export interface Finding {
  readonly code: Code;
  /** Place in the values. */
  readonly path: string;
  readonly object?: string;
  readonly severity?: Problem['severity'];
  /** Repeats no value. */
  readonly message: string;
  /** May repeat values: takes the place of `message` where the source is not secret. */
  readonly detail?: string;
  readonly hint?: string;
}

/** The Problem of a finding: its line looked up, its detail chosen. */
export function problemOf(source: Source, finding: Finding): Problem {
  const { detail, severity, ...rest } = finding;
  const message = source.secret || detail === undefined ? rest.message : detail;
  return located(source, { ...rest, ...(severity && { severity }), message });
}

/** Codes of Problems about a key, whatever its value is. */
const ABOUT_KEYS: ReadonlySet<string> = new Set<Code>(['UnknownKey', 'ForeignKey', 'OldSpelling']);

/** The part of the entry at its path that a Problem is about. */
export function partOf({ code }: Pick<Problem, 'code'>): Part {
  return ABOUT_KEYS.has(code) ? 'key' : 'value';
}

/**
 * The Problem with the title of its text and, where that has lines, the line and column of its path; of what is not there, the
 * place of the nearest thing around it.
 */
export function located(source: Source, problem: Problem): Problem {
  const path = pathOf(problem.path);
  let place = source.at?.(path, partOf(problem));
  for (let n = path.length - 1; n >= 0 && !place; n--) place = source.at?.(path.slice(0, n));
  return {
    ...problem,
    source: place?.source ?? source.title,
    ...(place && { line: place.line, column: place.column }),
  };
}

/** Key of a ConfigMap that holds the values: "values.yaml", the only one there is, or the "config" of MetalLB up to 0.12. */
export function configKey(data: Readonly<Record<string, string>>): string | undefined {
  const keys = Object.keys(data);
  if (keys.includes('values.yaml')) return 'values.yaml';
  if (keys.length === 1) return keys[0];
  return keys.includes('config') ? 'config' : undefined;
}

export function isError(problem: Problem): boolean {
  return problem.severity === undefined || problem.severity === 'error';
}
