import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { controller } from '../../src/programs/controller/controller.ts';
import { SceneServices } from '../../src/programs/reconciler/scenery.ts';
import { type ApiServer, available, startApiServer } from '../servers/index.ts';
import { addresses, allocated } from './controller.rig.ts';
import { client, type Relay, reflector, silent, startRelay } from './kube.rig.ts';
import { conditions, Home, type Running } from './reconciler.rig.ts';

/**
 * Random commits, Services, restarts and failures, with Herald's own controller giving the addresses: no Service loses its address
 * without approval, and in the end the cluster holds what the last commit says, as if it had been the only one.
 */

const can = available('api');
const RUNS = 5;
const STEPS = 12;

/** Small ranges that commits hand around between pools. */
const RANGES = ['192.0.2.0/30', '192.0.2.8/30', '192.0.2.16-192.0.2.19'];

interface Commit {
  readonly pools: Readonly<Record<string, { readonly addresses: readonly string[] }>>;
  readonly l2Advertisements: { readonly all: object };
  readonly change: { readonly policy: 'hold' | 'drain' | 'move' };
}

type Step =
  | { readonly do: 'commit'; readonly commit: Commit }
  | { readonly do: 'come' | 'leave'; readonly which: number }
  | { readonly do: 'restart' | 'cut' | 'outage' | 'approve' };

type Policy = Commit['change']['policy'];

const pool = fc.constantFrom('a', 'b', 'c', undefined);
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
const stepsOf = (commit: fc.Arbitrary<Commit>): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 6, arbitrary: commit.map((c): Step => ({ do: 'commit', commit: c })) },
      { weight: 4, arbitrary: fc.nat(5).map((which): Step => ({ do: 'come', which })) },
      { weight: 3, arbitrary: fc.nat(5).map((which): Step => ({ do: 'leave', which })) },
      {
        weight: 4,
        arbitrary: fc.constantFrom('restart', 'cut', 'outage', 'approve').map((what): Step => ({ do: what })),
      },
    ),
    { minLength: STEPS, maxLength: STEPS },
  );
/** With `moves` Services may get other addresses, in the rest none ever changes. */
const histories = fc.boolean().chain((moves) => {
  const commit = moves ? commitsOf('hold', 'move') : commitsOf('hold', 'drain');
  return fc.record({
    moves: fc.constant(moves),
    first: commit,
    steps: stepsOf(commit),
    last: commit,
  });
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

describe.skipIf(can !== true)(
  `any history of the reconciler on a real API server${can === true ? '' : ` (${can})`}`,
  () => {
    let api: ApiServer;
    let kube: KubeClient;
    let serial = 0;

    beforeAll(async () => {
      api = await startApiServer();
      kube = await client(api.kubeconfig);
    });
    afterAll(async () => {
      await kube?.close();
      await api?.stop();
    });

    /** One history. */
    class History {
      readonly home: Home;
      readonly relay: Relay;
      readonly present = new Set<string>();
      /** Services that somebody gave up by an approval. */
      readonly givenUp = new Set<string>();
      readonly lost: string[] = [];
      /** What came about: a history in which nothing waits proves nothing. */
      readonly met = new Set<string>();
      readonly moves: boolean;
      running: Running | undefined;

      constructor(home: Home, relay: Relay, moves: boolean) {
        this.home = home;
        this.relay = relay;
        this.moves = moves;
      }

      /** Notes each Service that had an address and has it no longer, or another one although nothing may move. */
      watch() {
        const services = reflector({ client: kube, kind: SceneServices, namespace: this.home.namespace });
        const had = new Map<string, string>();
        services.onChange((key) => {
          const service = services.store.get(key);
          const before = had.get(key);
          const now = service ? addresses(service) : '';
          had.set(key, now);
          if (!service || !before || before === now || this.givenUp.has(key)) return;
          if (now === '' || !this.moves) this.lost.push(`${key}: ${before} -> ${now}`);
        });
        services.start();
        return services;
      }

      async start(): Promise<void> {
        this.running = await this.home.run({ kubeconfig: this.relay.kubeconfig });
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
            await this.running?.stop();
            return await this.start();
          case 'cut':
            return this.relay.cut();
          case 'outage':
            return this.relay.refuse();
          case 'approve':
            return await this.approve();
        }
      }

      /** An address given out in the last milliseconds before a write is not seen: here they come while nothing is written. */
      async come(name: string): Promise<void> {
        if (this.present.has(name)) return;
        this.relay.accept();
        await this.quiet();
        this.present.add(name);
        await this.home.wants(name);
        await this.home.eventually('a word of the controller', async () => {
          const service = await resource(kube, Services).get({ name, namespace: this.home.namespace });
          return service && allocated(service) !== undefined;
        });
      }

      async leave(name: string): Promise<void> {
        if (!this.present.delete(name)) return;
        await this.home.leave(name);
      }

      async approve(): Promise<void> {
        this.relay.accept();
        await this.quiet();
        const plan = await this.home.plan();
        if (plan?.status?.state !== 'Held') return;
        this.met.add('approved');
        for (const { service } of plan.spec.affected as { service: string }[]) this.givenUp.add(service);
        await this.home.approve(String(plan.spec.digest));
        await this.home.eventually('the approval to be seen', async () => {
          const now = await this.home.plan();
          return now?.status?.state !== 'Held' || conditions(now).Approved !== undefined;
        });
      }

      /** The reconciler has done what it may do for the newest commit, and waits for Services that are there. */
      async quiet(): Promise<void> {
        await this.home.eventually('quiet', async () => {
          const [source, plan] = [await this.home.source(), await this.home.plan()];
          if (!source) return true;
          const { observedGeneration, conditions: list = [] } = source.status ?? {};
          const ready = list.find((c) => c.type === 'Ready')?.reason ?? '';
          this.met.add(ready);
          const waited =
            plan?.status?.state === 'Applied' ? [] : (plan?.spec.affected as { service: string }[]);
          return (
            observedGeneration === source.metadata.generation &&
            ['Applied', 'HeldInUse', 'Draining', 'Moving'].includes(ready) &&
            waited.every(({ service }) => this.present.has(service.split('/')[1] ?? ''))
          );
        });
      }
    }

    it(
      'takes no address away, and ends where a clean run ends',
      async () => {
        const met = new Set<string>();
        await fc.assert(
          fc.asyncProperty(histories, async ({ moves, first, steps, last }) => {
            const home = await Home.make(api, kube, `model-${++serial}`);
            const relay = await startRelay(api, `model-${serial}`);
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
            const it = new History(home, relay, moves);
            const watching = it.watch();
            try {
              await it.start();
              await home.values(first);
              for (const which of [0, 1, 2, 3]) await it.step({ do: 'come', which });
              for (const step of steps) {
                await it.step(step);
                expect(it.lost).toEqual([]);
              }
              relay.accept();
              await home.values({ ...last, change: { policy: 'hold' } });
              await it.quiet();
              for (const name of it.present) await it.leave(name);
              await home.told('Applied', { status: 'True' });
              expect(it.lost).toEqual([]);
              expect(await stateOf(home)).toEqual(cleanState(last));
              expect(conditions(await home.planned('Applied')).Ready).toBe('True Applied');
              for (const word of it.met) met.add(word);
            } finally {
              await home.close();
              stop.abort();
              await Promise.all([giving, watching.close(), relay.close()]);
            }
          }),
          { numRuns: RUNS, seed: 20_260_101, endOnFailure: true },
        );
        expect([...met]).toEqual(
          expect.arrayContaining(['Applied', 'HeldInUse', 'Draining', 'Moving', 'approved']),
        );
      },
      RUNS * 60_000,
    );
  },
);
