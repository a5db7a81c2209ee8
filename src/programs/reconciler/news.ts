import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../domain/api/object.ts';
import type { Store } from '../../platform/kube/store.ts';

/** An object before and after a change; undefined where it is not there. */
export interface Change<T> {
  readonly before: T | undefined;
  readonly now: T | undefined;
}

/**
 * Tells which changes of a store matter: most writes to an object touch only its status, its version or its bookkeeping, and
 * are no reason to look at everything again.
 */
export class News<T extends KubeObject> {
  readonly #store: Pick<Store<T>, 'get'>;
  readonly #relevant: (object: T) => unknown;
  readonly #last = new Map<string, T>();

  /** `relevant`: what of an object matters; plain data. */
  constructor(store: Pick<Store<T>, 'get'>, relevant: (object: T) => unknown) {
    this.#store = store;
    this.#relevant = relevant;
  }

  /** The last change; undefined when nothing that matters has changed. To be asked once for each. */
  of(key: string): Change<T> | undefined {
    const before = this.#last.get(key);
    const now = this.#store.get(key);
    if (now) this.#last.set(key, now);
    else this.#last.delete(key);
    if (before && now && before.metadata.uid === now.metadata.uid) {
      if (isDeepStrictEqual(this.#relevant(before), this.#relevant(now))) return undefined;
    } else if (!before && !now) return undefined;
    return { before, now };
  }
}
