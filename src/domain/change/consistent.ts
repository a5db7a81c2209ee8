import { Secrets } from '../api/core.ts';
import { BFDProfiles, BGPAdvertisements, BGPPeers, Communities } from '../api/metallb.ts';
import { isObject, type Json, textOfJson } from '../desired/json.ts';
import { idOf, type View, viewOf } from '../desired/object.ts';
import { type Entry, overlaps } from '../desired/ranges.ts';
import { entriesOf } from '../desired/rules.ts';
import { rangesOverlap } from '../ip/range.ts';
import { type RangeSet, without } from '../ip/ranges.ts';
import type { PartOf } from './causes.ts';
import type { Write } from './diff.ts';
import { coming, isPoolUpdate } from './parts.ts';
import { addressesOf, isPool, specOf } from './widen.ts';

/** A part that cannot come while something else stays, and why. */
export interface Conflict extends PartOf {
  readonly why: string;
}

/** Ranges that come and share addresses with what stays. */
export function collisions(views: readonly View[], writes: ReadonlyMap<string, Write>): readonly Conflict[] {
  const entries = views.filter(isPool).flatMap((view) => entriesOf(view));
  return overlaps(entries)
    .filter(([a, b]) => a.owner !== b.owner)
    .flatMap(([a, b]) => [...comes(a, b, writes), ...comes(b, a, writes)]);
}

function comes(
  entry: Entry<View>,
  other: Entry<View>,
  writes: ReadonlyMap<string, Write>,
): readonly Conflict[] {
  const id = idOf(entry.owner);
  const write = writes.get(id);
  const why = `shares addresses with ${idOf(other.owner)}, which stays as it is`;
  if (write?.verb === 'create') return [{ id, part: 'whole', why }];
  if (!write || !isPoolUpdate(write)) return [];
  const before: RangeSet = addressesOf(viewOf(write.live));
  if (without(entry.range, before).length === 0) return [];
  return coming(write)
    .filter(({ range }) => rangesOverlap(range, entry.range))
    .map(({ index }) => ({ id, part: `new ${index}`, why }) as const);
}

/** Deletions that would leave something which stays without what it refers to. */
export function missed(views: readonly View[], writes: ReadonlyMap<string, Write>): readonly Conflict[] {
  const there = new Set(views.flatMap(provided));
  const givers = new Map<string, string[]>();
  for (const [id, write] of writes) {
    if (write.verb === 'create') continue;
    for (const name of provided(viewOf(write.live)))
      if (!there.has(name)) givers.set(name, [...(givers.get(name) ?? []), id]);
  }
  if (givers.size === 0) return [];
  return views.flatMap((view) =>
    needed(view).flatMap((name) =>
      (givers.get(name) ?? []).map((id) => ({
        id,
        part: 'whole' as const,
        why: `${idOf(view)} refers to it`,
      })),
    ),
  );
}

/** What others may refer to: an object, or an alias of a Community. */
function provided(view: View): readonly string[] {
  const { kind } = view.kind;
  if (kind === Secrets.kind || kind === BFDProfiles.kind) return [idOf(view)];
  if (kind !== Communities.kind) return [];
  return list(specOf(view).communities).flatMap((c) =>
    isObject(c) ? [`alias ${textOfJson(c.name ?? '')}`] : [],
  );
}

function needed(view: View): readonly string[] {
  const spec = specOf(view);
  if (view.kind.kind === BGPAdvertisements.kind)
    return list(spec.communities).map((c) => `alias ${textOfJson(c)}`);
  if (view.kind.kind !== BGPPeers.kind) return [];
  const secret = isObject(spec.passwordSecret) ? spec.passwordSecret.name : undefined;
  return [
    ...(typeof secret === 'string' ? [`${Secrets.kind} ${secret}`] : []),
    ...(typeof spec.bfdProfile === 'string' ? [`${BFDProfiles.kind} ${spec.bfdProfile}`] : []),
  ];
}

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
