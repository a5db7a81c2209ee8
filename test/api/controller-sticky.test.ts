import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { addresses, allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let program: Program | undefined;

const remove = (name: string) => cluster.services.delete({ name, namespace: 't1' });
/** Resolves once the controller has given back so many addresses that `used` are left. */
const used = (count: number) =>
  until(`${count} addresses in use`, async () => {
    const pool = await cluster.pools.get({ name: 'a', namespace: NAMESPACE });
    return pool?.status?.assignedIPv4 === count;
  });

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
});
afterEach(async () => {
  await program?.stop();
  await cluster.clear();
});
afterAll(async () => {
  await kube?.close();
  await api?.stop();
});

describe('a Service that is deleted and made again', () => {
  it('gets its address back within the time, whoever came meanwhile and however fast it was', async () => {
    await cluster.pool('a', { addresses: ['192.0.2.0/29'] });
    program = await startController(api, { args: ['--sticky-grace=600'] });
    for (const name of ['a', 'b']) {
      await cluster.service(`t1/${name}`);
      await cluster.address(`t1/${name}`);
    }
    await Promise.all([remove('a'), remove('b')]);
    await used(0);
    await cluster.service('t1/c');
    expect(await cluster.address('t1/c')).toBe('192.0.2.2');
    await cluster.service('t1/b');
    const again = await cluster.when('t1/b', (s) => s.status.ingress.length > 0);
    expect([addresses(again), allocated(again)?.reason]).toEqual(['192.0.2.1', 'Returned']);
    await remove('b');
    await cluster.service('t1/b');
    expect(await cluster.address('t1/b')).toBe('192.0.2.1');
  });

  it('gets the lowest free address without the option, as with MetalLB', async () => {
    await cluster.pool('a', { addresses: ['192.0.2.0/29'] });
    program = await startController(api);
    for (const name of ['a', 'b']) {
      await cluster.service(`t1/${name}`);
      await cluster.address(`t1/${name}`);
    }
    await Promise.all([remove('a'), remove('b')]);
    await used(0);
    await cluster.service('t1/b');
    expect(await cluster.address('t1/b')).toBe('192.0.2.0');
  });
});
