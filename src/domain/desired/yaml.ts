import { type Part, type Path, pathText } from '../api/check.ts';
import type { Problem } from '../api/problem.ts';
import { YamlError } from './flux/errors.ts';
import { keyText, scalar, type YamlNode } from './flux/yaml.ts';
import { pathOf } from './path.ts';
import { pyKey, pyScalar } from './pyyaml.ts';
import type { Source, Typed, YamlFlavour } from './source.ts';

interface Place {
  readonly line: number;
  readonly column: number;
}

type Placed = { readonly offset: number; readonly tag?: string } & (
  | { readonly kind: 'scalar'; readonly text: string; readonly plain: boolean }
  | { readonly kind: 'list'; readonly items: readonly Placed[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Placed, Placed])[] }
);

/** A parsed text whose reader is not known yet, as platform/files' parseDocument gives it. */
export interface YamlText {
  readonly value: unknown;
  at(path: Path, part?: Part): Place | undefined;
  readonly duplicates: readonly Problem[];
  readonly tags: readonly Problem[];
  /** Throws SyntaxError when aliases multiply. */
  tree(): Placed | undefined;
  place(offset: number): Place;
}

/**
 * What a source has of its text: the values to find its dialect by, and `typed` to read them as that dialect's reader does.
 * outer: from a place in the text to the place in the file that holds the text.
 */
export function fromYaml(
  document: YamlText,
  outer: (inner: Place) => Place | undefined = (inner) => inner,
): Pick<Source, 'values' | 'at' | 'typed'> {
  const moved = (problems: readonly Problem[]): readonly Problem[] =>
    problems.map(({ line, column, ...p }) =>
      line === undefined || column === undefined ? p : { ...p, ...outer({ line, column }) },
    );
  const at = (path: Path, part?: Part) => {
    const inner = document.at(path, part);
    return inner && outer(inner);
  };
  const typed = (flavour: YamlFlavour): Typed => {
    const read = flavour === 'core' ? core(document) : retyped(document, flavour);
    if ('problems' in read) return { problems: moved(read.problems) };
    const { node, value } = read;
    const find = (path: Path) => located(node, path);
    return {
      value,
      duplicates: moved(document.duplicates),
      at: (path, part) => {
        const found = find(path);
        if (!found) return at(path, part);
        return outer(document.place(part === 'key' ? (found.keyOffset ?? found.offset) : found.offset));
      },
      text: (path) => find(path)?.text,
    };
  };
  return { values: document.value, at, typed };
}

/** The same of all documents of a text: Kubernetes objects are a list, anything else is one document. Problems have places in the text. */
export function fromDocuments(
  documents: readonly YamlText[],
  outer?: (inner: Place) => Place | undefined,
): Pick<Source, 'values' | 'at' | 'typed'> | { readonly problems: readonly Problem[] } {
  const [first, ...others] = documents.map((document) => fromYaml(document, outer));
  if (!first) return { values: null };
  if (others.length === 0) return first;
  const all = [first, ...others];
  if (all.every(({ values }) => isKubernetesObject(values))) return listed(all);
  const second = documents[1]?.at([]);
  const message = 'holds several documents, and not all of them are Kubernetes objects';
  return { problems: [{ code: 'ValuesUnreadable', path: '', message, ...second }] };
}

function isKubernetesObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'kind' in value;
}

function listed(all: readonly Pick<Source, 'values' | 'at' | 'typed'>[]) {
  const find = <T>(path: Path, look: (i: number, rest: Path) => T): T | undefined => {
    const [i, ...rest] = path;
    return typeof i === 'number' ? look(i, rest) : undefined;
  };
  return {
    values: all.map(({ values }) => values),
    at: (path: Path, part?: Part) => find(path, (i, rest) => all[i]?.at?.(rest, part)),
    typed: (flavour: YamlFlavour): Typed => {
      const typed = all.map((one) => one.typed?.(flavour) ?? { value: one.values });
      const problems = typed.flatMap((t) => ('problems' in t ? t.problems : []));
      if (problems.length > 0) return { problems };
      const good = typed.flatMap((t) => ('problems' in t ? [] : [t]));
      return {
        value: good.map(({ value }) => value),
        duplicates: good.flatMap(({ duplicates = [] }, i) =>
          duplicates.map((p) => ({ ...p, path: pathText([i, ...pathOf(p.path)]) })),
        ),
        at: (path, part) => find(path, (i, rest) => good[i]?.at?.(rest, part)),
        text: (path) => find(path, (i, rest) => good[i]?.text?.(rest)),
      };
    },
  };
}

/** Reads texts that stand in the values of a source. */
export function textReader(
  parse: (text: string) => YamlText | { readonly problems: readonly Problem[] },
): NonNullable<Source['parse']> {
  return (text) => {
    const document = parse(text);
    return 'problems' in document ? document : fromYaml(document);
  };
}

interface Read {
  readonly value: unknown;
  readonly node?: Located;
}

function core({ tags, value }: YamlText): Read | { readonly problems: readonly Problem[] } {
  return tags.length > 0 ? { problems: tags } : { value };
}

/** A value with its place, and of a scalar the text that was written. */
interface Located {
  readonly value: unknown;
  readonly offset: number;
  /** Of its key, if it has one. */
  readonly keyOffset?: number;
  readonly text?: string;
  readonly children?: ReadonlyMap<string | number, Located>;
}

function located(root: Located | undefined, path: Path): Located | undefined {
  return path.reduce<Located | undefined>((node, step) => node?.children?.get(step), root);
}

/** What readers do in their own way. */
interface Reader {
  scalar(node: Extract<YamlNode, { kind: 'scalar' }>): unknown;
  key(node: YamlNode): string;
  /** A merge (`<<`) gives way to the map's own keys wherever it stands; if not, what comes later wins. */
  readonly mergesFirst: boolean;
}

const READERS: Readonly<Record<Exclude<YamlFlavour, 'core'>, Reader>> = {
  go: { scalar: (node) => fromGo(scalar(node).value), key: keyText, mergesFirst: false },
  pyyaml: { scalar: pyScalar, key: pyKey, mergesFirst: true },
};

/** Numbers go through JSON, where they become float64. */
function fromGo(value: ReturnType<typeof scalar>['value']): unknown {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && !Number.isFinite(number)) throw new YamlError('a number is not finite');
  return number;
}

function retyped(
  document: YamlText,
  flavour: Exclude<YamlFlavour, 'core'>,
): Read | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const walk = walker(READERS[flavour], (message, { path, offset }) =>
    problems.push({ code: 'YamlSyntax', path: pathText(path), message, ...document.place(offset) }),
  );
  try {
    const tree = document.tree();
    if (!tree) return { value: null };
    const node = walk(tree, []);
    return problems.length > 0 ? { problems } : { value: node.value, node };
  } catch (e) {
    if (!(e instanceof SyntaxError)) throw e;
    return { problems: [{ code: 'YamlAliases', path: '', message: e.message }] };
  }
}

type Tell = (message: string, place: { readonly path: Path; readonly offset: number }) => void;

function walker(reader: Reader, tell: Tell): (node: Placed, path: Path) => Located {
  const attempt = <T>(node: Placed, path: Path, read: () => T): T | undefined => {
    try {
      return read();
    } catch (e) {
      if (!(e instanceof YamlError)) throw e;
      tell(e.message, { path, offset: node.offset });
      return undefined;
    }
  };
  const merged = (node: Placed, path: Path): ReadonlyMap<string | number, Located> => {
    const maps = node.kind === 'list' ? node.items : [node];
    if (maps.some(({ kind }) => kind !== 'map'))
      tell('a merge key needs a map or a list of maps', { path, offset: node.offset });
    return new Map(maps.toReversed().flatMap((map) => [...(walk(map, path).children ?? [])]));
  };
  const mapOf = (node: Extract<Placed, { kind: 'map' }>, path: Path): Located => {
    const children = new Map<string | number, Located>();
    const isMerge = ([key]: readonly [Placed, Placed]) =>
      key.kind === 'scalar' && key.plain && key.text === '<<';
    const entries = reader.mergesFirst
      ? node.entries.toSorted((a, b) => Number(isMerge(b)) - Number(isMerge(a)))
      : node.entries;
    for (const entry of entries) {
      const [key, value] = entry;
      if (isMerge(entry)) for (const [name, child] of merged(value, path)) children.set(name, child);
      else {
        const name = attempt(key, path, () => reader.key(key));
        if (name !== undefined) {
          const child = walk(value, [...path, name]);
          children.set(name, { ...child, keyOffset: key.offset });
        }
      }
    }
    const value = Object.fromEntries([...children].map(([name, child]) => [name, child.value]));
    return { value, offset: node.offset, children };
  };
  const walk = (node: Placed, path: Path): Located => {
    if (node.kind === 'map') return mapOf(node, path);
    if (node.kind === 'list') {
      const items = node.items.map((item, i) => walk(item, [...path, i]));
      return { value: items.map((i) => i.value), offset: node.offset, children: new Map(items.entries()) };
    }
    const value = attempt(node, path, () => reader.scalar(node));
    return { value, offset: node.offset, text: node.text };
  };
  return walk;
}
