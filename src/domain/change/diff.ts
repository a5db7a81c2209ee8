import type { Operation } from 'fast-json-patch';
import { DRAINING, FROM, INSTANCE, MOVING, RECONCILE } from '../api/annotations.ts';
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
  viewOf,
} from '../desired/object.ts';

/** One request, or for an update up to two. `because` names fields, never values. */
export type Write =
  | { readonly verb: 'create'; readonly object: DesiredObject; readonly because: string }
  | {
      readonly verb: 'update';
      readonly object: DesiredObject;
      /** The object that was judged; the write carries its uid. */
      readonly live: LiveObject;
      /** Takes out what others added, before the apply; with a test on resourceVersion. Empty: nothing to take out. */
      readonly strip: readonly Operation[];
      readonly because: string;
    }
  | { readonly verb: 'delete'; readonly live: LiveObject; readonly because: string };

export type Update = Extract<Write, { verb: 'update' }>;

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

/** What lies between live and desired, in no order that counts. */
export interface Diff {
  readonly writes: readonly Write[];
  /** Writes that are not done, as the live object is annotated to be left alone. */
  readonly skipped: readonly Write[];
  /** Desired objects that are live as they should be. */
  readonly unchanged: number;
}

/** Compares live and desired objects; both lists of writes in the order in which objects can be made. */
export function diff(input: PlanInput): Diff {
  const live = new Map(input.live.map((o) => [idOf(viewOf(o)), o]));
  const found: Write[] = [];
  let unchanged = 0;
  for (const object of input.desired) {
    const before = live.get(idOf(object));
    const write = before ? updateOf(object, before, input.instance) : createOf(object);
    if (write) found.push(write);
    else unchanged++;
  }
  found.push(...removals(input));
  found.sort((a, b) => rank(a) - rank(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
  const isSkipped = (w: Write) =>
    w.verb !== 'create' && w.live.metadata.annotations[RECONCILE] === 'disabled';
  return {
    writes: found.filter((w) => !isSkipped(w)),
    skipped: found.filter(isSkipped),
    unchanged,
  };
}

/** "IPAddressPool web". */
export function idOfWrite(write: Write): string {
  return idOf(write.verb === 'delete' ? viewOf(write.live) : write.object);
}

export function sourceOfWrite(write: Write): string {
  return write.verb === 'delete' ? (sourceOf(write.live) ?? '') : write.object.source;
}

/** Place of a kind in the order of making. */
function rank(write: Write): number {
  const { kind } = write.verb === 'delete' ? write.live : write.object;
  return OWNED.findIndex((k) => k.kind === kind.kind);
}

const nameOf = (write: Write) => (write.verb === 'delete' ? write.live.metadata.name : write.object.name);

function createOf(object: DesiredObject): Write {
  return { verb: 'create', object, because: `${object.source}#${object.path} defines it` };
}

/** The write that makes the live object the desired one; undefined when nothing differs. */
export function updateOf(object: DesiredObject, live: LiveObject, instance: string): Update | undefined {
  const was = openContent(live.content);
  const want = openContent(object.content);
  const foreign = foreignFields(was, want, '');
  const marks = staleMarks(object, live);
  const changed = [...changedFields(was, want, ''), ...changedMetadata(object, live, instance)];
  const out = [...foreign, ...marks.map((name) => `/metadata/annotations/${escaped(name)}`)];
  if (changed.length === 0 && out.length === 0) return undefined;
  const strip: Operation[] =
    out.length === 0
      ? []
      : [
          { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
          ...out.map((path): Operation => ({ op: 'remove', path })),
        ];
  const reasons = [
    ...changed.map((c) => `${c} differs`),
    ...foreign.map((f) => `${dotted(f)} is not ours`),
    ...marks.map((name) => `annotation ${name} is over`),
  ];
  return { verb: 'update', object, live, strip, because: bounded(reasons) };
}

/** JSON pointers of the fields that live has and desired does not. Lists count as a whole: an apply replaces them. */
export function foreignFields(was: Json, want: Json, at: string): string[] {
  if (!isObject(was) || !isObject(want)) return [];
  return Object.entries(was).flatMap(([key, value]) => {
    const path = `${at}/${escaped(key)}`;
    const wanted = want[key];
    return wanted === undefined ? [path] : foreignFields(value, wanted, path);
  });
}

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');

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

/** Marks of draining and moving ranges that nothing calls for, whoever set them: they would keep addresses from Services for ever. */
function staleMarks(object: DesiredObject, live: LiveObject): readonly string[] {
  const { annotations } = live.metadata;
  return [DRAINING, MOVING].filter(
    (name) => annotations[name] !== undefined && object.annotations[name] === undefined,
  );
}

const dotted = (pointer: string) => pointer.slice(1).replaceAll('/', '.');

function bounded(reasons: readonly string[]): string {
  const first = reasons.slice(0, 5).join(', ');
  return reasons.length > 5 ? `${first} and ${reasons.length - 5} more` : first;
}

/** Objects of completely rendered sources that no source wants any more. */
function removals({ desired, live, instance, complete }: PlanInput): Write[] {
  const wanted = new Set(desired.map(idOf));
  return live
    .filter(
      (o) =>
        isOurs(o, instance) && !wanted.has(idOf(viewOf(o))) && o.metadata.deletionTimestamp === undefined,
    )
    .filter((o) => complete.has(sourceOf(o) ?? ''))
    .map((o) => ({
      verb: 'delete',
      live: o,
      because: `${o.metadata.annotations[FROM]} no longer defines it`,
    }));
}
