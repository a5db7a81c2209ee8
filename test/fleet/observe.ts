import type { KubeClient } from '../../src/platform/kube/client.ts';

/** Any object of the API, read only for what a test looks at. */
export interface Raw {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly [field: string]: unknown;
}

/** An object that was waited for, and when it was first seen so (milliseconds of `performance.now`). */
export interface Seen {
  readonly object: Raw;
  readonly at: number;
}

/** Reads `a.b[0].c` of a nested value; undefined where a step is missing. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .reduce<unknown>(
      (v, key) => (typeof v === 'object' && v !== null ? Reflect.get(v, key) : undefined),
      value,
    );
}

/** The condition of a type, as `Ready=False ValidationFailed: …`; empty when absent. */
export function condition(
  object: Raw,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  const all = at(object, 'status.conditions');
  if (!Array.isArray(all)) return undefined;
  const found: unknown = all.find((c) => at(c, 'type') === type);
  return found === undefined
    ? undefined
    : {
        status: String(at(found, 'status')),
        reason: String(at(found, 'reason')),
        message: String(at(found, 'message')),
      };
}

/** True when the condition `type` has this status and speaks about the present generation. */
export function isCurrently(object: Raw, type: string, status: 'True' | 'False'): boolean {
  const seen = at(object, 'status.observedGeneration');
  return (
    condition(object, type)?.status === status &&
    (seen === undefined || seen === at(object, 'metadata.generation'))
  );
}

interface Wanted {
  /** Collection path, for example `/api/v1/namespaces/default/services`. */
  readonly path: string;
  readonly name: string;
  readonly until: (object: Raw) => boolean;
  /** What is waited for, for the error. */
  readonly what: string;
  readonly timeoutMs?: number;
}

/**
 * Waits until one object satisfies a predicate: list, then watch, from the moment of the call. A deleted or missing
 * object does not satisfy. Throws with the object's last state when the time is over.
 */
export async function observe(client: KubeClient, w: Wanted): Promise<Seen> {
  const signal = AbortSignal.timeout(w.timeoutMs ?? 60_000);
  const fieldSelector = `metadata.name=${w.name}`;
  let last: unknown;
  try {
    for (;;) {
      const list = await client
        .request({ method: 'GET', path: w.path, query: { fieldSelector }, signal })
        .catch(retryable);
      const items = at(list, 'items');
      const first: unknown = Array.isArray(items) ? items[0] : undefined;
      last = first ?? last;
      if (isRaw(first) && w.until(first)) return { object: first, at: performance.now() };
      const resourceVersion = at(list, 'metadata.resourceVersion');
      if (typeof resourceVersion !== 'string') {
        await new Promise((r) => setTimeout(r, 200));
        signal.throwIfAborted();
        continue;
      }
      const watch = client.watch({
        path: w.path,
        query: { fieldSelector, resourceVersion, timeoutSeconds: '60' },
        signal,
      });
      for await (const event of watch) {
        const object = at(event, 'object');
        if (at(event, 'type') === 'ERROR') break;
        last = object;
        if (at(event, 'type') !== 'DELETED' && isRaw(object) && w.until(object))
          return { object, at: performance.now() };
      }
    }
  } catch (e) {
    throw new Error(
      `${w.what}: not seen in ${w.timeoutMs ?? 60_000} ms; last ${JSON.stringify(at(last, 'status') ?? last)}`,
      {
        cause: e,
      },
    );
  }
}

/** A kind that is not served yet, or a server that starts, is not an answer: look again. */
const retryable = (e: unknown): undefined => {
  if (e instanceof Error && e.name === 'AbortError') throw e;
  return undefined;
};

const isRaw = (o: unknown): o is Raw => typeof at(o, 'metadata.uid') === 'string';
