/**
 * A value as Flux computes with it. Maps and lists are shared by reference and written in place, because Flux's precedence
 * rules follow from which maps happen to be the same Go object (see merge.ts). bigint: an integer beyond 2^53.
 */
export type Value = null | boolean | number | bigint | string | Value[] | ValueMap;
export type ValueMap = Map<string, Value>;

export function isMap(v: Value | undefined): v is ValueMap {
  return v instanceof Map;
}

/** Plain JSON (as JSON.parse or the API server gives it) to a Value; undefined members are dropped. */
export function fromJson(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json === 'object' && json !== null) {
    const entries = Object.entries(json).filter(([, v]) => v !== undefined);
    return new Map(entries.map(([k, v]) => [k, fromJson(v)]));
  }
  if (json === null || json === undefined) return null;
  if (typeof json === 'boolean' || typeof json === 'number' || typeof json === 'string') return json;
  throw new TypeError(`not JSON: ${typeof json}`);
}

/** Back to plain JSON. bigint becomes a number, as encoding/json's reader makes it a float64. */
export function toJson(value: Value): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  if (isMap(value)) {
    const out = {};
    // defineProperty, because assigning `__proto__` would set the prototype instead of the key.
    for (const [key, v] of value)
      Object.defineProperty(out, key, {
        value: toJson(v),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    return out;
  }
  return typeof value === 'bigint' ? Number(value) : value;
}
