import type { Operation } from 'fast-json-patch';
import { FROM, INSTANCE } from '../api/annotations.ts';
import { IPAddressPools } from '../api/metallb.ts';
import { isObject, type Json, sameJson } from '../desired/json.ts';
import {
  type DesiredObject,
  EXTRA,
  idOf,
  isOurs,
  type LiveObject,
  OWNED,
  openContent,
  sourceOf,
  type View,
  viewOf,
} from '../desired/object.ts';
import { union } from '../desired/ranges.ts';
import { covers, entriesOf } from '../desired/rules.ts';
import { formatRange, type Range, rangesOverlap } from '../ip/range.ts';

/** One request, or for an update up to two. `because` names fields, never values. */
export type Write =
  | { readonly verb: 'create'; readonly object: DesiredObject; readonly because: string }
  | {
      readonly verb: 'update';
      readonly object: DesiredObject;
      /** The object that was judged; the write carries its uid. */
      readonly live: LiveObject;
      /** Takes out fields that others added, before the apply; with a test on resourceVersion. Empty: nothing to take out. */
      readonly strip: readonly Operation[];
      readonly because: string;
    }
  | { readonly verb: 'delete'; readonly live: LiveObject; readonly because: string };

export interface PlanInput {
  /** The release. */
  readonly instance: string;
  /** The objects of all accepted sources. */
  readonly desired: readonly DesiredObject[];
  /** All objects of owned kinds in Herald's namespace, whoever made them. */
  readonly live: readonly LiveObject[];
  /** Sources whose whole render is in `desired`: what is live of them and not in it, goes. */
  readonly complete: ReadonlySet<string>;
}

/**
 * Writes by stage; a stage starts when the one before it is done. Creating and growing come first, then shrinking, then
 * deleting: an address that moves between objects is never in none of them.
 */
export interface Plan {
  readonly stages: readonly (readonly Write[])[];
  /** Desired objects that are live as they should be. */
  readonly unchanged: number;
}

type Update = Extract<Write, { verb: 'update' }>;

/** The steps from live to desired. Nothing at all when they agree. */
export function plan(input: PlanInput): Plan {
  const live = new Map(input.live.map((o) => [idOf(viewOf(o)), o]));
  const growing: Write[] = [];
  const shrinking: Write[] = [];
  let unchanged = 0;
  let held: readonly Held[] | undefined;
  for (const object of inOrder(input.desired)) {
    const before = live.get(idOf(object));
    const write = before ? update(object, before, input.instance) : create(object);
    if (!write) unchanged++;
    else if (write.verb === 'update' && shrinks(write)) {
      held ??= rangesOf(input.live);
      const first = widened(write, held);
      if (first) growing.push(first);
      // The first write has already taken out what is not ours.
      shrinking.push(first ? { ...write, strip: [] } : write);
    } else growing.push(write);
  }
  const stages = [growing, shrinking, removals(input)].filter((stage) => stage.length > 0);
  return { stages, unchanged };
}

function inOrder(objects: readonly DesiredObject[]): readonly DesiredObject[] {
  return objects.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

const rank = (o: { readonly kind: DesiredObject['kind'] }) => OWNED.findIndex((k) => k.kind === o.kind.kind);

function create(object: DesiredObject): Write {
  return { verb: 'create', object, because: `${object.source}#${object.path} defines it` };
}

function update(object: DesiredObject, live: LiveObject, instance: string): Write | undefined {
  const was = openContent(live.content);
  const want = openContent(object.content);
  const foreign = foreignFields(was, want, '');
  const changed = [...changedFields(was, want, ''), ...changedMetadata(object, live, instance)];
  if (changed.length === 0 && foreign.length === 0) return undefined;
  const strip: Operation[] =
    foreign.length === 0
      ? []
      : [
          { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
          ...foreign.map((path): Operation => ({ op: 'remove', path })),
        ];
  const reasons = [...changed.map((c) => `${c} differs`), ...foreign.map((f) => `${dotted(f)} is not ours`)];
  return { verb: 'update', object, live, strip, because: bounded(reasons) };
}

/** JSON pointers of the fields that live has and desired does not. Lists count as a whole: an apply replaces them. */
function foreignFields(was: Json, want: Json, at: string): string[] {
  if (!isObject(was) || !isObject(want)) return [];
  return Object.entries(was).flatMap(([key, value]) => {
    const path = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const wanted = want[key];
    return wanted === undefined ? [path] : foreignFields(value, wanted, path);
  });
}

/** Fields of desired that live does not have, or has otherwise. */
function changedFields(was: Json | undefined, want: Json, at: string): string[] {
  if (!isObject(was) || !isObject(want)) return sameJson(was, want) ? [] : [at];
  return Object.entries(want).flatMap(([key, value]) =>
    changedFields(was[key], value, at === '' ? key : `${at}.${key}`),
  );
}

/** Our labels and annotations must be there; what others added may stay. */
function changedMetadata(object: DesiredObject, live: LiveObject, instance: string): string[] {
  const { labels, annotations } = live.metadata;
  if (labels[INSTANCE] !== instance) return [`label ${INSTANCE}`];
  const differs = (
    was: Readonly<Record<string, string>>,
    want: Readonly<Record<string, string>>,
    what: string,
  ) =>
    Object.keys(want)
      .filter((key) => was[key] !== want[key])
      .map((key) => `${what} ${key}`);
  const dropped = annotations[EXTRA] !== object.annotations[EXTRA] ? [`annotation ${EXTRA}`] : [];
  return [
    ...new Set([
      ...differs(labels, object.labels, 'label'),
      ...differs(annotations, object.annotations, 'annotation'),
      ...dropped,
    ]),
  ];
}

const dotted = (pointer: string) => pointer.slice(1).replaceAll('/', '.');

function bounded(reasons: readonly string[]): string {
  const first = reasons.slice(0, 5).join(', ');
  return reasons.length > 5 ? `${first} and ${reasons.length - 5} more` : first;
}

/** The addresses of a pool, whoever wrote it and however they are spelt. */
function addressesOf(pool: View): readonly Range[] {
  return union(entriesOf(pool).map((e) => e.range));
}

const within = (ranges: readonly Range[], outer: readonly Range[]) =>
  ranges.every((range) => outer.some((o) => covers(o, range)));

/** A range and the name of the pool that has it now. */
interface Held {
  readonly pool: string;
  readonly range: Range;
}

function rangesOf(live: readonly LiveObject[]): readonly Held[] {
  return live
    .filter(isPool)
    .flatMap((o) => entriesOf(viewOf(o)).map(({ range }) => ({ pool: o.metadata.name, range })));
}

/** Whether a pool loses an address with this write. */
function shrinks(write: Update): boolean {
  return isPool(write.object) && !within(addressesOf(viewOf(write.live)), addressesOf(write.object));
}

/**
 * For a pool that gives some addresses away and takes others that another pool has: the same write without the giving. Done
 * first, so that what moves between two pools is always in one of them.
 */
function widened(write: Update, held: readonly Held[]): Update | undefined {
  const before = addressesOf(viewOf(write.live));
  const after = addressesOf(write.object);
  const { name } = write.object;
  const takes = held.some((h) => h.pool !== name && after.some((r) => rangesOverlap(r, h.range)));
  const { spec } = openContent(write.object.content);
  if (!takes || !isObject(spec)) return undefined;
  const addresses = union([...before, ...after]).map(formatRange);
  const object = { ...write.object, content: { spec: { ...spec, addresses } } };
  return { ...write, object, because: `${write.because}; it takes addresses before it gives others away` };
}

function isPool(o: { readonly kind: DesiredObject['kind'] }): boolean {
  return o.kind.kind === IPAddressPools.kind;
}

/** Objects of completely rendered sources that no source wants any more; dependants first. */
function removals({ desired, live, instance, complete }: PlanInput): Write[] {
  const wanted = new Set(desired.map(idOf));
  return live
    .filter(
      (o) =>
        isOurs(o, instance) && !wanted.has(idOf(viewOf(o))) && o.metadata.deletionTimestamp === undefined,
    )
    .filter((o) => complete.has(sourceOf(o) ?? ''))
    .toSorted((a, b) => rank(b) - rank(a) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((o) => ({
      verb: 'delete',
      live: o,
      because: `${o.metadata.annotations[FROM]} no longer defines it`,
    }));
}
