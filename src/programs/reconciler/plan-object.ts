import type { Condition } from '../../domain/api/conditions.ts';
import { findCondition, withCondition } from '../../domain/api/conditions.ts';
import {
  PLAN_BOUNDS,
  type Plan,
  type PlanSpec,
  type PlanState,
  type PlanStatus,
  type PlanStep,
} from '../../domain/api/herald.ts';
import type { ChangePolicy } from '../../domain/api/values.ts';
import type { Affected, SourceChange, Step, StepState } from '../../domain/change/model.ts';
import { eachOnce, summaryOf, summaryText } from '../../domain/change/summary.ts';
import { cut, type Progress } from './status.ts';

/** What one look did to one source. */
export interface Turn {
  readonly source: string;
  /** Digest of the source's text. */
  readonly sourceDigest: string;
  readonly policy: ChangePolicy;
  /** What was to change when the look began. */
  readonly first?: SourceChange;
  /** What is left of that after the writes. */
  readonly left?: SourceChange;
}

/** The annotation that approves, as it was found. */
export interface Approval {
  readonly digest: string;
  /** Field manager that set it. */
  readonly by: string;
}

/** Steps that are skipped are nobody's change: they do not come here. */
const STATE: Readonly<Record<Exclude<StepState, 'skipped'>, PlanStep['state']>> = {
  ready: 'Ready',
  held: 'Held',
  draining: 'Draining',
  moving: 'Moving',
};

/** Whether the Plan tells of something that has not come to its end, or its status is behind. */
export function isOpen(plan: Plan | undefined): plan is Plan {
  if (!plan) return false;
  return plan.status?.state !== 'Applied' || plan.status.observedGeneration !== plan.metadata.generation;
}

/**
 * The Plan's spec after a look; undefined where it stays as it is. A plan that waits shows what waits and what of it is done;
 * one that is done shows all that it did.
 */
export function specOf(turn: Turn, before: Plan | undefined): PlanSpec | undefined {
  const { first, left } = turn;
  if (!first && !left) return isOpen(before) ? closed(turn, before.spec) : undefined;
  const waiting = left?.steps ?? [];
  const present = new Set(waiting.map(keyOf));
  const done = (first?.steps ?? []).filter((s) => !present.has(keyOf(s)));
  for (const step of done) present.add(keyOf(step));
  const earlier = isOpen(before) && isSame(before.spec, turn) ? before.spec : undefined;
  const carried = (earlier?.steps ?? []).filter((s) => s.state === 'Done' && !present.has(keyOf(s)));
  const again = done.filter((d) => earlier?.steps?.some((s) => s.state === 'Done' && keyOf(s) === keyOf(d)));
  const doneBefore = earlier ? (earlier.stepCount ?? 0) - (earlier.waitingCount ?? 0) - again.length : 0;
  const hurtBefore = new Set(carried.flatMap((s) => s.affected ?? []));
  const affected = eachOnce([
    ...[...waiting, ...done].flatMap((s) => s.affected),
    ...(earlier?.affected ?? []).filter((a) => hurtBefore.has(a.service)).map(asAffected),
  ]);
  const steps = [
    ...waiting.flatMap((s) => (s.state === 'skipped' ? [] : [stepOf(s, STATE[s.state])])),
    ...done.map((s) => stepOf(s, 'Done')),
    ...carried,
  ];
  return {
    ...headOf(turn),
    digest: (waiting.length > 0 ? left : first)?.digest ?? '',
    summary: cut(
      summaryText(summaryOf(waiting.length > 0 ? waiting : [...done, ...carried.map(asStep)], affected)),
    ),
    steps: steps.slice(0, PLAN_BOUNDS.steps),
    stepCount: waiting.length + done.length + Math.max(doneBefore, carried.length),
    waitingCount: waiting.length,
    affected: affected.slice(0, PLAN_BOUNDS.affected).map(bounded),
    affectedCount: affected.length,
  };
}

function headOf({
  source,
  sourceDigest,
  policy,
}: Turn): Pick<PlanSpec, 'source' | 'sourceDigest' | 'policy'> {
  return { source, sourceDigest, policy };
}

/** Nothing is left to do: what waited was done, or the source no longer asks for it. */
function closed(turn: Turn, before: PlanSpec): PlanSpec {
  if (before.sourceDigest === turn.sourceDigest)
    return { ...before, steps: (before.steps ?? []).map((s) => ({ ...s, state: 'Done' })), waitingCount: 0 };
  const nothing = { steps: [], stepCount: 0, waitingCount: 0, affected: [], affectedCount: 0 };
  return { ...headOf(turn), digest: '', summary: summaryText(summaryOf([])), ...nothing };
}

/** Whether this is still the plan that was told: of the same text, or with the same effect on Services. */
function isSame(before: PlanSpec, { sourceDigest, first, left }: Turn): boolean {
  const digests = [first?.digest, left?.digest].filter((d) => d !== undefined && d !== '');
  return before.sourceDigest === sourceDigest || digests.includes(before.digest);
}

function keyOf(step: Pick<Step, 'object' | 'action'> & { readonly changes?: readonly string[] }): string {
  const changes = (step.changes ?? []).slice(0, PLAN_BOUNDS.changes).map((c) => cut(c, PLAN_BOUNDS.text));
  return JSON.stringify([step.action, step.object, changes]);
}

function stepOf(step: Step, state: PlanStep['state']): PlanStep {
  const { object, action, path, changes, because, affected } = step;
  return {
    object: cut(object, 512),
    action,
    path: cut(path, PLAN_BOUNDS.text),
    changes: changes.slice(0, PLAN_BOUNDS.changes).map((c) => cut(c, PLAN_BOUNDS.text)),
    changeCount: changes.length,
    state,
    ...(because !== undefined && { because: cut(because, PLAN_BOUNDS.text) }),
    affected: affected.slice(0, PLAN_BOUNDS.affected).map((a) => a.service),
    affectedCount: affected.length,
  };
}

function bounded({ service, addresses, fate, reason }: Affected) {
  return { service, addresses: addresses.slice(0, 16), fate, reason: cut(reason, PLAN_BOUNDS.text) };
}

function asStep({ object, action, path }: PlanStep): Step {
  return { object, action, path, changes: [], state: 'ready', affected: [] };
}

function asAffected({
  service,
  addresses = [],
  fate,
  reason = '',
}: NonNullable<PlanSpec['affected']>[number]): Affected {
  return { service, addresses, fate, reason };
}

/** How far a plan is. */
export function stateOf(left: SourceChange | undefined): PlanState {
  const states = new Set(left?.steps.map((s) => s.state));
  if (states.has('held')) return 'Held';
  if (states.has('moving')) return 'Moving';
  if (states.has('draining')) return 'Draining';
  return states.has('ready') ? 'Applying' : 'Applied';
}

export interface PlanStatusInput {
  readonly turn: Turn;
  /** The Plan as it was before this look. */
  readonly before: Plan | undefined;
  /** The spec that is written now, and its generation. */
  readonly spec: PlanSpec;
  readonly generation: number;
  readonly progress: Progress;
  readonly approval?: Approval;
  /** RFC 3339. */
  readonly now: string;
}

export function planStatusOf(input: PlanStatusInput): PlanStatus {
  const { turn, before, spec, generation, now } = input;
  const state = stateOf(turn.left);
  const was = before?.status;
  const same =
    was?.state === state && before?.spec.digest === spec.digest && before.spec.summary === spec.summary;
  return {
    observedGeneration: generation,
    state,
    since: same && was.since !== undefined ? was.since : now,
    conditions: conditionsOf(input, state),
    history: historyOf(input, state),
  };
}

/** A plan enters the history when it comes to its end. */
function historyOf(input: PlanStatusInput, state: PlanState): NonNullable<PlanStatus['history']> {
  const { turn, before, spec, now } = input;
  const history = before?.status?.history ?? [];
  const entries: NonNullable<PlanStatus['history']>[number][] = [];
  const ends = turn.first !== undefined || isOpen(before);
  if (state === 'Applied' && ends && (spec.stepCount ?? 0) > 0) {
    const approvedBy = approverOf(input);
    entries.push({ ...pastOf(spec), state: 'Applied', ...(approvedBy && { approvedBy }), time: now });
  }
  if (isOpen(before) && before.status?.state !== 'Applied' && !isSame(before.spec, turn))
    entries.push({ ...pastOf(before.spec), state: 'Withdrawn', time: now });
  return [...entries, ...history].slice(0, PLAN_BOUNDS.history);
}

function pastOf({ digest, sourceDigest, summary }: PlanSpec) {
  return { digest, ...(sourceDigest !== undefined && { sourceDigest }), summary };
}

/** Who let it through: the digest that was approved is that of this plan. */
function approverOf({ spec, approval }: Pick<PlanStatusInput, 'spec' | 'approval'>): string | undefined {
  return approval && spec.digest !== '' && approval.digest === spec.digest ? approval.by : undefined;
}

/** kstatus reads Ready, Reconciling and Stalled; Approved is for people. */
function conditionsOf(input: PlanStatusInput, state: PlanState): readonly Condition[] {
  const { before, generation: observedGeneration, progress, spec, now } = input;
  const old = before?.status?.conditions ?? [];
  const { kind, reason, message } =
    state === 'Applied' ? { kind: 'done', reason: 'Applied', message: spec.summary } : progress;
  const told = { reason, message, observedGeneration };
  const wanted: Omit<Condition, 'lastTransitionTime'>[] = [
    { ...told, type: 'Ready', status: kind === 'done' ? 'True' : 'False' },
  ];
  if (kind === 'stalled') wanted.push({ ...told, type: 'Stalled', status: 'True' });
  else if (kind !== 'done') wanted.push({ ...told, type: 'Reconciling', status: 'True' });
  const approved = approvedOf(input);
  if (approved) wanted.push({ ...approved, type: 'Approved', observedGeneration });
  return wanted.flatMap((c) =>
    withCondition(
      old.filter((o) => o.type === c.type),
      c,
      now,
    ),
  );
}

function approvedOf(input: PlanStatusInput): Pick<Condition, 'status' | 'reason' | 'message'> | undefined {
  const { approval, spec, before } = input;
  // The annotation is taken away once it was acted on; that it was there stays to be seen.
  if (!approval) return before?.spec.digest === spec.digest ? approvedBefore(before) : undefined;
  const by = approverOf(input);
  if (by !== undefined) return { status: 'True', reason: 'Approved', message: `approved by ${by}` };
  const given = cut(approval.digest, 100);
  const message =
    spec.digest === ''
      ? `${given} is approved, and there is nothing to approve`
      : `${given} is approved, and this plan is ${spec.digest}`;
  return { status: 'False', reason: 'OtherPlan', message };
}

function approvedBefore(plan: Plan): Condition | undefined {
  const condition = findCondition(plan.status?.conditions ?? [], 'Approved');
  return condition?.status === 'True' ? condition : undefined;
}

/** Whether an approval names another plan; told once, when it turns so. */
export function isStale(status: PlanStatus | undefined): boolean {
  return findCondition(status?.conditions ?? [], 'Approved')?.status === 'False';
}
