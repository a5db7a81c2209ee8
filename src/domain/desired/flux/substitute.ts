/** Flux's post-build substitution, as kustomize-controller does it to the YAML of each object after the build. */
import { type Piece, parseExpansions } from './envsubst.ts';
import { SubstitutionError } from './errors.ts';
import type { DataOf } from './merge.ts';
import { fromBytes, operate, toBytes } from './operators.ts';

export interface SubstituteOptions {
  /** A variable that is not set and has no default is an error (kustomize-controller 1.9 and newer), not empty. Default true. */
  readonly strict?: boolean;
  /** spec.postBuild.substituteStrategy: Always. Without it nothing at all happens when there are no variables. */
  readonly always?: boolean;
}

export type Substituted =
  | { readonly text: string }
  /** `line` counts from 1. The message holds no values. */
  | { readonly error: string; readonly line: number; readonly variable?: string };

/**
 * The text of one object with its variables replaced. The result is to be read as YAML again: a value without quotes may have
 * turned into a number, a list, or broken the document. See `isExempt` for objects that must not come here.
 */
export function substitute(
  text: string,
  variables: ReadonlyMap<string, string>,
  o: SubstituteOptions = {},
): Substituted {
  if (variables.size === 0 && o.always !== true) return { text };
  const strict = o.strict ?? true;
  try {
    const pieces = parseExpansions(text);
    return { text: pieces.map((piece) => expand(piece, { variables, strict })).join('') };
  } catch (e) {
    if (!(e instanceof SubstitutionError)) throw e;
    return {
      error: e.message,
      line: text.slice(0, e.at).split('\n').length,
      ...(e.variable !== undefined && { variable: e.variable }),
    };
  }
}

/** Operators that supply a value for a variable that is not set. */
const DEFAULTS: ReadonlySet<string> = new Set(['=', ':-', ':=', ':?', ':+']);

function expand(
  piece: Piece,
  o: { readonly variables: ReadonlyMap<string, string>; readonly strict: boolean },
): string {
  if (typeof piece === 'string') return piece;
  const { variable, operator, at } = piece;
  const args = piece.args.map((arg) => toBytes(expand(arg, o)));
  const value = o.variables.get(variable);
  if (value === undefined && o.strict && !DEFAULTS.has(operator))
    throw new SubstitutionError(`variable ${variable} is not set and has no default`, at, variable);
  const bytes = operate(operator, toBytes(value ?? ''), args);
  if (bytes === undefined) throw new SubstitutionError(`\${${variable}:...} has a negative length`, at);
  const result = fromBytes(bytes);
  if (result === undefined)
    throw new SubstitutionError(`\${${variable}${operator}...} cuts a character in two`, at);
  return result;
}

/** spec.postBuild of a Kustomization. */
export interface PostBuild {
  readonly substitute?: Readonly<Record<string, string>>;
  readonly substituteFrom?: readonly SubstituteReference[];
}
export interface SubstituteReference {
  readonly kind: string;
  readonly name: string;
  readonly optional?: boolean;
}

export type Variables =
  | { readonly variables: ReadonlyMap<string, string> }
  | {
      readonly error: string;
      /** The reference that leads nowhere, or the variable whose name is refused. */
      readonly reference?: SubstituteReference;
      readonly variable?: string;
    };

/**
 * The variables of a Kustomization: references in order, the later wins, `substitute` over them; newlines are dropped. `data`
 * looks in the Kustomization's own namespace. One illegal name refuses all, used or not.
 */
export function variablesOf(postBuild: PostBuild, data: DataOf): Variables {
  const found = new Map<string, string>();
  for (const reference of postBuild.substituteFrom ?? []) {
    const { kind, name, optional } = reference;
    if (kind !== 'ConfigMap' && kind !== 'Secret') continue;
    const object = data(kind, name);
    if (object === undefined && optional) continue;
    if (object === undefined) return { error: `${kind} ${name} does not exist`, reference };
    for (const [key, value] of object) found.set(key, value);
  }
  for (const [key, value] of Object.entries(postBuild.substitute ?? {})) found.set(key, value);
  for (const variable of found.keys())
    if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(variable))
      return { error: `"${variable}" is no name of a variable: letters, digits and _ only`, variable };
  return { variables: new Map([...found].map(([key, value]) => [key, value.replaceAll('\n', '')])) };
}

const EXEMPT = 'kustomize.toolkit.fluxcd.io/substitute';

/** Whether an object opts out by label or annotation: Flux then leaves its text alone. */
export function isExempt(metadata: {
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
}): boolean {
  return metadata.labels?.[EXEMPT] === 'disabled' || metadata.annotations?.[EXEMPT] === 'disabled';
}
