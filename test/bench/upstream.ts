/**
 * Herald's controller beside MetalLB's: the same loads, one after the other, each on a fresh API server of the same kind; prints,
 * passes and fails nothing. `node test/bench/upstream.ts [SERVICES...]`, default 1000 10000; 50000 takes MetalLB hours.
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

const metallb: Contestant = {
  name: 'MetalLB',
  start: (api, pod) => startMetallb(api, { namespace: NAMESPACE, pod }),
};
const herald = (bundle: Bundle): Contestant => ({
  name: 'Herald',
  start: (api, pod) => startController(api, { pod, bundle, args: ['--bgp-type=frr-k8s'] }),
});

/** Milliseconds for decisions alone: no API server, no writing. */
function decide(count: number): number {
  const services = Array.from({ length: count }, (_, i) => serviceOf(`bench/s${i}`));
  const ledger = new Ledger(configOf({ bench: { addresses: ['10.0.0.0/14'] } }));
  const start = performance.now();
  for (const service of services) converge(ledger, service);
  return performance.now() - start;
}

function table(theirs: Figures, ours: Figures): string {
  const text = (n: number) => n.toFixed(n >= 100 ? 0 : n >= 10 ? 1 : 2);
  const rows = [...theirs].map(([what, their]) => {
    const our = ours.get(what) ?? Number.NaN;
    return [what, text(their), text(our), their === 0 ? '' : text(our / their)];
  });
  const widths = [56, 10, 10, 8];
  return [['', metallb.name, herald.name, 'ratio'], ...rows]
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(56) : cell.padStart(widths[i] ?? 0))).join(''))
    .join('\n');
}

const able = available('upstream');
const asked = process.argv.slice(2).map(Number);
if (able !== true) say(`upstream bench not run: ${able}`);
else {
  decide(1_000);
  say(`${DECISIONS} decisions in memory: ${decide(DECISIONS).toFixed(0)} ms`);
  const dir = mkdtempSync(join(tmpdir(), 'herald-bench-'));
  try {
    const ours = herald(await writeBundle(dir));
    for (const count of asked.length > 0 ? asked : [1_000, 10_000]) {
      say(`\n${count} Services`);
      say(table(await contest(metallb, count), await contest(ours, count)));
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
