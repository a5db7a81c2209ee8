/** The coordination.k8s.io/v1 Lease as an object: its place, what is read of it, and its changes as they come. */
import { isRecord } from './errors.ts';
import { collectionPath } from './paths.ts';
import type { KubeClient } from './ports.ts';

export const LEASES = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

/** The lease as the server has it; everything unknown in it is kept when it is written. */
export interface Held {
  readonly raw: Record<string, unknown>;
  readonly spec: Record<string, unknown>;
  readonly version: string;
  /** Empty when nobody holds it. */
  readonly holder: string;
}

/** Throws when the object is no Lease. */
export function heldOf(raw: unknown): Held {
  const meta = isRecord(raw) ? raw.metadata : undefined;
  if (!isRecord(raw) || !isRecord(meta) || typeof meta.resourceVersion !== 'string')
    throw new Error('not a Lease');
  const spec = isRecord(raw.spec) ? raw.spec : {};
  const holder = typeof spec.holderIdentity === 'string' ? spec.holderIdentity : '';
  return { raw, spec, version: meta.resourceVersion, holder };
}

/** metav1.MicroTime. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}

/**
 * What becomes of one Lease after the version `from`. Ends when the server ends the watch; throws as KubeClient.watch does, and
 * when the server says that it cannot go on from there.
 */
export async function* changesOf(o: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  readonly from: string;
  readonly signal: AbortSignal;
}): AsyncGenerator<Held | 'deleted'> {
  const { client, namespace, name, from, signal } = o;
  const path = collectionPath(LEASES, namespace);
  // RBAC grants a watch of one object by its name only with this selector.
  const query = { fieldSelector: `metadata.name=${name}`, resourceVersion: from };
  for await (const event of client.watch({ path, query, signal })) {
    if (!isRecord(event) || event.type === 'ERROR') throw new Error('watch of the Lease broke off');
    yield event.type === 'DELETED' ? 'deleted' : heldOf(event.object);
  }
}
