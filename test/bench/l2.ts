/**
 * How long addresses are without an owner when something ends, beside upstream's speaker in the same lab:
 * `node test/bench/l2.ts [NODES...]` (default 3), RUNS= how often each (default 30), ADDRESSES= how many there are (default "1 100").
 * Prints a table; passes and fails nothing. Needs what test/lab needs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { rank } from '../../src/domain/election/ranks.ts';
import { EXCLUDE, type Lab, labAvailable, startLab } from '../lab/lab.rig.ts';
import { type Host, macOf } from '../lab/network.rig.ts';
import { NAMESPACE, SPEAKER_LABELS } from '../lab/objects.rig.ts';
import { ownership } from '../lab/ownership.ts';
import { startUpstream, UPSTREAM_LABELS } from '../lab/upstream.rig.ts';
import { exec, until } from '../servers/exec.ts';

const RUNS = Number(process.env.RUNS ?? 30);
const ADDRESSES = (process.env.ADDRESSES ?? '1 100').split(' ').map(Number);
const NODES = process.argv.slice(2).map(Number);
/** An address that nobody answers for this long has no owner any more. */
const GIVE_UP_MS = 30_000;
/** What is watched before and after a move. */
const AROUND_MS = 500;
const PRODUCTS = ['herald', 'upstream'] as const;
type Product = (typeof PRODUCTS)[number];

interface Member {
  readonly host: Host;
  readonly mac: string;
  readonly address: string;
  stop(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

interface Site {
  readonly lab: Lab;
  readonly client: Host;
  readonly members: readonly Member[];
  readonly ips: readonly string[];
}

interface Scenario {
  readonly name: string;
  /** What happens to the owner. */
  hit(owner: Member): Promise<unknown>;
  /** Puts it right again. */
  mend(owner: Member): Promise<unknown>;
}

const link = (host: Host, name: string, state: 'up' | 'down') => host.exec('ip', 'link', 'set', name, state);
const SCENARIOS: readonly Scenario[] = [
  { name: 'process killed', hit: (m) => m.stop('SIGKILL'), mend: (m) => m.start() },
  { name: 'process stopped', hit: (m) => m.stop('SIGTERM'), mend: (m) => m.start() },
  {
    name: 'node cut off',
    hit: (m) => Promise.all([link(m.host, 'lan0', 'down'), link(m.host, 'mgmt0', 'down')]),
    mend: (m) => Promise.all([link(m.host, 'lan0', 'up'), link(m.host, 'mgmt0', 'up')]),
  },
  {
    name: 'carrier lost',
    hit: (m) => link(m.host, 'lan0', 'down'),
    mend: (m) => link(m.host, 'lan0', 'up'),
  },
];

const row = (...cells: readonly string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padEnd(44) : c.padStart(12))).join(''));
const ms = (value: number) => (Number.isFinite(value) ? `${value.toFixed(0)} ms` : 'never');

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

async function arping(client: Host, ip: string): Promise<readonly string[]> {
  const flags = ['-r', '-c', '1', '-w', '0.1', '-W', '0.05', '-i', 'eth0', ip];
  const [command, ...args] = client.enter(['arping', ...flags]);
  return (await exec(command, args)).stdout.split('\n').filter(Boolean);
}

async function settled(site: Site, ip: string): Promise<Member> {
  const owner = site.members.find(({ host }) => host.name === rank(names(site), ip)[0]);
  if (!owner) throw new Error(ip);
  let calm = 0;
  await until(
    `${ip} at ${owner.host.name}`,
    async () => {
      const macs = await arping(site.client, ip);
      calm = macs.length > 0 && macs.every((mac) => mac === owner.mac) ? calm + 1 : 0;
      return calm >= 5;
    },
    { timeoutMs: 60_000 },
  );
  return owner;
}

const names = ({ members }: Site) => members.map(({ host }) => host.name);

/** One failure of the owner of an address: how long nobody answered (never: Infinity), how long two did, and how often it moved. */
async function once(site: Site, scenario: Scenario, ip: string) {
  const owner = await settled(site, ip);
  const prober = await site.lab.probe(site.client, [ip]);
  await sleep(AROUND_MS);
  await scenario.hit(owner);
  const other = async () => (await arping(site.client, ip)).some((mac) => mac !== owner.mac);
  const taken = await until('another owner', other, { timeoutMs: GIVE_UP_MS, everyMs: 10 }).then(
    () => true,
    () => false,
  );
  // Two owners, or a change of mind, show shortly after.
  await sleep(AROUND_MS);
  const { without, twice, moves } = ownership((await prober.stop()).questions);
  await scenario.mend(owner);
  await settled(site, ip);
  return { without: taken ? without : Number.POSITIVE_INFINITY, twice, moves };
}

async function member(lab: Lab, product: Product, name: string): Promise<Member> {
  const host = await lab.network.node(name);
  const address =
    /inet (\S+)\//.exec(await host.exec('ip', '-o', '-4', 'address', 'show', 'mgmt0'))?.[1] ?? '';
  await lab.objects.node(name);
  await lab.objects.status('node', name, {
    addresses: [{ type: 'InternalIP', address }],
    conditions: [{ type: 'Ready', status: 'True' }],
  });
  const labels =
    product === 'herald'
      ? SPEAKER_LABELS
      : Object.fromEntries(UPSTREAM_LABELS.split(',').map((label) => label.split('=')));
  await lab.objects.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `speaker-${name}`, namespace: NAMESPACE, labels },
    spec: { nodeName: name, hostNetwork: true, containers: [{ name: 'speaker', image: 'speaker' }] },
  });
  const ready = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
  const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions: ready };
  await lab.objects.status('pod', `speaker-${name}`, status, NAMESPACE);
  let end: (signal: NodeJS.Signals) => Promise<void> = async () => {};
  const start = async () => {
    const settings = { 'excludel2.yaml': EXCLUDE() };
    const daemon =
      product === 'herald'
        ? (await lab.speaker(host, { settings, args: [`--ml-bindaddr=${address}`] })).daemon
        : await startUpstream(lab, host, address);
    end = (signal) => daemon.stop(signal, 10_000);
  };
  return { host, address, mac: await macOf(host, 'lan0'), start, stop: (signal) => end(signal) };
}

async function begin(product: Product, nodes: number, addresses: number): Promise<Site> {
  const lab = await startLab({ bundled: true });
  const members: Member[] = [];
  for (let i = 1; i <= nodes; i++) members.push(await member(lab, product, `n${i}`));
  const client = await lab.network.client('client');
  await lab.objects.pool('all', '10.200.0.0/16');
  await lab.objects.advertisement('all');
  const ips = Array.from({ length: addresses }, (_, i) => `10.200.${(i + 1) >> 8}.${(i + 1) & 255}`);
  const endpoints = members.map(({ host }) => host.name);
  for (const [i, ip] of ips.entries()) await lab.objects.service(`s${i}`, [ip], { endpoints });
  await Promise.all(members.map((m) => m.start()));
  return { lab, client, members, ips };
}

async function play(product: Product, nodes: number, addresses: number): Promise<void> {
  const site = await begin(product, nodes, addresses);
  try {
    for (const scenario of SCENARIOS) {
      const found: Awaited<ReturnType<typeof once>>[] = [];
      for (let run = 0; run < RUNS; run++) {
        const ip = site.ips[run % site.ips.length] ?? '';
        const result = await once(site, scenario, ip);
        found.push(result);
        // One wait of half a minute says it.
        if (!Number.isFinite(result.without)) break;
      }
      const without = found.map((f) => f.without);
      const title = `${scenario.name}, ${nodes} nodes, ${addresses} addresses: ${product}`;
      const moves = found.reduce((sum, f) => sum + f.moves, 0) / found.length;
      row(
        title,
        ...[0.5, 0.99, 1].map((q) => ms(quantile(without, q))),
        ms(Math.max(...found.map((f) => f.twice))),
        moves.toFixed(1),
        String(found.length),
      );
    }
  } finally {
    await site.lab.close();
  }
}

const can = labAvailable();
if (can !== true) console.log(`skipped: ${can}`);
else {
  row('', 'p50', 'p99', 'max', 'two owners', 'moves', 'runs');
  for (const nodes of NODES.length > 0 ? NODES : [3])
    for (const addresses of ADDRESSES) for (const product of PRODUCTS) await play(product, nodes, addresses);
}
