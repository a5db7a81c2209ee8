import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMac } from '../../src/domain/ip/mac.ts';
import { gratuitous } from '../../src/protocols/arp/codec.ts';
import { unsolicited } from '../../src/protocols/ndp/codec.ts';
import { ip6 } from '../../src/protocols/ndp/frames.rig.ts';
import { exec, until } from '../servers/index.ts';
import { type Lab, labAvailable, number, type RunningSpeaker, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { NAMESPACE } from './objects.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`conflicts lab skipped: ${able}`);

const WEB = '192.0.2.7';
const SIX = '2001:db8::7';

describe.skipIf(able !== true)('another host with an address of ours', () => {
  let lab: Lab;
  let client: Host;
  let stranger: Host;
  let node: Host;
  let speaker: RunningSpeaker;
  let macs: Record<'client' | 'stranger' | 'node', string>;

  beforeAll(async () => {
    lab = await startLab();
    const { network, objects } = lab;
    client = await network.client('c');
    stranger = await network.client('s');
    node = await network.node('node-a');
    await stranger.exec('ip', '-4', 'address', 'flush', 'dev', 'eth0');
    macs = {
      client: await macOf(client, 'eth0'),
      stranger: await macOf(stranger, 'eth0'),
      node: await macOf(node, 'lan0'),
    };
    await objects.node('node-a');
    await objects.speakerPod('node-a');
    await objects.pool('web', '192.0.2.0/28', '2001:db8::/124');
    await objects.advertisement('web');
    await objects.service('shop', [WEB], { endpoints: ['node-a'] });
    await objects.service('six', [SIX], { endpoints: ['node-a'] });
    speaker = await lab.speaker(node);
  });
  afterAll(async () => {
    await lab?.close();
  });

  /** What people are told on a Service. */
  const warnings = async (service: string): Promise<readonly string[]> => {
    const which = `involvedObject.name=${service},reason=AddressConflict`;
    const text = await lab.api.kubectl(
      'get',
      'events',
      '-n',
      'default',
      `--field-selector=${which}`,
      '-o=json',
    );
    const { items }: { items: { message: string }[] } = JSON.parse(text);
    return items.map(({ message }) => message);
  };
  const condition = async (): Promise<string> => {
    const path =
      '{range .status.conditions[?(@.type=="herald.io/AddressConflict")]}{.status} {.message}{end}';
    return lab.api.kubectl(
      'get',
      'configurationstate',
      'speaker-node-a',
      '-n',
      NAMESPACE,
      `-o=jsonpath=${path}`,
    );
  };
  /** The MACs that answer a client. */
  const answers = async (ip: string): Promise<readonly string[]> => {
    const [command, ...args] = client.enter(
      ['arping', '-r', '-c', '2', '-w', '0.2', '-W', '0.05', '-i', 'eth0', ip], // prettier-ignore
    );
    return [...new Set((await exec(command, args)).stdout.split('\n').filter(Boolean))].sort();
  };
  /** As a host does that is given the address. */
  const claim = async (): Promise<void> => {
    await stranger.exec('ip', 'address', 'add', `${WEB}/24`, 'dev', 'eth0');
    const mac = parseMac(macs.stranger) ?? new Uint8Array(6);
    await lab.send(
      stranger,
      gratuitous(number(WEB), mac).map((f) => Buffer.from(f).toString('hex')),
      0,
    );
  };
  const leave = () => stranger.exec('ip', '-4', 'address', 'flush', 'dev', 'eth0');
  const alone = () =>
    until('one owner', async () => (await condition()).startsWith('False'), { timeoutMs: 45_000 });

  it('is told on the Service with its MAC, in a condition and in metrics, and our neighbours are told anew', async () => {
    const listening = lab.send(client, [], 3_000);
    await claim();
    await until('the Event', async () => (await warnings('shop')).length > 0);
    expect(await warnings('shop')).toEqual([
      `address "${WEB}" is also answered for by ${macs.stranger} (interface lan0); this node goes on answering and announces it anew`,
    ]);
    await until('the condition', async () => (await condition()).startsWith('True'));
    expect(await condition()).toBe(`True ${WEB} is also at ${macs.stranger} on lan0`);
    const metrics = await speaker.metrics();
    expect(metrics).toContain(`herald_speaker_conflicts_total{ip="${WEB}"} 1`);
    expect(metrics).toContain('herald_speaker_conflicted_addresses 1');
    const told = (await listening).heard.filter(({ ip, mac }) => ip === WEB && mac === macs.node);
    expect(told.length).toBeGreaterThan(0);
    expect(await answers(WEB)).toEqual([macs.node, macs.stranger].sort());
  });

  it('is no longer told of within seconds of its end', async () => {
    const began = performance.now();
    await leave();
    await alone();
    console.log(`the end of a conflict was told after ${Math.round(performance.now() - began)} ms`);
    expect(await speaker.metrics()).toContain('herald_speaker_conflicted_addresses 0');
  });

  it('keeps the address for as long as it is there where the policy says so, and then it is ours again', async () => {
    speaker.setting('onConflict', 'yield');
    await until('the setting', () => readFileSync(speaker.daemon.log, 'utf8').includes('"onConflict"'));
    await claim();
    await until('silence', async () => (await answers(WEB)).join() === macs.stranger);
    await leave();
    await alone();
    expect(await answers(WEB)).toEqual([macs.node]);
    speaker.setting('onConflict', 'defend');
  });

  it('is told of for IPv6, too', async () => {
    await stranger.exec('ip', '-6', 'address', 'add', `${SIX}/64`, 'dev', 'eth0', 'nodad');
    const mac = parseMac(macs.stranger) ?? new Uint8Array(6);
    await lab.send(stranger, [Buffer.from(unsolicited(ip6(SIX), mac)).toString('hex')], 0);
    await until('the Event', async () => (await warnings('six')).length > 0);
    expect((await warnings('six'))[0]).toContain(`address "${SIX}" is also answered for by ${macs.stranger}`);
  });

  it('is told with its node where that is one of the cluster, as kube-proxy answers in IPVS mode without strict ARP', async () => {
    // Has no speaker: for this address, node-a comes before it.
    const other = await lab.network.node('node-b');
    await other.exec('ip', 'address', 'add', '192.0.2.102/24', 'dev', 'lan0');
    await lab.objects.node('node-b');
    await lab.objects.speakerPod('node-b');
    await lab.objects.status('pod', 'speaker-node-b', { podIP: '192.0.2.102' }, NAMESPACE);
    const mac = await macOf(other, 'lan0');
    await other.exec('ip', 'address', 'add', `${WEB}/32`, 'dev', 'lo');
    await other.exec('arping', '-U', '-c', '1', '-i', 'lan0', '-S', WEB, WEB).catch(() => '');
    await until('the Event', async () => (await warnings('shop')).some((text) => text.includes('node-b')));
    expect((await warnings('shop')).at(-1)).toContain(`by ${mac}, which is node "node-b" (interface lan0)`);
  });
});
