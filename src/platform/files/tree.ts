/** YAML text to a syntax tree without types, for readers whose typing differs from YAML 1.2 (Go's, PyYAML's). */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml';

/**
 * One document; an alias stands as the node that it names. plain: without quotes and not a block, so that its text
 * decides its type. tag: explicit, e.g. `!!str`. offset: where it begins in the text.
 */
export type YamlTree = { readonly offset: number; readonly tag?: string } & (
  | { readonly kind: 'scalar'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'list'; readonly items: readonly YamlTree[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [YamlTree, YamlTree])[] }
);

/** A character that the readers of Go and Python take from nobody. */
const UNREADABLE = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ufffd]/;

/** More nodes than any text of 1 MiB holds without aliases: beyond it, aliases multiply. */
const MAX_NODES = 1_000_000;

/**
 * The first document, as Go's readers take it; undefined when there is none. Duplicate keys are kept in order.
 * Throws SyntaxError, whose message has line and column and no text of the document.
 */
export function parseTree(text: string): YamlTree | undefined {
  if (UNREADABLE.test(text)) throw new SyntaxError('control characters');
  // The other line breaks of YAML 1.1; offsets stay as they are.
  const plain = text.replace(/^\ufeff/, '').replace(/\r(?!\n)|\u0085/g, '\n');
  const parsed = parseAllDocuments(plain, {
    schema: 'failsafe',
    merge: false,
    uniqueKeys: false,
    prettyErrors: true,
    logLevel: 'silent',
  });
  const document = Array.isArray(parsed) ? parsed[0] : undefined;
  if (!document) return undefined;
  // The readers end with the bracket that closes the first document, and never see what follows.
  const { contents, errors } = document;
  const end = (isCollection(contents) && contents.flow && contents.range?.[1]) || Number.POSITIVE_INFINITY;
  const error = errors.find(({ code, pos }) => code !== 'UNEXPECTED_TOKEN' || pos[0] < end);
  if (error) {
    const at = error.linePos?.[0];
    throw new SyntaxError(at ? `line ${at.line}, column ${at.col}: ${error.code}` : error.code);
  }
  return treeOf(document, plain);
}

/**
 * The tree of a document without errors, in whatever schema it was parsed; undefined when it is empty. `text`: what was parsed.
 * Throws SyntaxError.
 */
export function treeOf(document: Document, text: string): YamlTree | undefined {
  return document.contents === null ? undefined : new Builder(document, text).node(document.contents, 0);
}

class Builder {
  readonly #document: Document;
  readonly #open = new Set<Node>();
  readonly #text: string;
  #count = 0;

  constructor(document: Document, text: string) {
    this.#document = document;
    this.#text = text;
  }

  /** around: where the collection that it is in begins. */
  node(node: unknown, around: number): YamlTree {
    if (++this.#count > MAX_NODES) throw new SyntaxError('excessive aliasing');
    if (isAlias(node)) return this.#alias(node.resolve(this.#document), around);
    const offset = isNode(node) && node.range ? node.range[0] : around;
    if (isScalar(node)) {
      const plain = (node.type ?? 'PLAIN') === 'PLAIN';
      return { kind: 'scalar', offset, text: this.#source(node), plain, ...tagOf(node.tag) };
    }
    if (isSeq(node)) {
      const items = node.items.map((i) => this.node(i, offset));
      return { kind: 'list', offset, items, ...tagOf(node.tag) };
    }
    if (isMap(node)) {
      const entries = node.items.map((p): readonly [YamlTree, YamlTree] => {
        const key = this.node(p.key, offset);
        return [key, this.node(p.value, key.offset)];
      });
      return { kind: 'map', offset, entries, ...tagOf(node.tag) };
    }
    // An empty value: `key:` or `-` with nothing after it.
    return { kind: 'scalar', offset, text: '', plain: true };
  }

  /** The library ends the last line of a block where the text ends without it; libyaml, and so Go and Python, do not. */
  #source({ source = '', type, range }: Scalar): string {
    const unended =
      type?.startsWith('BLOCK_') && range?.[1] === this.#text.length && /[^\s][^\n]*$/.test(this.#text);
    return unended ? source.replace(/\n$/, '') : source;
  }

  #alias(target: Node | undefined, around: number): YamlTree {
    if (!target) throw new SyntaxError('an alias names no anchor');
    if (this.#open.has(target)) throw new SyntaxError('an anchor contains itself');
    this.#open.add(target);
    const made = this.node(target, around);
    this.#open.delete(target);
    return made;
  }
}

/** Only explicit tags: the library also names the default ones. */
function tagOf(tag: string | undefined): { tag?: string } {
  return tag === undefined || /^tag:yaml.org,2002:(map|seq)$/.test(tag) ? {} : { tag };
}
