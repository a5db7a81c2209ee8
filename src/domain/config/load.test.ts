import { describe, expect, it } from 'vitest';
import { type Namespace, Namespaces } from '../api/core.ts';
import { BGPAdvertisements, Communities, IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import type { Kind, KubeObject } from '../api/object.ts';
import { formatAddress, parseAddress } from '../ip/address.ts';
import { formatRange } from '../ip/range.ts';
import { type Config, isDraining, isMoving, poolOf } from './config.ts';
import { type ConfigInput, type Loaded, load } from './load.ts';

/** Objects go through decode, as those of the API server do. */
function make<T extends KubeObject>(kind: Kind<T>, name: string, rest: object = {}): T {
  const { labels = {}, ...body } = rest as { labels?: Record<string, string> };
  return kind.decode({
    metadata: { name, namespace: 'metallb-system', uid: name, resourceVersion: '1', labels },
    ...body,
  });
}
const pool = (name: string, spec: object, labels = {}) => make(IPAddressPools, name, { spec, labels });
const simple = (name: string, ...addresses: string[]) => pool(name, { addresses });
const namespace = (name: string, labels: Record<string, string> = {}): Namespace =>
  make(Namespaces, name, { labels });
const nothing: ConfigInput = {
  pools: [],
  l2Advertisements: [],
  bgpAdvertisements: [],
  bgpPeers: [],
  bfdProfiles: [],
  communities: [],
  namespaces: [],
};

function good(loaded: Loaded): Config {
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}
function bad(loaded: Loaded): string[] {
  if ('config' in loaded) return [];
  return loaded.problems.map((p) => `${p.code} ${p.object} ${p.path}`);
}
const ofPools = (...pools: ConfigInput['pools']) => load({ ...nothing, pools });

describe('pools', () => {
  it('keep the order of their spec and become the CIDRs of their minimal cover', () => {
    const config = good(ofPools(simple('a', '198.51.100.7/24', ' 192.0.2.1 - 192.0.2.4 ', '2001:db8::/64')));
    expect(config.pools.get('a')?.ranges.map(formatRange)).toEqual([
      '198.51.100.0/24',
      '192.0.2.1/32',
      '192.0.2.2/31',
      '192.0.2.4/32',
      '2001:db8::/64',
    ]);
    expect(config.pools.get('a')).toMatchObject({ autoAssign: true, avoidBuggyIPs: false });
  });

  it.each([
    ['no address', { addresses: [] }, 'PoolEmpty IPAddressPool a spec.addresses'],
    ['no length', { addresses: ['192.0.2.1'] }, 'PoolRangeInvalid IPAddressPool a spec.addresses[0]'],
    [
      'blanks in a CIDR',
      { addresses: ['192.0.2.0/24', ' 10.0.0.0/8'] },
      'PoolRangeInvalid IPAddressPool a spec.addresses[1]',
    ],
    [
      'a reversed range',
      { addresses: ['192.0.2.9-192.0.2.1'] },
      'PoolRangeInvalid IPAddressPool a spec.addresses[0]',
    ],
    [
      'an overlap in itself',
      { addresses: ['192.0.2.0/24', '192.0.2.7/32'] },
      'PoolOverlap IPAddressPool a spec.addresses[1]',
    ],
    [
      'a namespace twice',
      { addresses: ['192.0.2.0/24'], serviceAllocation: { namespaces: ['x', 'y', 'x'] } },
      'NamespaceDuplicate IPAddressPool a spec.serviceAllocation.namespaces[2]',
    ],
    [
      'a selector twice',
      {
        addresses: ['192.0.2.0/24'],
        serviceAllocation: {
          serviceSelectors: [{ matchLabels: { a: 'b', c: 'd' } }, { matchLabels: { c: 'd', a: 'b' } }],
        },
      },
      'SelectorDuplicate IPAddressPool a spec.serviceAllocation.serviceSelectors[1]',
    ],
    [
      'a value twice',
      {
        addresses: ['192.0.2.0/24'],
        serviceAllocation: {
          namespaceSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'x'] }] }],
        },
      },
      'SelectorDuplicate IPAddressPool a spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].values',
    ],
    [
      'no label',
      {
        addresses: ['192.0.2.0/24'],
        serviceAllocation: { serviceSelectors: [{ matchLabels: { a: 'not a label!' } }] },
      },
      'SelectorInvalid IPAddressPool a spec.serviceAllocation.serviceSelectors[0]',
    ],
  ])('are refused with %s', (_, spec, problem) => {
    expect(bad(ofPools(pool('a', spec)))).toEqual([problem]);
  });

  it('may not overlap: the later by name is told, with what it meets', () => {
    const loaded = ofPools(
      simple('c', '192.0.2.200/32'),
      simple('b', '192.0.0.0/16'),
      simple('d', '192.0.9.0/24'),
    );
    expect(bad(loaded)).toEqual([
      'PoolOverlap IPAddressPool c spec.addresses[0]',
      'PoolOverlap IPAddressPool d spec.addresses[0]',
    ]);
    expect('problems' in loaded && loaded.problems[1]?.message).toBe(
      '192.0.9.0/24 overlaps 192.0.0.0/16 of IPAddressPool b spec.addresses[0]',
    );
  });

  it('tell everything that is wrong at once', () => {
    expect(
      bad(ofPools(simple('a', 'x', '192.0.2.0/24', 'y'), simple('b', '192.0.2.0/25'), simple('c'))),
    ).toHaveLength(4);
  });

  it('take a range from IPv4 to IPv6, which holds nothing', () => {
    expect(good(ofPools(simple('a', '192.0.2.1-2001:db8::1'))).pools.get('a')?.ranges).toEqual([]);
  });

  it('resolve namespace selectors and add the namespaces listed', () => {
    const serviceAllocation = {
      priority: 7,
      namespaces: ['listed'],
      namespaceSelectors: [
        { matchLabels: { team: 'x' } },
        { matchExpressions: [{ key: 'lb', operator: 'Exists' }] },
      ],
    };
    const config = good(
      load({
        ...nothing,
        pools: [pool('a', { addresses: ['192.0.2.0/24'], serviceAllocation })],
        namespaces: [namespace('one', { team: 'x' }), namespace('two', { lb: '' }), namespace('three')],
      }),
    );
    const allocation = config.pools.get('a')?.allocation;
    expect([...(allocation?.namespaces ?? [])].sort()).toEqual(['listed', 'one', 'two']);
    expect(allocation).toMatchObject({ priority: 7, restrictsNamespaces: true, serviceSelectors: [] });
  });

  it('own their addresses, save those that they avoid', () => {
    const config = good(
      ofPools(
        simple('a', '192.0.2.0/25', '198.51.100.0/24'),
        pool('b', { addresses: ['192.0.2.128/25'], avoidBuggyIPs: true }),
      ),
    );
    const owner = (text: string) => {
      const address = parseAddress(text);
      return address && poolOf(config, address)?.name;
    };
    expect(
      ['192.0.2.0', '192.0.2.127', '192.0.2.128', '192.0.2.255', '198.51.100.9', '192.0.1.255', '::1'].map(
        owner,
      ),
    ).toEqual(['a', 'a', 'b', undefined, 'a', undefined, undefined]);
  });
});

describe('marks on a pool', () => {
  const marked = (annotations: Record<string, string>) => {
    const metadata = { name: 'a', namespace: 'metallb-system', uid: 'a', resourceVersion: '1', annotations };
    const spec = { addresses: ['192.0.2.0/24', '2001:db8::/64'] };
    return ofPools(IPAddressPools.decode({ metadata, spec }));
  };
  const marks = (annotations: Record<string, string>) => {
    const found = good(marked(annotations)).pools.get('a');
    return { draining: found?.draining?.map(formatRange), moving: found?.moving?.map(formatRange) };
  };
  const both = (draining: string, moving: string) =>
    marks({ 'herald.io/draining': draining, 'herald.io/moving': moving });

  it('are ranges and CIDRs with commas between; moving ranges drain as well', () => {
    expect(both('192.0.2.0/30, 2001:db8::1-2001:db8::2', ' 192.0.2.4 - 192.0.2.5,')).toEqual({
      draining: ['192.0.2.0-192.0.2.5', '2001:db8::1-2001:db8::2'],
      moving: ['192.0.2.4/31'],
    });
    expect(both('', ' ')).toEqual({ draining: undefined, moving: undefined });
  });

  it('are void as a whole when one entry cannot be read, each annotation by itself, and warn', () => {
    const annotations = {
      'herald.io/draining': '192.0.2.0/30,192.0.2.9',
      'herald.io/moving': '192.0.2.4/31',
    };
    expect(marks(annotations)).toEqual({ draining: ['192.0.2.4/31'], moving: ['192.0.2.4/31'] });
    const loaded = marked(annotations);
    expect('config' in loaded && loaded.warnings).toEqual([
      {
        code: 'MarkInvalid',
        severity: 'warning',
        object: 'IPAddressPool a',
        path: 'metadata.annotations[herald.io/draining]',
        message: '"192.0.2.9" has no prefix length; write "192.0.2.9/32" for the single address',
        hint: 'the whole annotation has no effect until this is mended',
      },
    ]);
  });

  it.each([
    ['hash', 'hash', []],
    ['least-recently-used', 'least-recently-used', []],
    ['first-free', undefined, []],
    ['random', undefined, ['"random" is none']],
  ])('read the strategy %s', (text, strategy, warned) => {
    const loaded = marked({ 'herald.io/allocation-strategy': text });
    expect(good(loaded).pools.get('a')?.strategy).toBe(strategy);
    expect('config' in loaded && loaded.warnings.map(({ message }) => message)).toEqual(warned);
  });

  it.each([
    ['192.0.2.7', ['192.0.2.7 - in use elsewhere']],
    [
      ' 192.0.2.7 the old  printer,2001:db8::7,',
      ['192.0.2.7 - the old printer', '2001:db8::7 - in use elsewhere'],
    ],
    [
      '192.0.2.7 2026-05-01T08:00:00Z, 192.0.2.8 2026-05-01T08:00:00+02:00 lab',
      ['192.0.2.7 2026-05-01T08:00:00Z in use elsewhere', '192.0.2.8 2026-05-01T08:00:00+02:00 lab'],
    ],
    ['192.0.2.7, 192.0.2.0/30', undefined],
  ])('read the quarantine "%s"', (text, expected) => {
    const loaded = marked({ 'herald.io/quarantined': text });
    const found = good(loaded).pools.get('a')?.quarantined;
    expect(
      found?.map(({ address, until = '-', reason }) => `${formatAddress(address)} ${until} ${reason}`),
    ).toEqual(expected);
    const warned = 'config' in loaded && loaded.warnings.map(({ message }) => message);
    expect(warned).toEqual(expected ? [] : ['"192.0.2.0/30" is not an IP address']);
  });

  it('tell of each address whether it drains or moves', () => {
    const loaded = marked({ 'herald.io/draining': '192.0.2.0/30', 'herald.io/moving': '192.0.2.8/29' });
    const found = good(loaded).pools.get('a');
    const of = (text: string) => {
      const address = parseAddress(text);
      return found && address && [isDraining(found, address), isMoving(found, address)];
    };
    expect(of('192.0.2.3')).toEqual([true, false]);
    expect(of('192.0.2.4')).toEqual([false, false]);
    expect(of('192.0.2.8')).toEqual([true, true]);
    expect(of('2001:db8::1')).toEqual([false, false]);
  });
});

describe('communities', () => {
  const communities = (...list: [name: string, value: string][]) =>
    make(Communities, 'c', { spec: { communities: list.map(([name, value]) => ({ name, value })) } });
  it.each([
    ['65535:65535', undefined],
    ['large:4294967295:0:1', undefined],
    ['65536:1', 'CommunityInvalid Community c spec.communities[0].value'],
    ['large:4294967296:0:1', 'CommunityInvalid Community c spec.communities[0].value'],
    ['1:2:3:4', 'CommunityInvalid Community c spec.communities[0].value'],
    ['1', 'CommunityInvalid Community c spec.communities[0].value'],
    ['a:b', 'CommunityInvalid Community c spec.communities[0].value'],
  ])('with value %s', (value, problem) => {
    expect(bad(load({ ...nothing, communities: [communities(['x', value])] }))).toEqual(
      problem ? [problem] : [],
    );
  });
  it('have unique names', () => {
    expect(bad(load({ ...nothing, communities: [communities(['x', '1:2'], ['x', '1:3'])] }))).toEqual([
      'CommunityDuplicate Community c spec.communities[1].name',
    ]);
  });
  it('are short in native mode', () => {
    const input = { ...nothing, communities: [communities(['x', 'large:1:2:3'])] };
    expect(bad(load({ ...input, bgpType: 'native' }))).toEqual([
      'LargeCommunityUnsupported Community c spec.communities[0].value',
    ]);
    expect(bad(load({ ...input, bgpType: 'frr-k8s' }))).toEqual([]);
  });
});

describe('advertisements', () => {
  const pools = [
    pool('a', { addresses: ['192.0.2.0/24'] }, { tier: 'web' }),
    pool('b', { addresses: ['198.51.100.0/24'] }, { tier: 'db' }),
  ];
  const l2 = (name: string, spec: object = {}) => make(L2Advertisements, name, { spec });
  const selected = (spec: object) => {
    const [ad] = good(load({ ...nothing, pools, l2Advertisements: [l2('x', spec)] })).l2;
    return [...(ad?.pools ?? [])];
  };
  it('select all pools, those listed, and those matched; unknown names are silent', () => {
    expect(selected({})).toEqual(['a', 'b']);
    expect(selected({ ipAddressPools: ['b', 'nowhere'] })).toEqual(['b']);
    expect(selected({ ipAddressPoolSelectors: [{ matchLabels: { tier: 'web' } }] })).toEqual(['a']);
    expect(
      selected({ ipAddressPools: ['b'], ipAddressPoolSelectors: [{ matchLabels: { tier: 'web' } }] }),
    ).toEqual(['a', 'b']);
    expect(selected({ ipAddressPools: ['nowhere'] })).toEqual([]);
  });
  it('count once when they are equal', () => {
    const ads = [
      l2('x', { interfaces: ['eth0', 'eth1'] }),
      l2('y', { interfaces: ['eth1', 'eth0'] }),
      l2('z'),
    ];
    expect(good(load({ ...nothing, pools, l2Advertisements: ads })).l2.map((ad) => ad.name)).toEqual([
      'x',
      'z',
    ]);
  });
  it('are refused with doubled names and bad selectors', () => {
    const spec = {
      ipAddressPools: ['a', 'a'],
      nodeSelectors: [{ matchExpressions: [{ key: 'k', operator: 'Near' }] }],
    };
    expect(bad(load({ ...nothing, l2Advertisements: [l2('x', spec)] }))).toEqual([
      'NameDuplicate L2Advertisement x spec.ipAddressPools[1]',
      'SelectorInvalid L2Advertisement x spec.nodeSelectors[0]',
    ]);
  });
  it('of BGP know their pools and peers', () => {
    const ad = make(BGPAdvertisements, 'x', { spec: { ipAddressPools: ['b'], peers: ['tor'] } });
    const [read] = good(load({ ...nothing, pools, bgpAdvertisements: [ad] })).bgp;
    expect(read).toMatchObject({ name: 'x', peers: ['tor'] });
    expect([...(read?.pools ?? [])]).toEqual(['b']);
  });
});
