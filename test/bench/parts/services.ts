/** Loads of Services for the benches of controllers, and what an API server takes of them. */
import { Services } from '../../../src/domain/api/core.ts';
import type { KubeClient } from '../../../src/platform/kube/client.ts';
import { resource } from '../../../src/platform/kube/resource.ts';
import type { Cluster } from '../../api/controller.rig.ts';
import type { ApiServer } from '../../servers/index.ts';

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

/**
 * Status patches a second that the server takes when they are sent as the controller sends them, to Services in namespace
 * "bench" that no controller serves.
 */
export async function patchRate(kube: KubeClient, cluster: Cluster, count: number): Promise<number> {
  const spec = { ...PORTLESS, loadBalancerClass: 'example.com/other' };
  const versions: string[] = [];
  await inParallel(count, async (i) => {
    versions[i] = (await cluster.service(`bench/raw${i}`, { spec })).metadata.resourceVersion;
  });
  const ms = await inParallel(count, (i) => patchStatus(kube, i, versions[i] ?? ''));
  await inParallel(count, (i) => resource(kube, Services).delete({ name: `raw${i}`, namespace: 'bench' }));
  return (count / ms) * 1000;
}

function patchStatus(kube: KubeClient, i: number, resourceVersion: string): Promise<unknown> {
  const condition = {
    type: 'herald.io/Allocated',
    status: 'True',
    reason: 'OpenPool',
    message: 'lowest free of a pool open to all',
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const ingress = [{ ip: `10.${200 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}` }];
  return kube.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/bench/services/raw${i}/status`,
    query: { fieldManager: 'herald-controller' },
    contentType: 'application/merge-patch+json',
    body: {
      metadata: { resourceVersion, annotations: { 'metallb.io/ip-allocated-from-pool': 'bench' } },
      status: { loadBalancer: { ingress }, conditions: [condition] },
    },
  });
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
