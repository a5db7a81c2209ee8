import { describe, expect, it } from 'vitest';
import { adopt, converge, type MoveState } from './converge.ts';
import { configOf, dual, type PoolSketch, pass, type ServiceSketch, serviceOf, texts } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';
import { begin, leavers } from './move.ts';
import { stayText } from './reasons.ts';
import { wantOf } from './want.ts';

const LBIPS = 'metallb.io/loadBalancerIPs';
const POOL = 'metallb.io/address-pool';
const SHARE = 'metallb.io/allow-shared-ip';
const OVERLAPPED: MoveState = { overlapped: true };

type Pools = Readonly<Record<string, PoolSketch>>;

/** .0 and .1 of pool a move; .2 and .3 are room for them. */
const inside: Pools = { a: { addresses: ['192.0.2.0/30'], moving: ['192.0.2.0/31'] } };
/** All of a moves. */
const away: Pools = {
  a: { addresses: ['192.0.2.0/30'], moving: ['192.0.2.0/30'] },
  b: { addresses: ['198.51.100.0/30'] },
};

/** Services by key; their statuses are what the last pass made of them. */
class World {
  readonly ledger: Ledger;
  readonly services = new Map<string, ServiceSketch>();

  constructor(pools: Pools, services: Readonly<Record<string, ServiceSketch>>) {
    this.ledger = new Ledger(configOf(pools));
    for (const [key, sketch] of Object.entries(services)) {
      this.services.set(key, sketch);
      adopt(this.ledger, serviceOf(key, sketch));
    }
  }

  begin(key: string) {
    const begun = begin(this.ledger, key, (member) => {
      const sketch = this.services.get(member);
      return sketch && wantOf(serviceOf(member, sketch));
    });
    return 'stay' in begun ? stayText(begun) : [...begun].sort();
  }

  pass(key: string, moves?: MoveState): string {
    const sketch = this.services.get(key) ?? {};
    const { result, words } = pass(this.ledger, key, sketch, moves);
    const { verdict } = converge(this.ledger, serviceOf(key, sketch), moves);
    if ('choice' in verdict && verdict.choice) {
      const ingress = texts(verdict.choice.addresses);
      this.services.set(key, {
        ...sketch,
        ingress,
        reason: verdict.choice.because === 'moving' ? 'Moving' : 'Kept',
      });
    }
    return [result, ...words].join(', ');
  }

  change(key: string, sketch: ServiceSketch): void {
    this.services.set(key, { ...this.services.get(key), ...sketch });
  }
}

const holding = (...ingress: string[]): ServiceSketch => ({ ingress });
const both = (...ingress: string[]): ServiceSketch => ({
  clusterIPs: dual,
  policy: 'RequireDualStack',
  ingress,
});

describe('a Service in a moving range', () => {
  it('gets another address, has both, then only the new one', () => {
    const world = new World(away, { 't1/one': holding('192.0.2.0') });
    expect([...leavers(world.ledger)]).toEqual(['t1/one']);
    expect(world.begin('t1/one')).toEqual(['t1/one']);
    expect([...leavers(world.ledger)]).toEqual([]);
    expect(world.pass('t1/one')).toBe('192.0.2.0 198.51.100.0 a moving, moving');
    expect(world.pass('t1/one')).toBe('192.0.2.0 198.51.100.0 a moving');
    expect(world.ledger.counters('a')).toMatchObject({ assignedIPv4: 1n });
    expect(world.ledger.counters('b')).toMatchObject({ assignedIPv4: 1n });
    expect(world.pass('t1/one', OVERLAPPED)).toBe('198.51.100.0 b moved, moved');
    expect(world.pass('t1/one')).toBe('198.51.100.0 b kept');
    expect(world.ledger.counters('a')).toMatchObject({ assignedIPv4: 0n });
    expect([...leavers(world.ledger)]).toEqual([]);
  });

  it('stays in its pool where that has room', () => {
    const world = new World(
      { ...inside, b: away.b ?? { addresses: [] } },
      { 't1/one': holding('192.0.2.1') },
    );
    world.begin('t1/one');
    expect(world.pass('t1/one')).toBe('192.0.2.1 192.0.2.2 a moving, moving');
  });

  it('is nothing to move when it holds nothing there, or when nothing moves', () => {
    expect([...leavers(new World(inside, { 't1/one': holding('192.0.2.2') }).ledger)]).toEqual([]);
    const still: Pools = { a: { addresses: ['192.0.2.0/30'], draining: ['192.0.2.0/30'] } };
    expect([...leavers(new World(still, { 't1/one': holding('192.0.2.2') }).ledger)]).toEqual([]);
  });

  it('does not give its new address to others meanwhile, nor its old one', () => {
    const tight: Pools = { a: { addresses: ['192.0.2.0/31'], moving: ['192.0.2.0/32'] } };
    const world = new World(tight, { 't1/one': holding('192.0.2.0') });
    world.begin('t1/one');
    expect(world.pass('t1/two')).toBe('no-room, not-allocated');
    world.pass('t1/one');
    world.pass('t1/one', OVERLAPPED);
    expect(world.pass('t1/two')).toBe('no-room, not-allocated');
  });

  it.each<[string, Pools, ServiceSketch, string]>([
    [
      'asks for its address',
      away,
      { ...holding('192.0.2.0'), annotations: { [LBIPS]: '192.0.2.0' } },
      'it asks for this address',
    ],
    [
      'asks for it in its spec',
      away,
      { ...holding('192.0.2.0'), loadBalancerIP: '192.0.2.0' },
      'it asks for this address',
    ],
    [
      'asks for its pool, which has no room',
      away,
      { ...holding('192.0.2.0'), annotations: { [POOL]: 'a' } },
      'it asks for pool a, which has no free address outside its draining ranges',
    ],
    [
      'finds no room',
      { a: away.a ?? { addresses: [] } },
      holding('192.0.2.0'),
      'no pool has a free address for it',
    ],
    [
      'finds room only in pools that it has to ask for',
      { ...away, b: { addresses: ['198.51.100.0/30'], autoAssign: false } },
      holding('192.0.2.0'),
      'no pool has a free address for it',
    ],
    [
      'finds room only in pools that are not for it',
      { ...away, b: { addresses: ['198.51.100.0/30'], allocation: { namespaces: ['t2'] } } },
      holding('192.0.2.0'),
      'no pool has a free address for it',
    ],
    ['finds one family only', away, both('192.0.2.0', '2001:db8::'), 'no pool has a free address for it'],
  ])('stays when it %s', (_, pools, sketch, why) => {
    const a = { ...pools.a, addresses: [...(pools.a?.addresses ?? []), '2001:db8::/126'] };
    const world = new World({ ...pools, a }, { 't1/one': sketch });
    expect(world.begin('t1/one')).toBe(why);
    const stay = { stay: 'no-room' } as const;
    const { verdict, notes } = converge(world.ledger, serviceOf('t1/one', sketch), { stay });
    expect(verdict).toMatchObject({ choice: { because: 'kept', stay } });
    expect(notes.map(({ note }) => note)).toContain('not-moved');
  });

  it('moves within the pool that it asks for', () => {
    const world = new World(inside, { 't1/one': { ...holding('192.0.2.0'), annotations: { [POOL]: 'a' } } });
    world.begin('t1/one');
    world.pass('t1/one');
    expect(world.pass('t1/one', OVERLAPPED)).toBe('192.0.2.2 a moved, moved');
  });
});

describe('a Service with two families', () => {
  const wide = (moving: string[]): Pools => ({
    a: { addresses: ['192.0.2.0/30', '2001:db8::/126'], moving },
    b: { addresses: ['198.51.100.0/30', '2001:db8:1::/126'] },
  });

  it('keeps the one that does not move, where its pool has room for the other', () => {
    const world = new World(wide(['192.0.2.0/31']), { 't1/one': both('192.0.2.0', '2001:db8::') });
    world.begin('t1/one');
    expect(world.pass('t1/one')).toBe('192.0.2.0 2001:db8:: 192.0.2.2 a moving, moving');
    expect(world.pass('t1/one', OVERLAPPED)).toBe('192.0.2.2 2001:db8:: a moved, moved');
  });

  it('moves with both where it has to go to another pool', () => {
    const world = new World(wide(['192.0.2.0/30']), { 't1/one': both('2001:db8::', '192.0.2.0') });
    world.begin('t1/one');
    expect(world.pass('t1/one')).toBe('2001:db8:: 192.0.2.0 2001:db8:1:: 198.51.100.0 a moving, moving');
    expect(world.pass('t1/one', OVERLAPPED)).toBe('2001:db8:1:: 198.51.100.0 b moved, moved');
  });

  it('is known in the middle of a move by its status alone', () => {
    const shown = ['192.0.2.0', '2001:db8::', '192.0.2.2'];
    const world = new World(wide(['192.0.2.0/31']), { 't1/one': both(...shown) });
    expect(world.pass('t1/one')).toBe('192.0.2.0 2001:db8:: 192.0.2.2 a moving');
    expect(world.pass('t1/one', OVERLAPPED)).toBe('192.0.2.2 2001:db8:: a moved, moved');
  });
});

describe('Services that share an address', () => {
  const sharing = (port: string, more: Record<string, string> = {}): ServiceSketch => ({
    ...holding('192.0.2.0'),
    annotations: { [SHARE]: 'k', ...more },
    ports: [port],
  });

  it('move together, to one address', () => {
    const world = new World(away, { 't1/one': sharing('TCP/80'), 't2/two': sharing('TCP/81') });
    expect(world.begin('t1/one')).toEqual(['t1/one', 't2/two']);
    expect(world.pass('t2/two')).toBe('192.0.2.0 198.51.100.0 a moving, moving');
    expect(world.pass('t1/one')).toBe('192.0.2.0 198.51.100.0 a moving, moving');
    expect(world.pass('t1/one', OVERLAPPED)).toBe('198.51.100.0 b moved, moved');
    expect(world.pass('t2/two', OVERLAPPED)).toBe('198.51.100.0 b moved, moved');
  });

  it('stay together, when one of them has to stay', () => {
    const stays = sharing('TCP/81', { [LBIPS]: '192.0.2.0' });
    const world = new World(away, { 't1/one': sharing('TCP/80'), 't2/two': stays });
    expect(world.begin('t1/one')).toBe('t2/two shares the address and stays: it asks for this address');
    expect(world.begin('t2/two')).toBe('it asks for this address');
    expect(world.ledger.claimOf('t1/one')?.next).toBeUndefined();
  });

  it('go only where all of them may go', () => {
    const pools: Pools = {
      ...away,
      b: { addresses: ['198.51.100.0/30'], allocation: { namespaces: ['t1'] } },
      c: { addresses: ['203.0.113.0/30'] },
    };
    const world = new World(pools, { 't1/one': sharing('TCP/80'), 't2/two': sharing('TCP/81') });
    world.begin('t1/one');
    expect(world.pass('t1/one')).toBe('192.0.2.0 203.0.113.0 a moving, moving');
  });

  it('may join others of their key, when no port of theirs is taken there', () => {
    const pools: Pools = { ...away, b: { addresses: ['198.51.100.0/31'] } };
    const group = { 't1/one': sharing('TCP/80'), 't1/two': sharing('TCP/81') };
    const free = { ...sharing('TCP/90'), ingress: ['198.51.100.0'] };
    const world = new World(pools, { ...group, 't1/other': free });
    world.begin('t1/one');
    expect(world.pass('t1/two')).toBe('192.0.2.0 198.51.100.0 a moving, moving');
    const taken = { ...sharing('TCP/81'), ingress: ['198.51.100.0'] };
    const busy = new World(pools, { ...group, 't1/other': taken });
    busy.begin('t1/one');
    expect(busy.pass('t1/one')).toBe('192.0.2.0 198.51.100.1 a moving, moving');
  });

  it('follow those of them who are on their way already', () => {
    const underWay = { ...sharing('TCP/80'), ingress: ['192.0.2.0', '198.51.100.3'] };
    const world = new World(away, { 't1/one': underWay, 't1/two': sharing('TCP/81') });
    expect([...leavers(world.ledger)]).toEqual(['t1/two']);
    expect(world.begin('t1/two')).toEqual(['t1/one', 't1/two']);
    expect(world.pass('t1/two')).toBe('192.0.2.0 198.51.100.3 a moving, moving');
  });

  it('stay when no single address could replace what they have', () => {
    const pools: Pools = {
      a: { addresses: ['192.0.2.0/30', '2001:db8::/126'], moving: ['192.0.2.0/30'] },
      b: { addresses: ['198.51.100.0/30', '2001:db8:1::/126'] },
    };
    const pair = (port: string, v4: string): ServiceSketch => ({
      ...both(v4, '2001:db8::'),
      annotations: { [SHARE]: 'k' },
      ports: [port],
    });
    const world = new World(pools, {
      't1/one': pair('TCP/80', '192.0.2.0'),
      't1/two': pair('TCP/81', '192.0.2.1'),
    });
    expect(world.begin('t1/one')).toBe(
      'it shares addresses with t1/two, which have more than one of a family together',
    );
  });
});

describe('in the middle of a move', () => {
  const midway = (pools: Pools = away) => {
    const world = new World(pools, { 't1/one': holding('192.0.2.0') });
    world.begin('t1/one');
    world.pass('t1/one');
    return world;
  };

  it('a restart goes on, also when the status was never written', () => {
    const { services } = midway();
    const again = new World(away, Object.fromEntries(services));
    expect(again.ledger.claimOf('t1/one')).toMatchObject({ pool: 'a', next: { pool: 'b' } });
    expect(again.pass('t1/one')).toBe('192.0.2.0 198.51.100.0 a moving');
    const unwritten = new World(away, { 't1/one': holding('192.0.2.0') });
    expect([...leavers(unwritten.ledger)]).toEqual(['t1/one']);
  });

  it('it ends where it began when the range no longer moves, also after a restart', () => {
    const world = midway();
    const calm: Pools = { a: { addresses: ['192.0.2.0/30'] }, b: { addresses: ['198.51.100.0/30'] } };
    const again = new World(calm, Object.fromEntries(world.services));
    expect(again.ledger.claimOf('t1/one')?.next).toBeUndefined();
    expect(again.pass('t1/one', OVERLAPPED)).toBe('192.0.2.0 a kept, move-undone');
    world.ledger.reconfigure(configOf(calm));
    expect(world.pass('t1/one', OVERLAPPED)).toBe('192.0.2.0 a kept, move-undone');
    expect(world.ledger.counters('b')).toMatchObject({ assignedIPv4: 0n });
    expect(world.pass('t1/one')).toBe('192.0.2.0 a kept');
  });

  it('it ends at once on the side that is left when a pool loses the other', () => {
    const gone = midway();
    gone.ledger.reconfigure(configOf({ b: { addresses: ['198.51.100.0/30'] } }));
    expect(gone.pass('t1/one')).toBe('198.51.100.0 b moved, moved');
    const back = midway();
    back.ledger.reconfigure(configOf({ a: { addresses: ['192.0.2.0/30'], moving: ['192.0.2.0/30'] } }));
    expect(back.pass('t1/one')).toBe('192.0.2.0 a kept, move-undone');
    expect([...leavers(back.ledger)]).toEqual(['t1/one']);
    const neither = midway();
    expect(neither.ledger.reconfigure(configOf({ c: { addresses: ['203.0.113.0/30'] } })).released).toEqual([
      't1/one',
    ]);
    expect(neither.pass('t1/one')).toBe('203.0.113.0 c open-pool, cleared, allocated');
  });

  it.each<[string, ServiceSketch, string]>([
    ['the old address', { annotations: { [LBIPS]: '192.0.2.0' } }, '192.0.2.0 a kept, move-undone'],
    ['the new address', { annotations: { [LBIPS]: '198.51.100.0' } }, '192.0.2.0 198.51.100.0 a moving'],
    [
      'a third one',
      { annotations: { [LBIPS]: '198.51.100.2' } },
      '198.51.100.2 b requested-address, move-undone, allocated',
    ],
    ['its old pool', { annotations: { [POOL]: 'a' } }, '192.0.2.0 a kept, move-undone'],
    ['its new pool', { annotations: { [POOL]: 'b' } }, '192.0.2.0 198.51.100.0 a moving'],
    ['nonsense', { annotations: { [LBIPS]: 'web' } }, '192.0.2.0 198.51.100.0 a moving'],
    ['another port', { ports: ['TCP/443'] }, '192.0.2.0 198.51.100.0 a moving'],
    ['to be a ClusterIP', { type: 'ClusterIP' }, 'none'],
    ['IPv6', { clusterIPs: ['fd00::9'] }, 'no-room, not-allocated'],
  ])('the Service may ask for %s', (_, sketch, result) => {
    const world = midway();
    world.change('t1/one', sketch);
    expect(world.pass('t1/one')).toBe(result);
  });

  it('a status that somebody wiped is answered as ever', () => {
    const world = midway();
    world.change('t1/one', holding());
    expect(world.pass('t1/one')).toBe('198.51.100.0 b open-pool, allocated');
  });

  it('its new address may be shared by others, its old one not', () => {
    const world = new World(away, {
      't1/one': { ...holding('192.0.2.0'), annotations: { [SHARE]: 'k' } },
    });
    world.begin('t1/one');
    world.pass('t1/one');
    world.change('t1/two', { annotations: { [SHARE]: 'k' }, ports: ['TCP/81'] });
    expect(world.pass('t1/two')).toBe('198.51.100.0 b open-pool, allocated');
  });
});

describe('two addresses of one family outside a move', () => {
  it('are cleared, as ever', () => {
    const world = new World(
      { a: { addresses: ['192.0.2.0/30'] } },
      { 't1/one': holding('192.0.2.1', '192.0.2.2') },
    );
    expect(world.pass('t1/one')).toBe('192.0.2.0 a open-pool, unknown-address-family, allocated');
  });
  it('are cleared in a moving range when both lie there', () => {
    const world = new World(away, { 't1/one': holding('192.0.2.1', '192.0.2.2') });
    expect(world.pass('t1/one')).toBe('198.51.100.0 b open-pool, unknown-address-family, allocated');
  });
  it('are cleared when there are three of them', () => {
    const three = holding('192.0.2.1', '198.51.100.0', '198.51.100.1');
    expect(new World(away, { 't1/one': three }).pass('t1/one')).toBe(
      '198.51.100.0 b open-pool, unknown-address-family, allocated',
    );
  });
});
