import { SOURCE } from '../../domain/api/annotations.ts';
import type { Path } from '../../domain/api/check.ts';
import type { Problem } from '../../domain/api/problem.ts';
import { configKey, type Source } from '../../domain/desired/source.ts';
import { parseYaml, parseYamlAll, type Yaml } from '../../platform/files/yaml.ts';

/** What a file holds: sources to check, and what is wrong with it before that. */
export interface Input {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
}

/** Reads a file's text as native values, or as manifests among which ConfigMaps hold values. */
export function readInput(file: string, text: string): Input {
  const documents = parseYamlAll(text, { source: file });
  if ('problems' in documents) return { sources: [], problems: documents.problems };
  if (documents.length === 0)
    return { sources: [values(file, { value: {}, at: () => undefined })], problems: [] };
  const inputs = documents.map((document) => readDocument(file, text, document));
  const sources = inputs.flatMap((i) => i.sources);
  const problems = inputs.flatMap((i) => i.problems);
  // Beside sources, other manifests are a matter of course; a file of nothing else was named by mistake.
  return {
    sources,
    problems: sources.length > 0 ? problems.filter((p) => p.code !== 'UnknownKind') : problems,
  };
}

function readDocument(file: string, text: string, document: Yaml): Input {
  const { kind, apiVersion } = fields(document.value);
  if (typeof kind !== 'string' || typeof apiVersion !== 'string')
    return { sources: [values(file, document)], problems: [] };
  if (kind === 'ConfigMap') return readConfigMap(file, text, document);
  const message = `${kind} is neither values nor a ConfigMap with values`;
  return {
    sources: [],
    problems: [{ code: 'UnknownKind', source: file, path: 'kind', message, ...document.at(['kind']) }],
  };
}

function values(file: string, document: Yaml): Source {
  return { name: file, title: file, secret: false, values: document.value, at: document.at };
}

function readConfigMap(file: string, text: string, document: Yaml): Input {
  const { metadata, data } = fields(document.value);
  const { name } = fields(metadata);
  const place = document.at([]);
  const problem = (told: Pick<Problem, 'code' | 'message'> & Partial<Problem>): Problem => ({
    source: file,
    path: `ConfigMap ${String(name)}`,
    ...told,
    ...place,
  });
  const texts = Object.fromEntries(
    Object.entries(fields(data)).filter((e): e is [string, string] => typeof e[1] === 'string'),
  );
  const key = configKey(texts);
  if (key === undefined) {
    const message = 'has no key values.yaml, and not exactly one other';
    return { sources: [], problems: [problem({ code: 'ValuesUnreadable', message })] };
  }
  const labelled = fields(fields(metadata).labels)[SOURCE] === 'true';
  const unlabelled = problem({
    code: 'NotASource',
    severity: 'warning',
    message: 'is not read as a source',
    hint: `label it ${SOURCE}: "true"`,
  });
  const parsed = parseYaml(texts[key] ?? '', { source: file });
  const outer = placing(text, document.at(['data', key]));
  if ('problems' in parsed)
    return { sources: [], problems: parsed.problems.map((p) => ({ ...p, ...outer(p) })) };
  const source: Source = {
    name: `ConfigMap ${String(name)}`,
    title: file,
    secret: false,
    open: true,
    values: parsed.value,
    at: (path: Path) => {
      const inner = parsed.at(path);
      return inner && outer(inner);
    },
  };
  return { sources: [source], problems: labelled ? [] : [unlabelled] };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** From a place inside a text in the file to its place in the file; a text that is no block keeps the place where it begins. */
function placing(
  text: string,
  start: Place | undefined,
): (inner: { readonly line?: number; readonly column?: number }) => Place | undefined {
  const lines = text.split(/\r?\n/);
  const header = start && lines[start.line - 1]?.slice(start.column - 1);
  if (!start || !header || !/^[|][-+0-9]*\s*(#.*)?$/.test(header)) return () => start;
  const indent = /^ */.exec(lines.slice(start.line).find((l) => l.trim() !== '') ?? '')?.[0].length ?? 0;
  return ({ line = 1, column = 1 }) => ({ line: start.line + line, column: indent + column });
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
