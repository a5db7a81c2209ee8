/** The values of a HelmRelease, computed as helm-controller does (github.com/fluxcd/pkg/chartutil, ChartValuesFromReferences). */
import { SetError, ValuesError, YamlError } from './errors.ts';
import { inlineValues } from './inline.ts';
import { setInto } from './strvals.ts';
import { isMap, type ValueMap } from './value.ts';
import { readValues, type YamlNode } from './yaml.ts';

/** One entry of spec.valuesFrom. */
export interface ValuesReference {
  readonly kind: string;
  readonly name: string;
  /** Default `values.yaml`. */
  readonly valuesKey?: string;
  /** Set the referenced text at this path instead of merging it as a map. */
  readonly targetPath?: string;
  readonly optional?: boolean;
  /** With targetPath: take the text verbatim. */
  readonly literal?: boolean;
}

/** `data` of a ConfigMap or Secret as text; undefined when the object does not exist. */
export type DataOf = (kind: 'ConfigMap' | 'Secret', name: string) => ReadonlyMap<string, string> | undefined;

export interface MergeInput {
  /** spec.values; see inlineValues for when they count as none. */
  readonly inline: unknown;
  readonly references: readonly ValuesReference[];
  readonly data: DataOf;
  /** YAML text to its syntax tree (first document; undefined when it is empty). Throws on bad syntax. */
  readonly parse: (text: string) => YamlNode | undefined;
}

/** The merged values, before chart defaults. Throws ValuesError. */
export function effectiveValues(input: MergeInput): ValueMap {
  const inline = inlineValues(input.inline);
  let result: ValueMap = new Map();
  for (const reference of input.references) {
    const text = referencedText(reference, input.data);
    if (text === undefined) continue;
    if (reference.targetPath === undefined || reference.targetPath === '') {
      result = mergeMaps(result, readReferenced(reference, text, input.parse));
      continue;
    }
    // Inline first, then the write in place. Whether it survives the last merge depends on which maps are shared with inline.
    result = mergeMaps(result, inline);
    setAt(result, reference, { path: reference.targetPath, text });
  }
  return mergeMaps(result, inline);
}

/**
 * Go's MergeMaps: a shallow copy of `a` with `b` laid over it. Where both hold a map at a key the two are merged; otherwise
 * b's value, a map included, goes in by reference.
 */
export function mergeMaps(a: ValueMap, b: ValueMap): ValueMap {
  const out: ValueMap = new Map(a);
  for (const [key, value] of b) {
    const before = out.get(key);
    out.set(key, isMap(value) && isMap(before) ? mergeMaps(before, value) : value);
  }
  return out;
}

function describe(r: ValuesReference): string {
  return `${r.optional ? 'optional ' : ''}${r.kind} ${r.name}, key ${r.valuesKey ?? 'values.yaml'}`;
}

/** The text, or undefined when an optional reference leads nowhere. Throws ValuesError. */
export function referencedText(r: ValuesReference, data: DataOf): string | undefined {
  if (r.kind !== 'ConfigMap' && r.kind !== 'Secret')
    throw new ValuesError('UnsupportedKind', `valuesFrom of kind ${r.kind} is not supported`);
  const object = data(r.kind, r.name);
  const text = object?.get(r.valuesKey ?? 'values.yaml');
  if (text !== undefined) return text;
  if (r.optional) return undefined;
  throw object
    ? new ValuesError('KeyNotFound', `${describe(r)}: the object has no such key`)
    : new ValuesError('ResourceNotFound', `${describe(r)}: the object does not exist`);
}

/** The text of a reference as a map. Throws ValuesError. */
export function readReferenced(r: ValuesReference, text: string, parse: MergeInput['parse']): ValueMap {
  try {
    return readValues(parse(text));
  } catch (cause) {
    const why = cause instanceof YamlError ? cause.message : 'not YAML';
    throw new ValuesError('ValuesDataRead', `${describe(r)}: ${why}`);
  }
}

/** Flux's quoting rules around Helm's grammar. */
function setAt(into: ValueMap, r: ValuesReference, o: { path: string; text: string }): void {
  const { path, text } = o;
  try {
    if (r.literal) setInto(into, `${path}=${text.replace(/[\\,[\]{}]/g, '\\$&')}`, true);
    else if (isQuoted(text)) setInto(into, `${path}=${trimQuotes(text)}`, true);
    else setInto(into, `${path}=${text}`, false);
  } catch (cause) {
    if (!(cause instanceof SetError)) throw cause;
    throw new ValuesError('ValueMerge', `${describe(r)}, targetPath ${path}: ${cause.message}`);
  }
}

/** Starts and ends with the same quote; a lone quote does both. */
function isQuoted(text: string): boolean {
  return ["'", '"'].some((quote) => text.startsWith(quote) && text.endsWith(quote));
}

/** All leading and trailing quotes of both kinds, as Go's strings.Trim(value, `'"`). */
function trimQuotes(text: string): string {
  return text.replace(/^['"]+/, '').replace(/['"]+$/, '');
}
