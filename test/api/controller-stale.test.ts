/** A leader that stood still past its lease, and hears of Services before it hears that it was replaced. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import { LEASES } from '../../src/platform/kube/lease-record.ts';
import { objectPath } from '../../src/platform/kube/paths.ts';
import { type Clock, sleepOn, systemClock } from '../../src/platform/obs/clock.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { controller, NAME } from '../../src/programs/controller/controller.ts';
import { type ApiServer, available, startApiServer, until } from '../servers/index.ts';
import { Cluster, NAMESPACE } from './controller.rig.ts';
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
  beforeAll(async () => {
    api = await startApiServer();
  });
  afterAll(() => api?.stop());

  it('decides nothing about what it hears before it hears that it was replaced', async () => {
    const kube = await client(api.kubeconfig);
    const cluster = new Cluster(kube);
    for (const name of [NAMESPACE, 'app']) await cluster.namespace(name);
    await cluster.pool('p', { addresses: ['10.20.0.0/24'] });
    const [clock, metrics, { log, lines }, stop] = [
      sleeper(),
      new Metrics(),
      listeningLog(),
      new AbortController(),
    ];
    const running = controller({
      client: kube,
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
    await cluster.service('app/before');
    await cluster.address('app/before');
    clock.oversleep(60_000);
    await cluster.service('app/late');
    const heard = async () =>
      (await metrics.text()).includes(`herald_kube_objects{kind="${Services.kind}"} 3`);
    await until('it to hear of the Service', heard);
    const lease = { namespace: NAMESPACE, name: NAME };
    const body = { spec: { holderIdentity: 'controller-1' } };
    await kube.request({
      method: 'PATCH',
      path: objectPath(LEASES, lease),
      body,
      contentType: 'application/merge-patch+json',
    });
    clock.wake();
    await until('it to give up', () => lines.some((line) => line.includes('lease lost')));
    expect((await cluster.read('app/late')).status.ingress).toEqual([]);
    stop.abort();
    await ended;
    await kube.close();
  });
});
