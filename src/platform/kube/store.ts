/** The last known objects of one kind, by key and by named indexes. */
import type { KubeObject } from '../../domain/api/object.ts';

/** What readers see. Objects are shared and frozen by convention: nobody writes into them. */
export interface Store<T> {
  /** `key` as keyOf gives it: "namespace/name", or "name" when cluster-scoped. */
  get(key: string): T | undefined;
  list(): IterableIterator<T>;
  readonly size: number;
  /** All objects whose index function gave `value`. Throws for an index that was not named when the store was made. */
  by(index: string, value: string): Iterable<T>;
}

/** From an object to the values under which it is found. */
export type Indexes<T> = Readonly<Record<string, (o: T) => Iterable<string>>>;

interface Index<T> {
  readonly values: (o: T) => Iterable<string>;
  /** A set only where there are several: mostly there is one, and a set costs more than the object. */
  readonly keys: Map<string, string | Set<string>>;
}

const NONE: readonly string[] = [];

/** The store of a Reflector, which alone writes it. */
export class ObjectStore<T extends KubeObject> implements Store<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor(indexes: Indexes<T> = {}) {
    for (const [name, values] of Object.entries(indexes))
      this.#indexes.set(name, { values, keys: new Map() });
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): IterableIterator<T> {
    return this.#objects.values();
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  get size(): number {
    return this.#objects.size;
  }

  *by(index: string, value: string): Generator<T, void, void> {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`store has no index ${index}`);
    const keys = found.keys.get(value) ?? NONE;
    for (const key of typeof keys === 'string' ? [keys] : keys) {
      const object = this.#objects.get(key);
      if (object !== undefined) yield object;
    }
  }

  /** Returns what was there before. */
  set(key: string, object: T): T | undefined {
    const before = this.#unindex(key);
    this.#objects.set(key, object);
    for (const { values, keys } of this.#indexes.values()) {
      for (const value of values(object)) {
        const at = keys.get(value);
        if (at === undefined) keys.set(value, key);
        else if (typeof at !== 'string') at.add(key);
        else if (at !== key) keys.set(value, new Set([at, key]));
      }
    }
    return before;
  }

  /** Returns what was there before. */
  delete(key: string): T | undefined {
    const before = this.#unindex(key);
    this.#objects.delete(key);
    return before;
  }

  #unindex(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    for (const { values, keys } of this.#indexes.values()) {
      for (const value of values(old)) {
        const at = keys.get(value);
        if (typeof at === 'string') {
          if (at === key) keys.delete(value);
          continue;
        }
        at?.delete(key);
        if (at?.size === 0) keys.delete(value);
      }
    }
    return old;
  }
}
