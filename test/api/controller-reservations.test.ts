import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Reservations } from '../../src/domain/api/herald.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type Resource, resource } from '../../src/platform/kube/resource.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let reservations: Resource<ReturnType<typeof Reservations.decode>>;
const running: Program[] = [];

async function start(): Promise<Program> {
  const program = await startController(api);
  running.push(program);
  return program;
}
const reserve = (name: string, spec: object) =>
  reservations.create({
    apiVersion: 'herald.io/v1alpha1',
    kind: 'Reservation',
    metadata: { name, namespace: NAMESPACE },
    spec,
  });
const row = async (name: string) =>
  (await api.kubectl('get', 'reservation', name, '-n', NAMESPACE, '--no-headers'))
    .trim()
    .split(/ {2,}/)
    .slice(1)
    .join(' ');
const shows = (name: string, text: string) =>
  until(`${name} to show ${text}`, async () => (await row(name)).startsWith(text), { timeoutMs: 20_000 });
const remove = (name: string) => cluster.services.delete({ name, namespace: 't1' });

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  reservations = resource(kube, Reservations);
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
  await cluster.pool('a', { addresses: ['192.0.2.0/29'] });
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  for (const { metadata } of (await cluster.services.list()).items)
    if (metadata.name !== 'kubernetes') await cluster.services.delete(metadata);
  for (const { metadata } of (await reservations.list()).items) await reservations.delete(metadata);
});
afterAll(async () => {
  await kube?.close();
  await api?.stop();
});

describe('a Reservation', () => {
  it('keeps an address before its Service is there and after it is deleted, and shows who has it', async () => {
    await start();
    await reserve('first', { addresses: ['192.0.2.0'], namespace: 't1', service: 'web' });
    await shows('first', 't1 web ["192.0.2.0"] True Kept');
    await cluster.service('t1/other');
    expect(await cluster.address('t1/other')).toBe('192.0.2.1');
    const web = async () => {
      await cluster.service('t1/web');
      expect(await cluster.address('t1/web')).toBe('192.0.2.0');
      expect(allocated(await cluster.read('t1/web'))).toMatchObject({
        status: 'True',
        reason: 'Reserved',
        message: '192.0.2.0 from pool a: reserved for it',
      });
    };
    await web();
    const services = async () =>
      (await reservations.get({ name: 'first', namespace: NAMESPACE }))?.status?.services?.join();
    await until('its status to name the Service', async () => (await services()) === 't1/web');
    await remove('web');
    await until('its status to name nobody', async () => (await services()) === '');
    await cluster.service('t1/next');
    expect(await cluster.address('t1/next')).toBe('192.0.2.2');
    await web();
  });

  it('refuses the address to a Service that asks for it, until it is deleted', async () => {
    await start();
    await reserve('first', { addresses: ['192.0.2.4/30'], namespace: 't2' });
    await shows('first', 't2 ["192.0.2.4/30"] True Kept');
    await cluster.service('t1/web', { spec: { loadBalancerIP: '192.0.2.5' } });
    const refused = await cluster.when('t1/web', (s) => allocated(s)?.status === 'False');
    expect(allocated(refused)).toMatchObject({
      reason: 'AddressReserved',
      message: '192.0.2.5 is reserved for namespace t2',
    });
    await reservations.delete({ name: 'first', namespace: NAMESPACE });
    expect(await cluster.address('t1/web')).toBe('192.0.2.5');
  });

  it('by name alone brings the Service its address back, over a restart too', async () => {
    await start();
    await cluster.service('t1/before');
    expect(await cluster.address('t1/before')).toBe('192.0.2.0');
    await reserve('home', { namespace: 't1', service: 'web' });
    await shows('home', 't1 web [] False NoAddressYet');
    await cluster.service('t1/web');
    expect(await cluster.address('t1/web')).toBe('192.0.2.1');
    // It is written before the Service shows it: a leader that dies now has forgotten nothing.
    const written = await reservations.get({ name: 'home', namespace: NAMESPACE });
    expect(written?.status?.addresses).toEqual(['192.0.2.1']);
    await remove('web');
    await running.splice(0)[0]?.kill();
    await start();
    await cluster.service('t1/after');
    expect(await cluster.address('t1/after', 30_000)).toBe('192.0.2.2');
    await cluster.service('t1/web');
    expect(await cluster.address('t1/web')).toBe('192.0.2.1');
  });

  it('that cannot be read or names nothing is refused or told', async () => {
    await start();
    await expect(reserve('empty', { namespace: 't1' })).rejects.toThrow('addresses or a service is required');
    await reserve('bad', { addresses: ['web'], namespace: 't1', service: 'web' });
    await shows('bad', 't1 web [] False Invalid');
    await cluster.service('t1/web');
    expect(await cluster.address('t1/web')).toBe('192.0.2.0');
  });
});
