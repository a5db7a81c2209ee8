import { describe, expect, it } from 'vitest';
import { pictureOf } from './picture.ts';
import { asText } from './text.ts';
import { why } from './why.ts';

const SYSTEM = 'metallb-system';
const herald = (kind: string, name: string, spec: object) => ({
  apiVersion: 'herald.io/v1alpha1',
  kind,
  metadata: { name, namespace: SYSTEM },
  spec,
});
const metallb = (kind: string, name: string, more: object) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind,
  metadata: { name, namespace: SYSTEM },
  ...more,
});
const pool = (name: string, addresses: string[], more: object = {}) =>
  metallb('IPAddressPool', name, { spec: { addresses, ...more } });
const service = (
  name: string,
  o: { ip?: string; annotations?: object; spec?: object; says?: object } = {},
) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', annotations: o.annotations ?? {} },
  spec: {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9'],
    ports: [{ port: 80 }],
    ...o.spec,
  },
  status: {
    ...(o.ip && { loadBalancer: { ingress: [{ ip: o.ip }] } }),
    ...(o.says && { conditions: [o.says] }),
  },
});
const says = (status: string, reason: string, message: string) => ({
  type: 'herald.io/Allocated',
  status,
  reason,
  message,
  lastTransitionTime: '2026-05-01T10:00:00Z',
});
const node = (name: string, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});
const speaker = (on: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `speaker-${on}`,
    namespace: SYSTEM,
    labels: { 'app.kubernetes.io/component': 'speaker' },
  },
  spec: { nodeName: on },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});
const slice = (name: string, ...nodes: string[]) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
  endpoints: nodes.map((nodeName) => ({ addresses: ['10.1.0.1'], nodeName, conditions: { ready: true } })),
});
const announcedBy = (node: string) =>
  metallb('ServiceL2Status', `l2-${node}`, {
    status: { node, serviceName: 'web', serviceNamespace: 'shop', interfaces: [{ name: 'eth0' }] },
  });
const l2 = metallb('L2Advertisement', 'lan', { spec: {} });
const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

const told = (objects: readonly unknown[], o: { name?: string; lbClass?: string } = {}) => {
  const found = why(pictureOf(objects, { key: `shop/${o.name ?? 'web'}`, namespace: SYSTEM }), {
    lbClass: o.lbClass ?? '',
    now: new Date('2026-05-01T12:00:00Z'),
  });
  return found && { ...found, text: asText(found).split('\n') };
};

describe('herald why', () => {
  it('tells everything of a Service that has an address', () => {
    const found = told([
      shop,
      l2,
      node('n1'),
      node('n2', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }),
      speaker('n1'),
      speaker('n2'),
      slice('web', 'n1'),
      pool('web', ['192.0.2.0/30']),
      pool('dmz', ['198.51.100.0/30'], { autoAssign: false }),
      herald('AddressQuota', 'tenants', { addresses: 3, perNamespace: true }),
      herald('Reservation', 'web', { namespace: 'shop', service: 'web', addresses: ['192.0.2.2'] }),
      service('web', {
        ip: '192.0.2.1',
        says: says('True', 'OpenPool', '192.0.2.1 from pool web: lowest free'),
      }),
      service('other', { ip: '192.0.2.0' }),
      announcedBy('n1'),
    ]);
    expect(found?.text).toEqual([
      'shop/web: 192.0.2.1',
      '  192.0.2.1 from pool web: lowest free',
      '  condition OpenPool, since 2026-05-01T10:00:00Z',
      '',
      'Pools, in the order in which they are looked at:',
      '  web  reserved  has 192.0.2.1; asked anew: would give 192.0.2.2',
      '  dmz  -         only for Services that ask for it (autoAssign: false)',
      '',
      'Reservations:',
      '  web  keeps addresses for shop/web',
      '',
      'Quotas:',
      '  tenants  namespace shop has 2 of 3 addresses',
      '',
      'Announced by n1 (eth0): no other node can',
      '  n2  it is labelled exclude-from-external-load-balancers',
    ]);
    expect(found).toMatchObject({ state: 'Allocated', announcing: { owner: 'n1' }, remarks: [] });
  });

  it('tells why a Service waits, pool by pool', () => {
    const found = told([
      shop,
      l2,
      node('n1'),
      speaker('n1'),
      slice('web', 'n1'),
      pool('web', ['192.0.2.0/32']),
      pool('own', ['198.51.100.0/30'], { serviceAllocation: { namespaces: ['bank'] } }),
      service('other', { ip: '192.0.2.0' }),
      service('web', { says: says('False', 'NoRoom', 'no pool has a free IPv4 address for this Service') }),
    ]);
    expect(found?.text.slice(0, 8)).toEqual([
      'shop/web: no address',
      '  no pool has a free IPv4 address for this Service',
      '  condition NoRoom, since 2026-05-01T10:00:00Z',
      '',
      'Pools, in the order in which they are looked at:',
      '  web  open to all  pool web has no free IPv4 address',
      '  own  -            only for namespaces bank',
      '',
    ]);
    expect(found).toMatchObject({ state: 'Waiting', announcing: { because: 'it has no address' } });
  });

  it('tells that a quota is in the way', () => {
    const found = told([
      shop,
      pool('web', ['192.0.2.0/30']),
      herald('AddressQuota', 'one', { addresses: 1 }),
      service('other', { ip: '192.0.2.0' }),
      service('web'),
    ]);
    const text = 'quota one allows all namespaces together 1 address, and 1 is in use';
    expect(found).toMatchObject({ because: text, pools: [{ reason: 'QuotaExceeded', message: text }] });
  });

  it('tells what is kept back, as long as it is', () => {
    const quarantined = {
      'herald.io/quarantined': '192.0.2.0 2026-05-01T13:00:00Z printer, 192.0.2.1 2026-05-01T11:00:00Z',
    };
    const web = pool('web', ['192.0.2.0/30']);
    const found = told([
      shop,
      { ...web, metadata: { ...web.metadata, annotations: quarantined } },
      service('web'),
    ]);
    expect(found).toMatchObject({
      quarantined: [{ name: '192.0.2.0', text: 'printer, until 2026-05-01T13:00:00Z' }],
      pools: [{ offers: ['192.0.2.1'] }],
    });
    expect(found?.text).toContain('Kept back, as they are in use elsewhere:');
  });

  it('tells what the controller has not written yet', () => {
    const found = told([shop, pool('web', ['192.0.2.0/30']), service('web')]);
    expect(found?.remarks).toContain(
      'The status does not show it yet: the controller would say "192.0.2.0 from pool web: lowest free of a pool open to all".',
    );
  });

  it.each([
    ['another type', { type: 'ClusterIP' }, '', 'it is of type ClusterIP, not LoadBalancer'],
    [
      'another class',
      { loadBalancerClass: 'example.com/x' },
      '',
      'its loadBalancerClass is example.com/x; served are Services without one (--lb-class)',
    ],
    [
      'no class',
      {},
      'example.com/x',
      'its loadBalancerClass is absent; served are those of example.com/x (--lb-class)',
    ],
  ])('tells that a Service of %s is not served', (_, spec, lbClass, because) => {
    expect(told([shop, service('web', { spec })], { lbClass })).toMatchObject({
      state: 'NotServed',
      because,
    });
  });

  it('goes on with what the condition says while the objects are refused', () => {
    const found = told([
      shop,
      node('n1'),
      pool('a', ['192.0.2.0/30']),
      pool('b', ['192.0.2.0/31']),
      service('web', { ip: '192.0.2.0', says: says('True', 'OpenPool', 'as it was') }),
    ]);
    expect(found).toMatchObject({ because: 'as it was', pools: [] });
    expect(found?.remarks.join()).toMatch(
      /The controller refuses the present objects.*192\.0\.2\.0\/31 overlaps/,
    );
  });

  it.each([
    ['no advertisement', [slice('web', 'n1')], 'no L2Advertisement is for its pool, its labels and a node'],
    ['no endpoint', [l2, slice('other', 'n1')], 'no endpoint is ready, or no node can'],
  ])('tells why nobody announces: %s', (_, more, because) => {
    const found = told([
      shop,
      node('n1'),
      speaker('n1'),
      slice('else', 'n1'),
      pool('web', ['192.0.2.0/30']),
      service('web', { ip: '192.0.2.0' }),
      ...more,
    ]);
    expect(found?.announcing).toEqual({ because, others: [], reported: [] });
  });

  it('says what it takes for granted, and when a speaker is not of its opinion', () => {
    const found = told([
      shop,
      l2,
      node('n1'),
      pool('web', ['192.0.2.0/30']),
      service('web', { ip: '192.0.2.0' }),
    ]);
    expect(found?.remarks).toEqual([
      'Endpoints are not in the picture: taken as ready on every node.',
      'Speakers are not in the picture: taken as running on every node.',
    ]);
  });

  it.each([
    [
      'nobody, as speakers say',
      ['n1', 'n2'],
      [],
      'No speaker says so. One that takes over does within moments: look at the speaker of n2.',
    ],
    [
      'n1 (eth0), as speakers say',
      ['n1', 'n2'],
      ['n1'],
      'By what the API server knows it should be n2. Speakers that form a ring know of dead nodes and lost interfaces before it does; the Events of the Service say why it moved.',
    ],
    [
      'n1 (eth0), n2 (eth0), as speakers say',
      ['n1', 'n2'],
      ['n1', 'n2'],
      'n1 should not: a change of owner that is under way, or a status left behind by a speaker that is gone.',
    ],
    [
      'n2 (eth0), as speakers say',
      [],
      ['n2'],
      'By what the API server knows nobody should announce it: a change of owner that is under way, or a status left behind by a speaker that is gone.',
    ],
  ])('sets what speakers say against the election: %s', (by, endpoints, saying, difference) => {
    const found = told([
      shop,
      l2,
      ...['n1', 'n2'].flatMap((name) => [node(name), speaker(name)]),
      ...endpoints.map((name) => slice('web', name)),
      slice('else', 'n1'),
      pool('web', ['192.0.2.0/30']),
      service('web', { ip: '192.0.2.0' }),
      ...saying.map(announcedBy),
    ]);
    expect(found?.announcing?.difference).toBe(difference);
    const at = found?.text.indexOf(`Announced by ${by}`) ?? 0;
    expect(found?.text.slice(at + 1, at + 3).map((line) => line.replace(/(Elected \w+).*/, '$1'))).toEqual([
      `  ${difference}`,
      endpoints.length > 0 ? 'Elected n2' : 'Elected nobody',
    ]);
  });

  it('passes over a cordoned node', () => {
    const found = told([
      shop,
      l2,
      { ...node('n2'), spec: { unschedulable: true } },
      node('n1'),
      ...['n1', 'n2'].map(speaker),
      slice('web', 'n1'),
      pool('web', ['192.0.2.0/30']),
      service('web', { ip: '192.0.2.0' }),
    ]);
    expect(found?.announcing).toMatchObject({
      owner: 'n1',
      others: [{ node: 'n2', why: 'it is cordoned, or about to go' }],
    });
  });

  describe('of lost interfaces', () => {
    const lost = (on: string, text: string) =>
      metallb('ConfigurationState', `speaker-${on}`, {
        metadata: {
          name: `speaker-${on}`,
          namespace: SYSTEM,
          labels: { 'metallb.io/node-name': on },
          annotations: { 'herald.io/lost-interfaces': text },
        },
      });
    const elected = (ad: object, ...more: readonly object[]) =>
      told([
        shop,
        metallb('L2Advertisement', 'lan', { spec: ad }),
        ...['n1', 'n2'].flatMap((name) => [node(name), speaker(name)]),
        slice('web', 'n1', 'n2'),
        pool('web', ['192.0.2.0/30']),
        service('web', { ip: '192.0.2.0' }),
        ...more,
      ])?.announcing;
    const ETH1 = '{"lost":[{"if":"eth1","fam":"46","nets":["192.0.2.0/24"]}]}';
    const ELSEWHERE = '{"lost":[{"if":"eth1","fam":"46","nets":["198.51.100.0/24"]}]}';
    const why = 'the interfaces on which it would announce are down, or nothing leaves there';

    it.each<[string, object, string]>([
      ['the one that reaches the address', {}, ETH1],
      ['the one that the advertisement names', { interfaces: ['eth1'] }, ELSEWHERE],
      [
        'the one that the advertisement names beside one that the node never had',
        { interfaces: ['eth1', 'eth9'] },
        '{"absent":["eth9"],"lost":[{"if":"eth1","fam":"4"}]}',
      ],
      ['all', {}, '{"nowhere":true,"lost":[]}'],
    ])('passes over a node that has lost %s', (_, ad, text) => {
      expect(elected(ad)).toMatchObject({ owner: 'n2' });
      expect(elected(ad, lost('n2', text))).toMatchObject({ owner: 'n1', others: [{ node: 'n2', why }] });
    });

    it.each<[string, object, string]>([
      ['lost one in another subnet', {}, ELSEWHERE],
      ['lost one of another family', {}, '{"lost":[{"if":"eth1","fam":"6","nets":["192.0.2.0/24"]}]}'],
      ['lost one that is not named', { interfaces: ['eth0'] }, ETH1],
      ['lost one of two that are named', { interfaces: ['eth0', 'eth1'] }, ETH1],
      ['says what is not understood', {}, 'eth1'],
    ])('elects a node that %s', (_, ad, text) => {
      expect(elected(ad, lost('n2', text))).toMatchObject({ owner: 'n2' });
    });

    it('elects one of those that have lost theirs where there is no other', () => {
      expect(elected({}, lost('n1', ETH1), lost('n2', ETH1))).toMatchObject({ owner: 'n2' });
    });
  });

  describe('of what speakers said', () => {
    const event = (at: string, reason: string, message: string, more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `web.${at}`, namespace: 'shop' },
      involvedObject: { kind: 'Service', namespace: 'shop', name: 'web', uid: 'u1' },
      source: { component: 'metallb-speaker', host: 'n1' },
      reason,
      message,
      lastTimestamp: at,
      eventTime: null,
      ...more,
    });
    const state = (node: string, status: string, message: string, type = 'herald.io/AddressConflict') =>
      metallb('ConfigurationState', `speaker-${node}`, {
        metadata: { name: `speaker-${node}`, namespace: SYSTEM, labels: { 'metallb.io/node-name': node } },
        status: { conditions: [{ ...says(status, 'x', message), type }] },
      });
    const web = service('web', { ip: '192.0.2.1' });
    const mine = { ...web, metadata: { ...web.metadata, uid: 'u1' } };
    const moved = '192.0.2.1 moved from node "n2" to node "n1", cause carrier-lost: its interfaces are lost';

    it('tells the last of each kind, with the cause of the last move, the latest first', () => {
      const found = told([
        mine,
        event('2026-05-01T11:00:00Z', 'AddressMoved', 'an earlier one'),
        event('2026-05-01T11:50:00Z', 'AddressMoved', moved),
        event('2026-05-01T11:40:00Z', 'AddressMoved', 'another earlier one'),
        event('2026-05-01T11:55:00Z', 'AddressSilent', 'address "192.0.2.1" is not answered for'),
      ]);
      const at = found?.text.indexOf('Speakers said:') ?? 0;
      expect(found?.text.slice(at, at + 4)).toEqual([
        'Speakers said:',
        '  2026-05-01T11:55:00Z  AddressSilent  address "192.0.2.1" is not answered for',
        `  2026-05-01T11:50:00Z  AddressMoved   ${moved}`,
        '',
      ]);
    });

    it('tells by name which speaker has a rival, and passes over what concerns others', () => {
      const node = { involvedObject: { kind: 'Node', name: 'n1' } };
      const found = told([
        mine,
        event('2026-05-01T11:00:00Z', 'NameConflict', 'another speaker claims to be it', node),
        event('2026-05-01T11:00:00Z', 'Rebooted', 'of the node itself', node),
        event('2026-05-01T11:00:00Z', 'AddressMoved', 'of a controller', { source: { component: 'x' } }),
        event('2026-05-01T11:00:00Z', 'AddressConflict', 'of a Service of this name before', {
          involvedObject: { kind: 'Service', namespace: 'shop', name: 'web', uid: 'u0' },
        }),
      ]);
      expect(found?.said.events.map(({ message }) => message)).toEqual([
        'node "n1": another speaker claims to be it',
      ]);
    });

    it('tells which nodes have lost interfaces, as their speakers say', () => {
      const lost = 'herald.io/InterfaceLost';
      const found = told([
        service('web', { ip: '192.0.2.1' }),
        state('n1', 'True', 'lan0 (IPv4, IPv6): it has no carrier\nlan1 (IPv4): it is gone', lost),
        state('n2', 'False', '', lost),
      ]);
      const at = found?.text.indexOf('Lost interfaces:') ?? 0;
      expect(found?.text.slice(at, at + 3)).toEqual([
        'Lost interfaces:',
        '  n1  lan0 (IPv4, IPv6): it has no carrier',
        '  n1  lan1 (IPv4): it is gone',
      ]);
    });

    it('tells which of its addresses have two owners now', () => {
      const found = told([
        mine,
        state('n1', 'True', '192.0.2.10 is also at a on lan0\n192.0.2.1 is also at b on lan0'),
        state('n2', 'False', ''),
      ]);
      expect(found?.said.conflicts).toEqual([{ node: 'n1', text: '192.0.2.1 is also at b on lan0' }]);
      expect(found?.text.join('\n')).toContain('Two owners:\n  n1  192.0.2.1 is also at b on lan0');
    });
  });

  it('knows when there is no such Service', () => {
    expect(told([shop])).toBeUndefined();
  });
});
