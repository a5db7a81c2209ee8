import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { openContent } from '../object.ts';
import { haveDocuments, shows } from './document.rig.ts';
import { haveInputs, input, rendered, specs, told } from './text.rig.ts';

const ON = 'metallb_enabled: true\n';
const RANGE = `${ON}metallb_ip_range: [10.5.0.0/16]\n`;
const BGP = `${RANGE}metallb_protocol: bgp\n`;
const PEERS = `${BGP}metallb_peers:
  - peer_address: 192.0.2.1
    peer_asn: 64512
    my_asn: 4200000000
`;
const pool = (addresses: string[], o: { autoAssign?: boolean; avoidBuggyIPs?: boolean } = {}) => ({
  autoAssign: true,
  avoidBuggyIPs: false,
  ...o,
  addresses,
});
const peer = (o: object = {}) => ({
  myASN: 4_200_000_000,
  peerASN: 64_512,
  peerAddress: '192.0.2.1',
  peerPort: 179,
  holdTime: '1m30s',
  disableMP: false,
  dualStackAddressFamily: false,
  ...o,
});
const bgpAd = (name: string) => ({ aggregationLength: 32, aggregationLengthV6: 128, ipAddressPools: [name] });
const main = (text: string) => specs(rendered(text))['IPAddressPool loadbalanced'];

describe('Kubespray 2.14 to 2.21', () => {
  it('becomes what its ConfigMap would have become', () => {
    const built = rendered(`
metallb_enabled: true
metallb_protocol: bgp
metallb_avoid_buggy_ips: true
metallb_ip_range:
  - 10.5.0.0/16
metallb_peers:
  - peer_address: 192.0.2.1
    peer_asn: 64512
    my_asn: 4200000000
    password: "changeme"
metallb_additional_address_pools:
  kube_service_pool_1:
    ip_range:
      - 10.6.0.0/16
    protocol: "bgp"
    auto_assign: false
    avoid_buggy_ips: true
`);
    expect(built.dialect).toBe('kubespray-range');
    expect(specs(built)).toEqual({
      'Secret herald-peer-peer1': undefined,
      'BGPPeer peer1': peer({
        passwordSecret: { name: 'herald-peer-peer1', namespace: TARGET.namespace },
      }),
      'IPAddressPool loadbalanced': pool(['10.5.0.0/16'], { avoidBuggyIPs: true }),
      'IPAddressPool kube-service-pool-1': pool(['10.6.0.0/16'], { autoAssign: false, avoidBuggyIPs: true }),
      'BGPAdvertisement bgpadvertisement1': bgpAd('loadbalanced'),
      'BGPAdvertisement bgpadvertisement2': bgpAd('kube-service-pool-1'),
    });
    const secret = built.objects.find((o) => o.kind.kind === 'Secret');
    expect(secret && openContent(secret.content).data).toEqual({
      password: Buffer.from('changeme').toString('base64'),
    });
    expect(told(built)).toEqual(['14:5 notice Renamed metallb_additional_address_pools.kube_service_pool_1']);
    expect(built.problems[0]?.message).toBe(
      'kube_service_pool_1 becomes kube-service-pool-1: Services that ask for the pool by its name must say that',
    );
    expect(built.objects.map((o) => o.annotations['herald.io/from'])).toContain('herald#metallb_peers[0]');
  });

  it('counts advertisements for each protocol by itself', () => {
    const text = `${PEERS}metallb_additional_address_pools:
  a: {ip_range: [10.6.0.0/16], protocol: layer2}
  b: {ip_range: [10.7.0.0/16], protocol: bgp}
  c: {ip_range: [10.8.0.0/16], protocol: layer2}
`;
    expect(specs(rendered(text))).toMatchObject({
      'BGPAdvertisement bgpadvertisement1': { ipAddressPools: ['loadbalanced'] },
      'BGPAdvertisement bgpadvertisement2': { ipAddressPools: ['b'] },
      'L2Advertisement l2advertisement1': { ipAddressPools: ['a'] },
      'L2Advertisement l2advertisement2': { ipAddressPools: ['c'] },
    });
  });

  it.each([
    ['', ['10.5.0.0/16']],
    ["metallb_ip_range: ['192.168.10.2-192.168.10.253']", ['192.168.10.2-192.168.10.253']],
    // It is printed without quotes, and read once more.
    ['metallb_ip_range: [" 10.0.0.1 - 10.0.0.9 # printers"]', ['10.0.0.1 - 10.0.0.9']],
    ['metallb_ip_range: [10.1.0.0/24, "fd00::/64"]', ['10.1.0.0/24', 'fd00::/64']],
  ])('takes the ranges of %j', (more, addresses) => {
    const text = more === '' ? RANGE : `${ON}${more}\n`;
    expect(main(text)).toEqual(pool(addresses));
  });
});

describe('switches', () => {
  it.each([
    ['metallb_auto_assign: false', { autoAssign: false }, []],
    ['metallb_auto_assign: no', { autoAssign: false }, []],
    ['metallb_auto_assign: "false"', {}, ['3:22 warning ReadOtherwise metallb_auto_assign']],
    ['metallb_auto_assign: n', {}, ['3:22 warning ReadOtherwise metallb_auto_assign']],
    ['metallb_avoid_buggy_ips: yes', { avoidBuggyIPs: true }, []],
    ['metallb_avoid_buggy_ips: "true"', {}, ['3:26 warning ReadOtherwise metallb_avoid_buggy_ips']],
    ['matallb_auto_assign: false', { autoAssign: false }, ['3:1 notice OldSpelling matallb_auto_assign']],
    [
      'matallb_auto_assign: false\nmetallb_auto_assign: true',
      {},
      ['3:1 notice OldSpelling matallb_auto_assign'],
    ],
    ['metallb_auto_assign: "{{ auto }}"', undefined, ['3:22 error Unrendered metallb_auto_assign']],
  ])('of the main pool: %s', (more, switches, problems) => {
    const built = rendered(`${RANGE}${more}\n`);
    expect(told(built)).toEqual(problems);
    expect(specs(built)['IPAddressPool loadbalanced']).toEqual(switches && pool(['10.5.0.0/16'], switches));
  });

  // They are printed as they are, and read by Go.
  it.each([
    ['false', false],
    ['"false"', false],
    ['"no"', false],
    ['"True"', true],
    ['on', true],
  ])('of an additional pool: %s', (text, autoAssign) => {
    const more = `metallb_additional_address_pools:\n  x: {ip_range: [10.6.0.0/16], protocol: layer2, auto_assign: ${text}}\n`;
    expect(specs(rendered(`${RANGE}${more}`))['IPAddressPool x']).toEqual(
      pool(['10.6.0.0/16'], { autoAssign }),
    );
  });

  it('refuses what is none', () => {
    const more =
      'metallb_additional_address_pools:\n  x: {ip_range: [10.6.0.0/16], protocol: layer2, auto_assign: maybe}\n';
    expect(told(rendered(`${RANGE}${more}`))).toEqual([
      '4:63 error WrongType metallb_additional_address_pools.x.auto_assign',
    ]);
  });
});

describe('the role', () => {
  it.each([
    ['metallb_enabled: false\nmetallb_ip_range: [x]', [], ['1:18 notice EmptySource metallb_enabled']],
    ['metallb_enabled: "no"\nmetallb_ip_range: [x]', [], ['1:18 notice EmptySource metallb_enabled']],
    ['metallb_ip_range: [10.5.0.0/16]', ['loadbalanced'], ['1:1 warning Assumed metallb_enabled']],
    [
      'metallb_enabled: perhaps\nmetallb_ip_range: [10.5.0.0/16]',
      [],
      ['1:18 error WrongType metallb_enabled'],
    ],
    [
      'metallb_enabled: "{{ lb }}"\nmetallb_ip_range: [10.5.0.0/16]',
      [],
      ['1:18 error Unrendered metallb_enabled'],
    ],
    // Nothing but the misspelt key: Kubespray's, and empty.
    [
      'matallb_auto_assign: true',
      [],
      [
        '1:1 warning Assumed metallb_enabled',
        '1:1 notice EmptySource ',
        '1:1 notice OldSpelling matallb_auto_assign',
      ],
    ],
    [
      `${ON}metallb_namespace: metallb`,
      [],
      ['2:20 notice NoEffect metallb_namespace', '1:1 notice EmptySource '],
    ],
    [`${ON}metallb_namespace: metallb-system`, [], ['1:1 notice EmptySource ']],
    [
      `${RANGE}kube_proxy_strict_arp: false`,
      ['loadbalanced'],
      ['3:24 warning StrictArpOff kube_proxy_strict_arp'],
    ],
    [`${RANGE}kube_proxy_strict_arp: false\nkube_proxy_mode: iptables`, ['loadbalanced'], []],
    [`${ON}metallb_ip_range: []`, [], ['2:19 error MissingKey metallb_ip_range']],
    [`${ON}metallb_ip_range:`, [], ['2:18 error MissingKey metallb_ip_range']],
    [`${ON}metallb_ip_range: 10.5.0.0/16`, [], ['2:19 error WrongType metallb_ip_range']],
    [`${ON}metallb_ip_range: "{{ lb_range }}"`, [], ['2:19 error Unrendered metallb_ip_range']],
    [
      `${ON}metallb_ip_range: [10.5.0.0/16, "{{ more }}", 7]`,
      [],
      ['2:33 error Unrendered metallb_ip_range[1]', '2:47 error WrongType metallb_ip_range[2]'],
    ],
    [`${RANGE}metallb_protocol: Layer2`, [], ['3:19 error InvalidValue metallb_protocol']],
    [BGP, [], ['1:1 error MissingKey metallb_peers']],
    [`${BGP}metallb_peers: []`, [], ['4:16 error MissingKey metallb_peers']],
    [`${BGP}metallb_peers: {a: {}}`, [], ['4:16 error WrongType metallb_peers']],
    [
      `${ON}metallb_ip_ranges: [10.5.0.0/16]`,
      [],
      ['2:1 warning UnknownKey metallb_ip_ranges', '1:1 notice EmptySource '],
    ],
    [`${RANGE}metallb_controller_image_repo: x\nmetallb_port: "7472"`, ['loadbalanced'], []],
    [
      `${RANGE}metallb_ip_range: [10.9.0.0/16]`,
      ['loadbalanced'],
      ['3:1 warning DuplicateKey metallb_ip_range'],
    ],
  ])('%j', (text, names, problems) => {
    const built = rendered(`${text}\n`);
    expect(told(built)).toEqual(problems);
    expect(built.objects.filter((o) => o.kind.kind === 'IPAddressPool').map((o) => o.name)).toEqual(names);
  });

  it('takes the last of equal keys, as Ansible does', () => {
    expect(main(`${RANGE}metallb_ip_range: [10.9.0.0/16]\n`)).toEqual(pool(['10.9.0.0/16']));
  });

  it('is not disturbed by what is encrypted or rendered elsewhere in the file', () => {
    const more =
      'vault_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6638\ndns: "{{ dns_ip }}"\npeers:\n  - {router_id: 192.0.2.1, as: 64512}\n';
    expect(told(rendered(`${RANGE}${more}`))).toEqual([]);
    expect(told(rendered(`${RANGE}x: !reference y\n`))).toEqual(['3:15 error YamlSyntax x']);
  });

  it('gives its settings as those of our chart', () => {
    const text = `${RANGE}metallb_log_level: debug
metallb_speaker_nodeselector: {kubernetes.io/os: linux}
metallb_controller_tolerations: [{key: a, effect: NoSchedule}]
metallb_speaker_tolerations: "{{ everywhere }}"
`;
    expect(rendered(text).settings).toEqual({
      controller: { tolerations: [{ key: 'a', effect: 'NoSchedule' }], logLevel: 'debug' },
      speaker: { nodeSelector: { 'kubernetes.io/os': 'linux' }, logLevel: 'debug' },
    });
  });
});

describe('pools', () => {
  const additional = (text: string) => `${RANGE}metallb_additional_address_pools:\n${text}\n`;

  it.each([
    ['  x: {protocol: layer2}', ['4:6 error MissingKey metallb_additional_address_pools.x.ip_range']],
    ['  x: {ip_range: [10.6.0.0/16]}', ['4:6 error MissingKey metallb_additional_address_pools.x.protocol']],
    [
      '  x: {ip_range: [10.6.0.0/16], protocol: l2}',
      ['4:42 error InvalidValue metallb_additional_address_pools.x.protocol'],
    ],
    ['  - x', ['4:3 error WrongType metallb_additional_address_pools']],
    [
      '  x: {ip_range: [10.6.0.0/16], protocol: layer2, avoid-buggy-ips: true}',
      ['4:50 warning UnknownKey metallb_additional_address_pools.x.avoid-buggy-ips'],
    ],
    [
      '  x: {ip_range: [10.5.1.0/24], protocol: layer2}',
      ['4:18 error PoolOverlap metallb_additional_address_pools.x.ip_range[0]'],
    ],
    [
      '  loadbalanced: {ip_range: [10.6.0.0/16], protocol: layer2}',
      ['4:17 error NameCollision metallb_additional_address_pools.loadbalanced'],
    ],
    [
      '  a_b: {ip_range: [10.6.0.0/16], protocol: layer2}\n  a-b: {ip_range: [10.7.0.0/16], protocol: layer2}',
      [
        '4:8 notice Renamed metallb_additional_address_pools.a_b',
        '5:8 error NameCollision metallb_additional_address_pools.a-b',
      ],
    ],
    [
      '  "{{ name }}": {ip_range: [10.6.0.0/16], protocol: layer2}',
      ['4:17 error Unrendered metallb_additional_address_pools["{{ name }}"]'],
    ],
    [
      '  web tier: {ip_range: [10.6.0.0/16], protocol: layer2}',
      ['4:13 error InvalidName metallb_additional_address_pools["web tier"]'],
    ],
  ])('%s', (text, problems) => expect(told(rendered(additional(text)))).toEqual(problems));

  it.each([
    ['Load_Balanced', 'load-balanced'],
    ['01-lab', 'lab'],
    ['a.b', 'a.b'],
  ])('takes the name %s as upstream’s converter does', (name, object) => {
    const built = rendered(`${RANGE}metallb_pool_name: ${name}\n`);
    expect(specs(built)).toHaveProperty([`IPAddressPool ${object}`]);
    expect(specs(built)['L2Advertisement l2advertisement1']).toEqual({ ipAddressPools: [object] });
  });
});

describe('the contrib role of before 2.14', () => {
  it('has one range and a pool', () => {
    const built = rendered(
      'metallb:\n  ip_range: "10.5.0.50-10.5.0.99"\n  limits: {cpu: 100m}\n  port: "7472"\n  version: v0.7.3\n',
    );
    expect(specs(built)).toEqual({
      'IPAddressPool loadbalanced': pool(['10.5.0.50-10.5.0.99']),
      'L2Advertisement l2advertisement1': { ipAddressPools: ['loadbalanced'] },
    });
    expect(told(built)).toEqual([]);
  });

  it.each([
    ['metallb: {ip_range: [10.5.0.0/24]}', ['1:21 error WrongType metallb.ip_range']],
    ['metallb: {ip_range: ""}', ['1:21 error WrongType metallb.ip_range']],
    ['metallb: {ip_range: 10.5.0.9-10.5.0.1}', ['1:21 error PoolRangeInvalid metallb.ip_range']],
    ['metallb: {ip_range: "{{ range }}"}', ['1:21 error Unrendered metallb.ip_range']],
    ['metallb: {ip_range: 10.5.0.0/24, protocol: bgp}', ['1:34 warning UnknownKey metallb.protocol']],
  ])('%s', (text, problems) => expect(told(rendered(`${text}\n`))).toEqual(problems));
});

describe('values that Helm has read already', () => {
  it('are read in the types that they have', () => {
    const values = { metallb_enabled: true, metallb_ip_range: ['10.5.0.0/16'], metallb_auto_assign: 'false' };
    const built = build(source(values), TARGET);
    expect(specs(built)).toHaveProperty('IPAddressPool loadbalanced', pool(['10.5.0.0/16']));
    expect(told(built)).toEqual(['warning ReadOtherwise metallb_auto_assign']);
  });
});

describe.skipIf(!haveDocuments)('the page of Kubespray', () => {
  const PAGE = '000_337e33257db6ea49.txt';
  it.each<[string, string, object, string[]]>([
    [
      'installs',
      'metallb_enabled: true\nmetallb_speaker_enabled: true\nmetallb_avoid_buggy_ips: true\nmetallb_ip_range:\n  - 10.5.0.0/16',
      {
        'IPAddressPool loadbalanced': pool(['10.5.0.0/16'], { avoidBuggyIPs: true }),
        'L2Advertisement l2advertisement1': { ipAddressPools: ['loadbalanced'] },
      },
      [],
    ],
    [
      'speaks BGP',
      `metallb_protocol: bgp
metallb_ip_range:
  - 10.5.0.0/16
metallb_peers:
  - peer_address: 192.0.2.1
    peer_asn: 64512
    my_asn: 4200000000
  - peer_address: 192.0.2.2
    peer_asn: 64513
    my_asn: 4200000000`,
      {
        'BGPPeer peer1': peer(),
        'BGPPeer peer2': peer({ peerASN: 64_513, peerAddress: '192.0.2.2' }),
        'IPAddressPool loadbalanced': pool(['10.5.0.0/16']),
        'BGPAdvertisement bgpadvertisement1': bgpAd('loadbalanced'),
      },
      ['1:1 warning Assumed metallb_enabled'],
    ],
    [
      'leaves announcing to Calico',
      `metallb_speaker_enabled: false
metallb_avoid_buggy_ips: true
metallb_ip_range:
  - 10.5.0.0/16
calico_advertise_service_loadbalancer_ips: "{{ metallb_ip_range }}"`,
      { 'IPAddressPool loadbalanced': pool(['10.5.0.0/16'], { avoidBuggyIPs: true }) },
      ['1:1 warning Assumed metallb_enabled', '1:26 notice LeftToOthers metallb_speaker_enabled'],
    ],
    [
      'has additional pools',
      `metallb_speaker_enabled: false
metallb_ip_range:
  - 10.5.0.0/16
metallb_additional_address_pools:
  kube_service_pool_1:
    ip_range:
      - 10.6.0.0/16
    protocol: "bgp"
    auto_assign: false
    avoid_buggy_ips: true
  kube_service_pool_2:
    ip_range:
      - 10.10.0.0/16
    protocol: "bgp"
    auto_assign: false
    avoid_buggy_ips: true
calico_advertise_service_loadbalancer_ips:
  - 10.5.0.0/16
  - 10.6.0.0/16
  - 10.10.0.0/16`,
      {
        'IPAddressPool loadbalanced': pool(['10.5.0.0/16']),
        'IPAddressPool kube-service-pool-1': pool(['10.6.0.0/16'], {
          autoAssign: false,
          avoidBuggyIPs: true,
        }),
        'IPAddressPool kube-service-pool-2': pool(['10.10.0.0/16'], {
          autoAssign: false,
          avoidBuggyIPs: true,
        }),
      },
      [
        '1:1 warning Assumed metallb_enabled',
        '6:5 notice Renamed metallb_additional_address_pools.kube_service_pool_1',
        '12:5 notice Renamed metallb_additional_address_pools.kube_service_pool_2',
        '1:26 notice LeftToOthers metallb_speaker_enabled',
      ],
    ],
  ])('%s', (_, text, objects, problems) => {
    expect(shows(PAGE, text)).toBe(true);
    const built = rendered(`${text}\n`);
    expect(specs(built)).toEqual(objects);
    expect(told(built)).toEqual(problems);
  });
});

describe.skipIf(!haveInputs)('files of operators', () => {
  it('of the metallb_ip_range era are read', () => {
    const built = rendered(input('48-binkoni-gonnux.com-kubespray-deprecated/addons.yml'));
    expect(specs(built)).toEqual({
      'IPAddressPool loadbalanced': pool(['192.168.10.2-192.168.10.253']),
      'L2Advertisement l2advertisement1': { ipAddressPools: ['loadbalanced'] },
    });
    expect(told(built)).toEqual([]);
  });

  it('without any pools render nothing, and say so', () => {
    const built = rendered(input('49-noahchalifour-ansible-kubernetes-cluster/addons.yml'));
    expect(built.dialect).toBe('kubespray-range');
    expect(built.objects).toEqual([]);
    expect(told(built)).toEqual(['10:20 notice NoEffect metallb_namespace', '2:1 notice EmptySource ']);
  });
});
