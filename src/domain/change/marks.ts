import { DRAINING, MOVING, RECONCILE } from '../api/annotations.ts';
import { IPAddressPools } from '../api/metallb.ts';
import { type DesiredObject, idOf, isOurs, type LiveObject, viewOf } from '../desired/object.ts';
import { block, formatRange, type Range, rangeContains } from '../ip/range.ts';
import { holds, union, without } from '../ip/ranges.ts';
import { type Cause, hurtsIn } from './causes.ts';
import type { Write } from './diff.ts';
import type { Hurt } from './hurt.ts';
import { isPoolUpdate, type Part, speltRanges } from './parts.ts';
import type { Matter } from './safe.ts';
import { addressesOf } from './widen.ts';

/** Ranges of one pool that give out nothing more, and those of them whose Services are to leave. */
export interface Mark {
  readonly draining: readonly Range[];
  readonly moving: readonly Range[];
}

/** Marks by the pool's name. */
export type Marks = ReadonlyMap<string, Mark>;

/** What must empty before the parts of a write can go: by pool, the ranges, and the Services in them that are hurt. */
export type Waiting = ReadonlyMap<string, { readonly ranges: Range[]; readonly hurts: Hurt[] }>;

export function waitingOn(
  write: Write,
  parts: ReadonlyMap<Part, Cause>,
  pools: ReadonlyMap<string, LiveObject>,
): Waiting {
  const waiting = new Map<string, { ranges: Range[]; hurts: Hurt[] }>();
  for (const [part, cause] of parts)
    for (const hurt of hurtsIn(cause)) {
      const pool = pools.get(hurt.pool);
      const on = waiting.get(hurt.pool) ?? { ranges: [], hurts: [] };
      waiting.set(hurt.pool, on);
      on.hurts.push(hurt);
      if (pool) on.ranges.push(...rangesFor(write, part, { hurt, pool }));
    }
  return new Map(
    [...waiting].map(([name, { ranges, hurts }]) => [name, { ranges: [...union(ranges)], hurts }]),
  );
}

/** Nobody new may come into what goes away, or he would be hurt as well. */
function rangesFor(
  write: Write,
  part: Part,
  { hurt, pool }: { hurt: Hurt; pool: LiveObject },
): readonly Range[] {
  const entries = speltRanges(viewOf(pool));
  const own = write.verb !== 'create' && write.live === pool;
  if (own && write.verb === 'delete') return entries.map((e) => e.range);
  const { addresses } = hurt.subject;
  // Few addresses of a pool end in 0 or 255, and the others remain.
  if (own && part === 'avoidBuggyIPs') return addresses.map((a) => block(a, a.family === 'IPv4' ? 32 : 128));
  const holding = entries.filter(({ range }) => addresses.some((a) => rangeContains(range, a)));
  if (!own || !part.startsWith('entry') || !isPoolUpdate(write)) return holding.map((e) => e.range);
  const after = addressesOf(write.object);
  return holding.flatMap(({ range }) => without(range, after));
}

/** Whether marks can be set on a pool: not on one that others made, or that is to be left alone. */
export function canMark(pool: LiveObject | undefined, instance: string): boolean {
  return pool !== undefined && isOurs(pool, instance) && pool.metadata.annotations[RECONCILE] !== 'disabled';
}

/** Collects the marks that waiting writes call for. */
export class Marking {
  readonly #marks = new Map<string, { draining: Range[]; moving: Range[] }>();
  readonly #matter: Matter;

  constructor(matter: Matter) {
    this.#matter = matter;
  }

  add(waiting: Waiting, how: 'draining' | 'moving'): void {
    for (const [name, { ranges, hurts }] of waiting) {
      const mark = this.#marks.get(name) ?? { draining: [], moving: [] };
      this.#marks.set(name, mark);
      mark.draining.push(...ranges);
      if (how === 'moving') mark.moving.push(...this.#leaving(name, ranges, hurts));
    }
  }

  get marks(): Marks {
    return this.#marks;
  }

  /** The ranges themselves, unless Services live there too that may stay. */
  #leaving(pool: string, ranges: readonly Range[], hurts: readonly Hurt[]): readonly Range[] {
    const hurt = new Set(hurts.map((h) => h.subject));
    const set = union(ranges);
    const { subjects, standings } = this.#matter;
    const others = subjects.some((subject, i) => {
      const standing = standings[i];
      const inside = standing && 'pool' in standing && standing.pool === pool && !hurt.has(subject);
      return inside && subject.addresses.some((a) => holds(set, a));
    });
    if (!others) return ranges;
    return [...hurt].flatMap(({ addresses }) =>
      addresses.map((a) => block(a, a.family === 'IPv4' ? 32 : 128)),
    );
  }
}

/** The pool with its marks, beside those that its source sets. */
export function withMarks(object: DesiredObject, mark: Mark): DesiredObject {
  const moving = union(mark.moving);
  const draining = union(mark.draining).flatMap((range) => without(range, moving));
  const annotations = {
    ...object.annotations,
    ...marked(object, DRAINING, draining),
    ...marked(object, MOVING, moving),
  };
  return { ...object, annotations };
}

function marked(object: DesiredObject, name: string, ranges: readonly Range[]): Record<string, string> {
  const given = object.annotations[name] ?? '';
  if (ranges.length === 0) return {};
  return { [name]: [...(given === '' ? [] : [given]), ...ranges.map(formatRange)].join() };
}

export const poolsOf = (live: readonly LiveObject[]): ReadonlyMap<string, LiveObject> =>
  new Map(live.filter((o) => o.kind.kind === IPAddressPools.kind).map((o) => [viewOf(o).name, o] as const));

export const poolIdOf = (name: string): string => idOf({ kind: IPAddressPools, name });
