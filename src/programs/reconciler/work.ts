import { judge } from '../../domain/change/judge.ts';
import type { Affected, Judged, JudgeInput, Scene, SourceChange, Step } from '../../domain/change/model.ts';
import type { Plan, Write } from '../../domain/change/plan.ts';
import type { LiveObject } from '../../domain/desired/object.ts';
import type { Failure, Writer } from './write.ts';

/** Growing, shrinking, deleting, and one more should something have come between; what is left then waits for the next look. */
const ROUNDS = 4;

/** A plan that was approved, as far as it says what may be done to whom. */
export interface Approved {
  readonly steps: readonly (Pick<Step, 'object' | 'action'> & {
    readonly affected: readonly Pick<Affected, 'service'>[];
  })[];
}

/** What is to be done, as far as it does not change while it is being done. */
export interface Task extends Omit<JudgeInput, 'live' | 'scene' | 'approved'> {
  /** The objects as they are at this moment, our own writes included. */
  readonly live: () => readonly LiveObject[];
  readonly scene: Scene | undefined;
  /** A scene with the Services of this moment, from the API server itself. */
  readonly fresh: (signal: AbortSignal) => Promise<Scene | undefined>;
  /** Approved digests by source. */
  readonly approved: ReadonlyMap<string, string>;
  /** Approved plans that were begun, by source: what is left of one stays approved. */
  readonly begun: ReadonlyMap<string, Approved>;
}

/** What came of it. */
export interface Worked {
  /** By source, what was to change. */
  readonly first: ReadonlyMap<string, SourceChange>;
  /** By source, what is left to change. */
  readonly left: ReadonlyMap<string, SourceChange>;
  readonly done: readonly Write[];
  readonly failures: readonly Failure[];
  /** Writes that may be done and were not. */
  readonly pending: readonly Write[];
}

/** Judges, and writes nothing. */
export function preview(task: Task): Worked {
  const judged = judgeNow(task);
  const changes = changesOf(judged);
  return { first: changes, left: changes, done: [], failures: [], pending: judged.plan.stages.flat() };
}

/**
 * Carries out what may be carried out, a stage at a time. Each is judged again on what the one before has written; before one that
 * changes or takes something away, the Services are asked for afresh. `begin` hears of approved changes before their first write.
 */
export async function carryOut(
  task: Task,
  o: {
    readonly writer: Pick<Writer, 'carryOut'>;
    readonly begin: (approved: readonly SourceChange[]) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<Worked> {
  const done: Write[] = [];
  const failures: Failure[] = [];
  let judged = judgeNow(task);
  const first = changesOf(judged);
  const approved = [...first.values()].filter(
    (c) => c.digest !== '' && task.approved.get(c.source) === c.digest,
  );
  if (approved.length > 0) await o.begin(approved);
  const begun = new Map([...task.begun, ...approved.map((c) => [c.source, c] as const)]);
  let { scene } = task;
  for (let round = 0; round < ROUNDS && judged.plan.stages.length > 0; round++) {
    if (takes(judged.plan)) {
      scene = await task.fresh(signal);
      judged = judgeNow({ ...task, scene, begun });
    }
    const written = await o.writer.carryOut(judged.plan.stages[0] ?? [], signal);
    done.push(...written.done);
    failures.push(...written.failures);
    judged = judgeNow({ ...task, scene, begun });
    if (failures.length > 0) break;
  }
  return { first, left: changesOf(judged), done, failures, pending: judged.plan.stages.flat() };
}

/** Whether the next stage may take something away from a Service. What is made new does not. */
function takes({ stages }: Plan): boolean {
  return stages[0]?.some((write) => write.verb !== 'create') ?? false;
}

function judgeNow({ live, begun, ...input }: Task): Judged {
  const now = { ...input, live: live() };
  const judged = judge(now);
  // Half of an approved change is another change, with another digest; it is covered by what was approved as a whole.
  const rest = judged.changes.filter(({ source, digest, steps }) => {
    const whole = begun.get(source);
    return whole && digest !== '' && input.approved.get(source) !== digest && isPart(steps, whole);
  });
  if (rest.length === 0) return judged;
  return judge({
    ...now,
    approved: new Map([...now.approved, ...rest.map((c) => [c.source, c.digest] as const)]),
  });
}

/** Whether everything that is held was among what was approved, for all whom it hurts. */
function isPart(steps: readonly Step[], whole: Approved): boolean {
  return steps
    .filter((s) => s.state === 'held')
    .every(({ object, action, affected }) =>
      whole.steps.some(
        (w) =>
          w.object === object &&
          w.action === action &&
          affected.every((a) => w.affected.some(({ service }) => service === a.service)),
      ),
    );
}

/** By source. An object that somebody has taken out of our hands is nobody's change. */
function changesOf({ changes }: Judged): ReadonlyMap<string, SourceChange> {
  return new Map(
    changes
      .map((change) => ({ ...change, steps: change.steps.filter((s) => s.state !== 'skipped') }))
      .filter((change) => change.steps.length > 0)
      .map((change) => [change.source, change]),
  );
}
