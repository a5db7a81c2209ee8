import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Service } from '../api/core.ts';
import type { ChangePolicy } from '../api/values.ts';
import { idOf, type LiveObject, openContent, viewOf } from '../desired/object.ts';
import { formatAddress } from '../ip/address.ts';
import { adopt, converge, ingressTexts } from '../ipam/converge.ts';
import { Ledger } from '../ipam/ledger.ts';
import { begin, leavers } from '../ipam/move.ts';
import { wantOf } from '../ipam/want.ts';
import { inputOf, objects, service, written } from './change.rig.ts';
import { type Force, inForce, loss, served } from './cluster.rig.ts';
import { judge } from './judge.ts';
import type { Judged, JudgeInput } from './model.ts';
import { NAMESPACES, NODES, values } from './values.rig.ts';

type Step =
  | { readonly do: 'commit'; readonly values: object; readonly policy: ChangePolicy }
  | { readonly do: 'add'; readonly app: string; readonly namespace: string }
  | { readonly do: 'remove'; readonly which: number }
  | { readonly do: 'reconcile' }
  | { readonly do: 'approve' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('commit' as const),
    values,
    policy: fc.constantFrom<ChangePolicy>('hold', 'drain', 'move'),
  }),
  fc.record({
    do: fc.constant('add' as const),
    app: fc.constantFrom('x', 'y'),
    namespace: fc.constantFrom('one', 'two'),
  }),
  fc.record({ do: fc.constant('remove' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('reconcile' as const) }),
  fc.record({ do: fc.constant('approve' as const) }),
);

const keyOf = ({ metadata }: Service) => `${metadata.namespace}/${metadata.name}`;

/** A cluster with a controller that obeys the pools, and moves one Service at a time out of moving ranges. */
class Cluster {
  live: readonly LiveObject[] = [];
  services: readonly Service[] = [];
  policy: ChangePolicy = 'hold';
  desired: readonly ReturnType<typeof objects>[number][] = [];
  /** Who may lose something, as it was approved or forced. */
  spared: ReadonlySet<string> | 'nobody is' = new Set();
  #force: Force | undefined;
  #made = 0;
  readonly #chance: Iterator<number>;

  constructor(chance: Iterator<number>) {
    this.#chance = chance;
  }

  get input(): JudgeInput {
    const { live, desired, services, policy } = this;
    return {
      ...inputOf({ live, desired, services, nodes: NODES, namespaces: NAMESPACES }),
      policy: () => policy,
    };
  }

  act(step: Step): void {
    if (step.do === 'commit') {
      this.desired = objects(step.values);
      this.policy = step.policy;
    } else if (step.do === 'add') {
      const labels = { app: step.app };
      this.services = [...this.services, service(`${step.namespace}/s${this.#made++}`, [], { labels })];
    } else if (step.do === 'remove') this.services = this.services.filter((_, i) => i !== step.which);
    else if (step.do === 'reconcile') this.#carryOut(judge(this.input));
    else this.#approve();
    this.#controller();
  }

  /** Until nothing is left to write. */
  settle(): void {
    for (let round = 0; ; round++) {
      const judged = judge(this.input);
      if (judged.plan.stages.length === 0) return;
      if (round === 8) throw new Error('it does not come to an end');
      this.#carryOut(judged);
    }
  }

  #approve(): void {
    const held = judge(this.input).changes.filter((c) => c.digest !== '');
    const approved = new Map(held.map((c) => [c.source, c.digest]));
    this.spared = new Set(held.flatMap((c) => c.steps.flatMap((s) => s.affected.map((a) => a.service))));
    this.#carryOut(judge({ ...this.input, approved }));
    this.spared = new Set();
  }

  #carryOut({ plan }: Judged): void {
    const start = this.#state();
    for (const stage of plan.stages) {
      const order = stage
        .map((w) => [this.#chance.next().value ?? 0, w] as const)
        .sort((a, b) => a[0] - b[0]);
      for (const [, write] of order)
        this.#watched(
          write.because,
          () => {
            this.live = written(this.live, write);
            this.#controller();
          },
          start,
        );
    }
  }

  #controller(): void {
    this.#force = inForce(this.#force, this.live, NAMESPACES);
    if (this.#force) this.#watched('a pass of the controller', () => this.#pass(this.#force?.config));
  }

  #pass(config: Force['config'] | undefined): void {
    if (!config) return;
    const ledger = new Ledger(config);
    const held = this.services.filter((s) => adopt(ledger, s));
    const byKey = new Map(this.services.map((s) => [keyOf(s), s]));
    const wants = (key: string) => {
      const found = byKey.get(key);
      return found && wantOf(found);
    };
    const leaving = [...leavers(ledger)].find((key) => Array.isArray(begin(ledger, key, wants)));
    const begun = ledger.claimOf(leaving ?? '');
    this.services = this.services.map((s) => {
      const texts =
        keyOf(s) === leaving && begun?.next
          ? [...begun.addresses, ...begun.next.addresses].map(formatAddress)
          : choiceOf(ledger, s, held.includes(s));
      return { ...s, status: { ...s.status, ingress: texts.map((ip) => ({ ip })) } };
    });
  }

  /** Nobody loses anything by what is done but those who may. What came on the way, between the writes of one plan, may go again. */
  #watched(what: string, act: () => void, start = this.#state()): void {
    const before = this.#state();
    act();
    const after = this.#state();
    for (const [key, was] of before) {
      const is = after.get(key);
      if (!is || this.spared === 'nobody is' || this.spared.has(key)) continue;
      const kept = was.texts.filter((text) => is.texts.includes(text));
      if (was.texts.length > 0 && kept.length === 0) throw new Error(`${key} lost ${was.texts} by ${what}`);
      const first = start.get(key);
      const same = first?.texts.join() === is.texts.join() && kept.length === is.texts.length;
      const lost = same ? loss(is.service, first?.has, is.has) : undefined;
      if (lost !== undefined) throw new Error(`${key} lost ${lost} by ${what}`);
    }
  }

  #state() {
    const has = this.#force ? served(this.#force, this.services, NODES) : new Map<string, never>();
    return new Map(
      this.services.map((s) => [keyOf(s), { service: s, texts: ingressTexts(s), has: has.get(keyOf(s)) }]),
    );
  }
}

function choiceOf(ledger: Ledger, service: Service, held: boolean): readonly string[] {
  const { verdict } = converge(ledger, service, { overlapped: held });
  if ('choice' in verdict && verdict.choice) return verdict.choice.addresses.map(formatAddress);
  return 'kept' in verdict ? ingressTexts(service) : [];
}

const shape = (live: readonly LiveObject[]) =>
  new Map(
    live
      .map((o) => viewOf(o))
      .map(({ content, ...rest }) => [idOf(rest), { ...rest, content: openContent(content) }]),
  );

const RUNS = Number(process.env.COUNT ?? 25);
const SEED = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };

describe('a sequence of commits', () => {
  it('takes nothing from a Service without approval, and with force comes to the state of one clean run', {
    timeout: 600_000,
  }, () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 3, maxLength: 14 }),
        fc.infiniteStream(fc.nat()),
        (steps, chance) => {
          const cluster = new Cluster(chance);
          for (const one of steps) cluster.act(one);
          cluster.policy = 'force';
          cluster.spared = 'nobody is';
          cluster.settle();
          const clean = new Cluster(chance);
          clean.desired = cluster.desired;
          clean.settle();
          expect(shape(cluster.live)).toEqual(shape(clean.live));
          expect(judge(cluster.input)).toMatchObject({ plan: { stages: [] }, changes: [] });
        },
      ),
      { numRuns: RUNS, ...SEED },
    );
  });
});
