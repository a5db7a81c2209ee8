import { describe, expect, it } from 'vitest';
import { configOf, dual, type PoolSketch, pass, type ServiceSketch } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';

const LBIPS = 'metallb.io/loadBalancerIPs';
const POOL = 'metallb.io/address-pool';

const one = (pools: Readonly<Record<string, PoolSketch>>, sketch: ServiceSketch, key = 't1/one') =>
  pass(new Ledger(configOf(pools)), key, sketch).result;

const plain = { a: { addresses: ['192.0.2.0/30'] } };
const both = { a: { addresses: ['192.0.2.0/30', '2001:db8::/126'] } };

describe('a Service without an address', () => {
  it.each<[string, Readonly<Record<string, PoolSketch>>, ServiceSketch, string]>([
    ['gets the lowest free one', plain, {}, '192.0.2.0 a open-pool'],
    ['gets nothing without pools', {}, {}, 'no-pools'],
    ['gets nothing without a cluster IP', plain, { clusterIPs: [] }, 'no-cluster-ips'],
    ['gets nothing when it is no LoadBalancer', plain, { type: 'ClusterIP' }, 'none'],
    ['gets the one of its family', both, { clusterIPs: ['fd00::1'] }, '2001:db8:: a open-pool'],
    ['gets nothing of another family', plain, { clusterIPs: ['fd00::1'] }, 'no-room'],
    [
      'gets the address that it asks for',
      plain,
      { annotations: { [LBIPS]: '192.0.2.3' } },
      '192.0.2.3 a requested-address',
    ],
    [
      'may ask under the old prefix',
      plain,
      { annotations: { 'metallb.universe.tf/loadBalancerIPs': ' 192.0.2.3 ' } },
      '192.0.2.3 a requested-address',
    ],
    ['may ask in the spec', plain, { loadBalancerIP: '192.0.2.2' }, '192.0.2.2 a requested-address'],
    [
      'may not ask in both ways',
      plain,
      { loadBalancerIP: '192.0.2.2', annotations: { [LBIPS]: '192.0.2.2' } },
      'both-request-forms',
    ],
    ['may not ask for nonsense', plain, { annotations: { [LBIPS]: 'web' } }, 'request-unreadable'],
    [
      'may not ask for two of a family',
      plain,
      { annotations: { [LBIPS]: '192.0.2.1,192.0.2.2' } },
      'request-unreadable',
    ],
    ['may not ask outside the pools', plain, { annotations: { [LBIPS]: '192.0.2.9' } }, 'outside-pools'],
    ['may not ask for another family', both, { annotations: { [LBIPS]: '2001:db8::1' } }, 'family-mismatch'],
    [
      'may ask in a pool without autoAssign',
      { a: { ...plain.a, autoAssign: false } },
      { annotations: { [LBIPS]: '192.0.2.1' } },
      '192.0.2.1 a requested-address',
    ],
    [
      'may not ask for an avoided address',
      { a: { ...plain.a, avoidBuggyIPs: true } },
      { annotations: { [LBIPS]: '192.0.2.0' } },
      'outside-pools',
    ],
    ['skips avoided addresses', { a: { ...plain.a, avoidBuggyIPs: true } }, {}, '192.0.2.1 a open-pool'],
    ['gets nothing from pools without autoAssign', { a: { ...plain.a, autoAssign: false } }, {}, 'no-room'],
    [
      'gets from the pool that it asks for',
      { ...plain, b: { addresses: ['198.51.100.5/32'], autoAssign: false } },
      { annotations: { [POOL]: 'b' } },
      '198.51.100.5 b requested-pool',
    ],
    ['may not ask for an unknown pool', plain, { annotations: { [POOL]: 'x' } }, 'unknown-pool'],
    [
      'may not ask for an address of another pool than it names',
      { ...plain, b: { addresses: ['198.51.100.5/32'] } },
      { annotations: { [POOL]: 'b', [LBIPS]: '192.0.2.1' } },
      'not-in-requested-pool',
    ],
    [
      'gets both families from one pool',
      {
        v4: plain.a,
        v6: { addresses: ['2001:db8:1::/126'] },
        w: { addresses: ['198.51.100.0/30', '2001:db8::/126'] },
      },
      { clusterIPs: dual, policy: 'RequireDualStack' },
      '198.51.100.0 2001:db8:: w open-pool',
    ],
    ['needs two cluster IPs for RequireDualStack', both, { policy: 'RequireDualStack' }, 'single-cluster-ip'],
    [
      'gets nothing when RequireDualStack finds one family',
      plain,
      { clusterIPs: dual, policy: 'RequireDualStack' },
      'no-room',
    ],
    [
      'prefers two families',
      { a: plain.a, b: { addresses: ['198.51.100.0/30', '2001:db8::/126'] } },
      { clusterIPs: dual, policy: 'PreferDualStack' },
      '198.51.100.0 2001:db8:: b open-pool',
    ],
    [
      'takes one family when it prefers two',
      plain,
      { clusterIPs: dual, policy: 'PreferDualStack' },
      '192.0.2.0 a open-pool',
    ],
    [
      'takes its primary family first',
      { a: plain.a, b: { addresses: ['2001:db8::/126'] } },
      { clusterIPs: dual, policy: 'PreferDualStack', families: ['IPv6', 'IPv4'] },
      '2001:db8:: b open-pool',
    ],
    [
      'takes one family in a single-stack cluster',
      both,
      { policy: 'PreferDualStack' },
      '192.0.2.0 a open-pool',
    ],
    [
      'gets two requested addresses in the order of their text',
      { a: { addresses: ['192.0.2.0/24', '100::/120'] } },
      { clusterIPs: dual, policy: 'RequireDualStack', annotations: { [LBIPS]: '192.0.2.9,100::9' } },
      '100::9 192.0.2.9 a requested-address',
    ],
    [
      'may not ask for addresses of two pools',
      { v4: plain.a, v6: { addresses: ['2001:db8::/126'] } },
      { clusterIPs: dual, policy: 'RequireDualStack', annotations: { [LBIPS]: '192.0.2.1,2001:db8::1' } },
      'outside-pools',
    ],
    [
      'goes by the order of the spec, not of the addresses',
      { a: { addresses: ['198.51.100.0/30', '192.0.2.0/30'] } },
      {},
      '198.51.100.0 a open-pool',
    ],
  ])('%s', (_, pools, sketch, result) => {
    expect(one(pools, sketch)).toBe(result);
  });
});

describe('pools with a serviceAllocation', () => {
  const meant = { addresses: ['198.51.100.0/30'] };
  it.each<[string, NonNullable<PoolSketch['allocation']>, ServiceSketch, string]>([
    ['come first for their namespaces', { namespaces: ['t1'] }, {}, '198.51.100.0 z matching-pool'],
    [
      'come first for their Services',
      { serviceLabels: [{ app: 'x' }, { app: 'y' }] },
      { labels: { app: 'y' } },
      '198.51.100.0 z matching-pool',
    ],
    ['are not for other namespaces', { namespaces: ['t2'] }, {}, '192.0.2.0 a open-pool'],
    [
      'want namespace and label',
      { namespaces: ['t1'], serviceLabels: [{ app: 'x' }] },
      {},
      '192.0.2.0 a open-pool',
    ],
    ['are for all when they name nobody', {}, {}, '198.51.100.0 z matching-pool'],
    [
      'are for nobody when their selectors match nobody',
      { restrictsNamespaces: true },
      {},
      '192.0.2.0 a open-pool',
    ],
    [
      'refuse explicit requests of others',
      { namespaces: ['t2'] },
      { annotations: { [LBIPS]: '198.51.100.1' } },
      'pool-not-for-service',
    ],
    [
      'refuse others that name the pool',
      { namespaces: ['t2'] },
      { annotations: { [POOL]: 'z' } },
      'pool-not-for-service',
    ],
    [
      'take explicit requests when their selectors match nobody',
      { restrictsNamespaces: true },
      { annotations: { [LBIPS]: '198.51.100.1' } },
      '198.51.100.1 z requested-address',
    ],
  ])('%s', (_, allocation, sketch, result) => {
    expect(one({ ...plain, z: { ...meant, allocation } }, sketch)).toBe(result);
  });

  it('are tried by priority, those without one last, and the open ones after them', () => {
    const allocation = { namespaces: ['t1'] };
    const ledger = new Ledger(
      configOf({
        open: { addresses: ['192.0.2.9/32'] },
        none: { addresses: ['192.0.2.3/32'], allocation },
        two: { addresses: ['192.0.2.2/32'], allocation: { ...allocation, priority: 2 } },
        one: { addresses: ['192.0.2.1/32'], allocation: { ...allocation, priority: 1 } },
      }),
    );
    const results = ['a', 'b', 'c', 'd', 'e'].map((name) => pass(ledger, `t1/${name}`).result);
    expect(results).toEqual([
      '192.0.2.1 one matching-pool',
      '192.0.2.2 two matching-pool',
      '192.0.2.3 none matching-pool',
      '192.0.2.9 open open-pool',
      'no-room',
    ]);
  });
});

describe('a Service with an address', () => {
  it.each<[string, Readonly<Record<string, PoolSketch>>, ServiceSketch, string, string[]]>([
    ['keeps it', plain, { ingress: ['192.0.2.2'] }, '192.0.2.2 a kept', []],
    [
      'keeps it when autoAssign is off',
      { a: { ...plain.a, autoAssign: false } },
      { ingress: ['192.0.2.2'] },
      '192.0.2.2 a kept',
      [],
    ],
    [
      'keeps two in their order',
      both,
      { clusterIPs: dual, policy: 'RequireDualStack', ingress: ['2001:db8::1', '192.0.2.2'] },
      '2001:db8::1 192.0.2.2 a kept',
      [],
    ],
    [
      'gets another when it is in no pool',
      plain,
      { ingress: ['203.0.113.1'] },
      '192.0.2.0 a open-pool',
      ['cleared', 'allocated'],
    ],
    [
      'moves to the pool that it names now',
      { ...plain, b: { addresses: ['198.51.100.5/32'] } },
      { ingress: ['192.0.2.2'], annotations: { [POOL]: 'b' } },
      '198.51.100.5 b requested-pool',
      ['allocated'],
    ],
    [
      'moves to the address that it asks for now',
      plain,
      { ingress: ['192.0.2.2'], annotations: { [LBIPS]: '192.0.2.1' } },
      '192.0.2.1 a requested-address',
      ['allocated'],
    ],
    [
      'loses it by asking for one that it cannot have',
      plain,
      { ingress: ['192.0.2.2'], annotations: { [LBIPS]: '203.0.113.1' } },
      'outside-pools',
      ['not-allocated'],
    ],
    [
      'keeps it when it asks for nonsense',
      plain,
      { ingress: ['192.0.2.2'], annotations: { [LBIPS]: 'web' } },
      'kept: request-unreadable',
      ['request-unreadable'],
    ],
    [
      'loses one that is in no pool, and hears of both, when it asks for nonsense',
      plain,
      { ingress: ['203.0.113.1'], annotations: { [LBIPS]: 'web' } },
      'request-unreadable',
      ['cleared', 'request-unreadable', 'not-allocated'],
    ],
    [
      'loses one of another pool than it asks for when it asks for nonsense, too',
      { ...plain, b: { addresses: ['198.51.100.0/30'] } },
      { ingress: ['192.0.2.1'], annotations: { [POOL]: 'b', [LBIPS]: 'web' } },
      'request-unreadable',
      ['request-unreadable', 'not-allocated'],
    ],
    [
      'loses one of the wrong family, and counts as new, when it asks for nonsense',
      both,
      { ingress: ['2001:db8::1'], annotations: { [LBIPS]: 'web' } },
      'request-unreadable',
      ['not-allocated'],
    ],
    ['loses it with its type', plain, { type: 'NodePort', ingress: ['192.0.2.2'] }, 'none', []],
    [
      'loses one of the wrong family',
      both,
      { ingress: ['2001:db8::1'] },
      '192.0.2.0 a open-pool',
      ['allocated'],
    ],
    [
      'loses two of one family',
      plain,
      { ingress: ['192.0.2.1', '192.0.2.2'] },
      '192.0.2.0 a open-pool',
      ['unknown-address-family', 'allocated'],
    ],
    [
      'gains its second family',
      both,
      { clusterIPs: dual, policy: 'PreferDualStack', ingress: ['2001:db8::2'] },
      '2001:db8::2 192.0.2.0 a second-family',
      ['second-allocated'],
    ],
    [
      'says so when there is no second family',
      plain,
      { clusterIPs: dual, policy: 'PreferDualStack', ingress: ['192.0.2.2'] },
      '192.0.2.2 a kept',
      ['second-refused'],
    ],
    [
      'stays single in a single-stack cluster',
      both,
      { policy: 'PreferDualStack', ingress: ['192.0.2.2'] },
      '192.0.2.2 a kept',
      [],
    ],
    [
      'stays as it is when its cluster IPs make no sense',
      plain,
      { clusterIPs: ['x'], ingress: ['192.0.2.2'] },
      'kept: unknown-cluster-family',
      ['unknown-cluster-family'],
    ],
  ])('%s', (_, pools, sketch, result, words) => {
    expect(pass(new Ledger(configOf(pools)), 't1/one', sketch)).toEqual({ result, words });
  });

  it('hears at once that its second family is missing', () => {
    const sketch = { clusterIPs: dual, policy: 'PreferDualStack' } as const;
    expect(pass(new Ledger(configOf(plain)), 't1/one', sketch).words).toEqual([
      'allocated',
      'second-refused',
    ]);
  });

  it('is left alone by a second pass', () => {
    const ledger = new Ledger(configOf(both));
    const sketch = { clusterIPs: dual, policy: 'PreferDualStack' } as const;
    pass(ledger, 't1/one', sketch);
    const { openings } = ledger;
    expect(pass(ledger, 't1/one', { ...sketch, ingress: ['192.0.2.0', '2001:db8::'] })).toEqual({
      result: '192.0.2.0 2001:db8:: a kept',
      words: [],
    });
    expect(ledger.openings).toBe(openings);
  });
});
