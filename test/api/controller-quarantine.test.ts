import { afterAll, beforeAll, expect, it } from 'vitest';
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
});
afterAll(async () => {
  await program?.stop();
  await kube?.close();
  await api?.stop();
});

const quarantine = (text: string) =>
  cluster.pools.mergePatch(
    { name: 'a', namespace: NAMESPACE },
    { metadata: { annotations: { 'herald.io/quarantined': text } } },
  );

it('gives nobody an address in quarantine, says why, and tries it again once its time is up or it is named no more', async () => {
  await cluster.pool('a', { addresses: ['192.0.2.0/31'] });
  await quarantine('192.0.2.0 the old printer has it');
  program = await startController(api);
  await cluster.service('t1/a');
  expect(await cluster.address('t1/a')).toBe('192.0.2.1');
  const shows =
    'herald_quarantined_since_seconds{pool="a",address="192.0.2.0",reason="the old printer has it"}';
  await until('the metric', async () => (await program.metrics()).includes(shows));
  await cluster.service('t1/b', { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.0' } });
  const refused = await cluster.when('t1/b', (s) => allocated(s)?.status === 'False');
  expect(allocated(refused)).toMatchObject({
    reason: 'AddressQuarantined',
    message: '192.0.2.0 is kept back: the old printer has it',
  });
  await quarantine(`192.0.2.0 ${new Date(Date.now() + 3_000).toISOString()} rebooting`);
  expect(await cluster.address('t1/b')).toBe('192.0.2.0');
});
