import { type KubeObject, keyOf } from '../../domain/api/object.ts';

interface Own<T> {
  readonly object: T;
  /** Versions that are older than the object. */
  readonly superseded: Set<string>;
}

/**
 * Reads one's own writes: between an answer to a write and the watch event of the same change, the cache shows the past,
 * and deciding on it again would take back what was just decided. Versions are compared for equality only.
 */
export class Echo<T extends KubeObject> {
  readonly #own = new Map<string, Own<T>>();

  /** The newer one of what the cache has and what was written here; undefined when the cache has nothing. */
  current(key: string, cached: T | undefined): T | undefined {
    const own = this.#own.get(key);
    if (cached && own?.superseded.has(cached.metadata.resourceVersion)) return own.object;
    this.#own.delete(key);
    return cached;
  }

  /** Takes the answer to a write that was made on `before`. */
  wrote(before: T, object: T): void {
    const key = keyOf(object);
    const superseded = this.#own.get(key)?.superseded ?? new Set();
    if (before.metadata.resourceVersion === object.metadata.resourceVersion) return;
    superseded.add(before.metadata.resourceVersion);
    this.#own.set(key, { object, superseded });
  }

  /** Whether this is just what was written here, so that a change event brings no news. */
  isOwn(key: string, cached: T | undefined): boolean {
    const written = this.#own.get(key)?.object.metadata.resourceVersion;
    return written !== undefined && cached?.metadata.resourceVersion === written;
  }
}
