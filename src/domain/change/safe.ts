import { Communities } from '../api/metallb.ts';
import { idOf, type View } from '../desired/object.ts';
import type { Want } from '../ipam/want.ts';
import { Causes, type PartOf } from './causes.ts';
import { collisions, missed } from './consistent.ts';
import { type Blamed, culprits, type Level } from './culprits.ts';
import { idOfWrite, type Write } from './diff.ts';
import { type Hurt, hurtsOf } from './hurt.ts';
import { composed, viewAfter } from './parts.ts';
import type { Subject } from './subject.ts';
import type { Standing, World } from './world.ts';

/** The matter of a judgement: what is to be written, and who is there. */
export interface Matter {
  readonly live: readonly View[];
  readonly writes: ReadonlyMap<string, Write>;
  readonly subjects: readonly Subject[];
  /** What those want that have no address. */
  readonly waiting: readonly Want[];
  /** Nodes that are Ready. */
  readonly ready: ReadonlySet<string>;
  readonly read: (views: readonly View[]) => World;
  readonly before: World;
  /** How the subjects stand before, in their order. */
  readonly standings: readonly Standing[];
}

/** What writes lead to, by how many of their parts are put back: in one search that only grows. */
type Known = Map<Write, { readonly parts: number; readonly view: View | undefined }>;

/** What may be written. */
export interface Safe {
  /** Parts that are put back. */
  readonly kept: Causes;
  /** Parts that hurt and are written all the same. */
  readonly allowed: Causes;
  /** The state that the writes lead to without those parts. */
  readonly world: World;
  /** The state that all of them would lead to, and whom that would hurt. */
  readonly whole: { readonly world: World; readonly hurts: readonly Hurt[] };
}

/** Parts that are put back before anybody looks, and why. */
export type Start = readonly (PartOf & { readonly why: string })[];

/** Whether a part may be written although it hurts. */
export type IsAllowed = (part: PartOf) => boolean;

/**
 * Finds what can be written without hurting a Service that was fine: starts with everything, puts back what hurts, looks again, and
 * so on until nobody is hurt but by what is allowed. Each look is at all Services at once, so that no order counts. Where the
 * precise culprits do not help, more is put back, in the end everything.
 */
export function findSafe(given: Matter, isAllowed: IsAllowed, start: Start = []): Safe {
  const matter: Searching = { ...given, known: new Map() };
  const [kept, allowed] = [new Causes(), new Causes()];
  const levels = new Map<Subject, Map<Hurt['aspect'], Level>>();
  const first = matter.read(viewsAfter(matter, kept));
  const whole = { world: first, hurts: allHurts(matter, first) };
  for (const { why, ...part } of start) kept.add(part, why);
  keepTogether(matter, kept);
  for (;;) {
    const untouched = kept.size === 0;
    const world = untouched ? first : matter.read(viewsAfter(matter, kept));
    const hurts = untouched ? whole.hurts : allHurts(matter, world);
    const grown = putBack({ matter, kept, allowed, world, levels, isAllowed }, hurts);
    if (keepTogether(matter, kept) || grown) continue;
    const spoilt = !world.valid && first.valid && matter.before.valid;
    if (!spoilt || !keepMore(matter, kept)) return { kept, allowed, world, whole };
  }
}

type Searching = Matter & { readonly known: Known };

interface Round {
  readonly matter: Searching;
  readonly kept: Causes;
  readonly allowed: Causes;
  readonly world: World;
  readonly levels: Map<Subject, Map<Hurt['aspect'], Level>>;
  readonly isAllowed: IsAllowed;
}

/** Everybody who would lose something in a world. */
function allHurts({ subjects, standings, ready }: Matter, world: World): readonly Hurt[] {
  return subjects.flatMap((subject, i) => {
    const before = standings[i];
    return before && 'pool' in before
      ? hurtsOf(subject, { before, after: world.standing(subject) }, ready)
      : [];
  });
}

/** The objects after the writes without the parts that are put back. */
function viewsAfter({ live, writes, known }: Searching, kept: Causes): readonly View[] {
  const views: View[] = [];
  for (const view of live) {
    const write = writes.get(idOf(view));
    if (!write) views.push(view);
    else {
      const parts = kept.of(idOf(view)).size;
      const before = known.get(write);
      const after = before?.parts === parts ? before.view : afterWrite(write, view, kept);
      known.set(write, { parts, view: after });
      if (after) views.push(after);
    }
  }
  for (const write of writes.values())
    if (write.verb === 'create' && !kept.has({ id: idOfWrite(write), part: 'whole' }))
      views.push(write.object);
  return views;
}

function afterWrite(write: Write, view: View, kept: Causes): View | undefined {
  if (write.verb === 'create') return view;
  const object = composed(write, kept.of(idOf(view)));
  if (object === undefined) return undefined;
  return 'metadata' in object ? view : viewAfter(object, write.live);
}

/** Puts back what hurts, as far as it is not allowed. True when something was put back that was not before. */
function putBack(round: Round, hurts: readonly Hurt[]): boolean {
  const { matter, kept, allowed, world } = round;
  const scene: Blamed = {
    writes: matter.writes,
    before: matter.before,
    after: world,
    isKept: (part) => kept.has(part),
  };
  const found = hurts.map((hurt) => ({ hurt, parts: blame(round, scene, hurt) }));
  let grown = false;
  for (const { hurt, parts } of found) {
    for (const part of parts.allowed) allowed.add(part, hurt);
    for (const part of parts.kept) grown = kept.add(part, hurt) || grown;
  }
  return grown;
}

/** The nearest culprits that are not put back yet; those that are allowed end the search. */
function blame(
  { kept, levels, isAllowed }: Round,
  scene: Blamed,
  hurt: Hurt,
): { readonly kept: readonly PartOf[]; readonly allowed: readonly PartOf[] } {
  const known = levels.get(hurt.subject) ?? new Map<Hurt['aspect'], Level>();
  levels.set(hurt.subject, known);
  for (let level: Level = known.get(hurt.aspect) ?? 0; ; level = level === 0 ? 1 : 2) {
    known.set(hurt.aspect, level);
    const parts = culprits(scene, hurt, level);
    const allowed = parts.filter(isAllowed);
    const others = parts.filter((part) => !isAllowed(part));
    const fresh = others.some((part) => !kept.has(part));
    if (fresh || allowed.length > 0 || level === 2) return { kept: fresh ? others : [], allowed };
  }
}

/** Puts back what cannot go without what is put back already. True when that is more than before. */
function keepTogether(matter: Searching, kept: Causes): boolean {
  if (kept.size === 0) return false;
  let grown = false;
  for (let more = true; more; ) {
    more = false;
    const views = viewsAfter(matter, kept);
    for (const { why, ...part } of [...collisions(views, matter.writes), ...missed(views, matter.writes)])
      more = kept.add(part, why) || more;
    grown ||= more;
  }
  return grown;
}

/** Where the set would be refused for another reason: first what names communities, then everything. */
function keepMore({ writes }: Matter, kept: Causes): boolean {
  const all = [...writes.values()];
  const naming = all.filter((w) => (w.verb === 'delete' ? w.live : w.object).kind.kind === Communities.kind);
  return [naming, all].some((some) =>
    some
      .map((w) => kept.add({ id: idOfWrite(w), part: 'whole' }, 'cannot be taken without what is held'))
      .includes(true),
  );
}
