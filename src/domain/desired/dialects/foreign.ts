import { type Path, pathText } from '../../api/check.ts';
import { nearest } from '../../api/values/mend.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Finding } from '../source.ts';
import type { Target } from './dialect.ts';
import { placeholderIn, unrenderedAt } from './placeholders.ts';

/** What dialects of other products have in common while they read: each takes what fits and tells the rest. */

export type Tell = (finding: Finding) => void;

/** A map, or nothing after saying so; absent and null are nothing without a word. */
export function mapAt(value: Json | undefined, path: Path, tell: Tell): JsonObject | undefined {
  if (isObject(value) || value === undefined || value === null) return value ?? undefined;
  tell(notA(value, path, { type: 'a map', mend: 'write a map from names to entries' }));
  return undefined;
}

export function listAt(value: Json | undefined, path: Path, tell: Tell): readonly Json[] | undefined {
  if (Array.isArray(value) || value === undefined || value === null) return value ?? undefined;
  tell(notA(value, path, { type: 'a list', mend: 'write a list: start each line with "- "' }));
  return undefined;
}

function notA(value: Json, path: Path, { type, mend }: { type: string; mend: string }): Finding {
  const placeholder = typeof value === 'string' ? placeholderIn(value) : undefined;
  return placeholder
    ? unrenderedAt(pathText(path), placeholder)
    : { code: 'WrongType', path: pathText(path), message: `must be ${type}`, hint: mend };
}

/** One of the words, or nothing after saying so. */
export function wordAt(
  value: Json | undefined,
  path: Path,
  o: { readonly words: readonly string[]; readonly tell: Tell },
): string | undefined {
  if (typeof value === 'string' && o.words.includes(value)) return value;
  const placeholder = typeof value === 'string' ? placeholderIn(value) : undefined;
  const guess = typeof value === 'string' ? nearest(value, o.words) : undefined;
  o.tell(
    placeholder
      ? unrenderedAt(pathText(path), placeholder)
      : {
          code: 'InvalidValue',
          path: pathText(path),
          message: `must be one of ${o.words.join(', ')}`,
          ...(guess !== undefined && { hint: `did you mean "${guess}"?` }),
        },
  );
  return undefined;
}

/** Whether all keys are there; those that are not are told. */
export function hasAll(entry: JsonObject, path: Path, o: { keys: readonly string[]; tell: Tell }): boolean {
  const missing = o.keys.filter((key) => entry[key] === undefined || entry[key] === null);
  for (const key of missing)
    o.tell({ code: 'MissingKey', path: pathText([...path, key]), message: 'is required' });
  return missing.length === 0;
}

/** Keys that the product does not look at where addresses, peers or advertisements are defined: most likely misspelt. */
export function tellUnknown(
  entry: JsonObject,
  path: Path,
  o: { readonly known: readonly string[]; readonly tell: Tell },
): void {
  for (const key of Object.keys(entry).filter((k) => !o.known.includes(k))) {
    const guess = nearest(
      key,
      o.known.filter((k) => !(k in entry)),
    );
    o.tell({
      code: 'UnknownKey',
      severity: 'warning',
      path: pathText([...path, key]),
      message: 'is not a known key here, and has no effect',
      ...(guess !== undefined && { hint: `did you mean "${guess}"?` }),
    });
  }
}

/** Objects live where Herald runs, wherever the other product had them. */
export function tellNamespace(
  value: unknown,
  o: { readonly path: string; readonly target: Target; readonly tell: Tell },
): void {
  if (typeof value !== 'string' || value === '' || value === o.target.namespace) return;
  o.tell({
    code: 'NoEffect',
    severity: 'notice',
    path: o.path,
    message: `says where MetalLB was; Herald's objects live in its own namespace, ${o.target.namespace}`,
  });
}

/** Services name pools in an annotation: whoever used the old name must learn the new one. */
export function renamed(name: string, old: { readonly name: string; readonly named: string }): Finding {
  return {
    code: 'Renamed',
    severity: 'notice',
    path: old.named,
    message: `${old.name} becomes ${name}: Services that ask for the pool by its name must say that`,
  };
}
