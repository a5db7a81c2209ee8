/**
 * How long addresses are without an owner, and what a speaker can answer, beside upstream's speaker in the same lab. Prints a
 * row as soon as it is known; passes and fails nothing. Needs what test/lab needs. By the environment:
 * NODES (default 3), ADDRESSES ("1 100"; of more than a hundred, so many are watched, spread evenly), RUNS of each scenario (30),
 * PRODUCTS ("herald upstream"), MINUTES of unrest (10), and
 * SCENARIOS: killed stopped gone carrier rolling drain lossy stall partition unrest, and on one node: answers change start cost.
 */
import { stalls } from '../lab/faults.rig.ts';
import { labAvailable } from '../lab/lab.rig.ts';
import { ownership, prompt } from '../lab/ownership.ts';
import { type Product, type Site, startSite } from '../lab/site.rig.ts';
import { answers, changes, costs, starts } from './parts/answers.ts';
import { type Outcome, once, scenarios } from './parts/failovers.ts';
import { ms, quantile, table } from './parts/print.ts';

const words = (name: string, otherwise: string): readonly string[] =>
  (process.env[name] ?? otherwise).split(/[ ,]+/).filter(Boolean);
const ALONE = ['answers', 'change', 'start', 'cost'];
const RUNS = Number(process.env.RUNS ?? 30);
const MINUTES = Number(process.env.MINUTES ?? 10);
const PRODUCTS = words('PRODUCTS', 'herald upstream') as readonly Product[];
const SCENARIOS = new Set(
  words('SCENARIOS', [...scenarios.map(({ key }) => key), 'unrest', ...ALONE].join(' ')),
);

const row = table(58);

/** All runs of each chosen scenario on one site. */
async function failovers(site: Site, title: string): Promise<void> {
  for (const scenario of scenarios.filter(({ key }) => SCENARIOS.has(key))) {
    const found: Outcome[] = [];
    for (let run = 0; run < RUNS; run++) {
      // Each owner in turn.
      const owners = [...new Set(site.watched.map(site.home))];
      const owner = owners[run % owners.length];
      if (!owner) break;
      const outcome = await once(site, scenario, owner);
      found.push(outcome);
      // One wait of half a minute says it.
      if (!Number.isFinite(outcome.without)) break;
    }
    const without = found.map((outcome) => outcome.without);
    row(
      `${title}: ${scenario.name}`,
      ...[0.5, 0.99, 1].map((q) => ms(quantile(without, q))),
      ms(Math.max(...found.map(({ twice }) => twice))),
      (found.reduce((sum, { moves }) => sum + moves, 0) / found.length).toFixed(1),
      String(found.length),
    );
  }
}

/** Minutes of stalls up to 400 ms on speakers by chance, and 5 % of all packets lost: what moves although nobody failed. */
async function unrest(site: Site, title: string): Promise<void> {
  await site.settled();
  await site.lab.faults.lose(0.05, 'mgmt', 'lan');
  let moves = 0;
  let without = 0;
  let count = 0;
  // In pieces: ten minutes of questions are many.
  for (let minute = 0; minute < MINUTES; minute++) {
    await site.watch.forget();
    const forMs = 60_000 * Math.min(1, MINUTES - minute);
    count += await stalls(() => site.members.flatMap(({ pid }) => pid ?? []), { mostMs: 400, forMs });
    const questions = prompt((await site.watch.take()).questions);
    for (const ip of site.watched) {
      const seen = ownership(questions.filter((question) => question.ip === ip));
      moves += seen.moves;
      without = Math.max(without, seen.without);
    }
  }
  await site.lab.faults.heal();
  row(`${title}: ${MINUTES} min of unrest, ${count} stalls`, '', '', ms(without), '', String(moves), '1');
}

async function alone(site: Site, title: string): Promise<void> {
  if (SCENARIOS.has('answers')) await answers(site, row, title);
  if (SCENARIOS.has('cost')) await costs(site, row, title);
  if (SCENARIOS.has('change')) await changes(site, row, title);
  if (SCENARIOS.has('start')) await starts(site, RUNS, { row, title });
}

async function at(
  o: { product: Product; nodes: number; addresses: number },
  play: (site: Site, title: string) => Promise<void>,
): Promise<void> {
  const site = await startSite({ ...o, bundled: true });
  try {
    await site.settled();
    await play(site, `${o.product}, ${o.nodes} nodes, ${o.addresses} addr.`);
  } finally {
    await site.close();
  }
}

const can = labAvailable();
if (can !== true) console.log(`skipped: ${can}`);
else {
  row('', 'p50', 'p99', 'max', 'two owners', 'moves', 'runs');
  const numbers = (name: string, otherwise: string) => words(name, otherwise).map(Number);
  for (const addresses of numbers('ADDRESSES', '1 100')) {
    const together = scenarios.some(({ key }) => SCENARIOS.has(key));
    for (const nodes of together || SCENARIOS.has('unrest') ? numbers('NODES', '3') : [])
      for (const product of PRODUCTS)
        await at({ product, nodes, addresses }, async (site, title) => {
          await failovers(site, title);
          if (SCENARIOS.has('unrest')) await unrest(site, title);
        });
    for (const product of ALONE.some((key) => SCENARIOS.has(key)) ? PRODUCTS : [])
      await at({ product, nodes: 1, addresses }, alone);
  }
}
