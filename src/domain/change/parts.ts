import { DRAINING, FROM, INSTANCE, MOVING } from '../api/annotations.ts';
import type { Json } from '../desired/json.ts';
import { sameJson } from '../desired/json.ts';
import {
  type DesiredObject,
  EXTRA,
  type LiveObject,
  sourceOf,
  type View,
  viewOf,
} from '../desired/object.ts';
import { addressesOf as textsOf } from '../desired/rules.ts';
import { formatRange, parseRange, type Range, rangesOverlap } from '../ip/range.ts';
import { type RangeSet, union, without } from '../ip/ranges.ts';
import type { Update, Write } from './diff.ts';
import { isPool, specOf } from './widen.ts';

/** Fields of a pool, beside its ranges, that a Service may depend on. */
export const POOL_FIELDS = ['serviceAllocation', 'avoidBuggyIPs', 'labels'] as const;
type PoolField = (typeof POOL_FIELDS)[number];

/**
 * What of a write can be put back by itself: `whole` is all of it. Of an update of a pool, each of its fields; `entry n`, the
 * range that is n-th in the live object, which then stays; `new n`, the n-th range of the desired object, which then does not come.
 */
export type Part = 'whole' | PoolField | `entry ${number}` | `new ${number}`;

export function isPoolUpdate(write: Write): write is Update {
  return write.verb === 'update' && isPool(write.object);
}

/** A range as it is written in a pool; entries that hold nothing are left out. */
export interface Spelt {
  readonly index: number;
  readonly text: string;
  readonly range: Range;
}

export function speltRanges(pool: View): readonly Spelt[] {
  return textsOf(pool).flatMap((text, index) => {
    const parsed = parseRange(text);
    return 'range' in parsed ? [{ index, text, range: parsed.range }] : [];
  });
}

/** Live ranges of which the update takes something away. */
export function leaving(write: Update): readonly Spelt[] {
  const after = rangesOf(write.object);
  return speltRanges(viewOf(write.live)).filter(({ range }) => without(range, after).length > 0);
}

/** Desired ranges of which the update adds something. */
export function coming(write: Update): readonly Spelt[] {
  const before = rangesOf(viewOf(write.live));
  return speltRanges(write.object).filter(({ range }) => without(range, before).length > 0);
}

const rangesOf = (pool: View): RangeSet => union(speltRanges(pool).map((s) => s.range));

/** What an object is to be after a write of which some parts are put back. Undefined: not there. The live object itself: untouched. */
export function composed(
  write: Write,
  kept: { has(part: Part): boolean },
): DesiredObject | LiveObject | undefined {
  if (kept.has('whole')) return write.verb === 'create' ? undefined : write.live;
  if (write.verb === 'delete') return undefined;
  return isPoolUpdate(write) ? composedPool(write, kept) : write.object;
}

function composedPool(write: Update, kept: { has(part: Part): boolean }): DesiredObject {
  const { live, object } = write;
  const spec: Record<string, Json> = { ...specOf(object) };
  const addresses = composedRanges(write, kept);
  if (addresses) spec.addresses = addresses;
  for (const field of ['serviceAllocation', 'avoidBuggyIPs'] as const) {
    if (!kept.has(field)) continue;
    const before = specOf(live)[field];
    if (before === undefined) delete spec[field];
    else spec[field] = before;
  }
  const composed = { ...object, content: { spec } };
  return kept.has('labels') ? { ...composed, ...withLiveLabels(live, object) } : composed;
}

/** Undefined: as desired. */
function composedRanges(write: Update, kept: { has(part: Part): boolean }): string[] | undefined {
  const desired = speltRanges(write.object);
  const live = speltRanges(viewOf(write.live));
  const refused = desired.filter((d) => kept.has(`new ${d.index}`));
  const stays = live.filter(
    (l) => kept.has(`entry ${l.index}`) || refused.some((r) => rangesOverlap(r.range, l.range)),
  );
  if (stays.length === 0 && refused.length === 0) return undefined;
  const held = union(stays.map((s) => s.range));
  const placed = new Set<Spelt>();
  const texts = desired
    .filter((d) => !refused.includes(d))
    .flatMap((d) => {
      const same = stays.find((s) => sameRange(s.range, d.range));
      if (same) placed.add(same);
      if (same) return [same.text];
      const left = without(d.range, held);
      return left.length === 1 && left[0] && sameRange(left[0], d.range) ? [d.text] : left.map(formatRange);
    });
  const result = [...texts, ...stays.filter((s) => !placed.has(s)).map((s) => s.text)];
  // Their order decides what is given out first, and is no reason to write.
  const before = textsOf(viewOf(write.live));
  const known = new Set(result);
  return before.length === result.length && before.every((text) => known.has(text)) ? [...before] : result;
}

const sameRange = (a: Range, b: Range) => a.family === b.family && a.first === b.first && a.last === b.last;

/** Labels of our own: as the live object has them. */
function withLiveLabels(
  live: LiveObject,
  object: DesiredObject,
): Pick<DesiredObject, 'labels' | 'annotations'> {
  const { metadata } = live;
  const listed = extraOf(metadata.annotations);
  const keys = new Set([...listed.labels, ...Object.keys(object.labels)]);
  keys.delete(INSTANCE);
  const labels: Record<string, string> = {};
  for (const key of Object.keys(object.labels)) if (!keys.has(key)) labels[key] = object.labels[key] ?? '';
  for (const key of keys) {
    const before = metadata.labels[key];
    if (before !== undefined) labels[key] = before;
  }
  const { [EXTRA]: _, ...annotations } = object.annotations;
  const extra = [
    ...listed.labels.map((key) => `label ${key}`),
    ...extraOf(object.annotations).annotations.map((key) => `annotation ${key}`),
  ].sort();
  return {
    labels,
    annotations: extra.length > 0 ? { ...annotations, [EXTRA]: extra.join(', ') } : annotations,
  };
}

/** Keys of the labels and annotations that the values added. */
export function extraOf(annotations: Readonly<Record<string, string>>): {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
} {
  const items = (annotations[EXTRA] ?? '').split(', ').filter((item) => item !== '');
  const after = (word: string) =>
    items.filter((item) => item.startsWith(word)).map((item) => item.slice(word.length));
  return { labels: after('label '), annotations: after('annotation ') };
}

/** The object as the API server would have it after an apply: what others added stays. */
export function viewAfter(object: DesiredObject, live: LiveObject | undefined): View {
  if (!live) return object;
  const { metadata } = live;
  const extra = extraOf(metadata.annotations);
  const rest = (all: Readonly<Record<string, string>>, dropped: readonly string[]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => !dropped.includes(key)));
  return {
    ...object,
    labels: { ...rest(metadata.labels, extra.labels), ...object.labels },
    annotations: {
      ...rest(metadata.annotations, [...extra.annotations, EXTRA, DRAINING, MOVING]),
      ...object.annotations,
    },
  };
}

/** The live object as our own: what to apply so that nothing of it changes. */
export function restated(live: LiveObject): DesiredObject {
  const { name, namespace = '', labels, annotations } = live.metadata;
  const extra = extraOf(annotations);
  const only = (all: Readonly<Record<string, string>>, keys: readonly string[]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key)));
  return {
    kind: live.kind,
    name,
    namespace,
    labels: only(labels, [INSTANCE, ...extra.labels]),
    annotations: only(annotations, [FROM, EXTRA, ...extra.annotations]),
    content: live.content,
    source: sourceOf(live) ?? '',
    path: pathOf(live),
  };
}

/** Where a live object stood in its source when it was rendered. */
export function pathOf(live: LiveObject): string {
  const from = live.metadata.annotations[FROM] ?? '';
  return from.slice(from.indexOf('#') + 1);
}

/** Whether the update changes the field of the pool. */
export function changesField({ live, object }: Update, field: PoolField): boolean {
  if (field !== 'labels') return !sameJson(specOf(live)[field], specOf(object)[field]);
  const { labels } = viewAfter(object, live);
  const before = live.metadata.labels;
  return Object.keys({ ...labels, ...before }).some((key) => key !== INSTANCE && labels[key] !== before[key]);
}
