/** How Go's YAML reader (go.yaml.in/yaml/v2) types a scalar: YAML 1.1 words, octal, underscores; no base 60, no dates. */

export type Tag = 'str' | 'bool' | 'null' | 'int' | 'float' | 'timestamp';
export interface Resolved {
  readonly tag: Tag;
  /** int: a safe number or a bigint; timestamp: the text itself, as the reader leaves it. */
  readonly value: null | boolean | number | bigint | string;
}

const words = (tag: Tag, value: Resolved['value'], ...list: readonly string[]) =>
  list.map((word): readonly [string, Resolved] => [word, { tag, value }]);

const WORDS: ReadonlyMap<string, Resolved> = new Map([
  ...words('bool', true, 'y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'),
  ...words('bool', false, 'n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'),
  ...words('null', null, '', '~', 'null', 'Null', 'NULL'),
  ...words('float', Number.NaN, '.nan', '.NaN', '.NAN'),
  ...words('float', Number.POSITIVE_INFINITY, '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'),
  ...words('float', Number.NEGATIVE_INFINITY, '-.inf', '-.Inf', '-.INF'),
]);

/** Go's ParseInt with base 0 (underscores are gone by then). */
const INTEGER = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const DOT_FLOAT = /^\.[0-9]+([eE][-+]?[0-9]+)?$/;

/** Types an unquoted scalar. */
export function resolve(text: string): Resolved {
  const asText: Resolved = { tag: 'str', value: text };
  const word = WORDS.get(text);
  if (word) return word;
  if (text.startsWith('.')) return (DOT_FLOAT.test(text) && float(text)) || asText;
  if (!/^[-+0-9]/.test(text)) return asText;
  if (isTimestamp(text)) return { tag: 'timestamp', value: text };
  const plain = text.replaceAll('_', '');
  return integer(plain) ?? ((FLOAT.test(plain) && float(plain)) || asText);
}

/** An integer that fits int64, or without a sign uint64. */
function integer(text: string): Resolved | undefined {
  const match = INTEGER.exec(text);
  if (!match) return undefined;
  const [, sign = '', digits = ''] = match;
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const n = sign === '-' ? -magnitude : magnitude;
  const top = sign === '' ? 2n ** 64n : 2n ** 63n;
  if (n >= top || n < -(2n ** 63n)) return undefined;
  return { tag: 'int', value: Number.isSafeInteger(Number(n)) ? Number(n) : n };
}

/** A float that Go's ParseFloat reads without a range error. */
function float(text: string): Resolved | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? { tag: 'float', value } : undefined;
}

const DATE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(Z|[-+]\d\d:\d\d)?)?$/;

/** The four timestamp layouts that the reader tries; they matter because such text is quoted when written. */
function isTimestamp(text: string): boolean {
  const match = DATE.exec(text);
  if (!match) return false;
  const [, year, month, day, separator, hour = 0, minute = 0, second = 0, zone] = match;
  // A zone belongs to the T forms only, and is required there.
  if (separator !== undefined && (zone === undefined) !== (separator === ' ')) return false;
  const [zoneHour = 0, zoneMinute = 0] = zone === undefined || zone === 'Z' ? [] : zone.slice(1).split(':');
  return (
    isDay(Number(year), Number(month), Number(day)) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(zoneHour) <= 24 &&
    Number(zoneMinute) < 60
  );
}

function isDay(year: number, month: number, day: number): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}
