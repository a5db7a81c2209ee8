/** Reads the text of a list without building all of it at once: ten thousand objects are far more as values than as text. */

const ITEMS = '"items":[';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** Braces and brackets differ in this bit alone. */
const CURLED = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * What JSON.parse makes of it, but for `items`: an iterable that parses each when its turn comes. Text that is written
 * otherwise than API servers write it is parsed whole. Throws SyntaxError, for an item when it is its turn.
 */
export function readList(text: string): unknown {
  const at = text.indexOf(ITEMS);
  const from = at + ITEMS.length;
  const bounds = at < 0 ? undefined : boundsOf(text, from);
  if (!bounds) return JSON.parse(text);
  const rest: unknown = JSON.parse(text.slice(0, from) + text.slice(bounds.end));
  return { ...Object(rest), items: itemsOf(text, bounds.commas, from) };
}

function* itemsOf(text: string, commas: readonly number[], from: number): Generator<unknown, void, void> {
  let start = from;
  for (const comma of commas) {
    yield JSON.parse(text.slice(start, comma));
    start = comma + 1;
  }
}

/** Where each item ends, and where the list does: at its bracket. Undefined when it does not. */
function boundsOf(text: string, from: number): { commas: readonly number[]; end: number } | undefined {
  const commas: number[] = [];
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if ((c | CURLED) === OPEN) depth++;
    else if (c === COMMA && depth === 0) commas.push(i);
    else if ((c | CURLED) === CLOSE && depth-- === 0) {
      // An empty list has no item between its brackets.
      if (i > from) commas.push(i);
      return { commas, end: i };
    }
  }
  return undefined;
}

/** Place of the quote that ends the string which begins at `at`; the text's length when none does. */
function endOfString(text: string, at: number): number {
  for (let i = text.indexOf('"', at + 1); i >= 0; i = text.indexOf('"', i + 1)) {
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return i;
  }
  return text.length;
}
