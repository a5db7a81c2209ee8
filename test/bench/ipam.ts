/**
 * Decisions in memory, without an API server: how fast, whether their cost depends on how much is in use or on the size of
 * pools, and what a claim weighs. Prints, passes and fails nothing. `node test/bench/ipam.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { converge } from '../../src/domain/ipam/converge.ts';
import { configOf, type ServiceSketch, serviceOf } from '../../src/domain/ipam/ipam.rig.ts';
import { Ledger } from '../../src/domain/ipam/ledger.ts';

const DECISIONS = 10_000;
/** A pool, and Services of its family. */
const plans = {
  'IPv4 /14': { pool: '10.0.0.0/14', sketch: {} },
  'IPv6 /64': { pool: '2001:db8::/64', sketch: { clusterIPs: ['fd00:10:96::9'] } },
} as const satisfies Record<string, { pool: string; sketch: ServiceSketch }>;
type Plan = (typeof plans)[keyof typeof plans];

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Milliseconds of CPU that the work takes, those of the garbage collector and the compiler among them. */
function cpuMs<T>(items: readonly T[], work: (item: T) => void): number {
  const before = process.cpuUsage();
  for (const item of items) work(item);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const ledgerOf = ({ pool }: Plan) => new Ledger(configOf({ bench: { addresses: [pool] } }));
const servicesOf = (count: number, { sketch }: Plan, name = 's') =>
  Array.from({ length: count }, (_, i) => serviceOf(`bench/${name}${i}`, sketch));

/** `count` Services that have nothing, each decided once. */
function decide(count: number, plan: Plan): number {
  const ledger = ledgerOf(plan);
  return cpuMs(servicesOf(count, plan), (service) => converge(ledger, service));
}

/** Microseconds for a Service to come, for one to be looked up, and for one to go, while `held` others have an address. */
function turnover(held: number, plan: Plan): readonly number[] {
  const ledger = ledgerOf(plan);
  for (const service of servicesOf(held, plan)) converge(ledger, service);
  const comers = servicesOf(DECISIONS, plan, 't');
  const known = comers.map((_, i) => `bench/s${(i * 7_919) % held}`);
  const come = cpuMs(comers, (service) => converge(ledger, service));
  const look = cpuMs(known, (key) => {
    for (const address of ledger.claimOf(key)?.addresses ?? []) ledger.holdersOf(address);
  });
  const go = cpuMs(comers, ({ metadata }) => ledger.release(`bench/${metadata.name}`));
  return [come, look, go].map((ms) => (ms / DECISIONS) * 1000);
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes of memory that a claim keeps, with the text of its key. */
function weight(count: number, plan: Plan): number {
  const ledger = ledgerOf(plan);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) converge(ledger, serviceOf(`bench/s${i}`, plan.sketch));
  collect();
  return (process.memoryUsage().heapUsed - before) / ledger.size;
}

decide(1_000, plans['IPv4 /14']);
for (const [name, plan] of Object.entries(plans)) {
  const runs = Array.from({ length: 9 }, () => decide(DECISIONS, plan));
  const [first = Number.NaN] = runs;
  const middle = runs.toSorted((a, b) => a - b)[4] ?? Number.NaN;
  say(`${DECISIONS} decisions, ${name}: ${first.toFixed(0)} ms of CPU at first, then ${middle.toFixed(0)}`);
}
say(
  `\n${'microseconds of CPU'.padEnd(30)}${['decide', 'look up', 'release'].map((w) => w.padStart(9)).join('')}`,
);
for (const [name, plan] of Object.entries(plans))
  for (const held of [1_000, 10_000, 100_000]) {
    const cells = turnover(held, plan).map((us) => us.toFixed(2).padStart(9));
    say(`${name}, ${held} held`.padEnd(30) + cells.join(''));
  }
say('');
for (const [name, plan] of Object.entries(plans))
  say(`a claim in an ${name}: ${weight(20_000, plan).toFixed(0)} bytes`);
