/** YAML 1.2 (core schema) into plain values that know where they stand. */
import { type Document, LineCounter, parseAllDocuments, type YAMLError } from 'yaml';
import { type Part, type Path, pathText } from '../../domain/api/check.ts';
import type { Problem } from '../../domain/api/problem.ts';
import { offsetAt, type Slip, slipsOf } from './nodes.ts';
import { treeOf, type YamlTree } from './tree.ts';

/** Counted from 1, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Yaml {
  /** Plain data: null, booleans, numbers, strings, arrays, objects. Null for an empty document. */
  readonly value: unknown;
  /** Where the value at `path` begins, or its key where it has one; undefined when there is none. */
  at(path: Path, part?: Part): Place | undefined;
}

export type Parsed = Yaml | { readonly problems: readonly Problem[] };

/**
 * A document before it is known who its reader is. Readers differ in how they type what has no quotes (`tree` has the text that
 * was written), and in what they make of the slips; `value` is what YAML 1.2 makes of it with all slips passed over.
 */
export interface YamlDocument extends Yaml {
  /** Keys that stand twice in one map; `value` has the last. */
  readonly duplicates: readonly Problem[];
  /** Tags that YAML 1.2 does not know; `value` is as if they were not there. */
  readonly tags: readonly Problem[];
  /** The syntax alone; undefined for an empty document. Throws SyntaxError when aliases multiply. */
  tree(): YamlTree | undefined;
  /** The place of an `offset` of the tree. */
  place(offset: number): Place;
}

type Refused = { readonly problems: readonly Problem[] };

/** The parser takes about 0.7 s for this much; nothing that reaches us is larger than a ConfigMap. */
const MAX_BYTES = 1024 * 1024;

/** Of one mistake the parser finds many; the first ones are those that help. */
const MAX_PROBLEMS = 10;

/** One document. More than one is a Problem, as everything after the first would go unseen. */
export function parseYaml(text: string, o: { source: string }): Parsed {
  const document = parseDocument(text, o);
  return 'problems' in document ? document : strict([document]);
}

/** All documents of a stream, empty ones left out. A slip is a Problem, as another reader would read something else. */
export function parseYamlAll(text: string, o: { source: string }): readonly Yaml[] | Refused {
  const documents = parseDocuments(text, o);
  if ('problems' in documents) return documents;
  const refused = strict(documents);
  return 'problems' in refused ? refused : documents;
}

/** The first document, or the slips of all. */
function strict(documents: readonly YamlDocument[]): Yaml | Refused {
  const problems = documents.flatMap((d) => [...d.duplicates, ...d.tags]).slice(0, MAX_PROBLEMS);
  return problems.length > 0 ? { problems } : (documents[0] ?? EMPTY);
}

const EMPTY: YamlDocument = {
  value: null,
  at: () => undefined,
  duplicates: [],
  tags: [],
  tree: () => undefined,
  place: () => ({ line: 1, column: 1 }),
};

/** One document for a reader that is still to be found; an empty one where there is none. More than one is a Problem. */
export function parseDocument(text: string, o: { source: string }): YamlDocument | Refused {
  const all = parseDocuments(text, o);
  if ('problems' in all) return all;
  const [first = EMPTY, second] = all;
  if (!second) return first;
  const problem = {
    code: 'YamlDocuments',
    source: o.source,
    path: '',
    message: 'a second document begins where one is expected',
    ...second.at([]),
  };
  return { problems: [problem] };
}

/**
 * All documents of a stream, empty ones left out, for readers that are still to be found. Problems: syntax that nobody takes,
 * template actions that nobody has carried out, more than 1 MiB.
 */
export function parseDocuments(text: string, o: { source: string }): readonly YamlDocument[] | Refused {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    const message = `is larger than ${MAX_BYTES} bytes`;
    return { problems: [{ code: 'YamlTooLarge', source: o.source, path: '', message }] };
  }
  const lines = new LineCounter();
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const parsed = parseAllDocuments(body, {
    version: '1.2',
    schema: 'core',
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    strict: true,
    lineCounter: lines,
    logLevel: 'silent',
  });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  const context: Context = { text: body, lines, source: o.source };
  const problems = syntaxProblems(documents, context);
  return problems.length > 0 ? { problems } : documentsOf(documents, context);
}

interface Context {
  readonly text: string;
  readonly lines: LineCounter;
  readonly source: string;
}

function documentsOf(
  documents: readonly Document.Parsed[],
  context: Context,
): readonly YamlDocument[] | Refused {
  const read: YamlDocument[] = [];
  for (const document of documents) {
    if (document.contents === null) continue;
    try {
      // At most 100 values by alias: a few lines must not become gigabytes.
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      // Two separators in a row, or a document of comments alone.
      if (value !== null) read.push(documentOf(document, value, context));
    } catch (e) {
      const message = e instanceof Error ? e.message : 'cannot be expanded';
      const code = e instanceof ReferenceError ? 'YamlAliases' : 'YamlSyntax';
      return { problems: [problemAt(context, document.contents.range[0], { code, message })] };
    }
  }
  return read;
}

function documentOf(document: Document.Parsed, value: unknown, context: Context): YamlDocument {
  const { duplicates } = slipsOf(document);
  return {
    value,
    at: (path, part) => {
      const offset = offsetAt(document, path, part);
      return offset === undefined ? undefined : placeOf(offset, context);
    },
    duplicates: duplicates.slice(0, MAX_PROBLEMS).map((slip) => duplicate(slip, context)),
    tags: document.warnings.slice(0, MAX_PROBLEMS).map((w) => syntaxProblem(w, context)),
    tree: () => treeOf(document, context.text),
    place: (offset) => placeOf(offset, context),
  };
}

function duplicate({ path, offset }: Slip, context: Context): Problem {
  return problemAt(context, offset, {
    code: 'DuplicateKey',
    path: pathText(path),
    message: 'the key stands twice in this map',
    hint: 'each key once; the two may stand far apart',
  });
}

/** The parser's words for what operators meet most often, in words that say what to do. */
const HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'compare the indentation with the lines above',
  TAG_RESOLVE_FAILED: 'tags are not used here; quote the value if it begins with !',
};

/**
 * What nobody reads as YAML. Where template actions stand bare in the text they are the mistake, and what the parser makes of
 * them is noise.
 */
function syntaxProblems(documents: readonly Document.Parsed[], context: Context): readonly Problem[] {
  const all = documents.flatMap((d) => d.errors);
  // What the parser makes of a text with tabs is noise as well.
  const tabs = all.filter((e) => e.code === 'TAB_AS_INDENT');
  const errors = tabs.length > 0 ? tabs : all;
  const compound = tabs.length > 0 ? [] : documents.flatMap((d) => slipsOf(d).compound);
  const actions = [
    ...compound.map(({ path, offset }) => actionAt(context, { offset, path })),
    ...errors.map((e) => actionAt(context, { offset: lineStart(e.pos[0], context), path: [] })),
  ].filter((p) => p !== undefined);
  const problems =
    actions.length > 0
      ? actions.filter((p, i) => actions.findIndex((other) => other.line === p.line) === i)
      : [
          ...errors.map((e) => syntaxProblem(e, context)),
          ...compound.map(({ path, offset }) =>
            problemAt(context, offset, {
              code: 'YamlSyntax',
              path: pathText(path),
              message: 'a key of this map is itself a map or a list',
            }),
          ),
        ];
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, MAX_PROBLEMS);
}

/** The Problem of the first template action from the offset to the end of its line that stands outside of quotes. */
function actionAt(context: Context, { offset, path }: Slip): Problem | undefined {
  const line = /.*/y;
  line.lastIndex = offset;
  const rest = line.exec(context.text)?.[0] ?? '';
  const found = /(?<=^|[\s,:[-])\{\{.*?(\}\}|$)/.exec(rest);
  if (!found) return undefined;
  return problemAt(context, offset + found.index, {
    code: 'Unrendered',
    path: pathText(path),
    message: `nothing has carried out the template action ${found[0]}; until then the text is not YAML`,
    hint: 'render the template first, and give the result',
  });
}

function lineStart(offset: number, context: Context): number {
  return context.text.lastIndexOf('\n', offset - 1) + 1;
}

function syntaxProblem(e: YAMLError, context: Context): Problem {
  const hint = HINTS[e.code];
  return problemAt(context, e.pos[0], { code: 'YamlSyntax', message: e.message, ...(hint && { hint }) });
}

function placeOf(offset: number, { lines }: Context): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function problemAt(
  context: Context,
  offset: number,
  told: Pick<Problem, 'code' | 'message'> & Partial<Problem>,
): Problem {
  return { source: context.source, path: '', ...told, ...placeOf(offset, context) };
}
