import { describe, expect, it } from 'vitest';
import { rendered, TARGET } from './desired.rig.ts';
import { bodyOf, idOf, openContent } from './object.ts';
import { isError } from './source.ts';

const codes = (values: unknown, o = {}) => rendered(values, o).problems.map((p) => [p.code, p.path]);
const spec = (values: unknown, id: string) => {
  const object = rendered(values).objects.find((o) => idOf(o) === id);
  return object && openContent(object.content).spec;
};
const PEER = { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' };

describe('build', () => {
  it('writes out every default that the API server would fill in', () => {
    const values = {
      pools: { web: { addresses: ['192.0.2.0/28'] } },
      bgpAdvertisements: { all: {} },
      bgpPeers: { tor: PEER },
    };
    expect(spec(values, 'IPAddressPool web')).toEqual({
      addresses: ['192.0.2.0/28'],
      autoAssign: true,
      avoidBuggyIPs: false,
    });
    expect(spec(values, 'BGPAdvertisement all')).toEqual({ aggregationLength: 32, aggregationLengthV6: 128 });
    expect(spec(values, 'BGPPeer tor')).toEqual({
      ...PEER,
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
    });
  });

  it('keeps the spelling of ranges and large AS numbers as they are', () => {
    const values = {
      pools: { web: { addresses: ['2001:DB8:0::1 - 2001:db8::F', '192.0.2.5/28'] } },
      bgpPeers: { tor: { ...PEER, myASN: 4_200_000_000 } },
    };
    expect(spec(values, 'IPAddressPool web')).toMatchObject({
      addresses: ['2001:DB8:0::1 - 2001:db8::F', '192.0.2.5/28'],
    });
    expect(spec(values, 'BGPPeer tor')).toMatchObject({ myASN: 4_200_000_000 });
  });

  it('labels with the release, annotates with source and place, and lists what the entry added', () => {
    const values = {
      pools: {
        'a.b': {
          addresses: ['192.0.2.0/28'],
          labels: { team: 'x' },
          annotations: { 'herald.io/from': 'lie', n: 'y' },
        },
      },
    };
    const [pool] = rendered(values).objects;
    expect(pool?.labels).toEqual({ team: 'x', 'herald.io/instance': 'herald' });
    expect(pool?.annotations).toEqual({
      n: 'y',
      'herald.io/from': 'herald#pools["a.b"]',
      'herald.io/extra-metadata': 'annotation herald.io/from, annotation n, label team',
    });
  });

  it('is byte-identical for values that mean the same', () => {
    const one = {
      pools: { b: { addresses: ['192.0.2.0/28'] }, a: { addresses: ['192.0.2.16/28'], autoAssign: null } },
    };
    const other = {
      pools: {
        a: { autoAssign: true, addresses: ['192.0.2.16/28'] },
        b: { avoidBuggyIPs: false, addresses: ['192.0.2.0/28'] },
      },
      communities: null,
    };
    const bodies = (v: unknown) =>
      rendered(v)
        .objects.map((o) => bodyOf(o))
        .toSorted((a, b) => (JSON.stringify(a.metadata) < JSON.stringify(b.metadata) ? -1 : 1));
    expect(bodies(other)).toEqual(bodies(one));
  });

  it('puts a password into a sealed basic-auth Secret and a reference into the peer', () => {
    const { objects } = rendered({ bgpPeers: { tor: { ...PEER, password: 'hünter' } } });
    const secret = objects.find((o) => o.kind.kind === 'Secret');
    expect(secret?.name).toBe('herald-peer-tor');
    expect(secret && openContent(secret.content)).toEqual({
      type: 'kubernetes.io/basic-auth',
      data: { password: Buffer.from('hünter').toString('base64') },
    });
    expect(spec({ bgpPeers: { tor: { ...PEER, password: 'x' } } }, 'BGPPeer tor')).toMatchObject({
      passwordSecret: { name: 'herald-peer-tor', namespace: TARGET.namespace },
    });
    expect(JSON.stringify(objects)).not.toContain('hünter');
    expect(JSON.stringify(objects)).not.toContain(Buffer.from('hünter').toString('base64'));
  });

  it('takes an empty passwordSecret for none', () => {
    const values = { bgpPeers: { tor: { ...PEER, password: 'hunter2', passwordSecret: {} } } };
    expect(JSON.stringify(rendered(values).objects)).not.toContain('hunter2');
    expect(spec(values, 'BGPPeer tor')).toMatchObject({ passwordSecret: { name: 'herald-peer-tor' } });
  });

  it('renders nothing with one error, and tells all of them', () => {
    const built = rendered({
      pools: { a: { addresses: ['192.0.2.9-192.0.2.1', 'x', '{{ .range }}'] }, b: { addresses: [] } },
      bgpPeers: { tor: { myASN: 0 } },
    });
    expect(built.objects).toEqual([]);
    expect(built.problems.filter(isError).map((p) => [p.code, p.path])).toEqual([
      ['Unrendered', 'pools.a.addresses[2]'],
      ['PoolRangeInvalid', 'pools.a.addresses[0]'],
      ['PoolRangeInvalid', 'pools.a.addresses[1]'],
      ['PoolEmpty', 'pools.b.addresses'],
      ['PeerInvalid', 'bgpPeers.tor.myASN'],
      ['PeerInvalid', 'bgpPeers.tor.peerASN'],
      ['PeerInvalid', 'bgpPeers.tor.peerAddress'],
    ]);
  });

  it('tells a placeholder as one, wherever a field may hold it, and nothing else about it', () => {
    const built = rendered({
      pools: { a: { addresses: '$pools', autoAssign: '{{ .auto }}' }, b: { addresses: ['<RANGE>'] } },
      bgpPeers: { tor: { ...PEER, peerASN: '$peerasn', password: '$ecret' } },
      bgpAdvertisements: { x: { annotations: { note: '{{ .kept }}' } } },
    });
    expect(built.problems.map((p) => [p.code, p.path])).toEqual([
      ['Unrendered', 'bgpPeers.tor.peerASN'],
      ['Unrendered', 'pools.a.addresses'],
      ['Unrendered', 'pools.a.autoAssign'],
      ['Unrendered', 'pools.b.addresses[0]'],
    ]);
    const [first] = rendered({ pools: { a: { addresses: ['$pools'] } } }).problems;
    expect(first).toMatchObject({
      message: 'nothing has filled in the placeholder $pools',
      hint: expect.stringContaining('substitution') as string,
    });
  });

  it('repeats values only of sources that are not secret', () => {
    const values = {
      pools: { a: { addresses: ['192.0.2.9-192.0.2.1'] }, b: { addresses: ['10.0.0.0/8', '10.1.0.0/16'] } },
    };
    const text = (secret: boolean) =>
      rendered(values, { secret })
        .problems.map((p) => p.message)
        .join(' ');
    expect(text(true)).not.toMatch(/\d+\.\d+/);
    expect(text(false)).toContain('192.0.2.9 comes after 192.0.2.1');
    expect(text(false)).toContain('10.1.0.0/16 shares addresses with 10.0.0.0/8');
  });

  it('gives the line of the nearest thing around what is missing', () => {
    const at = (path: readonly (string | number)[]) =>
      path.length <= 2 ? { line: path.length + 1, column: 1 } : undefined;
    const [problem] = rendered({ pools: { web: {} } }, { at }).problems;
    expect(problem).toMatchObject({ code: 'MissingKey', path: 'pools.web.addresses', line: 3 });
  });

  const overlapping: readonly (readonly [string, readonly string[], boolean])[] = [
    ['equal blocks', ['192.0.2.0/28', '192.0.2.0/28'], true],
    ['host bits that reach the other', ['192.0.2.17/28', '192.0.2.31-192.0.2.40'], true],
    ['neighbours', ['192.0.2.0/28', '192.0.2.16-192.0.2.31'], false],
    ['the same number in both families', ['0.0.0.1/32', '::1/128'], false],
    ['IPv6 in another spelling', ['2001:db8::/64', '2001:0DB8:0:0::00ff/128'], true],
    ['a range inside one that is not the last before it', ['10.0.0.0/8', '10.1.0.0/24', '10.2.0.0/24'], true],
  ];
  for (const [what, addresses, refused] of overlapping) {
    it(`${refused ? 'refuses' : 'takes'} ${what}`, () => {
      const pools = Object.fromEntries(addresses.map((a, i) => [`p${i}`, { addresses: [a] }]));
      expect(codes({ pools }).some(([code]) => code === 'PoolOverlap')).toBe(refused);
      expect(codes({ pools: { p: { addresses } } }).some(([code]) => code === 'PoolOverlap')).toBe(refused);
    });
  }

  it('finds an overlap among ten thousand ranges without comparing all pairs', () => {
    const addresses = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    expect(codes({ pools: { p: { addresses } } }).length).toBe(0);
    expect(codes({ pools: { p: { addresses: [...addresses, '10.20.30.40/32'] } } }).map(([c]) => c)).toEqual([
      'PoolOverlap',
    ]);
  });

  it('refuses names that Kubernetes does not take', () => {
    expect(codes({ pools: { My_Pool: { addresses: ['192.0.2.0/28'] } } })[0]).toEqual([
      'InvalidName',
      'pools.My_Pool',
    ]);
  });

  it('refuses aggregation that the CRD or upstream refuses', () => {
    const ad = (fields: object) => codes({ bgpAdvertisements: { a: fields } });
    expect(ad({ aggregationLength: 33 })).toEqual([
      ['AggregationInvalid', 'bgpAdvertisements.a.aggregationLength'],
    ]);
    expect(ad({ aggregationLengthV6: 129 })).toEqual([
      ['AggregationInvalid', 'bgpAdvertisements.a.aggregationLengthV6'],
    ]);
    expect(ad({ aggregationLength: 24, serviceSelectors: [{}] })).toEqual([
      ['AggregationInvalid', 'bgpAdvertisements.a.serviceSelectors'],
    ]);
    expect(ad({ aggregationLength: 32, serviceSelectors: [{}] })).toEqual([]);
  });

  it('refuses a password where many can read it', () => {
    const values = { bgpPeers: { tor: { ...PEER, password: 'x' } } };
    expect(codes(values, { open: true })).toEqual([['PasswordInOpen', 'bgpPeers.tor.password']]);
  });

  it('renders reservations, and refuses those that keep nothing', () => {
    const values = (web: object) => ({ reservations: { web: { namespace: 'shop', ...web } } });
    const entry = { addresses: ['192.0.2.7', '192.0.2.8-192.0.2.9'], service: 'web' };
    expect(spec(values(entry), 'Reservation web')).toEqual({ namespace: 'shop', ...entry });
    expect(codes(values({ service: 'web' }))).toEqual([]);
    expect(codes(values({}))).toEqual([['ReservationEmpty', 'reservations.web.service']]);
    expect(codes(values({ addresses: ['192.0.2.7', 'x', '192.0.2.9-192.0.2.8'] }))).toEqual([
      ['ReservationInvalid', 'reservations.web.addresses[1]'],
      ['ReservationInvalid', 'reservations.web.addresses[2]'],
    ]);
  });

  it('renders quotas', () => {
    const entry = { addresses: 3, namespaces: ['shop'], perNamespace: true };
    expect(spec({ quotas: { shop: entry } }, 'AddressQuota shop')).toEqual(entry);
    expect(codes({ quotas: { shop: { namespaces: ['shop'] } } })).toEqual([
      ['MissingKey', 'quotas.shop.addresses'],
    ]);
  });

  it('notes what may happen to addresses in use when the object changes or goes', () => {
    const values = { pools: { web: { addresses: ['192.0.2.0/28'], onChange: 'drain' } } };
    expect(rendered(values).objects[0]?.annotations).toMatchObject({
      'herald.io/on-change': 'drain',
      'herald.io/extra-metadata': 'annotation herald.io/on-change',
    });
  });
});

describe('the strategy of a pool', () => {
  const values = (strategy: string) => ({ pools: { web: { addresses: ['192.0.2.0/28'], strategy } } });

  it("becomes an annotation, since the kind is upstream's", () => {
    expect(rendered(values('hash')).objects[0]?.annotations).toMatchObject({
      'herald.io/allocation-strategy': 'hash',
    });
    expect(spec(values('hash'), 'IPAddressPool web')).not.toHaveProperty('strategy');
  });

  it('is one of those that there are', () => {
    expect(codes(values('random'))).toEqual([['InvalidValue', 'pools.web.strategy']]);
  });
});

describe('BGP peers', () => {
  const mistakes = (fields: object) =>
    rendered({ bgpPeers: { tor: fields } })
      .problems.filter((p) => p.code === 'PeerInvalid')
      .map((p) => p.path.slice(13));
  const rows: readonly (readonly [string, object, readonly string[]])[] = [
    ['a plain peer', PEER, []],
    ['both AS numbers', { ...PEER, dynamicASN: 'external' }, ['dynamicASN']],
    ['a dynamic AS number alone', { myASN: 1, dynamicASN: 'internal', peerAddress: '192.0.2.1' }, []],
    ['address and interface', { ...PEER, interface: 'eth0' }, ['interface']],
    ['an interface alone', { myASN: 1, peerASN: 2, interface: 'eth0' }, []],
    ['multihop inside one AS', { ...PEER, peerASN: 64500, ebgpMultiHop: true }, ['ebgpMultiHop']],
    [
      'addresses that are none',
      { ...PEER, peerAddress: 'x', sourceAddress: '1.2.3', routerID: '1.2.3.4.5' },
      ['peerAddress', 'sourceAddress', 'routerID'],
    ],
    ['a hold time of 2s', { ...PEER, holdTime: '2s' }, ['holdTime']],
    ['a hold time of 2.9s, truncated', { ...PEER, holdTime: '2.9s' }, ['holdTime']],
    ['a hold time of 0', { ...PEER, holdTime: '0s' }, []],
    ['a hold time of half a second, truncated to 0', { ...PEER, holdTime: '500ms' }, []],
    ['a number without unit', { ...PEER, holdTime: '90' }, ['holdTime']],
    [
      'a keepalive longer than the hold time',
      { ...PEER, holdTime: '3s', keepaliveTime: '4s' },
      ['keepaliveTime'],
    ],
    ['a connect time of half seconds', { ...PEER, connectTime: '1500ms' }, ['connectTime']],
    ['a connect time of 0', { ...PEER, connectTime: '0s' }, ['connectTime']],
    ['password and passwordSecret', { ...PEER, password: 'x', passwordSecret: { name: 's' } }, ['password']],
  ];
  for (const [what, fields, expected] of rows)
    it(`judges ${what}`, () => expect(mistakes(fields)).toEqual(expected));
});
