import { isDeepStrictEqual } from 'node:util';
import { COMPONENT_TYPE } from '../../domain/api/annotations.ts';
import { type Condition, kubeTime, withCondition } from '../../domain/api/conditions.ts';
import { Pods } from '../../domain/api/core.ts';
import {
  type ConfigurationState,
  type ConfigurationStateStatus,
  ConfigurationStates,
} from '../../domain/api/metallb.ts';
import type { OwnerReference } from '../../domain/api/object.ts';
import { type Problem, problemText } from '../../domain/api/problem.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../platform/kube/client.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Reflector } from '../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { Doors } from './doors.ts';
import { Echo } from './echo.ts';

/** Upstream's name of the object and of its one condition. */
export const STATE_NAME = 'controller';
const VALID = 'poolReconcilerValid';
/** All in one condition message, which the API bounds at 32768 characters: more than this many help nobody. */
const SHOWN = 20;

/** Says in the ConfigurationState whether the present objects are a valid configuration; writes only what changes. */
export class Report {
  readonly #doors: Doors;
  readonly #cache: Reflector<ConfigurationState>;
  readonly #resource: Resource<ConfigurationState>;
  readonly #podName: string;
  readonly #queue: Queue;
  readonly #echo = new Echo<ConfigurationState>();
  readonly #stop: () => void;
  #problems: readonly Problem[] | undefined;
  #owner: OwnerReference | undefined;

  constructor(o: { doors: Doors; cache: Reflector<ConfigurationState>; podName: string }) {
    this.#doors = o.doors;
    this.#cache = o.cache;
    this.#podName = o.podName;
    this.#resource = resource(o.doors.client, ConfigurationStates);
    const { clock, random, log } = o.doors;
    this.#queue = new Queue({ run: () => this.#write(), clock, random, log: log.child({ op: 'report' }) });
    this.#queue.start();
    // Also when somebody deletes or edits it.
    this.#stop = o.cache.onChange(() => this.#queue.add(STATE_NAME));
  }

  /** No problems: the configuration is valid. */
  tell(problems: readonly Problem[]): void {
    this.#problems = problems;
    this.#queue.add(STATE_NAME);
  }

  close(): Promise<void> {
    this.#stop();
    return this.#queue.close();
  }

  async #write(): Promise<void> {
    if (!this.#problems) return;
    await this.#cache.whenSynced(this.#doors.grace);
    const key = `${this.#doors.namespace}/${STATE_NAME}`;
    try {
      const cached = this.#echo.current(key, this.#cache.store.get(key));
      const named = cached ? await this.#named(cached) : await this.#create();
      await this.#state(named, this.#problems);
    } catch (error) {
      // Made, changed or deleted by somebody else at this moment: the cache brings it, or the next try finds it gone.
      if (!isConflict(error) && !isAlreadyExists(error) && !isNotFound(error)) throw error;
      this.#queue.addAfter(STATE_NAME, 100);
    }
  }

  async #metadata() {
    const owner = await this.#ownPod();
    return { labels: { [COMPONENT_TYPE]: 'controller' }, ...(owner && { ownerReferences: [owner] }) };
  }

  async #create(): Promise<ConfigurationState> {
    const { apiVersion, kind } = { apiVersion: 'metallb.io/v1beta1', kind: 'ConfigurationState' };
    const { namespace, fieldManager, grace } = this.#doors;
    const metadata = { name: STATE_NAME, namespace, ...(await this.#metadata()) };
    return await this.#resource.create({ apiVersion, kind, metadata }, { fieldManager, signal: grace });
  }

  /** The object belongs to the pod that leads, and goes with it. */
  async #named(state: ConfigurationState): Promise<ConfigurationState> {
    const { labels, ownerReferences } = await this.#metadata();
    const labelled = Object.entries(labels).every(([name, value]) => state.metadata.labels[name] === value);
    const owned = !ownerReferences || isDeepStrictEqual(state.metadata.ownerReferences, ownerReferences);
    if (labelled && owned) return state;
    const { resourceVersion } = state.metadata;
    const metadata = { resourceVersion, labels, ...(ownerReferences && { ownerReferences }) };
    return await this.#patch(state, { metadata });
  }

  async #state(state: ConfigurationState, problems: readonly Problem[]): Promise<void> {
    const status = statusOf(state.status, problems, kubeTime(this.#doors.clock.date()));
    if (isDeepStrictEqual(status, state.status)) return;
    const { resourceVersion } = state.metadata;
    const body = { metadata: { resourceVersion }, status: { errorSummary: null, ...status } };
    await this.#patch(state, body, 'status');
  }

  async #patch(state: ConfigurationState, body: object, subresource?: 'status'): Promise<ConfigurationState> {
    const { namespace, fieldManager, grace } = this.#doors;
    const options = { fieldManager, signal: grace, ...(subresource && { subresource }) };
    const written = await this.#resource.mergePatch({ name: STATE_NAME, namespace }, body, options);
    this.#echo.wrote(state, written);
    return written;
  }

  async #ownPod(): Promise<OwnerReference | undefined> {
    if (this.#owner || this.#podName === '') return this.#owner;
    const ref = { name: this.#podName, namespace: this.#doors.namespace };
    const pod = await resource(this.#doors.client, Pods).get(ref, { signal: this.#doors.grace });
    if (pod) this.#owner = { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid };
    return this.#owner;
  }
}

/** The status that says this; conditions of others are kept. */
export function statusOf(
  before: ConfigurationStateStatus | undefined,
  problems: readonly Problem[],
  now: string,
): ConfigurationStateStatus {
  const message = problems.length === 0 ? '' : `configuration error: ${summary(problems)}`;
  const said: Omit<Condition, 'lastTransitionTime'> =
    problems.length === 0
      ? { type: VALID, status: 'True', reason: 'Reconciled', message }
      : { type: VALID, status: 'False', reason: 'ConfigurationError', message };
  const conditions = withCondition(before?.conditions ?? [], said, now);
  if (problems.length === 0) return { conditions, result: 'Valid' };
  return { conditions, errorSummary: message, result: 'Invalid' };
}

function summary(problems: readonly Problem[]): string {
  const shown = problems.slice(0, SHOWN).map((problem) => problemText(problem).slice(0, 1000));
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
