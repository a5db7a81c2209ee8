import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AddressQuotas } from '../../src/domain/api/herald.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type Resource, resource } from '../../src/platform/kube/resource.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let quotas: Resource<ReturnType<typeof AddressQuotas.decode>>;
let program: Program | undefined;

const limit = (name: string, spec: object) =>
  quotas.create({
    apiVersion: 'herald.io/v1alpha1',
    kind: 'AddressQuota',
    metadata: { name, namespace: NAMESPACE },
    spec,
  });
const shows = (name: string, text: string) =>
  until(
    `${name} to show ${text}`,
    async () => {
      const object = await quotas.get({ name, namespace: NAMESPACE });
      const { used = '-', conditions = [] } = object?.status ?? {};
      return `${used} ${conditions.map(({ reason }) => reason).join()}` === text;
    },
    { timeoutMs: 20_000 },
  );

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  quotas = resource(kube, AddressQuotas);
  for (const name of [NAMESPACE, 't1', 't2']) await cluster.namespace(name);
  await cluster.pool('a', { addresses: ['192.0.2.0/28'] });
  program = await startController(api);
});
afterEach(async () => {
  for (const { metadata } of (await cluster.services.list()).items)
    if (metadata.name !== 'kubernetes') await cluster.services.delete(metadata);
  for (const { metadata } of (await quotas.list()).items) await quotas.delete(metadata);
});
afterAll(async () => {
  await program?.stop();
  await kube?.close();
  await api?.stop();
});

describe('an AddressQuota', () => {
  it('refuses what is beyond it with name, use and limit, and lets it in when there is room again', async () => {
    await limit('tenants', { addresses: 1, perNamespace: true });
    await shows('tenants', '0 Open');
    await cluster.service('t1/a');
    await cluster.address('t1/a');
    await shows('tenants', '1 Exhausted');
    await cluster.service('t1/b');
    const refused = await cluster.when('t1/b', (s) => allocated(s)?.status === 'False');
    expect(allocated(refused)).toMatchObject({
      reason: 'QuotaExceeded',
      message: 'quota tenants allows namespace t1 1 address, and 1 is in use',
    });
    await cluster.service('t2/a');
    await cluster.address('t2/a');
    await cluster.services.delete({ name: 'a', namespace: 't1' });
    await cluster.address('t1/b');
  });

  it('follows the labels of namespaces, and takes nothing back', async () => {
    await limit('labelled', { addresses: 1, namespaceSelectors: [{ matchLabels: { tenant: 'small' } }] });
    await cluster.service('t1/a');
    await cluster.service('t2/a');
    await cluster.address('t1/a');
    await cluster.address('t2/a');
    for (const name of ['t1', 't2']) await api.kubectl('label', 'namespace', name, 'tenant=small');
    await shows('labelled', '2 Exhausted');
    await cluster.service('t1/b');
    const refused = await cluster.when('t1/b', (s) => allocated(s)?.status === 'False');
    expect(allocated(refused)?.message).toBe(
      'quota labelled allows namespaces t1, t2 together 1 address, and 2 are in use',
    );
    await cluster.address('t1/a');
    await cluster.address('t2/a');
    await quotas.delete({ name: 'labelled', namespace: NAMESPACE });
    await cluster.address('t1/b');
  });
});
