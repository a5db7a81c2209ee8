/** YAML text to a syntax tree without types, for readers whose typing differs from YAML 1.2 (Go's, PyYAML's). */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml';

/**
 * One document; an alias stands as the node that it names. plain: without quotes and not a block, so that its text
 * decides its type. tag: explicit, e.g. `!!str`. offset: where it begins in the text.
 */
export type YamlTree = { readonly offset: number; readonly tag?: string } & (
  | { readonly kind: 'scalar'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'list'; readonly items: readonly YamlTree[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [YamlTree, YamlTree])[] }
);

/** More nodes than any text of 1 MiB holds without aliases: beyond it, aliases multiply. */
const MAX_NODES = 1_000_000;

/**
 * The first document, as Go's readers take it; undefined when there is none. Duplicate keys are kept in order.
 * Throws SyntaxError, whose message has line and column and no text of the document.
 */
export function parseTree(text: string): YamlTree | undefined {
  const parsed = parseAllDocuments(text.replace(/^\ufeff/, ''), {
    schema: 'failsafe',
    merge: false,
    uniqueKeys: false,
    prettyErrors: true,
    logLevel: 'silent',
  });
  const document = Array.isArray(parsed) ? parsed[0] : undefined;
  if (!document) return undefined;
  const error = document.errors[0];
  if (error) {
    const at = error.linePos?.[0];
    throw new SyntaxError(at ? `line ${at.line}, column ${at.col}: ${error.code}` : error.code);
  }
  return treeOf(document);
}

/** The tree of a document without errors, in whatever schema it was parsed; undefined when it is empty. Throws SyntaxError. */
export function treeOf(document: Document): YamlTree | undefined {
  return document.contents === null ? undefined : new Builder(document).node(document.contents, 0);
}

class Builder {
  readonly #document: Document;
  readonly #open = new Set<Node>();
  #count = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  /** around: where the collection that it is in begins. */
  node(node: unknown, around: number): YamlTree {
    if (++this.#count > MAX_NODES) throw new SyntaxError('excessive aliasing');
    if (isAlias(node)) return this.#alias(node.resolve(this.#document), around);
    const offset = isNode(node) && node.range ? node.range[0] : around;
    if (isScalar(node)) {
      const plain = (node.type ?? 'PLAIN') === 'PLAIN';
      return { kind: 'scalar', offset, text: node.source ?? '', plain, ...tagOf(node.tag) };
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
