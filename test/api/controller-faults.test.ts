import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { applyCrds } from '../servers/apiserver.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { addresses, allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client, type Relay, startRelay } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let program: Program | undefined;

beforeAll(async () => {
  api = await startApiServer({ crds: false });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
});
afterAll(async () => {
  await program?.stop();
  await kube?.close();
  await api?.stop();
});

it('waits for CRDs that are missing at start, clears nothing meanwhile, and then adopts', async () => {
  await cluster.service('t1/old');
  await resource(kube, Services).mergePatch(
    { name: 'old', namespace: 't1' },
    { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } },
    { subresource: 'status' },
  );
  program = await startController(api);
  await until('it to say what is missing', async () => {
    const answer = await program?.readyz();
    return answer?.status === 503 && answer.text.includes('ipaddresspools: missing');
  });
  await cluster.service('t1/new');
  expect(addresses(await cluster.read('t1/old'))).toBe('192.0.2.1');

  await applyCrds(api);
  // Ready with no pools: that the kind is empty when it has just come says nothing about addresses in use.
  await until('readiness', async () => (await program?.readyz())?.status === 200);
  expect(addresses(await cluster.read('t1/old'))).toBe('192.0.2.1');
  await cluster.pool('a', { addresses: ['192.0.2.0/30'] });
  expect(await cluster.address('t1/new')).toBe('192.0.2.0');
  await cluster.when('t1/old', (s) => allocated(s)?.status === 'True');
  expect(addresses(await cluster.read('t1/old'))).toBe('192.0.2.1');
});

it('outlives a long absence of the API server: nothing is lost, and it leads again when the server is back', async () => {
  const before = await Promise.all(['t1/old', 't1/new'].map((name) => cluster.read(name)));
  // With a bad pool there, only the memory of the last good configuration can serve afterwards.
  await cluster.pool('bad', { addresses: ['nonsense'] });
  await until('the refusal', () => program?.log.some((line) => line.includes('configuration refused')));
  await api.kill();
  const lost = () => program?.log.some((line) => line.includes('"lease lost"'));
  await until('it to give up leading', lost, { timeoutMs: 30_000 });
  await api.restart();
  await until('the server', () => cluster.read('t1/old'));
  await cluster.service('t1/after');
  expect(await cluster.address('t1/after', 40_000)).toBe('192.0.2.2');
  await cluster.pools.delete({ name: 'bad', namespace: NAMESPACE });
  expect(await Promise.all(['t1/old', 't1/new'].map((name) => cluster.read(name)))).toEqual(before);
});

describe('on a connection that can be refused', () => {
  let relay: Relay;
  const said = (text: string) => program?.log.filter((line) => line.includes(text)).length ?? 0;

  beforeAll(async () => {
    await program?.stop();
    relay = await startRelay(api);
    program = await startController({ kubeconfig: relay.kubeconfig });
    await until('it to lead', async () => (await program?.readyz())?.status === 200);
  });
  afterAll(async () => {
    await program?.stop();
    await relay?.close();
  });

  it('takes a short absence of the server without giving up the lease', async () => {
    relay.refuse();
    await until('it to miss the server', () => said('lease could not be written') > 0);
    await cluster.service('t1/soon');
    relay.accept();
    expect(await cluster.address('t1/soon', 40_000)).toBe('192.0.2.3');
    expect(said('lease lost') + said('session ended')).toBe(0);
  });

  it('clears when pools went away while it could not see, once the server confirms it', async () => {
    await cluster.service('t1/seen', { spec: { loadBalancerIP: '192.0.2.0' } });
    await cluster.when('t1/seen', (s) => allocated(s)?.status === 'False');
    relay.refuse();
    await cluster.pools.delete({ name: 'a', namespace: NAMESPACE });
    relay.accept();
    await cluster.when('t1/old', (s) => s.status.ingress.length === 0 && allocated(s)?.reason === 'NoPools');
  });
});
