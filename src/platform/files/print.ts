import { type Document, isMap, isScalar, isSeq, type Node, Document as YamlDocument } from 'yaml';
import { pathText } from '../../domain/api/check.ts';

export interface Comments {
  /** Above everything. */
  readonly head: readonly string[];
  /** Above a key or an item, by its path ("pools.web"). */
  readonly at: ReadonlyMap<string, readonly string[]>;
}

/** JSON data as YAML that every reader types alike, whether it follows YAML 1.1 or 1.2. */
export function printYaml(value: unknown, comments: Comments): string {
  const document = new YamlDocument(value, { aliasDuplicateObjects: false });
  dress(document.contents, [], comments.at);
  const text = document.toString({ lineWidth: 0 });
  return comments.head.length === 0 ? text : `${lines(comments.head, '#')}\n\n${text}`;
}

type Path = readonly (string | number)[];

function dress(node: Document['contents'], path: Path, at: Comments['at']): void {
  if (isScalar(node) && typeof node.value === 'string' && !isPlain(node.value)) node.type = 'QUOTE_DOUBLE';
  if (isSeq<Node>(node)) {
    for (const [i, item] of node.items.entries()) {
      comment(item, [...path, i], at);
      dress(item, [...path, i], at);
    }
  }
  if (!isMap<Node, Node>(node)) return;
  for (const { key, value } of node.items) {
    const inner = [...path, String(isScalar(key) ? key.value : '')];
    comment(key, inner, at);
    dress(key, inner, at);
    dress(value, inner, at);
  }
}

function comment(node: Node, path: Path, at: Comments['at']): void {
  const said = at.get(pathText(path));
  if (said && said.length > 0) node.commentBefore = lines(said, '');
}

/** Other breaks and control characters would end the comment for some reader. */
function lines(texts: readonly string[], mark: string): string {
  return texts
    .flatMap((text) => text.split('\n'))
    .map((line) => `${mark} ${line.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}`)
    .join('\n');
}

/** Words that some reader takes for something else than text. */
const WORDS = /^(y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/** A number without digits, for readers of YAML 1.1 that allow as few as none. */
const EXPONENT = /^e-?\d+$/i;

/** Text that is text for every reader: words, and IPv4 addresses with what may follow them. */
function isPlain(text: string): boolean {
  if (WORDS.test(text) || EXPONENT.test(text)) return false;
  return /^[A-Za-z_][\w./-]*$/.test(text) || /^\d+(\.\d+){3}([/-][\d./]+)?$/.test(text);
}
