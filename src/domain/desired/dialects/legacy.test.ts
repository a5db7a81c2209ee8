import { describe, expect, it } from 'vitest';
import { idOf, openContent } from '../object.ts';
import { converted } from './legacy-names.ts';
import { haveInputs, input, rendered, specs, told } from './text.rig.ts';

const POOL = `
  - name: web
    protocol: layer2
    addresses: [192.0.2.0/24]
`;
const pools = (text: string) => `address-pools:\n${text}`;
const bgp = (more: string) =>
  `address-pools:\n  - name: web\n    protocol: bgp\n    addresses: [192.0.2.0/24]\n${more}`;
const peer = (more = '') =>
  `peers:\n  - my-asn: 64500\n    peer-asn: 64501\n    peer-address: 192.0.2.1\n${more}`;
const PEER = {
  myASN: 64500,
  peerASN: 64501,
  peerAddress: '192.0.2.1',
  peerPort: 179,
  holdTime: '1m30s',
  disableMP: false,
  dualStackAddressFamily: false,
};

describe('the configuration of MetalLB 0.12', () => {
  it('becomes what upstream’s converter makes of it', () => {
    const built = rendered(`
bgp-communities:
  no-advertise: 65535:65282
address-pools:
  - name: 01-lab
    protocol: bgp
    addresses: [198.51.100.0/24]
    bgp-advertisements:
      - aggregation-length: 32
        localpref: 100
        communities: [no-advertise]
      - aggregation-length: 24
  - name: Lan_Pool
    protocol: layer2
    addresses: [192.168.1.240/28]
`);
    expect(built.dialect).toBe('legacy');
    const pool = { autoAssign: true, avoidBuggyIPs: false };
    expect(specs(built)).toEqual({
      'IPAddressPool lab': { ...pool, addresses: ['198.51.100.0/24'] },
      'IPAddressPool lan-pool': { ...pool, addresses: ['192.168.1.240/28'] },
      'BGPAdvertisement bgpadvertisement1': {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        localPref: 100,
        communities: ['no-advertise'],
        ipAddressPools: ['lab'],
      },
      'BGPAdvertisement bgpadvertisement2': {
        aggregationLength: 24,
        aggregationLengthV6: 128,
        ipAddressPools: ['lab'],
      },
      'L2Advertisement l2advertisement1': { ipAddressPools: ['lan-pool'] },
      'Community communities': { communities: [{ name: 'no-advertise', value: '65535:65282' }] },
    });
    expect(told(built)).toEqual([
      '5:11 notice Renamed address-pools[0].name',
      '13:11 notice Renamed address-pools[1].name',
    ]);
    expect(built.problems[1]?.message).toContain('lan-pool');
  });

  it('numbers peers and advertisements over all pools, in their order', () => {
    const text = `
address-pools:
  - {name: a, protocol: bgp, addresses: [10.0.0.0/24]}
  - {name: b, protocol: layer2, addresses: [10.0.1.0/24]}
  - {name: c, protocol: bgp, addresses: [10.0.2.0/24], bgp-advertisements: [{localpref: 1}, {aggregation-length: 24}]}
  - {name: d, protocol: layer2, addresses: [10.0.3.0/24]}
peers:
  - {my-asn: 1, peer-asn: 2, peer-address: 10.9.0.1}
  - {my-asn: 1, peer-asn: 2, peer-address: 10.9.0.2}
`;
    expect(rendered(text).objects.map(idOf)).toEqual([
      'BGPPeer peer1',
      'BGPPeer peer2',
      'IPAddressPool a',
      'IPAddressPool b',
      'IPAddressPool c',
      'IPAddressPool d',
      'BGPAdvertisement bgpadvertisement1',
      'BGPAdvertisement bgpadvertisement2',
      'BGPAdvertisement bgpadvertisement3',
      'L2Advertisement l2advertisement1',
      'L2Advertisement l2advertisement2',
    ]);
    expect(specs(rendered(text))['BGPAdvertisement bgpadvertisement3']).toMatchObject({
      aggregationLength: 24,
      ipAddressPools: ['c'],
    });
  });

  it('carries every field of a peer', () => {
    const text = peer(`    source-address: 192.0.2.9
    peer-port: 1179
    hold-time: 120s
    keepalive-time: 10s
    router-id: 10.0.0.1
    password: 0123
    bfd-profile: Fast_One
    ebgp-multihop: yes
    node-selectors:
      - match-labels: {rack: a}
        match-expressions:
          - {key: zone, operator: In, values: [x, y]}
          - {key: gone, operator: DoesNotExist, values: []}
bfd-profiles:
  - name: Fast_One
    receive-interval: 35
    transmit-interval: 36
    detect-multiplier: 37
    echo-interval: 38
    echo-mode: true
    minimum-ttl: 10
`);
    const built = rendered(text);
    expect(specs(built)).toMatchObject({
      'BGPPeer peer1': {
        ...PEER,
        sourceAddress: '192.0.2.9',
        peerPort: 1179,
        holdTime: '2m0s',
        keepaliveTime: '10s',
        routerID: '10.0.0.1',
        passwordSecret: { name: 'herald-peer-peer1' },
        bfdProfile: 'fast-one',
        ebgpMultiHop: true,
        nodeSelectors: [
          {
            matchLabels: { rack: 'a' },
            matchExpressions: [
              { key: 'zone', operator: 'In', values: ['x', 'y'] },
              { key: 'gone', operator: 'DoesNotExist', values: [] },
            ],
          },
        ],
      },
      'BFDProfile fast-one': {
        receiveInterval: 35,
        transmitInterval: 36,
        detectMultiplier: 37,
        echoInterval: 38,
        echoMode: true,
        passiveMode: false,
        minimumTtl: 10,
      },
    });
    const secret = built.objects.find((o) => o.kind.kind === 'Secret');
    expect(secret && openContent(secret.content).data).toEqual({ password: btoa('0123') });
  });

  it('carries every field of a pool, and gives a bgp pool without advertisements one', () => {
    const built = rendered(bgp('    avoid-buggy-ips: true\n    auto-assign: false\n'));
    expect(specs(built)).toEqual({
      'IPAddressPool web': { addresses: ['192.0.2.0/24'], autoAssign: false, avoidBuggyIPs: true },
      'BGPAdvertisement bgpadvertisement1': {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        ipAddressPools: ['web'],
      },
    });
  });

  it('keeps several advertisements of one pool apart', () => {
    const ads = '    bgp-advertisements: [{aggregation-length: 32}, {aggregation-length: 24}]\n';
    expect(told(rendered(bgp(ads)))).toEqual([]);
  });
});

describe('what stands without quotes', () => {
  const spec = (text: string, id = 'BGPPeer peer1') => specs(rendered(text))[id];
  it.each<[string, string, object]>([
    ['yes is true', '    ebgp-multihop: yes\n', { ebgpMultiHop: true }],
    ['off is false', '    ebgp-multihop: off\n', { ebgpMultiHop: false }],
    ['a port may be octal', '    peer-port: 0263\n', { peerPort: 179 }],
    ['a port of 0 is the default', '    peer-port: 0\n', { peerPort: 179 }],
    ['an empty hold time is the default', '    hold-time: ""\n', { holdTime: '1m30s' }],
    ['1.5m is 90 seconds', '    hold-time: 1.5m\n', { holdTime: '1m30s' }],
    ['3.9s is cut to whole seconds', '    hold-time: 3.9s\n', { holdTime: '3s' }],
    ['a hold time of 0 stays', '    hold-time: 0s\n', { holdTime: '0s' }],
  ])('%s', (_what, more, expected) => expect(spec(peer(more))).toMatchObject(expected));

  it('AS numbers may be hexadecimal and as large as they get', () => {
    const asn = (mine: string) => spec(`peers: [{my-asn: ${mine}, peer-asn: 2, peer-address: 192.0.2.1}]`);
    expect(asn('4200000000')).toMatchObject({ myASN: 4_200_000_000 });
    expect(asn('4294967295')).toMatchObject({ myASN: 4_294_967_295 });
    expect(asn('0xfde8')).toMatchObject({ myASN: 65_000 });
    expect(asn('1e3')).toMatchObject({ myASN: 1000 });
  });

  it('text keeps its spelling', () => {
    const text = bgp('    bgp-advertisements: [{communities: [22:22, x1]}]\n');
    expect(
      spec(`${text}bgp-communities: {x1: 64512:10}\n`, 'BGPAdvertisement bgpadvertisement1'),
    ).toMatchObject({
      communities: ['22:22', 'x1'],
    });
    expect(
      spec(pools('  - {name: e5, protocol: layer2, addresses: [10.0.0.0/8]}'), 'IPAddressPool e5'),
    ).toBeDefined();
  });
});

describe('what MetalLB 0.12 refuses', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'an unknown key',
      pools('  - name: web\n    protocol: layer2\n    addreses: [192.0.2.0/24]\n'),
      ['4:5 error UnknownKey address-pools[0].addreses'],
    ],
    [
      'an unknown key, and ranges below it',
      pools('  - name: web\n    protocol: layer2\n    addreses: [192.0.2.9-192.0.2.1]\n'),
      [
        '4:5 error UnknownKey address-pools[0].addreses',
        '4:16 error PoolRangeInvalid address-pools[0].addreses[0]',
      ],
    ],
    ['an unknown root', `${pools(POOL)}colour: red\n`, ['6:1 error UnknownKey colour']],
    [
      'the spelling of the CRD',
      bgp('    avoidBuggyIPs: true\n'),
      ['5:5 error UnknownKey address-pools[0].avoidBuggyIPs'],
    ],
    ['another case', `Address-Pools: []\n${peer()}`, ['1:1 error UnknownKey Address-Pools']],
    [
      'localPref',
      bgp('    bgp-advertisements: [{localPref: 1}]\n'),
      ['5:27 error UnknownKey address-pools[0].bgp-advertisements[0].localPref'],
    ],
    [
      'a key that stands twice',
      bgp('    protocol: layer2\n'),
      ['5:5 error DuplicateKey address-pools[0].protocol'],
    ],
    [
      'an AS number in quotes',
      'peers: [{my-asn: "1", peer-asn: 2, peer-address: 192.0.2.1}]',
      ['1:18 error WrongType peers[0].my-asn'],
    ],
    [
      'an AS number with a dot',
      'peers: [{my-asn: 1.10, peer-asn: 2, peer-address: 192.0.2.1}]',
      ['1:18 error WrongType peers[0].my-asn'],
    ],
    [
      'an AS number of 0',
      'peers: [{my-asn: 0, peer-asn: 2, peer-address: 192.0.2.1}]',
      ['1:18 error PeerInvalid peers[0].my-asn'],
    ],
    [
      'an AS number beyond 32 bits',
      'peers: [{my-asn: 4294967296, peer-asn: 2, peer-address: 192.0.2.1}]',
      ['1:18 error InvalidValue peers[0].my-asn'],
    ],
    [
      'a switch in quotes',
      peer('    ebgp-multihop: "yes"\n'),
      ['5:20 error WrongType peers[0].ebgp-multihop'],
    ],
    ['a hold time without unit', peer('    hold-time: 90\n'), ['5:16 error PeerInvalid peers[0].hold-time']],
    ['a hold time of 2.9s', peer('    hold-time: 2.9s\n'), ['5:16 error PeerInvalid peers[0].hold-time']],
    ['a negative hold time', peer('    hold-time: -3s\n'), ['5:16 error PeerInvalid peers[0].hold-time']],
    [
      'a keepalive time longer than the hold time',
      peer('    hold-time: 3s\n    keepalive-time: 4s\n'),
      ['6:21 warning NeedsFrr peers[0].keepalive-time', '6:21 error PeerInvalid peers[0].keepalive-time'],
    ],
    ['no peer address', 'peers: [{my-asn: 1, peer-asn: 2}]', ['1:9 error MissingKey peers[0].peer-address']],
    [
      'no protocol',
      pools('  - {name: web, addresses: [192.0.2.0/24]}\n'),
      ['2:5 error MissingKey address-pools[0].protocol'],
    ],
    [
      'a protocol of another spelling',
      pools('  - {name: web, protocol: Layer2, addresses: [192.0.2.0/24]}\n'),
      ['2:27 error InvalidValue address-pools[0].protocol'],
    ],
    [
      'a pool without addresses',
      pools('  - {name: web, protocol: layer2}\n'),
      ['2:5 error MissingKey address-pools[0].addresses'],
    ],
    [
      'a pool with no address',
      pools('  - {name: web, protocol: layer2, addresses: []}\n'),
      ['2:46 error PoolEmpty address-pools[0].addresses'],
    ],
    [
      'a pool without a name',
      pools('  - {name: "", protocol: layer2, addresses: [192.0.2.0/24]}\n'),
      ['2:12 error InvalidValue address-pools[0].name'],
    ],
    [
      'an address that is none',
      pools('  - {name: web, protocol: layer2, addresses: [192.0.2.1]}\n'),
      ['2:47 error PoolRangeInvalid address-pools[0].addresses[0]'],
    ],
    [
      'a list with a gap',
      pools('  - {name: web, protocol: layer2, addresses: [~]}\n'),
      ['2:47 error WrongType address-pools[0].addresses[0]'],
    ],
    [
      'advertisements on layer2',
      pools(`${POOL}    bgp-advertisements: [{localpref: 1}]\n`),
      ['6:25 error ProtocolMismatch address-pools[0].bgp-advertisements'],
    ],
    [
      'an alias that nothing defines',
      bgp('    bgp-advertisements: [{communities: [x]}]\n'),
      ['5:41 error UnknownCommunity address-pools[0].bgp-advertisements[0].communities[0]'],
    ],
    [
      'a large community',
      `${peer()}bgp-communities: {x: "large:1:2:3"}\n`,
      ['5:22 warning NeedsFrr bgp-communities.x', '5:22 error CommunityInvalid bgp-communities.x'],
    ],
    [
      'an unknown BFD profile',
      peer('    bfd-profile: fast\n'),
      ['5:18 error UnknownBfdProfile peers[0].bfd-profile', '5:18 warning NeedsFrr peers[0].bfd-profile'],
    ],
    [
      'one peer twice',
      `${peer()}  - peer-asn: 64501\n    my-asn: 64500\n    peer-address: 192.0.2.1\n`,
      ['5:5 error PeerInvalid peers[1]'],
    ],
    [
      'two pools of one name',
      pools(`${POOL}  - {name: web, protocol: layer2, addresses: [10.0.0.0/8]}\n`),
      ['6:12 error NameCollision address-pools[1].name'],
    ],
    [
      'two names that become one',
      pools(
        '  - {name: a_b, protocol: bgp, addresses: [10.0.0.0/8]}\n  - {name: a-b, protocol: bgp, addresses: [11.0.0.0/8]}\n',
      ),
      ['2:12 notice Renamed address-pools[0].name', '3:12 error NameCollision address-pools[1].name'],
    ],
    [
      'a name that stays illegal',
      pools('  - {name: "my pool", protocol: bgp, addresses: [10.0.0.0/8]}\n'),
      ['2:12 error InvalidName address-pools[0].name'],
    ],
    [
      'a name without a letter',
      pools('  - {name: "42", protocol: bgp, addresses: [10.0.0.0/8]}\n'),
      ['2:12 error InvalidName address-pools[0].name'],
    ],
    ['pools that are no list', 'address-pools: {web: {}}\n', ['1:16 error WrongType address-pools']],
  ])('%s', (_what, text, expected) => {
    const built = rendered(text);
    expect([...told(built)].sort()).toEqual([...expected].sort());
    if (expected.some((e) => e.includes('error'))) expect(built.objects).toEqual([]);
  });

  it('is told in one go, broken entries beside broken ranges', () => {
    const text = `
peers:
  - my-asn: x
address-pools:
  - name: a
    protocol: l2
    addresses: [192.0.2.9-192.0.2.1]
  - name: b
    protocol: bgp
    autoAssign: true
    addresses: [192.0.2.300/24]
`;
    expect(told(rendered(text))).toEqual([
      '3:5 error MissingKey peers[0].peer-address',
      '3:5 error MissingKey peers[0].peer-asn',
      '3:13 error WrongType peers[0].my-asn',
      '6:15 error InvalidValue address-pools[0].protocol',
      '10:5 error UnknownKey address-pools[1].autoAssign',
      '11:17 error PoolRangeInvalid address-pools[1].addresses[0]',
      '7:17 error PoolRangeInvalid address-pools[0].addresses[0]',
    ]);
  });

  it('comes with the mend', () => {
    const hint = (text: string) => rendered(text).problems[0]?.hint;
    expect(hint(bgp('    autoAssign: false\n'))).toBe('did you mean "auto-assign"?');
    expect(hint(pools('  - {name: web, protocol: layer2, cidr: [192.0.2.0/24]}\n'))).toBe(
      'write it as "addresses"',
    );
    expect(hint(pools('  - {name: web, protocol: l2, addresses: [192.0.2.0/24]}\n'))).toContain('"layer2"');
    expect(hint('peers: [{my-asn: "1", peer-asn: 2, peer-address: 192.0.2.1}]')).toBe(
      'write the number without quotes',
    );
  });

  it('says of peer-autodiscovery that no release had it', () => {
    const [problem] = rendered(`${peer()}peer-autodiscovery:\n  from-labels: []\n`).problems;
    expect(problem).toMatchObject({ code: 'UnknownKey', path: 'peer-autodiscovery', line: 5 });
    expect(problem?.message).toContain('no release');
  });

  it('never repeats a password', () => {
    const built = rendered(peer('    password: hunter2\n    hold-time: 1\n'), { secret: true });
    expect(built.problems).toHaveLength(1);
    expect(JSON.stringify([built.problems, built.objects])).not.toContain('hunter2');
  });
});

describe('an empty configuration', () => {
  it('defines nothing, and says so', () => {
    expect(told(rendered('address-pools:\n'))).toEqual(['1:1 notice EmptySource ']);
    expect(told(rendered('address-pools: []\npeers: []\n'))).toEqual(['1:1 notice EmptySource ']);
  });
});

describe('beside the values of Herald’s own chart', () => {
  it('is read all the same', () => {
    const values = { 'address-pools': [{ name: 'a', protocol: 'layer2', addresses: ['10.0.0.0/8'] }] };
    const chart = { controller: { logLevel: 'info' }, speaker: {}, pools: {}, bgpPeers: {} };
    const built = rendered(JSON.stringify({ ...values, ...chart }));
    expect(told(built)).toEqual([]);
    expect(built.objects.map(idOf)).toEqual(['IPAddressPool a', 'L2Advertisement l2advertisement1']);
  });
});

describe('names', () => {
  it.each<[string, string | undefined]>([
    ['default', 'default'],
    ['a', 'a'],
    ['Lan_Pool', 'lan-pool'],
    ['01-lab', 'lab'],
    ['10.0.0.0-x', 'x'],
    ['a.b', 'a.b'],
    ['A-', 'a-'],
    ['x'.repeat(64), 'x'.repeat(63)],
    ['my pool', 'my pool'],
    ['42', undefined],
  ])('%s becomes %s', (name, expected) => expect(converted(name)).toBe(expected));
});

describe.skipIf(!haveInputs)('real configurations (../shared/inputs)', () => {
  it('38: bare data', () => {
    const built = rendered(input('38-operate-first-apps/config.yaml'));
    expect(told(built)).toEqual([]);
    expect(specs(built)).toEqual({
      'IPAddressPool default': {
        addresses: ['192.12.185.32-192.12.185.63'],
        autoAssign: true,
        avoidBuggyIPs: false,
      },
      'L2Advertisement l2advertisement1': { ipAddressPools: ['default'] },
    });
  });

  const inside = (path: string) => {
    const [, text = ''] = /config: \|\n([\s\S]*)$/.exec(input(path)) ?? [];
    return text.replace(/^ {4}/gm, '');
  };

  it('15: a ConfigMap with a peer', () => {
    const built = rendered(inside('15-khuedoan-homelab/configmap.yaml'));
    expect(told(built)).toEqual([]);
    expect(specs(built)).toEqual({
      'BGPPeer peer1': { ...PEER, myASN: 64513, peerASN: 64512, peerAddress: '192.168.192.1' },
      'IPAddressPool default': {
        addresses: ['192.168.193.0/24'],
        autoAssign: true,
        avoidBuggyIPs: false,
      },
      'BGPAdvertisement bgpadvertisement1': {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        ipAddressPools: ['default'],
      },
    });
  });

  it('31: a range of one address', () => {
    const built = rendered(inside('31-kenlasko-k8s/config.yaml'));
    expect(told(built)).toEqual([]);
    expect(specs(built)['IPAddressPool default']).toMatchObject({ addresses: ['192.168.1.10-192.168.1.10'] });
  });
});
