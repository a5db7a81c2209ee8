import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { Reflector } from '../../src/platform/kube/reflector.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { addresses, allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client, silent } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let seen: Reflector<ReturnType<typeof Services.decode>>;
/** What each Service's status said, one after the other. */
const history = new Map<string, string[]>();
/** The greatest number of Services that showed two addresses at one moment. */
let together = 0;
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
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
  seen = new Reflector({
    client: kube,
    kind: Services,
    namespace: 't1',
    log: silent,
    clock: systemClock,
    random: systemRandom,
  });
  seen.onChange((key) => {
    const service = seen.store.get(key);
    const list = history.get(key) ?? [];
    history.set(key, list);
    if (service && list.at(-1) !== addresses(service)) list.push(addresses(service));
    const two = [...seen.store.list()].filter(({ status }) => status.ingress.length > 1);
    together = Math.max(together, two.length);
  });
  seen.start();
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  await cluster.clear();
  history.clear();
  together = 0;
});
afterAll(async () => {
  await seen?.close();
  await kube?.close();
  await api?.stop();
});

const mark = (name: string, annotations: Record<string, string | null>) =>
  cluster.pools.mergePatch({ name, namespace: NAMESPACE }, { metadata: { annotations } });
const drain = (name: string, ranges: string | null) => mark(name, { 'herald.io/draining': ranges });
const move = (name: string, ranges: string | null) => mark(name, { 'herald.io/moving': ranges });
const events = (namespace: string, name: string) =>
  api.kubectl(
    'get',
    'events',
    '-n',
    namespace,
    '--field-selector',
    `involvedObject.name=${name}`,
    '-o',
    'jsonpath={range .items[*]}{.type} {.reason}: {.message}{"\\n"}{end}',
  );
const QUICK = ['--move-overlap=1'];
const SLOW = ['--move-overlap=600'];
/** Pool a with all of it in use by t1/one, and pool b beside it. */
async function held(): Promise<void> {
  await cluster.pool('a', { addresses: ['192.0.2.0/32'] });
  await cluster.pool('b', { addresses: ['198.51.100.0/30'] });
  await cluster.service('t1/one', { spec: { loadBalancerIP: '192.0.2.0' } });
  expect(await cluster.address('t1/one')).toBe('192.0.2.0');
  await cluster.services.mergePatch({ name: 'one', namespace: 't1' }, { spec: { loadBalancerIP: null } });
}
const condition = (name: string, reason: string) =>
  cluster.when(name, (s) => allocated(s)?.reason === reason, 40_000);

describe('a draining range', () => {
  it('stays with whom it has, over a restart too, and goes to nobody else', async () => {
    const first = await start();
    await cluster.pool('a', { addresses: ['192.0.2.0/30'] });
    for (const name of ['t1/one', 't1/two']) await cluster.service(name);
    for (const name of ['t1/one', 't1/two']) await cluster.address(name);
    const before = await Promise.all(['t1/one', 't1/two'].map((name) => cluster.read(name)));
    await drain('a', '192.0.2.0-192.0.2.2');
    await cluster.services.delete({ name: 'two', namespace: 't1' });
    await cluster.service('t1/asks', { spec: { loadBalancerIP: '192.0.2.2' } });
    expect(allocated(await condition('t1/asks', 'AddressDraining'))).toMatchObject({
      status: 'False',
      message: '192.0.2.2 is in a draining range of pool a',
    });
    await cluster.service('t1/new');
    expect(await cluster.address('t1/new')).toBe('192.0.2.3');
    await first.stop();
    await start();
    await cluster.service('t1/late');
    await condition('t1/late', 'NoRoom');
    expect(await cluster.read('t1/one')).toEqual(before[0]);
    await drain('a', null);
    expect(await cluster.address('t1/asks')).toBe('192.0.2.2');
    expect(addresses(await cluster.read('t1/one'))).toBe('192.0.2.0');
  });

  it('that cannot be read drains nothing, and an Event on the pool says so', async () => {
    await start();
    await cluster.pool('a', { addresses: ['192.0.2.0/32'] });
    await drain('a', '192.0.2.0');
    await cluster.service('t1/one');
    expect(await cluster.address('t1/one')).toBe('192.0.2.0');
    await until('the event', async () =>
      (await events(NAMESPACE, 'a')).includes('Warning MarkInvalid: "192.0.2.0" has no prefix length'),
    );
  });
});

describe('a moving range', () => {
  it('is left by its Services one by one, none of them without an address at any moment', async () => {
    await start({ args: QUICK });
    await cluster.pool('a', { addresses: ['192.0.2.0/30'] });
    const names = ['t1/one', 't1/two', 't1/three'];
    for (const name of names) {
      await cluster.service(name);
      await cluster.address(name);
    }
    await cluster.pool('b', { addresses: ['198.51.100.0/30'] });
    await move('a', '192.0.2.0/30');
    for (const name of names) await condition(name, 'Moved');
    await until('the watch', () => history.get('t1/three')?.at(-1) === '198.51.100.2');
    expect(Object.fromEntries(history)).toEqual({
      't1/one': ['', '192.0.2.0', '192.0.2.0 198.51.100.0', '198.51.100.0'],
      't1/two': ['', '192.0.2.1', '192.0.2.1 198.51.100.1', '198.51.100.1'],
      't1/three': ['', '192.0.2.2', '192.0.2.2 198.51.100.2', '198.51.100.2'],
    });
    expect(together).toBe(1);
    const told = await until('the events', async () => {
      const text = await events('t1', 'one');
      return text.includes('AddressMoved') && text;
    });
    expect(told).toContain('Normal AddressMoving: 192.0.2.0 moves to 198.51.100.0; both are served for now');
    expect(told).toContain('Normal AddressMoved: 192.0.2.0 is replaced by 198.51.100.0');
    const service = await cluster.read('t1/one');
    expect(service.metadata.annotations['metallb.io/ip-allocated-from-pool']).toBe('b');
    expect(allocated(service)?.message).toBe(
      '198.51.100.0 from pool b: moved out of a range that is given up',
    );
    await until('the counters', async () =>
      (await running[0]?.metrics())?.includes('herald_controller_moves_under_way 0'),
    );
    expect(await running[0]?.metrics()).toContain('herald_controller_moves_total{outcome="moved"} 3');
  });

  it('is left together by Services that share an address', async () => {
    await start({ args: QUICK });
    await cluster.pool('a', { addresses: ['192.0.2.0/31'] });
    const shared = { annotations: { 'metallb.io/allow-shared-ip': 'k' } };
    await cluster.service('t1/web', shared);
    await cluster.service('t1/dns', { ...shared, spec: { ports: [{ port: 53, protocol: 'UDP' }] } });
    for (const name of ['t1/web', 't1/dns']) expect(await cluster.address(name)).toBe('192.0.2.0');
    await cluster.pool('b', { addresses: ['198.51.100.0/30'] });
    await move('a', '192.0.2.0/31');
    for (const name of ['t1/web', 't1/dns'])
      expect(addresses(await condition(name, 'Moved'))).toBe('198.51.100.0');
    for (const name of ['t1/web', 't1/dns'])
      await until('the watch', () => history.get(name)?.includes('192.0.2.0 198.51.100.0'));
  });

  it('keeps a Service that asks for its address, and says so in condition and Event', async () => {
    await start({ args: QUICK });
    await cluster.pool('a', { addresses: ['192.0.2.0/31', '192.0.2.8/31'] });
    await cluster.service('t1/fixed', { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.0' } });
    await cluster.address('t1/fixed');
    await move('a', '192.0.2.0/31');
    expect(allocated(await condition('t1/fixed', 'NotMoved'))).toMatchObject({
      status: 'True',
      message: '192.0.2.0 from pool a: not moved out of its range, as it asks for this address',
    });
    await until('the event', async () => (await events('t1', 'fixed')).includes('Warning AddressNotMoved'));
    await cluster.services.mergePatch(
      { name: 'fixed', namespace: 't1' },
      { metadata: { annotations: { 'metallb.io/loadBalancerIPs': null } } },
    );
    expect(addresses(await condition('t1/fixed', 'Moved'))).toBe('192.0.2.8');
  });
});

describe('in the middle of a move', () => {
  it('a restarted controller goes on where the old one was', async () => {
    const first = await start({ args: SLOW });
    await held();
    await move('a', '192.0.2.0/32');
    expect(addresses(await condition('t1/one', 'Moving'))).toBe('192.0.2.0 198.51.100.0');
    await first.stop();
    // Nobody else may get the address that is on its way, also not first thing after the start.
    await cluster.service('t1/late');
    await start({ args: QUICK });
    expect(await cluster.address('t1/late')).toBe('198.51.100.1');
    expect(addresses(await condition('t1/one', 'Moved'))).toBe('198.51.100.0');
    await until('the watch', () => history.get('t1/one')?.at(-1) === '198.51.100.0');
    expect(history.get('t1/one')).toEqual(['', '192.0.2.0', '192.0.2.0 198.51.100.0', '198.51.100.0']);
  });

  it('a second replica goes on when the leader is killed', async () => {
    const first = await start({ pod: 'controller-0', args: SLOW });
    await held();
    await start({ pod: 'controller-1', args: QUICK });
    await move('a', '192.0.2.0/32');
    await condition('t1/one', 'Moving');
    await first.kill();
    expect(addresses(await condition('t1/one', 'Moved'))).toBe('198.51.100.0');
    await until('the watch', () => history.get('t1/one')?.at(-1) === '198.51.100.0');
    expect(history.get('t1/one')).toEqual(['', '192.0.2.0', '192.0.2.0 198.51.100.0', '198.51.100.0']);
  });

  it('the mark may be taken back: the old address stays, the new one is given back', async () => {
    await start({ args: SLOW });
    await held();
    await move('a', '192.0.2.0/32');
    await condition('t1/one', 'Moving');
    await move('a', null);
    expect(addresses(await condition('t1/one', 'Kept'))).toBe('192.0.2.0');
    await cluster.service('t1/next');
    expect(await cluster.address('t1/next')).toBe('198.51.100.0');
    await until('the event', async () =>
      (await events('t1', 'one')).includes('AddressMoveUndone: 192.0.2.0 stays, 198.51.100.0 is given back'),
    );
  });
});
