import { describe, expect, it } from 'vitest';
import { judged, node, outcomeOf, type Row, service, stepTexts, writeTexts } from './change.rig.ts';

const WEB = { addresses: ['192.0.2.0/28'] };
const BGP = {
  bgpAdvertisements: { all: {} },
  bgpPeers: { t: { myASN: 64512, peerASN: 64513, peerAddress: '203.0.113.1' } },
};
const five = service('shop/web', '192.0.2.5');

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
      // Were b to announce it, that would be told, and no loss; for this address a comes first.
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
  it.each(rows)('%s', (...row) => {
    expect(outcomeOf(row)).toEqual(row);
  });
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
        reason: 'b would announce it instead of a, if both have endpoints for it and no interface is lost',
      },
    ]);
    // The advertisement reaches both nodes before it lets go of the first.
    expect(writeTexts(result)).toEqual([['update L2Advertisement all'], ['update L2Advertisement all']]);
    expect(stepTexts(result)).toEqual(['update L2Advertisement all: ready']);
  });

  it.each([
    ['b', 'c'],
    ['c', 'b'],
  ])('is announced by none that is cordoned: %s', (cordoned, owner) => {
    const of = (zone: string) => ({
      pools: { web: WEB },
      l2Advertisements: { all: { nodeSelectors: [{ matchLabels: { zone } }] } },
    });
    const nodes = ['b', 'c'].map((name) => ({
      ...node(name, { zone: 'y' }),
      spec: { unschedulable: name === cordoned },
    }));
    const { affected } = judged({
      from: of('x'),
      to: of('y'),
      services: [five],
      nodes: [node('a', { zone: 'x' }), ...nodes],
    });
    expect(affected.map(({ reason }) => reason)).toEqual([
      `${owner} would announce it instead of a, if both have endpoints for it and no interface is lost`,
    ]);
  });
});
