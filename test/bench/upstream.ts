/**
 * Herald's controller beside MetalLB's: the same loads, one after the other, each on a fresh API server of the same kind; prints,
 * passes and fails nothing. `node test/bench/upstream.ts [SERVICES...]`, default 1000 10000. PRODUCTS=herald
 * runs Herald alone: 50000 take MetalLB hours.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { converge } from '../../src/domain/ipam/converge.ts';
import { configOf, serviceOf } from '../../src/domain/ipam/ipam.rig.ts';
import { Ledger } from '../../src/domain/ipam/ledger.ts';
import { NAMESPACE, startController } from '../api/controller.rig.ts';
import { available, type Bundle, startMetallb, writeBundle } from '../servers/index.ts';
import { type Contestant, contest, type Figures } from './parts/contest.ts';

const DECISIONS = 10_000;
const say = (text: string) => process.stdout.write(`${text}\n`);

const contestants = (bundle: Bundle): readonly Contestant[] => [
  {
    name: 'MetalLB',
    start: (api, pod) => startMetallb(api, { namespace: NAMESPACE, pod }),
  },
  {
    name: 'Herald',
    start: (api, pod) => startController(api, { pod, bundle, args: ['--bgp-type=frr-k8s'] }),
  },
];

/** Milliseconds for decisions alone: no API server, no writing. */
function decide(count: number): number {
  const services = Array.from({ length: count }, (_, i) => serviceOf(`bench/s${i}`));
  const ledger = new Ledger(configOf({ bench: { addresses: ['10.0.0.0/14'] } }));
  const start = performance.now();
  for (const service of services) converge(ledger, service);
  return performance.now() - start;
}

/** A column for each; after two, the ratio of the second to the first. */
function table(names: readonly string[], figures: readonly Figures[]): string {
  const text = (n: number) => n.toFixed(n >= 100 ? 0 : n >= 10 ? 1 : 2);
  const rows = [...(figures[0]?.keys() ?? [])].map((what) => {
    const values = figures.map((each) => each.get(what) ?? Number.NaN);
    const [theirs = 0, ours] = values;
    return [what, ...values.map(text), ours === undefined || theirs === 0 ? '' : text(ours / theirs)];
  });
  return [['', ...names, names.length > 1 ? 'ratio' : ''], ...rows]
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(56) : cell.padStart(10))).join(''))
    .join('\n');
}

const able = available('upstream');
const asked = process.argv.slice(2).map(Number);
if (able !== true) say(`upstream bench not run: ${able}`);
else {
  const times = Array.from({ length: 10 }, () => decide(DECISIONS));
  const [first = 0, median = 0] = [times[0], times.toSorted((a, b) => a - b)[5]];
  say(`${DECISIONS} decisions in memory: ${first.toFixed(0)} ms at first, then ${median.toFixed(0)} ms`);
  const dir = mkdtempSync(join(tmpdir(), 'herald-bench-'));
  try {
    const chosen = contestants(await writeBundle(dir)).filter(
      ({ name }) => process.env.PRODUCTS?.includes(name.toLowerCase()) ?? true,
    );
    for (const count of asked.length > 0 ? asked : [1_000, 10_000]) {
      say(`\n${count} Services`);
      const figures: Figures[] = [];
      for (const who of chosen) figures.push(await contest(who, count));
      say(
        table(
          chosen.map(({ name }) => name),
          figures,
        ),
      );
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
