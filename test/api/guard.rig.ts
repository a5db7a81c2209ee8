/** Watches every status that the API server stores: what must never happen is seen even if it lasts for one write only. */
import { type Service, Services } from '../../src/domain/api/core.ts';
import { keyOf } from '../../src/domain/api/object.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { until } from '../servers/index.ts';
import { addresses } from './controller.rig.ts';
import { reflector } from './kube.rig.ts';

export interface Guard {
  /** An address at two Services, or one that a Service lost or that changed. Empty when all is well. */
  readonly faults: readonly string[];
  /** Services that have an address now. */
  served(): number;
  /** Resolves once so many have one; throws with what is known when that does not come about. */
  whenServed(count: number, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** For Services that share no address and change nothing by which they could lose theirs. */
export async function startGuard(client: KubeClient, namespace: string): Promise<Guard> {
  const faults: string[] = [];
  const holders = new Map<string, string>();
  const had = new Map<string, { readonly uid: string; readonly address: string }>();
  const seen = reflector({ client, kind: Services, namespace });
  const judge = (key: string, service: Service) => {
    const [address, before] = [addresses(service), had.get(key)];
    if (before?.uid === service.metadata.uid && before.address !== '' && before.address !== address)
      faults.push(`${key} had ${before.address} and now has ${address || 'none'}`);
    const holder = holders.get(address);
    if (address !== '' && holder !== undefined && holder !== key)
      faults.push(`${key} was given ${address}, which ${holder} has`);
    if (address !== '') holders.set(address, key);
    had.set(key, { uid: service.metadata.uid, address });
  };
  seen.onChange((key) => {
    const before = had.get(key)?.address ?? '';
    const service = seen.store.get(key);
    if (holders.get(before) === key && (!service || addresses(service) !== before)) holders.delete(before);
    if (service) judge(keyOf(service), service);
    else had.delete(key);
  });
  seen.start();
  await seen.whenSynced(AbortSignal.timeout(30_000));
  return {
    faults,
    served: () => holders.size,
    whenServed: async (count, timeoutMs = 60_000) => {
      const enough = () => holders.size >= count;
      await until(`${count} Services to be served`, enough, { timeoutMs }).catch((e: unknown) => {
        throw new Error(`${holders.size} of ${count} served; ${faults.join('; ')}`, { cause: e });
      });
    },
    close: () => seen.close(),
  };
}
