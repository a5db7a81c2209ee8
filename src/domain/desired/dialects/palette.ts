import { at, type Path, pathText } from '../../api/check.ts';
import type { Draft, Reading, Section } from '../draft.ts';
import { isObject, type Json, type JsonObject, toJson } from '../json.ts';
import { type Finding, problemOf, type Source } from '../source.ts';
import type { Dialect, Target } from './dialect.ts';
import { mapAt, type Tell, tellNamespace, tellUnknown } from './foreign.ts';
import { unrendered } from './placeholders.ts';

/** Other packs of a profile stand under the same roots. */
const ROOTS: ReadonlySet<string> = new Set(['pack', 'charts', 'manifests']);
const MANIFEST: Path = ['manifests', 'metallb'];
const CHART: Path = ['charts', 'metallb-full'];

/** Spectro Cloud's pack lb-metallb: one list of addresses for layer 2. */
export const paletteManifest: Dialect = {
  name: 'palette-manifest',
  title: 'Palette (lb-metallb)',
  yaml: 'go',
  duplicates: 'last',
  evidence: (values) => (isObject(toJson(at(values, MANIFEST) ?? null)) ? [pathText(MANIFEST)] : []),
  hasRoot: (root) => ROOTS.has(root),
  read: (source, target) => reading(source, target, { base: MANIFEST, read: readManifest }),
};

/** Spectro Cloud's pack lb-metallb-helm: objects in maps by name. */
export const paletteHelm: Dialect = {
  name: 'palette-helm',
  title: 'Palette (lb-metallb-helm)',
  yaml: 'go',
  duplicates: 'last',
  evidence: (values) => (isObject(toJson(at(values, CHART) ?? null)) ? [pathText(CHART)] : []),
  hasRoot: (root) => ROOTS.has(root),
  read: (source, target) => reading(source, target, { base: CHART, read: readChart }),
};

type Read = (entry: JsonObject, target: Target, tell: Tell) => Omit<Reading, 'problems'>;

function reading(source: Source, target: Target, { base, read }: { base: Path; read: Read }): Reading {
  const findings: Finding[] = [];
  const entry = toJson(at(source.values, base) ?? null);
  const tell: Tell = (finding) => findings.push(finding);
  const namespace = at(source.values, ['pack', 'namespace']);
  tellNamespace(namespace, { path: 'pack.namespace', target, tell });
  const made = read(isObject(entry) ? entry : {}, target, tell);
  return { ...made, problems: findings.map((finding) => problemOf(source, finding)) };
}

/** The pool has no name in the pack; `default` is what it renders. */
const POOL = 'default';

function readManifest(entry: JsonObject, target: Target, tell: Tell): Omit<Reading, 'problems'> {
  tellUnknown(entry, MANIFEST, { known: ['images', 'namespace', 'avoidBuggyIps', 'addresses'], tell });
  tellNamespace(entry.namespace, { path: pathText([...MANIFEST, 'namespace']), target, tell });
  const { addresses, avoidBuggyIps } = entry;
  const path = pathText(MANIFEST);
  if (addresses === undefined || addresses === null) {
    tell({ code: 'MissingKey', path: pathText([...MANIFEST, 'addresses']), message: 'is required' });
    return { drafts: [] };
  }
  const fields = new Map([['avoidBuggyIPs', pathText([...MANIFEST, 'avoidBuggyIps'])]]);
  const pool: Draft = {
    section: 'pools',
    name: POOL,
    path,
    fields,
    spec: {
      addresses,
      ...(avoidBuggyIps !== undefined && avoidBuggyIps !== null && { avoidBuggyIPs: avoidBuggyIps }),
    },
  };
  return {
    drafts: [pool, { section: 'l2Advertisements', name: POOL, path, spec: { ipAddressPools: [POOL] } }],
  };
}

/** Plural of the kind to the kind, in the order in which objects refer to each other. */
const KINDS: Readonly<Record<string, Section>> = {
  communities: 'communities',
  bfdprofiles: 'bfdProfiles',
  bgppeers: 'bgpPeers',
  ipaddresspools: 'pools',
  l2advertisements: 'l2Advertisements',
  bgpadvertisements: 'bgpAdvertisements',
};

function readChart(entry: JsonObject, _target: Target, tell: Tell): Omit<Reading, 'problems'> {
  const path: Path = [...CHART, 'configuration'];
  const configuration = mapAt(entry.configuration, path, tell) ?? {};
  // What MetalLB itself writes: it holds nothing that anyone may want.
  tellUnknown(configuration, path, { known: [...Object.keys(KINDS), 'servicebgpstatuses'], tell });
  const drafts = Object.entries(KINDS).flatMap(([plural, section]) =>
    Object.entries(mapAt(configuration[plural], [...path, plural], tell) ?? {}).flatMap(
      ([name, given]): Draft[] => {
        const at: Path = [...path, plural, name];
        const object = mapAt(given, at, tell) ?? {};
        tellUnknown(object, at, { known: ['spec'], tell });
        const spec = mapAt(object.spec, [...at, 'spec'], tell) ?? {};
        return [{ section, name, path: pathText([...at, 'spec']), spec }];
      },
    ),
  );
  if (drafts.length === 0)
    tell({
      code: 'EmptySource',
      severity: 'notice',
      path: pathText(CHART),
      message: 'defines no objects: nothing is rendered from this source',
    });
  const settings = chartSettings(entry.metallb);
  return { drafts, ...(Object.keys(settings).length > 0 && { settings }) };
}

const WORKLOAD = [
  'logLevel',
  'nodeSelector',
  'tolerations',
  'affinity',
  'priorityClassName',
  'podAnnotations',
];

/** What upstream's chart is told about its workloads, as far as it means the same for Herald's; images are not of that. */
function chartSettings(chart: Json | undefined): JsonObject {
  if (!isObject(chart)) return {};
  const workload = (name: string): JsonObject => {
    const given = chart[name];
    const kept = isObject(given)
      ? Object.entries(given).filter(([key, value]) => WORKLOAD.includes(key) && says(value))
      : [];
    return kept.length > 0 ? { [name]: Object.fromEntries(kept) } : {};
  };
  const { loadBalancerClass } = chart;
  return {
    ...(typeof loadBalancerClass === 'string' && says(loadBalancerClass) && { loadBalancerClass }),
    ...workload('controller'),
    ...workload('speaker'),
  };
}

/** Neither empty nor a macro: the pack's values repeat all defaults of the chart. */
function says(value: Json): boolean {
  const empty =
    value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
  return !empty && unrendered(value, []).length === 0;
}
