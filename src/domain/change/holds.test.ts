import { describe, expect, it } from 'vitest';
import { FROM, RECONCILE } from '../api/annotations.ts';
import { openContent } from '../desired/object.ts';
import {
  carriedOut,
  changeOf,
  inputOf,
  judged,
  live,
  node,
  type Sketch,
  service,
  stepTexts,
  writeTexts,
} from './change.rig.ts';
import { judge } from './judge.ts';
import type { Judged } from './model.ts';

const L2 = { l2Advertisements: { all: {} } };
const web = (...addresses: string[]) => ({ web: { addresses } });
const pools = (map: object) => ({ pools: map, ...L2 });
const five = service('shop/web', '192.0.2.5');

/** The addresses that each write gives a pool. */
function addressesOf({ plan }: Judged): (readonly [string, unknown])[] {
  return plan.stages.flat().flatMap((write) => {
    if (write.verb === 'delete') return [];
    const { spec } = openContent(write.object.content);
    return [[write.object.name, (spec as { addresses?: unknown }).addresses] as const];
  });
}

describe('only what hurts is held', () => {
  it('keeps the pool in use, and does the rest of the commit', () => {
    const r = judged({
      from: pools({ ...web('192.0.2.0/28'), idle: { addresses: ['198.51.100.0/28'] } }),
      to: pools({ fresh: { addresses: ['203.0.113.0/28'] } }),
      services: [five],
    });
    expect(stepTexts(r)).toEqual([
      'create IPAddressPool fresh: ready',
      'delete IPAddressPool idle: ready',
      'delete IPAddressPool web: held',
    ]);
    expect(writeTexts(r)).toEqual([['create IPAddressPool fresh'], ['delete IPAddressPool idle']]);
  });

  it('keeps one range of a pool, and takes away and adds the others', () => {
    const r = judged({
      from: pools(web('192.0.2.0/29', '192.0.2.8/29')),
      to: pools(web('198.51.100.0/29')),
      services: [five],
    });
    expect(addressesOf(r)).toEqual([['web', ['198.51.100.0/29', '192.0.2.0/29']]]);
    expect(changeOf(r).steps).toMatchObject([
      {
        state: 'ready',
        changes: ['spec.addresses: 192.0.2.8/29 removed', 'spec.addresses: 198.51.100.0/29 added'],
        affected: [],
      },
      {
        state: 'held',
        changes: ['spec.addresses: 192.0.2.0/29 removed'],
        because: 'policy hold',
        affected: [{ service: 'shop/web', fate: 'moves' }],
      },
    ]);
  });

  it('keeps the whole range of which a part would go, and not the half that would be left', () => {
    const r = judged({
      from: pools(web('192.0.2.0/28')),
      to: pools(web('192.0.2.8/29')),
      services: [five],
    });
    expect(writeTexts(r)).toEqual([]);
    expect(changeOf(r).steps).toMatchObject([
      {
        state: 'held',
        changes: ['spec.addresses: 192.0.2.0/28 removed', 'spec.addresses: 192.0.2.8/29 added'],
      },
    ]);
  });

  it('keeps who may use a pool, and changes its ranges', () => {
    const r = judged({
      from: pools(web('192.0.2.0/28')),
      to: pools({
        web: { addresses: ['192.0.2.0/28', '198.51.100.0/28'], serviceAllocation: { namespaces: ['bank'] } },
      }),
      services: [five],
    });
    expect(changeOf(r).steps).toMatchObject([
      { state: 'ready', changes: ['spec.addresses: 198.51.100.0/28 added'] },
      { state: 'held', changes: ['spec.serviceAllocation.namespaces: bank added'] },
    ]);
  });

  it('keeps a new pool back that needs what is held, and says for what it waits', () => {
    const closed = { addresses: ['192.0.2.0/28'], serviceAllocation: { namespaces: ['bank'] } };
    const r = judged({
      from: pools(web('192.0.2.0/28')),
      to: pools({ bank: closed }),
      services: [five],
    });
    expect(changeOf(r).steps).toMatchObject([
      {
        object: 'IPAddressPool bank',
        state: 'held',
        because: 'shares addresses with IPAddressPool web, which stays as it is',
        affected: [],
      },
      { object: 'IPAddressPool web', state: 'held', because: 'policy hold', affected: [{ fate: 'loses' }] },
    ]);
  });

  it('keeps what a peer that stays refers to', () => {
    const peer = { myASN: 1, peerASN: 2, peerAddress: '203.0.113.1', bfdProfile: 'f', password: 'p' };
    const r = judged({
      from: {
        pools: web('192.0.2.0/28'),
        bgpAdvertisements: { all: {} },
        bgpPeers: { t: peer },
        bfdProfiles: { f: {} },
      },
      to: { pools: web('192.0.2.0/28'), bgpAdvertisements: { all: {} } },
      services: [five],
    });
    expect(writeTexts(r)).toEqual([]);
    expect(changeOf(r).steps.map((s) => [s.object, s.because])).toEqual([
      ['BFDProfile f', 'BGPPeer t refers to it'],
      ['Secret herald-peer-t', 'BGPPeer t refers to it'],
      ['BGPPeer t', 'policy hold'],
    ]);
  });

  it('holds one of two changes that hurt only together, and which one is no matter of their order', () => {
    // Each of the two advertisements would do.
    const both = { pools: web('192.0.2.0/28'), l2Advertisements: { a: {}, b: {} } };
    const r = judged({ from: both, to: { pools: web('192.0.2.0/28') }, services: [five] });
    expect(stepTexts(r)).toEqual(['delete L2Advertisement a: held', 'delete L2Advertisement b: ready']);
    const turned = inputOf({ from: both, to: { pools: web('192.0.2.0/28') }, services: [five] });
    expect(judge({ ...turned, live: turned.live.toReversed() }).changes).toEqual(r.changes);
  });

  it('comes to the same cluster as two commits of which the first holds the safe part alone', () => {
    const from = pools({ ...web('192.0.2.0/29', '192.0.2.8/29'), idle: { addresses: ['198.51.100.0/28'] } });
    const to = pools({ ...web('203.0.113.0/29'), fresh: { addresses: ['198.51.100.0/29'] } });
    const safe = pools({
      ...web('203.0.113.0/29', '192.0.2.0/29'),
      fresh: { addresses: ['198.51.100.0/29'] },
    });
    const shape = (sketch: Sketch) => {
      const input = inputOf({ ...sketch, services: [five] });
      return carriedOut(input.live, judge(input))
        .map((o) => JSON.stringify([o.metadata.name, openContent(o.content)]))
        .toSorted();
    };
    expect(shape({ from, to })).toEqual(shape({ from, to: safe }));
  });

  it('goes on when the last Service has left, without a new commit', () => {
    const sketch = { from: pools(web('192.0.2.0/28')), to: L2 };
    expect(writeTexts(judged({ ...sketch, services: [five] }))).toEqual([]);
    expect(writeTexts(judged(sketch))).toEqual([['delete IPAddressPool web']]);
  });
});

describe('objects of others', () => {
  const foreign = (values: object) =>
    live(values).map((o) => ({ ...o, metadata: { ...o.metadata, labels: {}, annotations: {} } }));

  it('are never removed, and what they cover is not lost', () => {
    // Nobody takes a set with overlaps: their pool counts where ours goes.
    const r = judged({
      live: [
        ...foreign(pools({ theirs: { addresses: ['192.0.2.0/28'] } })),
        ...live({ pools: web('192.0.2.0/28') }),
      ],
      to: {},
      services: [five],
    });
    expect(r.affected).toEqual([]);
    expect(writeTexts(r)).toEqual([['delete IPAddressPool web']]);
  });

  it('announce for ours: an advertisement of theirs is enough', () => {
    const r = judged({
      live: [...foreign({ l2Advertisements: { theirs: {} } }), ...live(pools(web('192.0.2.0/28')))],
      to: { pools: web('192.0.2.0/28') },
      services: [five],
    });
    expect(r.affected).toEqual([]);
    expect(writeTexts(r)).toEqual([['delete L2Advertisement all']]);
  });

  it('silence those who share: an advertisement of ours with serviceSelectors does so beside theirs', () => {
    const shared = service('shop/web', '192.0.2.5', {
      labels: { app: 'x' },
      annotations: { 'metallb.io/allow-shared-ip': 'k' },
    });
    const r = judged({
      live: [...foreign({ l2Advertisements: { theirs: {} } }), ...live({ pools: web('192.0.2.0/28') })],
      to: {
        pools: web('192.0.2.0/28'),
        l2Advertisements: { x: { serviceSelectors: [{ matchLabels: { app: 'x' } }] } },
      },
      services: [shared],
    });
    expect(stepTexts(r)).toEqual(['create L2Advertisement x: held']);
  });
});

describe('drift and what is to be left alone', () => {
  it('holds the repair of a pool that grew by hand, and of nobody else', () => {
    const r = judged({
      live: live(pools(web('192.0.2.0/28', '198.51.100.0/28'))),
      to: pools(web('192.0.2.0/28')),
      services: [service('shop/web', '198.51.100.1')],
    });
    expect(stepTexts(r)).toEqual(['update IPAddressPool web: held']);
  });

  it('leaves an annotated object alone, and makes nothing wait for it', () => {
    const alone = live(pools(web('192.0.2.0/28'))).map((o) => ({
      ...o,
      metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, [RECONCILE]: 'disabled' } },
    }));
    const r = judged({ live: alone, to: {}, services: [five] });
    expect(stepTexts(r)).toEqual([
      'delete IPAddressPool web: skipped',
      'delete L2Advertisement all: skipped',
    ]);
    expect(r.affected).toEqual([]);
    expect(changeOf(r).digest).toBe('');
  });

  it('says where what goes stood last', () => {
    const [pool] = live({ pools: web('192.0.2.0/28') });
    expect(pool?.metadata.annotations[FROM]).toBe('herald#pools.web');
    const r = judged({ from: { pools: web('192.0.2.0/28') }, to: {} });
    expect(changeOf(r).steps).toMatchObject([
      {
        path: 'pools.web',
        changes: [
          'spec.addresses: 192.0.2.0/28 removed',
          'spec.autoAssign: true removed',
          'spec.avoidBuggyIPs: false removed',
        ],
      },
    ]);
  });
});

describe('nodes', () => {
  const zone = (z: string) => ({
    pools: web('192.0.2.0/28'),
    l2Advertisements: { all: { nodeSelectors: [{ matchLabels: { zone: z } }] } },
  });
  const change = (nodes: Sketch['nodes']) =>
    stepTexts(judged({ from: zone('x'), to: zone('y'), services: [five], ...(nodes && { nodes }) }));
  const x = node('a', { zone: 'x' });

  it.each([
    ['there is a node for the announcement afterwards', [x, node('b', { zone: 'y' })], 'ready'],
    ['there is none', [x], 'held'],
    ['the only one is not ready', [x, node('b', { zone: 'y' }, false)], 'held'],
    [
      'the only one is kept from load balancers',
      [x, node('b', { zone: 'y', 'node.kubernetes.io/exclude-from-external-load-balancers': '' })],
      'held',
    ],
    ['none was ready before', [node('a', { zone: 'x' }, false), node('b', { zone: 'y' }, false)], 'ready'],
    ['nobody announced it before', [node('b', { zone: 'y' })], 'ready'],
  ])('%s', (_name, nodes, state) => {
    expect(change(nodes)).toEqual([`update L2Advertisement all: ${state}`]);
  });
});
