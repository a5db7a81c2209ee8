/** What may happen to the owner of addresses, and what a client sees of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '../../lab/network.rig.ts';
import { ownership, prompt } from '../../lab/ownership.ts';
import { patch } from '../../lab/services.rig.ts';
import type { Member, Site } from '../../lab/site.rig.ts';
import { must, until } from '../../servers/exec.ts';

/** An address that nobody answers for this long has no owner any more. */
const GIVE_UP_MS = 30_000;
/** What is watched before and after a move: two owners, or a change of mind, show shortly after. */
const AROUND_MS = 300;
/** An address that may stay or move has this long to do so. */
const MAY_MOVE_MS = 1_500;

export interface Scenario {
  readonly key: string;
  readonly name: string;
  /** How it ends: at another owner, at one that may be the same, or at home. */
  readonly end: 'elsewhere' | 'anywhere' | 'home';
  /** What happens to the owner. Time counts from its begin, unless it calls `site.watch.forget`. */
  hit(site: Site, owner: Member): Promise<unknown>;
  /** Puts it right again. */
  mend(site: Site, owner: Member): Promise<unknown>;
}

/** Of one run, over all watched addresses that were hit, the worst; times in milliseconds. */
export interface Outcome {
  /** Time without an answer; Infinity when no other took over. */
  readonly without: number;
  readonly twice: number;
  readonly moves: number;
}

type Cables = Readonly<Partial<Record<Wire, 'up' | 'down'>>>;
const cable = async (site: Site, { host }: Member, cables: Cables) => {
  for (const wire of ['mgmt', 'lan'] as const) {
    const state = cables[wire];
    if (state === undefined) continue;
    for (const port of site.lab.network.ports(host, wire)) await must('ip', ['link', 'set', port, state]);
  }
};
const cordon = (site: Site, { name }: Member, on: boolean) =>
  patch(site.kube, `/api/v1/nodes/${name}`, {
    spec: {
      unschedulable: on || null,
      taints: on ? [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] : null,
    },
  });
const nothing = async () => {};

export const scenarios: readonly Scenario[] = [
  {
    key: 'killed',
    name: 'process killed',
    end: 'elsewhere',
    hit: (_, owner) => owner.stop('SIGKILL'),
    mend: (_, owner) => owner.start(),
  },
  {
    key: 'stopped',
    name: 'process stopped',
    end: 'elsewhere',
    hit: (_, owner) => owner.stop(),
    mend: (_, owner) => owner.start(),
  },
  {
    key: 'gone',
    name: 'node gone',
    end: 'elsewhere',
    // The ring first: a node that is gone tells nobody of it.
    hit: (site, owner) => cable(site, owner, { mgmt: 'down', lan: 'down' }),
    // It comes back as nodes do, with a new process.
    async mend(site, owner) {
      await owner.stop('SIGKILL');
      await cable(site, owner, { mgmt: 'up', lan: 'up' });
      await owner.start();
    },
  },
  {
    key: 'carrier',
    name: 'carrier lost',
    end: 'elsewhere',
    hit: (site, owner) => cable(site, owner, { lan: 'down' }),
    mend: (site, owner) => cable(site, owner, { lan: 'up' }),
  },
  {
    key: 'rolling',
    name: 'rolling update',
    end: 'home',
    async hit({ members }) {
      for (const member of members) await member.roll();
    },
    mend: nothing,
  },
  {
    key: 'drain',
    name: 'drain',
    end: 'anywhere',
    hit: (site, owner) => cordon(site, owner, true),
    mend: (site, owner) => cordon(site, owner, false),
  },
  {
    key: 'lossy',
    name: 'killed, 5 % loss',
    end: 'elsewhere',
    async hit(site, owner) {
      await site.lab.faults.lose(0.05, 'mgmt', 'lan');
      await owner.stop('SIGKILL');
    },
    async mend(site, owner) {
      await site.lab.faults.heal();
      await owner.start();
    },
  },
  {
    key: 'stall',
    name: 'no CPU for 1.5 s',
    end: 'home',
    async hit(_, { pid }) {
      if (pid === undefined) return;
      process.kill(pid, 'SIGSTOP');
      await sleep(1_500);
      process.kill(pid, 'SIGCONT');
    },
    mend: nothing,
  },
  {
    key: 'partition',
    name: 'partition healed',
    end: 'home',
    async hit(site, owner) {
      const others = site.members.filter((other) => other !== owner).map(({ host }) => host);
      await site.lab.faults.part('mgmt', [owner.host], others);
      const ips = site.watched.filter((ip) => site.home(ip) === owner);
      await until('two owners', async () =>
        every(await site.watch.owners(), ips, (macs) => macs.length === 2),
      );
      await site.watch.forget();
      await site.lab.faults.heal();
    },
    mend: nothing,
  },
];

type Seen = Awaited<ReturnType<Site['watch']['owners']>>;
const every = (seen: Seen, ips: readonly string[], holds: (macs: readonly string[]) => boolean) =>
  ips.every((ip) => holds(seen[ip] ?? []));

/** One run. The site need not be settled before, and is not afterwards. */
export async function once(site: Site, scenario: Scenario, owner: Member): Promise<Outcome> {
  await site.settled();
  const ips = site.watched.filter((ip) => scenario.key === 'rolling' || site.home(ip) === owner);
  await site.watch.forget();
  await sleep(AROUND_MS);
  await scenario.hit(site, owner);
  const over = await ended(site, scenario, { ips, owner });
  await sleep(AROUND_MS);
  const questions = prompt((await site.watch.take()).questions);
  const seen = ips.map((ip) => ownership(questions.filter((question) => question.ip === ip)));
  await scenario.mend(site, owner);
  return {
    without: over ? Math.max(...seen.map((s) => s.without)) : Number.POSITIVE_INFINITY,
    twice: Math.max(...seen.map((s) => s.twice)),
    moves: Math.max(...seen.map((s) => s.moves)),
  };
}

async function ended(
  site: Site,
  { end }: Scenario,
  { ips, owner }: { ips: readonly string[]; owner: Member },
): Promise<boolean> {
  if (end === 'anywhere') await sleep(MAY_MOVE_MS);
  if (end !== 'elsewhere') {
    const one = async () => every(await site.watch.owners(), ips, (macs) => macs.length === 1);
    await (end === 'home' ? site.settled() : until('one owner', one));
    return true;
  }
  const moved = async () =>
    every(await site.watch.owners(), ips, (macs) => macs.length === 1 && macs[0] !== owner.mac);
  return until('another owner', moved, { timeoutMs: GIVE_UP_MS, everyMs: 25 }).then(
    () => true,
    () => false,
  );
}
