import { STRATEGY } from '../../api/annotations.ts';
import { pathText } from '../../api/check.ts';
import type { Respelt } from '../../api/values/respell.ts';
import { checkValues, type HeraldValues } from '../../api/values.ts';
import type { Draft, Section } from '../draft.ts';
import { isObject, type JsonObject, toJson } from '../json.ts';
import { legibleRanges } from '../path.ts';
import { type Finding, located, problemOf } from '../source.ts';
import type { Dialect } from './dialect.ts';
import { unrendered } from './placeholders.ts';

const SECTIONS: readonly Section[] = [
  'communities',
  'bfdProfiles',
  'bgpPeers',
  'pools',
  'l2Advertisements',
  'bgpAdvertisements',
  'reservations',
  'quotas',
];

/** Herald's own values: maps from name to upstream's spec fields. */
export const native: Dialect = {
  name: 'native',
  title: "Herald's own values",
  yaml: 'core',
  evidence(values) {
    const given = asObject(values);
    return SECTIONS.filter((section) => Object.keys(asObject(given[section])).length > 0);
  },
  read(source) {
    const checked = checkValues(source.values);
    if ('problems' in checked)
      return {
        drafts: legible(checked.respelt),
        problems: [
          ...placeholders(source.values).map((f) => problemOf(source, f)),
          ...checked.problems.map((p) => located(source, p)),
        ],
      };
    const { values, warnings } = checked;
    return {
      values,
      drafts: draftsOf(values),
      problems: warnings.map((p) => located(source, p)),
    };
  },
};

function draftsOf(values: HeraldValues): Draft[] {
  return SECTIONS.flatMap((section) =>
    Object.entries(values[section] ?? {}).map(([name, entry]): Draft => {
      const { labels, annotations, onChange, ...rest } = entry;
      const { strategy, ...spec } = { strategy: undefined, ...rest };
      return {
        section,
        name,
        spec: asObject(spec),
        labels: texts(labels),
        annotations: { ...texts(annotations), ...(strategy && { [STRATEGY]: strategy }) },
        ...(onChange && { onChange }),
        path: pathText([section, name]),
      };
    }),
  );
}

/** Pools whose ranges can be read although the values as a whole do not fit: all mistakes are told in one go. */
function legible({ value, written }: Respelt): Draft[] {
  return Object.entries(asObject(asObject(value).pools)).flatMap(([name, pool]) => {
    const path = pathText(written(['pools', name]));
    const ranges = legibleRanges(pool, (key) => pathText(written(['pools', name, key])));
    return ranges
      ? [{ section: 'pools', name, spec: { addresses: ranges.texts }, path, fields: ranges.fields }]
      : [];
  });
}

/** Placeholders wherever an entry has fields; those of drafts alone would leave out what does not fit. */
function placeholders(values: unknown): readonly Finding[] {
  const given = asObject(values);
  return SECTIONS.flatMap((section) =>
    Object.entries(asObject(given[section])).flatMap(([name, entry]) => {
      const { labels: _, annotations: __, ...spec } = asObject(entry);
      return unrendered(spec, [section, name]);
    }),
  );
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter((e): e is [string, string] => typeof e[1] === 'string'),
  );
}

function asObject(value: unknown): JsonObject {
  const json = toJson(value ?? null);
  return isObject(json) ? json : {};
}
