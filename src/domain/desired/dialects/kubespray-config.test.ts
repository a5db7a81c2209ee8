import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { readers, source, TARGET } from '../desired.rig.ts';
import { openContent } from '../object.ts';
import { settle } from '../settle.ts';
import { haveInputs, input, rendered, specs, told } from './text.rig.ts';

const ON = 'metallb_enabled: true\n';
const pool = (addresses: string[], o: { autoAssign?: boolean; avoidBuggyIPs?: boolean } = {}) => ({
  autoAssign: true,
  avoidBuggyIPs: false,
  ...o,
  addresses,
});
const CONFIG = `${ON}metallb_config:\n`;
const ONE = `${CONFIG}  address_pools:
    pool1:
      ip_range: [10.6.0.0/16]
`;
/** A configuration with one peer, whose lines go into the place of `more`. */
const peer = (more = '') => `${ONE}  layer3:
    defaults: {peer_port: 179, hold_time: 120s}
    metallb_peers:
      peer1:
        peer_address: 10.6.0.1
        peer_asn: 64512
        my_asn: 4200000000
        address_pool: [pool1]
${more}`;
const PEER1 = {
  myASN: 4_200_000_000,
  peerASN: 64_512,
  peerAddress: '10.6.0.1',
  peerPort: 179,
  holdTime: '120s',
  disableMP: false,
  dualStackAddressFamily: false,
};
const LENGTHS = { aggregationLength: 32, aggregationLengthV6: 128 };
const WELL_KNOWN = {
  communities: [
    { name: 'no-export', value: '65535:65281' },
    { name: 'no-advertise', value: '65535:65282' },
    { name: 'local-as', value: '65535:65283' },
    { name: 'nopeer', value: '65535:65284' },
  ],
};
const PATH = 'metallb_config.layer3.metallb_peers';

describe('Kubespray since 2.22', () => {
  it('becomes what its templates render', () => {
    const built = rendered(`
metallb_enabled: true
metallb_config:
  address_pools:
    primary:
      ip_range:
        - 10.5.0.0/16
    pool1:
      ip_range:
        - 10.6.0.0/16
      auto_assign: true
  layer2:
    - primary
  layer3:
    defaults:
      peer_port: 179
      hold_time: 120s
    communities:
      vpn-only: "1234:1"
    metallb_peers:
      peer1:
        peer_address: 10.6.0.1
        peer_asn: 64512
        my_asn: 4200000000
        communities:
          - vpn-only
        address_pool:
          - pool1
`);
    expect(built.dialect).toBe('kubespray-config');
    expect(specs(built)).toEqual({
      'IPAddressPool primary': pool(['10.5.0.0/16']),
      'IPAddressPool pool1': pool(['10.6.0.0/16']),
      'L2Advertisement primary': { ipAddressPools: ['primary'] },
      'Community vpn-only': { communities: [{ name: 'vpn-only', value: '1234:1' }] },
      'Community well-known': WELL_KNOWN,
      'BGPAdvertisement peer1-external': { ...LENGTHS, ipAddressPools: ['pool1'], communities: ['vpn-only'] },
      'BGPPeer peer1': PEER1,
    });
    expect(told(built)).toEqual([]);
  });

  it('has no advertisement for pools that no list names, which is told', () => {
    const built = rendered(ONE);
    expect(specs(built)).toEqual({ 'IPAddressPool pool1': pool(['10.6.0.0/16']) });
    const settled = settle({ instance: 'herald', built: [built], live: [], check: readers });
    expect(settled.verdicts[0]?.problems).toMatchObject([
      {
        code: 'PoolNotAdvertised',
        severity: 'warning',
        path: 'metallb_config.address_pools.pool1',
        line: 5,
        hint: 'add it to metallb_config.layer2, or to the address_pool of a peer',
      },
    ]);
  });
});

describe('pools', () => {
  it.each([
    ['{ip_range: [10.5.0.0/16]}', pool(['10.5.0.0/16'])],
    ['{ip_range: [10.5.0.0/16], auto_assign: no}', pool(['10.5.0.0/16'], { autoAssign: false })],
    ['{ip_range: [10.5.0.0/16], auto_assign: "false"}', pool(['10.5.0.0/16'], { autoAssign: false })],
    ['{ip_range: [10.5.0.0/16], auto_assign: "no"}', pool(['10.5.0.0/16'], { autoAssign: false })],
    ['{ip_range: [10.5.0.0/16], avoid_buggy_ips: yes}', pool(['10.5.0.0/16'], { avoidBuggyIPs: true })],
    ['{ip_range: ["10.5.0.1 - 10.5.0.9"]}', pool(['10.5.0.1 - 10.5.0.9'])],
  ])('%s', (text, spec) => {
    const built = rendered(`${CONFIG}  address_pools:\n    x: ${text}\n`);
    expect(specs(built)['IPAddressPool x']).toEqual(spec);
    expect(told(built)).toEqual([]);
  });

  it.each([
    ['{}', ['4:8 error MissingKey metallb_config.address_pools.x.ip_range']],
    ['', ['4:8 error MissingKey metallb_config.address_pools.x.ip_range']],
    ['[10.5.0.0/16]', ['4:8 error WrongType metallb_config.address_pools.x']],
    ['{ip_range: 10.5.0.0/16}', ['4:19 error WrongType metallb_config.address_pools.x.ip_range']],
    ['{ip_range: []}', ['4:19 error PoolEmpty metallb_config.address_pools.x.ip_range']],
    ['{ip_range: ["{{ a }}"]}', ['4:20 error Unrendered metallb_config.address_pools.x.ip_range[0]']],
    ['{ip_range: [10.5.0.9]}', ['4:20 error PoolRangeInvalid metallb_config.address_pools.x.ip_range[0]']],
    // It is printed between quotes, blanks and all.
    [
      '{ip_range: [" 10.5.0.0/16"]}',
      ['4:20 error PoolRangeInvalid metallb_config.address_pools.x.ip_range[0]'],
    ],
    [
      '{ip_range: ["10.0.0.0/24,10.0.1.0/24"]}',
      ['4:20 error PoolRangeInvalid metallb_config.address_pools.x.ip_range[0]'],
    ],
    [
      '{ip_range: [10.5.0.0/16], auto_assign: 5}',
      ['4:47 error WrongType metallb_config.address_pools.x.auto_assign'],
    ],
    [
      '{ip_range: [10.5.0.0/16], autoAssign: false}',
      ['4:34 warning UnknownKey metallb_config.address_pools.x.autoAssign'],
    ],
  ])('%j', (text, problems) =>
    expect(told(rendered(`${CONFIG}  address_pools:\n    x: ${text}\n`))).toEqual(problems),
  );

  it('keep their names, and one that Kubernetes does not take is refused with a better one', () => {
    const built = rendered(`${CONFIG}  address_pools:\n    my_pool: {ip_range: [10.5.0.0/16]}\n`);
    expect(built.problems).toMatchObject([
      { code: 'InvalidName', path: 'metallb_config.address_pools.my_pool', hint: '"my-pool" would do' },
    ]);
  });
});

describe('layer 2', () => {
  it.each([
    ['[pool1, pool1]', ['6:19 warning NameDuplicate metallb_config.layer2[1]']],
    ['[5]', ['6:12 error WrongType metallb_config.layer2[0]']],
    ['pool1', ['6:11 error WrongType metallb_config.layer2']],
    ['["{{ pool }}"]', ['6:12 error Unrendered metallb_config.layer2[0]']],
    ['', []],
  ])('%s', (text, problems) => expect(told(rendered(`${ONE}  layer2: ${text}\n`))).toEqual(problems));

  it('names a pool that is not there: a warning', () => {
    const built = rendered(`${ONE}  layer2: [pool1, pol2]\n`);
    const settled = settle({ instance: 'herald', built: [built], live: [], check: readers });
    expect(settled.verdicts[0]?.problems).toMatchObject([
      { code: 'UnknownPool', severity: 'warning', path: 'metallb_config.layer2[1]', line: 6, column: 19 },
    ]);
  });
});

describe('layer 3', () => {
  it('sets what a peer says, before the defaults', () => {
    const built = rendered(
      peer(
        '        peer_port: "1179"\n        hold_time: 9s\n        router_id: 10.0.0.9\n        multihop: yes\n        password: "x\\"\\\\$"\n',
      ),
    );
    expect(specs(built)['BGPPeer peer1']).toEqual({
      ...PEER1,
      peerPort: 1179,
      holdTime: '9s',
      routerID: '10.0.0.9',
      ebgpMultiHop: true,
      passwordSecret: { name: 'herald-peer-peer1', namespace: TARGET.namespace },
    });
    const secret = built.objects.find((o) => o.kind.kind === 'Secret');
    expect(secret && openContent(secret.content).data).toEqual({
      password: Buffer.from('x"\\$').toString('base64'),
    });
  });

  it('announces an aggregate to the outside and the addresses to the peer alone', () => {
    const built = rendered(peer('        aggregation_length: 24\n        communities: ["1:2", no-export]\n'));
    const lengths = { ...LENGTHS, ipAddressPools: ['pool1'] };
    expect(specs(built)).toMatchObject({
      'BGPAdvertisement peer1-local': { ...lengths, communities: ['no-advertise'], localPref: 100 },
      'BGPAdvertisement peer1-external': {
        ...lengths,
        aggregationLength: 24,
        communities: ['1:2', 'no-export'],
      },
    });
    const own = rendered(peer('        aggregation_length: 30\n        localpref: "250"\n'));
    expect(specs(own)['BGPAdvertisement peer1-local']).toMatchObject({ localPref: 250 });
    expect(specs(own)['BGPAdvertisement peer1-external']).not.toHaveProperty('localPref');
  });

  it('gives every alias an object, and leaves out of the well-known ones what is defined already', () => {
    const text = peer().replace(
      '    metallb_peers',
      '    communities: {NO_ADVERTISE: "65535:65282", nopeer: "1:2"}\n    metallb_peers',
    );
    expect(specs(rendered(text))).toMatchObject({
      'Community no-advertise': { communities: [{ name: 'NO_ADVERTISE', value: '65535:65282' }] },
      'Community nopeer': { communities: [{ name: 'nopeer', value: '1:2' }] },
      'Community well-known': { communities: WELL_KNOWN.communities.slice(0, 3) },
    });
  });

  it.each([
    // PyYAML counts it in base 60.
    ['{vpn-only: 1234:1}', ['8:29 error ReadOtherwise metallb_config.layer3.communities.vpn-only']],
    ['{x: 65535:65282}', []],
    ['{a_b: "1:2", a-b: "1:3"}', ['8:36 error NameCollision metallb_config.layer3.communities.a-b']],
    ['{x: "1:2:3"}', ['8:22 error CommunityInvalid metallb_config.layer3.communities.x']],
    ['{x: "{{ c }}"}', ['8:22 error Unrendered metallb_config.layer3.communities.x']],
    ['[x]', ['8:18 error WrongType metallb_config.layer3.communities']],
  ])('communities %s', (text, problems) => {
    const layer3 = peer().replace('    metallb_peers', `    communities: ${text}\n    metallb_peers`);
    expect(told(rendered(layer3))).toEqual(problems);
  });

  it.each([
    ['aggregation_length: 32', [`14:29 warning NoEffect ${PATH}.peer1.aggregation_length`]],
    ['aggregation_length: "24"', [`14:29 error WrongType ${PATH}.peer1.aggregation_length`]],
    ['aggregation_length: 0', [`14:29 error InvalidValue ${PATH}.peer1.aggregation_length`]],
    ['localpref: 200', [`14:20 warning NoEffect ${PATH}.peer1.localpref`]],
    ['source_address: 10.0.0.1', [`14:25 warning NoEffect ${PATH}.peer1.source_address`]],
    ['hold_time: 90', [`14:20 error WrongType ${PATH}.peer1.hold_time`]],
    ['hold_time: "90"', [`14:20 error WrongType ${PATH}.peer1.hold_time`]],
    ['hold_time: 2s', [`14:20 error PeerInvalid ${PATH}.peer1.hold_time`]],
    ['router_id: "{{ ip }}"', [`14:20 error Unrendered ${PATH}.peer1.router_id`]],
    ['password: 0123', [`14:19 warning ReadOtherwise ${PATH}.peer1.password`]],
    ['communities: [1234:1]', [`14:23 error ReadOtherwise ${PATH}.peer1.communities[0]`]],
    ['communities: no-export', [`14:22 error WrongType ${PATH}.peer1.communities`]],
    ['communitys: [no-export]', [`14:9 warning UnknownKey ${PATH}.peer1.communitys`]],
    ['bfd: x', [`14:9 warning UnknownKey ${PATH}.peer1.bfd`]],
  ])('a peer with %s', (more, problems) =>
    expect(told(rendered(peer(`        ${more}\n`)))).toEqual(problems),
  );

  it('wants all that the template wants', () => {
    const text = `${ONE}  layer3:\n    metallb_peers:\n      peer1: {peer_address: 10.6.0.1, my_asn: 1}\n      peer2:\n`;
    expect(told(rendered(text))).toEqual([
      `8:14 error MissingKey ${PATH}.peer1.peer_asn`,
      `8:14 error MissingKey ${PATH}.peer1.address_pool`,
      `8:14 error MissingKey ${PATH}.peer1.peer_port`,
      ...['peer_address', 'peer_asn', 'my_asn', 'address_pool', 'peer_port'].map(
        (key) => `9:13 error MissingKey ${PATH}.peer2.${key}`,
      ),
    ]);
    expect(told(rendered(`${ONE}  layer3: {defaults: {}}\n`))).toEqual([
      '6:11 error MissingKey metallb_config.layer3.metallb_peers',
    ]);
    expect(told(rendered(`${ONE}  layer3: {metallb_peers: [{peer_address: x}]}\n`))).toEqual([
      '6:27 error WrongType metallb_config.layer3.metallb_peers',
    ]);
  });

  it('shows which peers of one pool contradict each other', () => {
    const second = `      peer2:
        peer_address: 10.6.0.2
        peer_asn: 64513
        my_asn: 4200000000
        address_pool: [pool1]
`;
    const built = rendered(peer(`        aggregation_length: 24\n${second}`));
    const [clash, ...others] = built.problems.filter((p) => p.code === 'LocalPrefClash');
    expect(others).toEqual([]);
    expect(clash?.path).toBe(`${PATH}.peer2.localpref`);
    expect(clash?.message).toContain(`${PATH}.peer1.localpref`);
    expect(clash?.hint).toBeDefined();
    // Both told alike, they agree.
    expect(
      told(rendered(peer(`        aggregation_length: 24\n${second}        aggregation_length: 24\n`))),
    ).toEqual([]);
  });
});

describe('the file', () => {
  it.each([
    [
      'metallb_enabled: false\nmetallb_config: {address_pools: {x: {}}}',
      ['1:18 notice EmptySource metallb_enabled'],
    ],
    ['metallb_config: {}', ['1:1 warning Assumed metallb_enabled', '1:17 notice EmptySource metallb_config']],
    [`${ON}metallb_config:`, ['2:16 notice EmptySource metallb_config']],
    [`${ON}metallb_config: [x]`, ['2:17 error WrongType metallb_config']],
    [`${ON}metallb_config: "{{ lb }}"`, ['2:17 error Unrendered metallb_config']],
    [`${ONE}metallb_ip_range: [x]`, ['6:19 warning NoEffect metallb_ip_range']],
    [`${ONE}metallb_protocol: layer2\nmetallb_version: v0.13.9`, []],
    [`${ONE}  addres_pools: {}`, ['6:3 warning UnknownKey metallb_config.addres_pools']],
    [`${ONE}metallb_confg: {}`, ['6:1 warning UnknownKey metallb_confg']],
    [`${ONE}metallb_namespace: lb`, ['6:20 notice NoEffect metallb_namespace']],
    [
      `${ONE}metallb_config: {layer2: []}`,
      ['6:1 warning DuplicateKey metallb_config', '6:17 notice EmptySource metallb_config'],
    ],
    [`${ONE}pools: {x: {addresses: []}}`, ['6:8 error AmbiguousDialect pools']],
    [`${ONE}iprange: 10.0.0.0/24`, ['6:10 error AmbiguousDialect iprange']],
  ])('%j', (text, problems) => {
    expect(told(rendered(`${text}\n`))).toEqual(problems);
  });

  it('gives its settings as those of our chart', () => {
    const text = `${ONE}  speaker: {nodeselector: {a: b}, tolerations: [], replicas: 3}
  controller: {}
metallb_loadbalancer_class: metallb
metallb_log_level: warn
`;
    expect(rendered(text).settings).toEqual({
      loadBalancerClass: 'metallb',
      controller: { logLevel: 'warn' },
      speaker: { nodeSelector: { a: 'b' }, tolerations: [], logLevel: 'warn' },
    });
    expect(rendered(`${ONE}metallb_loadbalancer_class: ""\n`).settings).toBeUndefined();
  });

  it('renders pools alone where there are no speakers', () => {
    const built = rendered(`${peer()}  layer2: [pool1]\nmetallb_speaker_enabled: false\n`);
    expect(specs(built)).toEqual({ 'IPAddressPool pool1': pool(['10.6.0.0/16']) });
    expect(told(built)).toEqual(['15:26 notice LeftToOthers metallb_speaker_enabled']);
    expect(built.elsewhere).toBe(true);
  });

  it('is read in its own types where Helm has read it already', () => {
    const values = {
      metallb_enabled: true,
      metallb_config: {
        address_pools: { x: { ip_range: ['10.5.0.0/16'] } },
        layer2: ['x'],
        layer3: { communities: { c: '1234:1' }, metallb_peers: {} },
      },
    };
    const built = build(source(values), TARGET);
    expect(told(built)).toEqual([]);
    expect(specs(built)['Community c']).toEqual({ communities: [{ name: 'c', value: '1234:1' }] });
  });
});

describe.skipIf(!haveInputs)('a file of an operator', () => {
  it('is read among the variables of everything else', () => {
    const built = rendered(input('47-marvinpac-it-mvp-cluster/addons.yml'));
    expect(specs(built)).toEqual({
      'IPAddressPool primary': pool(['192.168.77.110-192.168.77.150']),
      'L2Advertisement primary': { ipAddressPools: ['primary'] },
    });
    expect(told(built)).toEqual([]);
    const toleration = {
      key: 'node-role.kubernetes.io/control-plane',
      operator: 'Equal',
      value: '',
      effect: 'NoSchedule',
    };
    const workload = { nodeSelector: { 'kubernetes.io/os': 'linux' }, tolerations: [toleration] };
    expect(built.settings).toEqual({ controller: workload, speaker: workload });
  });
});
