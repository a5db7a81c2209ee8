// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are a subject.
import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { idOf } from '../object.ts';
import { documents, haveInputs, input, rendered, specs, told } from './text.rig.ts';

/** The documents of a text as one source, as the carrier of files makes it; without lines. */
const file = (text: string, namespace = TARGET.namespace) =>
  build(source(documents(text), { secret: false, title: 'file.yaml' }), { ...TARGET, namespace });
const manifest = (kind: string, spec: string, more = '') =>
  `apiVersion: metallb.io/v1beta1\nkind: ${kind}\nmetadata: {name: web${more}}\nspec: ${spec}\n`;
const POOL = manifest('IPAddressPool', '{addresses: [192.0.2.0/24]}');
const peer = (version: string, more = '') =>
  `apiVersion: metallb.io/${version}\nkind: BGPPeer\nmetadata: {name: tor}\n` +
  `spec:\n  myASN: 64513\n  peerASN: 64512\n  peerAddress: 192.168.1.1\n${more}`;
const PEER = {
  myASN: 64513,
  peerASN: 64512,
  peerAddress: '192.168.1.1',
  peerPort: 179,
  disableMP: false,
  dualStackAddressFamily: false,
};

describe('objects of metallb.io', () => {
  it('are rendered as they stand, every kind', () => {
    const built = file(`
${manifest('IPAddressPool', '{addresses: [192.0.2.0/24], avoidBuggyIPs: true, serviceAllocation: {priority: 5}}')}---
${manifest('L2Advertisement', '{ipAddressPools: [web], interfaces: [eth0]}')}---
${manifest('BGPAdvertisement', '{peers: [tor], communities: [mine], localPref: 7}')}---
${manifest('BFDProfile', '{receiveInterval: 100}')}---
${manifest('Community', '{communities: [{name: mine, value: "1:2"}]}')}---
${peer('v1beta2', '  holdTime: 120s\n')}`);
    expect(built.dialect).toBe('objects');
    expect(specs(built)).toEqual({
      'IPAddressPool web': {
        addresses: ['192.0.2.0/24'],
        autoAssign: true,
        avoidBuggyIPs: true,
        serviceAllocation: { priority: 5 },
      },
      'L2Advertisement web': { ipAddressPools: ['web'], interfaces: ['eth0'] },
      'BGPAdvertisement web': {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        peers: ['tor'],
        communities: ['mine'],
        localPref: 7,
      },
      'BFDProfile web': { receiveInterval: 100 },
      'Community web': { communities: [{ name: 'mine', value: '1:2' }] },
      'BGPPeer tor': { ...PEER, holdTime: '120s' },
    });
  });

  it('may stand alone, in a List, and without a spec', () => {
    expect(rendered(POOL).objects.map(idOf)).toEqual(['IPAddressPool web']);
    const list =
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: metallb.io/v1beta1\n  kind: L2Advertisement\n  metadata: {name: all}\n';
    expect(specs(rendered(list))).toEqual({ 'L2Advertisement all': {} });
    expect(specs(file(`${list}---\n${POOL}`))).toMatchObject({ 'IPAddressPool web': {} });
    expect(told(rendered(list.replace('{name: all}', '{name: all}\n  spec:')))).toEqual([]);
  });

  it('are found inside the values of wrapper charts', () => {
    const built = rendered(`
metallb: {controller: {logLevel: debug}}
raw:
  resources:
    - apiVersion: metallb.io/v1beta1
      kind: IPAddressPool
      metadata: {name: web}
      spec: {addresses: [192.0.2.300/24]}
`);
    expect(told(built)).toEqual(['8:26 error PoolRangeInvalid raw.resources[0].spec.addresses[0]']);
  });

  it('keep their labels and annotations, without those by which others know what is theirs', () => {
    const meta = `, labels: {team: a, app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: x,
        kustomize.toolkit.fluxcd.io/name: apps, helm.toolkit.fluxcd.io/name: m, helm.sh/chart: m-1},
      annotations: {note: b, meta.helm.sh/release-name: m, kustomize.toolkit.fluxcd.io/prune: disabled,
        kubectl.kubernetes.io/last-applied-configuration: "{}", argocd.argoproj.io/tracking-id: t,
        herald.io/from: lie}`;
    const [pool] = file(manifest('IPAddressPool', '{addresses: [192.0.2.0/24]}', meta)).objects;
    expect(pool?.labels).toEqual({
      team: 'a',
      'app.kubernetes.io/instance': 'x',
      'herald.io/instance': 'herald',
    });
    expect(pool?.annotations).toEqual({
      note: 'b',
      'herald.io/from': 'herald#[0]',
      'herald.io/extra-metadata': 'annotation note, label app.kubernetes.io/instance, label team',
    });
  });

  it('say in an annotation what may happen when they change', () => {
    const meta = (policy: string) => `, annotations: {herald.io/on-change: ${policy}}`;
    const [pool] = file(manifest('IPAddressPool', '{addresses: [192.0.2.0/24]}', meta('drain'))).objects;
    expect(pool?.annotations['herald.io/on-change']).toBe('drain');
    expect(told(file(manifest('IPAddressPool', '{addresses: [192.0.2.0/24]}', meta('drian'))))).toEqual([
      'error InvalidValue [0].metadata.annotations["herald.io/on-change"]',
    ]);
  });

  it('are read as Go reads them', () => {
    const text = manifest('IPAddressPool', '{addresses: [192.0.2.0/24], autoAssign: no}');
    expect(specs(rendered(text))).toMatchObject({ 'IPAddressPool web': { autoAssign: false } });
  });
});

describe('mistakes in objects', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'an unknown field',
      manifest('IPAddressPool', '{addresses: [192.0.2.0/24], autoAsign: false}'),
      ['4:46 warning UnknownKey spec.autoAsign'],
    ],
    ['an unknown field beside the spec', `${POOL}specs: {}\n`, ['5:8 warning UnknownKey specs']],
    ['no addresses', manifest('IPAddressPool', '{}'), ['4:7 error MissingKey spec.addresses']],
    ['no spec', POOL.replace(/spec:.*\n/, ''), ['1:1 error MissingKey spec.addresses']],
    [
      'a spec that is no map',
      manifest('IPAddressPool', '[]'),
      ['4:7 error WrongType spec', '4:7 error MissingKey spec.addresses'],
    ],
    [
      'a list where text is wanted',
      manifest('BGPAdvertisement', '{peers: [{peer-address: 10.0.0.1, peer-asn: 64501}]}'),
      ['4:16 error WrongType spec.peers[0]'],
    ],
    [
      'a password that is a number',
      peer('v1beta2', '  password: 0123\n'),
      ['8:13 error WrongType spec.password'],
    ],
    [
      'a gap in a list',
      manifest('IPAddressPool', '{addresses: [~]}'),
      ['4:20 error WrongType spec.addresses[0]'],
    ],
    ['no name', POOL.replace('{name: web}', '{}'), ['3:11 error MissingKey metadata.name']],
    [
      'a name that is none',
      POOL.replace('name: web', 'name: My_Pool'),
      ['3:18 error InvalidName metadata.name'],
    ],
    [
      'another namespace',
      POOL.replace('name: web', 'name: web, namespace: networking'),
      ['3:34 error WrongNamespace metadata.namespace'],
    ],
    [
      'a label that is no text',
      POOL.replace('name: web', 'name: web, labels: {a: 1, b: yes}'),
      ['3:35 error WrongType metadata.labels.a', '3:41 error WrongType metadata.labels.b'],
    ],
    [
      'a kind that is misspelt',
      POOL.replace('IPAddressPool', 'IpAddressPool'),
      ['2:7 error UnknownKind kind'],
    ],
    ['a version that is none', POOL.replace('v1beta1', 'v1'), ['1:13 error UnknownVersion apiVersion']],
    [
      'v1beta2 of what is v1beta1',
      POOL.replace('v1beta1', 'v1beta2'),
      ['1:13 error UnknownVersion apiVersion'],
    ],
    ['a key that stands twice', `${POOL}kind: IPAddressPool\n`, ['5:1 error DuplicateKey kind']],
    [
      'a placeholder',
      manifest('IPAddressPool', '{addresses: ["${RANGE}", 192.0.2.300/24]}'),
      ['4:20 error Unrendered spec.addresses[0]', '4:32 error PoolRangeInvalid spec.addresses[1]'],
    ],
    [
      'placeholders in the header',
      POOL.replace('name: web', 'name: $name, namespace: $ns'),
      ['3:36 error Unrendered metadata.namespace', '3:18 error Unrendered metadata.name'],
    ],
  ])('%s', (_what, text, expected) => expect(told(rendered(text))).toEqual(expected));

  it('come with the mend', () => {
    const hint = (text: string) => rendered(text).problems[0]?.hint;
    expect(hint(POOL.replace('IPAddressPool', 'IpAddressPool'))).toBe('did you mean "IPAddressPool"?');
    expect(hint(POOL.replace('v1beta1', 'v1'))).toBe('write metallb.io/v1beta1');
    expect(hint(POOL.replace('addresses:', 'addreses:'))).toBe('did you mean "addresses"?');
    expect(hint(POOL.replace('name: web', 'name: web, namespace: x'))).toContain('metallb-system');
  });

  it('are told of every document, each named', () => {
    const built = file(
      `${POOL}---\n${POOL}---\n${manifest('IPAddressPool', '{addresses: [10.0.0.1]}', '2')}`,
    );
    expect(built.problems.map((p) => [p.code, p.object, p.path])).toEqual([
      ['NameCollision', 'IPAddressPool web', '[1].metadata.name'],
      ['PoolRangeInvalid', 'IPAddressPool web2', '[2].spec.addresses[0]'],
      ['PoolOverlap', 'IPAddressPool web', '[1].spec.addresses[0]'],
    ]);
  });

  it('is no object of Herald’s namespace where that is another one', () => {
    const text = POOL.replace('name: web', 'name: web, namespace: networking');
    expect(told(file(text, 'networking'))).toEqual([]);
    expect(file(text, 'networking').objects[0]?.namespace).toBe('networking');
  });
});

describe('objects that are left alone', () => {
  it.each(['ServiceL2Status', 'ServiceBGPStatus', 'ConfigurationState'])('%s', (kind) => {
    expect(told(file(`${manifest(kind, '{}')}---\n${POOL}`))).toEqual(['notice NoEffect [0].kind']);
  });

  it('those of herald.io', () => {
    const plan = 'apiVersion: herald.io/v1alpha1\nkind: ConfigSource\nmetadata: {name: x}\nspec: {}\n';
    expect(told(file(`${POOL}---\n${plan}`))).toEqual(['notice NoEffect [1].kind']);
  });

  it('those of other groups, without a word', () => {
    const other = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: metallb-system}\n';
    expect(told(file(`${other}---\n${POOL}`))).toEqual([]);
  });

  it('are nothing at all in an empty list', () => {
    expect(told(rendered('[]'))).toEqual(['1:1 notice EmptySource ']);
  });
});

describe('a BGPPeer of v1beta1', () => {
  it('becomes one of v1beta2 without timers, which is told', () => {
    const built = rendered(peer('v1beta1'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': PEER });
    expect(told(built)).toEqual(['5:3 notice Assumed spec']);
    expect(built.problems[0]?.message).toContain('holdTime and keepaliveTime stay unset');
  });

  it('keeps the timers that it has', () => {
    const built = rendered(peer('v1beta1', '  holdTime: 1m30s\n  keepaliveTime: 0s\n'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': { ...PEER, holdTime: '1m30s', keepaliveTime: '0s' } });
    expect(told(built)).toEqual([]);
  });

  it('takes a port of 0 for the default', () => {
    const built = rendered(peer('v1beta1', '  peerPort: 0\n'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': PEER });
    expect(told(rendered(peer('v1beta2', '  peerPort: 0\n')))).toEqual([
      '8:13 error InvalidValue spec.peerPort',
    ]);
  });

  it('keeps node selectors, and cannot select by a label’s being there', () => {
    const selectors = (expression: string) =>
      peer(
        'v1beta1',
        `  holdTime: 3s\n  keepaliveTime: 1s\n  nodeSelectors: [{matchExpressions: [${expression}]}]\n`,
      );
    const good = rendered(selectors('{key: a, operator: In, values: [b]}'));
    expect(specs(good)).toMatchObject({
      'BGPPeer tor': { nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
    });
    const path = 'spec.nodeSelectors[0].matchExpressions[0].values';
    expect(told(rendered(selectors('{key: a, operator: Exists}')))).toContain(
      `10:39 error InvalidValue ${path}`,
    );
    expect(told(rendered(selectors('{key: a, operator: Exists, values: []}')))).toContain(
      `10:74 error InvalidValue ${path}`,
    );
  });

  it('does not know what came with v1beta2', () => {
    const built = rendered(peer('v1beta1', '  holdTime: 3s\n  keepaliveTime: 0s\n  vrf: red\n'));
    expect(specs(built)).toEqual({ 'BGPPeer tor': { ...PEER, holdTime: '3s', keepaliveTime: '0s' } });
    expect(told(built)).toEqual(['10:8 warning UnknownKey spec.vrf']);
    expect(built.problems[0]?.hint).toContain('v1beta2');
  });
});

describe('an empty passwordSecret', () => {
  it('is none', () => {
    const built = rendered(peer('v1beta2', '  passwordSecret: {}\n'));
    expect(told(built)).toEqual([]);
    expect(specs(built)).toEqual({ 'BGPPeer tor': PEER });
  });
});

describe('an AddressPool', () => {
  const pool = (spec: string, version = 'v1beta1') =>
    `apiVersion: metallb.io/${version}\nkind: AddressPool\nmetadata: {name: doc-example}\nspec: ${spec}\n`;

  it('becomes a pool and its announcement on the local network', () => {
    const built = rendered(
      pool(
        '{protocol: layer2, addresses: [203.0.113.1-203.0.113.10, 203.0.113.65-203.0.113.75], autoAssign: false}',
      ),
    );
    expect(specs(built)).toEqual({
      'IPAddressPool doc-example': {
        addresses: ['203.0.113.1-203.0.113.10', '203.0.113.65-203.0.113.75'],
        autoAssign: false,
        avoidBuggyIPs: false,
      },
      'L2Advertisement doc-example-l2': { ipAddressPools: ['doc-example'] },
    });
    expect(told(built)).toEqual([]);
  });

  it('becomes a pool and its BGP advertisements, counted from 1', () => {
    const ad = { aggregationLength: 32, aggregationLengthV6: 128, ipAddressPools: ['doc-example'] };
    expect(specs(rendered(pool('{protocol: bgp, addresses: [203.0.113.0/24]}')))).toMatchObject({
      'BGPAdvertisement doc-example-bgp-1': ad,
    });
    const several =
      '{protocol: bgp, addresses: [203.0.113.0/24], bgpAdvertisements: [{localPref: 100, communities: ["1:2"]}, {aggregationLength: 24}]}';
    expect(specs(rendered(pool(several)))).toMatchObject({
      'BGPAdvertisement doc-example-bgp-1': { ...ad, localPref: 100, communities: ['1:2'] },
      'BGPAdvertisement doc-example-bgp-2': { ...ad, aggregationLength: 24 },
    });
  });

  it('may list single addresses', () => {
    const built = rendered(pool('{protocol: layer2, addresses: [203.0.113.9, "2001:db8::1"]}'));
    expect(specs(built)).toMatchObject({
      'IPAddressPool doc-example': { addresses: ['203.0.113.9/32', '2001:db8::1/128'] },
    });
    expect(told(built)).toEqual([
      '4:38 notice AddressWidened spec.addresses[0]',
      '4:51 notice AddressWidened spec.addresses[1]',
    ]);
  });

  it('may have a second name in v1alpha1', () => {
    const named = (version: string) =>
      rendered(pool('{name: other, protocol: layer2, addresses: [203.0.113.0/24]}', version));
    expect(named('v1alpha1').objects.map(idOf)).toEqual(['IPAddressPool other', 'L2Advertisement other-l2']);
    expect(named('v1beta1').objects.map(idOf)[0]).toBe('IPAddressPool doc-example');
    expect(told(named('v1beta1'))).toEqual(['4:14 warning UnknownKey spec.name']);
  });

  it.each<[string, string, readonly string[]]>([
    ['without protocol', '{addresses: [203.0.113.0/24]}', ['4:7 error MissingKey spec.protocol']],
    [
      'of another protocol',
      '{protocol: l2, addresses: [203.0.113.0/24]}',
      ['4:18 error InvalidValue spec.protocol'],
    ],
    ['without addresses', '{protocol: layer2}', ['4:7 error MissingKey spec.addresses']],
    [
      'with advertisements on layer2',
      '{protocol: layer2, addresses: [203.0.113.0/24], bgpAdvertisements: [{}]}',
      ['4:74 error ProtocolMismatch spec.bgpAdvertisements'],
    ],
    [
      'with an alias for a community',
      '{protocol: bgp, addresses: [203.0.113.0/24], bgpAdvertisements: [{communities: [no-export]}]}',
      ['4:87 error CommunityInvalid spec.bgpAdvertisements[0].communities[0]'],
    ],
    [
      'with a field of IPAddressPool',
      '{protocol: layer2, addresses: [203.0.113.0/24], avoidBuggyIPs: true}',
      ['4:70 warning UnknownKey spec.avoidBuggyIPs'],
    ],
    [
      'with a switch in quotes',
      '{protocol: layer2, addresses: [203.0.113.0/24], autoAssign: "no"}',
      ['4:67 error WrongType spec.autoAssign'],
    ],
    [
      'with too wide an aggregation',
      '{protocol: bgp, addresses: [203.0.113.0/24], bgpAdvertisements: [{aggregationLength: 20}]}',
      ['4:92 error AggregationInvalid spec.bgpAdvertisements[0].aggregationLength'],
    ],
    [
      'with a range that is none',
      '{protocol: layer2, addresses: [203.0.113.0/33]}',
      ['4:38 error PoolRangeInvalid spec.addresses[0]'],
    ],
  ])('%s', (_what, spec, expected) => {
    const built = rendered(pool(spec));
    expect(told(built)).toEqual(expected);
    expect(new Set(built.problems.map((p) => p.object))).toEqual(new Set(['AddressPool doc-example']));
  });

  it('shares the names of pools with IPAddressPools', () => {
    const both = `${pool('{protocol: layer2, addresses: [203.0.113.0/24]}')}---\n${POOL.replace('web', 'doc-example')}`;
    expect(told(file(both))).toEqual(['error NameCollision [1].metadata.name']);
  });
});

describe('the documents', () => {
  it('of openCenter: pool, advertisements and a peer of v1beta1', () => {
    const text = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: default-pool
  namespace: metallb-system
spec:
  addresses:
    - 192.168.12.100-192.168.12.120
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata:
  name: default
  namespace: metallb-system
spec:
  ipAddressPools:
    - default-pool
---
apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata:
  name: tor-switch
  namespace: metallb-system
spec:
  myASN: 64513
  peerASN: 64512
  peerAddress: 192.168.1.1
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata:
  name: default
  namespace: metallb-system
spec:
  ipAddressPools:
    - default-pool
`;
    const built = file(text);
    expect(specs(built)).toEqual({
      'IPAddressPool default-pool': {
        addresses: ['192.168.12.100-192.168.12.120'],
        autoAssign: true,
        avoidBuggyIPs: false,
      },
      'L2Advertisement default': { ipAddressPools: ['default-pool'] },
      'BGPPeer tor-switch': PEER,
      'BGPAdvertisement default': {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        ipAddressPools: ['default-pool'],
      },
    });
    expect(told(built)).toEqual(['notice Assumed [2].spec']);
  });

  it('of OpenShift: several pools, one of IPv6, one reserved', () => {
    const pool = (name: string, spec: string) =>
      `apiVersion: metallb.io/v1alpha1\nkind: AddressPool\nmetadata: {namespace: metallb-system, name: ${name}}\nspec: ${spec}\n`;
    const built = file(
      [
        pool('doc-example', '{protocol: layer2, addresses: [203.0.113.1-203.0.113.10]}'),
        pool('doc-example-reserved', '{protocol: layer2, addresses: [10.0.100.0/28], autoAssign: false}'),
        pool(
          'doc-example-ipv6',
          '{protocol: layer2, addresses: ["10.0.200.0/24", "fc00:f853:ccd:e799::/124"]}',
        ),
      ].join('---\n'),
    );
    expect(told(built)).toEqual([]);
    expect(built.objects.map(idOf)).toEqual([
      'IPAddressPool doc-example',
      'L2Advertisement doc-example-l2',
      'IPAddressPool doc-example-reserved',
      'L2Advertisement doc-example-reserved-l2',
      'IPAddressPool doc-example-ipv6',
      'L2Advertisement doc-example-ipv6-l2',
    ]);
  });
});

describe.skipIf(!haveInputs)('real manifests (../shared/inputs)', () => {
  const read = (paths: readonly string[], namespace?: string) =>
    file(paths.map((path) => input(path)).join('\n---\n'), namespace);
  const pool = (addresses: readonly string[], more: object = {}) => ({
    addresses,
    autoAssign: true,
    avoidBuggyIPs: false,
    ...more,
  });
  const BGP = { aggregationLength: 32, aggregationLengthV6: 128 };

  it.each<[string, readonly string[], string | undefined, Readonly<Record<string, unknown>>]>([
    [
      '14: an advertisement without spec',
      ['14-mchestr-home-cluster/ip-address-pool/ipaddresspool.yaml'],
      undefined,
      {
        'IPAddressPool default': pool(['192.168.1.220-192.168.1.240'], { autoAssign: false }),
        'L2Advertisement default': {},
      },
    ],
    [
      '17: beside a HelmRelease, in a namespace of its own',
      ['17-cloudlabs-ufscar-incus-sidecar/metallb.yaml'],
      'loadbalance',
      {
        'IPAddressPool incus': pool(['192.168.200.99/32']),
        'IPAddressPool openstack': pool(['192.168.100.99/32']),
        'L2Advertisement default-l2': { ipAddressPools: ['incus', 'openstack'] },
      },
    ],
    [
      '24: a range of IPv6',
      ['24-th3link-hyrule/metallb.yaml'],
      'metallb',
      {
        'IPAddressPool default': pool(['192.168.178.210-192.168.178.229', 'fd00::210-fd00::229']),
        'L2Advertisement default': {},
      },
    ],
    [
      '25: a single address and a range',
      ['25-ii-fop-infra/metallb-config.yaml'],
      undefined,
      {
        'IPAddressPool default': pool(['192.168.1.145/32', '192.168.1.151-192.168.1.160']),
        'L2Advertisement default': {},
      },
    ],
    [
      '26: both protocols side by side',
      ['26-linuxmaniac-home-ops/metallb.yaml'],
      undefined,
      {
        'BGPPeer opnsense': { ...PEER, myASN: 64500, peerASN: 64501, peerAddress: '192.168.4.1' },
        'IPAddressPool external-pool': pool(['192.168.5.225-192.168.5.254']),
        'IPAddressPool internal-pool': pool(['192.168.4.240-192.168.4.250']),
        'L2Advertisement pk8s-internal': { ipAddressPools: ['internal-pool'] },
        'BGPAdvertisement metallb-external': { ...BGP, ipAddressPools: ['external-pool'] },
      },
    ],
    [
      '27: one pool by both protocols',
      ['27-tobimichael96-kube-config/config.yaml'],
      'metallb',
      {
        'IPAddressPool default': pool(['192.168.178.120/32']),
        'L2Advertisement default': { ipAddressPools: ['default'] },
        'BGPAdvertisement default': { ...BGP, ipAddressPools: ['default'] },
      },
    ],
    [
      '29: three files',
      [
        '29-idiot29-labz/ipaddresspool.yaml',
        '29-idiot29-labz/bgppeer.yaml',
        '29-idiot29-labz/bgpadvertisement.yaml',
      ],
      undefined,
      {
        'IPAddressPool inf-monitoring-pool': pool(['10.10.0.250-10.10.0.254']),
        'BGPPeer bgp-peer': { ...PEER, myASN: 64501, peerASN: 64500, peerAddress: '10.10.0.242' },
        'BGPAdvertisement bgp-advertisement': { ...BGP, ipAddressPools: ['inf-monitoring-pool'] },
      },
    ],
    [
      '30: four files, addresses that end in .255',
      [
        '30-binaryman32-argocd/default-address-pool.yaml',
        '30-binaryman32-argocd/reserved-l2advertisement.yaml',
        '30-binaryman32-argocd/default-l2advertisement.yaml',
        '30-binaryman32-argocd/reserved-address-pool.yaml',
      ],
      undefined,
      {
        'IPAddressPool default': pool(['192.168.8.110-192.168.8.255'], { avoidBuggyIPs: true }),
        'L2Advertisement reserved': { ipAddressPools: ['reserved'] },
        'L2Advertisement default': { ipAddressPools: ['default'] },
        'IPAddressPool reserved': pool(['192.168.8.100-192.168.8.109'], {
          autoAssign: false,
          avoidBuggyIPs: true,
        }),
      },
    ],
    [
      '32: a range of one address',
      ['32-dayzpd-kustomize-metallb/mgmt/addresspools.yaml'],
      undefined,
      {
        'IPAddressPool default-addresspool': pool(['10.202.76.100-10.202.76.100']),
        'L2Advertisement default-advertise-all-pools': {},
      },
    ],
    [
      '33: interfaces, comments everywhere',
      ['33-vespo92-open-platform-infra/config.yaml'],
      undefined,
      {
        'IPAddressPool shared-infra': pool(['10.0.16.0/24']),
        'L2Advertisement shared-infra-l2': { ipAddressPools: ['shared-infra'], interfaces: ['vlan101'] },
      },
    ],
    [
      '34: a public address',
      ['34-neuland-ingolstadt-flux-infra/metallb-config.yaml'],
      undefined,
      {
        'IPAddressPool floating-ip-pool': pool(['195.201.250.90/32']),
        'L2Advertisement floating-ip-advertisement': { ipAddressPools: ['floating-ip-pool'] },
      },
    ],
    [
      '35: a comment that is not ASCII',
      ['35-bansonj-gitops/metallb-config.yaml'],
      undefined,
      {
        'IPAddressPool first-pool': pool(['172.16.6.88-172.16.6.89']),
        'L2Advertisement example': { ipAddressPools: ['first-pool'] },
      },
    ],
    [
      '36: a session inside one AS',
      ['36-mpwsh-k3s-arm64/config.yaml'],
      undefined,
      {
        'BGPAdvertisement default': { ...BGP, ipAddressPools: ['default'] },
        'BGPPeer default': { ...PEER, myASN: 64512, peerASN: 64512, peerAddress: '192.168.1.1' },
        'IPAddressPool default': pool(['192.168.1.210-192.168.1.254'], { avoidBuggyIPs: true }),
      },
    ],
    [
      '44: three files of an Argo CD repository',
      [
        '44-lexfrei-k8s/L2Advertisement.yaml',
        '44-lexfrei-k8s/IPAddressPool-ingress.yaml',
        '44-lexfrei-k8s/IPAddressPool-default.yaml',
      ],
      undefined,
      {
        'L2Advertisement advertisement': {},
        'IPAddressPool ingress-pool': pool(['172.16.6.1/32']),
        'IPAddressPool default': pool(['172.16.6.2-172.16.6.100']),
      },
    ],
  ])('%s', (_what, paths, namespace, expected) => {
    const built = read(paths, namespace);
    expect(told(built)).toEqual([]);
    expect(specs(built)).toEqual(expected);
  });

  it('37: a variable, and a namespace that is not ours', () => {
    expect(told(read(['37-xunholy-k8s-gitops/ipaddresspool.yaml']))).toEqual([
      'error WrongNamespace [0].metadata.namespace',
      'error WrongNamespace [1].metadata.namespace',
      'error Unrendered [0].spec.addresses[0]',
    ]);
  });

  it('41: placeholders of a reference configuration, each named', () => {
    const at = (name: string) => `41-openshift-kni-telco-reference/${name}.yaml`;
    const found = (name: string) =>
      read([at(name)]).problems.map((p) => [p.path, p.message.split(' ').at(-1)]);
    expect(found('addr-pool')).toEqual([
      ['[0].metadata.name', '$name'],
      ['[0].spec.addresses[0]', '$pools'],
    ]);
    expect(found('bgp-peer')).toEqual([
      ['[0].metadata.name', '$name'],
      ['[0].spec.peerAddress', '$ip'],
      ['[0].spec.peerASN', '$peerasn'],
      ['[0].spec.myASN', '$myasn'],
      ['[0].spec.routerID', '$id'],
      ['[0].spec.bfdProfile', '$bfdprofile'],
      ['[0].spec.disableMP', '$disableMP'],
      ['[0].spec.peerPort', '$peerPort'],
    ]);
    expect(found('bgp-advr')).toEqual([
      ['[0].metadata.name', '$name'],
      ['[0].spec.ipAddressPools[0]', '$pool'],
      ['[0].spec.peers[0]', '$peers'],
      ['[0].spec.communities[0]', '$communities'],
    ]);
    expect(told(read([at('configurationstate'), at('metallb')]))).toEqual(['notice NoEffect [0].kind']);
  });

  it('43b: the operator’s object without spec, objects without namespace, a variable', () => {
    const built = read([
      '43b-angelnu-k8s-gitops/L2Advertisement.yaml',
      '43b-angelnu-k8s-gitops/IPAddressPool.yaml',
      '43b-angelnu-k8s-gitops/MetalLB.yaml',
    ]);
    expect(told(built)).toEqual(['error Unrendered [1].spec.addresses[0]']);
    expect(built.settings).toBeUndefined();
  });
});
