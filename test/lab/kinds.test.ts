import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exec, must } from '../servers/exec.ts';
import { until } from '../servers/index.ts';
import { type Lab, labAvailable, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`kinds of interfaces skipped: ${able}`);

const WEB = '192.0.2.7';

/** Whether this kernel makes such interfaces. */
async function has(kind: string, ...more: string[]): Promise<boolean> {
  const netns = `herald-kind-${process.pid}`;
  await must('ip', ['netns', 'add', netns]);
  try {
    await must('ip', ['-n', netns, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1']);
    const args = [
      '-n',
      netns,
      'link',
      'add',
      'new0',
      ...(kind === 'vlan' ? ['link', 'v0'] : []),
      'type',
      kind,
    ];
    return (await exec('ip', [...args, ...more])).code === 0;
  } finally {
    await must('ip', ['netns', 'del', netns]);
  }
}
const vlans = able === true && (await has('vlan', 'id', '5'));
const bonds = able === true && (await has('bond'));
if (able === true && !vlans) console.log('VLAN interfaces live: skipped, this kernel has none');
if (able === true && !bonds) console.log('bond interfaces live: skipped, this kernel has none');

describe.skipIf(able !== true)('a speaker on other kinds of interfaces', () => {
  let lab: Lab;
  let node: Host;
  let client: Host;
  const ask = async (link = 'eth0'): Promise<readonly string[]> => {
    const args = ['-r', '-c', '1', '-w', '0.2', '-W', '0.1', '-i', link, WEB];
    const [command, ...rest] = client.enter(['arping', ...args]);
    return (await exec(command, rest)).stdout.split('\n').filter(Boolean);
  };
  const answeredBy = (mac: string, link?: string) =>
    until(`an answer of ${mac} alone`, async () => {
      const macs = await ask(link);
      return macs.length > 0 && macs.every((each) => each === mac);
    });
  const ip = (...args: string[]) => node.exec('ip', ...args);

  beforeAll(async () => {
    lab = await startLab();
    client = await lab.network.client('c');
    node = await lab.network.node('node-a');
    await lab.objects.node('node-a');
    await lab.objects.speakerPod('node-a');
    await lab.objects.pool('web', '192.0.2.0/28');
    await lab.objects.advertisement('web');
    await lab.objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await lab.speaker(node);
    await answeredBy(await macOf(node, 'lan0'));
  });
  afterAll(async () => {
    await lab?.close();
  });

  it('answers on a bridge in place of its port, and on the port again without it', async () => {
    await ip('link', 'add', 'br0', 'address', '02:00:00:00:00:b0', 'type', 'bridge', 'forward_delay', '0');
    await ip('link', 'set', 'lan0', 'master', 'br0');
    await ip('link', 'set', 'br0', 'up');
    await answeredBy('02:00:00:00:00:b0');
    await ip('link', 'set', 'br0', 'name', 'office');
    await answeredBy('02:00:00:00:00:b0');
    await ip('link', 'delete', 'office');
    await answeredBy(await macOf(node, 'lan0'));
  });

  it.skipIf(!bonds)('answers on a bond in place of its parts, whichever is active', async () => {
    await lab.network.plug(node, 'lan1');
    await ip('link', 'add', 'bond0', 'type', 'bond', 'mode', 'active-backup', 'miimon', '20');
    for (const part of ['lan0', 'lan1']) {
      await ip('link', 'set', part, 'down');
      await ip('link', 'set', part, 'master', 'bond0');
    }
    await ip('link', 'set', 'bond0', 'up');
    await answeredBy(await macOf(node, 'bond0'));
    await ip('link', 'set', 'lan0', 'down');
    await answeredBy(await macOf(node, 'bond0'));
    await ip('link', 'delete', 'bond0');
    await ip('link', 'delete', 'lan1');
    await ip('link', 'set', 'lan0', 'up');
    await answeredBy(await macOf(node, 'lan0'));
  });

  it.skipIf(!vlans)('answers on a VLAN with its tag, besides the interface below it', async () => {
    await ip(
      'link',
      'add',
      'link',
      'lan0',
      'name',
      'lan0.5',
      'address',
      '02:00:00:00:00:05',
      'type',
      'vlan',
      'id',
      '5',
    );
    await ip('link', 'set', 'lan0.5', 'up');
    await client.exec('ip', 'link', 'add', 'link', 'eth0', 'name', 'eth0.5', 'type', 'vlan', 'id', '5');
    await client.exec('ip', 'link', 'set', 'eth0.5', 'up');
    await answeredBy('02:00:00:00:00:05', 'eth0.5');
    await answeredBy(await macOf(node, 'lan0'));
    await ip('link', 'delete', 'lan0.5');
    await until('silence', async () => (await ask('eth0.5')).length === 0);
  });

  it('answers no frame with a tag that no interface here has', async () => {
    const [mac] = [await macOf(client, 'eth0')].map((text) => text.replaceAll(':', ''));
    const request = `ffffffffffff${mac}0806000108000604${'0001'}${mac}c00002fe000000000000c0000207`;
    const tagged = `${request.slice(0, 24)}81000005${request.slice(24)}`;
    const count = async (frames: readonly string[]) =>
      (await lab.send(client, frames, 200)).heard.filter(({ target }) => target === '192.0.2.254').length;
    expect(await count([request])).toBe(1);
    expect(await count([tagged, tagged])).toBe(0);
  });
});
