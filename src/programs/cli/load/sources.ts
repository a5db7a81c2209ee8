/** From documents to sources: what of an overlay is for Herald, and what is not. */
import { SOURCE } from '../../../domain/api/annotations.ts';
import type { Path } from '../../../domain/api/check.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import { checkValues } from '../../../domain/api/values.ts';
import { DIALECTS } from '../../../domain/desired/dialects/all.ts';
import { configMapSource } from '../../../domain/desired/names.ts';
import { pathOf } from '../../../domain/desired/path.ts';
import { configKey, type Source, type Typed } from '../../../domain/desired/source.ts';
import { fromYaml } from '../../../domain/desired/yaml.ts';
import { parseDocument } from '../../../platform/files/yaml.ts';
import type { Doc, Place } from './document.ts';
import { type DataObject, dataObject, type Library } from './library.ts';
import { fields, idOf, text } from './record.ts';
import { nearest, type ReadRelease, readHelmRelease, releaseSource } from './release.ts';

/** How a source lies in the files. */
export type Form = 'release' | 'configMap' | 'values' | 'objects';

export interface LoadedSource {
  readonly form: Form;
  readonly source: Source;
}

/** What one cluster would get. */
export interface Overlay {
  /** The folder or the file that was named. */
  readonly title: string;
  /** Herald's namespace, as far as the files tell. */
  readonly namespace: string | undefined;
  readonly sources: readonly LoadedSource[];
  readonly problems: readonly Problem[];
}

export interface Material {
  readonly title: string;
  readonly docs: readonly Doc[];
  /** Everything that was named, for references that lead out of this overlay. */
  readonly library: Library;
  /** Files that were named by themselves: one that holds nothing for Herald is a mistake. */
  readonly named: ReadonlySet<string>;
  /** Native objects are one source for all files, not one for each. */
  readonly joined: boolean;
  /** ConfigMaps that values anywhere name as their configuration. */
  readonly paired: ReadonlySet<string>;
}

interface Found {
  readonly sources: LoadedSource[];
  readonly problems: Problem[];
  /** Documents that are for Herald, or that something for Herald refers to. */
  readonly used: Set<Doc>;
  /** Charts of HelmReleases that are not for Herald. */
  readonly charts: Map<Doc, string>;
  namespace: string | undefined;
}

export function gather(material: Material): Overlay {
  const found: Found = {
    sources: [],
    problems: [],
    used: new Set(),
    charts: new Map(),
    namespace: undefined,
  };
  releases(material, found);
  for (const doc of material.docs) if (!doc.header) values(doc, material, found);
  configMaps(material, found);
  objects(material, found);
  return {
    title: material.title,
    namespace: found.namespace,
    sources: found.sources,
    problems: [...found.problems, ...leftOver(material, found)],
  };
}

// ---- HelmReleases -----------------------------------------------------------------------

function releases({ docs, library }: Material, found: Found): void {
  for (const doc of docs) {
    const reading = readHelmRelease(doc, { library, docs });
    const read = reading?.read;
    if (!reading) continue;
    if (read ? !isOurs(read) : !PRODUCTS.test(doc.header?.name ?? '')) {
      const chart = read?.certain ? read.chart?.name : undefined;
      if (chart !== undefined) found.charts.set(doc, chart);
      continue;
    }
    found.used.add(doc);
    for (const { doc: named } of read?.namesakes ?? []) found.used.add(named);
    // A patch names no chart.
    found.problems.push(...reading.problems.filter((p) => p.code !== 'ReleaseIncomplete'));
    if (!read) continue;
    const { source, problems } = releaseSource(read);
    found.problems.push(...problems);
    const { values, passedOver } = chartValues(read, source);
    found.problems.push(...passedOver);
    found.namespace ??= read.release.targetNamespace ?? read.release.namespace;
    if (read.release.suspend) found.problems.push(suspended(read));
    // Without the values there is nothing to judge.
    if (!problems.some((p) => p.severity === undefined))
      found.sources.push({ form: 'release', source: { ...source, values } });
  }
}

const PRODUCTS = /metallb|herald/i;

/** Whether a HelmRelease installs Herald or MetalLB, or carries what a dialect knows. */
function isOurs(read: ReadRelease): boolean {
  const { release, chart, certain } = read;
  if (PRODUCTS.test(chart?.name ?? '')) return true;
  if (!certain && [release.name, release.releaseName].some((name) => PRODUCTS.test(name))) return true;
  const known = release.valuesFrom.every((r, i) => r.from !== 'object' || read.found[i] || r.optional);
  if (!known) return showsDialect(release.values);
  const { source } = releaseSource(read);
  return showsDialect(source.values);
}

/**
 * Values for MetalLB's chart in which no dialect is: there are no pools in them. What Herald's chart knows under the same name
 * counts, the rest has no effect: MetalLB's chart takes any key, and people invent some.
 */
function chartValues(
  { doc, chart, release }: ReadRelease,
  { values }: Source,
): { readonly values: unknown; readonly passedOver: readonly Problem[] } {
  const isForeign = /metallb/i.test(chart?.name ?? '') && !showsDialect(values);
  const checked = isForeign ? checkValues(values) : undefined;
  if (!checked || !('problems' in checked)) return { values, passedOver: [] };
  const roots = new Set(checked.problems.map((p) => String(pathOf(p.path)[0])));
  return {
    values: Object.fromEntries(Object.entries(fields(values)).filter(([key]) => !roots.has(key))),
    passedOver: [...roots].map((key) => ({
      code: 'NotSupported',
      severity: 'notice',
      object: `HelmRelease ${release.name}`,
      path: key,
      source: doc.file,
      ...nearest(doc, ['spec', 'values', key]),
      message: "has no effect: Herald's chart has no such value",
    })),
  };
}

function suspended({ doc, release }: ReadRelease): Problem {
  return {
    code: 'Suspended',
    severity: 'notice',
    object: `HelmRelease ${release.name}`,
    path: 'spec.suspend',
    source: doc.file,
    ...nearest(doc, ['spec', 'suspend']),
    message: 'is suspended: Flux leaves the release as it is',
  };
}

export function showsDialect(values: unknown): boolean {
  return DIALECTS.some((dialect) => dialect.evidence(values).length > 0);
}

// ---- values files and ConfigMaps --------------------------------------------------------

function values(doc: Doc, { named, docs }: Material, found: Found): void {
  // In a folder lie values of other charts, too.
  if (!named.has(doc.file) && !showsDialect(doc.value)) return;
  found.used.add(doc);
  const siblings = docs.filter((d) => d.file === doc.file && !d.header);
  const source: Source = {
    name: siblings.length > 1 ? `${doc.file}#${siblings.indexOf(doc) + 1}` : doc.file,
    title: doc.file,
    secret: false,
    values: doc.value,
    at: doc.at,
    typed: doc.typed,
  };
  found.sources.push({ form: 'values', source });
}

function configMaps(material: Material, found: Found): void {
  for (const doc of material.docs) {
    const object = dataObject(doc);
    if (object?.kind !== 'ConfigMap' || found.used.has(doc)) continue;
    const labelled = fields(fields(fields(doc.value).metadata).labels)[SOURCE] === 'true';
    const reading = readConfigMap(object);
    const alone = material.named.has(doc.file) && reading.key === 'values.yaml';
    if (!labelled && !alone && !(reading.source ? showsDialect(reading.source.values) : reading.likely))
      continue;
    found.used.add(doc);
    found.problems.push(...reading.problems);
    if (reading.source) found.sources.push({ form: 'configMap', source: reading.source });
    if (!labelled && !material.paired.has(object.name)) found.problems.push(unlabelled(object));
  }
}

function unlabelled({ doc, name }: DataObject): Problem {
  return {
    code: 'NotASource',
    severity: 'warning',
    object: `ConfigMap ${name}`,
    path: 'metadata.labels',
    source: doc.file,
    ...nearest(doc, ['metadata', 'labels']),
    message: 'the cluster does not read it: it has no label that makes it a source',
    hint: `label it ${SOURCE}: "true"`,
  };
}

/** Words that only an address configuration has. */
const LIKELY = /^\s*(- )?(address-pools|addresses|metallb_\w+|iprange)\s*:/m;

function readConfigMap(object: DataObject): {
  readonly key?: string;
  /** Of what cannot be read: it looks as if it were meant for Herald. */
  readonly likely?: boolean;
  readonly source?: Source;
  readonly problems: readonly Problem[];
} {
  const { doc, name, namespace, data } = object;
  const key = configKey(Object.fromEntries(data)) ?? (data.has('config') ? 'config' : undefined);
  if (key === undefined) {
    const message = 'has no key values.yaml, and not exactly one other';
    const told = { code: 'ValuesUnreadable', object: `ConfigMap ${name}`, path: 'data', source: doc.file };
    return { problems: [{ ...told, ...nearest(doc, ['data']), message }] };
  }
  const outer = object.inside(key);
  const parsed = parseDocument(data.get(key) ?? '', { source: doc.file });
  if ('problems' in parsed)
    return {
      key,
      likely: LIKELY.test(data.get(key) ?? ''),
      problems: parsed.problems.map((p) => ({
        ...p,
        ...outer({ line: p.line ?? 1, column: p.column ?? 1 }),
      })),
    };
  const source: Source = {
    name: namespace === undefined ? `ConfigMap ${name}` : configMapSource(namespace, name),
    title: doc.file,
    secret: false,
    open: true,
    ...fromYaml(parsed, outer),
    context: { object: { kind: 'ConfigMap', name, ...(namespace !== undefined && { namespace }) } },
  };
  return { key, source, problems: [] };
}

/** Names of ConfigMaps that values of old charts say hold the configuration. */
export function pairedConfigMaps(docs: readonly Doc[]): ReadonlySet<string> {
  const names = docs.flatMap(({ value }) => {
    const spec = fields(fields(value).spec);
    return [value, fields(value).metallb, spec.values].flatMap(
      (v) => text(fields(v).existingConfigMap) ?? [],
    );
  });
  return new Set(names);
}

// ---- native objects ---------------------------------------------------------------------

function objects({ title, docs, joined }: Material, found: Found): void {
  const native = docs.filter(({ header }) => header?.group === 'metallb.io');
  for (const doc of native) found.used.add(doc);
  const groups = joined
    ? [native]
    : [...new Set(native.map((d) => d.file))].map((file) => native.filter((d) => d.file === file));
  for (const group of groups) {
    const [first] = group;
    if (!first) continue;
    const name = joined ? title : first.file;
    found.sources.push({ form: 'objects', source: objectsSource(name, group) });
  }
  const namespaces = new Set(native.flatMap(({ header }) => header?.namespace ?? []));
  if (found.namespace === undefined && namespaces.size === 1) [found.namespace] = namespaces;
}

function objectsSource(name: string, docs: readonly Doc[]): Source {
  const at = (path: Path): Place | undefined => {
    const [i, ...rest] = path;
    return typeof i === 'number' ? docs[i]?.at(rest) : undefined;
  };
  return {
    name,
    title: name,
    secret: false,
    values: docs.map((d) => d.value),
    at,
    typed: (flavour) => together(docs.map((d) => d.typed(flavour))),
  };
}

/** Typed documents as one list. */
function together(typed: readonly Typed[]): Typed {
  const problems = typed.flatMap((t) => ('problems' in t ? t.problems : []));
  if (problems.length > 0) return { problems };
  const good = typed.flatMap((t) => ('problems' in t ? [] : [t]));
  return {
    value: good.map((t) => t.value),
    duplicates: good.flatMap((t) => t.duplicates ?? []),
    at: ([i, ...rest]) => (typeof i === 'number' ? good[i]?.at?.(rest) : undefined),
    text: ([i, ...rest]) => (typeof i === 'number' ? good[i]?.text?.(rest) : undefined),
  };
}

// ---- what is left -----------------------------------------------------------------------

/** Manifests that stand around an installation as a matter of course. */
function isUsual({ header }: Doc): boolean {
  if (header?.group === 'source.toolkit.fluxcd.io' || header?.kind === 'Kustomization') return true;
  return header?.group === '' && header.kind === 'Namespace';
}

/** One Problem for each file with documents that are not for Herald; a file of nothing else is a mistake, if it was named by itself. */
function leftOver({ docs, named }: Material, { used, charts }: Found): readonly Problem[] {
  return [...new Set(docs.map((d) => d.file))].flatMap((file): readonly Problem[] => {
    const here = docs.filter((d) => d.file === file);
    const unused = here.filter((d) => !used.has(d) && d.header?.kind !== 'Kustomization');
    const alone = named.has(file) && unused.length === here.length;
    const left = alone ? unused : unused.filter((d) => !isUsual(d));
    const [first] = left;
    // Beside what is for Herald, other manifests of a file are a matter of course.
    if (!first || (named.has(file) && !alone)) return [];
    const what = [...new Set(left.map((d) => nameOf(d, charts)))];
    const names = what.slice(0, 5).join(', ') + (what.length > 5 ? ` and ${what.length - 5} more` : '');
    const place = { path: '', source: file, ...first.at([]) };
    return alone
      ? [{ code: 'UnknownKind', ...place, message: `nothing in the file is for Herald: ${names}` }]
      : [{ code: 'Skipped', severity: 'notice', ...place, message: `not for Herald: ${names}` }];
  });
}

function nameOf(doc: Doc, charts: ReadonlyMap<Doc, string>): string {
  if (!doc.header) return 'values';
  const chart = charts.get(doc);
  return chart === undefined ? idOf(doc.header) : `${idOf(doc.header)} (chart ${chart})`;
}
