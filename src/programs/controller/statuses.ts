import { isDeepStrictEqual } from 'node:util';
import { type Condition, kubeTime, withCondition } from '../../domain/api/conditions.ts';
import { type Kind, type KubeObject, keyOf } from '../../domain/api/object.ts';
import { isConflict, isNotFound } from '../../platform/kube/client.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Reflector } from '../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { Doors } from './doors.ts';
import { Echo } from './echo.ts';

/** Changes within this time make one look. */
const GATHER_MS = 200;

/** What a status is to say, apart from times and generations. */
export interface Standing {
  /** Fields of the status beside observedGeneration and conditions, none of them absent. */
  readonly shown: Readonly<Record<string, unknown>>;
  /** Condition Ready. */
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
}

interface WithStatus extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface StatusesOptions<T extends WithStatus> {
  readonly doors: Doors;
  readonly kind: Kind<T>;
  readonly cache: Reflector<T>;
  /** Undefined while it cannot be told. */
  readonly say: (object: T) => Standing | undefined;
}

/** Keeps the statuses of a kind true that say what the ledger makes of its objects. */
export class Statuses<T extends WithStatus> {
  readonly #o: StatusesOptions<T>;
  readonly #resource: Resource<T>;
  readonly #queue: Queue;
  readonly #echo = new Echo<T>();
  readonly #stop: () => void;

  constructor(o: StatusesOptions<T>) {
    this.#o = o;
    const { client, clock, random, log } = o.doors;
    this.#resource = resource(client, o.kind);
    this.#queue = new Queue({
      run: (key) => this.#write(key),
      clock,
      random,
      log: log.child({ op: o.kind.plural }),
    });
    this.#queue.start();
    this.#stop = o.cache.onChange((key) => this.#queue.addAfter(key, GATHER_MS));
  }

  /** Tells that all of them may say something else than before. */
  touch(): void {
    for (const object of this.#o.cache.store.list()) this.#queue.addAfter(keyOf(object), GATHER_MS);
  }

  close(): Promise<void> {
    this.#stop();
    return this.#queue.close();
  }

  async #write(key: string): Promise<void> {
    try {
      await this.now(key);
    } catch (error) {
      if (!isConflict(error)) throw error;
      this.#queue.addAfter(key, GATHER_MS);
    }
  }

  /** Has the status of one say it when this resolves. Throws what the API server answers, a conflict too. */
  async now(key: string): Promise<void> {
    const { doors, cache, say } = this.#o;
    const object = this.#echo.current(key, cache.store.get(key));
    const standing = object && say(object);
    if (!standing) return;
    const { name, namespace = '', generation, resourceVersion } = object.metadata;
    const { shown, ready, reason, message } = standing;
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason,
      message,
      observedGeneration: generation,
    } as const;
    const present = object.status?.conditions ?? [];
    const conditions = withCondition(present, condition, kubeTime(doors.clock.date()));
    const status = { observedGeneration: generation, conditions, ...shown };
    if (isDeepStrictEqual(status, { ...object.status })) return;
    try {
      const written = await this.#resource.mergePatch(
        { name, namespace },
        { metadata: { resourceVersion }, status },
        { subresource: 'status', fieldManager: doors.fieldManager, signal: doors.grace },
      );
      this.#echo.wrote(object, written);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
