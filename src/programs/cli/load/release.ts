import { type Part, type Path, pathText } from '../../../domain/api/check.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import { composeValues } from '../../../domain/desired/flux/compose.ts';
import { ValuesError } from '../../../domain/desired/flux/errors.ts';
import { type Release, type ReleaseReference, readRelease } from '../../../domain/desired/flux/release.ts';
import { toJson } from '../../../domain/desired/flux/value.ts';
import { pathOf } from '../../../domain/desired/path.ts';
import type { Context, Source } from '../../../domain/desired/source.ts';
import { parseTree } from '../../../platform/files/tree.ts';
import { parseDocument } from '../../../platform/files/yaml.ts';
import type { Code } from '../errors.ts';
import type { Doc, Place } from './document.ts';
import { type DataObject, isEncrypted, type Library } from './library.ts';
import { fields, text } from './record.ts';

/** A HelmRelease and what its references lead to. */
export interface ReadRelease {
  readonly release: Release;
  readonly doc: Doc;
  /** Name and version of its chart, as far as the files say them. */
  readonly chart: Context['chart'];
  /** Whether the name is that of the chart itself, and not of something that leads to it. */
  readonly certain: boolean;
  /** In order; absent where a reference leads to nothing. */
  readonly found: readonly (DataObject | undefined)[];
  /** Objects of the names that are referred to, in whatever namespace. */
  readonly namesakes: readonly DataObject[];
}

/** Reads a HelmRelease of any version. `release` is absent where too much is malformed, all is where the document is no HelmRelease. */
export function readHelmRelease(
  doc: Doc,
  o: { readonly library: Library; readonly docs: readonly Doc[] },
): { readonly read?: ReadRelease; readonly problems: readonly Problem[] } | undefined {
  const typed = doc.typed('go');
  const reading = 'problems' in typed ? readRelease(doc.value) : readRelease(typed.value);
  if (!reading) return undefined;
  if ('problems' in typed) return { problems: typed.problems };
  const problems = [
    ...(typed.duplicates ?? []),
    ...reading.problems.map((p) => ({ ...p, source: doc.file, ...nearest(doc, pathOf(p.path)) })),
  ];
  const { release } = reading;
  if (!release) return { problems };
  const found = release.valuesFrom.map((reference) => {
    if (reference.from !== 'object') return undefined;
    const { kind, name, namespace = release.namespace } = reference;
    return kind === 'ConfigMap' || kind === 'Secret' ? o.library.find(kind, name, namespace) : undefined;
  });
  const namesakes = release.valuesFrom.flatMap((reference) =>
    reference.from === 'object' ? o.library.named(reference.kind, reference.name) : [],
  );
  return { read: { release, doc, found, namesakes, ...chartOf(release, o.docs) }, problems };
}

function chartOf(release: Release, docs: readonly Doc[]): Pick<ReadRelease, 'chart' | 'certain'> {
  const { chart, chartRef } = release;
  const inGit = chart?.sourceRef?.kind === 'GitRepository' || /^\.{0,2}\//.test(chart?.name ?? '');
  if (chart) return { chart: named(chart.name, chart.version), certain: !inGit };
  if (!chartRef) return { chart: undefined, certain: false };
  const namespace = chartRef.namespace ?? release.namespace;
  const target = docs.find(
    ({ header }) =>
      header?.kind === chartRef.kind &&
      header.group === 'source.toolkit.fluxcd.io' &&
      header.name === chartRef.name &&
      (header.namespace === undefined || namespace === undefined || header.namespace === namespace),
  );
  const spec = fields(fields(target?.value).spec);
  const { tag, semver } = fields(spec.ref);
  const name = text(spec.chart) ?? text(spec.url)?.split('/').at(-1);
  if (name === undefined) return { chart: named(chartRef.name, undefined), certain: false };
  return { chart: named(name, text(spec.version) ?? text(tag) ?? text(semver)), certain: true };
}

function named(name: string, version: string | undefined): Context['chart'] {
  return { name, ...(version !== undefined && { version }) };
}

/** The values that Flux would give to Helm, as a source; problems: why it would not, and what it passes over. */
export function releaseSource(read: ReadRelease): {
  readonly source: Source;
  readonly problems: readonly Problem[];
} {
  const { release, doc, chart, found } = read;
  const problems = release.valuesFrom.flatMap((_, i) => referenceProblem(read, i) ?? []);
  let values: unknown = {};
  if (!problems.some((p) => p.severity === undefined)) {
    try {
      values = toJson(composeValues(release, { data: dataFor(read), parse: parseTree }).values);
    } catch (e) {
      if (!(e instanceof ValuesError)) throw e;
      problems.push(...composeProblems(read, e));
    }
  }
  const { kind = 'HelmRelease' } = doc.header ?? {};
  const { name, namespace } = release;
  const source: Source = {
    name: release.releaseName,
    title: doc.file,
    secret: found.some((o) => o?.kind === 'Secret'),
    values,
    at: places(read),
    context: {
      ...(chart && { chart }),
      release: release.releaseName,
      object: { kind, name, ...(namespace !== undefined && { namespace }) },
    },
  };
  return { source, problems };
}

function dataFor({ release, found }: ReadRelease) {
  return (kind: string, name: string, namespace?: string): ReadonlyMap<string, string> | undefined =>
    found.find((o, i) => {
      const reference = release.valuesFrom[i];
      if (!o || reference?.from !== 'object') return false;
      return reference.kind === kind && reference.name === name && reference.namespace === namespace;
    })?.data;
}

const DEFAULT_KEY = 'values.yaml';

function referenceProblem(read: ReadRelease, i: number): Problem | undefined {
  const reference = read.release.valuesFrom[i];
  if (!reference) return undefined;
  const tell = teller(read, ['spec', 'valuesFrom', i]);
  if (reference.from !== 'object')
    return tell('ValuesError', `${outside(reference)} is not read: it lies outside of the files`);
  const { kind, name, valuesKey = DEFAULT_KEY, optional = false } = reference;
  if (kind !== 'ConfigMap' && kind !== 'Secret')
    return tell('ValuesError', `valuesFrom of kind ${kind} is nothing that Flux takes`);
  const object = read.found[i];
  if (object?.encrypted.has(valuesKey))
    return tell('Encrypted', `key ${valuesKey} of ${kind} ${name} is encrypted`, 'give the files decrypted');
  if (object?.data.has(valuesKey)) return undefined;
  const missing = object
    ? `${kind} ${name} has no key ${valuesKey}`
    : `${kind} ${name} is not among the files`;
  if (optional)
    return {
      ...tell('OptionalMissing', `${missing}; read as Flux does when it does not exist`),
      severity: 'notice',
    };
  if (object) return tell('ValuesError', missing, `it has: ${[...object.data.keys()].join(', ') || 'none'}`);
  const elsewhere = read.namesakes.find((o) => o.kind === kind && o.name === name)?.namespace;
  if (elsewhere !== undefined) {
    const own = read.release.namespace;
    return tell(
      'ValuesError',
      `${missing} of namespace ${own}`,
      `Flux looks only there; it is in ${elsewhere}`,
    );
  }
  return tell(
    'ValuesError',
    missing,
    'without it Flux refuses the release; if it lives elsewhere, name that file too',
  );
}

function outside(reference: Exclude<ReleaseReference, { readonly from: 'object' }>): string {
  return reference.from === 'url' ? 'a URL of valuesFrom' : `file ${reference.path} of the chart`;
}

function composeProblems(read: ReadRelease, error: ValuesError): readonly Problem[] {
  const broken = read.release.valuesFrom.flatMap((reference, i) => {
    const object = read.found[i];
    if (reference.from !== 'object' || reference.targetPath || !object) return [];
    const key = reference.valuesKey ?? DEFAULT_KEY;
    const parsed = parseDocument(object.data.get(key) ?? '', { source: object.doc.file });
    if (!('problems' in parsed)) return [];
    const outer = object.inside(key);
    return parsed.problems.map((p) => ({ ...p, ...outer({ line: p.line ?? 1, column: p.column ?? 1 }) }));
  });
  return [...broken, teller(read, ['spec', 'valuesFrom'])('ValuesError', error.message)];
}

function teller({ doc, release }: ReadRelease, path: Path) {
  return (code: Code, message: string, hint?: string): Problem => ({
    code,
    object: `${doc.header?.kind ?? 'HelmRelease'} ${release.name}`,
    path: pathText(path),
    source: doc.file,
    ...nearest(doc, path),
    message,
    ...(hint !== undefined && { hint }),
  });
}

/** The place of a path, or of the nearest thing around it. */
export function nearest(doc: Doc, path: Path, part?: Part): Place | undefined {
  for (let n = path.length; n >= 0; n--) {
    const place = doc.at(path.slice(0, n), n === path.length ? part : 'value');
    if (place) return place;
  }
  return undefined;
}

/** Where a value stands: in the HelmRelease itself, or in the last reference that has it. */
function places({ release, doc, found }: ReadRelease): NonNullable<Source['at']> {
  const texts = release.valuesFrom.flatMap((reference, i) => {
    const object = found[i];
    if (reference.from !== 'object' || reference.targetPath || !object) return [];
    const key = reference.valuesKey ?? DEFAULT_KEY;
    const written = object.data.get(key);
    return written === undefined || isEncrypted(written)
      ? []
      : [{ written, object, outer: object.inside(key) }];
  });
  let parsed: readonly ((path: Path, part?: Part) => Place | undefined)[] | undefined;
  const lookups = () =>
    texts.toReversed().map(({ written, object, outer }) => {
      const document = parseDocument(written, { source: object.doc.file });
      return (path: Path, part?: Part) => {
        const inner = 'problems' in document ? undefined : document.at(path, part);
        return inner && outer(inner);
      };
    });
  return (path, part) => {
    if (path.length === 0) return doc.at(['spec', 'values']) ?? doc.at([]);
    parsed ??= lookups();
    // What a patch has put in stands nowhere in the file: then the object that has it.
    if (has(release.values, path)) return nearest(doc, ['spec', 'values', ...path], part);
    return parsed.map((at) => at(path, part)).find((place) => place !== undefined);
  };
}

function has(value: unknown, path: Path): boolean {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false;
    at = Reflect.get(at, step);
  }
  return true;
}
