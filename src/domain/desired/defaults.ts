import type { Schema } from '../api/schema.ts';
import { isObject, type Json, type JsonObject, toJson } from './json.ts';

/** A schema as the JSON that also goes into the CRD, so that defaults here are the API server's. */
export function schemaJson(schema: Schema): JsonObject {
  const json = toJson(JSON.parse(JSON.stringify(schema)));
  return isObject(json) ? json : {};
}

/**
 * Fills in what the API server would fill in, so that a rendered object is equal to its stored form and nobody else's value
 * can stand in a field that the source left out.
 */
export function withDefaults(schema: JsonObject, value: JsonObject): JsonObject {
  const filled = fill(schema, value);
  return isObject(filled) ? filled : value;
}

function fill(schema: JsonObject, value: Json): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items) ? value.map((item: Json) => fill(items, item)) : value;
  }
  if (!isObject(value)) return value;
  const out: Record<string, Json> = { ...value };
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const [key, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    const present = out[key] ?? property.default;
    if (present !== undefined) out[key] = fill(property, present);
  }
  return out;
}
