/**
 * Figures of the reconciler on a real API server; prints, passes and fails nothing. The reconciler runs as a process of its own;
 * what is called a write is seen by a watch of this process, so that every figure includes the way back. The peer is
 * `kubectl apply --server-side` of the same objects into another namespace, start of the process included: it applies every object each
 * time, removes none, and asks nobody whom that hurts.
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
const PEER_RUNS = 3;
const SIZES = [1, 10, 100, 1000];
const ROOT = join(import.meta.dirname, '../..');
const NAMESPACE = 'metallb-system';
const PEER = 'peer';
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
function specsOf(n: number, octet: number): readonly (readonly [string, object])[] {
  const addresses = (i: number) => (i === 0 ? `192.0.${octet}.0/24` : `10.${i >> 8}.${i & 255}.0/24`);
  return Array.from({ length: n }, (_, i) => [`pool-${i}`, { addresses: [addresses(i)] }] as const);
}

function poolsOf(n: number, octet: number): object {
  return { pools: Object.fromEntries(specsOf(n, octet)), l2Advertisements: { all: {} } };
}

/** The same as a list of objects. */
function manifest(n: number, octet: number): string {
  const kind = { apiVersion: 'metallb.io/v1beta1' };
  const meta = (name: string) => ({ metadata: { name, namespace: PEER } });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      ...specsOf(n, octet).map(([name, spec]) => ({ ...kind, kind: 'IPAddressPool', ...meta(name), spec })),
      { ...kind, kind: 'L2Advertisement', ...meta('all'), spec: {} },
    ],
  });
}

/** Milliseconds of the peer: for objects of which all but `n` of the last size are there, and for one changed pool of n. */
async function peer(
  api: ApiServer,
  n: number,
): Promise<{ readonly all: number; readonly one: readonly number[] }> {
  const apply = async (octet: number) => {
    const from = performance.now();
    await api.kubectlInput(manifest(n, octet), 'apply', '--server-side', '-f', '-');
    return performance.now() - from;
  };
  const all = await apply(0);
  const one: number[] = [];
  for (let i = 1; i <= PEER_RUNS; i++) one.push(await apply(i));
  return { all, one };
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
    for (const name of [NAMESPACE, PEER]) await api.kubectl('create', 'namespace', name);
    pools.start();
    await pools.whenSynced(AbortSignal.timeout(30_000));
    program = await startReconciler(api);
    let octet = 0;
    let first: number | undefined;
    for (const size of SIZES) {
      const from = performance.now();
      await applyValues(kube, poolsOf(size, ++octet));
      await until(`${size} pools`, () => pools.store.size === size, { timeoutMs: 120_000, everyMs: 5 });
      const all = performance.now() - from;
      const theirs = await peer(api, size);
      say(
        `reconciler: values with ${size} pools -> all of them there: ${ms(all)}; kubectl apply ${ms(theirs.all)}, ${ratio(theirs.all, all)} of it`,
      );
      await quiet(program);
      const [written, requests] = [await objectsWritten(program), await writesOf(program)];
      const samples: number[] = [];
      for (let i = 0; i < RUNS; i++) {
        octet = (octet % 250) + 1;
        const start = performance.now();
        await applyValues(kube, poolsOf(size, octet));
        samples.push((await whenPool(pools, 'pool-0', `192.0.${octet}.0/24`)) - start);
      }
      const sorted = samples.toSorted((a, b) => a - b);
      const median = quantile(sorted, 0.5);
      first ??= median;
      const theirMedian = quantile(
        theirs.one.toSorted((a, b) => a - b),
        0.5,
      );
      say(
        `reconciler: one key of ${size} pools changed, Secret and ConfigSource written -> pool changed: ${spread(samples)}, ` +
          `${ratio(median, first)} of the time with 1 pool; kubectl apply p50 ${ms(theirMedian)}, ${ratio(theirMedian, median)} of it`,
      );
      await quiet(program);
      const each = (count: number) => (count / RUNS).toFixed(1);
      say(
        `reconciler: writes per change of one key: ${each((await objectsWritten(program)) - written)} objects, ` +
          `${each((await writesOf(program)) - requests)} requests with its status, Plan and Events`,
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

const ratio = (a: number, b: number) => `${(a / b).toFixed(1)} times`;
const looksOf = (program: Program) => program.metric('herald_reconciler_render_seconds_count');
const objectsWritten = (program: Program) => program.metric('herald_reconciler_writes_total');

/** Requests that write; the Lease's PUTs go on by themselves. */
async function writesOf(program: Program): Promise<number> {
  const counts = ['PATCH', 'POST', 'DELETE'].map((m) =>
    program.metric(`herald_kube_requests_total{method="${m}"`),
  );
  return (await Promise.all(counts)).reduce((a, b) => a + b, 0);
}

/** Until nothing is looked at any more. */
async function quiet(program: Program): Promise<void> {
  await until('quiet', async () => {
    const before = await looksOf(program);
    await systemClock.sleep(200);
    return (await looksOf(program)) === before;
  });
}

/** Values that Helm writes again without a change, RUNS times. */
async function unchanged(kube: KubeClient, program: Program, size: number): Promise<void> {
  const looks = () => looksOf(program);
  const time = () => program.metric('herald_reconciler_render_seconds_sum');
  const writes = () => writesOf(program);
  await quiet(program);
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
