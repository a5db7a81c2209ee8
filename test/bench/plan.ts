/**
 * Figures of the judgement of a change: no server, one core; prints, passes and fails nothing.
 * `node test/bench/plan.ts [POOLS SERVICES]`, default 1000 10000. The peer finds the pool of each address as upstream's allocator does, by a
 * look at one pool after the other, before the change and after it. It does not ask who may use the pool or who announces it, nor
 * what could be written all the same: it says no more than which addresses would be in no pool.
 */
import type { Service } from '../../src/domain/api/core.ts';
import { inputOf, live, node, objects, service } from '../../src/domain/change/change.rig.ts';
import { judge } from '../../src/domain/change/judge.ts';
import type { JudgeInput } from '../../src/domain/change/model.ts';
import { type View, viewOf } from '../../src/domain/desired/object.ts';
import { entriesOf } from '../../src/domain/desired/rules.ts';
import { parseAddress } from '../../src/domain/ip/address.ts';
import { rangeContains } from '../../src/domain/ip/range.ts';

const [POOLS = 1000, SERVICES = 10_000] = process.argv.slice(2).map(Number);
const RUNS = 20;
const NODES = 20;
const say = (text: string) => process.stdout.write(`${text}\n`);
const ms = (n: number) => `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;

type Values = Readonly<Record<string, Readonly<Record<string, object>>>>;

const octets = (i: number) => `10.${i >> 8}.${i & 255}`;
const pool = (i: number, more: object = {}) => ({ addresses: [`${octets(i)}.0/24`], ...more });
const poolsOf = (make: (i: number) => object | undefined): Readonly<Record<string, object>> =>
  Object.fromEntries(
    Array.from({ length: POOLS }, (_, i) => [`pool-${i}`, make(i)] as const).flatMap(([name, spec]) =>
      spec ? [[name, spec]] : [],
    ),
  );
const peers = Object.fromEntries(
  [1, 2, 3].map((i) => [`peer-${i}`, { myASN: 64512, peerASN: 64513, peerAddress: `192.0.2.${i}` }]),
);
/** Everything is announced by both protocols; half of the pools have an advertisement of their own. */
const base: Values = {
  pools: poolsOf((i) => pool(i)),
  l2Advertisements: { all: {} },
  bgpAdvertisements: {
    all: {},
    ...Object.fromEntries(
      Array.from({ length: POOLS / 2 }, (_, i) => [`ad-${i}`, { ipAddressPools: [`pool-${i}`] }]),
    ),
  },
  bgpPeers: peers,
};

/** Even over the pools, some shared, some with local endpoints. */
const services: readonly Service[] = Array.from({ length: SERVICES }, (_, i) => {
  const at = Math.floor(i / POOLS) + 1;
  return service(`ns-${i % 100}/s${i}`, `${octets(i % POOLS)}.${at}`, {
    labels: { app: `app-${i % 50}`, tier: i % 2 ? 'web' : 'data' },
    ...(i % 7 === 0 && { annotations: { 'metallb.io/allow-shared-ip': 'k' } }),
    ...(i % 5 === 0 && { spec: { externalTrafficPolicy: 'Local' } }),
  });
});

interface Case {
  readonly name: string;
  readonly to: Values;
  readonly more?: Partial<JudgeInput>;
}

const cases: readonly Case[] = [
  { name: 'no change', to: base },
  {
    name: 'one key: a pool grows',
    to: { ...base, pools: { ...base.pools, 'pool-0': { addresses: [`${octets(0)}.0/24`, '192.0.2.0/24'] } } },
  },
  {
    name: 'a pool in use is removed',
    to: { ...base, pools: poolsOf((i) => (i === 7 ? undefined : pool(i))) },
  },
  {
    name: 'every address changes its pool, nobody is hurt',
    to: { ...base, pools: poolsOf((i) => pool(POOLS - 1 - i)) },
  },
  {
    name: 'an advertisement selects Services',
    to: withL2({ serviceSelectors: [{ matchLabels: { tier: 'web' } }] }),
  },
  { name: 'announced from other nodes', to: withL2({ nodeSelectors: [{ matchLabels: { zone: 'b' } }] }) },
  { name: 'everything goes: all is held', to: {} },
  { name: 'everything goes: policy move', to: {}, more: { policy: () => 'move' } },
  { name: 'everything goes: policy force', to: {}, more: { policy: () => 'force' } },
  {
    name: 'everything hurts: each pool loses half, and the advertisements nodes',
    to: {
      ...withL2({ nodeSelectors: [{ matchLabels: { zone: 'b' } }] }),
      pools: poolsOf((i) => ({
        addresses: [`${octets(i)}.6-${octets(i)}.255`],
        serviceAllocation: { namespaces: ['ns-1'] },
      })),
      bgpAdvertisements: {},
    },
  },
];

function withL2(all: object): Values {
  return { ...base, l2Advertisements: { all } };
}

/** Addresses that a linear search finds in no pool although they were in one. */
function uncovered(before: readonly View[], after: readonly View[]): number {
  const read = (views: readonly View[]) =>
    views.filter((v) => v.kind.kind === 'IPAddressPool').map((v) => entriesOf(v).map((e) => e.range));
  const [was, is] = [read(before), read(after)];
  const finds = (pools: typeof was, text: string) => {
    const address = parseAddress(text);
    return address && pools.some((ranges) => ranges.some((range) => rangeContains(range, address)));
  };
  const texts = services.flatMap((s) => s.status.ingress.map(({ ip = '' }) => ip));
  return texts.filter((text) => finds(was, text) && !finds(is, text)).length;
}

interface Sample {
  readonly wall: number;
  /** Of this thread alone: what it takes where nobody else wants the core. */
  readonly cpu: number;
}

function measure(run: () => unknown, runs: number): readonly Sample[] {
  const samples = Array.from({ length: runs + 2 }, (): Sample => {
    const [start, used] = [performance.now(), process.threadCpuUsage()];
    run();
    const { user, system } = process.threadCpuUsage(used);
    return { wall: performance.now() - start, cpu: (user + system) / 1000 };
  });
  // The first two warm up.
  return samples.slice(2);
}

function quantile(samples: readonly Sample[], of: keyof Sample, q: number): number {
  const sorted = samples.map((sample) => sample[of]).sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

const present = live(base);
const nodes = Array.from({ length: NODES }, (_, i) => node(`node-${i}`, { zone: i % 2 ? 'a' : 'b' }));
say(`${POOLS} pools, ${SERVICES} Services, ${NODES} nodes, ${RUNS} runs of each`);
for (const { name, to, more } of cases) {
  const desired = objects(to);
  const input: JudgeInput = { ...inputOf({ live: present, desired, services, nodes }), ...more };
  const result = judge(input);
  const steps = result.changes.flatMap((c) => c.steps);
  const ours = measure(() => judge(input), RUNS);
  const peer = measure(() => uncovered(present.map(viewOf), desired), RUNS);
  const held = steps.filter((step) => step.state !== 'ready').length;
  say(
    `${name}: p50 ${ms(quantile(ours, 'wall', 0.5))}, p99 ${ms(quantile(ours, 'wall', 0.99))}, CPU p50 ${ms(quantile(ours, 'cpu', 0.5))}; ` +
      `${result.plan.stages.flat().length} writes, ${held} steps wait, ${result.affected.length} Services affected; ` +
      `${(quantile(ours, 'cpu', 0.5) / quantile(peer, 'cpu', 0.5)).toFixed(2)} times the CPU of the peer (${ms(quantile(peer, 'cpu', 0.5))})`,
  );
}
