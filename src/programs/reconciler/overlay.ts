import type { KubeObject } from '../../domain/api/object.ts';
import { idOf, type LiveObject, viewOf } from '../../domain/desired/object.ts';

/**
 * What we wrote and the watch has not brought yet. Without it a render right after a write would see the object as it was, and
 * write it again.
 */
export class Overlay {
  readonly #written = new Map<string, LiveObject>();
  /** uid and version of what we deleted. */
  readonly #deleted = new Map<string, LiveObject>();

  wrote(object: LiveObject): void {
    this.#deleted.delete(idOf(viewOf(object)));
    this.#written.set(idOf(viewOf(object)), object);
  }

  deleted(object: LiveObject): void {
    this.#written.delete(idOf(viewOf(object)));
    this.#deleted.set(idOf(viewOf(object)), object);
  }

  /** The watch brought the end of an object: it came after our write, as we only make what we saw was not there. */
  gone(id: string): void {
    this.#written.delete(id);
    this.#deleted.delete(id);
  }

  /** What the server has of a kind, and what the watch has of it: what it has no longer is gone. */
  asked(present: readonly LiveObject[], watched: readonly LiveObject[]): void {
    const uids = new Set(present.map((o) => o.metadata.uid));
    for (const object of watched) if (!uids.has(object.metadata.uid)) this.deleted(object);
    for (const object of present) this.wrote(object);
  }

  /** After a failure we do not know what the server has: the watch alone counts. */
  clear(): void {
    this.#written.clear();
    this.#deleted.clear();
  }

  /** The watched objects with our own writes laid over them, as far as they are newer. */
  over(watched: readonly LiveObject[]): readonly LiveObject[] {
    const objects = new Map(watched.map((o) => [idOf(viewOf(o)), o]));
    for (const [id, ours] of this.#written) {
      const seen = objects.get(id);
      if (seen && !isOlder(seen, ours)) this.#written.delete(id);
      else objects.set(id, ours);
    }
    for (const [id, gone] of this.#deleted) {
      const seen = objects.get(id);
      if (
        seen?.metadata.uid === gone.metadata.uid &&
        seen.metadata.resourceVersion === gone.metadata.resourceVersion
      )
        objects.delete(id);
      else this.#deleted.delete(id);
    }
    return [...objects.values()];
  }
}

/** Whether the first is an earlier state than the second. Versions of one kind grow, and the API promises that they compare as numbers. */
export function isOlder(a: KubeObject, b: KubeObject): boolean {
  const [x, y] = [a.metadata.resourceVersion, b.metadata.resourceVersion];
  if (!/^\d+$/.test(x) || !/^\d+$/.test(y)) return false;
  return BigInt(x) < BigInt(y);
}
