import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { addresses, allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
const running: Program[] = [];

async function start(o: { pod?: string; args?: readonly string[] } = {}): Promise<Program> {
  const program = await startController(api, o);
  running.push(program);
  return program;
}

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16,fd00:10:96::/112' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  for (const name of [NAMESPACE, 't1', 't2']) await cluster.namespace(name);
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  await cluster.clear();
});
afterAll(async () => {
  await kube?.close();
  await api?.stop();
});

const state = () =>
  api.kubectl(
    'get',
    'configurationstate',
    'controller',
    '-n',
    NAMESPACE,
    '-o',
    'jsonpath={.status.result}: {.status.errorSummary}',
  );
const poolStatus = (name: string, field: string) =>
  api.kubectl('get', 'ipaddresspool', name, '-n', NAMESPACE, '-o', `jsonpath={.status.${field}}`);
const events = (name: string) =>
  api.kubectl(
    'get',
    'events',
    '-n',
    't1',
    '--field-selector',
    `involvedObject.name=${name}`,
    '-o',
    'jsonpath={range .items[*]}{.type} {.reason}: {.message}{"\\n"}{end}',
  );
const holder = () =>
  api.kubectl('get', 'lease', 'herald-controller', '-n', NAMESPACE, '-o', 'jsonpath={.spec.holderIdentity}');

describe('the controller', () => {
  it('gives a Service the lowest free address and says from where and why', async () => {
    await start();
    await cluster.pool('web', { addresses: ['192.0.2.7-192.0.2.9'] });
    await cluster.service('t1/one');
    expect(await cluster.address('t1/one')).toBe('192.0.2.7');
    const service = await cluster.read('t1/one');
    expect(service.metadata.annotations['metallb.io/ip-allocated-from-pool']).toBe('web');
    expect(allocated(service)).toMatchObject({
      status: 'True',
      reason: 'OpenPool',
      message: '192.0.2.7 from pool web: lowest free of a pool open to all',
    });
    await until('the event', async () =>
      (await events('one')).includes('Normal IPAllocated: Assigned 192.0.2.7 from pool web'),
    );
    await until('the counters', async () => (await poolStatus('web', 'assignedIPv4')) === '1');
    expect(await poolStatus('web', 'availableIPv4')).toBe('2');
    await until('the state', async () => (await state()) === 'Valid: ');
  });

  it('gives both families, and counts a /64 as upstream does', async () => {
    await start();
    await cluster.pool('dual', { addresses: ['192.0.2.0/30', '2001:db8::/64'] });
    await cluster.service('t1/both', { spec: { ipFamilyPolicy: 'RequireDualStack' } });
    expect(await cluster.address('t1/both')).toBe('192.0.2.0 2001:db8::');
    await until('the counters', async () => (await poolStatus('dual', 'assignedIPv6')) === '1');
    expect(await poolStatus('dual', 'availableIPv6')).toBe('9223372036854775806');
  });

  it('refuses an address outside all pools, with an event and a condition, and takes a later wish', async () => {
    await start();
    await cluster.pool('web', { addresses: ['192.0.2.0/29'] });
    await cluster.service('t1/picky', { annotations: { 'metallb.io/loadBalancerIPs': '203.0.113.1' } });
    const refused = await cluster.when('t1/picky', (s) => allocated(s)?.status === 'False');
    expect(allocated(refused)).toMatchObject({
      reason: 'OutsidePools',
      message: '203.0.113.1 is in no pool',
    });
    expect(addresses(refused)).toBe('');
    await until('the event', async () => (await events('picky')).includes('Warning AllocationFailed'));
    await cluster.services.mergePatch(
      { name: 'picky', namespace: 't1' },
      { metadata: { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.5' } } },
    );
    expect(await cluster.address('t1/picky')).toBe('192.0.2.5');
  });

  it('keeps every address over a restart, writes nothing, and goes on where it was', async () => {
    const first = await start();
    await cluster.pool('web', { addresses: ['192.0.2.0/24'] });
    const names = Array.from({ length: 20 }, (_, i) => `t1/s${i}`);
    for (const name of names) await cluster.service(name);
    for (const name of names) await cluster.address(name);
    const before = await Promise.all(names.map((name) => cluster.read(name)));
    expect(new Set(before.map(addresses)).size).toBe(20);
    await first.stop();
    await cluster.service('t2/late');
    await start();
    await cluster.address('t2/late');
    expect(await Promise.all(names.map((name) => cluster.read(name)))).toEqual(before);
  });

  it('serves those who wait when a pool appears, and when an address is given back', async () => {
    await start();
    await cluster.service('t1/first');
    await cluster.when('t1/first', (s) => allocated(s)?.reason === 'NoPools');
    await cluster.pool('tiny', { addresses: ['192.0.2.4/32'] });
    expect(await cluster.address('t1/first')).toBe('192.0.2.4');
    await cluster.service('t1/second');
    await cluster.when('t1/second', (s) => allocated(s)?.reason === 'NoRoom');
    await cluster.services.delete({ name: 'first', namespace: 't1' });
    expect(await cluster.address('t1/second')).toBe('192.0.2.4');
  });

  it('takes addresses back when their pool is deleted, and touches nobody else', async () => {
    await start();
    await cluster.pool('a', { addresses: ['192.0.2.4/32'] });
    await cluster.pool('b', { addresses: ['198.51.100.4/32'], autoAssign: false });
    await cluster.service('t1/stays');
    await cluster.service('t1/goes', { annotations: { 'metallb.io/address-pool': 'b' } });
    await cluster.address('t1/goes');
    await cluster.address('t1/stays');
    const before = await cluster.read('t1/stays');
    await cluster.pools.delete({ name: 'b', namespace: NAMESPACE });
    const gone = await cluster.when('t1/goes', (s) => s.status.ingress.length === 0);
    expect(gone.metadata.annotations).not.toHaveProperty('metallb.io/ip-allocated-from-pool');
    await until('the event', async () => (await events('goes')).includes('Normal ClearAssignment'));
    expect(await cluster.read('t1/stays')).toEqual(before);
    await cluster.pools.delete({ name: 'a', namespace: NAMESPACE });
    await cluster.when('t1/stays', (s) => s.status.ingress.length === 0);
  });

  it('takes nothing back while the only pool is replaced', async () => {
    const program = await start();
    await cluster.pool('a', { addresses: ['192.0.2.4/31'] });
    for (const name of ['t1/one', 't1/two']) await cluster.service(name);
    for (const name of ['t1/one', 't1/two']) await cluster.address(name);
    const before = await Promise.all([cluster.read('t1/one'), cluster.read('t1/two')]);
    // It hears of both afterwards, one after the other, when the server knows of the new pool already.
    process.kill(program.pid, 'SIGSTOP');
    await cluster.pools.delete({ name: 'a', namespace: NAMESPACE });
    await cluster.pool('a', { addresses: ['192.0.2.4/31', '192.0.2.8/32'] });
    process.kill(program.pid, 'SIGCONT');
    await cluster.service('t1/three');
    expect(await cluster.address('t1/three')).toBe('192.0.2.8');
    expect(await Promise.all([cluster.read('t1/one'), cluster.read('t1/two')])).toEqual(before);
  });

  it('keeps the last good configuration while the present one is bad, and says so', async () => {
    await start();
    await cluster.pool('a', { addresses: ['192.0.2.0/30'] });
    await cluster.service('t1/one');
    await cluster.address('t1/one');
    const before = await cluster.read('t1/one');
    await cluster.pool('b', { addresses: ['192.0.2.2/32', 'nonsense'] });
    const summary = await until('the state', async () => {
      const text = await state();
      return text.startsWith('Invalid: ') && text;
    });
    expect(summary).toContain('IPAddressPool b spec.addresses[0]: 192.0.2.2/32 overlaps 192.0.2.0/30');
    expect(summary).toContain('IPAddressPool b spec.addresses[1]: "nonsense"');
    await cluster.service('t1/two');
    expect(await cluster.address('t1/two')).toBe('192.0.2.1');
    expect(await cluster.read('t1/one')).toEqual(before);
    await cluster.editPool('b', { addresses: ['198.51.100.0/30'] });
    await until('the state', async () => (await state()) === 'Valid: ');
  });

  it('writes nothing when a pool changes that a Service has nothing to do with, or that only grows', async () => {
    await start();
    await cluster.pool('a', { addresses: ['192.0.2.0/30'] });
    await cluster.pool('b', { addresses: ['198.51.100.0/32'], autoAssign: false });
    for (const name of ['t1/one', 't1/two']) await cluster.service(name);
    for (const name of ['t1/one', 't1/two']) await cluster.address(name);
    const before = await Promise.all([cluster.read('t1/one'), cluster.read('t1/two')]);
    await cluster.editPool('b', { addresses: ['198.51.100.0/31'] });
    await cluster.editPool('a', { addresses: ['192.0.2.0/30', '203.0.113.0/30'] });
    // The new room is used, so the new configuration is in force.
    await cluster.service('t1/three', { spec: { loadBalancerIP: '203.0.113.1' } });
    await cluster.address('t1/three');
    expect(await Promise.all([cluster.read('t1/one'), cluster.read('t1/two')])).toEqual(before);
  });

  it('serves its own class only', async () => {
    await start({ args: ['--lb-class=example.com/lb', '--webhook-mode=disabled', '-log-level=debug'] });
    await cluster.pool('a', { addresses: ['192.0.2.0/30'] });
    await cluster.service('t1/plain');
    await cluster.service('t1/ours', { spec: { loadBalancerClass: 'example.com/lb' } });
    expect(await cluster.address('t1/ours')).toBe('192.0.2.0');
    expect(allocated(await cluster.read('t1/plain'))).toBeUndefined();
    await cluster.services.mergePatch(
      { name: 'ours', namespace: 't1' },
      { spec: { type: 'ClusterIP', loadBalancerClass: null } },
    );
    await cluster.service('t1/next', { spec: { loadBalancerClass: 'example.com/lb' } });
    expect(await cluster.address('t1/next')).toMatch(/^192\.0\.2\.[01]$/);
    const freed = await cluster.when('t1/ours', (s) => allocated(s) === undefined);
    expect(freed.metadata.annotations).not.toHaveProperty('metallb.io/ip-allocated-from-pool');
  });
});

describe('two replicas', () => {
  it('have one leader; a killed one is followed by the other, a stopped one at once', async () => {
    const first = await start({ pod: 'controller-0' });
    await until('the first to lead', async () => (await holder()) === 'controller-0');
    const second = await start({ pod: 'controller-1' });
    expect(await second.readyz()).toMatchObject({ status: 200 });
    await cluster.pool('a', { addresses: ['192.0.2.0/28'] });
    await cluster.service('t1/one');
    await cluster.address('t1/one');
    const before = await cluster.read('t1/one');
    await first.kill();
    await cluster.service('t1/two');
    expect(await cluster.address('t1/two', 40_000)).toBe('192.0.2.1');
    expect(await holder()).toBe('controller-1');

    await start({ pod: 'controller-0' });
    const { ms, code } = await second.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(4_000);
    await cluster.service('t1/three');
    // Far sooner than the 15 s of a lease that was not released.
    expect(await cluster.address('t1/three', 8_000)).toBe('192.0.2.2');
    expect(await cluster.read('t1/one')).toEqual(before);
  });
});
