import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { seededRandom } from '../../src/platform/obs/random.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { type Asked, type Fault, type Faulty, startFaulty } from './faulty.rig.ts';
import { type Guard, startGuard } from './guard.rig.ts';
import { client } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let guard: Guard;
const running: Program[] = [];

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
});
beforeEach(async () => {
  guard = await startGuard(kube, 't1');
  await cluster.pool('a', { addresses: ['10.0.0.0/16'] });
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  await guard.close();
  await cluster.clear();
});
afterAll(async () => {
  await kube?.close();
  await api?.stop();
});

async function start(o: { kubeconfig?: string; pod?: string; preload?: string } = {}): Promise<Program> {
  const { kubeconfig = api.kubeconfig, pod = 'controller-0', ...more } = o;
  const program = await startController({ kubeconfig }, { pod, ...more });
  running.push(program);
  return program;
}
const name = (i: number) => `t1/s${i}`;
/** There are only some 2,700 node ports. */
const spec = { allocateLoadBalancerNodePorts: false };
/** Creates the Services from..to-1, a few at a time; one that the server did not take is sent again. */
async function create(from: number, to: number): Promise<void> {
  let next = from;
  const worker = async () => {
    for (let i = next++; i < to; i = next++) {
      const made = () => cluster.service(name(i), { spec }).catch(() => cluster.read(name(i)));
      await until(`${name(i)} to be there`, made, { timeoutMs: 90_000, everyMs: 200 });
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}
const remove = (i: number) => cluster.services.delete({ name: `s${i}`, namespace: 't1' });
const lease = (field: string) =>
  api.kubectl('get', 'lease', 'herald-controller', '-n', NAMESPACE, '-o', `jsonpath={.spec.${field}}`);
const holder = () => lease('holderIdentity');

describe('a burst of Services', () => {
  it('is served once each while requests are refused, lost and reset, watches cut and Services edited', async () => {
    const random = seededRandom(7);
    const faults: readonly Fault[] = [500, 429, 'reset', 'lost', 410];
    let watches = 0;
    const choose = ({ path, watch }: Asked) => {
      // The history that a watch would go on from is gone.
      if (watch && watches++ % 3 === 2) return 410;
      // The Lease is another matter: who loses it has to stop.
      if (path.includes('/leases') || random.next() < 0.75) return undefined;
      return faults[Math.floor(random.next() * 4)];
    };
    const faulty = await startFaulty(api, choose);
    try {
      const program = await start({ kubeconfig: faulty.kubeconfig });
      let [burst, edits, cuts] = [true, 0, 0];
      // Each edit of somebody else makes a write that is under way conflict.
      const disturb = async () => {
        while (burst) {
          const body = { metadata: { labels: { turn: String(edits++) } } };
          await cluster.services
            .mergePatch({ name: `s${edits % 200}`, namespace: 't1' }, body)
            .catch(() => {});
          if (edits % 100 === 0) cuts += faulty.cutWatches();
        }
      };
      const disturbing = disturb();
      await create(0, 200);
      await guard.whenServed(200);
      burst = false;
      await disturbing;
      expect(guard.faults).toEqual([]);
      expect(new Set(faulty.struck.keys())).toEqual(new Set(faults));
      expect(cuts).toBeGreaterThan(0);
      const conflicts = /status_writes_total\{outcome="conflict"\} (\d+)/.exec(await program.metrics())?.[1];
      expect(Number(conflicts)).toBeGreaterThan(0);
    } finally {
      for (const program of running.splice(0)) await program.stop();
      await faulty.close();
    }
  });

  it('is served while the clock of the machine is set forward and back', async () => {
    const program = await start({ preload: join(import.meta.dirname, 'clock-step.rig.ts') });
    /** Hours by which the program's clock is ahead, by the last renewal of its Lease. */
    const ahead = async () => Math.round((Date.parse(await lease('renewTime')) - Date.now()) / 3_600_000);
    await create(0, 50);
    await guard.whenServed(50);
    for (const [i, hours] of [1, -1].entries()) {
      process.kill(program.pid, 'SIGUSR2');
      await until(`a renewal ${hours} hours off`, async () => (await ahead()) === hours);
      await create(50 * (i + 1), 50 * (i + 2));
      await guard.whenServed(50 * (i + 2));
    }
    expect(guard.faults).toEqual([]);
    // Had it believed the clock, it would not have renewed for an hour.
    expect(program.log.filter((line) => line.includes('lease lost'))).toEqual([]);
  });

  it('is served although one request gets no answer, and that one when its connection ends', async () => {
    const choose = ({ method, path }: Asked) =>
      method === 'PATCH' && path.includes('/services/s0/status') && !released ? 'hang' : undefined;
    let released = false;
    const faulty: Faulty = await startFaulty(api, choose);
    try {
      await start({ kubeconfig: faulty.kubeconfig });
      await create(0, 50);
      await guard.whenServed(49);
      expect(faulty.struck.get('hang')).toBe(1);
      expect((await cluster.read('t1/s0')).status.ingress).toEqual([]);
      released = true;
      faulty.release();
      await guard.whenServed(50);
      expect(guard.faults).toEqual([]);
    } finally {
      for (const program of running.splice(0)) await program.stop();
      await faulty.close();
    }
  });

  it('goes on over restarts that read in pages while Services come and go', async () => {
    await start();
    await create(0, 1_200);
    await guard.whenServed(1_200, 90_000);
    const coming = create(1_200, 1_500);
    const going = async () => {
      for (let i = 0; i < 1_200; i += 4) await remove(i);
    };
    await Promise.all([
      coming,
      going(),
      running
        .splice(0)[0]
        ?.kill()
        .then(() => start()),
    ]);
    await guard.whenServed(1_200, 90_000);
    expect(guard.faults).toEqual([]);
  });

  it('outlives the API server for longer than a lease lasts without renewal', async () => {
    const program = await start();
    const burst = create(0, 300);
    await guard.whenServed(50);
    await api.kill();
    const lost = () => program.log.some((line) => line.includes('"lease lost"'));
    await until('it to give up leading', lost, { timeoutMs: 30_000 });
    await api.restart();
    await burst;
    await guard.whenServed(300, 90_000);
    expect(guard.faults).toEqual([]);
  });
});

describe('a burst with two replicas', () => {
  it('loses and doubles nothing when the leader is killed in the middle', async () => {
    const first = await start({ pod: 'controller-0' });
    await until('the first to lead', async () => (await holder()) === 'controller-0');
    await start({ pod: 'controller-1' });
    const burst = create(0, 600);
    await guard.whenServed(100);
    await first.kill();
    expect(guard.served()).toBeLessThan(600);
    await burst;
    await guard.whenServed(600);
    expect(await holder()).toBe('controller-1');
    expect(guard.faults).toEqual([]);
  });

  it('nor when the leader sleeps past its lease and wakes up beside the next one', async () => {
    const first = await start({ pod: 'controller-0' });
    await until('the first to lead', async () => (await holder()) === 'controller-0');
    await start({ pod: 'controller-1' });
    const burst = create(0, 600);
    await guard.whenServed(100);
    process.kill(first.pid, 'SIGSTOP');
    await until('the second to lead', async () => (await holder()) === 'controller-1');
    process.kill(first.pid, 'SIGCONT');
    await burst;
    await guard.whenServed(600);
    expect(await holder()).toBe('controller-1');
    expect(guard.faults).toEqual([]);
  });

  it('goes on at once when the leader stops in order', async () => {
    const first = await start({ pod: 'controller-0' });
    await until('the first to lead', async () => (await holder()) === 'controller-0');
    await start({ pod: 'controller-1' });
    const burst = create(0, 600);
    await guard.whenServed(100);
    await first.stop();
    // Far sooner than the 15 s of a lease that was not released.
    await guard.whenServed(600, 12_000);
    await burst;
    expect(guard.faults).toEqual([]);
  });
});
