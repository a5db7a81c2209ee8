import Type, { type TUnsafe } from 'typebox';

/**
 * A JSON schema that knows its TypeScript type. The builders below are the only callers of typebox' constructors and
 * emit only what Kubernetes' structural schemas allow (KEP-2335), so that a CRD is the schema as it stands.
 */
export type Schema<T = unknown> = TUnsafe<T>;

/** The TypeScript type that a schema describes; everything read-only. */
export type TypeOf<S> = S extends TUnsafe<infer T> ? T : never;

/** A rule in the Common Expression Language that the API server evaluates (x-kubernetes-validations). */
export interface Rule {
  readonly rule: string;
  readonly message: string;
}

interface Common<T> {
  readonly default?: T;
  readonly rules?: readonly Rule[];
}

type Shape = Readonly<Record<string, Schema>>;
type Simplify<T> = { [K in keyof T]: T[K] } & {};
export type ObjectOf<P extends Shape, R extends keyof P> = Simplify<
  { readonly [K in R]: TypeOf<P[K]> } & { readonly [K in Exclude<keyof P, R>]?: TypeOf<P[K]> }
>;

export function cel(rule: string, message: string): Rule {
  return { rule, message };
}

export interface StringOptions extends Common<string> {
  readonly format?: 'date-time';
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export function str(about?: string, o: StringOptions = {}): Schema<string> {
  return Type.Unsafe<string>(Type.String(keywords(about, o)));
}

export interface IntOptions extends Common<number> {
  readonly format?: 'int32' | 'int64';
  readonly minimum?: number;
  readonly maximum?: number;
}

export function int(about?: string, o: IntOptions = {}): Schema<number> {
  return Type.Unsafe<number>(Type.Integer(keywords(about, o)));
}

export function bool(about?: string, o: Common<boolean> = {}): Schema<boolean> {
  return Type.Unsafe<boolean>(Type.Boolean(keywords(about, o)));
}

/** One of a closed set of words. typebox' own enum has no `type`, which a structural schema needs. */
export function oneOfStrings<const T extends string>(
  words: readonly T[],
  about?: string,
  o: Common<T> = {},
): Schema<T> {
  return Type.Unsafe<T>({ ...Type.String(keywords(about, o)), enum: [...words] });
}

/** Go's metav1.Duration: "90s", "1m30s". The API server checks no more than that it is text. */
export function duration(about?: string, o: Common<string> = {}): Schema<string> {
  return str(about, o);
}

/** A Kubernetes quantity or port: a whole number, or text. */
export function intOrString(about?: string): Schema<number | string> {
  return Type.Unsafe<number | string>({
    ...described(about),
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
  });
}

export interface ListOptions<T> extends Common<readonly T[]> {
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly mapKeys?: readonly string[];
  readonly minItems?: number;
  readonly maxItems?: number;
}

export function list<S extends Schema>(
  items: S,
  about?: string,
  o: ListOptions<TypeOf<S>> = {},
): Schema<readonly TypeOf<S>[]> {
  const { listType, mapKeys, ...rest } = o;
  return Type.Unsafe<readonly TypeOf<S>[]>(
    Type.Array(items, {
      ...keywords(about, rest),
      ...(listType && { 'x-kubernetes-list-type': listType }),
      ...(mapKeys && { 'x-kubernetes-list-map-keys': [...mapKeys] }),
    }),
  );
}

export interface ObjectOptions<R extends string> {
  readonly required?: readonly R[];
  readonly rules?: readonly Rule[];
  readonly default?: Readonly<Record<string, unknown>>;
  readonly mapType?: 'atomic';
}

/** Fields are optional unless named in `required`; unknown fields are neither checked nor named (the API server prunes them). */
export function object<const P extends Shape, R extends keyof P & string = never>(
  properties: P,
  about?: string,
  o: ObjectOptions<R> = {},
): Schema<ObjectOf<P, R>> {
  const { mapType, required, ...rest } = o;
  return Type.Unsafe<ObjectOf<P, R>>({
    type: 'object',
    ...keywords(about, rest),
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required && required.length > 0 && { required: [...required].sort() }),
    ...(mapType && { 'x-kubernetes-map-type': mapType }),
  });
}

/** Any keys, one kind of value. */
export function map<S extends Schema>(
  values: S,
  about?: string,
  o: { readonly maxProperties?: number } = {},
): Schema<Readonly<Record<string, TypeOf<S>>>> {
  return Type.Unsafe<Readonly<Record<string, TypeOf<S>>>>({
    type: 'object',
    ...described(about),
    ...o,
    additionalProperties: values,
  });
}

/** An object whose fields are nobody's business here. */
export function anyObject(about?: string): Schema<Readonly<Record<string, unknown>>> {
  return Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    ...described(about),
    'x-kubernetes-preserve-unknown-fields': true,
  });
}

/** Any JSON value. */
export function anything(about?: string): Schema<unknown> {
  return Type.Unsafe<unknown>({ ...described(about), 'x-kubernetes-preserve-unknown-fields': true });
}

export function nullable<S extends Schema>(schema: S): Schema<TypeOf<S> | null> {
  return Type.Unsafe<TypeOf<S> | null>({ ...schema, nullable: true });
}

/** metav1.LabelSelector as controller-gen writes it. */
export function labelSelector(about?: string): Schema<LabelSelector> {
  return object(
    {
      matchExpressions: list(
        object(
          {
            key: str('Label key that the requirement is about.'),
            operator: str('In, NotIn, Exists or DoesNotExist.'),
            values: list(str(), 'Values for In and NotIn; empty for Exists and DoesNotExist.', {
              listType: 'atomic',
            }),
          },
          'One requirement on a label.',
          { required: ['key', 'operator'] },
        ),
        'Requirements that must all hold.',
        { listType: 'atomic' },
      ),
      matchLabels: map(str(), 'Labels that must be present with exactly these values.'),
    },
    about,
    { mapType: 'atomic' },
  );
}

/** A label selector as written in an object; parseSelector makes a Selector of it. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** A schema from keywords as they stand, for the few shapes that the builders above do not make. */
export function fromKeywords<T>(keywordsAsTheyStand: object): Schema<T> {
  return Type.Unsafe<T>(keywordsAsTheyStand);
}

/** The schemas of an object's fields; none for any other schema. */
export function fieldsOf(schema: object): Readonly<Record<string, Schema>> {
  const fields: unknown = Reflect.get(schema, 'properties');
  return typeof fields === 'object' && fields !== null ? Object.fromEntries(Object.entries(fields)) : {};
}

function described(about: string | undefined): { description?: string } {
  return about === undefined ? {} : { description: about };
}

/** The options as schema keywords; rules under the API server's name for them. */
function keywords<O extends { readonly rules?: readonly Rule[] }>(about: string | undefined, o: O) {
  const { rules, ...rest } = o;
  return { ...described(about), ...rest, ...(rules && { 'x-kubernetes-validations': [...rules] }) };
}
