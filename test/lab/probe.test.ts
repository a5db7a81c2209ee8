import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddressProbes, type ProbeAnswer } from '../../src/domain/api/herald.ts';
import { until } from '../servers/index.ts';
import { type Lab, labAvailable, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { NAMESPACE } from './objects.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`probe lab skipped: ${able}`);

const WEB = '192.0.2.7';

describe.skipIf(able !== true)('speakers that are asked whether addresses are in use', () => {
  let lab: Lab;
  let stranger: Host;
  let macs: Record<'stranger' | 'node', string>;

  beforeAll(async () => {
    lab = await startLab();
    const { network, objects } = lab;
    stranger = await network.client('s');
    const one = await network.node('node-a');
    const far = await network.node('node-b');
    await one.exec('ip', 'address', 'add', '192.0.2.101/24', 'dev', 'lan0');
    await one.exec('ip', 'address', 'add', '2001:db8::101/64', 'dev', 'lan0', 'nodad');
    await far.exec('ip', 'address', 'add', '198.51.100.102/24', 'dev', 'lan0');
    macs = { stranger: await macOf(stranger, 'eth0'), node: await macOf(one, 'lan0') };
    for (const name of ['node-a', 'node-b']) {
      await objects.node(name);
      await objects.speakerPod(name);
    }
    await objects.pool('web', '192.0.2.0/28');
    await objects.advertisement('web');
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await Promise.all([lab.speaker(one), lab.speaker(far)]);
  });
  afterAll(async () => {
    await lab?.close();
  });

  const probe = (name: string, ...addresses: string[]) =>
    lab.objects.apply({
      apiVersion: 'herald.io/v1alpha1',
      kind: 'AddressProbe',
      metadata: { name, namespace: NAMESPACE },
      spec: { addresses },
    });
  const answers = async (name: string): Promise<readonly ProbeAnswer[]> => {
    const text = await lab.api.kubectl('get', 'addressprobe', name, '-n', NAMESPACE, '-o=json');
    return AddressProbes.decode(JSON.parse(text)).status?.answers ?? [];
  };
  const first = (name: string): Promise<ProbeAnswer> =>
    until(`an answer to ${name}`, async () => (await answers(name))[0], { timeoutMs: 10_000 });
  const found = async (name: string, ...addresses: string[]) => {
    await probe(name, ...addresses);
    const { node, addresses: asked, taken } = await first(name);
    return { node, addresses: asked, taken };
  };

  it('say who has one, and that nobody has another, from the node in its subnet', async () => {
    expect(await found('two', '192.0.2.254', '192.0.2.253')).toEqual({
      node: 'node-a',
      addresses: ['192.0.2.254', '192.0.2.253'],
      taken: [{ address: '192.0.2.254', mac: macs.stranger, interface: 'lan0' }],
    });
    expect(await answers('two')).toHaveLength(1);
  });

  it('say the same of IPv6 addresses', async () => {
    expect(await found('six', '2001:db8::fe', '2001:db8::fd')).toEqual({
      node: 'node-a',
      addresses: ['2001:db8::fe', '2001:db8::fd'],
      taken: [{ address: '2001:db8::fe', mac: macs.stranger, interface: 'lan0' }],
    });
  });

  it('say of one that is announced which node it is', async () => {
    expect((await found('own', WEB)).taken).toEqual([{ address: WEB, mac: macs.node, interface: 'lan0' }]);
  });

  it('leave out what is in no subnet of theirs', async () => {
    expect((await found('partly', '203.0.113.1', '192.0.2.253')).addresses).toEqual(['192.0.2.253']);
    expect(await found('far', '198.51.100.7')).toEqual({
      node: 'node-b',
      addresses: ['198.51.100.7'],
      taken: [],
    });
  });

  it('poison nobody: the neighbour tables of those that are asked stay as they are', async () => {
    await stranger.exec('ip', 'neigh', 'flush', 'dev', 'eth0');
    await found('quiet', '192.0.2.254');
    expect(await stranger.exec('ip', '-4', 'neigh', 'show', 'dev', 'eth0')).toBe('');
  });
});
