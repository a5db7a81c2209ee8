/** Helm's `--set` grammar (helm.sh/helm/v4 pkg/strvals), which Flux feeds `targetPath=value` to. */
import { SetError } from './errors.ts';
import { isMap, type Value, type ValueMap } from './value.ts';

/** Helm's bounds on list indexes and on nesting. */
const MAX_INDEX = 65_536;
const MAX_NESTING = 30;

/** How a step ended: more input may follow, or the input is used up. Helm tells them apart, and so must we. */
type End = 'more' | 'end';

/**
 * Sets what `line` says in `into`, in place: existing maps and list elements are written, not copied.
 * asText: every value stays a string (`--set-string`); otherwise true, false, null and whole numbers are typed.
 * Throws SetError; `into` may then be half written.
 */
export function setInto(into: ValueMap, line: string, asText: boolean): void {
  new SetLine(line, asText).run(into);
}

class SetLine {
  readonly #runes: readonly string[];
  readonly #asText: boolean;
  #at = 0;

  constructor(line: string, asText: boolean) {
    this.#runes = Array.from(line);
    this.#asText = asText;
  }

  run(into: ValueMap): void {
    while (this.#key(into, 0) === 'more');
  }

  /** Reads up to one of `stops`; a backslash takes the next rune as it is. `stop` is absent at the end of input. */
  #until(stops: string): { text: string; stop?: string } {
    let text = '';
    for (;;) {
      const rune = this.#runes[this.#at++];
      if (rune === undefined) return { text };
      if (stops.includes(rune)) return { text, stop: rune };
      if (rune !== '\\') {
        text += rune;
        continue;
      }
      const next = this.#runes[this.#at++];
      if (next === undefined) return { text };
      text += next;
    }
  }

  #key(data: ValueMap, nesting: number): End {
    const { text: key, stop } = this.#until('=[,.');
    switch (stop) {
      case '[':
        return this.#indexed(data, key, nesting);
      case '=':
        return this.#assign((v) => set(data, key, v));
      case ',':
        throw new SetError(`key "${key}" has no value (cannot end with ,)`);
      case '.':
        return this.#nested(data, key, nesting + 1);
      default:
        if (key === '') return 'end';
        // What stands here can be part of a value that holds a comma, so it is not repeated.
        throw new SetError('a key has no value (a comma in a value starts a new key)');
    }
  }

  #nested(data: ValueMap, key: string, nesting: number): End {
    if (nesting > MAX_NESTING) throw new SetError(`more than ${MAX_NESTING} levels of names`);
    const present = data.get(key);
    if (data.has(key) && !isMap(present)) throw new SetError(`unable to parse key: "${key}" is not a map`);
    const inner: ValueMap = isMap(present) ? present : new Map();
    const end = this.#key(inner, nesting);
    if (end === 'more' && inner.size === 0) throw new SetError(`key map "${key}" has no value`);
    if (inner.size > 0) set(data, key, inner);
    return end;
  }

  #indexed(data: ValueMap, key: string, nesting: number): End {
    const index = this.#index();
    const present = data.get(key);
    if (data.has(key) && !Array.isArray(present))
      throw new SetError(`unable to parse key: "${key}" is not a list`);
    const { list, end } = this.#item(Array.isArray(present) ? present : [], index, nesting);
    set(data, key, list);
    return end;
  }

  /** The digits before `]`, as Go's Atoi reads them. */
  #index(): number {
    const { text, stop } = this.#until(']');
    if (stop === undefined) throw new SetError('error parsing index: no closing ]');
    if (!/^[+-]?\d{1,18}$/.test(text)) throw new SetError('error parsing index: not a number');
    const index = Number(text);
    if (index < 0) throw new SetError('a negative index is not allowed');
    return index;
  }

  /** What follows a `]`. The returned list is the given one unless it had to grow. */
  #item(list: Value[], index: number, nesting: number): { list: Value[]; end: End } {
    const { text, stop } = this.#until('[.=');
    if (text !== '') throw new SetError('unexpected data at end of array index');
    let out = list;
    switch (stop) {
      case '=':
        this.#assign((v) => {
          out = setIndex(list, index, v);
        });
        return { list: out, end: 'more' };
      case '[': {
        const next = this.#index();
        const present = list[index];
        if (present !== undefined && present !== null && !Array.isArray(present))
          throw new SetError('unable to parse key: an element is not a list');
        const inner = this.#item(Array.isArray(present) ? present : [], next, nesting);
        return { list: inner.end === 'end' ? list : setIndex(list, index, inner.list), end: inner.end };
      }
      case '.':
        return this.#itemKey(list, index, nesting);
      default:
        return { list, end: 'end' };
    }
  }

  #itemKey(list: Value[], index: number, nesting: number): { list: Value[]; end: End } {
    let inner: ValueMap = new Map();
    if (index < list.length) {
      const present = list[index];
      if (isMap(present)) inner = present;
      else list[index] = inner;
    }
    // At the end of input Helm returns before it puts a new element in; an element that was there is written already.
    if (this.#key(inner, nesting) === 'end') return { list, end: 'end' };
    return { list: setIndex(list, index, inner), end: 'more' };
  }

  /** Reads the value after `=` and hands it to `put`. */
  #assign(put: (v: Value) => void): End {
    if (this.#at >= this.#runes.length) {
      put('');
      return 'end';
    }
    if (this.#runes[this.#at] === '{') {
      this.#at++;
      put(this.#list());
      return 'more';
    }
    put(this.#typed(this.#until(',').text));
    return 'more';
  }

  /** `{a,b}`; a comma right after it is taken too. */
  #list(): Value[] {
    const list: Value[] = [];
    for (;;) {
      const { text, stop } = this.#until(',}');
      if (stop === undefined) throw new SetError("list must terminate with '}'");
      list.push(this.#typed(text));
      if (stop === ',') continue;
      if (this.#runes[this.#at] === ',') this.#at++;
      return list;
    }
  }

  #typed(text: string): Value {
    return this.#asText ? text : typedValue(text);
  }
}

function set(data: ValueMap, key: string, value: Value): void {
  if (key !== '') data.set(key, value);
}

/** Writes in place where the list is long enough: the list may be shared with the inline values. */
function setIndex(list: Value[], index: number, value: Value): Value[] {
  if (index > MAX_INDEX) throw new SetError(`an index is greater than ${MAX_INDEX}`);
  const out = index < list.length ? list : [...list, ...Array<Value>(index + 1 - list.length).fill(null)];
  out[index] = value;
  return out;
}

/** Unquoted text: true, false and null in any case, 0, and whole numbers that do not start with 0; the rest is text. */
function typedValue(text: string): Value {
  // Go's EqualFold also takes the long s for an s.
  const word = text.toLowerCase().replaceAll('\u017f', 's');
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (word === 'null') return null;
  if (text === '0') return 0;
  if (!/^[+-]?\d+$/.test(text) || text.startsWith('0')) return text;
  const n = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (n < -(2n ** 63n) || n >= 2n ** 63n) return text;
  return Number.isSafeInteger(Number(n)) ? Number(n) : n;
}
