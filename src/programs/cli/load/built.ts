/** What Kustomize built, as documents that know the files they come from. */
import { dirname, join } from 'node:path';
import type { Part, Path } from '../../../domain/api/check.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import { isExempt, substitute } from '../../../domain/desired/flux/substitute.ts';
import { parseDocument } from '../../../platform/files/yaml.ts';
import { type Doc, type Outer, type Place, readDocuments } from './document.ts';
import type { Files, FileText } from './files.ts';
import { type FluxKustomization, ORIGIN, withCommonMetadata } from './flux.ts';
import { dataObject } from './library.ts';
import { type Fields, fields, type Header, headerOf, idOf, items, text as textOf } from './record.ts';

/** The variables of a Flux Kustomization. */
export interface Variables {
  readonly values: ReadonlyMap<string, string>;
  /** Names whose values are encrypted, and what holds them. */
  readonly encrypted: ReadonlyMap<string, string>;
}

export interface Built {
  /** The folder, as the operator named it. */
  readonly folder: string;
  readonly files: Files;
  readonly flux?: FluxKustomization;
  readonly variables?: Variables;
}

export interface BuiltDocs {
  readonly docs: readonly Doc[];
  readonly problems: readonly Problem[];
}

/** The objects of a build, variables replaced as Flux does. */
export async function builtDocs(stream: string, built: Built): Promise<BuiltDocs> {
  const read = await Promise.all(
    stream
      .split(/^---$/m)
      .filter((chunk) => chunk.trim() !== '')
      .map((chunk) => builtDoc(chunk, built)),
  );
  return { docs: read.flatMap((r) => r.docs), problems: read.flatMap((r) => r.problems) };
}

/** Groups of which Herald reads something; "" is the core group. */
const GROUPS =
  /^(|metallb\.io|herald\.io|(helm|kustomize|source)\.toolkit\.fluxcd\.io|helm\.fluxcd\.io|flux\.weave\.works)$/;

async function builtDoc(chunk: string, built: Built): Promise<BuiltDocs> {
  const { folder, variables, flux } = built;
  // CRDs and dashboards are long, and nothing in them is ours: they are not parsed.
  const header = headOf(chunk);
  if (header && !GROUPS.test(header.group) && !variables)
    return { docs: [foreign(header, folder)], problems: [] };
  const before = readDocuments(folder, chunk).docs[0];
  const origin = await originOf(before, built);
  const problem = (told: Pick<Problem, 'code' | 'message'> & Partial<Problem>): Problem => ({
    path: '',
    source: folder,
    ...(before?.header && { object: idOf(before.header) }),
    ...origin?.at([]),
    ...told,
  });
  let text = chunk;
  if (variables && before?.header && !isExempt(metadataOf(before.value))) {
    // With variables that are hidden there are some, even where none is left.
    const done = substitute(chunk, variables.values, { always: true });
    if ('error' in done) {
      const told = substitutionProblem(done, variables);
      return { docs: [], problems: [problem({ ...told, ...origin?.mention(done.variable) })] };
    }
    text = done.text;
  }
  const after = readDocuments(folder, text);
  if (after.problems.length > 0)
    return { docs: [], problems: after.problems.map((p) => unread(p, { problem, text, chunk })) };
  return { docs: after.docs.map((doc) => finished(doc, origin, flux)), problems: [] };
}

function headOf(chunk: string): Header | undefined {
  const apiVersion = /^apiVersion: (\S+)$/m.exec(chunk)?.[1];
  const kind = /^kind: (\S+)$/m.exec(chunk)?.[1];
  const name = /^ {2}name: (\S+)$/m.exec(chunk)?.[1];
  return headerOf({ apiVersion, kind, metadata: { name } });
}

function foreign(header: Header, file: string): Doc {
  return {
    file,
    header,
    value: {},
    at: () => undefined,
    typed: () => ({ value: {} }),
    inside: () => () => undefined,
  };
}

function metadataOf(value: unknown): { labels: Fields; annotations: Fields } {
  const { labels, annotations } = fields(fields(value).metadata);
  return { labels: fields(labels), annotations: fields(annotations) };
}

function substitutionProblem(
  { error, variable }: { readonly error: string; readonly variable?: string },
  { encrypted }: Variables,
): Pick<Problem, 'code' | 'message' | 'hint'> {
  const holder = variable === undefined ? undefined : encrypted.get(variable);
  if (holder === undefined) return { code: 'SubstitutionFailed', message: error };
  return {
    code: 'Encrypted',
    message: `variable ${variable} stands encrypted in ${holder}: what it makes of the object cannot be told`,
    hint: 'give the files decrypted',
  };
}

/** A document that is not YAML: after the variables were replaced that is their doing. Its lines are nobody's. */
function unread(
  { line: _line, column: _column, source: _source, ...p }: Problem,
  o: {
    readonly problem: (told: Pick<Problem, 'code' | 'message'> & Partial<Problem>) => Problem;
    readonly text: string;
    readonly chunk: string;
  },
): Problem {
  if (o.text === o.chunk) return o.problem(p);
  return o.problem({
    code: 'SubstitutionFailed',
    message: `is not YAML any more once the variables are replaced: ${p.message}`,
    hint: 'put the variable into quotes',
  });
}

/** Where a built object comes from. */
interface Origin {
  at(path: Path, part?: Part): Place | undefined;
  inside(path: Path): Outer | undefined;
  /** The first place where its file names a variable. */
  mention(variable: string | undefined): Place | undefined;
}

function finished(doc: Doc, origin: Origin | undefined, flux: FluxKustomization | undefined): Doc {
  const finish = (value: unknown) => withCommonMetadata(withoutOrigin(value), flux?.spec.commonMetadata);
  const value = finish(doc.value);
  const at = (path: Path, part?: Part) => origin?.at(path, part);
  return {
    ...doc,
    header: headerOf(value),
    value,
    at,
    typed: (flavour) => {
      const typed = doc.typed(flavour);
      return 'problems' in typed ? typed : { ...typed, at, value: finish(typed.value) };
    },
    inside: (path) => origin?.inside(path) ?? (() => undefined),
  };
}

function withoutOrigin(value: unknown): unknown {
  const object = fields(value);
  const metadata = fields(object.metadata);
  const { [ORIGIN]: origin, ...annotations } = fields(metadata.annotations);
  if (origin === undefined) return value;
  const { annotations: _, ...rest } = metadata;
  const kept = Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
  return { ...object, metadata: kept };
}

async function originOf(doc: Doc | undefined, { folder, files }: Built): Promise<Origin | undefined> {
  const annotation = textOf(metadataOf(doc?.value).annotations[ORIGIN]);
  if (!doc?.header || annotation === undefined) return undefined;
  const parsed = parseDocument(annotation, { source: folder });
  const origin = fields('problems' in parsed ? undefined : parsed.value);
  const [path, generator] = [textOf(origin.path), textOf(origin.configuredIn)];
  // What comes from another repository has no file here.
  if (origin.repo !== undefined) return undefined;
  if (path !== undefined) return fromFile(await files.read(join(folder, path)), doc.header);
  if (generator === undefined) return undefined;
  const file = await files.read(join(folder, generator));
  return fromGenerator(file, { doc, files, texts: await generatedFrom(file, files) });
}

/** The object in its own file, found by its name, or by what a prefix and a suffix left of it. */
function fromFile(file: FileText, { group, kind, name = '' }: Header): Origin {
  const alike = file.docs.filter(({ header }) => header?.group === group && header.kind === kind);
  const own =
    alike.find(({ header }) => header?.name === name) ??
    alike.find(({ header }) => header?.name !== undefined && name.includes(header.name)) ??
    (alike.length === 1 ? alike[0] : undefined);
  return {
    // What a patch has added has no place in the file: then the object's own.
    at: (path, part) =>
      own?.at(path, part) ?? (path.length === 0 ? { source: file.file, line: 1, column: 1 } : undefined),
    inside: (path) => own?.inside(path),
    mention: (variable) => mention(file, variable),
  };
}

function mention({ file, text }: FileText, variable: string | undefined): Place | undefined {
  if (variable === undefined) return undefined;
  const found = text.split(/\r?\n/).flatMap((line, i) => {
    const column = line.search(new RegExp(`\\$\\{${variable}\\b`));
    return column < 0 ? [] : [{ source: file, line: i + 1, column: column + 1 }];
  });
  return found[0];
}

/** Files that the generators of a kustomization file name. */
async function generatedFrom(file: FileText, files: Files): Promise<readonly FileText[]> {
  const generators = file.docs.flatMap(({ value }) => {
    const { configMapGenerator, secretGenerator } = fields(value);
    return [...items(configMapGenerator), ...items(secretGenerator)].map(fields);
  });
  const names = generators.flatMap((g) => items(g.files).flatMap((entry) => textOf(entry) ?? []));
  return await Promise.all(
    names.map((entry) => files.read(join(dirname(file.file), entry.slice(entry.indexOf('=') + 1)))),
  );
}

/** A generated ConfigMap or Secret: each of its texts is a file. */
function fromGenerator(
  file: FileText,
  { doc, texts }: { readonly doc: Doc; readonly files: Files; readonly texts: readonly FileText[] },
): Origin {
  const data = dataObject(doc)?.data;
  return {
    at: (path) => (path.length === 0 ? { source: file.file, line: 1, column: 1 } : undefined),
    inside: ([, key]) => {
      const text = data?.get(String(key));
      const from = texts.find((t) => t.text !== '' && t.text === text);
      return from && ((inner) => ({ source: from.file, ...inner }));
    },
    mention: (variable) => texts.map((t) => mention(t, variable)).find((place) => place !== undefined),
  };
}
