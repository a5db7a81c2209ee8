import { sameJson } from '../desired/json.ts';
import { type LiveObject, viewOf } from '../desired/object.ts';
import { union } from '../ip/ranges.ts';
import type { Update, Write } from './diff.ts';
import {
  addressesOf,
  effectAmongPools,
  effectOfReach,
  isPool,
  reaches,
  shrinks,
  specOf,
  widened,
} from './widen.ts';

export type { PlanInput, Write } from './diff.ts';

/**
 * Writes by stage; a stage starts when the one before it is done, and the writes in it may go in any order. Whatever grows comes
 * first; then pools take their shape; then advertisements and peers reach no further than they should; then objects go. What moves
 * between objects is so never in none of them.
 */
export interface Plan {
  readonly stages: readonly (readonly Write[])[];
  /** Desired objects that are live as they should be. */
  readonly unchanged: number;
}

/**
 * Puts writes into stages. An update that both gives and takes is made wider first where something hangs on it: of a pool, where
 * other pools have what it takes and get what it gives; of an advertisement or peer, where `relied` says so.
 */
export function staged(
  writes: readonly Write[],
  live: readonly LiveObject[],
  relied: (write: Update) => boolean = () => true,
): Plan['stages'] {
  const growing: Write[] = [];
  const pools: Write[] = [];
  const reach: Write[] = [];
  const removing: Write[] = [];
  const all = rangesAround(writes, live);
  for (const write of writes) {
    if (write.verb === 'delete') removing.push(write);
    else if (write.verb === 'create') growing.push(write);
    else if (isPool(write.object)) {
      const { gives, takes } = effectAmongPools(write, all());
      if (takes && gives) pools.push(...inTwo(write, growing));
      else if (takes || !(shrinks(write) || turns(write))) growing.push(write);
      else pools.push(write);
    } else if (reaches(write.object)) {
      const { gives, takes } = effectOfReach(write);
      if (gives && takes && relied(write)) reach.push(...inTwo(write, growing));
      else (gives && !takes ? reach : growing).push(write);
    } else growing.push(write);
  }
  // Dependants go first.
  return [growing, pools, reach, removing.reverse()].filter((stage) => stage.length > 0);
}

/** The wider write goes to `growing` and takes out what is not ours; the one that is left does not do that again. */
function inTwo(write: Update, growing: Write[]): readonly Update[] {
  growing.push(widened(write));
  return [{ ...write, strip: [] }];
}

/** Whether a pool changes in who may use it, or who announces it: no wider state would suit before and after. */
function turns({ live, object }: Update): boolean {
  const [before, after] = [specOf(live), specOf(object)];
  const sameLabels = Object.keys({ ...live.metadata.labels, ...object.labels }).every(
    (key) => live.metadata.labels[key] === object.labels[key],
  );
  return (
    !sameLabels ||
    !['serviceAllocation', 'avoidBuggyIPs'].every((field) => sameJson(before[field], after[field]))
  );
}

/** The addresses of all pools before the writes and after them; computed when somebody asks. */
function rangesAround(writes: readonly Write[], live: readonly LiveObject[]) {
  type Around = Parameters<typeof effectAmongPools>[1];
  let known: Around | undefined;
  const compute = (): Around => {
    const gone = new Set(writes.flatMap((w) => (w.verb === 'create' ? [] : [w.live])));
    const setOf = (objects: readonly LiveObject[]) =>
      objects.filter(isPool).flatMap((o) => addressesOf(viewOf(o)));
    const made = writes.flatMap((w) =>
      w.verb !== 'delete' && isPool(w.object) ? addressesOf(w.object) : [],
    );
    return {
      before: union(setOf(live)),
      after: union([...setOf(live.filter((o) => !gone.has(o))), ...made]),
    };
  };
  return () => (known ??= compute());
}
