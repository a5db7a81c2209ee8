/** YAML 1.2 (core schema) into plain values that know where they stand. */
import { type Document, isAlias, isNode, LineCounter, parseAllDocuments, type YAMLError } from 'yaml';
import type { Problem } from '../../domain/api/problem.ts';

/** Counted from 1, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Yaml {
  /** Plain data: null, booleans, numbers, strings, arrays, objects. Null for an empty document. */
  readonly value: unknown;
  /** Where the value at `path` begins; undefined when there is none. */
  at(path: readonly (string | number)[]): Place | undefined;
}

export type Parsed = Yaml | { readonly problems: readonly Problem[] };

/** The parser takes about 0.7 s for this much; nothing that reaches us is larger than a ConfigMap. */
const MAX_BYTES = 1024 * 1024;

/** Of one mistake the parser finds many; the first ones are those that help. */
const MAX_PROBLEMS = 10;

/** One document. More than one is a Problem, as everything after the first would go unseen. */
export function parseYaml(text: string, o: { source: string }): Parsed {
  const all = parseYamlAll(text, o);
  if ('problems' in all) return all;
  const [first, second] = all;
  if (second) {
    const place = second.at([]);
    return {
      problems: [
        problem('YamlDocuments', 'a second document begins where one is expected', {
          source: o.source,
          place,
        }),
      ],
    };
  }
  return first ?? { value: null, at: () => undefined };
}

/**
 * All documents of a stream, empty ones left out. Any error or warning in any of them is a Problem: an unknown tag would only be
 * a warning, and a duplicate key would silently win elsewhere.
 */
export function parseYamlAll(
  text: string,
  o: { source: string },
): readonly Yaml[] | { readonly problems: readonly Problem[] } {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return {
      problems: [
        problem('YamlTooLarge', `is larger than ${MAX_BYTES} bytes`, { source: o.source, place: undefined }),
      ],
    };
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text.startsWith('\uFEFF') ? text.slice(1) : text, {
    version: '1.2',
    schema: 'core',
    merge: true,
    prettyErrors: false,
    strict: true,
    lineCounter: lines,
    logLevel: 'silent',
  });
  const found: readonly Document.Parsed[] = Array.isArray(documents) ? documents : [];
  const problems = found
    .flatMap((d) => [...d.errors, ...d.warnings])
    .slice(0, MAX_PROBLEMS)
    .map((e) => problemOf(e, lines, o.source));
  if (problems.length > 0) return { problems };
  return valuesOf(found, lines, o.source);
}

function valuesOf(documents: readonly Document.Parsed[], lines: LineCounter, source: string) {
  const values: Yaml[] = [];
  for (const document of documents) {
    if (document.contents === null) continue;
    try {
      // At most 100 values by alias: a few lines must not become gigabytes.
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      // Two separators in a row, or a document of comments alone.
      if (value === null) continue;
      values.push({ value, at: (path) => placeAt(document, path, lines) });
    } catch (e) {
      const message = e instanceof Error ? e.message : 'cannot be expanded';
      return {
        problems: [
          problem('YamlAliases', message, { source, place: placeOf(document.contents.range[0], lines) }),
        ],
      };
    }
  }
  return values;
}

function placeAt(
  document: Document.Parsed,
  path: readonly (string | number)[],
  lines: LineCounter,
): Place | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (typeof node !== 'object' || node === null || !('get' in node) || typeof node.get !== 'function')
      return undefined;
    node = node.get(step, true) as unknown;
  }
  return isNode(node) && node.range ? placeOf(node.range[0], lines) : undefined;
}

function placeOf(offset: number, lines: LineCounter): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** The parser's words for what operators meet most often, in words that say what to do. */
const HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  DUPLICATE_KEY: 'each key once; the two may stand far apart',
  BAD_INDENT: 'compare the indentation with the lines above',
  TAG_RESOLVE_FAILED: 'tags are not used here; quote the value if it begins with !',
};

function problemOf(e: YAMLError, lines: LineCounter, source: string): Problem {
  const hint = HINTS[e.code];
  return {
    ...problem('YamlSyntax', e.message, { source, place: placeOf(e.pos[0], lines) }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function problem(code: string, message: string, at: { source: string; place: Place | undefined }): Problem {
  return { code, source: at.source, path: '', message, ...at.place };
}
