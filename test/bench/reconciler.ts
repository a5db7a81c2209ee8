/**
 * Figures of the reconciler on a real API server; prints, passes and fails nothing. The reconciler runs as a process of its own;
 * what is called a write is seen by a watch of this process, so that every figure includes the way back.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { IPAddressPools } from '../../src/domain/api/metallb.ts';
import { connect, type KubeClient } from '../../src/platform/kube/client.ts';
import { Reflector } from '../../src/platform/kube/reflector.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { type ApiServer, available, startApiServer, until } from '../servers/index.ts';

const RUNS = 50;
const SIZES = [1, 10, 100, 1000];
const ROOT = join(import.meta.dirname, '../..');
const NAMESPACE = 'metallb-system';
const say = (text: string) => process.stdout.write(`${text}\n`);
const log = createLog({ level: 'none', clock: systemClock });
const ms = (n: number) => `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function spread(samples: readonly number[]): string {
  const sorted = samples.toSorted((a, b) => a - b);
  return `p50 ${ms(quantile(sorted, 0.5))}, p99 ${ms(quantile(sorted, 0.99))} (${sorted.length} runs)`;
}

/** What Helm writes: the Secret, then the ConfigSource that names its digest. Resolves when both are stored. */
async function applyValues(kube: KubeClient, values: object): Promise<void> {
  const text = JSON.stringify(values);
  const root = `namespaces/${NAMESPACE}`;
  const apply = (path: string, body: object) =>
    kube.request({
      method: 'PATCH',
      path,
      query: { fieldManager: 'helm', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body,
    });
  await apply(`/api/v1/${root}/secrets/herald-values`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'herald-values' },
    stringData: { 'values.json': text },
  });
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  await apply(`/apis/herald.io/v1alpha1/${root}/configsources/herald`, {
    apiVersion: 'herald.io/v1alpha1',
    kind: 'ConfigSource',
    metadata: { name: 'herald' },
    spec: { secretName: 'herald-values', digest },
  });
}

/** N pools; the first one has the given third octet, so that values differ in one key. */
function poolsOf(n: number, octet: number): object {
  const addresses = (i: number) => (i === 0 ? `192.0.${octet}.0/24` : `10.${i >> 8}.${i & 255}.0/24`);
  return {
    pools: Object.fromEntries(
      Array.from({ length: n }, (_, i) => [`pool-${i}`, { addresses: [addresses(i)] }]),
    ),
    l2Advertisements: { all: {} },
  };
}

interface Program {
  readonly pid: number | undefined;
  /** Sum of all series whose line begins with this. */
  metric(start: string): Promise<number>;
  stop(): Promise<void>;
}

async function startReconciler(api: ApiServer): Promise<Program> {
  const port = await api.lab.freePort();
  const args = [
    '--namespace',
    NAMESPACE,
    '--port',
    String(port),
    '--health-probe-port',
    '0',
    '--log-level',
    'warn',
  ];
  const child = spawn(join(ROOT, 'node_modules/.bin/node'), [join(ROOT, 'src/bin/reconciler.ts'), ...args], {
    env: { ...process.env, KUBECONFIG: api.kubeconfig },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until('the reconciler', async () => (await fetch(`http://localhost:${port}/readyz`)).ok, {
    everyMs: 10,
  });
  return {
    pid: child.pid,
    metric: async (start) => {
      const text = await (await fetch(`http://localhost:${port}/metrics`)).text();
      const lines = text.split('\n').filter((l) => l.startsWith(start));
      return lines.reduce((sum, l) => sum + Number(l.split(' ').at(-1)), 0);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Resolves with the time at which a pool has this range. */
function whenPool(
  pools: Reflector<import('../../src/domain/api/metallb.ts').IPAddressPool>,
  name: string,
  range: string,
) {
  const key = `${NAMESPACE}/${name}`;
  const has = () => pools.store.get(key)?.spec.addresses[0] === range;
  return new Promise<number>((resolve) => {
    if (has()) {
      resolve(performance.now());
      return;
    }
    const stop = pools.onChange(() => {
      if (!has()) return;
      stop();
      resolve(performance.now());
    });
  });
}

async function main(): Promise<void> {
  const can = available('api');
  if (can !== true) {
    say(`reconciler: not measured: ${can}`);
    return;
  }
  const api = await startApiServer();
  const kube = await connect({ kubeconfig: api.kubeconfig, log, userAgent: 'bench', qps: 0 });
  const shared = { client: kube, log, clock: systemClock, random: systemRandom };
  const pools = new Reflector({ ...shared, kind: IPAddressPools, namespace: NAMESPACE });
  let program: Program | undefined;
  try {
    await api.kubectl('create', 'namespace', NAMESPACE);
    pools.start();
    await pools.whenSynced(AbortSignal.timeout(30_000));
    program = await startReconciler(api);
    let octet = 0;
    for (const size of SIZES) {
      const from = performance.now();
      await applyValues(kube, poolsOf(size, ++octet));
      await until(`${size} pools`, () => pools.store.size === size, { timeoutMs: 120_000, everyMs: 5 });
      say(`reconciler: values with ${size} pools -> all of them there: ${ms(performance.now() - from)}`);

      const samples: number[] = [];
      for (let i = 0; i < RUNS; i++) {
        octet = (octet % 250) + 1;
        const start = performance.now();
        await applyValues(kube, poolsOf(size, octet));
        samples.push((await whenPool(pools, 'pool-0', `192.0.${octet}.0/24`)) - start);
      }
      say(
        `reconciler: one key of ${size} pools changed, Secret and ConfigSource written -> pool changed: ${spread(samples)}`,
      );
      await unchanged(kube, program, size);
    }
  } finally {
    await program?.stop();
    await pools.close();
    await kube.close();
    await api.stop();
  }
}

/** Values that Helm writes again without a change, RUNS times. */
async function unchanged(kube: KubeClient, program: Program, size: number): Promise<void> {
  const looks = () => program.metric('herald_reconciler_render_seconds_count');
  const time = () => program.metric('herald_reconciler_render_seconds_sum');
  const writes = () => program.metric('herald_reconciler_writes_total');
  await until('quiet', async () => {
    const before = await looks();
    await systemClock.sleep(100);
    return (await looks()) === before;
  });
  const before = [await looks(), await time(), await writes()] as const;
  for (let i = 0; i < RUNS; i++) {
    const at = await looks();
    await kube.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${NAMESPACE}/secrets/herald-values`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { touch: `${size}-${i}` } } },
    });
    await until('a look', async () => (await looks()) > at, { everyMs: 2 });
  }
  const count = (await looks()) - before[0];
  const each = (((await time()) - before[1]) / count) * 1000;
  say(
    `reconciler: unchanged render of ${size} pools: ${ms(each)} each, ${(await writes()) - before[2]} writes in ${count} renders`,
  );
}

await main();
