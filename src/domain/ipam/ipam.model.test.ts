import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDraining, poolOf } from '../config/config.ts';
import { formatAddress } from '../ip/address.ts';
import { held } from './claim.ts';
import { adopt, converge, type MoveState } from './converge.ts';
import {
  address,
  configOf,
  dual,
  type PoolSketch,
  type ServiceSketch,
  serviceOf,
  texts,
} from './ipam.rig.ts';
import { Ledger } from './ledger.ts';
import { begin, leavers } from './move.ts';
import { wantOf } from './want.ts';

/** Small pools on purpose: collisions, exhaustion and eviction must happen all the time. */
const configs: readonly Readonly<Record<string, PoolSketch>>[] = [
  { a: { addresses: ['192.0.2.0/29', '2001:db8::/126'] } },
  { a: { addresses: ['192.0.2.0/30'] }, b: { addresses: ['192.0.2.4/30', '2001:db8::/127'] } },
  { a: { addresses: ['192.0.2.0/29'], avoidBuggyIPs: true }, b: { addresses: ['2001:db8::/126'] } },
  {
    a: { addresses: ['192.0.2.0/30'], allocation: { namespaces: ['t1'] } },
    b: { addresses: ['192.0.2.6-192.0.2.7'], autoAssign: false },
    c: { addresses: ['192.0.2.4/31', '2001:db8::/126'] },
  },
];

/** Marks cross the borders of pools, so that they mean something whatever the pools are. */
const ranges = fc.subarray(['192.0.2.0/31', '192.0.2.3-192.0.2.5', '192.0.2.6/32', '2001:db8::/127']);
interface Marks {
  readonly draining: readonly string[];
  readonly moving: readonly string[];
}
const NO_MARKS: Marks = { draining: [], moving: [] };
const marked = (index: number, marks: Marks) =>
  configOf(
    Object.fromEntries(
      Object.entries(configs[index] ?? {}).map(([name, sketch]) => [name, { ...sketch, ...marks }]),
    ),
  );

const names = ['t1/a', 't1/b', 't1/c', 't2/d', 't2/e', 't2/f', 't3/g'] as const;
const asks = fc.constantFrom('192.0.2.1', '192.0.2.6', '2001:db8::1', '192.0.2.3,2001:db8::2', 'x');
const annotation = (name: string, value: fc.Arbitrary<string>) =>
  fc.option(value, { freq: 2 }).map((v): Record<string, string> => (v === null ? {} : { [name]: v }));
const annotations = fc
  .tuple(
    fc
      .boolean()
      .chain((sure) => annotation('metallb.io/allow-shared-ip', fc.constantFrom('k', sure ? 'k' : 'l'))),
    fc.nat(3).chain((n) => (n > 0 ? fc.constant({}) : annotation('metallb.io/loadBalancerIPs', asks))),
    fc
      .nat(5)
      .chain((n) =>
        n > 0 ? fc.constant({}) : annotation('metallb.io/address-pool', fc.constantFrom('a', 'b', 'x')),
      ),
  )
  .map((parts): Readonly<Record<string, string>> => Object.assign({}, ...parts));
const v4 = ['10.96.0.9'];
/** Also the plainest ones, of which most hold something. */
const sketch: fc.Arbitrary<ServiceSketch> = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      type: fc.constantFrom('LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'ClusterIP'),
      clusterIPs: fc.constantFrom(v4, v4, ['fd00::9'], dual),
      policy: fc.constantFrom(
        'SingleStack' as const,
        'PreferDualStack' as const,
        'RequireDualStack' as const,
      ),
      ports: fc.uniqueArray(fc.constantFrom('TCP/80', 'TCP/443', 'UDP/53'), { minLength: 1 }),
      annotations,
      local: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ set: fc.constantFrom(...names), sketch }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ config: fc.nat(configs.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.constant(true) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      mark: fc.oneof(
        fc.constant(NO_MARKS),
        fc.record({ draining: ranges, moving: ranges }),
        fc.record({ draining: fc.constant([]), moving: ranges }),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ move: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ overlapped: fc.constantFrom(...names) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      edit: fc.constantFrom(...names),
      ingress: fc.constantFrom('192.0.2.1', '203.0.113.9'),
    }),
  },
);

/** A cluster of Services whose statuses are written as soon as they are decided. */
class World {
  index = 0;
  marks = NO_MARKS;
  config = marked(0, NO_MARKS);
  ledger = new Ledger(this.config);
  readonly services = new Map<string, ServiceSketch>();
  readonly status = new Map<string, readonly string[]>();
  /** Those whose condition says so. */
  readonly moving = new Set<string>();

  service(key: string) {
    const reason = this.moving.has(key) ? 'Moving' : 'Kept';
    return serviceOf(key, { ...this.services.get(key), ingress: this.status.get(key) ?? [], reason });
  }

  pass(key: string, moves: MoveState = {}): boolean {
    const before = this.status.get(key) ?? [];
    const wasMoving = this.moving.has(key);
    const { verdict, notes } = converge(this.ledger, this.service(key), moves);
    if ('choice' in verdict && verdict.choice) {
      this.status.set(key, texts(verdict.choice.addresses));
      if (verdict.choice.because === 'moving') this.moving.add(key);
      else this.moving.delete(key);
    } else if (!('kept' in verdict)) this.status.delete(key);
    const now = this.status.get(key) ?? [];
    for (const ip of now)
      if (!before.includes(ip)) expect(this.drains(ip) && this.claims(key), `${key} gets ${ip}`).toBe(false);
    // Who moves always has an address that it had a moment ago, unless it got one in the ordinary way.
    const moved = wasMoving && !notes.some(({ note }) => ['allocated', 'not-allocated'].includes(note));
    if (moved && 'choice' in verdict)
      expect(
        now.some((ip) => before.includes(ip)),
        key,
      ).toBe(true);
    return JSON.stringify(before) !== JSON.stringify(now);
  }

  drains(ip: string): boolean {
    const pool = poolOf(this.config, address(ip));
    return pool !== undefined && isDraining(pool, address(ip));
  }

  claims(key: string): boolean {
    return this.ledger.claimOf(key) !== undefined;
  }

  passAll(): boolean {
    return [...this.services.keys()].map((key) => this.pass(key)).some((changed) => changed);
  }

  begin(): void {
    for (const key of leavers(this.ledger)) {
      const begun = begin(this.ledger, key, (member) => wantOf(this.service(member)));
      if (!('stay' in begun)) return;
      expect(this.ledger.claimOf(key)?.next, 'who stays holds nothing new').toBeUndefined();
    }
  }

  act(a: typeof action extends fc.Arbitrary<infer T> ? T : never): void {
    if ('set' in a) this.services.set(a.set, a.sketch);
    if ('remove' in a && this.services.delete(a.remove)) {
      this.status.delete(a.remove);
      this.moving.delete(a.remove);
      this.ledger.release(a.remove);
    }
    if ('edit' in a && this.services.has(a.edit)) this.status.set(a.edit, [a.ingress]);
    if ('config' in a) this.index = a.config;
    if ('mark' in a) this.marks = a.mark;
    if ('config' in a || 'mark' in a) {
      this.config = marked(this.index, this.marks);
      this.ledger.reconfigure(this.config);
    }
    if ('move' in a) this.begin();
    if ('overlapped' in a && this.services.has(a.overlapped)) this.pass(a.overlapped, { overlapped: true });
    if ('restart' in a) {
      this.ledger = new Ledger(this.config);
      for (const key of this.services.keys()) adopt(this.ledger, this.service(key));
    }
  }
}

function checkAddresses(world: World): void {
  const users = new Map<string, string[]>();
  for (const [key, ips] of world.status) {
    for (const ip of ips) {
      const pool = poolOf(world.config, address(ip));
      const { namespaces } = pool?.allocation ?? {};
      const claim = world.ledger.claimOf(key);
      expect(namespaces?.has(key.slice(0, 2)) ?? true, `${key} may have ${ip}`).toBe(true);
      expect([claim?.pool, claim?.next?.pool], `${key} has ${ip} of its pool`).toContain(pool?.name);
      users.set(ip, [...(users.get(ip) ?? []), key]);
    }
    const claim = world.ledger.claimOf(key);
    expect(claim ? texts(held(claim)) : []).toEqual(ips);
  }
  for (const [ip, keys] of users) {
    const holders = keys.map((key) => world.services.get(key) ?? {});
    if (keys.length === 1) continue;
    const shares = holders.map((s) => s.annotations?.['metallb.io/allow-shared-ip'] ?? '');
    expect(new Set(shares).size, `${ip} is shared under one key`).toBe(1);
    expect(shares[0]).not.toBe('');
    const ports = holders.flatMap((s) => s.ports ?? ['TCP/80']);
    expect(new Set(ports).size, `${ip} has each port once`).toBe(ports.length);
  }
}

function checkCounters(world: World): void {
  for (const [name, pool] of world.config.pools) {
    const used = new Set(
      [...world.status.values()].flat().filter((ip) => poolOf(world.config, address(ip)) === pool),
    );
    const { assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 } = world.ledger.counters(name);
    expect(assignedIPv4 + assignedIPv6).toBe(BigInt(used.size));
    expect(availableIPv4 >= 0n && availableIPv6 >= 0n).toBe(true);
  }
}

/** A Service that asks for nothing waits only while every address that it could get is taken. */
function checkNobodyWaitsInVain(world: World): void {
  const taken = new Set([...world.status.values()].flat());
  for (const [key, { type, clusterIPs = v4, annotations = {}, policy }] of world.services) {
    const plain = type !== 'ClusterIP' && clusterIPs === v4 && Object.keys(annotations).length === 0;
    if (!plain || policy === 'RequireDualStack' || world.status.has(key)) continue;
    for (let i = 0; i < 8; i++) {
      const pool = poolOf(world.config, address(`192.0.2.${i}`));
      const { namespaces } = pool?.allocation ?? {};
      if (world.drains(`192.0.2.${i}`)) continue;
      if (!pool?.autoAssign || !(namespaces?.has(key.slice(0, 2)) ?? true)) continue;
      expect(taken.has(`192.0.2.${i}`), `${key} waits and 192.0.2.${i} is taken`).toBe(true);
    }
  }
}

describe('allocation, whatever happens to Services and pools', () => {
  it('gives no address twice sharing aside, none outside its pool, and moves none without cause', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }), (actions) => {
        const world = new World();
        for (const a of actions) {
          world.act(a);
          world.passAll();
          checkAddresses(world);
          checkCounters(world);
          // Nothing happened since: at most Services that waited get what others gave back, and nobody who has one moves.
          const before = new Map(world.status);
          for (let rounds = 0; world.passAll(); rounds++) expect(rounds).toBeLessThan(names.length);
          checkNobodyWaitsInVain(world);
          for (const [key, ips] of before)
            expect(world.status.get(key)?.slice(0, ips.length), key).toEqual(ips);
          checkAddresses(world);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('empties moving ranges as far as there is room, and then rests', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 25, size: 'max' }), (actions) => {
        const world = new World();
        for (const a of actions) world.act(a);
        world.act({ mark: { draining: [], moving: ['192.0.2.0/30', '2001:db8::/127'] } });
        while (world.passAll());
        // Each round moves one group, and there are at most as many groups as Services.
        for (let round = 0; round < names.length; round++) {
          world.begin();
          world.passAll();
          for (const key of world.services.keys()) world.pass(key, { overlapped: true });
          while (world.passAll());
          checkAddresses(world);
        }
        expect(world.moving.size).toBe(0);
        const left = [...leavers(world.ledger)];
        for (const key of left) {
          const begun = begin(world.ledger, key, (member) => wantOf(world.service(member)));
          expect(begun, `${key} stays, ${world.status.get(key)}`).toHaveProperty('stay');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('keeps every address over a restart', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 5, maxLength: 25, size: 'max' }), (actions) => {
        const world = new World();
        for (const a of actions) world.act(a);
        while (world.passAll());
        const before = new Map(world.status);
        world.act({ restart: true });
        world.passAll();
        expect(world.status).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });

  it('takes the lowest free address, also one that was given back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15), { maxLength: 40, size: 'max' }), (turns) => {
        const ledger = new Ledger(configOf({ a: { addresses: ['192.0.2.0/28'] } }));
        const used = new Map<number, string>();
        for (const [turn, n] of turns.entries()) {
          const holder = used.get(n);
          if (holder !== undefined) ledger.release(holder);
          if (used.delete(n)) continue;
          let lowest = 0;
          while (used.has(lowest)) lowest++;
          const { verdict } = converge(ledger, serviceOf(`t1/s${turn}`));
          const got =
            'choice' in verdict && verdict.choice ? verdict.choice.addresses.map(formatAddress) : [];
          expect(got).toEqual([`192.0.2.${lowest}`]);
          used.set(lowest, `t1/s${turn}`);
        }
      }),
    );
  });
});
