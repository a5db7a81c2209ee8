/**
 * Random commits, Services, restarts and failures, with Herald's own controller giving the addresses: no Service loses its address
 * without approval, and in the end the cluster holds what the last commit says, as if it had been the only one.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import { ConfigSources } from '../../src/domain/api/herald.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { controller } from '../../src/programs/controller/controller.ts';
import { SceneServices } from '../../src/programs/reconciler/scenery.ts';
import type { ApiServer } from '../servers/index.ts';
import { addresses, allocated } from './controller.rig.ts';
import { type Asked, type Fault, type Faulty, startFaulty } from './faulty.rig.ts';
import { reflector, silent } from './kube.rig.ts';
import { conditions, Home, type Running } from './reconciler.rig.ts';

const STEPS = 12;
const SERVICES = 6;

/**
 * Ranges that commits hand around between pools. Each has room for all Services, so that none waits for room: it would get its
 * address in the moment of a commit, and one that is given out in the milliseconds before a write is not seen.
 */
const RANGES = ['192.0.2.0/29', '192.0.2.8/29', '192.0.2.16-192.0.2.23'];

type Policy = 'hold' | 'drain' | 'move';

interface Commit {
  readonly pools: Readonly<Record<string, { readonly addresses: readonly string[] }>>;
  readonly l2Advertisements: { readonly all: object };
  readonly change: { readonly policy: Policy };
}

type Step =
  | { readonly do: 'commit'; readonly commit: Commit }
  | { readonly do: 'come' | 'leave'; readonly which: number }
  /** outage: nothing gets through. flaky: of five requests one fails, one is lost on its way, one on the way back. */
  | { readonly do: 'restart' | 'cut' | 'outage' | 'flaky' | 'calm' | 'approve' };

interface Story {
  /** Services may get other addresses, one by one; in the rest none ever changes. */
  readonly moves: boolean;
  readonly first: Commit;
  readonly steps: readonly Step[];
  readonly last: Commit;
}

const pool = fc.constantFrom('a', 'b', 'c', undefined, undefined);
const commitsOf = (...policies: readonly Policy[]): fc.Arbitrary<Commit> =>
  fc
    .record({
      homes: fc.tuple(fc.constantFrom('a', 'b', 'c'), pool, pool),
      policy: fc.constantFrom(...policies),
      turn: fc.nat(2),
    })
    .map(({ homes, policy, turn }) => {
      const pools: Record<string, { addresses: string[] }> = {};
      for (const [i, range] of RANGES.entries()) {
        const home = homes[(i + turn) % 3];
        if (home !== undefined) pools[home] = { addresses: [...(pools[home]?.addresses ?? []), range] };
      }
      return { pools, l2Advertisements: { all: {} }, change: { policy } };
    });
const which = fc.nat(SERVICES - 1);
const stepsOf = (commit: fc.Arbitrary<Commit>): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: commit.map((c): Step => ({ do: 'commit', commit: c })) },
      { weight: 3, arbitrary: which.map((w): Step => ({ do: 'come', which: w })) },
      { weight: 3, arbitrary: which.map((w): Step => ({ do: 'leave', which: w })) },
      { weight: 3, arbitrary: fc.constant<Step>({ do: 'approve' }) },
      {
        weight: 5,
        arbitrary: fc.constantFrom('restart', 'cut', 'outage', 'flaky', 'calm').map((w): Step => ({ do: w })),
      },
    ),
    { minLength: STEPS, maxLength: STEPS },
  );
const stories: fc.Arbitrary<Story> = fc.boolean().chain((moves) => {
  const commit = moves ? commitsOf('hold', 'move') : commitsOf('hold', 'drain');
  return fc.record({ moves: fc.constant(moves), first: commit, steps: stepsOf(commit), last: commit });
});

/** What a clean run of the commit leaves: by hand, as a run of our own could be wrong in the same way. */
function cleanState({ pools }: Commit): object {
  return Object.fromEntries(
    Object.entries(pools).map(([name, { addresses: ranges }]) => [
      name,
      {
        spec: { addresses: ranges, autoAssign: true, avoidBuggyIPs: false },
        labels: { 'herald.io/instance': 'herald' },
        annotations: { 'herald.io/from': `herald#pools.${name}` },
      },
    ]),
  );
}

async function stateOf(home: Home): Promise<object> {
  return Object.fromEntries(
    (await home.pools()).map(({ metadata, spec }) => [
      metadata.name,
      { spec, labels: metadata.labels, annotations: metadata.annotations },
    ]),
  );
}

/** A request of five that goes through twice. */
const FLAKY: readonly (Fault | undefined)[] = ['lost', undefined, 500, 'reset', undefined];

/** How the way to the API server is. */
class Weather {
  #now: 'calm' | 'outage' | 'flaky' = 'calm';
  #count = 0;

  becomes(weather: 'calm' | 'outage' | 'flaky'): void {
    this.#now = weather;
  }

  fault({ watch }: Asked): Fault | undefined {
    if (this.#now === 'calm') return undefined;
    if (this.#now === 'outage') return 'reset';
    return watch ? undefined : FLAKY[this.#count++ % FLAKY.length];
  }
}

/** One story, while it is lived. */
class History {
  readonly home: Home;
  readonly faulty: Faulty;
  readonly weather: Weather;
  readonly moves: boolean;
  readonly present = new Set<string>();
  /** Services that somebody gave up by an approval. */
  readonly givenUp = new Set<string>();
  /** What must never happen. */
  readonly lost: string[] = [];
  #running: Running | undefined;

  constructor(o: { home: Home; faulty: Faulty; weather: Weather; moves: boolean }) {
    this.home = o.home;
    this.faulty = o.faulty;
    this.weather = o.weather;
    this.moves = o.moves;
  }

  async start(): Promise<void> {
    this.#running = await this.home.run({ kubeconfig: this.faulty.kubeconfig });
  }

  /** Notes each Service that is without its address, or without the old one before the new one is there. */
  watch(kube: KubeClient) {
    const services = reflector({ client: kube, kind: SceneServices, namespace: this.home.namespace });
    const had = new Map<string, readonly string[]>();
    services.onChange((key) => {
      const service = services.store.get(key);
      const before = had.get(key) ?? [];
      const now = service ? addresses(service).split(' ').filter(Boolean) : [];
      had.set(key, now);
      if (!service || before.length === 0 || this.givenUp.has(key)) return;
      const kept = this.moves
        ? before.some((ip) => now.includes(ip))
        : before.every((ip) => now.includes(ip));
      if (!kept) this.lost.push(`${key}: ${before.join(' ')} -> ${now.join(' ') || 'none'}`);
    });
    services.start();
    return services;
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'commit':
        return await this.home.values(step.commit);
      case 'come':
        return await this.come(`s${step.which}`);
      case 'leave':
        return await this.leave(`s${step.which}`);
      case 'restart':
        await this.#running?.stop();
        return await this.start();
      case 'approve':
        return await this.#approve();
      case 'cut':
        this.faulty.cutWatches();
        return;
      default:
        this.weather.becomes(step.do);
        if (step.do === 'outage') this.faulty.cutWatches();
    }
  }

  /** An address given out in the last milliseconds before a write is not seen: here they come while nothing is written. */
  async come(name: string): Promise<void> {
    if (this.present.has(name)) return;
    await this.quiet();
    this.present.add(name);
    this.givenUp.delete(`${this.home.namespace}/${name}`);
    await this.home.wants(name);
    await this.home.eventually('a word of the controller', async () => {
      const service = await resource(this.home.kube, Services).get({ name, namespace: this.home.namespace });
      return service && allocated(service) !== undefined;
    });
  }

  async leave(name: string): Promise<void> {
    if (this.present.delete(name)) await this.home.leave(name);
  }

  async #approve(): Promise<void> {
    await this.quiet();
    const plan = await this.home.plan();
    if (plan?.status?.state !== 'Held') return;
    for (const service of hurtBy(plan.spec)) this.givenUp.add(service);
    await this.home.approve(String(plan.spec.digest));
    await this.home.eventually('the approval to be seen', async () => {
      const now = await this.home.plan();
      return now?.status?.state !== 'Held' || conditions(now).Approved !== undefined;
    });
  }

  /** The reconciler has done what it may do for the newest commit, and waits for Services that are there. */
  async quiet(): Promise<void> {
    this.weather.becomes('calm');
    await this.home.eventually('quiet', async () => {
      const [source, plan] = [await this.home.source(), await this.home.plan()];
      if (!source) return true;
      const ready = source.status?.conditions?.find((c) => c.type === 'Ready')?.reason ?? '';
      const waited = plan && plan.status?.state !== 'Applied' ? hurtBy(plan.spec) : [];
      return (
        source.status?.observedGeneration === source.metadata.generation &&
        ['Applied', 'HeldInUse', 'Draining', 'Moving'].includes(ready) &&
        waited.every((service) => this.present.has(service.split('/')[1] ?? ''))
      );
    });
  }

  /** Everybody leaves, and the last commit is all there is. */
  async end(last: Commit): Promise<void> {
    await this.home.values({ ...last, change: { policy: 'hold' } });
    await this.quiet();
    for (const name of this.present) await this.leave(name);
    await this.home.told('Applied', { status: 'True' });
    expect(this.lost).toEqual([]);
    expect(await stateOf(this.home)).toEqual(cleanState(last));
    expect(conditions(await this.home.planned('Applied')).Ready).toBe('True Applied');
  }
}

function hurtBy({ affected }: Readonly<Record<string, unknown>>): readonly string[] {
  return (affected as readonly { readonly service: string }[]).map(({ service }) => service);
}

/** Notes each reason that a source gives, and whether anything was approved: a story in which nothing waits proves nothing. */
function listen(kube: KubeClient, namespace: string, met: Set<string>) {
  const sources = reflector({ client: kube, kind: ConfigSources, namespace });
  sources.onChange((key) => {
    const ready = sources.store.get(key)?.status?.conditions?.find((c) => c.type === 'Ready');
    if (ready) met.add(ready.reason);
  });
  sources.start();
  return sources;
}

export interface Telling {
  readonly api: ApiServer;
  readonly kube: KubeClient;
  readonly seed: number;
  /** How many stories. */
  readonly count: number;
  /** Look for the shortest one that fails: dozens more are told. */
  readonly shrink: boolean;
}

/** Lives through so many stories; throws with the first that goes wrong. Resolves to what sources said in the course of them. */
export async function tell({ api, kube, seed, count, shrink }: Telling): Promise<ReadonlySet<string>> {
  const met = new Set<string>();
  let serial = 0;
  const property = fc.asyncProperty(stories, async ({ moves, first, steps, last }) => {
    const home = await Home.make(api, kube, `model-${++serial}`);
    const weather = new Weather();
    const faulty = await startFaulty(api, (asked) => weather.fault(asked));
    const stop = new AbortController();
    const giving = controller({
      client: kube,
      log: silent,
      clock: systemClock,
      random: systemRandom,
      metrics: new Metrics({ defaults: false }),
      namespace: home.namespace,
      identity: 'model',
      podName: '',
      loadBalancerClass: '',
      parallel: 8,
      moves: { atOnce: 4, overlapMs: 50 },
    }).run(stop.signal);
    const history = new History({ home, faulty, weather, moves });
    const watching = [history.watch(kube), listen(kube, home.namespace, met)];
    try {
      await history.start();
      await home.values(first);
      for (const name of ['s0', 's1', 's2', 's3']) await history.come(name);
      for (const step of steps) {
        await history.step(step);
        expect(history.lost).toEqual([]);
      }
      await history.end(last);
      if (history.givenUp.size > 0) met.add('approved');
    } finally {
      weather.becomes('calm');
      await home.close();
      stop.abort();
      await Promise.all([giving, faulty.close(), ...watching.map((one) => one.close())]);
    }
  });
  await fc.assert(property, { numRuns: count, seed, unbiased: true, endOnFailure: !shrink });
  return met;
}
