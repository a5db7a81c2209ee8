import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Service } from '../api/core.ts';
import type { ChangePolicy } from '../api/values.ts';
import type { LiveObject } from '../desired/object.ts';
import { inputOf, live, plan, service, written } from './change.rig.ts';
import { type Force, inForce, loss, served } from './cluster.rig.ts';
import { judge } from './judge.ts';
import type { Judged, JudgeInput } from './model.ts';
import { addressIn, maybe, NAMESPACES, NODES, POOLS, values } from './values.rig.ts';

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

const RUNS = Number(process.env.COUNT ?? 40);
const SEED = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
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
      { numRuns: RUNS, ...SEED },
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
      { numRuns: RUNS, ...SEED },
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
      { numRuns: RUNS, ...SEED },
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
      { numRuns: RUNS, ...SEED },
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
      { numRuns: RUNS, ...SEED },
    );
  });
});
