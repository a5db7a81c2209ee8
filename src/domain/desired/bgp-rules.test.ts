import { describe, expect, it } from 'vitest';
import type { BgpBackEnd } from './bgp-set.ts';
import { build } from './build.ts';
import { readers, rendered, source, TARGET } from './desired.rig.ts';
import { settle } from './settle.ts';

const found = (values: object, o: { bgp?: BgpBackEnd; secret?: boolean } = {}) =>
  build(source(values, { secret: o.secret ?? true }), { ...TARGET, ...(o.bgp && { bgp: o.bgp }) }).problems;
const told = (values: object, bgp?: BgpBackEnd) =>
  found(values, bgp ? { bgp } : {}).map((p) => [p.code, p.severity ?? 'error', p.path]);

const PEER = { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' };
const SECOND = { ...PEER, peerAddress: '192.0.2.2' };
const pools = (...addresses: string[]) => ({ web: { addresses } });
const RACK = [{ matchLabels: { rack: 'a' } }];
const OTHER_RACK = [{ matchLabels: { rack: 'b' } }];

describe('aggregation', () => {
  const rows: readonly (readonly [string, object, string[], readonly string[]])[] = [
    ['as long as the block', { aggregationLength: 28 }, ['192.0.2.0/28'], []],
    ['longer than the block', { aggregationLength: 30 }, ['192.0.2.0/28'], []],
    ['shorter than the block', { aggregationLength: 26 }, ['192.0.2.0/28'], ['aggregationLength']],
    ['a range whose widest block is a /25', { aggregationLength: 25 }, ['10.0.0.0-10.0.0.199'], []],
    [
      'one bit more than that block',
      { aggregationLength: 24 },
      ['10.0.0.0-10.0.0.199'],
      ['aggregationLength'],
    ],
    [
      'the narrowest of several entries',
      { aggregationLength: 24 },
      ['10.0.0.0/24', '10.0.1.0/32'],
      ['aggregationLength'],
    ],
    ['IPv4 alone says nothing of IPv6', { aggregationLengthV6: 64 }, ['192.0.2.0/28'], []],
    ['IPv6 by its own length', { aggregationLengthV6: 63 }, ['2001:db8::/64'], ['aggregationLengthV6']],
  ];
  it.each(rows)('%s', (_what, fields, addresses, expected) => {
    const values = { pools: pools(...addresses), bgpAdvertisements: { a: fields } };
    const paths = told(values)
      .filter(([, severity]) => severity === 'error')
      .map(([, , path]) => path);
    expect(paths).toEqual(expected.map((field) => `bgpAdvertisements.a.${field}`));
  });

  it('is judged against the pools that the advertisement selects', () => {
    const values = (fields: object) => ({
      pools: {
        wide: { addresses: ['10.0.0.0/16'] },
        narrow: { addresses: ['10.1.0.0/28'], labels: { size: 'small' } },
      },
      bgpAdvertisements: { a: { aggregationLength: 24, ...fields } },
    });
    expect(told(values({ ipAddressPools: ['wide'] }))).toEqual([]);
    expect(told(values({}))).toHaveLength(1);
    expect(told(values({ ipAddressPoolSelectors: [{ matchLabels: { size: 'small' } }] }))).toHaveLength(1);
  });

  it('says the lengths only where the values may be told', () => {
    const values = { pools: pools('192.0.2.0/28'), bgpAdvertisements: { a: { aggregationLength: 26 } } };
    expect(found(values)[0]?.message).toBe(
      'makes a prefix that is wider than the range pools.web.addresses[0]',
    );
    expect(found(values, { secret: false })[0]?.message).toBe(
      '/26 is wider than 192.0.2.0/28 of pools.web.addresses[0], which takes /28 or longer',
    );
  });
});

describe('two advertisements of one pool', () => {
  const clash = (a: object, b: object, addresses = ['192.0.2.0/24']) =>
    told({ pools: pools(...addresses), bgpAdvertisements: { a, b } })
      .filter(([, severity]) => severity === 'error')
      .map(([code, , path]) => `${code} ${path}`);
  const CLASH = ['LocalPrefClash bgpAdvertisements.b.localPref'];

  it.each<[string, object, object, string[]]>([
    ['with one preference', { localPref: 100 }, { localPref: 100 }, []],
    ['where absent means 0', { localPref: 0 }, {}, []],
    ['with two preferences', { localPref: 100 }, {}, CLASH],
    ['with other lengths', { localPref: 100, aggregationLength: 24 }, {}, []],
    ['to peers of their own', { localPref: 100, peers: ['x'] }, { peers: ['y'] }, []],
    ['with one peer in common', { localPref: 100, peers: ['x', 'y'] }, { peers: ['y'] }, CLASH],
    ['to all peers and to one', { localPref: 100, peers: [] }, { peers: ['y'] }, CLASH],
    ['from the same nodes', { localPref: 100, nodeSelectors: RACK }, { nodeSelectors: RACK }, CLASH],
    [
      'from nodes that may differ',
      { localPref: 100, nodeSelectors: RACK },
      { nodeSelectors: OTHER_RACK },
      [],
    ],
    ['from all nodes and from some', { localPref: 100 }, { nodeSelectors: RACK }, CLASH],
    [
      'from nodes that an empty selector takes',
      { localPref: 100, nodeSelectors: [{}] },
      { nodeSelectors: RACK },
      CLASH,
    ],
    ['for chosen Services', { localPref: 100, serviceSelectors: [{}] }, {}, []],
  ])('%s', (_what, a, b, expected) => expect(clash(a, b)).toEqual(expected));

  it('differ in a family that the pool has', () => {
    const a = { localPref: 100, aggregationLength: 24 };
    expect(clash(a, {}, ['192.0.2.0/24', '2001:db8::/64'])).toEqual(CLASH);
    expect(clash({ ...a, aggregationLengthV6: 64 }, {}, ['192.0.2.0/24', '2001:db8::/64'])).toEqual([]);
  });

  it('name each other, and the mend', () => {
    const values = { pools: pools('192.0.2.0/24'), bgpAdvertisements: { a: { localPref: 1 }, b: {} } };
    expect(found(values)[0]).toMatchObject({
      object: 'BGPAdvertisement b',
      message:
        'differs from bgpAdvertisements.a.localPref, and both announce the same addresses to the same peers',
      hint: expect.stringContaining('peers of their own'),
    });
  });
});

describe('communities', () => {
  const aliases = (...communities: object[]) => ({ communities: { c: { communities } } });
  it.each<[string, object, readonly (readonly string[])[]]>([
    ['two numbers', aliases({ name: 'a', value: '65535:65281' }), []],
    [
      'a number beyond 16 bits',
      aliases({ name: 'a', value: '65536:1' }),
      [['CommunityInvalid', 'error', 'communities.c.communities[0].value']],
    ],
    [
      'three parts',
      aliases({ name: 'a', value: '1:2:3' }),
      [['CommunityInvalid', 'error', 'communities.c.communities[0].value']],
    ],
    [
      'a large one',
      aliases({ name: 'a', value: 'large:4200000000:1:2' }),
      [['NeedsFrr', 'warning', 'communities.c.communities[0].value']],
    ],
    [
      'an alias twice with one value',
      aliases({ name: 'a', value: '1:2' }, { name: 'a', value: '1:2' }),
      [['CommunityDuplicate', 'error', 'communities.c.communities[1].name']],
    ],
    [
      'an alias in two objects',
      {
        communities: {
          c: { communities: [{ name: 'a', value: '1:2' }] },
          d: { communities: [{ name: 'a', value: '1:3' }] },
        },
      },
      [['CommunityDuplicate', 'error', 'communities.d.communities[0].name']],
    ],
    ['an alias that nothing defines yet', { bgpAdvertisements: { a: { communities: ['later'] } } }, []],
    [
      'what is neither',
      { bgpAdvertisements: { a: { communities: ['1:2', '65536:1'] } } },
      [['CommunityInvalid', 'error', 'bgpAdvertisements.a.communities[1]']],
    ],
    [
      'one listed twice',
      { bgpAdvertisements: { a: { communities: ['x', 'x'] } } },
      [['NameDuplicate', 'error', 'bgpAdvertisements.a.communities[1]']],
    ],
  ])('%s', (_what, values, expected) => expect(told(values)).toEqual(expected));

  it('may be large under FRR', () => {
    expect(told(aliases({ name: 'a', value: 'large:4200000000:1:2' }), 'frr')).toEqual([]);
  });
});

describe('the native back end', () => {
  it.each<[string, object]>([
    ['bfdProfile', { bfdProfile: 'fast' }],
    ['keepaliveTime', { keepaliveTime: '10s' }],
    ['vrf', { vrf: 'red' }],
    ['connectTime', { connectTime: '5s' }],
    ['enableGracefulRestart', { enableGracefulRestart: true }],
    ['disableMP', { disableMP: true }],
    ['dualStackAddressFamily', { dualStackAddressFamily: true }],
    ['localASN', { localASN: 65000 }],
  ])('cannot do %s, which is told and does not stop', (field, more) => {
    const values = { bgpPeers: { tor: { ...PEER, ...more } } };
    expect(told(values)).toEqual([['NeedsFrr', 'warning', `bgpPeers.tor.${field}`]]);
    expect(rendered(values).objects).toHaveLength(1);
    expect(told(values, 'frr')).toEqual([]);
  });

  it('takes what says nothing', () => {
    const values = { bgpPeers: { tor: { ...PEER, keepaliveTime: '0s', disableMP: false, vrf: '' } } };
    expect(told(values)).toEqual([]);
  });

  it('can neither do BFD nor announce IPv6', () => {
    const values = {
      bfdProfiles: { fast: {} },
      pools: pools('192.0.2.0/24', '2001:db8::/64'),
      bgpAdvertisements: { a: {} },
    };
    expect(told(values)).toEqual([
      ['NeedsFrr', 'warning', 'bfdProfiles.fast'],
      ['NeedsFrr', 'warning', 'bgpAdvertisements.a'],
    ]);
    expect(told(values, 'frr')).toEqual([]);
  });
});

describe('peers under FRR', () => {
  it.each<[string, object, object, readonly string[]]>([
    ['that agree', {}, {}, []],
    ['with two router IDs', { routerID: '10.0.0.1' }, { routerID: '10.0.0.2' }, ['routerID']],
    ['of which one has a router ID', { routerID: '10.0.0.1' }, {}, ['routerID']],
    ['with two AS numbers', {}, { myASN: 64499 }, ['myASN']],
    ['with two AS numbers in two VRFs', {}, { myASN: 64499, vrf: 'red' }, []],
    ['with one address', {}, { peerAddress: '192.0.2.1' }, ['peerAddress']],
    ['with one address in two VRFs', {}, { peerAddress: '192.0.2.1', vrf: 'red' }, []],
    [
      'that may never share a node',
      { nodeSelectors: RACK },
      { nodeSelectors: OTHER_RACK, routerID: '10.0.0.1' },
      [],
    ],
    [
      'that share their nodes',
      { nodeSelectors: RACK },
      { nodeSelectors: RACK, routerID: '10.0.0.1' },
      ['routerID'],
    ],
  ])('%s', (_what, a, b, expected) => {
    const values = { bgpPeers: { a: { ...PEER, ...a }, b: { ...SECOND, ...b } } };
    expect(told(values, 'frr')).toEqual(
      expected.map((field) => ['PeersClash', 'error', `bgpPeers.b.${field}`]),
    );
    expect(told(values).filter(([code]) => code === 'PeersClash')).toEqual([]);
  });
});

describe('node selectors of a peer', () => {
  const nodes = (...nodeSelectors: object[]) => told({ bgpPeers: { tor: { ...PEER, nodeSelectors } } });
  it.each<[string, object[], readonly (readonly string[])[]]>([
    ['that differ', [{ matchLabels: { a: 'b' } }, {}], []],
    ['that exist', [{ matchExpressions: [{ key: 'a', operator: 'Exists', values: [] }] }], []],
    [
      'without the values that In needs',
      [{ matchExpressions: [{ key: 'a', operator: 'In' }] }],
      [['SelectorInvalid', 'error', 'bgpPeers.tor.nodeSelectors[0]']],
    ],
    [
      'that say one thing twice',
      [
        { matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'y'] }] },
        { matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x'] }] },
      ],
      [['SelectorDuplicate', 'error', 'bgpPeers.tor.nodeSelectors[1]']],
    ],
  ])('%s', (_what, selectors, expected) => expect(nodes(...selectors)).toEqual(expected));
});

describe('BFD echo', () => {
  const values = (peers: string[]) => ({
    bfdProfiles: { fast: { echoMode: true } },
    bgpPeers: { tor: { ...PEER, bfdProfile: 'fast' }, spine: SECOND },
    pools: pools('192.0.2.0/24', '2001:db8::/64'),
    bgpAdvertisements: { a: { peers } },
  });
  const echo = (peers: string[]) => told(values(peers), 'frr');

  it('cannot guard IPv6 that the peer is told', () => {
    const expected = [['EchoOverIPv6', 'error', 'bgpPeers.tor.bfdProfile']];
    expect(echo([])).toEqual(expected);
    expect(echo(['tor'])).toEqual(expected);
    expect(echo(['spine'])).toEqual([]);
  });
});

describe('objects of two sources', () => {
  const built = (name: string, values: object) => build(source(values, { name, title: name }), TARGET);
  const POOL = { pools: pools('192.0.2.0/24'), l2Advertisements: { all: {} } };
  const codes = (...sources: ReturnType<typeof built>[]) =>
    settle({ instance: 'herald', built: sources, live: [], check: readers }).verdicts.map((v) => [
      v.state,
      ...v.problems.filter((p) => p.severity !== 'warning').map((p) => `${p.code} ${p.path}`),
    ]);

  it('may not contradict each other', () => {
    const one = built('one', { ...POOL, bgpAdvertisements: { a: { localPref: 1 } } });
    const two = built('two', { bgpAdvertisements: { b: { localPref: 2 } } });
    expect(codes(one, two)).toEqual([
      ['accepted'],
      ['refused', 'LocalPrefClash bgpAdvertisements.b.localPref'],
    ]);
  });

  it('are blamed for aggregating what another source owns', () => {
    const one = built('one', { pools: pools('192.0.2.0/28'), l2Advertisements: { all: {} } });
    const two = built('two', { bgpAdvertisements: { b: { aggregationLength: 24 } } });
    expect(codes(one, two)).toEqual([
      ['accepted'],
      ['refused', 'AggregationInvalid bgpAdvertisements.b.aggregationLength'],
    ]);
  });

  it('are warned of names that nothing answers to', () => {
    const one = built('one', {
      ...POOL,
      bgpPeers: { tor: { ...PEER, bfdProfile: 'fast' } },
      bgpAdvertisements: { a: { peers: ['tor', 'spine'], communities: ['mine', 'theirs', '1:2'] } },
      communities: { c: { communities: [{ name: 'mine', value: '1:2' }] } },
    });
    const [verdict] = settle({ instance: 'herald', built: [one], live: [], check: readers }).verdicts;
    expect(verdict?.state).toBe('accepted');
    expect(verdict?.problems.map((p) => [p.code, p.severity, p.path])).toEqual([
      ['NeedsFrr', 'warning', 'bgpPeers.tor.bfdProfile'],
      ['UnknownBfdProfile', 'warning', 'bgpPeers.tor.bfdProfile'],
      ['UnknownPeer', 'warning', 'bgpAdvertisements.a.peers[1]'],
      ['UnknownCommunity', 'warning', 'bgpAdvertisements.a.communities[1]'],
    ]);
  });
});
