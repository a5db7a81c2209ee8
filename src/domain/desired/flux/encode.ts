/**
 * Values as go.yaml.in/yaml/v2 writes them: block style, two blanks, lists at the indent of their key, long text folded
 * after column 80. Only the digest of a HelmRelease's values depends on it, byte for byte.
 */
import { resolve } from './resolve.ts';
import { isMap, type Value, type ValueMap } from './value.ts';

const WIDTH = 80;
/** A key longer than this many bytes is written as `? key`. */
const SIMPLE_KEY = 128;

/** The document's text, keys sorted by their bytes at every depth; ends with a newline. */
export function encodeYaml(values: ValueMap): string {
  if (values.size === 0) return '{}\n';
  const out = new Writer();
  writeMap(out, values, 0);
  out.line(0);
  return out.text;
}

/** Collects text and knows the column, counted in characters. */
class Writer {
  readonly #parts: string[] = [];
  column = 0;

  get text(): string {
    return this.#parts.join('');
  }

  put(s: string): void {
    this.#parts.push(s);
    const newline = Math.max(...['\n', '\u2028', '\u2029'].map((end) => s.lastIndexOf(end)));
    this.column = (newline < 0 ? this.column : 0) + Array.from(s.slice(newline + 1)).length;
  }

  /** To a new line at this indent; a block that ended with a break has started the line already. */
  line(indent: number): void {
    const fresh = this.#parts.at(-1)?.endsWith('\n') ?? true;
    this.put(`${fresh ? '' : '\n'}${' '.repeat(indent)}`);
  }
}

/** The writer stands where the first entry goes. */
function writeMap(out: Writer, map: ValueMap, indent: number): void {
  for (const [i, key] of [...map.keys()].sort(byCodePoints).entries()) {
    if (i > 0) out.line(indent);
    const value = map.get(key) ?? null;
    if (new TextEncoder().encode(key).length <= SIMPLE_KEY && !hasBreak(key)) {
      writeText(out, key, { indent: indent + 2, key: true });
      out.put(':');
      writeMember(out, value, indent);
    } else {
      out.put('? ');
      writeText(out, key, { indent: indent + 2, key: false });
      out.line(indent);
      out.put(':');
      writeItem(out, value, indent);
    }
  }
}

/** The value after `key:`. A list in it stands at the key's own indent. */
function writeMember(out: Writer, value: Value, indent: number): void {
  if (isMap(value) && value.size > 0) {
    out.line(indent + 2);
    writeMap(out, value, indent + 2);
  } else if (Array.isArray(value) && value.length > 0) {
    out.line(indent);
    writeList(out, value, indent);
  } else writeLeaf(out, value, indent);
}

/** The writer stands where the first dash goes. */
function writeList(out: Writer, list: readonly Value[], indent: number): void {
  for (const [i, item] of list.entries()) {
    if (i > 0) out.line(indent);
    out.put('-');
    writeItem(out, item, indent);
  }
}

/** The value after a dash, or after the colon of a long key: maps and lists start on the same line. */
function writeItem(out: Writer, value: Value, indent: number): void {
  if (isMap(value) && value.size > 0) {
    out.put(' ');
    writeMap(out, value, indent + 2);
  } else if (Array.isArray(value) && value.length > 0) {
    out.put(' ');
    writeList(out, value, indent + 2);
  } else writeLeaf(out, value, indent);
}

function writeLeaf(out: Writer, value: Value, indent: number): void {
  if (isMap(value)) out.put(' {}');
  else if (Array.isArray(value)) out.put(' []');
  else if (typeof value === 'string') {
    // Empty text needs no quotes, and then the emitter still writes the blank before it.
    out.put(' ');
    writeText(out, value, { indent: indent + 2, key: false });
  } else out.put(` ${plainLeaf(value)}`);
}

function plainLeaf(value: null | boolean | number | bigint): string {
  if (typeof value !== 'number') return String(value);
  // JSON numbers are float64; whole ones that fit int64 or uint64 are written as integers.
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 64) return BigInt(value).toString();
  return goFloat(value);
}

/** strconv.FormatFloat(value, 'g', -1, 64): the shortest digits; an exponent below 1e-4 and from 1e6 on. */
export function goFloat(value: number): string {
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return decimal(value, mantissa, exponent);
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** The same digits without an exponent. */
function decimal(value: number, mantissa: string, exponent: number): string {
  const digits = mantissa.replace(/[-.]/g, '');
  const sign = value < 0 ? '-' : '';
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`;
}

interface Place {
  /** Where continued lines start. */
  readonly indent: number;
  /** A simple key: never folded, never a block. */
  readonly key: boolean;
}

function writeText(out: Writer, text: string, place: Place): void {
  const style = styleOf(text, place.key);
  if (style === 'double') writeDouble(out, text, place);
  else if (style === 'literal') writeLiteral(out, text, place.indent);
  else if (style === 'plain') fold(out, text, { place, write: (c) => c });
  else {
    out.put("'");
    fold(out, text, { place, write: (c) => (c === "'" ? "''" : c) });
    out.put("'");
  }
}

type Style = 'plain' | 'single' | 'double' | 'literal';

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** The encoder's wish, cut down by what the emitter finds allowed. */
function styleOf(text: string, key: boolean): Style {
  const a = analyse(text);
  if (text.includes('\n')) return !a.block || key ? 'double' : 'literal';
  if (resolve(text).tag !== 'str' || BASE_60.test(text)) return 'double';
  if (key && hasBreak(text)) return 'double';
  if (a.plain && !(text === '' && key)) return 'plain';
  return a.single ? 'single' : 'double';
}

const BREAK = /[\r\n\u0085\u2028\u2029]/;
const hasBreak = (text: string): boolean => BREAK.test(text);
const isBreak = (c: string | undefined): boolean => c !== undefined && BREAK.test(c);
/** What the emitter does not print as it is: controls, tab, the byte order mark, everything beyond the basic plane. */
const UNPRINTABLE = /[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const START = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`])/;
const START_BEFORE_BLANK = /^[?:-](?:[ \t]|$)/;
/** `: ` anywhere, or ` #`. */
const INSIDE = /.:(?:[ \t]|$)|[ \t\r\n\u0085\u2028\u2029]#/s;

function analyse(text: string): { plain: boolean; single: boolean; block: boolean } {
  if (text === '') return { plain: true, single: true, block: false };
  const breaks = hasBreak(text);
  const special = UNPRINTABLE.test(text);
  const edge = /^[ \r\n\u0085\u2028\u2029]|[ \r\n\u0085\u2028\u2029]$/.test(text);
  const breakSpace = /[\r\n\u0085\u2028\u2029] /.test(text);
  const spaceBreak = / [\r\n\u0085\u2028\u2029]/.test(text);
  const indicator = START.test(text) || START_BEFORE_BLANK.test(text) || INSIDE.test(text);
  return {
    plain: !edge && !breakSpace && !spaceBreak && !special && !breaks && !indicator,
    single: !breakSpace && !spaceBreak && !special,
    block: !text.endsWith(' ') && !spaceBreak && !special,
  };
}

/** Plain and single-quoted text: a lone blank past the width becomes a line break; after a break the indent is written. */
function fold(out: Writer, text: string, o: { place: Place; write: (c: string) => string }): void {
  const { place, write } = o;
  const runes = Array.from(text);
  const quoted = write("'") === "''";
  let spaces = false;
  for (const [i, c] of runes.entries()) {
    const inside = !quoted || (i > 0 && i < runes.length - 1);
    if (isBreak(runes[i - 1]) && !isBreak(c)) out.put(' '.repeat(place.indent));
    if (c === ' ' && !place.key && !spaces && out.column > WIDTH && inside && runes[i + 1] !== ' ')
      out.put(`\n${' '.repeat(place.indent)}`);
    else out.put(write(c));
    spaces = c === ' ';
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\0', '0'],
  ['\u0007', 'a'],
  ['\b', 'b'],
  ['\t', 't'],
  ['\n', 'n'],
  ['\u000b', 'v'],
  ['\f', 'f'],
  ['\r', 'r'],
  ['\u001b', 'e'],
  ['"', '"'],
  ['\\', '\\'],
  ['\u0085', 'N'],
  ['\u00a0', '_'],
  ['\u2028', 'L'],
  ['\u2029', 'P'],
]);

function writeDouble(out: Writer, text: string, place: Place): void {
  const runes = Array.from(text);
  out.put('"');
  let spaces = false;
  for (const [i, c] of runes.entries()) {
    if (c === ' ') {
      const folds = !place.key && !spaces && out.column > WIDTH && i > 0 && i < runes.length - 1;
      // A blank that starts the next line would be lost without its backslash.
      if (folds) out.put(`\n${' '.repeat(place.indent)}${runes[i + 1] === ' ' ? '\\' : ''}`);
      else out.put(c);
    } else out.put(escaped(c));
    spaces = c === ' ';
  }
  out.put('"');
}

function escaped(c: string): string {
  if (c !== '"' && c !== '\\' && !UNPRINTABLE.test(c) && !isBreak(c)) return c;
  const short = ESCAPES.get(c);
  if (short !== undefined) return `\\${short}`;
  const code = c.codePointAt(0) ?? 0;
  const hex = (letter: string, width: number) =>
    `\\${letter}${code.toString(16).toUpperCase().padStart(width, '0')}`;
  return code <= 0xff ? hex('x', 2) : code <= 0xffff ? hex('u', 4) : hex('U', 8);
}

function writeLiteral(out: Writer, text: string, indent: number): void {
  const runes = Array.from(text);
  const hint = runes[0] === ' ' || isBreak(runes[0]) ? '2' : '';
  out.put(`|${hint}${chomp(runes)}\n`);
  let fresh = true;
  for (const c of runes) {
    if (fresh && !isBreak(c)) out.put(' '.repeat(indent));
    out.put(c);
    fresh = isBreak(c);
  }
}

/** `-`: no break at the end; `+`: more than one, or nothing else; nothing: exactly one. */
function chomp(runes: readonly string[]): string {
  if (!isBreak(runes.at(-1))) return '-';
  return runes.length === 1 || isBreak(runes.at(-2)) ? '+' : '';
}

/** Go compares strings by their UTF-8 bytes, which is the order of code points (and not of UTF-16 units). */
function byCodePoints(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
