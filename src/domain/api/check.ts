import { Compile } from 'typebox/compile';
import type { Schema } from './schema.ts';

/** Why a value does not fit a schema. path: "spec.ports[0].port", "" for the value itself; message: "must be text, not 8". */
export interface Misfit {
  readonly path: string;
  readonly keyword: string;
  readonly message: string;
  /** The value found at the path. */
  readonly found: unknown;
  /** The types that would do, for keyword "type". */
  readonly types: readonly string[];
}

export interface Checker<T> {
  fits(value: unknown): value is T;
  /** Every misfit, outermost unknown keys included; empty when the value fits. */
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
    misfits: (value) => (validator().Check(value) ? [] : collect(validator().Errors(value), value)),
  };
}

/** What typebox reports per finding, as far as it is used. */
interface Finding {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
}

/**
 * typebox' findings as misfits: one per place. Sub-findings of a junctor, and the `false` schema behind
 * additionalProperties, are dropped: the junctor or the unknown key says it better.
 */
function collect(findings: readonly Finding[], value: unknown): readonly Misfit[] {
  const misfits = new Map<string, Misfit>();
  for (const finding of findings) {
    for (const misfit of read(finding, value)) {
      if (!misfits.has(misfit.path)) misfits.set(misfit.path, misfit);
    }
  }
  return [...misfits.values()];
}

function read(finding: Finding, root: unknown): readonly Misfit[] {
  const steps = finding.instancePath
    .split('/')
    .slice(1)
    .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
  const at = (more: readonly string[], message: (found: unknown) => string, types: string[] = []): Misfit => {
    const found = more.concat().reduce(step, steps.reduce(step, root));
    return {
      path: pathText(root, [...steps, ...more]),
      keyword: finding.keyword,
      message: message(found),
      found,
      types,
    };
  };
  const params = new Map<string, unknown>(Object.entries(finding.params));
  const words = (key: string) => [params.get(key)].flat().map(String);
  switch (finding.keyword) {
    case 'boolean':
    case 'anyOf':
      return [];
    case 'type':
      return [at([], (found) => `must be ${typeWords(words('type'))}, not ${show(found)}`, words('type'))];
    case 'required':
      return words('requiredProperties').map((key) => at([key], () => 'is required'));
    case 'additionalProperties':
      return words('additionalProperties').map((key) => at([key], () => 'is not a known key'));
    case 'enum':
      return [
        at(
          [],
          (found) =>
            `must be one of ${words('allowedValues')
              .filter((w) => w !== 'null')
              .join(', ')}, not ${show(found)}`,
        ),
      ];
    case 'propertyNames':
      return words('propertyNames').map((key) => at([key], () => `"${key}" is not a valid name`));
    default:
      return [at([], (found) => `${limit(finding.keyword, params)}, not ${show(found)}`)];
  }
}

function limit(keyword: string, params: ReadonlyMap<string, unknown>): string {
  const bound = String(params.get('limit') ?? params.get('pattern') ?? params.get('format') ?? '');
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
  return types
    .filter((type) => type !== 'null' || types.length === 1)
    .map((type) => TYPE_WORDS[type] ?? type)
    .join(' or ');
}

/** A value as a reader would name it; long ones cut, because it may end up in a condition. */
function show(value: unknown): string {
  if (value === undefined) return 'absent';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = JSON.stringify(value);
  return text.length > 64 ? `${text.slice(0, 60)}..."` : text;
}

function step(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(key);
}

/** Dots between plain keys, brackets around list positions and keys that hold dots or blanks. */
export function pathText(root: unknown, steps: readonly (string | number)[]): string {
  let value = root;
  let text = '';
  for (const raw of steps) {
    const key = String(raw);
    if (Array.isArray(value)) text += `[${key}]`;
    else if (/^[^\s.[\]"]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
    value = step(value, key);
  }
  return text;
}
