import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Service } from '../api/core.ts';
import type { ChangePolicy } from '../api/values.ts';
import type { LiveObject } from '../desired/object.ts';
import { formatAddress } from '../ip/address.ts';
import { parseRange } from '../ip/range.ts';
import { inputOf, live, namespace, node, service, written } from './change.rig.ts';
import { type Force, inForce, loss, served } from './cluster.rig.ts';
import { judge } from './judge.ts';
import type { Judged, JudgeInput } from './model.ts';
import { plan } from './plan.ts';

const NODES = [node('a', { zone: 'x' }), node('b', { zone: 'y' }), node('c', { zone: 'y' })];
const NAMESPACES = [namespace('one', { team: 'x' }), namespace('two')];

/** Blocks of eight addresses of one family, each in at most one pool. */
const BLOCKS = 6;
const blockText = (i: number) =>
  i < 4 ? `192.0.2.${i * 8}/29` : `2001:db8::${((i - 4) * 8).toString(16)}/125`;
function addressIn(block: number, offset: number): string {
  const parsed = parseRange(blockText(block));
  if (!('range' in parsed)) throw new Error('no range');
  return formatAddress({ family: parsed.range.family, bits: parsed.range.first + BigInt(offset) });
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { nil: undefined, freq });
const some = <T>(...items: T[]) => fc.subarray(items, { minLength: 1 });
const zone = maybe(fc.constantFrom('x', 'y').map((z) => [{ matchLabels: { zone: z } }]));
const apps = maybe(
  fc.constantFrom('x', 'y').map((app) => [{ matchLabels: { app } }]),
  5,
);
const POOLS = ['p', 'q', 'r'] as const;

const poolExtra = fc.record({
  autoAssign: maybe(fc.boolean()),
  avoidBuggyIPs: maybe(fc.boolean(), 4),
  serviceAllocation: maybe(
    fc.oneof(
      fc.record({ namespaces: some('one', 'two') }),
      fc.constant({ serviceSelectors: [{ matchLabels: { app: 'x' } }] }),
      fc.constant({ namespaceSelectors: [{ matchLabels: { team: 'x' } }] }),
    ),
    3,
  ),
  labels: maybe(fc.constantFrom({ tier: 'x' }, { tier: 'y' })),
});
const target = {
  ipAddressPools: maybe(some(...POOLS)),
  ipAddressPoolSelectors: maybe(
    fc.constantFrom('x', 'y').map((tier) => [{ matchLabels: { tier } }]),
    4,
  ),
  nodeSelectors: zone,
  serviceSelectors: apps,
};
const clean = (o: object) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));

/** Values that are valid by themselves. */
const values = fc
  .record({
    owner: fc.array(fc.constantFrom(...POOLS, undefined), { minLength: BLOCKS, maxLength: BLOCKS }),
    whole: fc.boolean(),
    extra: fc.record({ p: poolExtra, q: poolExtra, r: poolExtra }),
    l2Advertisements: fc.dictionary(
      fc.constantFrom('l', 'm'),
      fc.record({ ...target, interfaces: maybe(some('eth0', 'eth1')) }),
      { maxKeys: 2 },
    ),
    bgpAdvertisements: fc.dictionary(
      fc.constantFrom('g', 'h'),
      fc.record({ ...target, peers: maybe(some('t', 'u')) }),
      { maxKeys: 2 },
    ),
    bgpPeers: fc.dictionary(fc.constantFrom('t', 'u'), fc.record({ nodeSelectors: zone }), { maxKeys: 2 }),
  })
  .map(({ owner, whole, extra, l2Advertisements, bgpAdvertisements, bgpPeers }) => {
    const pools = POOLS.flatMap((name) => {
      const blocks = owner.flatMap((o, i) => (o === name ? [i] : []));
      return blocks.length === 0 ? [] : [[name, { addresses: spelt(blocks, whole), ...clean(extra[name]) }]];
    });
    const all = (o: Record<string, object>, more: object = {}) =>
      Object.fromEntries(Object.entries(o).map(([name, spec]) => [name, { ...clean(spec), ...more }]));
    const ips: Record<string, string> = { t: '10.0.0.1', u: '10.0.0.2' };
    return clean({
      pools: Object.fromEntries(pools),
      l2Advertisements: all(l2Advertisements),
      bgpAdvertisements: all(bgpAdvertisements),
      bgpPeers: Object.fromEntries(
        Object.entries(bgpPeers).map(([name, spec]) => [
          name,
          { ...clean(spec), myASN: 64512, peerASN: 64513, peerAddress: ips[name] },
        ]),
      ),
    });
  });

/** Neighbouring blocks as one range, or each by itself. */
function spelt(blocks: readonly number[], whole: boolean): string[] {
  if (!whole) return blocks.map(blockText);
  const runs: number[][] = [];
  for (const i of blocks) {
    const run = runs.at(-1);
    if (run && run.at(-1) === i - 1 && i !== 4) run.push(i);
    else runs.push([i]);
  }
  return runs.map((run) => `${addressIn(run[0] ?? 0, 0)}-${addressIn(run.at(-1) ?? 0, 7)}`);
}

const services = fc
  .array(
    fc.record({
      namespace: fc.constantFrom('one', 'two'),
      block: fc.nat(3),
      v6: fc.constantFrom(undefined, undefined, 4, 5),
      offset: fc.nat(7),
      app: fc.constantFrom('x', 'y'),
      pool: maybe(fc.constantFrom(...POOLS), 4),
      shared: maybe(fc.constant('k'), 4),
      local: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((list) =>
    list.map((s, i) =>
      service(
        `${s.namespace}/s${i}`,
        [addressIn(s.block, s.offset), ...(s.v6 === undefined ? [] : [addressIn(s.v6, s.offset)])],
        {
          labels: { app: s.app },
          annotations: {
            ...(s.pool && { 'metallb.io/address-pool': s.pool }),
            ...(s.shared && !s.local && { 'metallb.io/allow-shared-ip': s.shared }),
          },
          spec: { ports: [{ port: 80 + i }], ...(s.local && { externalTrafficPolicy: 'Local' }) },
        },
      ),
    ),
  );

/** Without those who have an address of another: no controller gives one twice, but to such as share it. */
function apart(list: readonly Service[]): readonly Service[] {
  const holders = new Map<string, boolean>();
  return list.filter(({ metadata, status }) => {
    const shares = 'metallb.io/allow-shared-ip' in metadata.annotations;
    const ips = status.ingress.map(({ ip = '' }) => ip);
    if (ips.some((ip) => holders.has(ip) && !(shares && holders.get(ip)))) return false;
    for (const ip of ips) holders.set(ip, shares);
    return true;
  });
}

interface Case {
  readonly from: object;
  readonly to: object;
  readonly services: readonly Service[];
}
const cases: fc.Arbitrary<Case> = fc.record({ from: values, to: values, services: services.map(apart) });

function input({ from, to, services }: Case, more: Partial<JudgeInput> = {}): JudgeInput {
  return { ...inputOf({ from, to, services, nodes: NODES, namespaces: NAMESPACES }), ...more };
}

const nameOf = ({ metadata }: Service) => `${metadata.namespace}/${metadata.name}`;
const nothingHeld = (r: Judged) => r.changes.every((c) => c.steps.every((s) => s.state === 'ready'));
const digests = (r: Judged) => r.changes.filter((c) => c.digest !== '').map((c) => [c.source, c.digest]);
const waiting = (r: Judged) =>
  JSON.stringify(
    r.changes.flatMap((c) =>
      c.steps.filter((s) => s.state !== 'ready').map((s) => [s.object, s.changes, s.affected]),
    ),
  );

/** Writes a plan one by one in an order of chance, and watches every Service after each of them. */
class Run {
  cluster: readonly LiveObject[];
  force: Force | undefined;
  readonly #services: readonly Service[];
  readonly #before: ReturnType<typeof served>;

  constructor(cluster: readonly LiveObject[], services: readonly Service[]) {
    this.cluster = cluster;
    this.#services = services;
    this.force = inForce(undefined, cluster, NAMESPACES);
    if (!this.force) throw new Error('the live set is not valid');
    this.#before = served(this.force, services, NODES);
  }

  stage(writes: Judged['plan']['stages'][number], chance: Iterator<number>): void {
    const order = writes.map((w) => [chance.next().value ?? 0, w] as const).sort((a, b) => a[0] - b[0]);
    for (const [, write] of order) {
      this.cluster = written(this.cluster, write);
      this.force = inForce(this.force, this.cluster, NAMESPACES);
      this.check(write.because);
    }
  }

  check(when: string): void {
    const now = this.force && served(this.force, this.#services, NODES);
    for (const s of this.#services) {
      const key = nameOf(s);
      const lost = loss(s, this.#before.get(key), now?.get(key));
      if (lost !== undefined) throw new Error(`${key} lost ${lost} after: ${when}`);
    }
  }
}

const RUNS = Number(process.env.RUNS ?? 150);
const chances = fc.infiniteStream(fc.nat());

describe('judge, on clusters of chance', () => {
  it('hurts nobody who was fine by any single write, in whatever order a stage is written', {
    timeout: 600_000,
  }, () => {
    fc.assert(
      fc.property(cases, chances, (c, chance) => {
        const i = input(c);
        const run = new Run(i.live, c.services);
        for (const stage of judge(i).plan.stages) run.stage(stage, chance);
      }),
      { numRuns: RUNS },
    );
  });

  it('hurts nobody and comes to an end when each stage is judged anew', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(cases, chances, (c, chance) => {
        const i = input(c);
        const run = new Run(i.live, c.services);
        for (let round = 0; ; round++) {
          const [stage] = judge({ ...i, live: run.cluster }).plan.stages;
          if (!stage) break;
          if (round === 8) throw new Error('it does not come to an end');
          run.stage(stage, chance);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('holds nothing when nobody would be hurt', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(cases, (c) => {
        const i = input(c);
        const all = live(c.to);
        const [before, after] = [i.live, all].map((set) => {
          const force = inForce(undefined, set, NAMESPACES);
          return force && served(force, c.services, NODES);
        });
        const hurt = c.services.filter((s) => {
          const key = nameOf(s);
          return loss(s, before?.get(key), after?.get(key)) !== undefined;
        });
        const r = judge(i);
        expect(nothingHeld(r)).toBe(hurt.length === 0);
        expect(r.affected.filter((a) => a.fate !== 'changes-owner').map((a) => a.service)).toEqual(
          hurt.map((s) => nameOf(s)).sort(),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('comes to the same result whatever the order of its input', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(cases, (c) => {
        const i = input(c);
        const turned = {
          ...i,
          live: i.live.toReversed(),
          desired: i.desired.toReversed(),
          scene: i.scene && {
            services: i.scene.services.toReversed(),
            nodes: i.scene.nodes.toReversed(),
            namespaces: i.scene.namespaces.toReversed(),
          },
        };
        expect(judge(turned)).toEqual(judge(i));
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps its digest while the safe part is written, and gets to what is desired as Services leave', {
    timeout: 600_000,
  }, () => {
    fc.assert(
      fc.property(cases, fc.constantFrom<ChangePolicy>('hold', 'drain', 'move'), (c, policy) => {
        const i = input(c, { policy: () => policy });
        let cluster: readonly LiveObject[] = i.live;
        // A Service that may not keep what it shows gets other addresses meanwhile, and is another case then.
        const force = inForce(undefined, cluster, NAMESPACES);
        const fine = force && served(force, c.services, NODES);
        let left = c.services.filter((s) => fine?.has(nameOf(s)));
        let r = judge(i);
        for (;;) {
          const [before, open] = [digests(r), waiting(r)];
          for (let round = 0; r.plan.stages.length > 0; round++) {
            if (round === 8) throw new Error('it does not come to an end');
            cluster = r.plan.stages.flat().reduce(written, [...cluster]);
            r = judge({
              ...i,
              live: cluster,
              scene: { services: left, nodes: NODES, namespaces: NAMESPACES },
            });
            if (waiting(r) === open) expect(digests(r)).toEqual(before);
          }
          if (left.length === 0) break;
          left = left.slice(1);
          r = judge({ ...i, live: cluster, scene: { services: left, nodes: NODES, namespaces: NAMESPACES } });
        }
        expect(plan({ ...i, live: cluster }).stages).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
