/**
 * Figures of the speaker on real links: `node test/bench/speaker.ts [ipv6] [SERVICES...]` (default 1000 10000), `ring [NODES...]` (default
 * 3 5 10) for what a ring costs while nothing happens. Prints a table; passes and fails nothing. Needs what test/lab needs.
 */
import { readFileSync } from 'node:fs';
import { connect, type KubeClient } from '../../src/platform/kube/client.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { type Lab, labAvailable, type RunningSpeaker, startLab } from '../lab/lab.rig.ts';
import type { Host } from '../lab/network.rig.ts';
import { NAMESPACE } from '../lab/objects.rig.ts';
import { assign, makeServices } from '../lab/services.rig.ts';
import { startSite } from '../lab/site.rig.ts';
import { until } from '../servers/index.ts';

const LATENCY_RUNS = 50;
/** Questions a second; the highest is beyond what one client process can send. */
const RATES = [10_000, 40_000, 200_000];
const FLOOD_SECONDS = 3;
/** Clock ticks a second in /proc/PID/stat (USER_HZ, 100 on all Linux). */
const TICKS = 100;

const row = (...cells: readonly string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padEnd(46) : c.padStart(14))).join(''));
const ms = (value: number) => `${value.toFixed(1)} ms`;

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** CPU seconds that the process has used. */
function cpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

function memory(pid: number, what: 'VmRSS' | 'VmHWM'): string {
  const kib = new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return `${(Number(kib) / 1024).toFixed(0)} MiB`;
}

/** Of a core, over some seconds, in percent. */
async function load(pid: number, seconds: number): Promise<number> {
  const before = cpu(pid);
  await systemClock.sleep(1_000 * seconds);
  return (100 * (cpu(pid) - before)) / seconds;
}

const ipv6 = process.argv.includes('ipv6');
const POOL = ipv6 ? '2001:db8:c8::/112' : '10.200.0.0/15';
/** The i-th address of the pool, from 1 on. */
const address = (i: number) =>
  ipv6 ? `2001:db8:c8::${(i + 1).toString(16)}` : `10.200.${(i + 1) >> 8}.${(i + 1) & 255}`;

/** Services numbered from..to. */
const numbered = (prefix: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ name: `${prefix}-${from + i}`, ip: address(from + i) }));

/** From just before the status is written to the first answer, and to the first unasked one, at a client. */
async function latency(lab: Lab, client: KubeClient, host: Host): Promise<void> {
  const late = numbered('late', 60_000, 60_000 + LATENCY_RUNS);
  await makeServices(
    { api: lab.api, kube: client },
    late.map(({ name }) => ({ name })),
    ['node-a'],
  );
  const replies: number[] = [];
  const told: number[] = [];
  for (const { name, ip: wanted } of late) {
    const prober = await lab.probe(host, [wanted], 1);
    const written = performance.timeOrigin + performance.now();
    await assign(client, name, wanted);
    await systemClock.sleep(150);
    const report = await prober.stop();
    const first = report.questions
      .flatMap((q) => q.answers.map((a) => report.origin + q.at + a.after))
      .sort((a, b) => a - b)[0];
    const heard = report.heard.find(({ ip }) => ip === wanted);
    if (first !== undefined) replies.push(first - written);
    if (heard) told.push(report.origin + heard.at - written);
  }
  const runs = (list: readonly number[]) => `${list.length}/${LATENCY_RUNS}`;
  row(
    'Service status written -> first reply',
    ms(quantile(replies, 0.5)),
    ms(quantile(replies, 0.99)),
    runs(replies),
  );
  row(
    'Service status written -> told unasked',
    ms(quantile(told, 0.5)),
    ms(quantile(told, 0.99)),
    runs(told),
  );
}

async function floods(at: { lab: Lab; host: Host; speaker: RunningSpeaker }, count: number): Promise<void> {
  const { lab, host, speaker } = at;
  const ips = Array.from({ length: count }, (_, i) => address(i));
  for (const perSecond of RATES) {
    const before = cpu(speaker.daemon.pid);
    const { sent, answered, seconds } = await lab.flood(host, ips, { perSecond, seconds: FLOOD_SECONDS });
    const used = cpu(speaker.daemon.pid) - before;
    row(
      `${count} addresses, ${perSecond} asked for a second`,
      `${Math.round(sent / seconds)}/s asked`,
      `${Math.round(answered / seconds)}/s`,
      `${((100 * answered) / sent).toFixed(1)} %`,
      `${((1e6 * used) / answered).toFixed(1)} us CPU`,
    );
  }
}

async function addressesOf(speaker: RunningSpeaker): Promise<number> {
  return Number(/^herald_speaker_addresses (\d+)/m.exec(await speaker.metrics())?.[1] ?? 0);
}

/** ServiceL2Status objects; the status of all but the last two is written. */
async function statusesOf(lab: Lab): Promise<number> {
  const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/servicel2statuses?limit=1`;
  const { items, metadata } = JSON.parse((await lab.api.get(path)).body);
  return items.length + (metadata.remainingItemCount ?? 0);
}

/** Starts a speaker beside that many Services; returns it running. */
async function start(lab: Lab, node: Host, count: number): Promise<RunningSpeaker> {
  const began = performance.now();
  const speaker = await lab.speaker(node, { settings: { logLevel: 'warn' }, args: ['--api-qps=1000'] });
  const ready = performance.now() - began;
  await until('all announced', async () => (await addressesOf(speaker)) >= count, { everyMs: 20 });
  const all = performance.now() - began;
  const { pid } = speaker.daemon;
  const atReady = memory(pid, 'VmRSS');
  await until('all statuses', async () => (await statusesOf(lab)) >= count, {
    everyMs: 1_000,
    // Written at a steady pace, so that nothing else has to wait: ten thousand take some seven minutes.
    timeoutMs: 900_000,
  });
  const written = performance.now() - began;
  await systemClock.sleep(10_000);
  const idle = await load(pid, 10);
  row(`${count} Services: start -> ready, announced, told`, ms(ready), ms(all), ms(written));
  row(
    `${count} Services: RSS at ready, later, peak; CPU then`,
    atReady,
    memory(pid, 'VmRSS'),
    memory(pid, 'VmHWM'),
    `${idle.toFixed(1)} %`,
  );
  return speaker;
}

/** What a speaker in a ring costs while nobody asks and nothing changes, beside upstream's; the mean of all members. */
async function ring(nodes: number): Promise<void> {
  for (const product of ['herald', 'upstream'] as const) {
    const site = await startSite({ product, nodes, addresses: 1, bundled: true });
    try {
      await site.settled();
      site.watch.close();
      await systemClock.sleep(20_000);
      const pids = site.members.flatMap(({ pid }) => pid ?? []);
      const loads = await Promise.all(pids.map((pid) => load(pid, 20)));
      const mean = loads.reduce((sum, one) => sum + one, 0) / loads.length;
      row(
        `a ring of ${nodes} at rest: ${product}`,
        `${mean.toFixed(2)} %`,
        `${Math.max(...loads).toFixed(2)} % most`,
      );
    } finally {
      await site.close();
    }
  }
}

async function main(counts: readonly number[]): Promise<void> {
  const lab = await startLab({ bundled: true });
  try {
    const log = createLog({ level: 'error', clock: systemClock });
    const client = await connect({
      kubeconfig: lab.api.kubeconfig,
      log,
      userAgent: 'bench',
      qps: 0,
    });
    const [host, node] = await Promise.all([lab.network.client('c'), lab.network.node('node-a')]);
    await lab.objects.node('node-a');
    await lab.objects.speakerPod('node-a');
    await lab.objects.pool('bench', POOL);
    await lab.objects.advertisement('bench');
    row('', 'p50', 'p99', 'runs');
    let speaker = await start(lab, node, 0);
    await latency(lab, client, host);
    await makeServices({ api: lab.api, kube: client }, numbered('bench', 0, 1), ['node-a']);
    await until('the first', async () => (await addressesOf(speaker)) > LATENCY_RUNS);
    await floods({ lab, host, speaker }, 1);
    let made = 1;
    for (const count of counts) {
      await speaker.stop();
      await makeServices({ api: lab.api, kube: client }, numbered('bench', made, count), ['node-a']);
      made = count;
      speaker = await start(lab, node, count);
      await floods({ lab, host, speaker }, count);
    }
    await client.close();
  } finally {
    await lab.close();
  }
}

const numbers = process.argv.slice(2).map(Number).filter(Number.isInteger);
const given = (otherwise: readonly number[]) => (numbers.length > 0 ? numbers : otherwise);
const able = labAvailable();
if (able !== true) console.log(`skipped: ${able}`);
else if (process.argv.includes('ring')) for (const nodes of given([3, 5, 10])) await ring(nodes);
else await main(given([1_000, 10_000]));
