/**
 * Flux's `${...}` syntax (github.com/fluxcd/pkg/envsubst 1.7, a fork of drone/envsubst): text to a list of pieces. The tokens
 * and their quirks are upstream's: `${v-d}` and `${v?d}` are refused though `:-` and `=` are not, a pattern runs to the next
 * slash wherever that is, and only `$$` escapes outside of braces.
 */
import { SubstitutionError } from './errors.ts';

/** Plain text, or one `${...}`. `at` is its offset in the text. */
export type Piece = string | Expansion;
export interface Expansion {
  readonly variable: string;
  /** `` for a bare `${v}`, else the characters between name and argument: `:-`, `//`, `^^`, and `#` also for a length. */
  readonly operator: string;
  readonly args: readonly Piece[];
  readonly at: number;
}

/** Whether a character may stand at the end of a token that is now `length` long. */
type Accept = (rune: string, length: number) => boolean;

const IDENTIFIER: Accept = (r) => /^[\p{L}\p{Nd}_]$/u.test(r);
const until =
  (stops: string): Accept =>
  (r) =>
    !stops.includes(r);
/** One of the characters of `second` after `first`. */
const pair =
  (first: string, second: string): Accept =>
  (r, length) =>
    length === 1 ? r === first : length === 2 && second.includes(r);
/** One or two of these characters. */
const upToTwo =
  (of: string): Accept =>
  (r, length) =>
    length < 3 && of.includes(r);
const run =
  (of: string): Accept =>
  (r) =>
    r === of;

/** Nesting beyond what anybody writes. */
const MAX_NESTING = 100;

/** Throws SubstitutionError. */
export function parseExpansions(text: string): readonly Piece[] {
  return new Parser(text).all();
}

interface Token {
  readonly accept: Accept;
  /** Stop before `${`. */
  readonly stopAtBrace?: boolean;
  /** What a doubled `$`, or a backslash before `/` and `\`, does: drops its first character. */
  readonly escapes?: 'none' | 'dollar' | 'all';
}

class Parser {
  readonly #text: string;
  #at = 0;
  /** Where the innermost `${` stands, for messages. */
  #open = 0;
  #nesting = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): readonly Piece[] {
    const pieces: Piece[] = [];
    while (this.#at < this.#text.length) {
      pieces.push(
        this.#brace()
          ? this.#expansion()
          : // `${` was tried before: this takes at least one character.
            (this.#token({ accept: () => true, stopAtBrace: true, escapes: 'dollar' }) ?? ''),
      );
    }
    return pieces;
  }

  #fail(why: string): never {
    throw new SubstitutionError(why, this.#open);
  }

  #peek(ahead = 0): string | undefined {
    const code = this.#text.codePointAt(this.#at + ahead);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  /** Takes `${` when it is next. */
  #brace(): boolean {
    if (!this.#text.startsWith('${', this.#at)) return false;
    this.#open = this.#at;
    this.#at += 2;
    return true;
  }

  /** Takes as many characters as fit; undefined when not even one does. */
  #token({ accept, stopAtBrace = false, escapes = 'none' }: Token): string | undefined {
    let taken = '';
    const start = this.#at;
    for (let rune = this.#peek(); rune !== undefined; rune = this.#peek()) {
      if (stopAtBrace && this.#text.startsWith('${', this.#at)) break;
      const next = this.#text[this.#at + 1];
      const escaped =
        (rune === '$' && escapes !== 'none' && next === '$') ||
        (rune === '\\' && escapes === 'all' && (next === '/' || next === '\\'));
      if (escaped) {
        taken += next;
        this.#at += 2;
        continue;
      }
      if (!accept(rune, this.#at - start + 1)) break;
      taken += rune;
      this.#at += rune.length;
    }
    return this.#at === start ? undefined : taken;
  }

  #close(why = 'bad substitution'): void {
    if (this.#peek() !== '}') this.#fail(why);
    this.#at++;
  }

  /** What follows `${`. */
  #expansion(): Expansion {
    const at = this.#open;
    if (++this.#nesting > MAX_NESTING) this.#fail(`more than ${MAX_NESTING} expansions in each other`);
    const found = this.#peek() === '#' ? this.#length(at) : this.#named(at);
    this.#nesting--;
    return found;
  }

  /** `${#v}` */
  #length(at: number): Expansion {
    this.#at++;
    const variable = this.#token({ accept: IDENTIFIER }) ?? this.#fail('bad substitution');
    this.#close();
    return { variable, operator: '#', args: [], at };
  }

  #named(at: number): Expansion {
    const variable = this.#token({ accept: IDENTIFIER }) ?? this.#fail('unable to parse variable name');
    const rest = this.#operation();
    this.#open = at;
    if (rest.operator === '') this.#close('missing closing brace');
    return { variable, ...rest, at };
  }

  /** What follows the name. Every operation but the bare one also takes the closing brace. */
  #operation(): Pick<Expansion, 'operator' | 'args'> {
    switch (this.#peek()) {
      case ':':
        return /[=?+-]/.test(this.#peek(1) ?? '') ? this.#default(pair(':', '=-?+')) : this.#substring();
      case '=':
        return this.#default((r, length) => r === '=' && length === 1);
      case ',':
      case '^': {
        const operator = this.#token({ accept: upToTwo(',^') }) ?? '';
        this.#close();
        return { operator, args: [] };
      }
      case '/':
        return this.#replace();
      case '#':
        return this.#remove('#');
      case '%':
        return this.#remove('%');
      default:
        return { operator: '', args: [] };
    }
  }

  /** One argument: a whole `${...}`, or the text before the next one. */
  #argument(accept: Accept, escapes: 'none' | 'all' = 'none'): Piece {
    if (this.#brace()) return this.#expansion();
    return (
      this.#token({ accept, stopAtBrace: true, escapes }) ??
      this.#fail('unable to parse substitution within function')
    );
  }

  /** `${v:-d}`, `${v:=d}`, `${v=d}`; `:?` and `:+` are read, and do the same. */
  #default(accept: Accept): Pick<Expansion, 'operator' | 'args'> {
    const operator = this.#token({ accept }) ?? '';
    const args: Piece[] = [];
    while (this.#peek() !== '}') args.push(this.#argument(until('}')));
    this.#close();
    return { operator, args };
  }

  /** `${v:offset}` and `${v:offset:length}` */
  #substring(): Pick<Expansion, 'operator' | 'args'> {
    this.#at++;
    // Upstream steps back by the width of what it looked at, and is lost when that is not one byte.
    if (/[\u0080-\uffff]/.test(this.#peek() ?? '')) this.#fail('bad substitution');
    const args = [this.#argument(until(':}'))];
    if (this.#peek() === '}') {
      this.#at++;
      return { operator: ':', args };
    }
    if (this.#token({ accept: run(':') }) === undefined) this.#fail('bad substitution');
    args.push(this.#argument(until('}')));
    this.#close();
    return { operator: ':', args };
  }

  /** `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}` */
  #remove(sign: string): Pick<Expansion, 'operator' | 'args'> {
    const operator = this.#token({ accept: upToTwo(sign) }) ?? '';
    const args = [this.#argument(until('}'))];
    this.#close();
    return { operator, args };
  }

  /** `${v/a/b}`, `${v//a/b}`, `${v/#a/b}`, `${v/%a/b}`; nothing after the second slash removes. */
  #replace(): Pick<Expansion, 'operator' | 'args'> {
    const operator = this.#token({ accept: pair('/', '/#%') }) ?? '';
    const args = [this.#argument(until('/'), 'all')];
    if (this.#token({ accept: run('/') }) === undefined) this.#fail('bad substitution');
    if (this.#peek() !== '}') args.push(this.#argument(until('}'), 'all'));
    this.#close();
    return { operator, args };
  }
}
