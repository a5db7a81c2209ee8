import { createSocket } from 'node:dgram';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLAIN } from '../../src/protocols/gossip/machine.rig.ts';
import { encodeMessage } from '../../src/protocols/gossip/messages.ts';
import { encodePacket } from '../../src/protocols/gossip/packet.ts';
import { toolPath } from '../../tools/servers/manifest.ts';
import { available, until } from '../servers/index.ts';
import type { Report } from './client.ts';
import { type Lab, labAvailable, type RunningSpeaker, startLab } from './lab.rig.ts';
import type { Host } from './network.rig.ts';
import { NAMESPACE, SPEAKER_LABELS } from './objects.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`ring lab skipped: ${able}`);

/** Of the three nodes, this is their order for the address. */
const WEB = '192.0.2.7';
const NODES = ['node-a', 'node-b', 'node-c'] as const;
const EVERY_MS = 5;

describe.skipIf(able !== true)('speakers in a ring', () => {
  let lab: Lab;
  let client: Host;
  const speakers = new Map<string, RunningSpeaker>();

  const start = async (host: Host): Promise<void> => {
    const address = await addressOf(host);
    await lab.objects.status('pod', `speaker-${host.name}`, { podIP: address }, NAMESPACE);
    const args = [`--ml-bindaddr=${address}`, `--ml-secret-key-path=${join(lab.run.dir, 'secret')}`];
    speakers.set(host.name, await lab.speaker(host, { args }));
  };
  const metric = async (name: string, line: string): Promise<number> => {
    const text = (await speakers.get(name)?.metrics()) ?? '';
    return Number(
      text
        .split('\n')
        .find((l) => l.startsWith(line))
        ?.split(' ')[1],
    );
  };
  const members = (name: string) => metric(name, 'herald_speaker_ring_members');
  const owners = async (): Promise<readonly string[]> => {
    const all = await Promise.all(
      [...speakers.keys()].map(
        async (name) => [name, await metric(name, 'herald_speaker_addresses')] as const,
      ),
    );
    return all.filter(([, count]) => count > 0).map(([name]) => name);
  };
  /** The only one, for a while: during a handover there are two. */
  const owner = async (): Promise<string> => {
    let seen: string[] = [];
    await until('one owner', async () => {
      const [only = '', ...more] = await owners();
      seen = only !== '' && more.length === 0 && (seen[0] ?? only) === only ? [...seen, only] : [];
      return seen.length === 10;
    });
    return seen[0] ?? '';
  };
  let hosts: readonly Host[];

  beforeAll(async () => {
    lab = await startLab();
    mkdirSync(join(lab.run.dir, 'secret'));
    writeFileSync(join(lab.run.dir, 'secret/secretkey'), 'c2VjcmV0IG9mIHRoZSByaW5n');
    client = await lab.network.client('c');
    hosts = await Promise.all(NODES.map((name) => lab.network.node(name)));
    for (const name of NODES) {
      await lab.objects.node(name);
      await lab.objects.speakerPod(name);
    }
    await lab.objects.pool('web', '192.0.2.0/28');
    await lab.objects.advertisement('web');
    await lab.objects.service('shop', [WEB], { endpoints: NODES });
    for (const host of hosts) await start(host);
    for (const name of NODES) await until(`the ring of ${name}`, async () => (await members(name)) === 3);
  });
  afterAll(async () => {
    await lab?.close();
  });

  it('answer from one node within a second of the crash of another, though the API server noticed nothing', async () => {
    const first = await owner();
    const prober = await lab.probe(client, [WEB], EVERY_MS);
    const crashed = speakers.get(first);
    speakers.delete(first);
    await crashed?.daemon.stop('SIGKILL');
    expect(await owner()).not.toBe(first);
    const hole = longestHole(await prober.stop());
    console.log(`crash of the owner: ${hole} ms without an answer`);
    expect(hole).toBeGreaterThan(400);
    expect(hole).toBeLessThan(1_500);
    const host = hosts.find(({ name }) => name === first);
    if (host) await start(host);
    for (const name of NODES) await until(`the ring of ${name}`, async () => (await members(name)) === 3);
    expect(await owner()).toBe(first);
  });

  it('answer from one node when another crashes while the API server is away, and from the same one when it is back', async () => {
    const first = await owner();
    const prober = await lab.probe(client, [WEB], EVERY_MS);
    await lab.api.kill();
    const crashed = speakers.get(first);
    speakers.delete(first);
    await crashed?.daemon.stop('SIGKILL');
    const second = await owner();
    expect(second).not.toBe(first);
    expect(longestHole(await prober.stop())).toBeLessThan(3_000);
    await lab.api.restart();
    expect(await owner()).toBe(second);
    const host = hosts.find(({ name }) => name === first);
    if (host) await start(host);
    for (const name of NODES) await until(`the ring of ${name}`, async () => (await members(name)) === 3);
    expect(await owner()).toBe(first);
  });

  it('believe nobody without the key who says, thousands of times a second, that the owner is dead or has left', async () => {
    const first = await owner();
    const sum = async (line: string) => {
      const texts = await Promise.all(NODES.map(async (name) => speakers.get(name)?.metrics()));
      const found = texts.flatMap((text = '') => [...text.matchAll(new RegExp(`^${line} (\\d+)$`, 'gm'))]);
      return found.reduce((all, [, count]) => all + Number(count), 0);
    };
    const deaths = () => sum('herald_speaker_ring_changes_total\\{type="(?:died|left)"\\}');
    const before = await deaths();
    const lies = ['node-x', first].flatMap((from) =>
      [PLAIN, { ...PLAIN, label: 'another ring' }].map((wrapping) =>
        encodePacket([encodeMessage({ type: 'dead', node: first, incarnation: 1_000, from })], wrapping, {
          checksum: false,
        }),
      ),
    );
    const packets = [...lies, new Uint8Array(1_400).fill(0xa5), Uint8Array.of(12), new Uint8Array()];
    const addresses = await Promise.all(hosts.map(addressOf));
    const socket = createSocket('udp4');
    for (let i = 0; i < 100; i++) {
      for (const address of addresses)
        for (let j = 0; j < 35; j++) socket.send(packets[j % packets.length] ?? '', 7946, address);
      await setTimeout(20);
    }
    socket.close();
    expect(await sum('herald_speaker_ring_dropped_total\\{reason="not-decrypted"\\}')).toBeGreaterThan(100);
    expect(await sum('herald_speaker_ring_dropped_total\\{reason="wrong-label"\\}')).toBeGreaterThan(100);
    for (const name of NODES) expect(await members(name)).toBe(3);
    expect(await deaths()).toBe(before);
    expect(await owner()).toBe(first);
  });

  it('leave an address where it is when its owner stands still for a third of a second', async () => {
    const first = await owner();
    const deaths = async () => {
      const all = await Promise.all(
        NODES.map((n) => metric(n, 'herald_speaker_ring_changes_total{type="died"}')),
      );
      return all.filter((n) => !Number.isNaN(n)).reduce((sum, n) => sum + n, 0);
    };
    const before = await deaths();
    const pid = speakers.get(first)?.daemon.pid ?? 0;
    for (let i = 0; i < 5; i++) {
      process.kill(pid, 'SIGSTOP');
      await setTimeout(330);
      process.kill(pid, 'SIGCONT');
      await until('the ring', async () => (await members(first)) === 3);
    }
    expect(await deaths()).toBe(before);
    expect(await owner()).toBe(first);
  });

  it('move an address without a hole when its owner is stopped', async () => {
    const first = await owner();
    const prober = await lab.probe(client, [WEB], EVERY_MS);
    const stopped = speakers.get(first);
    speakers.delete(first);
    await stopped?.stop();
    expect(await owner()).not.toBe(first);
    const hole = longestHole(await prober.stop());
    console.log(`clean stop of the owner: ${hole} ms without an answer`);
    expect(hole).toBeLessThan(100);
    const host = hosts.find(({ name }) => name === first);
    if (host) await start(host);
  });

  it.skipIf(available('upstream') !== true)(
    'take in a speaker of MetalLB, and hold it dead when it crashes',
    async () => {
      const host = await lab.network.node('node-d');
      const address = await addressOf(host);
      await lab.objects.node(host.name);
      await lab.objects.speakerPod(host.name);
      const flags = [
        `--node-name=${host.name}`,
        `--namespace=${NAMESPACE}`,
        `--pod-name=speaker-${host.name}`,
      ];
      const labels = Object.entries(SPEAKER_LABELS).map(([name, value]) => `${name}=${value}`);
      const ring = [`--ml-bindaddr=${address}`, '--ml-bindport=7946', `--ml-labels=${labels.join(',')}`];
      const secret = `--ml-secret-key-path=${join(lab.run.dir, 'secret')}`;
      const [command, ...args] = host.enter([toolPath('metallb-speaker'), ...flags, ...ring, secret]);
      const env = { ...process.env, KUBECONFIG: lab.api.kubeconfig, METALLB_BGP_TYPE: 'native' };
      const upstream = lab.run.start({ name: 'metallb-speaker', command, args, env });
      await until('its memberlist', () => readFileSync(upstream.log, 'utf8').includes('node event'));
      await lab.objects.status('pod', `speaker-${host.name}`, { podIP: address }, NAMESPACE);
      for (const name of NODES) await until(`the ring of ${name}`, async () => (await members(name)) === 4);
      for (const name of NODES) {
        await until(`${name} at MetalLB`, () => {
          const lines = readFileSync(upstream.log, 'utf8').split('\n');
          return lines.some((line) => line.includes('NodeJoin') && line.includes(name));
        });
      }
      await upstream.stop('SIGKILL');
      for (const name of NODES) await until(`the ring of ${name}`, async () => (await members(name)) === 3);
    },
  );
});

/** Milliseconds from the first of questions in a row that nobody answered to the one after them, at most. */
function longestHole({ questions }: Report): number {
  let longest = 0;
  let since: number | undefined;
  for (const { at, answers } of questions) {
    if (since !== undefined) longest = Math.max(longest, at - since);
    since = answers.length > 0 ? undefined : (since ?? at);
  }
  return Math.round(longest);
}

async function addressOf(host: Host): Promise<string> {
  const text = await host.exec('ip', '-4', '-o', 'address', 'show', 'dev', 'mgmt0');
  const found = /inet ([\d.]+)/.exec(text)?.[1];
  if (found === undefined) throw new Error(text);
  return found;
}
