/**
 * Figures of the controller on a real API server; prints, passes and fails nothing.
 * `node test/bench/controller.ts [SERVICES...]`, default 1000 10000. Everything on this machine shares its cores: the API server
 * and the controller are measured against what the same server takes in the same run.
 */
import { readFileSync } from 'node:fs';
import { Services } from '../../src/domain/api/core.ts';
import { connect, type KubeClient } from '../../src/platform/kube/client.ts';
import { Reflector } from '../../src/platform/kube/reflector.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { Cluster, NAMESPACE, type Program, startController } from '../api/controller.rig.ts';
import { type ApiServer, available, startApiServer, until } from '../servers/index.ts';
import { inParallel, makeOthers, PARALLEL, PORTLESS, patchRate } from './parts/services.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const log = createLog({ level: 'none', clock: systemClock });
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function written(program: Program): Promise<number> {
  const line = /^herald_controller_status_writes_total\{outcome="written"\} (\d+)/m.exec(
    await program.metrics(),
  );
  return Number(line?.[1] ?? 0);
}

/** Until it writes no more: the metric stands still for half a second. */
async function whenWritten(program: Program, count: number): Promise<number> {
  await until(`${count} statuses`, async () => (await written(program)) >= count, {
    timeoutMs: 300_000,
    everyMs: 20,
  });
  return performance.now();
}

async function started(api: ApiServer): Promise<{ program: Program; readyMs: number; at: number }> {
  const at = performance.now();
  const program = await startController(api);
  await until('readiness', async () => (await program.readyz())?.status === 200, { everyMs: 10 });
  return { program, readyMs: performance.now() - at, at };
}

/** Milliseconds from the creation of a Service (asked) to its address (seen in a watch), one after the other. */
async function latencies(kube: KubeClient, cluster: Cluster, runs: number): Promise<number[]> {
  const common = { client: kube, kind: Services, log, clock: systemClock, random: systemRandom };
  const reflector = new Reflector({ ...common, namespace: 'latency' });
  reflector.start();
  await reflector.whenSynced(AbortSignal.timeout(10_000));
  const result: number[] = [];
  for (let i = 0; i < runs; i++) {
    const key = `latency/s${i}`;
    const seen = Promise.withResolvers<number>();
    const stop = reflector.onChange((changed) => {
      if (changed === key && reflector.store.get(key)?.status.ingress.length) seen.resolve(performance.now());
    });
    const start = performance.now();
    await cluster.service(key, { spec: PORTLESS });
    result.push((await seen.promise) - start);
    stop();
  }
  await reflector.close();
  for (let i = 0; i < runs; i++) await cluster.services.delete({ name: `s${i}`, namespace: 'latency' });
  return result.sort((a, b) => a - b);
}

interface Lab {
  readonly api: ApiServer;
  readonly kube: KubeClient;
  readonly cluster: Cluster;
}

async function idle({ api, kube, cluster }: Lab): Promise<void> {
  const { program, readyMs } = await started(api);
  await cluster.pool('bench', { addresses: ['10.0.0.0/14', 'fd00:1::/64'] });
  const ms = await latencies(kube, cluster, 50);
  say(`0 Services: start to ready ${seconds(readyMs)}, RSS ${rssMiB(program.pid).toFixed(0)} MiB`);
  say(`  Service created -> address, 50 runs: p50 ${ms[24]?.toFixed(1)} ms, p99 ${ms[49]?.toFixed(1)} ms`);
  await program.stop();
}

async function scale({ api, kube, cluster }: Lab, count: number): Promise<void> {
  const makingMs = await inParallel(count, (i) => cluster.service(`bench/s${i}`, { spec: PORTLESS }));
  const others = await makeOthers(cluster, Math.min(count, 2_000));
  const rawBefore = await patchRate(cluster, others);
  const first = await started(api);
  const allMs = (await whenWritten(first.program, count)) - first.at;
  const allocMs = allMs - first.readyMs;
  const rawAfter = await patchRate(cluster, others);
  const raw = (rawBefore + rawAfter) / 2;
  const rate = (count / allocMs) * 1000;
  say(`${count} Services (made in ${seconds(makingMs)}):`);
  say(`  start to ready ${seconds(first.readyMs)}, all with address ${seconds(allMs)} after the start`);
  say(
    `  allocations ${rate.toFixed(0)}/s; the server takes ${raw.toFixed(0)} parallel status patches/s: ${((100 * rate) / raw).toFixed(0)} %`,
  );
  say(`  RSS ${rssMiB(first.program.pid).toFixed(0)} MiB`);
  await first.program.stop();

  const again = await started(api);
  const start = performance.now();
  await cluster.service('latency/after', { spec: PORTLESS });
  await cluster.address('latency/after', 60_000);
  say(
    `  restart: ready after ${seconds(again.readyMs)}, a new Service served ${seconds(performance.now() - start)} later, statuses written again: ${(await written(again.program)) - 1}`,
  );
  await cluster.services.delete({ name: 'after', namespace: 'latency' });
  const ms = await latencies(kube, cluster, 50);
  say(
    `  Service created -> address, 50 runs: p50 ${ms[24]?.toFixed(1)} ms, p99 ${ms[49]?.toFixed(1)} ms; RSS ${rssMiB(again.program.pid).toFixed(0)} MiB`,
  );
  await again.program.stop();
  await inParallel(count, (i) => cluster.services.delete({ name: `s${i}`, namespace: 'bench' }));
  await inParallel(others.length, (i) => cluster.services.delete({ name: `raw${i}`, namespace: 'bench' }));
}

async function main(): Promise<void> {
  const able = available('api');
  if (able !== true) {
    say(`controller bench not run: ${able}`);
    return;
  }
  const sizes = process.argv
    .slice(2)
    .map(Number)
    .filter((n) => n > 0);
  const api = await startApiServer({ serviceCidr: '10.96.0.0/14' });
  const kube = await connect({
    kubeconfig: api.kubeconfig,
    log,
    userAgent: 'bench',
    qps: 0,
    concurrency: PARALLEL,
  });
  try {
    const cluster = new Cluster(kube);
    for (const name of [NAMESPACE, 'bench', 'latency']) await cluster.namespace(name);
    await idle({ api, kube, cluster });
    for (const count of sizes.length > 0 ? sizes : [1_000, 10_000])
      await scale({ api, kube, cluster }, count);
  } finally {
    await kube.close();
    await api.stop();
  }
}

await main();
