/** One controller under load on an API server of its own; the figures that it makes. */
import { Services } from '../../../src/domain/api/core.ts';
import type { KubeClient } from '../../../src/platform/kube/client.ts';
import { Cluster, NAMESPACE } from '../../api/controller.rig.ts';
import { client, reflector } from '../../api/kube.rig.ts';
import { type ApiServer, startApiServer, until } from '../../servers/index.ts';
import { cpuSeconds, peakMiB } from './process.ts';
import { inParallel, makeOthers, PARALLEL, PORTLESS, patchRate, seed, statusWrites } from './services.ts';

export interface Contestant {
  readonly name: string;
  /** Starts the controller; the Pod of that name exists. */
  start(api: ApiServer, pod: string): Promise<{ readonly pid: number; stop(): Promise<unknown> }>;
}

/** By what was measured, with its unit. */
export type Figures = ReadonlyMap<string, number>;

const POD = 'controller-0';
const BURST = 1_000;
/** Services for the yardstick. */
const OTHERS = 2_000;
const SINGLES = 20;
/** MetalLB serves some 30 Services a second where there are 10,000. */
const PATIENCE_MS = 3_600_000;

interface Ring {
  readonly api: ApiServer;
  readonly kube: KubeClient;
  readonly cluster: Cluster;
  /** Resolves to the time at which so many Services of namespace "bench" have an address. */
  served(count: number): Promise<number>;
  /** Resolves to the time at which this Service has an address; to be called before it can have one. */
  address(key: string): Promise<number>;
}

/** Runs all rounds with so many Services, and takes everything away. */
export async function contest(who: Contestant, count: number): Promise<Figures> {
  const api = await startApiServer({ serviceCidr: '10.96.0.0/14' });
  try {
    return await rounds(who, count, await prepare(api));
  } finally {
    await api.stop();
  }
}

async function prepare(api: ApiServer): Promise<Ring> {
  const kube = await client(api.kubeconfig, { concurrency: PARALLEL });
  api.lab.defer(() => kube.close());
  const cluster = new Cluster(kube);
  for (const name of [NAMESPACE, 'bench', 'single']) await cluster.namespace(name);
  const containers = [{ name: 'controller', image: 'none' }];
  const body = { metadata: { name: POD }, spec: { containers } };
  await kube.request({ method: 'POST', path: `/api/v1/namespaces/${NAMESPACE}/pods`, body });
  await cluster.pool('bench', { addresses: ['10.0.0.0/14'] });
  const cache = reflector({ client: kube, kind: Services });
  api.lab.defer(() => cache.close());
  const waiting = new Map<string, (at: number) => void>();
  const done = new Set<string>();
  cache.onChange((key) => {
    if (!cache.store.get(key)?.status.ingress.length) return;
    if (key.startsWith('bench/s')) done.add(key);
    for (const name of [key, `${done.size}`]) {
      waiting.get(name)?.(performance.now());
      waiting.delete(name);
    }
  });
  cache.start();
  const wait = (name: string) => new Promise<number>((resolve) => waiting.set(name, resolve));
  return { api, kube, cluster, served: (n) => wait(String(n)), address: wait };
}

/** Until the controller asks for no more writes of Service statuses; how many it has asked for since `before`. */
async function writesSince({ api }: Ring, before: number): Promise<number> {
  let [last, since] = [before, performance.now()];
  const still = async () => {
    const now = await statusWrites(api);
    if (now !== last) [last, since] = [now, performance.now()];
    return performance.now() - since > 2_000;
  };
  await until('the writes to end', still, { timeoutMs: PATIENCE_MS, everyMs: 200 });
  return last - before;
}

async function rounds(who: Contestant, count: number, ring: Ring): Promise<Figures> {
  const { api, cluster } = ring;
  const figures = new Map<string, number>();
  const others = await makeOthers(cluster, OTHERS);
  await seed(api, cluster, count);
  figures.set('yardstick: parallel status patches/s of the API server', await patchRate(cluster, others));
  const program = await cold(who, count, { ring, figures });
  await burst(count, { ring, figures });
  await single({ ring, figures });
  await pools({ ring, figures });
  figures.set('peak memory, MiB', peakMiB(program.pid));
  await program.stop();
  const before = await statusWrites(api);
  const asked = performance.now();
  const address = ring.address('single/after');
  const again = await who.start(api, POD);
  await cluster.service('single/after', { spec: PORTLESS });
  figures.set('restart until a new Service has an address, s', ((await address) - asked) / 1000);
  figures.set('restart: status writes to others', (await writesSince(ring, before)) - 1);
  await again.stop();
  return figures;
}

interface Round {
  readonly ring: Ring;
  readonly figures: Map<string, number>;
}

/** All Services are there before the controller is. */
async function cold(who: Contestant, count: number, { ring, figures }: Round) {
  const before = await statusWrites(ring.api);
  const [first, all] = [ring.served(1), ring.served(count)];
  const start = performance.now();
  const program = await who.start(ring.api, POD);
  const [from, to] = [await first, await all];
  figures.set('cold start until all have an address, s', (to - start) / 1000);
  figures.set('cold start: allocations/s', (count / (to - from)) * 1000);
  figures.set('cold start: status writes per Service', (await writesSince(ring, before)) / count);
  figures.set('cold start: CPU, s', cpuSeconds(program.pid));
  return program;
}

/** A thousand more while it runs. */
async function burst(count: number, { ring, figures }: Round): Promise<void> {
  const all = ring.served(count + BURST);
  const start = performance.now();
  const made = await inParallel(BURST, (i) =>
    ring.cluster.service(`bench/s${count + i}`, { spec: PORTLESS }),
  );
  figures.set(`burst of ${BURST}: creations/s`, (BURST / made) * 1000);
  figures.set(`burst of ${BURST}: allocations/s`, (BURST / ((await all) - start)) * 1000);
  await writesSince(ring, await statusWrites(ring.api));
}

/** One after the other, with nothing else to do. */
async function single({ ring, figures }: Round): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < SINGLES; i++) {
    const address = ring.address(`single/s${i}`);
    const start = performance.now();
    await ring.cluster.service(`single/s${i}`, { spec: PORTLESS });
    times.push((await address) - start);
  }
  figures.set(
    'one Service until its address, ms (median)',
    times.toSorted((a, b) => a - b)[SINGLES / 2] ?? 0,
  );
}

/** A pool comes for a Service that waits for it, and then changes, which concerns nobody else. */
async function pools({ ring, figures }: Round): Promise<void> {
  const { api, cluster } = ring;
  const annotations = { 'metallb.io/address-pool': 'extra' };
  await cluster.service('single/waiting', { spec: PORTLESS, annotations });
  await writesSince(ring, await statusWrites(api));
  const address = ring.address('single/waiting');
  let before = await statusWrites(api);
  let start = performance.now();
  await cluster.pool('extra', { addresses: ['10.8.0.0/24'], autoAssign: false });
  figures.set('new pool until it is in use, ms', (await address) - start);
  figures.set('new pool: status writes to others', (await writesSince(ring, before)) - 1);
  before = await statusWrites(api);
  const next = ring.address('single/next');
  await cluster.editPool('extra', { addresses: ['10.8.0.0/23'] });
  start = performance.now();
  await cluster.service('single/next', { spec: PORTLESS });
  figures.set('pool edit: delay of a new Service, ms', (await next) - start);
  figures.set('pool edit: status writes to others', (await writesSince(ring, before)) - 1);
}
