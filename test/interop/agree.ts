/** Searches for a history after which the two controllers differ. */
import fc from 'fast-check';
import { describe, type Excuse, type Pair, play } from './pair.ts';
import { history, type Step } from './steps.ts';

export interface SearchOptions {
  readonly seed: number;
  /** How many random histories. */
  readonly count: number;
  readonly minLength: number;
  readonly maxLength: number;
  /** Played first. */
  readonly examples?: readonly (readonly Step[])[];
  /** Look for the shortest history that shows a difference: dozens more are played. */
  readonly shrink: boolean;
}

/** Throws with the history and the difference. Resolves to a line of figures. */
export async function agree(pair: Pair, o: SearchOptions): Promise<string> {
  let [histories, steps] = [0, 0];
  const excused = new Map<Excuse, number>();
  const property = fc.asyncProperty(history(o), async (changes) => {
    const played = await play(pair, changes);
    histories++;
    steps += played.steps;
    for (const [excuse, count] of played.excused) excused.set(excuse, (excused.get(excuse) ?? 0) + count);
    const { failure } = played;
    if (failure) throw new Error(`after ${JSON.stringify(failure.step)}${describe(failure.differences)}`);
  });
  await fc.assert(property, {
    seed: o.seed,
    numRuns: o.count + (o.examples?.length ?? 0),
    examples: (o.examples ?? []).map((steps) => [[...steps]]),
    endOnFailure: !o.shrink,
  });
  const excuses = [...excused].map(([excuse, count]) => `, ${count} excused by ${excuse}`).join('');
  return `seed ${o.seed}: ${histories} histories, ${steps} steps alike${excuses}`;
}
