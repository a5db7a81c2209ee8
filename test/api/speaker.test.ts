import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rank } from '../../src/domain/election/ranks.ts';
import { type Cluster, cluster, NAMESPACE } from '../lab/objects.rig.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { LAN, type Running, type StartOptions, startSpeaker } from './speaker.rig.ts';

const WEB = '192.0.2.7';

let api: ApiServer;
let objects: Cluster;
const running: Running[] = [];

const start = async (node: string, o?: StartOptions): Promise<Running> => {
  const made = await startSpeaker(api, node, o);
  running.push(made);
  return made;
};
const kubectl = (...args: string[]) => api.kubectl(...args, '-n', NAMESPACE);
const statuses = async (fields: string): Promise<string[]> => {
  const text = await kubectl(
    'get',
    'servicel2status',
    '-o',
    `jsonpath={range .items[*]}${fields}{"\\n"}{end}`,
  );
  return text.split('\n').filter(Boolean).sort();
};
const state = (fields: string, node = 'node-a') =>
  kubectl('get', 'configurationstate', `speaker-${node}`, '-o', `jsonpath=${fields}`);
const becomes = async (what: string, read: () => Promise<unknown>, expected: unknown) => {
  await until(what, async () => JSON.stringify(await read()) === JSON.stringify(expected), {
    timeoutMs: 15_000,
  });
};
/** An ordinary change of a Service, after which it has been looked at once more. */
const touch = async (speaker: Running, name: string) => {
  const processed = async () =>
    Number(/^metallb_k8s_client_updates_total (\d+)/m.exec(await speaker.metrics())?.[1]);
  const before = await processed();
  await api.kubectl('annotate', 'service', name, `touched=${before}`, '--overwrite', '-n', 'default');
  await until('it was processed', async () => (await processed()) > before, { everyMs: 10 });
};
const eventsOf = async (name: string, reason: string) => {
  const selector = `involvedObject.name=${name},reason=${reason}`;
  const text = await api.kubectl(
    'get',
    'events',
    '-n',
    'default',
    '--field-selector',
    selector,
    '-o',
    'jsonpath={range .items[*]}{.count} {.message}{"\\n"}{end}',
  );
  return text.split('\n').filter(Boolean);
};

beforeAll(async () => {
  api = await startApiServer();
  objects = cluster(api);
  await api.kubectl('create', 'namespace', NAMESPACE);
  for (const node of ['node-a', 'node-b', 'node-c']) {
    await objects.node(node);
    await objects.speakerPod(node);
  }
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
  await api.kubectl('delete', 'services,endpointslices', '--all', '-n', 'default');
  for (const kind of ['ipaddresspools', 'l2advertisements', 'servicel2statuses', 'configurationstates']) {
    await kubectl('delete', kind, '--all');
  }
});
afterAll(async () => {
  await api?.stop();
});

async function web(): Promise<void> {
  await objects.pool('web', '192.0.2.0/24');
  await objects.advertisement('web', {
    nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node-a' } }],
  });
}

describe('what a speaker says about itself', () => {
  it('is one ServiceL2Status per Service, owned by its Pod, and gone with the announcement', async () => {
    await web();
    const speaker = await start('node-a');
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await becomes(
      'the status',
      () => statuses('{.status.node} {.status.serviceNamespace} {.status.serviceName} {.status.interfaces}'),
      ['node-a default shop '],
    );
    expect(speaker.answers(WEB)).toBe(true);
    const pod = await kubectl('get', 'pod', 'speaker-node-a', '-o', 'jsonpath={.metadata.uid}');
    expect(await statuses('{.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].uid}')).toEqual([
      `Pod ${pod}`,
    ]);
    await objects.advertisement('web', { interfaces: ['lan0', 'lan1'] });
    await becomes('the interfaces', () => statuses('{.status.interfaces[*].name}'), ['lan0 lan1']);
    await objects.advertisement('web', { interfaces: [] });
    await becomes('all interfaces', () => statuses('{.status.node}/{.status.interfaces}'), ['node-a/']);
    await objects.endpoints('shop', []);
    await becomes('no status', () => statuses('{.metadata.name}'), []);
    expect(speaker.answers(WEB)).toBe(false);
  });

  it('is not written again while nothing differs, and put right when somebody meddles', async () => {
    await web();
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    const speaker = await start('node-a');
    await becomes('the status', () => statuses('{.status.node}'), ['node-a']);
    const versions = () => statuses('{.metadata.resourceVersion}');
    const before = await versions();
    for (let i = 0; i < 3; i++) await touch(speaker, 'shop');
    expect(await versions()).toEqual(before);

    await kubectl('delete', 'servicel2status', '--all');
    await becomes('it again', () => statuses('{.status.node}'), ['node-a']);
    const [name = ''] = await statuses('{.metadata.name}');
    await kubectl(
      'patch',
      'servicel2status',
      name,
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"interfaces":[{"name":"made-up"}]}}',
    );
    await becomes('no made-up interface', () => statuses('{.status.interfaces}{.status.node}'), ['node-a']);
  });

  it('keeps its objects over a restart, removes those out of date, and leaves those of other nodes', async () => {
    await web();
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await start('node-a');
    await becomes('the status', () => statuses('{.status.node}'), ['node-a']);
    const uid = await statuses('{.metadata.uid}');
    await running.splice(0)[0]?.close();
    const object = (name: string, node: string) => ({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ServiceL2Status',
      metadata: {
        name,
        namespace: NAMESPACE,
        labels: {
          'metallb.io/node': node,
          'metallb.io/service-name': 'gone',
          'metallb.io/service-namespace': 'default',
        },
      },
      spec: {},
    });
    await objects.apply(object('l2-stale', 'node-a'), object('l2-foreign', 'node-b'));
    await start('node-a');
    await becomes(
      'the stale one gone',
      () => statuses('{.metadata.name}').then((all) => all.filter((n) => n === 'l2-stale')),
      [],
    );
    expect(await statuses('{.metadata.uid}')).toEqual(expect.arrayContaining(uid));
    expect(await statuses('{.metadata.name}')).toContain('l2-foreign');
  });

  it('is a ConfigurationState that is Valid, Invalid with the reason, and Valid again after a plain revert', async () => {
    await web();
    const speaker = await start('node-a');
    await becomes(
      'Valid',
      () => state('{.status.result} {.metadata.labels}'),
      'Valid {"metallb.io/component-type":"speaker","metallb.io/node-name":"node-a"}',
    );
    const version = await state('{.metadata.resourceVersion}');
    await objects.pool('other', '198.51.100.0/24');
    await objects.service('shop', ['198.51.100.1'], { endpoints: ['node-a'] });
    await until('the new pool in force', () => speaker.answers('198.51.100.1'));
    expect(await state('{.metadata.resourceVersion}')).toBe(version);
    await objects.pool('clash', '192.0.2.128/25');
    await becomes(
      'Invalid',
      () => state('{.status.result} {.status.conditions[0].type} {.status.conditions[0].reason}'),
      'Invalid configReconcilerValid ConfigurationError',
    );
    expect(await state('{.status.errorSummary}')).toContain('192.0.2.128/25');
    expect(speaker.answers('198.51.100.1')).toBe(true);
    await kubectl('delete', 'ipaddresspool', 'clash');
    await becomes(
      'Valid',
      () => state('{.status.result} {.status.conditions[0].reason}'),
      'Valid Reconciled',
    );
    expect(await speaker.metrics()).toContain('metallb_k8s_client_config_stale_bool 0');
    expect(await state('{.metadata.generation}')).toBe('1');
  });

  it('is one nodeAssigned Event for a take-over, however often the Service is looked at', async () => {
    await web();
    const speaker = await start('node-a');
    await objects.service('assigned', [WEB], { endpoints: ['node-a'] });
    const assigned = () => eventsOf('assigned', 'nodeAssigned');
    await becomes('the event', assigned, ['1 announcing from node "node-a" with protocol "layer2"']);
    for (let i = 0; i < 3; i++) await touch(speaker, 'assigned');
    expect((await assigned())[0]).toMatch(/^1 /);
  });

  it('is announceFailed where no chosen interface exists, until one appears', async () => {
    await web();
    await objects.advertisement('web', { interfaces: ['lan7'] });
    const speaker = await start('node-a');
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await becomes('the event', async () => (await eventsOf('shop', 'announceFailed')).length, 1);
    expect(speaker.answers(WEB)).toBe(false);
    expect(await statuses('{.metadata.name}')).toEqual([]);
    speaker.machine.set({ index: 7, name: 'lan7', mac: [2, 0, 0, 0, 0, 7], flags: 0x1_1003 });
    await until('answers there', () => speaker.answers(WEB, 7));
    expect(speaker.answers(WEB, LAN)).toBe(false);
  });
});

describe('whom a speaker serves', () => {
  it('is Services of its class', async () => {
    await web();
    const plain = await start('node-a');
    const classed = await start('node-a', { lbClass: 'herald.io/herald' });
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await objects.service('special', ['192.0.2.8'], {
      endpoints: ['node-a'],
      spec: { loadBalancerClass: 'herald.io/herald' },
    });
    await until('both', () => plain.answers(WEB) && classed.answers('192.0.2.8'));
    expect([plain.answers('192.0.2.8'), classed.answers(WEB)]).toEqual([false, false]);
  });

  it('is nobody while the configuration never was good, and everybody from then on', async () => {
    await objects.pool('one', '192.0.2.0/24');
    await objects.pool('two', '192.0.2.0/25');
    await objects.advertisement('all');
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    const speaker = await start('node-a');
    expect(speaker.answers(WEB)).toBe(false);
    expect(await speaker.metrics()).toContain('metallb_k8s_client_config_loaded_bool 0');
    await kubectl('delete', 'ipaddresspool', 'two');
    await objects.advertisement('all', {
      nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node-a' } }],
    });
    await until('the address', () => speaker.answers(WEB));
  });

  it('keeps a shared address until its last Service is gone', async () => {
    await web();
    const speaker = await start('node-a');
    const metadata = { annotations: { 'metallb.io/allow-shared-ip': 'key' } };
    await objects.service('one', [WEB], { endpoints: ['node-a'], metadata });
    await objects.service('two', [WEB], { endpoints: ['node-a'], metadata });
    await becomes('two statuses', async () => await statuses('{.status.serviceName}'), ['one', 'two']);
    await api.kubectl('delete', 'service', 'one', '-n', 'default');
    await becomes('one status', async () => await statuses('{.status.serviceName}'), ['two']);
    expect(speaker.answers(WEB)).toBe(true);
    await api.kubectl('delete', 'service', 'two', '-n', 'default');
    await until('silence', () => !speaker.answers(WEB));
  });

  it('follows an address that changes within a Service', async () => {
    await web();
    const speaker = await start('node-a');
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await until('the first', () => speaker.answers(WEB));
    await objects.status('service', 'shop', { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } }, 'default');
    await until('the second alone', () => speaker.answers('192.0.2.9') && !speaker.answers(WEB));
    const metrics = await speaker.metrics();
    expect(metrics).toContain('ip="192.0.2.9"} 1');
    expect(metrics).not.toMatch(/metallb_speaker_announced.*ip="192\.0\.2\.7"/);
  });
});

describe('three speakers', () => {
  const nodes = ['node-a', 'node-b', 'node-c'];
  const ips = Array.from({ length: 12 }, (_, i) => `192.0.2.${i + 1}`);
  const owners = (all: readonly Running[], ip: string) => nodes.filter((_, i) => all[i]?.answers(ip));
  const settled = (all: readonly Running[], among: readonly string[]) =>
    until(
      `owners among ${among.join()}`,
      () => ips.every((ip) => owners(all, ip).join() === rank(among, ip)[0]),
      { timeoutMs: 20_000 },
    );

  it('share addresses in the order of digests, each with one owner, and move them when a node or a speaker goes', async () => {
    await objects.pool('web', '192.0.2.0/24');
    await objects.advertisement('web');
    for (const [i, ip] of ips.entries()) await objects.service(`shop-${i}`, [ip], { endpoints: ['node-a'] });
    const all: Running[] = [];
    for (const node of nodes) all.push(await start(node));
    await settled(all, nodes);
    await objects.speakerPod('node-b', false);
    await settled(all, ['node-a', 'node-c']);
    await objects.speakerPod('node-b');
    await settled(all, nodes);
    await objects.node('node-c', { ready: false });
    await settled(all, ['node-a', 'node-b']);
    // Nobody seems to live: the addresses stay answered, as if all did.
    await objects.node('node-a', { ready: false });
    await objects.node('node-b', { ready: false });
    await settled(all, nodes);
    for (const node of nodes) await objects.node(node);
    await settled(all, nodes);
  });
});
