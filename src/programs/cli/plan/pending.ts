import { type Plan, type PlanStep, Plans } from '../../../domain/api/herald.ts';
import type { Affected, SourceChange, Step, StepState } from '../../../domain/change/model.ts';
import { eachOnce } from '../../../domain/change/summary.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { resource } from '../../../platform/kube/resource.ts';
import { count, type Planned } from './plan.ts';

/** The plans that the cluster has not carried out, as its Plan objects show them. */
export async function pending(client: KubeClient, namespace: string): Promise<Planned> {
  const { items } = await resource(client, Plans).list({ namespace });
  const open = items.filter((plan) => plan.status?.state !== 'Applied');
  const changes = open.map(changeOf);
  return {
    problems: [],
    changes,
    affected: eachOnce(open.flatMap(affectedOf)),
    counts: count(changes.flatMap((c) => c.steps)),
    remarks: open.flatMap(({ metadata, spec }) => {
      const left = (spec.stepCount ?? 0) - (spec.steps ?? []).length;
      return left > 0
        ? [`Plan ${metadata.name} has ${left} further steps that its object does not show.`]
        : [];
    }),
  };
}

function changeOf(plan: Plan): SourceChange {
  const { source, digest, policy = 'hold', steps = [] } = plan.spec;
  const affected = new Map(affectedOf(plan).map((a) => [a.service, a]));
  return {
    source,
    digest,
    policy,
    steps: steps.filter((s) => s.state !== 'Done').map((s) => stepOf(s, affected)),
  };
}

const STATES: Readonly<Record<Exclude<PlanStep['state'], 'Done'>, StepState>> = {
  Ready: 'ready',
  Held: 'held',
  Draining: 'draining',
  Moving: 'moving',
};

function stepOf(step: PlanStep, affected: ReadonlyMap<string, Affected>): Step {
  const { object, action, path, changes = [], state, because } = step;
  return {
    object,
    action,
    path,
    changes,
    state: state === 'Done' ? 'ready' : STATES[state],
    ...(because !== undefined && { because }),
    affected: (step.affected ?? []).flatMap((name) => affected.get(name) ?? []),
  };
}

function affectedOf({ spec }: Plan): readonly Affected[] {
  return (spec.affected ?? []).map(({ service, addresses = [], fate, reason = '' }) => ({
    service,
    addresses,
    fate,
    reason,
  }));
}
