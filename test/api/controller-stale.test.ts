/** A leader that stood still past its lease, and hears of Services before it hears that it was replaced. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { LEASES } from '../../src/platform/kube/lease-record.ts';
import { objectPath } from '../../src/platform/kube/paths.ts';
import { type Clock, sleepOn, systemClock } from '../../src/platform/obs/clock.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { controller, NAME } from '../../src/programs/controller/controller.ts';
import { type ApiServer, available, startApiServer, until } from '../servers/index.ts';
import { Cluster, NAMESPACE } from './controller.rig.ts';
import { startFaulty } from './faulty.rig.ts';
import { client, listeningLog } from './kube.rig.ts';

const can = available('api');

/** The clock of a process whose timers are late: time went by, and what is due runs only when it is let go. */
function sleeper(): Clock & { oversleep(ms: number): void; wake(): void } {
  let ahead = 0;
  let held: (() => void)[] | undefined;
  const after = (ms: number, run: () => void) => {
    let cancelled = false;
    const due = () => {
      if (cancelled) return;
      if (held) held.push(due);
      else run();
    };
    const timer = systemClock.after(ms, due);
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  };
  return {
    now: () => systemClock.now() + ahead,
    date: systemClock.date,
    after,
    sleep: (ms, signal) => sleepOn(after, ms, signal),
    oversleep(ms) {
      ahead += ms;
      held = [];
    },
    wake() {
      const due = held ?? [];
      held = undefined;
      for (const run of due) run();
    },
  };
}

describe.skipIf(can !== true)(`a leader that overslept${can === true ? '' : ` (${can})`}`, () => {
  let api: ApiServer;
  let kube: KubeClient;
  let cluster: Cluster;
  beforeAll(async () => {
    api = await startApiServer();
    kube = await client(api.kubeconfig);
    cluster = new Cluster(kube);
    for (const name of [NAMESPACE, 'app']) await cluster.namespace(name);
    await cluster.pool('p', { addresses: ['10.20.0.0/24'] });
  });
  afterAll(async () => {
    await kube?.close();
    await api?.stop();
  });

  /** A leader that is let go late, at a door that is its own, with a Service that has its address already. */
  async function leader(o: { name: string; kube: KubeClient }) {
    const [clock, metrics, { log, lines }, stop] = [
      sleeper(),
      new Metrics(),
      listeningLog(),
      new AbortController(),
    ];
    const running = controller({
      client: o.kube,
      log,
      clock,
      random: systemRandom,
      metrics,
      namespace: NAMESPACE,
      identity: 'controller-0',
      podName: '',
      loadBalancerClass: '',
      parallel: 4,
      moves: { overlapMs: 0, atOnce: 1 },
    });
    const ended = running.run(stop.signal);
    await cluster.service(`app/${o.name}`);
    await cluster.address(`app/${o.name}`);
    return {
      clock,
      /** Resolves when it has heard of so many Services. */
      hears: (count: number) => {
        const line = `herald_kube_objects{kind="${Services.kind}"} ${count}`;
        return until('it to hear of the Services', async () => (await metrics.text()).includes(line));
      },
      /** Somebody else leads; then it wakes up, and is told. */
      async replace() {
        await kube.request({
          method: 'PATCH',
          path: objectPath(LEASES, { namespace: NAMESPACE, name: NAME }),
          body: { spec: { holderIdentity: 'controller-1' } },
          contentType: 'application/merge-patch+json',
        });
        clock.wake();
        await until('it to give up', () => lines.some((line) => line.includes('lease lost')));
      },
      async end() {
        stop.abort();
        await ended;
        await kube.request({
          method: 'DELETE',
          path: objectPath(LEASES, { namespace: NAMESPACE, name: NAME }),
        });
      },
    };
  }

  it('decides nothing about what it hears before it hears that it was replaced', async () => {
    const { clock, hears, replace, end } = await leader({ name: 'before', kube });
    clock.oversleep(60_000);
    await cluster.service('app/late');
    await hears(3);
    await replace();
    expect((await cluster.read('app/late')).status.ingress).toEqual([]);
    await end();
  });

  it('sends nothing of what it decided before and that waited for its turn', async () => {
    let hang = false;
    const faulty = await startFaulty(api, ({ method, path }) =>
      hang && method === 'PATCH' && path.includes('/services/') ? 'hang' : undefined,
    );
    const narrow = await client(faulty.kubeconfig, { concurrency: 1 });
    const { clock, hears, replace, end } = await leader({ name: 'again', kube: narrow });
    hang = true;
    for (const name of ['one', 'two', 'three']) await cluster.service(`app/${name}`);
    await until('a write that hangs', () => faulty.struck.get('hang') === 1);
    await hears(7);
    clock.oversleep(60_000);
    hang = false;
    // The one that was sent ends, and the next ones have their turn.
    faulty.release();
    await replace();
    for (const name of ['one', 'two', 'three'])
      expect((await cluster.read(`app/${name}`)).status.ingress).toEqual([]);
    await end();
    await narrow.close();
    await faulty.close();
  });
});
