// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are a subject.
import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { idOf } from '../object.ts';
import { documents, rendered, specs, told } from './text.rig.ts';

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
      ['4:35 warning UnknownKey spec.autoAsign'],
    ],
    ['an unknown field beside the spec', `${POOL}specs: {}\n`, ['5:1 warning UnknownKey specs']],
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

describe('the document', () => {
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
});
