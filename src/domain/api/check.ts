import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import type { Schema } from './schema.ts';

// typebox stops at 8 findings; a user wants all mistakes of a source in one go, within reason.
Settings.Set({ maxErrors: 1000 });

/** A JSON value's place: keys and list positions from the root. */
export type Path = readonly (string | number)[];

/** The part of a map's entry that a place in a text is the place of. */
export type Part = 'key' | 'value';

/**
 * Why a value does not fit a schema. The message completes "<path> ..." and never holds the value found: it may be a
 * password.
 */
export interface Misfit {
  readonly path: Path;
  readonly kind: 'type' | 'unknownKey' | 'required' | 'name' | 'value';
  readonly message: string;
  /** For `type`: JSON schema's names of the types that would do. */
  readonly types: readonly string[];
  /** For `unknownKey`: the keys that the schema knows there. For `value`: the words that would do, if it is a closed set. */
  readonly known: readonly string[];
}

export interface Checker<T> {
  fits(value: unknown): value is T;
  /** All misfits, one per place; empty when the value fits. */
  misfits(value: unknown): readonly Misfit[];
}

/** Compiles a schema at its first use, because a program meets only some of the kinds. */
export function checker<T>(schema: Schema<T>): Checker<T> {
  let compiled: ReturnType<typeof Compile<Schema<T>>> | undefined;
  const validator = () => {
    compiled ??= Compile(schema);
    return compiled;
  };
  return {
    fits: (value): value is T => validator().Check(value),
    misfits: (value) =>
      onePerPlace(
        validator()
          .Errors(value)
          .flatMap((f) => read(f, schema, value)),
      ),
  };
}

/** What typebox reports per finding, as far as it is used. */
interface Finding {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
}

function onePerPlace(misfits: readonly Misfit[]): readonly Misfit[] {
  const places = new Map(misfits.toReversed().map((misfit) => [JSON.stringify(misfit.path), misfit]));
  return [...places.values()].reverse();
}

function read(finding: Finding, schema: Schema, root: unknown): readonly Misfit[] {
  const path = instancePath(finding.instancePath, root);
  const params = new Map<string, unknown>(Object.entries(finding.params));
  const words = (key: string) => [params.get(key)].flat().map(String);
  const misfit = (kind: Misfit['kind'], message: string, more: Partial<Misfit> = {}): Misfit[] => [
    { path, kind, message, types: [], known: [], ...more },
  ];
  // The findings inside propertyNames and anyOf are explained by those keywords themselves.
  if (/\/(propertyNames|anyOf\/\d+)(\/|$)/.test(finding.schemaPath)) return [];
  switch (finding.keyword) {
    case 'boolean':
      // The schema `false` behind additionalProperties: an unknown key.
      return misfit('unknownKey', 'is not a known key', { known: siblings(schema, finding.schemaPath) });
    case 'additionalProperties':
      // Also reported for a known value that does not fit; the findings above and beside this one say it better.
      return [];
    case 'type':
      return misfit('type', `must be ${typeWords(words('type'))}, not ${typeOf(at(root, path))}`, {
        types: words('type'),
      });
    case 'anyOf':
      return misfit('type', `must be a whole number or text, not ${typeOf(at(root, path))}`, {
        types: ['integer', 'string'],
      });
    case 'required':
      return words('requiredProperties').flatMap((key) =>
        misfit('required', 'is required', { path: [...path, key] }),
      );
    case 'propertyNames':
      return words('propertyNames').flatMap((key) =>
        misfit('name', 'is not a valid name', { path: [...path, key] }),
      );
    case 'enum': {
      const known = words('allowedValues').filter((word) => word !== 'null');
      return misfit('value', `must be one of ${known.join(', ')}`, { known });
    }
    default:
      return misfit('value', limit(finding.keyword, words('limit')[0] ?? words('pattern')[0] ?? ''));
  }
}

/** typebox' JSON pointer as keys and positions. */
function instancePath(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  for (const step of pointerSteps(pointer)) path.push(Array.isArray(at(root, path)) ? Number(step) : step);
  return path;
}

function pointerSteps(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The keys that the schema names beside the additionalProperties at this place. */
function siblings(schema: Schema, schemaPath: string): readonly string[] {
  const properties = at(schema, [...pointerSteps(schemaPath).slice(0, -1), 'properties']);
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

/** The value at a place; undefined when there is none. */
export function at(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function limit(keyword: string, bound: string): string {
  switch (keyword) {
    case 'minimum':
      return `must be at least ${bound}`;
    case 'maximum':
      return `must be at most ${bound}`;
    case 'minLength':
      return `must have at least ${bound} characters`;
    case 'maxLength':
      return `must have at most ${bound} characters`;
    case 'minItems':
      return `must have at least ${bound} entries`;
    case 'maxItems':
      return `must have at most ${bound} entries`;
    case 'pattern':
      return `must match ${bound}`;
    default:
      return `must satisfy ${keyword} ${bound}`.trimEnd();
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  object: 'a map',
  array: 'a list',
};

function typeWords(types: readonly string[]): string {
  const named = types.filter((type) => type !== 'null' || types.length === 1);
  return named.map((type) => TYPE_WORDS[type] ?? type).join(' or ');
}

function typeOf(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return TYPE_WORDS[typeof value] ?? typeof value;
}

/** "pools.web.addresses[1]": dots between plain keys, brackets around positions and around keys that are not plain. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (/^[^\s.[\]"]+$/.test(step)) return text === '' ? step : `${text}.${step}`;
    return `${text}[${JSON.stringify(step)}]`;
  }, '');
}

/** The steps of such a text: what `pathText` made is read back. */
export function pathSteps(text: string): Path {
  const steps = text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^\s.[\]"]+)/g);
  return [...steps].map(([, position, quoted, plain]) => {
    if (position !== undefined) return Number(position);
    return quoted === undefined ? (plain ?? '') : String(JSON.parse(quoted));
  });
}
