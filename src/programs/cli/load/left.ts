/** What of the documents is for nobody here, and what only lies there to be referred to. */
import type { Problem } from '../../../domain/api/problem.ts';
import { existingConfigMap } from '../../../domain/desired/dialects/inline.ts';
import type { Doc } from './document.ts';
import { readFluxKustomization } from './flux.ts';
import { fields, idOf } from './record.ts';

interface LeftOverInput {
  readonly docs: readonly Doc[];
  /** Files that were named by themselves: one that holds nothing for Herald is a mistake. */
  readonly named: ReadonlySet<string>;
  /** See referencedBy. */
  readonly referenced: ReadonlySet<string>;
}

interface Used {
  /** Documents that are for Herald, or that something for Herald refers to. */
  readonly used: ReadonlySet<Doc>;
  /** Charts of HelmReleases that are not for Herald. */
  readonly charts: ReadonlyMap<Doc, string>;
}

/** ConfigMaps and Secrets that lie among the documents to be referred to: by values of old charts, and for Flux's variables. */
export function referencedBy(docs: readonly Doc[]): ReadonlySet<string> {
  const maps = docs.flatMap(
    ({ header, value }) => existingConfigMap(header ? fields(fields(value).spec).values : value) ?? [],
  );
  const variables = docs.flatMap((doc) => {
    const reading = readFluxKustomization(doc);
    return reading && 'flux' in reading ? (reading.flux.spec.postBuild?.substituteFrom ?? []) : [];
  });
  return new Set([
    ...maps.map((name) => `ConfigMap ${name}`),
    ...variables.map((r) => `${r.kind} ${r.name}`),
  ]);
}

/** Manifests that stand around an installation as a matter of course. */
function isUsual({ header }: Doc): boolean {
  if (header?.group === 'source.toolkit.fluxcd.io' || header?.kind === 'Kustomization') return true;
  return header?.group === '' && header.kind === 'Namespace';
}

/** One Problem for each file with documents that are not for Herald; a file of nothing else is a mistake, if it was named by itself. */
export function leftOver(
  { docs, named, referenced }: LeftOverInput,
  { used, charts }: Used,
): readonly Problem[] {
  return [...new Set(docs.map((d) => d.file))].flatMap((file): readonly Problem[] => {
    const here = docs.filter((d) => d.file === file);
    const unused = here.filter((d) => !used.has(d) && d.header?.kind !== 'Kustomization');
    const alone = named.has(file) && unused.length === here.length;
    const left = alone
      ? unused
      : unused.filter((d) => !isUsual(d) && !(d.header && referenced.has(idOf(d.header))));
    const [first] = left;
    // Beside what is for Herald, other manifests of a file are a matter of course.
    if (!first || (named.has(file) && !alone)) return [];
    const what = [...new Set(left.map((d) => nameOf(d, charts)))];
    const names = what.slice(0, 5).join(', ') + (what.length > 5 ? ` and ${what.length - 5} more` : '');
    const hint = left.map(valuesIn).find((text) => text !== undefined);
    const place = { path: '', source: file, ...first.at([]), ...(hint !== undefined && { hint }) };
    return alone
      ? [{ code: 'UnknownKind', ...place, message: `nothing in the file is for Herald: ${names}` }]
      : [{ code: 'Skipped', severity: 'notice', ...place, message: `not for Herald: ${names}` }];
  });
}

/** Where kinds that install charts by other means than Flux keep the values. */
const CARRIERS: ReadonlyMap<string, string> = new Map([
  ['argoproj.io Application', 'spec.source.helm'],
  ['argoproj.io ApplicationSet', 'spec.template.spec.source.helm'],
  ['helm.cattle.io HelmChart', 'spec.valuesContent'],
  ['helm.cattle.io HelmChartConfig', 'spec.valuesContent'],
]);

/** What to do about values of MetalLB that are carried by what is not read here. */
function valuesIn({ header, value }: Doc): string | undefined {
  const place = header && CARRIERS.get(`${header.group} ${header.kind}`);
  if (place === undefined || !/metallb|herald/i.test(JSON.stringify(value))) return undefined;
  return `values below ${place} are read when they stand in a file of their own`;
}

function nameOf(doc: Doc, charts: ReadonlyMap<Doc, string>): string {
  if (!doc.header) return 'values';
  const chart = charts.get(doc);
  return chart === undefined ? idOf(doc.header) : `${idOf(doc.header)} (chart ${chart})`;
}
