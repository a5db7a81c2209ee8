import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let program: Program;

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
  program = await startController(api);
});
afterAll(async () => {
  await program?.stop();
  await kube?.close();
  await api?.stop();
});

describe('the strategy of a pool', () => {
  it('follows the annotation, is told in the condition, and moves nobody when it changes', async () => {
    await cluster.pool('a', { addresses: ['192.0.2.0/29'] });
    await api.kubectl(
      '-n',
      NAMESPACE,
      'annotate',
      'ipaddresspool',
      'a',
      'herald.io/allocation-strategy=least-recently-used',
    );
    await cluster.service('t1/first');
    expect(await cluster.address('t1/first')).toBe('192.0.2.0');
    await cluster.services.delete({ name: 'first', namespace: 't1' });
    await until('the address to be given back', async () => {
      const pool = await cluster.pools.get({ name: 'a', namespace: NAMESPACE });
      return pool?.status?.assignedIPv4 === 0;
    });
    await cluster.service('t1/next');
    const next = await cluster.when('t1/next', (s) => s.status.ingress.length > 0);
    expect(allocated(next)?.message).toBe('192.0.2.1 from pool a: least recently used of a pool open to all');
    await api.kubectl('-n', NAMESPACE, 'annotate', 'ipaddresspool', 'a', 'herald.io/allocation-strategy-');
    await cluster.service('t1/more');
    expect(await cluster.address('t1/more')).toBe('192.0.2.0');
    expect(await cluster.address('t1/next')).toBe('192.0.2.1');
  });

  it('goes with metrics of how full the pool is', async () => {
    const shows = (text: string) => until(text, async () => (await program.metrics()).includes(text));
    await shows('herald_pool_addresses_used{pool="a",family="IPv4"} 2');
    await shows('herald_pool_addresses_free{pool="a",family="IPv4"} 6');
    await shows('herald_pool_largest_free_block{pool="a",family="IPv4"} 6');
  });
});
