/** Turns raw objects into changes of a store: decoding, comparing, and keeping the last good form of what cannot be read. */
import { type Kind, type KubeObject, keyOf } from '../../domain/api/object.ts';
import { isRecord } from './errors.ts';
import { type Indexes, ObjectStore } from './store.ts';

/** What one raw object says of itself, before its kind is asked. */
interface Head {
  readonly key: string;
  readonly uid: string;
  readonly version: string;
}

/** Throws when the object cannot even be named: nothing can be kept of it. */
export function headOf(raw: unknown): Head {
  const meta = isRecord(raw) && isRecord(raw.metadata) ? raw.metadata : {};
  const { name, namespace, uid, resourceVersion } = meta;
  if (typeof name !== 'string' || typeof resourceVersion !== 'string' || typeof uid !== 'string') {
    throw new Error('object without name, uid or resourceVersion');
  }
  const key = keyOf({ metadata: typeof namespace === 'string' ? { name, namespace } : { name } });
  return { key, uid, version: resourceVersion };
}

/** What a list says of one object; undefined when it cannot be named. `object` undefined: what the store has of it stays. */
type Seen<T> = { readonly key: string; readonly object: T | undefined } | undefined;

/** A difference that the store has taken; `before`: what it had, if anything. */
export interface Changed<T> {
  readonly key: string;
  readonly before: T | undefined;
}

/** A list on its way in. The store changes at `finish`, all at once. */
export interface Listing<T> {
  /** What is kept of an object, which counts when `item` gets it. */
  read(raw: unknown): Seen<T>;
  item(seen: Seen<T>): void;
  /** Forgets what `item` got. */
  restart(): void;
  /** Makes the store equal to the list; returns what differs. */
  finish(): readonly Changed<T>[];
}

export class Mirror<T extends KubeObject> {
  readonly store: ObjectStore<T>;
  readonly #kind: Kind<T>;
  readonly #complain: (key: string, error: unknown) => void;
  /** Unreadable objects, key to version: each version is complained about once. */
  readonly #unreadable = new Map<string, string>();

  /** `complain` hears of each object that cannot be read; key "" when it cannot be named. */
  constructor(
    kind: Kind<T>,
    indexes: Indexes<T> | undefined,
    complain: (key: string, error: unknown) => void,
  ) {
    this.#kind = kind;
    this.store = new ObjectStore(indexes);
    this.#complain = complain;
  }

  /** Takes an added or modified object; undefined when the store did not change. */
  put(raw: unknown): Changed<T> | undefined {
    const head = headOf(raw);
    const object = this.#read(raw, head);
    if (object === undefined) return undefined;
    return { key: head.key, before: this.store.set(head.key, object) };
  }

  /** Takes a deleted object, readable or not; undefined when the store did not have it. */
  drop(raw: unknown): Changed<T> | undefined {
    const { key } = headOf(raw);
    this.#unreadable.delete(key);
    const before = this.store.delete(key);
    return before && { key, before };
  }

  listing(): Listing<T> {
    const seen = new Map<string, T | undefined>();
    return {
      read: (raw) => {
        try {
          const head = headOf(raw);
          return { key: head.key, object: this.#isNews(head) ? this.#read(raw, head) : undefined };
        } catch (e) {
          this.#complain('', e);
          return undefined;
        }
      },
      item: (one) => {
        if (one) seen.set(one.key, one.object);
      },
      restart: () => seen.clear(),
      finish: () => this.#replace(seen),
    };
  }

  #replace(seen: ReadonlyMap<string, T | undefined>): readonly Changed<T>[] {
    const changed: Changed<T>[] = [];
    for (const key of this.store.keys())
      if (!seen.has(key)) changed.push({ key, before: this.store.delete(key) });
    for (const key of this.#unreadable.keys()) if (!seen.has(key)) this.#unreadable.delete(key);
    for (const [key, object] of seen) {
      if (object === undefined) continue;
      changed.push({ key, before: this.store.set(key, object) });
    }
    return changed;
  }

  #isNews(head: Head): boolean {
    const known = this.store.get(head.key)?.metadata;
    return known?.resourceVersion !== head.version || known.uid !== head.uid;
  }

  #read(raw: unknown, { key, version }: Head): T | undefined {
    try {
      const object = this.#kind.decode(raw);
      this.#unreadable.delete(key);
      return object;
    } catch (e) {
      if (this.#unreadable.get(key) !== version) this.#complain(key, e);
      this.#unreadable.set(key, version);
      return undefined;
    }
  }
}
