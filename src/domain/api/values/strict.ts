import { fromKeywords, type Schema } from '../schema.ts';

/** A JSON schema read as plain data. */
type Json = Readonly<Record<string, unknown>>;

/** Keys of Kubernetes' dialect that draft-07 does not know. */
const KUBERNETES_ONLY = /^(x-kubernetes-|format$|nullable$)/;

/**
 * A schema for values, in JSON schema draft-07, from one built for CRDs. Two things change:
 * - optional fields and map entries may be null, which deletes what a base file said; withoutNulls takes them out;
 * - with `closed`, an unknown key is an error. Objects marked preserve-unknown stay open.
 */
export function forValues<T>(schema: Schema<T>, o: { readonly closed: boolean }): Schema<T> {
  return fromKeywords<T>(convert(plain(schema), o.closed));
}

/** The schema's own keys; typebox' markers are not enumerable. */
function plain(value: unknown): Json {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function convert(schema: Json, closed: boolean): Json {
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => !KUBERNETES_ONLY.test(key)));
  if (schema.items !== undefined) return { ...kept, items: convert(plain(schema.items), closed) };
  if (typeof schema.additionalProperties === 'object')
    return { ...kept, additionalProperties: orNull(convert(plain(schema.additionalProperties), closed)) };
  if (schema.properties === undefined) return kept;
  const required = new Set([schema.required].flat());
  const properties = Object.fromEntries(
    Object.entries(plain(schema.properties)).map(([key, field]) => {
      const converted = convert(plain(field), closed);
      return [key, required.has(key) ? converted : orNull(converted)];
    }),
  );
  return { ...kept, properties, ...(closed && { additionalProperties: false }) };
}

function orNull(schema: Json): Json {
  const { type, enum: words, anyOf } = schema;
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...anyOf, { type: 'null' }] };
  if (type === undefined) return schema;
  return {
    ...schema,
    type: [type, 'null'],
    ...(Array.isArray(words) && { enum: [...words, null] }),
  };
}
