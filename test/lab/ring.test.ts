import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../servers/index.ts';
import type { Report } from './client.ts';
import { type Lab, labAvailable, type RunningSpeaker, startLab } from './lab.rig.ts';
import type { Host } from './network.rig.ts';
import { NAMESPACE } from './objects.rig.ts';

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
  const owner = async (): Promise<string> => {
    for (const name of speakers.keys()) if ((await metric(name, 'herald_speaker_addresses')) > 0) return name;
    return 'nobody';
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
    await until('an owner', async () => (await owner()) !== 'nobody');
    const first = await owner();
    const prober = await lab.probe(client, [WEB], EVERY_MS);
    const crashed = speakers.get(first);
    speakers.delete(first);
    crashed?.daemon.kill('SIGKILL');
    await until('another owner', async () => (await owner()) !== 'nobody');
    const hole = longestHole(await prober.stop());
    console.log(`crash of the owner: ${hole} ms without an answer`);
    expect(hole).toBeGreaterThan(0);
    expect(hole).toBeLessThan(1_500);
    const host = hosts.find(({ name }) => name === first);
    if (host) await start(host);
    for (const name of NODES) await until(`the ring of ${name}`, async () => (await members(name)) === 3);
  });
});

/** Milliseconds of questions in a row that nobody answered, at most. */
function longestHole({ questions }: Report): number {
  let longest = 0;
  let hole = 0;
  for (const { answers } of questions) {
    hole = answers.length === 0 ? hole + EVERY_MS : 0;
    longest = Math.max(longest, hole);
  }
  return longest;
}

async function addressOf(host: Host): Promise<string> {
  const text = await host.exec('ip', '-4', '-o', 'address', 'show', 'dev', 'mgmt0');
  const found = /inet ([\d.]+)/.exec(text)?.[1];
  if (found === undefined) throw new Error(text);
  return found;
}
