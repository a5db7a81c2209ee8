import { APPROVE } from '../../domain/api/annotations.ts';
import { kubeTime } from '../../domain/api/conditions.ts';
import {
  type ConfigSource,
  ConfigSources,
  type Plan,
  type PlanStatus,
  Plans,
} from '../../domain/api/herald.ts';
import { apiVersion, type Kind, keyOf } from '../../domain/api/object.ts';
import { eachOnce } from '../../domain/change/summary.ts';
import { isObject, sameJson, toJson } from '../../domain/desired/json.ts';
import { isConflict, isInvalid, isNotFound } from '../../platform/kube/client.ts';
import type { About, EventText } from '../../platform/kube/events.ts';
import type { Reflector } from '../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { ReconcilerMetrics } from './metrics.ts';
import { NAME, type Options } from './options.ts';
import { isOlder } from './overlay.ts';
import { type Approval, isOpen, isStale, planStatusOf, specOf, stateOf, type Turn } from './plan-object.ts';
import { cut, type Progress } from './status.ts';
import type { Approved } from './work.ts';

/** A Plan and who approved it. */
export interface SeenPlan extends Plan {
  /** Field manager that set the annotation; "" where there is none, or nobody knows. */
  readonly approver: string;
}

export const SeenPlans: Kind<SeenPlan> = {
  ...Plans,
  decode: (raw) => ({ ...Plans.decode(raw), approver: approverOf(raw) }),
};

export interface Kept {
  readonly turn: Turn;
  readonly progress: Progress;
  readonly configSource: ConfigSource;
}

/** Keeps one Plan for each source: what its latest change does, and how far it is. What is no news is not written. */
export class PlanKeeper {
  readonly #o: Options;
  readonly #seen: Reflector<SeenPlan>;
  readonly #resource: Resource<SeenPlan>;
  readonly #metrics: ReconcilerMetrics;
  readonly #tell: (about: About, event: EventText) => void;
  /** What we wrote last, until the watch has brought it. */
  readonly #written = new Map<string, SeenPlan>();

  constructor(
    o: Options & { readonly tell: (about: About, event: EventText) => void },
    seen: Reflector<SeenPlan>,
    metrics: ReconcilerMetrics,
  ) {
    this.#o = o;
    this.#tell = o.tell;
    this.#seen = seen;
    this.#metrics = metrics;
    this.#resource = resource(o.client, SeenPlans);
    // Made anew after that, it is another object.
    seen.onChange((key) => {
      if (!seen.store.get(key)) this.#written.delete(key.slice(key.indexOf('/') + 1));
    });
  }

  /** Approved digests by source. */
  approved(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#seen.store.list()].flatMap(({ metadata: { name, annotations } }) => {
        const digest = annotations[APPROVE];
        return digest === undefined ? [] : [[name, digest] as const];
      }),
    );
  }

  /** Approved plans whose writes were begun and did not come to their end; only those that their object shows whole. */
  begun(): ReadonlyMap<string, Approved> {
    return new Map(
      [...this.#seen.store.list()].flatMap((plan) => {
        const { spec, status, metadata } = plan;
        const approved = metadata.annotations[APPROVE] === spec.digest && spec.digest !== '';
        const steps = spec.steps ?? [];
        const whole =
          steps.length === spec.stepCount &&
          steps.every((s) => (s.affected ?? []).length === s.affectedCount);
        if (!approved || !whole || status?.state !== 'Applying') return [];
        const named = steps.map(({ object, action, affected = [] }) => ({
          object,
          action,
          affected: affected.map((service) => ({ service })),
        }));
        return [[metadata.name, { steps: named }] as const];
      }),
    );
  }

  /** Writes the Plan where it has news. Throws what the API server answers. */
  async keep(kept: Kept, signal: AbortSignal): Promise<void> {
    const { turn } = kept;
    this.#measure(turn);
    if (!this.#seen.synced) return;
    const before = this.#newest(turn.source);
    const approval = approvalOf(before);
    if (!this.#isNews(kept, before)) return;
    const spec = specOf(turn, before) ?? before?.spec;
    if (!spec) return;
    const plan =
      before && sameJson(toJson(before.spec), toJson(spec))
        ? before
        : await this.#apply(kept, { spec }, signal);
    const status = planStatusOf({
      turn,
      before,
      spec,
      generation: plan.metadata.generation,
      progress: kept.progress,
      ...(approval && { approval }),
      now: kubeTime(this.#o.clock.date()),
    });
    if (!sameJson(toJson(plan.status ?? {}), toJson(status))) {
      await this.#apply(kept, { status, uid: plan.metadata.uid }, signal);
      this.#tellStale(plan, status);
    }
    if (approval && status.state === 'Applied' && approval.digest === spec.digest)
      await this.#consume(plan, approval.digest, signal);
  }

  /** Takes the series of a source away. */
  forget(source: string): void {
    for (const state of STATES) this.#metrics.planSteps.remove({ source, state });
    this.#metrics.planAffected.remove({ source });
  }

  /** The repair of drift is no change of the source: it is told by an Event alone, unless it has to wait. */
  #isNews({ turn, configSource }: Kept, before: SeenPlan | undefined): boolean {
    const state = stateOf(turn.left);
    const repair = configSource.status?.digest === turn.sourceDigest;
    if (turn.first && repair && !isOpen(before)) return state !== 'Applied' && state !== 'Applying';
    return true;
  }

  async #apply(
    { turn, configSource }: Kept,
    part: { readonly spec: Plan['spec'] } | { readonly status: PlanStatus; readonly uid: string },
    signal: AbortSignal,
  ): Promise<SeenPlan> {
    const { metadata } = configSource;
    const isStatus = 'status' in part;
    const owner = { apiVersion: apiVersion(ConfigSources), kind: ConfigSources.kind };
    const body = {
      apiVersion: apiVersion(Plans),
      kind: Plans.kind,
      metadata: {
        name: turn.source,
        namespace: this.#o.namespace,
        // With its source the plan goes, too.
        ...(isStatus
          ? { uid: part.uid }
          : { ownerReferences: [{ ...owner, name: metadata.name, uid: metadata.uid }] }),
      },
      ...(isStatus ? { status: part.status } : { spec: part.spec }),
    };
    const sub = isStatus ? ({ subresource: 'status' } as const) : {};
    const written = await this.#resource.apply(body, { fieldManager: NAME, ...sub, signal });
    this.#written.set(turn.source, written);
    return written;
  }

  /** An approval is good for one time: the same change may come again, to Services that nobody thought of then. */
  async #consume({ metadata }: SeenPlan, digest: string, signal: AbortSignal): Promise<void> {
    const { name, namespace = '' } = metadata;
    const path = `/metadata/annotations/${APPROVE.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const patch = [{ op: 'test', path, value: digest } as const, { op: 'remove', path } as const];
    try {
      this.#written.set(
        name,
        await this.#resource.jsonPatch({ name, namespace }, patch, { fieldManager: NAME, signal }),
      );
    } catch (e) {
      // Somebody was faster: another approval stands there, or none.
      if (!isInvalid(e) && !isConflict(e) && !isNotFound(e)) throw e;
    }
  }

  #tellStale(plan: SeenPlan, status: PlanStatus): void {
    if (!isStale(status) || isStale(plan.status)) return;
    const message = status.conditions?.find((c) => c.type === 'Approved')?.message ?? '';
    this.#tell(aboutPlan(plan), { type: 'Warning', reason: 'ApprovalStale', message: cut(message) });
  }

  #newest(source: string): SeenPlan | undefined {
    const watched = this.#seen.store.get(keyOf({ metadata: { name: source, namespace: this.#o.namespace } }));
    const written = this.#written.get(source);
    if (written && (!watched || (watched.metadata.uid === written.metadata.uid && isOlder(watched, written))))
      return written;
    this.#written.delete(source);
    return watched;
  }

  #measure({ source, left }: Turn): void {
    for (const state of STATES) {
      const count = left?.steps.filter((s) => s.state === state).length ?? 0;
      this.#metrics.planSteps.set({ source, state }, count);
    }
    const waiting = left?.steps.filter((s) => s.state !== 'ready') ?? [];
    this.#metrics.planAffected.set({ source }, eachOnce(waiting.flatMap((s) => s.affected)).length);
  }
}

const STATES = ['held', 'draining', 'moving'] as const;

function aboutPlan({ metadata }: Plan): About {
  const { name, namespace = '', uid } = metadata;
  return { apiVersion: apiVersion(Plans), kind: Plans.kind, name, namespace, uid };
}

function approvalOf(plan: SeenPlan | undefined): Approval | undefined {
  const digest = plan?.metadata.annotations[APPROVE];
  return plan && digest !== undefined ? { digest, by: plan.approver || 'somebody' } : undefined;
}

/** The API server notes for each field who wrote it last. */
function approverOf(raw: unknown): string {
  const object = toJson(raw);
  const metadata = isObject(object) ? object.metadata : undefined;
  const managers = isObject(metadata) && Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  for (const entry of managers) {
    if (!isObject(entry) || typeof entry.manager !== 'string') continue;
    const fields = isObject(entry.fieldsV1) ? entry.fieldsV1['f:metadata'] : undefined;
    const annotations = isObject(fields) ? fields['f:annotations'] : undefined;
    if (isObject(annotations) && annotations[`f:${APPROVE}`] !== undefined) return entry.manager;
  }
  return '';
}
