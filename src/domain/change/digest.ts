import { createHash } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../desired/json.ts';
import { viewOf } from '../desired/object.ts';
import { formatRange } from '../ip/range.ts';
import { without } from '../ip/ranges.ts';
import { idOfWrite, type Write } from './diff.ts';
import type { Affected } from './model.ts';
import { extraOf, isPoolUpdate, type Part, speltRanges } from './parts.ts';
import { addressesOf, specOf } from './widen.ts';

/** A write of which parts hurt. */
export interface Hurting {
  readonly write: Write;
  readonly parts: readonly Part[];
  /** Whom, with the uid of each by name: a Service of the same name made later is another. */
  readonly affected: readonly Affected[];
  readonly uids: ReadonlyMap<string, string>;
}

/**
 * "sha256:..." of what hurts whom: of the exact change of just those parts, of the objects' and Services' identity, and of what
 * becomes of them. What goes on beside it leaves it as it is. "" when there is nothing.
 */
export function digestOf(hurting: readonly Hurting[]): string {
  if (hurting.length === 0) return '';
  const facts = hurting.map(({ write, parts, affected, uids }) => ({
    object: idOfWrite(write),
    uid: write.verb === 'create' ? '' : write.live.metadata.uid,
    action: write.verb,
    change: anyOrder(parts.map((part) => changeOf(write, part))),
    affected: affected
      .map(
        ({ service, addresses, fate }) => `${service} ${uids.get(service)} ${addresses.toSorted()} ${fate}`,
      )
      .sort(),
  }));
  return `sha256:${createHash('sha256').update(anyOrder(facts).join()).digest('hex')}`;
}

/** Canonical texts, the same whatever the order. */
const anyOrder = (list: readonly Json[]): string[] => list.map(canonical).sort();

/** What a part changes, from what to what. */
function changeOf(write: Write, part: Part): JsonObject {
  const before = write.verb === 'create' ? {} : publicSpec(specOf(write.live));
  const after = write.verb === 'delete' ? null : publicSpec(specOf(write.object));
  if (!isPoolUpdate(write) || part === 'whole') return { part: 'whole', before, after };
  if (part === 'labels') {
    const { labels, annotations } = write.live.metadata;
    const own = Object.fromEntries(extraOf(annotations).labels.map((key) => [key, labels[key] ?? null]));
    return { part, before: own, after: write.object.labels };
  }
  if (part === 'serviceAllocation' || part === 'avoidBuggyIPs')
    return { part, before: before[part] ?? null, after: specOf(write.object)[part] ?? null };
  const index = Number(part.slice(part.indexOf(' ')));
  const entry = speltRanges(viewOf(write.live)).find((s) => s.index === index);
  if (part.startsWith('new') || !entry) return { part: 'new' };
  const gone = without(entry.range, addressesOf(write.object)).map(formatRange);
  return { part: 'entry', text: entry.text, gone };
}

/** A digest is shown, and of a short secret it could be guessed. */
function publicSpec(spec: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([key]) => key !== 'password'));
}

/** JSON with sorted keys: equal for equal data. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${fields.join()}}`;
}
