import { at, type Path, pathText } from '../../api/check.ts';
import { fieldsOf } from '../../api/schema.ts';
import { valuesSchema } from '../../api/values.ts';
import { formatRange, parseRange } from '../../ip/range.ts';
import type { Draft, Reading } from '../draft.ts';
import { isObject, type Json, type JsonObject, toJson } from '../json.ts';
import { type Finding, problemOf } from '../source.ts';
import type { Dialect, Target } from './dialect.ts';
import { type Tell, tellNamespace, tellUnknown, wordAt } from './foreign.ts';
import { placeholderIn, unrenderedAt } from './placeholders.ts';

/** The charm of Charmed Kubernetes: its options alone, under its name as `juju config` takes them, or in a bundle. */
export const charm: Dialect = {
  name: 'charm',
  title: 'Charmed MetalLB (iprange)',
  yaml: 'go',
  duplicates: 'last',
  evidence: (values) => appsOf(values).map(({ path }) => pathText([...path, OPTION])),
  hasRoot: (root) => OPTIONS.includes(root),
  read(source, target) {
    const findings: Finding[] = [];
    const tell: Tell = (finding) => findings.push(finding);
    const readings = appsOf(source.values).map((app) => readApp(app, target, tell));
    const settings = readings.find((r) => r.settings)?.settings;
    return {
      drafts: readings.flatMap(({ drafts }) => drafts),
      ...(settings && { settings }),
      problems: findings.map((finding) => problemOf(source, finding)),
    };
  },
};

const OPTION = 'iprange';
const OPTIONS = [OPTION, 'protocol', 'namespace', 'image-registry', 'metallb-release', 'node-selector'];

/** The charm deployed once. */
interface App {
  readonly name: string;
  readonly options: JsonObject;
  /** Where the options stand. */
  readonly path: Path;
  /** One of the two charms for channels up to 1.27, which wrote a ConfigMap with one pool `default`. */
  readonly old: boolean;
}

function appsOf(values: unknown): readonly App[] {
  const root = toJson(values ?? null);
  if (!isObject(root)) return [];
  const app = (name: string, path: Path, deployed: JsonObject = {}): App[] => {
    const options = toJson(at(root, path) ?? null);
    if (!isObject(options) || !(OPTION in options)) return [];
    return [{ name, options, path, old: 'protocol' in options || isOld(deployed) }];
  };
  const applications = isObject(root.applications) ? Object.entries(root.applications) : [];
  return [
    ...app('metallb', []),
    ...app('metallb', ['metallb']),
    ...applications.flatMap(([name, deployed]) =>
      app(name, ['applications', name, 'options'], isObject(deployed) ? deployed : {}),
    ),
  ];
}

const textOf = (value: Json | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

function isOld({ charm: name, channel }: JsonObject): boolean {
  const [, minor] = /^1\.(\d+)(\/|$)/.exec(textOf(channel)) ?? [];
  return (
    /(^|[:/~])metallb-controller(-\d+)?$/.test(textOf(name)) || (minor !== undefined && Number(minor) <= 27)
  );
}

function readApp({ name, options, path, old }: App, target: Target, tell: Tell): Omit<Reading, 'problems'> {
  const place = (key: string): Path => [...path, key];
  tellUnknown(ownOptions(options, path), path, { known: OPTIONS, tell });
  tellNamespace(options.namespace, { path: pathText(place('namespace')), target, tell });
  if ('protocol' in options) wordAt(options.protocol, place('protocol'), { words: ['layer2'], tell });
  const addresses = entriesOf(options[OPTION] ?? '', pathText(place(OPTION)), { strict: !old, tell });
  const pool = old ? 'default' : name;
  if (!old && addresses.length > 0)
    tell({
      code: 'Renamed',
      severity: 'notice',
      path: pathText(place(OPTION)),
      message: `becomes the pool ${pool}; the charm calls it <model>-${name}, and Services that ask for it by name must say ${pool}`,
    });
  const common = { name: pool, path: pathText(place(OPTION)) };
  const drafts: Draft[] = [
    { ...common, section: 'pools', fields: new Map([['addresses', common.path]]), spec: { addresses } },
    { ...common, section: 'l2Advertisements', spec: { ipAddressPools: [pool] } },
  ];
  const nodeSelector = selectorOf(options['node-selector']);
  return {
    drafts: addresses.length > 0 ? drafts : [],
    ...(nodeSelector && { settings: { controller: { nodeSelector }, speaker: { nodeSelector } } }),
  };
}

/** Beside the options may stand what Juju itself takes, and at the root what Herald's own chart puts there. */
function ownOptions(options: JsonObject, path: Path): JsonObject {
  const juju = /^(juju-|kubernetes-|trust$)/;
  const heralds = (key: string) => path.length === 0 && Object.hasOwn(fieldsOf(valuesSchema), key);
  return Object.fromEntries(Object.entries(options).filter(([key]) => !juju.test(key) && !heralds(key)));
}

/**
 * The charm's reading: white space does not count, commas separate. Beyond MetalLB it refuses bits right of a prefix length; what
 * MetalLB refuses too is told of every source.
 */
function entriesOf(
  given: unknown,
  path: string,
  { strict, tell }: { strict: boolean; tell: Tell },
): readonly string[] {
  const placeholder = typeof given === 'string' ? placeholderIn(given) : undefined;
  if (placeholder) tell(unrenderedAt(path, placeholder));
  else if (typeof given !== 'string') tell({ code: 'WrongType', path, message: 'must be text' });
  if (placeholder || typeof given !== 'string') return [];
  const text = given.replace(/\s+/g, '');
  if (text === '') {
    tell({ code: 'PoolEmpty', path, message: 'must not be empty', hint: 'give a CIDR or a range' });
    return [];
  }
  const entries = text.split(',');
  for (const [i, entry] of entries.entries()) {
    const about = { path: `${path}[${i}]` };
    if (entry === '')
      tell({
        ...about,
        code: 'PoolRangeInvalid',
        message: 'is empty',
        hint: 'take out the comma that is too much',
      });
    const parsed = parseRange(entry);
    if (strict && 'range' in parsed && parsed.hostBits)
      tell({
        ...about,
        code: 'HostBits',
        message: 'has bits set right of its prefix length, which the charm refuses',
        detail: `"${entry}" has bits set right of its prefix length, which the charm refuses; the block is ${formatRange(parsed.range)}`,
        hint: 'write the first address of the block',
      });
  }
  return entries;
}

/** `k=v` separated by blanks; what has no "=" is passed over. */
function selectorOf(value: unknown): JsonObject | undefined {
  if (typeof value !== 'string') return undefined;
  const pairs = value
    .split(/\s+/)
    .map((token) => /^([^=]+)=(.*)$/.exec(token))
    .flatMap((match): [string, string][] => (match ? [[match[1] ?? '', match[2] ?? '']] : []));
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
}
