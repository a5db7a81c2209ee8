/** From documents to sources: what of an overlay is for Herald, and what is not. */

import { SOURCE } from '../../../domain/api/annotations.ts';
import type { Part, Path } from '../../../domain/api/check.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import { checkValues } from '../../../domain/api/values.ts';
import { DIALECTS } from '../../../domain/desired/dialects/all.ts';
import { existingConfigMap } from '../../../domain/desired/dialects/inline.ts';
import { pathOf } from '../../../domain/desired/path.ts';
import type { Source, Typed } from '../../../domain/desired/source.ts';
import { textReader } from '../../../domain/desired/yaml.ts';
import { parseDocument } from '../../../platform/files/yaml.ts';
import { joinVariables } from './ansible.ts';
import { isMetalLBs, readConfigMap, unlabelled } from './configmap.ts';
import type { Doc, Place } from './document.ts';
import { leftOver } from './left.ts';
import { dataObject, type Library } from './library.ts';
import { fields } from './record.ts';
import { nearest, type ReadRelease, readHelmRelease, releaseSource } from './release.ts';

/** How a source lies in the files. */
export type Form = 'release' | 'configMap' | 'values' | 'objects';

export interface LoadedSource {
  readonly form: Form;
  readonly source: Source;
  /** Its values name a ConfigMap that is among the files, and that is a source itself. */
  readonly paired?: true;
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
  /** "ConfigMap settings": what values and Kustomizations anywhere refer to. */
  readonly referenced: ReadonlySet<string>;
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

export function gather(given: Material): Overlay {
  const material = { ...given, docs: joinVariables(given.docs) };
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
    sources: found.sources.map((loaded) => ({
      ...loaded,
      source: { ...loaded.source, parse: parserFor(loaded.source) },
    })),
    problems: [...found.problems, ...leftOver(material, found)],
  };
}

/** For configuration that stands as text in values of old charts. */
function parserFor({ title }: Source): NonNullable<Source['parse']> {
  return textReader((text) => parseDocument(text, { source: title }));
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
    const values = chartValues(read, source);
    found.namespace ??= read.release.targetNamespace ?? read.release.namespace;
    if (read.release.suspend) found.problems.push(suspended(read));
    // Without the values there is nothing to judge.
    if (!problems.some((p) => p.severity === undefined))
      found.sources.push({ form: 'release', source: { ...source, values }, ...paired(values, library) });
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
 * counts, and the rest goes without a word: MetalLB's chart takes any key, and people invent some.
 */
function chartValues({ chart }: ReadRelease, { values }: Source): unknown {
  if (!/metallb/i.test(chart?.name ?? '') || showsDialect(values)) return values;
  let rest: unknown = values;
  // What does not fit comes first, what has no effect shows after it.
  for (let round = 0; round < 3; round++) {
    const checked = checkValues(rest);
    const told = 'problems' in checked ? checked.problems : checked.warnings;
    if (told.length === 0) return rest;
    for (const { path } of told) rest = without(rest, pathOf(path));
  }
  return {};
}

function without(value: unknown, [step, ...steps]: Path): unknown {
  if (step === undefined) return {};
  if (Array.isArray(value)) return value.map((v: unknown, i) => (i === step ? without(v, steps) : v));
  const { [step]: inner, ...rest } = fields(value);
  return steps.length === 0 || inner === undefined ? rest : { ...rest, [step]: without(inner, steps) };
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

function paired(values: unknown, library: Library): Pick<LoadedSource, 'paired'> {
  const name = existingConfigMap(values);
  return name !== undefined && library.named('ConfigMap', name).length > 0 ? { paired: true } : {};
}

function values(doc: Doc, { named, docs, library }: Material, found: Found): void {
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
  found.sources.push({ form: 'values', source, ...paired(doc.value, library) });
}

function configMaps(material: Material, found: Found): void {
  for (const doc of material.docs) {
    const object = dataObject(doc);
    if (object?.kind !== 'ConfigMap' || found.used.has(doc)) continue;
    const labelled = fields(fields(fields(doc.value).metadata).labels)[SOURCE] === 'true';
    const reading = readConfigMap(object);
    const referenced = material.referenced.has(`ConfigMap ${object.name}`);
    const alone = (material.named.has(doc.file) && reading.key === 'values.yaml') || isMetalLBs(object);
    if (!labelled && !alone && !(reading.source ? showsDialect(reading.source.values) : reading.likely))
      continue;
    found.used.add(doc);
    found.problems.push(...reading.problems);
    if (reading.source) found.sources.push({ form: 'configMap', source: reading.source });
    if (!labelled && !referenced) found.problems.push(unlabelled(object));
  }
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
  const at = (path: Path, part?: Part): Place | undefined => {
    const [i, ...rest] = path;
    return typeof i === 'number' ? docs[i]?.at(rest, part) : undefined;
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
    at: ([i, ...rest], part) => (typeof i === 'number' ? good[i]?.at?.(rest, part) : undefined),
    text: ([i, ...rest]) => (typeof i === 'number' ? good[i]?.text?.(rest) : undefined),
  };
}
