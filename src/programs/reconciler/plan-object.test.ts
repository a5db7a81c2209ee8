import { describe, expect, test } from 'vitest';
import { PLAN_BOUNDS, type Plan, type PlanSpec, type PlanStatus } from '../../domain/api/herald.ts';
import type { Affected, SourceChange, Step } from '../../domain/change/model.ts';
import { type Approval, planStatusOf, specOf, type Turn } from './plan-object.ts';
import type { Progress } from './status.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:01:00Z';
const HELD: Progress = { kind: 'stalled', reason: 'HeldInUse', message: 'held: ...' };
const DRAINING: Progress = { kind: 'working', reason: 'Draining', message: 'waits' };
const DONE: Progress = { kind: 'done', reason: 'Applied', message: 'in force' };

const hit = (service: string): Affected => ({
  service,
  addresses: ['192.0.2.5'],
  fate: 'loses',
  reason: 'it went',
});
const step = (
  action: Step['action'],
  object: string,
  state: Step['state'],
  affected: readonly Affected[] = [],
): Step => ({ object, action, path: `pools.${object.split(' ')[1]}`, changes: [], state, affected });
const change = (hash: string, ...steps: readonly Step[]): SourceChange => ({
  source: 'herald',
  digest: hash,
  policy: 'hold',
  steps,
});

const ADD = step('create', 'IPAddressPool new', 'ready');
const REMOVE = step('delete', 'IPAddressPool web', 'held', [hit('shop/web')]);

/** One source's Plan through several looks, as the API server would keep it. */
class Life {
  plan: Plan | undefined;
  writes = 0;

  look(
    text: string,
    o: {
      first?: SourceChange;
      left?: SourceChange;
      progress?: Progress;
      approval?: Approval;
      now?: string;
    } = {},
  ): Plan | undefined {
    const turn: Turn = {
      source: 'herald',
      sourceDigest: text,
      policy: 'hold',
      ...(o.first && { first: o.first }),
      ...(o.left && { left: o.left }),
    };
    const before = this.plan;
    const spec = specOf(turn, before) ?? before?.spec;
    if (!spec) return undefined;
    const changed = JSON.stringify(spec) !== JSON.stringify(before?.spec);
    const generation = (before?.metadata.generation ?? 0) + (changed ? 1 : 0);
    const status = planStatusOf({
      turn,
      before,
      spec,
      generation,
      progress: o.progress ?? DONE,
      ...(o.approval && { approval: o.approval }),
      now: o.now ?? T0,
    });
    if (changed) this.writes++;
    if (JSON.stringify(status) !== JSON.stringify(before?.status)) this.writes++;
    this.plan = planWith(generation, spec, status);
    return this.plan;
  }
}

function planWith(generation: number, spec: PlanSpec, status: PlanStatus): Plan {
  const metadata = {
    name: 'herald',
    uid: '1',
    resourceVersion: '1',
    generation,
    labels: {},
    annotations: {},
  };
  return { metadata, spec, status };
}

const kstatus = (plan: Plan | undefined) =>
  Object.fromEntries((plan?.status?.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}`]));
const steps = (plan: Plan | undefined) => plan?.spec.steps?.map((s) => `${s.state} ${s.action} ${s.object}`);

describe('the Plan of a source', () => {
  test('does not exist before the source changes something', () => {
    expect(new Life().look('one')).toBeUndefined();
  });

  test('of a safe change is Applied, with all that was done, and in the history', () => {
    const life = new Life();
    const plan = life.look('one', { first: change('', ADD) });
    expect(plan?.spec).toMatchObject({
      digest: '',
      summary: '1 pool added',
      stepCount: 1,
      waitingCount: 0,
      affectedCount: 0,
    });
    expect(steps(plan)).toEqual(['Done create IPAddressPool new']);
    expect(plan?.status).toMatchObject({ state: 'Applied', observedGeneration: 1, since: T0 });
    expect(kstatus(plan)).toEqual({ Ready: 'True Applied' });
    expect(plan?.status?.history).toEqual([
      { digest: '', sourceDigest: 'one', summary: '1 pool added', state: 'Applied', time: T0 },
    ]);
  });

  test('is not written again by looks that find nothing to do', () => {
    const life = new Life();
    life.look('one', { first: change('', ADD) });
    const before = life.writes;
    life.look('one', { now: T1 });
    life.look('one', { now: T1 });
    expect(life.writes).toBe(before);
  });

  test('of a held change shows what waits, what of it is done, and stays as it is while nothing moves', () => {
    const life = new Life();
    const left = change(digest('a'), REMOVE);
    const plan = life.look('one', { first: change(digest('a'), ADD, REMOVE), left, progress: HELD });
    expect(steps(plan)).toEqual(['Held delete IPAddressPool web', 'Done create IPAddressPool new']);
    expect(plan?.spec).toMatchObject({
      digest: digest('a'),
      summary: '1 pool removed; 1 Service loses its address',
      stepCount: 2,
      waitingCount: 1,
      affectedCount: 1,
    });
    expect(kstatus(plan)).toEqual({ Ready: 'False HeldInUse', Stalled: 'True HeldInUse' });
    expect(plan?.status).toMatchObject({ state: 'Held', history: [] });
    const before = life.writes;
    for (const now of [T0, T1]) life.look('one', { first: left, left, progress: HELD, now });
    expect(life.writes).toBe(before);
  });

  test('goes on from Held to Applied when the Services have left, and tells the whole of it', () => {
    const life = new Life();
    const left = change(digest('a'), REMOVE);
    life.look('one', { first: change(digest('a'), ADD, REMOVE), left, progress: HELD });
    const free = step('delete', 'IPAddressPool web', 'ready');
    const plan = life.look('one', { first: change('', free), now: T1 });
    expect(steps(plan)).toEqual(['Done delete IPAddressPool web', 'Done create IPAddressPool new']);
    expect(plan?.spec).toMatchObject({
      summary: '1 pool added, 1 removed',
      stepCount: 2,
      waitingCount: 0,
    });
    expect(plan?.status).toMatchObject({ state: 'Applied', since: T1 });
    expect(plan?.status?.history?.map((h) => [h.state, h.summary])).toEqual([
      ['Applied', '1 pool added, 1 removed'],
    ]);
  });

  test('is withdrawn when the source takes the change back', () => {
    const life = new Life();
    const left = change(digest('a'), REMOVE);
    life.look('one', { first: left, left, progress: HELD });
    const plan = life.look('zero', { now: T1 });
    expect(plan?.spec).toMatchObject({ digest: '', summary: 'no change', steps: [], affected: [] });
    expect(plan?.status).toMatchObject({ state: 'Applied' });
    expect(kstatus(plan)).toEqual({ Ready: 'True Applied' });
    expect(plan?.status?.history?.map((h) => [h.state, h.digest])).toEqual([['Withdrawn', digest('a')]]);
  });

  test('is withdrawn when another change takes its place, and not by a text that changes nothing of it', () => {
    const life = new Life();
    const left = change(digest('a'), REMOVE);
    life.look('one', { first: left, left, progress: HELD });
    expect(
      life.look('one, with another log level', { first: left, left, progress: HELD })?.status?.history,
    ).toEqual([]);
    const other = change(digest('b'), REMOVE, step('delete', 'IPAddressPool db', 'held', [hit('shop/db')]));
    const plan = life.look('two', { first: other, left: other, progress: HELD, now: T1 });
    expect(plan?.status).toMatchObject({ state: 'Held', since: T1 });
    expect(plan?.status?.history?.map((h) => [h.state, h.digest])).toEqual([['Withdrawn', digest('a')]]);
  });

  test('of the same text goes on as the same plan when other Services are hurt', () => {
    const life = new Life();
    const left = change(digest('a'), REMOVE);
    life.look('one', { first: change(digest('a'), ADD, REMOVE), left, progress: HELD });
    const more = change(
      digest('b'),
      step('delete', 'IPAddressPool web', 'held', [hit('shop/web'), hit('shop/api')]),
    );
    const plan = life.look('one', { first: more, left: more, progress: HELD });
    expect(plan?.spec).toMatchObject({ digest: digest('b'), affectedCount: 2, stepCount: 2 });
    expect(plan?.status?.history).toEqual([]);
  });

  test('of a draining change is in progress, not stalled', () => {
    const left = change(digest('a'), step('delete', 'IPAddressPool web', 'draining', [hit('shop/web')]));
    const plan = new Life().look('one', { first: left, left, progress: DRAINING });
    expect(plan?.status?.state).toBe('Draining');
    expect(kstatus(plan)).toEqual({ Ready: 'False Draining', Reconciling: 'True Draining' });
  });

  test('with writes that failed is Applying', () => {
    const left = change('', ADD);
    const progress = { kind: 'working', reason: 'WriteFailed', message: 'no answer' } as const;
    const plan = new Life().look('one', { first: left, left, progress });
    expect(steps(plan)).toEqual(['Ready create IPAddressPool new']);
    expect(plan?.status?.state).toBe('Applying');
    expect(kstatus(plan)).toEqual({ Ready: 'False WriteFailed', Reconciling: 'True WriteFailed' });
  });

  test('whose status was not written in time gets it at the next look, once in the history', () => {
    const life = new Life();
    const plan = life.look('one', { first: change('', ADD) });
    if (!plan) throw new Error('no plan');
    life.plan = planWith(1, plan.spec, { observedGeneration: -1 });
    const mended = life.look('one', { now: T1 });
    expect(mended?.status).toMatchObject({ state: 'Applied', observedGeneration: 1 });
    expect(mended?.status?.history?.length).toBe(1);
    expect(life.look('one')?.status?.history?.length).toBe(1);
  });

  describe('approved', () => {
    const left = change(digest('a'), REMOVE);
    const forced = change(digest('a'), { ...REMOVE, state: 'ready', because: 'approved' });
    const approval = { digest: digest('a'), by: 'kubectl-annotate' };

    test('shows who approved it, before and after, also when the annotation is gone', () => {
      const life = new Life();
      life.look('one', { first: left, left, progress: HELD });
      const progress = { kind: 'working', reason: 'Applying', message: '' } as const;
      const begun = life.look('one', { first: forced, left: forced, progress, approval });
      expect(begun?.status?.state).toBe('Applying');
      expect(kstatus(begun)).toMatchObject({ Approved: 'True Approved' });
      const plan = life.look('one', { first: forced, approval, now: T1 });
      expect(plan?.spec.digest).toBe(digest('a'));
      expect(plan?.spec.affected?.map((a) => a.service)).toEqual(['shop/web']);
      expect(plan?.status?.history).toEqual([
        {
          digest: digest('a'),
          sourceDigest: 'one',
          summary: '1 pool removed; 1 Service loses its address',
          state: 'Applied',
          approvedBy: 'kubectl-annotate',
          time: T1,
        },
      ]);
      const writes = life.writes;
      expect(kstatus(life.look('one'))).toEqual({ Ready: 'True Applied', Approved: 'True Approved' });
      expect(life.writes).toBe(writes);
    });

    test('for another plan is told, and nothing else', () => {
      const life = new Life();
      const stale = { digest: digest('c'), by: 'me' };
      const plan = life.look('one', { first: left, left, progress: HELD, approval: stale });
      expect(kstatus(plan)).toEqual({
        Ready: 'False HeldInUse',
        Stalled: 'True HeldInUse',
        Approved: 'False OtherPlan',
      });
      const message = plan?.status?.conditions?.find((c) => c.type === 'Approved')?.message;
      expect(message).toBe(`${digest('c')} is approved, and this plan is ${digest('a')}`);
    });

    test('when there is nothing to approve is told as well', () => {
      const life = new Life();
      life.look('one', { first: change('', ADD) });
      const plan = life.look('one', { approval });
      expect(kstatus(plan)).toEqual({ Ready: 'True Applied', Approved: 'False OtherPlan' });
      expect(plan?.status?.history?.length).toBe(1);
    });
  });

  describe('bounds', () => {
    const many = Array.from({ length: 200 }, (_, i) => step('create', `IPAddressPool p${i}`, 'ready'));
    const crowd = Array.from({ length: 5000 }, (_, i) => hit(`team/s${i}`));

    test('its lists, and counts what there is', () => {
      const left = change(digest('a'), step('delete', 'IPAddressPool web', 'held', crowd));
      const life = new Life();
      const first = change(digest('a'), ...many, ...left.steps);
      const plan = life.look('one', { first, left, progress: HELD });
      expect(plan?.spec.steps?.length).toBe(PLAN_BOUNDS.steps);
      expect(plan?.spec.affected?.length).toBe(PLAN_BOUNDS.affected);
      expect(plan?.spec).toMatchObject({ stepCount: 201, waitingCount: 1, affectedCount: 5000 });
      expect(plan?.spec.steps?.[0]).toMatchObject({ state: 'Held', affectedCount: 5000 });
      expect(plan?.spec.steps?.[0]?.affected?.length).toBe(PLAN_BOUNDS.affected);
      const before = life.writes;
      life.look('one', { first: left, left, progress: HELD });
      expect(life.writes).toBe(before);
    });

    test('its texts', () => {
      const long = { ...REMOVE, path: 'p'.repeat(5000), changes: Array(100).fill('c'.repeat(5000)) };
      const left = change(digest('a'), long);
      const [shown] = new Life().look('one', { first: left, left, progress: HELD })?.spec.steps ?? [];
      expect(shown?.path.length).toBe(PLAN_BOUNDS.text);
      expect(shown?.changes?.map((c) => c.length)).toEqual(Array(PLAN_BOUNDS.changes).fill(PLAN_BOUNDS.text));
      expect(shown?.changeCount).toBe(100);
    });

    test('its history', () => {
      const life = new Life();
      for (let i = 0; i < 15; i++) life.look(`text ${i}`, { first: change('', ADD) });
      const history = life.plan?.status?.history ?? [];
      expect(history.map((h) => h.sourceDigest)).toEqual(
        Array.from({ length: PLAN_BOUNDS.history }, (_, i) => `text ${14 - i}`),
      );
    });
  });
});
