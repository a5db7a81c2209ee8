/**
 * The rules that the API server puts on a CRD's schema (structural schemas, KEP-2335), as a lint over plain JSON.
 * The server says the same, but only where one runs; and it drops unknown keywords silently.
 */

type Json = Readonly<Record<string, unknown>>;

const ALLOWED = new Set(
  (
    'type description default format enum pattern minLength maxLength minimum maximum exclusiveMinimum ' +
    'exclusiveMaximum multipleOf minItems maxItems minProperties maxProperties items properties required ' +
    'additionalProperties allOf anyOf oneOf not nullable title externalDocs example ' +
    'x-kubernetes-int-or-string x-kubernetes-preserve-unknown-fields x-kubernetes-embedded-resource ' +
    'x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-map-type x-kubernetes-validations'
  ).split(' '),
);
const FORBIDDEN_IN_JUNCTORS = ['description', 'default', 'nullable', 'additionalProperties'];

/** One line per fault: "/spec/addresses: ...". Empty when the schema is structural. */
export function structuralFaults(schema: unknown): readonly string[] {
  const root = plain(schema);
  const faults: string[] = root.type === 'object' ? [] : ['/: the root must be an object'];
  const metadata = plain(plain(root.properties).metadata);
  if (Object.keys(plain(metadata.properties)).some((key) => key !== 'name' && key !== 'generateName'))
    faults.push('/metadata: only name and generateName may be constrained');
  walk(root, '', faults);
  return faults;
}

function walk(schema: Json, path: string, faults: string[]): void {
  faults.push(...nodeFaults(schema).map((fault) => `${path === '' ? '/' : path}: ${fault}`));
  for (const [key, field] of Object.entries(plain(schema.properties)))
    walk(plain(field), `${path}/${key}`, faults);
  if (schema.items !== undefined) walk(plain(schema.items), `${path}/[]`, faults);
  if (typeof schema.additionalProperties === 'object')
    walk(plain(schema.additionalProperties), `${path}/*`, faults);
}

function nodeFaults(schema: Json): readonly string[] {
  const faults = Object.keys(schema)
    .filter((key) => !ALLOWED.has(key))
    .map((key) => `keyword ${key} is not allowed`);
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (typeof schema.type !== 'string' && !intOrString && !open) faults.push('has no type');
  if (schema.additionalProperties === false) faults.push('additionalProperties: false is not allowed');
  if (schema.additionalProperties !== undefined && schema.properties !== undefined)
    faults.push('has properties and additionalProperties');
  if (schema.type === 'array' && schema.items === undefined) faults.push('is a list without items');
  if (Array.isArray(schema.items)) faults.push('items must be one schema');
  for (const key of ['exclusiveMinimum', 'exclusiveMaximum'])
    if (schema[key] !== undefined && typeof schema[key] !== 'boolean')
      faults.push(`${key} must be a boolean`);
  if (schema['x-kubernetes-list-type'] === 'map' && !Array.isArray(schema['x-kubernetes-list-map-keys']))
    faults.push('is a list map without keys');
  return [...faults, ...requiredFaults(schema), ...(intOrString ? [] : junctorFaults(schema))];
}

function requiredFaults(schema: Json): readonly string[] {
  const known = plain(schema.properties);
  const required: unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return required
    .filter((key) => typeof key !== 'string' || !Object.hasOwn(known, key))
    .map((key) => `requires ${String(key)}, which it does not declare`);
}

function junctorFaults(schema: Json): readonly string[] {
  const branches = ['allOf', 'anyOf', 'oneOf', 'not'].flatMap((key) => [schema[key] ?? []].flat());
  return branches.flatMap((branch) =>
    ['type', ...FORBIDDEN_IN_JUNCTORS]
      .filter((key) => Object.hasOwn(plain(branch), key))
      .map((key) => `${key} is not allowed inside a junctor`),
  );
}

function plain(value: unknown): Json {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
