import type { Namespace, Node, Service } from '../api/core.ts';
import type { ChangePolicy } from '../api/values.ts';
import type { Plan, PlanInput } from './plan.ts';

/** What a change may hurt, and what decides who may use and who announces an address. */
export interface Scene {
  /** All Services of type LoadBalancer that Herald (or the back end that it drives) serves, with or without addresses. */
  readonly services: readonly Service[];
  readonly namespaces: readonly Namespace[];
  readonly nodes: readonly Node[];
  /** Whether speakers announce from nodes labelled against it too (upstream's --ignore-exclude-lb). */
  readonly ignoreExclude?: boolean;
}

export interface JudgeInput extends PlanInput {
  /** Absent: Services cannot be read. Then whatever could take an address away is held. */
  readonly scene: Scene | undefined;
  /** Policy of a source, for objects that carry none of their own (annotation ON_CHANGE, of the desired or else the live object). */
  readonly policy: (source: string) => ChangePolicy;
  /** By source, the digest that was approved. It covers the plan with just this digest. */
  readonly approved: ReadonlyMap<string, string>;
  /** False where upstream's controller gives the addresses: it knows neither draining nor moving ranges, both are then held. */
  readonly drains: boolean;
}

/** What becomes of a live Service. */
export type Fate =
  /** Its address is in no pool that it may use, and some other one is free. */
  | 'moves'
  /** The same, and none is free. */
  | 'loses'
  /** It keeps its address, and nobody announces it any more. */
  | 'unannounced'
  /** It keeps its address, and another node announces it (layer 2). Told, never held. */
  | 'changes-owner';

/** A Service that a step concerns. */
export interface Affected {
  /** "namespace/name". */
  readonly service: string;
  readonly addresses: readonly string[];
  readonly fate: Fate;
  /** In words: `192.0.2.5 is no longer in pool "web"`. */
  readonly reason: string;
}

/**
 * ready: it is written now. held: not written until somebody decides. draining, moving: waits for its last Service to leave.
 * skipped: the live object is annotated RECONCILE "disabled", and nobody waits for it.
 */
export type StepState = 'ready' | 'held' | 'draining' | 'moving' | 'skipped';

/** The change of one object, for people. A change of which one part is safe and another is not makes two steps. */
export interface Step {
  /** "IPAddressPool web". */
  readonly object: string;
  readonly action: 'create' | 'update' | 'delete';
  /** Where its source says so: "pools.web"; of a deleted object, where it last stood. */
  readonly path: string;
  /** One line a field, never a secret: "spec.addresses: 192.0.2.0/28 removed". */
  readonly changes: readonly string[];
  readonly state: StepState;
  /** Why it is not held although it hurts (policy force, approved), or why it is. */
  readonly because?: string;
  readonly affected: readonly Affected[];
}

/** What one source would change. */
export interface SourceChange {
  readonly source: string;
  /** "sha256:..." of the steps that hurt and whom they hurt: another change, or another Service hurt, is another digest. "" if nothing hurts. */
  readonly digest: string;
  readonly policy: ChangePolicy;
  readonly steps: readonly Step[];
}

/** The plan to carry out now, and the whole story for people. */
export interface Judged {
  /** Safe, approved and forced writes, and the marks of draining and moving ranges: in stages, as `plan` makes them. */
  readonly plan: Plan;
  /** By source, those only that would change something. */
  readonly changes: readonly SourceChange[];
  /** All Services that something happens to, held or not, each once with its worst fate. */
  readonly affected: readonly Affected[];
}

/** Signature of domain/change/judge.ts. */
export type Judge = (input: JudgeInput) => Judged;
