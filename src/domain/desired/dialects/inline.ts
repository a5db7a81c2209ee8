import { at, type Path, pathText } from '../../api/check.ts';
import { parseRange } from '../../ip/range.ts';
import type { Reading } from '../draft.ts';
import { isObject, type Json, type JsonObject, textOfJson, toJson } from '../json.ts';
import { pathOf } from '../path.ts';
import { type Finding, located, problemOf, type Source } from '../source.ts';
import type { Dialect } from './dialect.ts';
import { effectOf, isBitnami } from './inline-chart.ts';
import { readLegacy } from './legacy-read.ts';

/** Values of MetalLB's own charts from the time when they held the configuration, Bitnami's and the stable repository's among them. */
export const inline: Dialect = {
  name: 'inline',
  title: "values of MetalLB's chart up to 0.12",
  yaml: 'go',
  duplicates: 'last',
  evidence: (values) => partsOf(toJson(values ?? null)).map(({ path }) => pathText(path)),
  hasRoot: (root) => [...KEYS, 'metallb'].includes(root),
  read(source) {
    const values = toJson(source.values ?? null);
    const [first, ...rest] = inForce(partsOf(values), source);
    if (!first) return { drafts: [], problems: [] };
    const reading = readPart(first, source);
    const told = [...outdated(first, source, values), ...rest.map((part) => unused(part, first))];
    const settings = source.context?.chart ? settingsOf(at(values, first.path.slice(0, -1))) : undefined;
    return {
      ...reading,
      problems: [...told.map((finding) => problemOf(source, finding)), ...reading.problems],
      ...(settings && { settings }),
    };
  },
};

/** Where the configuration may stand, what counts first. */
const KEYS = ['configInline', 'config', 'arpAddresses', 'existingConfigMap'] as const;

interface Part {
  readonly key: (typeof KEYS)[number];
  readonly path: Path;
  readonly value: Json;
}

/** At the root, or below `metallb` where the chart is a dependency of another one. */
function partsOf(values: Json): readonly Part[] {
  const bases: readonly Path[] = [[], ['metallb']];
  return bases.flatMap((base) => {
    const root = toJson(at(values, base) ?? null);
    if (!isObject(root)) return [];
    return KEYS.flatMap((key): Part[] => {
      const value = root[key];
      return value !== undefined && counts(key, value) ? [{ key, path: [...base, key], value }] : [];
    });
  });
}

/** `config` and `arpAddresses` mean something else in many a chart. */
function counts(key: Part['key'], value: Json): boolean {
  switch (key) {
    case 'configInline':
      return isObject(value) ? Object.keys(value).length > 0 : isText(value);
    case 'existingConfigMap':
      return isText(value);
    case 'config':
      return isObject(value) ? 'address-pools' in value : isText(value) && /^\s*address-pools:/m.test(value);
    case 'arpAddresses':
      return typeof value === 'string' && !('error' in parseRange(value));
  }
}

const isText = (value: Json): value is string => typeof value === 'string' && value.trim() !== '';

/** Name of the ConfigMap that values say holds the configuration, where they do not hold it themselves. */
export function existingConfigMap(values: unknown): string | undefined {
  const parts = partsOf(toJson(values ?? null));
  const [only] = parts;
  return parts.length === 1 && only?.key === 'existingConfigMap' ? textOfJson(only.value) : undefined;
}

/** Upstream's chart passes over existingConfigMap beside configInline, Bitnami's the other way round. */
function inForce(parts: readonly Part[], { context }: Source): readonly Part[] {
  if (!isBitnami(context?.chart)) return parts;
  return parts.toSorted(
    (a, b) => Number(b.key === 'existingConfigMap') - Number(a.key === 'existingConfigMap'),
  );
}

function unused({ path }: Part, first: Part): Finding {
  return {
    code: 'NoEffect',
    severity: 'warning',
    path: pathText(path),
    message: `has no effect beside ${pathText(first.path)}`,
  };
}

function readPart({ key, path, value }: Part, source: Source): Reading {
  if (key === 'existingConfigMap')
    return { drafts: [], problems: [problemOf(source, elsewhere(path, textOfJson(value)))] };
  if (key === 'arpAddresses') {
    const pool = { name: 'default', protocol: 'layer2', addresses: [value] };
    return movedTo(path, readLegacy({ source, value: { 'address-pools': [pool] }, base: path }));
  }
  return typeof value === 'string'
    ? readText(source, value, path)
    : readLegacy({ source, value, base: path });
}

function elsewhere(path: Path, name: string): Finding {
  return {
    code: 'LeftToOthers',
    severity: 'notice',
    path: pathText(path),
    message: 'the configuration is in a ConfigMap of this name, and is read from there',
    detail: `the configuration is in ConfigMap ${name}, and is read from there`,
    hint: 'label that ConfigMap herald.io/source: "true"; offline, give its file too',
  };
}

/** The pool of the chart's template stands nowhere; its addresses stand at the path. */
function movedTo(path: Path, { drafts, problems }: Reading): Reading {
  const here = pathText(path);
  const moved = drafts.map((draft) => ({
    ...draft,
    path: here,
    fields: new Map([['addresses[0]', here]]),
  }));
  return { drafts: moved, problems };
}

/** Bitnami's chart takes text as well, and MetalLB then reads what the text says. */
function readText(source: Source, text: string, path: Path): Reading {
  const parsed = source.parse?.(text);
  if (!parsed) {
    const message = 'is text, which cannot be read from here';
    const finding = {
      code: 'ValuesUnreadable',
      path: pathText(path),
      message,
      hint: 'write it as a map',
    } as const;
    return { drafts: [], problems: [problemOf(source, finding)] };
  }
  const typed = 'problems' in parsed ? parsed : (parsed.typed?.('go') ?? { value: parsed.values });
  const inside = (inner: string) => pathText([...path, ...pathOf(inner)]);
  if ('problems' in typed)
    return {
      drafts: [],
      problems: typed.problems.map((p) => located(source, { ...p, path: inside(p.path) })),
    };
  const reading = readLegacy({
    source,
    value: typed.value,
    base: path,
    ...(typed.text && { text: (place: Path) => typed.text?.(place.slice(path.length)) }),
  });
  const duplicates = typed.duplicates ?? [];
  return {
    ...reading,
    problems: [
      ...duplicates.map((p) => located(source, { ...p, path: inside(p.path) })),
      ...reading.problems,
    ],
  };
}

/** What the chart itself would have made of the values. */
function outdated({ key, path }: Part, { context }: Source, values: Json): readonly Finding[] {
  const effect = effectOf(context?.chart, at(values, path.slice(0, -1)));
  if (key === 'existingConfigMap' || effect === 'effective' || effect === 'unknown') return [];
  const message =
    effect === 'refused'
      ? "MetalLB's own chart of this version refuses it, since 0.13.3; Herald carries it out"
      : 'MetalLB of this version does not look at it any more; Herald carries it out';
  return [{ code: 'OutdatedValues', severity: 'warning', path: pathText(path), message }];
}

const POD_SETTINGS = [
  'nodeSelector',
  'tolerations',
  'affinity',
  'priorityClassName',
  'runtimeClassName',
  'podAnnotations',
  'resources',
  'logLevel',
];

/** What the chart's values say about its pods, as far as Herald's own have it under the same name. */
function settingsOf(values: unknown): JsonObject | undefined {
  const root = toJson(values ?? null);
  const { controller, speaker, loadBalancerClass } = isObject(root) ? root : {};
  const pod = (given: Json | undefined) =>
    Object.entries(isObject(given) ? given : {}).filter(
      ([key, value]) => POD_SETTINGS.includes(key) && value !== null,
    );
  const settings = {
    ...(pod(controller).length > 0 && { controller: Object.fromEntries(pod(controller)) }),
    ...(pod(speaker).length > 0 && { speaker: Object.fromEntries(pod(speaker)) }),
    ...(typeof loadBalancerClass === 'string' && loadBalancerClass !== '' && { loadBalancerClass }),
  };
  return Object.keys(settings).length > 0 ? settings : undefined;
}
