import { describe, expect, it } from 'vitest';
import {
  fateTexts,
  judged,
  live,
  namespace,
  node,
  type Sketch,
  service,
  stepTexts,
  writeTexts,
} from './change.rig.ts';

const WEB = { addresses: ['192.0.2.0/28'] };
const L2 = { l2Advertisements: { all: {} } };
const BGP = {
  bgpAdvertisements: { all: {} },
  bgpPeers: { t: { myASN: 64512, peerASN: 64513, peerAddress: '203.0.113.1' } },
};
const five = service('shop/web', '192.0.2.5');

/** A change, what becomes of whom and why, and the steps that wait. */
type Row = readonly [
  name: string,
  change: Sketch,
  affected: readonly (readonly [fate: string, reason: string])[],
  waits: readonly string[],
];

function check([, sketch, affected, waits]: Row): void {
  const result = judged(sketch);
  expect(result.affected.map((a) => [`${a.service} ${a.fate}`, a.reason])).toEqual(affected);
  expect(stepTexts(result).filter((text) => !text.endsWith(': ready'))).toEqual(waits);
}

describe('an address that no pool gives any more', () => {
  const rows: readonly Row[] = [
    [
      'its pool goes, and there is no other',
      { from: { pools: { web: WEB }, ...L2 }, to: L2, services: [five] },
      [['shop/web loses', '192.0.2.5 is no longer in pool "web"']],
      ['delete IPAddressPool web: held'],
    ],
    [
      'its pool goes, and another one has room',
      {
        from: { pools: { web: WEB, more: { addresses: ['198.51.100.0/28'] } }, ...L2 },
        to: { pools: { more: { addresses: ['198.51.100.0/28'] } }, ...L2 },
        services: [five],
      },
      [['shop/web moves', '192.0.2.5 is no longer in pool "web"']],
      ['delete IPAddressPool web: held'],
    ],
    [
      'its pool goes, and another one does not give by itself',
      {
        from: { pools: { web: WEB, more: { addresses: ['198.51.100.0/28'], autoAssign: false } }, ...L2 },
        to: { pools: { more: { addresses: ['198.51.100.0/28'], autoAssign: false } }, ...L2 },
        services: [five],
      },
      [['shop/web loses', '192.0.2.5 is no longer in pool "web"']],
      ['delete IPAddressPool web: held'],
    ],
    [
      'two Services leave, and the other pool has room for one of them',
      {
        from: { pools: { web: WEB, more: { addresses: ['198.51.100.1/32'] } }, ...L2 },
        to: { pools: { more: { addresses: ['198.51.100.1/32'] } }, ...L2 },
        services: [five, service('shop/api', '192.0.2.6')],
      },
      [
        ['shop/api moves', '192.0.2.6 is no longer in pool "web"'],
        ['shop/web loses', '192.0.2.5 is no longer in pool "web"'],
      ],
      ['delete IPAddressPool web: held'],
    ],
    [
      'its range shrinks to the other half',
      {
        from: { pools: { web: WEB }, ...L2 },
        to: { pools: { web: { addresses: ['192.0.2.8/29'] } }, ...L2 },
        services: [five],
      },
      [['shop/web moves', '192.0.2.5 is no longer in pool "web"']],
      ['update IPAddressPool web: held'],
    ],
    [
      'one half of a Service with both families goes, and both addresses with it',
      {
        from: { pools: { web: { addresses: ['192.0.2.0/28', '2001:db8::/124'] } }, ...L2 },
        to: { pools: { web: WEB }, ...L2 },
        services: [service('shop/web', ['192.0.2.5', '2001:db8::5'])],
      },
      [['shop/web loses', '192.0.2.5 and 2001:db8::5 are no longer both in pool "web"']],
      ['update IPAddressPool web: held'],
    ],
    [
      'the halves of a Service with both families come to different pools',
      {
        from: { pools: { web: { addresses: ['192.0.2.0/28', '2001:db8::/124'] } }, ...L2 },
        to: { pools: { web: WEB, six: { addresses: ['2001:db8::/124'] } }, ...L2 },
        services: [service('shop/web', ['192.0.2.5', '2001:db8::5'])],
      },
      [['shop/web loses', '192.0.2.5 and 2001:db8::5 would be in different pools']],
      ['create IPAddressPool six: held', 'update IPAddressPool web: held'],
    ],
    [
      'two Services share it',
      {
        from: { pools: { web: WEB }, ...L2 },
        to: L2,
        services: ['shop/tcp', 'shop/udp'].map((key, i) =>
          service(key, '192.0.2.5', {
            annotations: { 'metallb.io/allow-shared-ip': 'k' },
            spec: { ports: [{ port: 80 + i }] },
          }),
        ),
      },
      [
        ['shop/tcp loses', '192.0.2.5 is no longer in pool "web"'],
        ['shop/udp loses', '192.0.2.5 is no longer in pool "web"'],
      ],
      ['delete IPAddressPool web: held'],
    ],
  ];
  it.each(rows)('%s', (...row) => check(row));
});

describe('an address that its pool keeps, and the Service may not', () => {
  const shop = namespace('shop', { team: 'a' });
  const web = (more: object) => ({ pools: { web: { ...WEB, ...more } }, ...L2 });
  const rows: readonly Row[] = [
    [
      'namespaces without its own',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaces: ['bank'] } }),
        services: [five],
        namespaces: [shop],
      },
      [['shop/web loses', 'pool "web" would not be for this Service (serviceAllocation)']],
      ['update IPAddressPool web: held'],
    ],
    [
      'namespaces with its own',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaces: ['shop'] } }),
        services: [five],
        namespaces: [shop],
      },
      [],
      [],
    ],
    [
      'selectors of namespaces that match another one',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: 'b' } }] } }),
        services: [five],
        namespaces: [shop, namespace('bank', { team: 'b' })],
      },
      [['shop/web loses', 'pool "web" would not be for this Service (serviceAllocation)']],
      ['update IPAddressPool web: held'],
    ],
    [
      'selectors of namespaces that match none, which keep nobody out',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: 'c' } }] } }),
        services: [five],
        namespaces: [shop],
      },
      [],
      [],
    ],
    [
      'selectors of Services that do not match',
      {
        from: web({}),
        to: web({ serviceAllocation: { serviceSelectors: [{ matchLabels: { app: 'other' } }] } }),
        services: [five],
      },
      [['shop/web loses', 'pool "web" would not be for this Service (serviceAllocation)']],
      ['update IPAddressPool web: held'],
    ],
    [
      'another priority, which moves nobody',
      { from: web({}), to: web({ serviceAllocation: { priority: 5 } }), services: [five] },
      [],
      [],
    ],
    [
      'autoAssign off, which moves nobody',
      { from: web({}), to: web({ autoAssign: false }), services: [five] },
      [],
      [],
    ],
    [
      'avoidBuggyIPs, for an address that ends in 0',
      { from: web({}), to: web({ avoidBuggyIPs: true }), services: [service('shop/web', '192.0.2.0')] },
      [['shop/web moves', 'pool "web" would avoid 192.0.2.0, as it ends in 0 or 255']],
      ['update IPAddressPool web: held'],
    ],
    [
      'avoidBuggyIPs, for another',
      { from: web({}), to: web({ avoidBuggyIPs: true }), services: [five] },
      [],
      [],
    ],
    [
      'a rename, for a Service that asks for the pool by name',
      {
        from: web({}),
        to: { pools: { www: WEB }, ...L2 },
        services: [service('shop/web', '192.0.2.5', { annotations: { 'metallb.io/address-pool': 'web' } })],
      },
      [['shop/web loses', 'it asks for pool "web", and 192.0.2.5 would be in pool "www"']],
      ['delete IPAddressPool web: held', 'create IPAddressPool www: held'],
    ],
  ];
  it.each(rows)('%s', (...row) => check(row));
});

describe('an address that is announced no more', () => {
  const [a, b] = [node('a', { zone: 'x' }), node('b', { zone: 'y' })];
  const of = (more: object) => ({ pools: { web: WEB }, ...more });
  const l2 = (spec: object) => of({ l2Advertisements: { all: spec } });
  const bgp = (ad: object, peer: object = {}) =>
    of({ bgpAdvertisements: { all: ad }, bgpPeers: { t: { ...BGP.bgpPeers.t, ...peer } } });
  const zone = (...names: string[]) => names.map((z) => ({ matchLabels: { zone: z } }));
  const base = { services: [five], nodes: [a, b] };
  const none = (protocol: string) =>
    [['shop/web unannounced', `no node would announce it by ${protocol} any more`]] as const;
  const L2_HELD = ['update L2Advertisement all: held'];
  const BGP_HELD = ['update BGPAdvertisement all: held'];
  const rows: readonly Row[] = [
    [
      'its only L2Advertisement goes',
      { ...base, from: l2({}), to: of({}) },
      none('layer 2'),
      ['delete L2Advertisement all: held'],
    ],
    [
      'its only BGPAdvertisement goes',
      { ...base, from: bgp({}), to: of({ bgpPeers: BGP.bgpPeers }) },
      none('BGP'),
      ['delete BGPAdvertisement all: held'],
    ],
    [
      'the last peer goes',
      { ...base, from: bgp({}), to: of({ bgpAdvertisements: { all: {} } }) },
      none('BGP'),
      ['delete BGPPeer t: held'],
    ],
    [
      'one of two peers goes',
      {
        ...base,
        from: {
          ...bgp({}),
          bgpPeers: { t: BGP.bgpPeers.t, u: { ...BGP.bgpPeers.t, peerAddress: '203.0.113.2' } },
        },
        to: bgp({}),
      },
      [],
      [],
    ],
    [
      'the advertisement is for a peer that there is not',
      { ...base, from: bgp({}), to: bgp({ peers: ['u'] }) },
      none('BGP'),
      BGP_HELD,
    ],
    [
      'the peer is for no node',
      { ...base, from: bgp({}), to: bgp({}, { nodeSelectors: zone('z') }) },
      none('BGP'),
      ['update BGPPeer t: held'],
    ],
    [
      'the advertisement selects another pool',
      { ...base, from: l2({}), to: l2({ ipAddressPools: ['other'] }) },
      none('layer 2'),
      L2_HELD,
    ],
    [
      'the pool loses the label that the advertisement selects',
      {
        ...base,
        from: {
          pools: { web: { ...WEB, labels: { tier: 'x' } } },
          l2Advertisements: { all: { ipAddressPoolSelectors: [{ matchLabels: { tier: 'x' } }] } },
        },
        to: {
          pools: { web: WEB },
          l2Advertisements: { all: { ipAddressPoolSelectors: [{ matchLabels: { tier: 'x' } }] } },
        },
      },
      none('layer 2'),
      ['update IPAddressPool web: held'],
    ],
    [
      'nodeSelectors without a node',
      { ...base, from: l2({}), to: l2({ nodeSelectors: zone('z') }) },
      none('layer 2'),
      L2_HELD,
    ],
    [
      'nodeSelectors with nodes that are not ready',
      {
        ...base,
        nodes: [a, node('b', { zone: 'y' }, false)],
        from: l2({}),
        to: l2({ nodeSelectors: zone('y') }),
      },
      [['shop/web unannounced', 'only nodes that are not ready would announce it by layer 2']],
      L2_HELD,
    ],
    [
      'fewer nodes, for local endpoints',
      {
        ...base,
        services: [service('shop/web', '192.0.2.5', { spec: { externalTrafficPolicy: 'Local' } })],
        from: l2({}),
        to: l2({ nodeSelectors: zone('x') }),
      },
      [
        [
          'shop/web unannounced',
          'its externalTrafficPolicy is Local, and b would not announce it by layer 2 any more',
        ],
      ],
      L2_HELD,
    ],
    [
      'serviceSelectors that do not match it',
      { ...base, from: l2({}), to: l2({ serviceSelectors: [{ matchLabels: { app: 'x' } }] }) },
      none('layer 2'),
      L2_HELD,
    ],
    [
      'serviceSelectors that match it, while it shares its address',
      {
        ...base,
        services: [
          service('shop/web', '192.0.2.5', {
            labels: { app: 'x' },
            annotations: { 'metallb.io/allow-shared-ip': 'k' },
          }),
        ],
        from: l2({}),
        to: l2({ serviceSelectors: [{ matchLabels: { app: 'x' } }] }),
      },
      [
        [
          'shop/web unannounced',
          'it shares its address, and L2Advertisement "all" with serviceSelectors would silence it',
        ],
      ],
      L2_HELD,
    ],
    [
      'another interface',
      { ...base, from: l2({ interfaces: ['eth0'] }), to: l2({ interfaces: ['eth1'] }) },
      [['shop/web unannounced', 'a would no longer announce it on eth0']],
      L2_HELD,
    ],
    [
      'one interface in place of all',
      { ...base, from: l2({}), to: l2({ interfaces: ['eth0'] }) },
      [['shop/web unannounced', 'a would announce it on eth0 only']],
      L2_HELD,
    ],
    [
      'another interface of other nodes',
      {
        ...base,
        from: l2({ interfaces: ['eth0'], nodeSelectors: zone('x') }),
        to: l2({ interfaces: ['eth1'], nodeSelectors: zone('y') }),
      },
      [['shop/web unannounced', 'b would announce it on eth1 only']],
      L2_HELD,
    ],
    [
      'an advertisement beside it, for another node and one interface',
      {
        ...base,
        from: l2({ nodeSelectors: zone('x') }),
        to: of({
          l2Advertisements: {
            all: { nodeSelectors: zone('x') },
            more: { nodeSelectors: zone('y'), interfaces: ['eth0'] },
          },
        }),
      },
      // Which of the two announces is told, and is no loss. The order of their names decides here that it is not told either.
      [],
      [],
    ],
    [
      'one interface more',
      { ...base, from: l2({ interfaces: ['eth0'] }), to: l2({ interfaces: ['eth0', 'eth1'] }) },
      [],
      [],
    ],
    ['all interfaces', { ...base, from: l2({ interfaces: ['eth0'] }), to: l2({}) }, [], []],
    [
      'one protocol of two, while the other goes on',
      { ...base, from: of({ l2Advertisements: { all: {} }, ...BGP }), to: of(BGP) },
      none('layer 2'),
      ['delete L2Advertisement all: held'],
    ],
    [
      'one advertisement of two that say the same',
      { ...base, from: of({ l2Advertisements: { all: {}, again: {} } }), to: l2({}) },
      [],
      [],
    ],
  ];
  it.each(rows)('%s', (...row) => check(row));
});

describe('an address that another node announces', () => {
  it('is told, and never held', () => {
    const of = (zone: string) => ({
      pools: { web: WEB },
      l2Advertisements: { all: { nodeSelectors: [{ matchLabels: { zone } }] } },
    });
    const result = judged({
      from: of('x'),
      to: of('y'),
      services: [five],
      nodes: [node('a', { zone: 'x' }), node('b', { zone: 'y' })],
    });
    expect(result.affected).toEqual([
      {
        service: 'shop/web',
        addresses: ['192.0.2.5'],
        fate: 'changes-owner',
        reason: 'b would announce it instead of a, if both have endpoints for it',
      },
    ]);
    // The advertisement reaches both nodes before it lets go of the first.
    expect(writeTexts(result)).toEqual([['update L2Advertisement all'], ['update L2Advertisement all']]);
    expect(stepTexts(result)).toEqual(['update L2Advertisement all: ready']);
  });
});

describe('who is not concerned', () => {
  const gone = { from: { pools: { web: WEB }, ...L2 }, to: L2 };
  const rows: readonly Row[] = [
    ['a Service without an address', { ...gone, services: [service('shop/web', [])] }, [], []],
    ['one whose address is in no pool', { ...gone, services: [service('shop/web', '198.51.100.1')] }, [], []],
    [
      'one that is of another type now',
      { ...gone, services: [service('shop/web', '192.0.2.5', { spec: { type: 'ClusterIP' } })] },
      [],
      [],
    ],
    [
      'one that may not use the pool as it is',
      {
        from: { pools: { web: { ...WEB, serviceAllocation: { namespaces: ['bank'] } } }, ...L2 },
        to: L2,
        services: [five],
      },
      [],
      [],
    ],
    [
      'one whose pool was announced by nothing before',
      {
        from: { pools: { web: WEB }, l2Advertisements: { l: { ipAddressPools: ['other'] } } },
        to: { pools: { web: WEB } },
        services: [five],
      },
      [],
      [],
    ],
    // A Service of another class is not in the scene at all; who looks there leaves it out.
    ['nobody', { ...gone, services: [] }, [], []],
  ];
  it.each(rows)('%s', (...row) => check(row));

  it('one whose address is in a pool of other people, which nobody changes', () => {
    const theirs = live({ pools: { theirs: { addresses: ['198.51.100.0/28'] } } }).map((o) => ({
      ...o,
      metadata: { ...o.metadata, labels: {}, annotations: {} },
    }));
    const result = judged({
      live: [...theirs, ...live({ pools: { web: WEB }, ...L2 })],
      to: L2,
      services: [service('shop/web', '198.51.100.1')],
    });
    expect(fateTexts(result.affected)).toEqual([]);
    expect(writeTexts(result)).toEqual([['delete IPAddressPool web']]);
  });
});
