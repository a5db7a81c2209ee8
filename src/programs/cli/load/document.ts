import type { Part, Path } from '../../../domain/api/check.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import type { Source, Typed } from '../../../domain/desired/source.ts';
import { fromYaml } from '../../../domain/desired/yaml.ts';
import { parseDocuments } from '../../../platform/files/yaml.ts';
import { fields, type Header, headerOf, items } from './record.ts';

/** A place in a file. */
export interface Place {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}
/** From a place within a text to the place in the file that holds the text. */
export type Outer = (inner: { readonly line: number; readonly column: number }) => Place | undefined;

/** One YAML document, or an item of a List in one. */
export interface Doc {
  /** As the operator named it; of a built object, the folder. */
  readonly file: string;
  /** Undefined for what is no Kubernetes object. */
  readonly header: Header | undefined;
  /** As YAML 1.2 types it. */
  readonly value: unknown;
  at(path: Path, part?: Part): Place | undefined;
  typed: NonNullable<Source['typed']>;
  /** For a text that stands at the path: where its own lines are. */
  inside(path: Path): Outer;
}

/** The documents of a text; lists of objects are taken apart. Problems: what nobody could read. */
export function readDocuments(
  file: string,
  text: string,
): { readonly docs: readonly Doc[]; readonly problems: readonly Problem[] } {
  const parsed = parseDocuments(text, { source: file });
  if ('problems' in parsed) return { docs: [], problems: parsed.problems };
  const lines = text.split(/\r?\n/);
  const docs = parsed.flatMap((document) => {
    const outer: Outer = (place) => ({ source: file, ...place });
    const { values, typed } = fromYaml(document, outer);
    const at = (path: Path, part?: Part): Place | undefined => {
      const place = document.at(path, part);
      return place && outer(place);
    };
    const inside = (path: Path): Outer => within(lines, at(path));
    return apart({
      file,
      header: headerOf(values),
      value: values,
      at,
      typed: typed ?? untyped(values),
      inside,
    });
  });
  return { docs, problems: [] };
}

const untyped = (value: unknown) => (): Typed => ({ value });

/** The items of a List of objects, or the document itself. */
function apart(doc: Doc): readonly Doc[] {
  const { items: listed } = fields(doc.value);
  const isList = doc.header?.kind.endsWith('List') === true && Array.isArray(listed);
  if (!isList) return [doc];
  return items(listed).flatMap((value, i) => {
    const inner = (path: Path): Path => ['items', i, ...path];
    return apart({
      file: doc.file,
      header: headerOf(value),
      value,
      at: (path, part) => doc.at(inner(path), part),
      inside: (path) => doc.inside(inner(path)),
      typed: (flavour) => {
        const whole = doc.typed(flavour);
        if ('problems' in whole) return whole;
        return { ...lookingAt(whole, inner), value: items(fields(whole.value).items)[i] };
      },
    });
  });
}

/** A typed text seen from one of its inner values. */
function lookingAt(
  typed: Exclude<Typed, { readonly problems: unknown }>,
  inner: (path: Path) => Path,
): Omit<Exclude<Typed, { readonly problems: unknown }>, 'value'> {
  const { at, text } = typed;
  return {
    ...(at && { at: (path: Path, part?: Part) => at(inner(path), part) }),
    ...(text && { text: (path: Path) => text(inner(path)) }),
  };
}

/** A text that is no block keeps the place where it begins. */
function within(lines: readonly string[], start: Place | undefined): Outer {
  const header = start && lines[start.line - 1]?.slice(start.column - 1);
  if (!start || !header || !/^[|][-+0-9]*\s*(#.*)?$/.test(header)) return () => start;
  const indent = /^ */.exec(lines.slice(start.line).find((l) => l.trim() !== '') ?? '')?.[0].length ?? 0;
  return ({ line, column }) => ({
    source: start.source,
    line: start.line + line,
    column: indent + column,
  });
}
