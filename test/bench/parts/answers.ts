/** What one speaker on one node does, whichever product: answers, changes, its start, and what it costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../lab/client.ts';
import { NAMESPACE } from '../../lab/objects.rig.ts';
import type { Site } from '../../lab/site.rig.ts';
import { until } from '../../servers/exec.ts';
import { ms, quantile } from './print.ts';
import { cpuSeconds, peakMiB } from './process.ts';

/** Questions a second; the highest is beyond what one client process can send. */
const RATES = [2_000, 5_000, 10_000, 20_000, 40_000, 100_000];
const FLOOD_SECONDS = 2;
/** A share of unanswered questions that is a burst too many for some buffer, and not yet too high a rate. */
const NO_LOSS = 0.001;
const IDLE_MS = 5_000;
const CHANGES = 20;

type Row = (...cells: readonly string[]) => void;

const wall = () => performance.timeOrigin + performance.now();
const pidOf = (site: Site) => site.members[0]?.pid ?? 0;

/** The highest rate of questions at which nothing is lost, what was answered at the highest rate of all, and the CPU of an answer. */
export async function answers(site: Site, row: Row, title: string): Promise<void> {
  let best = 0;
  let last = { answered: 0, cost: 0, sent: 0 };
  const { flood } = site.lab;
  for (const perSecond of RATES) {
    const before = cpuSeconds(pidOf(site));
    const done = await flood(site.client, site.ips, { perSecond, seconds: FLOOD_SECONDS });
    const cost = (1e6 * (cpuSeconds(pidOf(site)) - before)) / done.answered;
    if (done.answered >= done.sent * (1 - NO_LOSS)) best = done.sent / done.seconds;
    last = { answered: done.answered / done.seconds, sent: done.sent / done.seconds, cost };
    // Whoever falls behind answers for a while after the last question.
    await sleep(1_000);
  }
  row(`${title}: answers/s without loss`, best.toFixed(0));
  row(`${title}: answers/s of ${last.sent.toFixed(0)} asked`, last.answered.toFixed(0));
  row(`${title}: CPU of an answer at that rate`, `${last.cost.toFixed(1)} us`);
}

/** The first answer about each address, wall time in milliseconds. */
function firsts({ origin, questions }: Report): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { ip, at, answers } of questions) {
    const [first] = answers;
    if (first && !found.has(ip)) found.set(ip, origin + at + first.after);
  }
  return found;
}

const answered = (site: Site, how: 'all' | 'none') => async () =>
  Object.values(await site.watch.owners()).every((macs) =>
    how === 'all' ? macs.length > 0 : macs.length === 0,
  );

/** From an advertisement that is written until the first answer about the last address. */
export async function changes(site: Site, row: Row, title: string): Promise<void> {
  const took: number[] = [];
  const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/l2advertisements`;
  for (let i = 0; i < CHANGES; i++) {
    await until('an answer', answered(site, 'all'));
    await site.kube.request({ method: 'DELETE', path: `${path}/all` });
    await until('silence', answered(site, 'none'));
    await site.watch.forget();
    const written = wall();
    await site.kube.request({
      method: 'POST',
      path,
      body: { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'all' } },
    });
    await until('an answer', answered(site, 'all'), { everyMs: 20 });
    const first = firsts(await site.watch.take());
    took.push(Math.max(...first.values()) - written);
  }
  row(
    `${title}: advertisement -> on the wire`,
    ...[0.5, 0.99, 1].map((q) => ms(quantile(took, q))),
    '',
    '',
    String(took.length),
  );
}

/** From the start of the process until the first answer, and until each watched address was answered. */
export async function starts(
  site: Site,
  runs: number,
  { row, title }: { row: Row; title: string },
): Promise<void> {
  const [member] = site.members;
  const first: number[] = [];
  const all: number[] = [];
  for (let i = 0; i < runs; i++) {
    await member?.stop();
    await site.watch.forget();
    const begin = wall();
    await member?.start();
    await until('an answer for each', answered(site, 'all'), { everyMs: 20, timeoutMs: 120_000 });
    const times = [...firsts(await site.watch.take()).values()].map((at) => at - begin);
    first.push(Math.min(...times));
    all.push(Math.max(...times));
  }
  for (const [what, times] of [
    ['first reply', first],
    ['last address', all],
  ] as const)
    row(
      `${title}: start -> ${what}`,
      ...[0.5, 0.99, 1].map((q) => ms(quantile(times, q))),
      '',
      '',
      String(runs),
    );
}

/** Nobody asks but the watch, at its steady rate. */
export async function costs(site: Site, row: Row, title: string): Promise<void> {
  const before = cpuSeconds(pidOf(site));
  await sleep(IDLE_MS);
  const share = (100 * (cpuSeconds(pidOf(site)) - before)) / (IDLE_MS / 1_000);
  row(
    `${title}: memory at most; CPU while watched`,
    `${peakMiB(pidOf(site)).toFixed(0)} MiB`,
    `${share.toFixed(1)} %`,
  );
}
