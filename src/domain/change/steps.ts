import { RECONCILE } from '../api/annotations.ts';
import type { ChangePolicy } from '../api/values.ts';
import { type DesiredObject, type LiveObject, viewOf } from '../desired/object.ts';
import { BLIND } from './blind.ts';
import { type Cause, hurtsIn } from './causes.ts';
import { idOfWrite, type Write } from './diff.ts';
import type { Fates } from './fates.ts';
import { isMark, isNewMark, linesOf } from './lines.ts';
import { canMark, poolIdOf, type Waiting, waitingOn } from './marks.ts';
import type { Affected, Step, StepState } from './model.ts';
import { composed, type Part, pathOf, viewAfter } from './parts.ts';
import type { Safe } from './safe.ts';
import { eachOnce } from './summary.ts';

/** What a judgement knows when it comes to telling. */
export interface Telling {
  readonly instance: string;
  readonly safe: Safe;
  readonly fates: Fates;
  readonly drains: boolean;
  readonly policyOf: (write: Write) => ChangePolicy;
  readonly pools: ReadonlyMap<string, LiveObject>;
}

/** What becomes of the part of a write that is put back. */
export interface Stay {
  readonly state: StepState;
  readonly because: string;
  /** The ranges that are to empty. */
  readonly waiting: Waiting;
  readonly affected: readonly Affected[];
}

const NOTHING: Waiting = new Map();

/** Whether a part hurts by itself, or stays beside another. */
export const isHurting = ({ hurts, notes }: Cause): boolean => hurts.size > 0 || notes.has(BLIND);

/** Undefined: nothing of the write is put back. */
export function stayOf(write: Write, telling: Telling): Stay | undefined {
  const parts = telling.safe.kept.of(idOfWrite(write));
  if (parts.size === 0) return undefined;
  const affected = affectedBy(parts, telling.fates);
  const held = (because: string): Stay => ({ state: 'held', because, waiting: NOTHING, affected });
  const hurting = new Map([...parts].filter(([, cause]) => isHurting(cause)));
  const notes = [...new Set([...parts.values()].flatMap((cause) => [...cause.notes]))].sort();
  if (hurting.size === 0) return held(notes.join('; '));
  if (notes.includes(BLIND)) return held(BLIND);
  const policy = telling.policyOf(write);
  if (policy !== 'drain' && policy !== 'move') return held(`policy ${policy}`);
  const waiting = waitingOn(write, hurting, telling.pools);
  const obstacle = obstacleTo(policy, waiting, telling);
  if (obstacle !== undefined) return held(`policy ${policy}, but ${obstacle}`);
  const state = policy === 'drain' ? 'draining' : 'moving';
  const names = [...waiting.keys()].sort().join(', ');
  return { state, because: `policy ${policy}: waits for Services in pool ${names}`, waiting, affected };
}

/** Why ranges cannot be emptied. */
function obstacleTo(policy: 'drain' | 'move', waiting: Waiting, t: Telling): string | undefined {
  if (!t.drains) return 'the controller that gives out addresses knows neither draining nor moving ranges';
  const foreign = [...waiting.keys()].find((name) => !canMark(t.pools.get(name), t.instance));
  if (foreign !== undefined) return `${poolIdOf(foreign)} is not Herald's to mark`;
  if (policy === 'drain') return undefined;
  const stuck = [...waiting.values()]
    .flatMap(({ hurts }) => hurts)
    .filter(({ subject }) => !t.fates.canGo(subject))
    .map(({ subject }) => subject.want.key);
  const [first, ...more] = [...new Set(stuck)].sort();
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  return first === undefined ? undefined : `no other address is free for ${first}${others}`;
}

/** Whom parts hurt, each once. */
export function affectedBy(parts: ReadonlyMap<Part, Cause>, fates: Fates): readonly Affected[] {
  return eachOnce([...parts.values()].flatMap((cause) => hurtsIn(cause).map(fates.of)));
}

/** The steps of one write: what is written now, and what stays. */
export function stepsOf(
  write: Write,
  o: {
    readonly telling: Telling;
    readonly stay: Stay | undefined;
    /** The object that is applied, marks included; undefined where nothing is applied. */
    readonly applied: DesiredObject | undefined;
    /** Services that another node will announce. */
    readonly owners: readonly Affected[];
  },
): readonly Step[] {
  const { telling, stay, owners } = o;
  const now = composed(write, telling.safe.kept.of(idOfWrite(write)));
  const ready = readyStep(write, { ...o, now });
  if (!stay) return ready ? [ready] : [];
  const affected = ready ? stay.affected : eachOnce([...stay.affected, ...owners]);
  const { state, because } = stay;
  const waits: Step = { ...headOf(write), changes: stayLines(write, now), state, because, affected };
  return ready ? [ready, waits] : [waits];
}

/** The step of a write that is not done because the live object is to be left alone. */
export function skippedStep(write: Write): Step {
  const before = write.verb === 'create' ? undefined : write.live;
  return {
    ...headOf(write),
    changes: stayLines(write, before),
    state: 'skipped',
    because: `the object is annotated ${RECONCILE}: disabled`,
    affected: [],
  };
}

function headOf(write: Write): Pick<Step, 'object' | 'action' | 'path'> {
  const path = write.verb === 'delete' ? pathOf(write.live) : write.object.path;
  return { object: idOfWrite(write), action: write.verb, path };
}

type Made = DesiredObject | LiveObject | undefined;

function readyStep(
  write: Write,
  o: Parameters<typeof stepsOf>[1] & { readonly now: Made },
): Step | undefined {
  const { now, applied, telling } = o;
  const live = write.verb === 'create' ? undefined : write.live;
  if (now === live || (write.verb === 'update' && !applied)) return undefined;
  const changes = linesOf(live && viewOf(live), applied && viewAfter(applied, live));
  const own = changes.filter((line) => !isNewMark(line));
  // Marks belong to the step that waits for them.
  if (changes.length > 0 && own.length === 0) return undefined;
  const allowed = telling.safe.allowed.of(idOfWrite(write));
  return {
    ...headOf(write),
    changes: own.length > 0 ? own : [write.because],
    state: 'ready',
    ...(allowed.size > 0 && {
      because: telling.policyOf(write) === 'force' ? 'policy force' : 'approved',
    }),
    affected: eachOnce([...affectedBy(allowed, telling.fates), ...o.owners]),
  };
}

/** What is still to come of a write. */
function stayLines(write: Write, now: Made): readonly string[] {
  const live = write.verb === 'create' ? undefined : write.live;
  const before = now && ('metadata' in now ? viewOf(now) : viewAfter(now, live));
  const after = write.verb === 'delete' ? undefined : viewAfter(write.object, live);
  const lines = linesOf(before, after).filter((line) => !isMark(line));
  return lines.length > 0 ? lines : [write.because];
}
