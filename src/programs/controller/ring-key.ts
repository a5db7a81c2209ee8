import { randomBytes } from 'node:crypto';
import { Secrets } from '../../domain/api/core.ts';
import { rawKind } from '../../domain/api/kind.ts';
import { isConflict } from '../../platform/kube/client.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { resource } from '../../platform/kube/resource.ts';
import type { Doors } from './doors.ts';

/** Where the key of the speakers' ring is. */
export interface RingKeyOptions {
  /** Name of the Secret. */
  readonly secret: string;
  /** The Deployment that the Secret goes with; "" for none. */
  readonly deployment: string;
}

/** Upstream's name of the key within the Secret, and how long its own are. */
const KEY = 'secretkey';
const BYTES = 16;

const Deployments = rawKind({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
});

/**
 * Makes the Secret by which speakers know each other, if there is none, and tries until it is there. It is upstream's, so that speakers of both
 * products can share a ring. Whoever wants another key changes the Secret.
 */
export function makeRingKey(doors: Doors, o: RingKeyOptions): { close(): Promise<void> } {
  const { client, clock, random, namespace, fieldManager } = doors;
  const log = doors.log.child({ op: 'ring' });
  const run = async (name: string, signal: AbortSignal): Promise<void> => {
    const secrets = resource(client, Secrets);
    if (await secrets.get({ name, namespace }, { signal })) return;
    const owner =
      o.deployment === ''
        ? undefined
        : await resource(client, Deployments).get({ name: o.deployment, namespace }, { signal });
    const body = {
      metadata: {
        name,
        namespace,
        ...(owner && {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'Deployment', name: owner.metadata.name, uid: owner.metadata.uid },
          ],
        }),
      },
      type: 'Opaque',
      stringData: { [KEY]: randomBytes(BYTES).toString('base64').replaceAll('=', '') },
    };
    try {
      await secrets.create(body, { fieldManager, signal });
      log.info({ secret: name }, 'made the key of the ring of speakers');
    } catch (e) {
      // Somebody was faster.
      if (!isConflict(e)) throw e;
    }
  };
  const queue = new Queue({ run, clock, random, log });
  queue.add(o.secret);
  queue.start();
  return queue;
}
