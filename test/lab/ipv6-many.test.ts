import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/platform/kube/client.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { until } from '../servers/index.ts';
import { type Lab, labAvailable, type RunningSpeaker, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { makeServices } from './services.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`many IPv6 addresses skipped: ${able}`);

const COUNT = 10_000;
/** Each has a solicited-node group of its own, as the last 24 bits differ. */
const ips = Array.from({ length: COUNT }, (_, i) => `2001:db8::1:${(i + 1).toString(16)}`);
/** The first, the last, and some between. */
const samples = ips.filter((_, i) => i % 499 === 0 || i === COUNT - 1);
const TIMEOUT_MS = 60_000;

describe.skipIf(able !== true)('a node with ten thousand IPv6 addresses', () => {
  let lab: Lab;
  let client: Host;
  let node: Host;
  let speaker: RunningSpeaker;

  beforeAll(async () => {
    lab = await startLab();
    const { network, objects, api } = lab;
    [client, node] = await Promise.all([network.client('c'), network.node('node-a')]);
    await objects.node('node-a');
    await objects.speakerPod('node-a');
    await objects.pool('many', '2001:db8::1:0/112');
    await objects.advertisement('many');
    const log = createLog({ level: 'error', clock: systemClock });
    const kube = await connect({ kubeconfig: api.kubeconfig, log, userAgent: 'lab', qps: 0 });
    const services = ips.map((ip, i) => ({ name: `s${i}`, ip }));
    await makeServices({ api, kube }, services, ['node-a']);
    await kube.close();
    speaker = await lab.speaker(node);
  }, 120_000);
  afterAll(async () => {
    await lab?.close();
  });

  it('announces all of them', async () => {
    expect(await speaker.metrics()).toMatch(new RegExp(`^herald_speaker_addresses ${COUNT}$`, 'm'));
  });

  it('is in the group of each, as the kernel says, and no join failed', async () => {
    const joined = async () => {
      const groups = await node.exec('ip', '-6', 'maddr', 'show', 'dev', 'lan0');
      return groups.matchAll(/ff02::1:ff01:[0-9a-f]+$/gm).toArray().length;
    };
    await until('all groups', async () => (await joined()) >= COUNT, { timeoutMs: TIMEOUT_MS });
    expect(await joined()).toBe(COUNT);
    expect(await speaker.metrics()).not.toContain('herald_speaker_group_failures_total{');
  });

  it('answers the kernel of a client that looks for its neighbours', async () => {
    const owner = await macOf(node, 'lan0');
    // Any packet makes the kernel ask.
    const talk = `for ip in ${samples.join(' ')}; do echo > /dev/udp/$ip/9; done`;
    const found = async () => {
      await client.exec('bash', '-c', talk);
      const lines = (await client.exec('ip', '-6', 'neigh', 'show', 'dev', 'eth0')).split('\n');
      const known = lines.filter((line) => line.includes(` lladdr ${owner} `) && line.includes('REACHABLE'));
      return new Set(known.map((line) => line.split(' ')[0]));
    };
    await until('each sample', async () => (await found()).isSupersetOf(new Set(samples)), {
      timeoutMs: TIMEOUT_MS,
    });
  });
});
