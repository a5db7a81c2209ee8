/**
 * What the operators of `${v<operator>...}` do (github.com/fluxcd/pkg/envsubst 1.7, funcs.go and path/match.go). Go counts and
 * cuts bytes, so text comes and goes as byte strings here: one character for each byte of UTF-8.
 */

/** undefined: upstream's program fails on it. */
type Operator = (value: string, args: readonly string[]) => string | undefined;

const orElse: Operator = (value, args) => (value === '' ? args.join('') : value);

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  [',', (v) => mapFirst(v, lower)],
  [',,', (v) => mapRunes(v, lower)],
  ['^', (v) => mapFirst(v, upper)],
  ['^^', (v) => mapRunes(v, upper)],
  ['#', (v, [pattern]) => (pattern === undefined ? String(v.length) : trimPrefix(v, pattern, 'shortest'))],
  ['##', (v, [pattern = '']) => trimPrefix(v, pattern, 'longest')],
  ['%', (v, [pattern = '']) => trimSuffix(v, pattern, 'shortest')],
  ['%%', (v, [pattern = '']) => trimSuffix(v, pattern, 'longest')],
  [':', substring],
  ['/', (v, [from = '', to = '']) => v.replace(from, () => to)],
  ['//', replaceAll],
  ['/#', (v, [from = '', to]) => (to !== undefined && v.startsWith(from) ? to + v.slice(from.length) : v)],
  [
    '/%',
    (v, [from = '', to]) =>
      to !== undefined && v.endsWith(from) ? v.slice(0, v.length - from.length) + to : v,
  ],
]);

/** Applies an operator to byte strings; every other one, `:-` and the empty one among them, supplies a default. */
export function operate(operator: string, value: string, args: readonly string[]): string | undefined {
  return (OPERATORS.get(operator) ?? orElse)(value, args);
}

const isAscii = (text: string): boolean => !/[\u0080-\uffff]/.test(text);

/** Text to a byte string. */
export function toBytes(text: string): string {
  if (isAscii(text)) return text;
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/** Back to text; undefined when an operator has cut a character. */
export function fromBytes(bytes: string): string | undefined {
  if (isAscii(bytes)) return bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
}

/** The characters of a byte string, each as a byte string; a byte that is part of none stands alone. */
function runes(bytes: string): string[] {
  return (
    bytes.match(/[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\s\S]/g) ?? []
  );
}

/** Go maps one character to one, where JavaScript may write several (ß to SS). */
function lower(rune: string): string {
  const [first = rune] = Array.from(rune.toLowerCase());
  return first;
}
function upper(rune: string): string {
  const to = rune.toUpperCase();
  return Array.from(to).length === 1 ? to : rune;
}

function mapRunes(bytes: string, change: (rune: string) => string): string {
  return Array.from(fromBytes(bytes) ?? bytes, (rune) => toBytes(change(rune))).join('');
}
function mapFirst(bytes: string, change: (rune: string) => string): string {
  const [first = ''] = runes(bytes);
  return mapRunes(first, change) + bytes.slice(first.length);
}

function replaceAll(value: string, [from = '', to = '']: readonly string[]): string {
  // Nothing stands before each character and at the end.
  if (from === '') return [...runes(value), ''].map((rune) => to + rune).join('');
  return value.replaceAll(from, () => to);
}

/** Go's Atoi; undefined when it is no number. */
function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d{1,18}$/.test(text) ? Number(text) : undefined;
}

/** A number that cannot be read leaves the value whole; a negative length ends upstream's program. */
function substring(value: string, args: readonly string[]): string | undefined {
  const offset = integer(args[0]);
  if (offset === undefined) return value;
  const from = offset < 0 ? Math.max(0, value.length + offset) : offset;
  if (args.length === 1) return value.slice(from);
  const length = integer(args[1]);
  if (length === undefined) return value;
  if (from + length >= value.length) return value.slice(from);
  return length < 0 ? undefined : value.slice(from, from + length);
}

/** The empty prefix is never tried, and a malformed pattern leaves the value as it is. */
function trimPrefix(value: string, pattern: string, want: 'shortest' | 'longest'): string {
  let cut = 0;
  for (let length = value.length; length > 0; length--) {
    const fits = matches(pattern, value.slice(0, length));
    if (fits === undefined) return value;
    if (!fits) continue;
    cut = length;
    if (want === 'longest') break;
  }
  return value.slice(cut);
}

/** As upstream: both are turned round, the pattern's brackets too. */
function trimSuffix(value: string, pattern: string, want: 'shortest' | 'longest'): string {
  return reverse(trimPrefix(reverse(value), reverse(pattern), want));
}
function reverse(bytes: string): string {
  return runes(bytes).reverse().join('');
}

/** path.Match, in which `*` and `?` take slashes too. undefined: the pattern is malformed where it was looked at. */
function matches(pattern: string, name: string): boolean | undefined {
  let rest = name;
  let todo = pattern;
  while (todo !== '') {
    const { star, chunk, after } = nextChunk(todo);
    todo = after;
    if (star && chunk === '') return true;
    const found = matchFrom({ chunk, last: todo === '', star }, rest);
    if (found === undefined || found === false) return found;
    rest = found;
  }
  return rest === '';
}

/** What is left of `name` after the chunk, which may begin later when a star stands before it. */
function matchFrom(
  { chunk, last, star }: { chunk: string; last: boolean; star: boolean },
  name: string,
): string | false | undefined {
  for (let skip = 0; skip <= (star ? name.length : 0); skip++) {
    const left = matchChunk(chunk, name.slice(skip));
    if (left === undefined) return undefined;
    if (left !== false && (left === '' || !last)) return left;
  }
  return false;
}

function nextChunk(pattern: string): { star: boolean; chunk: string; after: string } {
  const begin = pattern.length - pattern.replace(/^\*+/, '').length;
  let inRange = false;
  let i = begin;
  for (; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\') i += i + 1 < pattern.length ? 1 : 0;
    else if (c === '[') inRange = true;
    else if (c === ']') inRange = false;
    else if (c === '*' && !inRange) break;
  }
  return { star: begin > 0, chunk: pattern.slice(begin, i), after: pattern.slice(i) };
}

/** What is left of `name`; false when the chunk does not fit, undefined when it is malformed. */
function matchChunk(chunk: string, name: string): string | false | undefined {
  let rest = name;
  let at = 0;
  while (at < chunk.length) {
    if (rest === '') return false;
    const c = chunk[at];
    if (c === '[') {
      const [rune = ''] = runes(rest);
      const inside = matchClass(chunk.slice(at + 1), rune);
      if (!inside) return undefined;
      if (!inside.fits) return false;
      at += 1 + inside.length;
      rest = rest.slice(rune.length);
      continue;
    }
    if (c === '?') {
      rest = rest.slice((runes(rest)[0] ?? '').length);
      at++;
      continue;
    }
    if (c === '\\' && ++at === chunk.length) return undefined;
    if (chunk[at] !== rest[0]) return false;
    at++;
    rest = rest.slice(1);
  }
  return rest;
}

/** What stands after `[`: whether the character is in it, and how long it is with its `]`. undefined: malformed. */
function matchClass(text: string, rune: string): { fits: boolean; length: number } | undefined {
  const negated = text.startsWith('^');
  let at = negated ? 1 : 0;
  let fits = false;
  for (let ranges = 0; ; ranges++) {
    if (text[at] === ']' && ranges > 0) return { fits: fits !== negated, length: at + 1 };
    const low = classRune(text, at);
    if (!low) return undefined;
    at = low.next;
    let high = low;
    if (text[at] === '-') {
      const end = classRune(text, at + 1);
      if (!end) return undefined;
      high = end;
      at = end.next;
    }
    // Byte order of UTF-8 is the order of the code points.
    if (low.rune <= rune && rune <= high.rune) fits = true;
  }
}

/** One character of a class, with its backslash; it must not be the last one of the text. */
function classRune(text: string, from: number): { rune: string; next: number } | undefined {
  const first = text[from];
  if (first === undefined || first === '-' || first === ']') return undefined;
  const at = first === '\\' ? from + 1 : from;
  const [rune] = runes(text.slice(at, at + 4));
  if (rune === undefined || /^[\x80-\xff]$/.test(rune)) return undefined;
  const next = at + rune.length;
  return next < text.length ? { rune, next } : undefined;
}
