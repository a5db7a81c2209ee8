/** Loads of Services for the benches of controllers, and what an API server takes of them. */
import type { Service } from '../../../src/domain/api/core.ts';
import type { Cluster } from '../../api/controller.rig.ts';
import { type ApiServer, copyService } from '../../servers/index.ts';

/** Requests of the bench under way at once. */
export const PARALLEL = 32;
/** There are only some 2,700 node ports. */
export const PORTLESS = { allocateLoadBalancerNodePorts: false };

/** Runs `f` for each number below `count`, PARALLEL at a time; resolves to the milliseconds it took. */
export async function inParallel(count: number, f: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await f(next++);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return performance.now() - start;
}

/** Makes Services that no controller serves. */
export async function makeOthers(cluster: Cluster, count: number): Promise<Service[]> {
  const spec = { ...PORTLESS, loadBalancerClass: 'example.com/other' };
  const made: Service[] = [];
  await inParallel(count, async (i) => {
    made[i] = await cluster.service(`bench/raw${i}`, { spec });
  });
  return made;
}

/**
 * Status patches a second that the server takes when they are sent as the controller sends them, one to each of `others`, which
 * are then as the server has them.
 */
export async function patchRate(cluster: Cluster, others: Service[]): Promise<number> {
  const ms = await inParallel(others.length, async (i) => {
    const service = others[i];
    if (service) others[i] = await patchStatus(cluster, service, i);
  });
  return (others.length / ms) * 1000;
}

function patchStatus(cluster: Cluster, { metadata }: Service, i: number): Promise<Service> {
  const { name, namespace = '', resourceVersion } = metadata;
  const condition = {
    type: 'herald.io/Allocated',
    status: 'True',
    reason: 'OpenPool',
    message: 'lowest free of a pool open to all',
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const ingress = [{ ip: `10.${200 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}` }];
  const body = {
    metadata: { resourceVersion, annotations: { 'metallb.io/ip-allocated-from-pool': 'bench' } },
    status: { loadBalancer: { ingress }, conditions: [condition] },
  };
  const options = { subresource: 'status', fieldManager: 'herald-controller' } as const;
  return cluster.services.mergePatch({ name, namespace }, body, options);
}

/** Services bench/s0 and on, with their cluster addresses. */
export async function seed(api: ApiServer, cluster: Cluster, count: number): Promise<void> {
  await cluster.service('bench/s0', { spec: PORTLESS });
  const copies = Array.from({ length: count - 1 }, (_, i) => ({ name: `s${i + 1}` }));
  await copyService(api, { namespace: 'bench', like: { name: 's0' } }, copies);
}

/** Writes of Service statuses that the server has been asked for since it started, those without effect included. */
export async function statusWrites(api: ApiServer): Promise<number> {
  const { body } = await api.get('/metrics');
  const lines = body
    .split('\n')
    .filter((line) => /^apiserver_request_total\{.*resource="services"/.test(line));
  return lines
    .filter((line) => line.includes('subresource="status"') && /verb="(PUT|PATCH|APPLY)"/.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
