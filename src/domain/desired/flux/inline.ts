/** spec.values as helm-controller reads them: their JSON goes through Go's YAML reader, and an error in it is swallowed. */
import { fromJson, isMap, type Value, type ValueMap } from './value.ts';

/** What that reader does not take; JSON's writer escapes the controls below the blank, but not these. */
const UNREADABLE = /[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;
/** NEXT LINE is a line break to YAML 1.1. */
const NEXT_LINE = '\u0085';
/** Characters of a key with its quotes and escapes. */
const LONGEST_KEY = 1024;

/**
 * The inline values; none at all when they are not a map, when a control character stands in any text of them, or when a
 * key is long or holds a line break.
 */
export function inlineValues(json: unknown): ValueMap {
  const values = fromJson(json);
  if (!isMap(values) || !readable(values)) return new Map();
  return mapped(values);
}

function readable(value: Value): boolean {
  if (typeof value === 'string') return !UNREADABLE.test(value);
  if (Array.isArray(value)) return value.every(readable);
  return !isMap(value) || [...value].every(([key, inner]) => readableKey(key) && readable(inner));
}

function readableKey(key: string): boolean {
  if (UNREADABLE.test(key) || key.includes(NEXT_LINE)) return false;
  if (key.length < LONGEST_KEY / 6) return true;
  // Go also escapes these.
  const written = JSON.stringify(key).replace(/[<>&\u2028\u2029]/g, '\\u0000');
  return Array.from(written).length <= LONGEST_KEY;
}

function mapped(map: ValueMap): ValueMap {
  return new Map([...map].map(([key, value]) => [key, folded(value)]));
}

/** Line breaks inside of quotes become a blank, or one break less than there were; the reader knows no negative zero. */
function folded(value: Value): Value {
  if (Array.isArray(value)) return value.map(folded);
  if (isMap(value)) return mapped(value);
  if (value === 0) return 0;
  if (typeof value !== 'string' || !value.includes(NEXT_LINE)) return value;
  return value.replace(/ *(?:\u0085 *)+/g, (run) => '\n'.repeat(run.split(NEXT_LINE).length - 2) || ' ');
}
