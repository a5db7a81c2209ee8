import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../servers/index.ts';
import { type Lab, labAvailable, type RunningSpeaker, startLab } from './lab.rig.ts';
import type { Host } from './network.rig.ts';
import { NAMESPACE } from './objects.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`checks lab skipped: ${able}`);

const NODES = ['node-a', 'node-b', 'node-c'] as const;
const ADDRESSES = Array.from({ length: 12 }, (_, i) => `192.0.2.${i + 1}`);

describe.skipIf(able !== true)('speakers that check each other', () => {
  let lab: Lab;
  const hosts: Host[] = [];
  const speakers = new Map<string, RunningSpeaker>();

  const metric = async (name: string, line: string): Promise<number> => {
    const text = (await speakers.get(name)?.metrics()) ?? '';
    const found = text.split('\n').find((one) => one.startsWith(`${line} `));
    return Number(found?.split(' ').at(-1) ?? Number.NaN);
  };
  const checks = (name: string, result: string) =>
    metric(name, `herald_speaker_checks_total{result="${result}"}`);
  const owned = () => Promise.all(NODES.map((name) => metric(name, 'herald_speaker_addresses')));
  const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
  let before: readonly number[];
  const log = (name: string) => readFileSync(speakers.get(name)?.daemon.log ?? '', 'utf8');
  const warnings = async (): Promise<readonly string[]> => {
    const which = '--field-selector=reason=AddressSilent';
    const text = await lab.api.kubectl('get', 'events', '-n', 'default', which, '-o=json');
    const { items }: { items: { message: string }[] } = JSON.parse(text);
    return items.map(({ message }) => message);
  };

  beforeAll(async () => {
    lab = await startLab();
    const { network, objects, run } = lab;
    mkdirSync(join(run.dir, 'secret'));
    writeFileSync(join(run.dir, 'secret/secretkey'), 'c2VjcmV0IG9mIHRoZSByaW5n');
    await objects.pool('web', '192.0.2.0/28');
    await objects.advertisement('web');
    for (const [i, ip] of ADDRESSES.entries()) await objects.service(`shop-${i}`, [ip], { endpoints: NODES });
    for (const [i, name] of NODES.entries()) {
      const host = await network.node(name);
      hosts.push(host);
      await host.exec('ip', 'address', 'add', `192.0.2.${101 + i}/24`, 'dev', 'lan0');
      await objects.node(name);
      await objects.speakerPod(name);
      const text = await host.exec('ip', '-4', '-o', 'address', 'show', 'dev', 'mgmt0');
      const podIP = /inet ([\d.]+)/.exec(text)?.[1] ?? '';
      await objects.status('pod', `speaker-${name}`, { podIP }, NAMESPACE);
      const args = [`--ml-bindaddr=${podIP}`, `--ml-secret-key-path=${join(run.dir, 'secret')}`];
      speakers.set(name, await lab.speaker(host, { args }));
    }
    for (const name of NODES)
      await until(
        `the ring of ${name}`,
        async () => (await metric(name, 'herald_speaker_ring_members')) === 3,
      );
    await until('one owner each', async () => sum(await owned()) === ADDRESSES.length);
    before = await owned();
  });
  afterAll(async () => {
    await lab?.close();
  });

  it('ask for the addresses of others, and find them answered', async () => {
    for (const name of NODES)
      await until(`questions of ${name}`, async () => (await checks(name, 'ask')) >= 4, {
        timeoutMs: 40_000,
      });
    for (const name of NODES) expect(await checks(name, 'silent')).toBeNaN();
  });

  it('tell when an owner falls silent that still lives, and it opens its interface anew', async () => {
    const [owner, ...others] = hosts;
    if (!owner) throw new Error('no owner');
    // The carrier stays, and so does the ring.
    await lab.faults.part('lan', [owner], others);
    const about = (text: string) => text.includes('its node "node-a"');
    await until('the Event', async () => (await warnings()).some(about), { timeoutMs: 40_000 });
    expect((await warnings()).find(about)).toMatch(
      /^address "192\.0\.2\.\d+" is not answered for by its node "node-a", as node "node-[bc]" hears it$/,
    );
    const repairs = 'herald_speaker_repairs_total{interface="lan0"}';
    await until('the repair', async () => (await metric('node-a', repairs)) >= 1);
  });

  it('have its addresses move when two of them still hear nothing, and move back when it is heard', {
    timeout: 150_000,
  }, async () => {
    await until('the loss', () => log('node-a').includes('others still do not hear this interface'), {
      timeoutMs: 60_000,
    });
    const moved = async () => (await owned())[0] === 0 && sum(await owned()) === ADDRESSES.length;
    await until('the others to own all', moved, { timeoutMs: 10_000 });
    await lab.faults.heal();
    const back = async () => (await owned()).join() === before.join();
    await until('node-a again', back, { timeoutMs: 60_000 });
  });
});
