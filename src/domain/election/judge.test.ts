import { describe, expect, it } from 'vitest';
import type { L2Ad } from '../config/config.ts';
import { formatAddress } from '../ip/address.ts';
import { ad, config, field, node, pool, selector, service, slice } from './field.rig.ts';
import { layOut } from './field.ts';
import { type Case, judge } from './judge.ts';

const shared = { 'metallb.io/allow-shared-ip': 'key' };

function decide(change: Partial<Case> = {}, l2: readonly L2Ad[] = [ad('all')]) {
  return judge({
    node: 'node-a',
    service: service(['192.0.2.7']),
    slices: [slice(['node-a'])],
    field: field([node('node-a')], l2),
    ...change,
  });
}

describe('the decision of one node about one Service', () => {
  it('is to announce all addresses when it is the owner', () => {
    const verdict = decide({ service: service(['192.0.2.7', '2001:db8::7']) });
    expect(verdict).toEqual({
      announce: true,
      addresses: [
        { family: 'IPv4', bits: 0xc0000207n },
        { family: 'IPv6', bits: (0x20010db8n << 96n) | 7n },
      ],
      interfaces: 'all',
      pool: 'web',
      because: 'only-candidate',
    });
  });

  it("is not to, with upstream's words, when the Service is none for this node", () => {
    const reason = (change: Partial<Case>) => {
      const verdict = decide(change);
      return verdict.announce ? 'announced' : verdict.reason;
    };
    expect(reason({ service: undefined })).toBe('serviceDeleted');
    expect(reason({ service: service(['192.0.2.7'], { spec: { type: 'ClusterIP' } }) })).toBe(
      'notLoadBalancer',
    );
    expect(reason({ service: service([]) })).toBe('noIPAllocated');
    expect(reason({ service: service(['192.0.2.7', 'nonsense']) })).toBe('invalidIP');
    expect(reason({ service: service(['198.51.100.1']) })).toBe('ipNotAllowed');
    expect(reason({ slices: [] })).toBe('notOwner');
    expect(reason({ slices: [slice(['node-a'], { ready: false })] })).toBe('notOwner');
    expect(reason({ slices: [slice(['node-a'], { ready: false, serving: true })] })).toBe('announced');
    expect(reason({ node: 'stranger' })).toBe('noMatchingAdvertisement');
  });

  const [webOnly, dbOnly] = [{ pools: new Set(['a']) }, { pools: new Set(['b']) }];
  const twoPools = [
    pool('a', '192.0.2.0/24', '2001:db8::/64'),
    pool('b', '198.51.100.0/24', '2001:db8:1::/64'),
  ];
  const pair = (l2: readonly L2Ad[], ...nodes: string[]) =>
    layOut(
      config(l2, ...twoPools),
      nodes.map((name) => node(name)),
    );

  it('takes addresses in two pools for not allowed', () => {
    const two = pair([ad('all', { pools: new Set(['a', 'b']) })], 'node-a');
    expect(decide({ field: two, service: service(['192.0.2.7', '2001:db8:1::7']) })).toEqual({
      announce: false,
      reason: 'ipNotAllowed',
    });
  });

  describe('while a Service moves', () => {
    const moving = service(['192.0.2.7', '198.51.100.7']);
    const announced = (at: string, f: Case['field'], of = moving) => {
      const verdict = decide({ node: at, field: f, service: of });
      return verdict.announce ? verdict.addresses.map(formatAddress) : verdict.reason;
    };

    it('announces the old and the new address, each as its own pool says', () => {
      const everywhere = pair([ad('all', { pools: new Set(['a', 'b']) })], 'node-a');
      expect(announced('node-a', everywhere)).toEqual(['192.0.2.7', '198.51.100.7']);
      const half = pair([ad('a', webOnly)], 'node-a');
      expect(announced('node-a', half)).toEqual(['192.0.2.7']);
      expect(announced('node-a', pair([ad('b', dbOnly)], 'node-a'))).toEqual(['198.51.100.7']);
      expect(announced('node-a', pair([], 'node-a'))).toBe('noMatchingAdvertisement');
    });

    it('leaves the new address to the node that will own it', () => {
      const f = pair([ad('all', { pools: new Set(['a', 'b']) })], 'node-a', 'node-b', 'node-c');
      const owners = (of: Case['service']) =>
        ['node-a', 'node-b', 'node-c'].filter((at) => decide({ node: at, field: f, service: of }).announce);
      const pairs = Array.from({ length: 20 }, (_, i) => [`192.0.2.${i}`, `198.51.100.${i}`] as const);
      const different = pairs.find(
        ([old, fresh]) => owners(service([old]))[0] !== owners(service([fresh]))[0],
      );
      expect(different).toBeDefined();
      const [old = '', fresh = ''] = different ?? [];
      const [was = '', will = ''] = [...owners(service([old])), ...owners(service([fresh]))];
      expect(announced(was, f, service([old, fresh]))).toEqual([old]);
      expect(announced(will, f, service([old, fresh]))).toEqual([fresh]);
    });

    it('announces what stays once, as it was', () => {
      const f = pair([ad('all', { pools: new Set(['a', 'b']) })], 'node-a');
      const stays = service(['192.0.2.7', '2001:db8::7', '192.0.2.9']);
      expect(announced('node-a', f, stays)).toEqual(['192.0.2.7', '2001:db8::7', '192.0.2.9']);
      const goes = service(['192.0.2.7', '2001:db8::7', '198.51.100.9', '2001:db8:1::9']);
      expect(announced('node-a', f, goes)).toHaveLength(4);
    });

    it('uses the interfaces of either', () => {
      const f = pair(
        [ad('a', { ...webOnly, interfaces: ['eth0'] }), ad('b', { ...dbOnly, interfaces: ['eth1'] })],
        'node-a',
      );
      expect(decide({ field: f, service: moving })).toMatchObject({
        announce: true,
        interfaces: new Set(['eth0', 'eth1']),
        pool: 'b',
      });
    });

    it('goes on with the half that is in a pool', () => {
      const f = layOut(config([ad('b', dbOnly)], pool('b', '198.51.100.0/24')), [node('node-a')]);
      expect(announced('node-a', f)).toEqual(['198.51.100.7']);
      const neither = layOut(config([ad('c')], pool('web', '203.0.113.0/24')), [node('node-a')]);
      expect(announced('node-a', neither)).toBe('ipNotAllowed');
    });
  });

  it('keeps an address that avoidBuggyIPs would not give out any more', () => {
    const careful = { ...pool('web', '192.0.2.0/24'), avoidBuggyIPs: true };
    const f = layOut(config([ad('all')], careful), [node('node-a')]);
    expect(decide({ field: f, service: service(['192.0.2.255']) }).announce).toBe(true);
  });

  it('heeds the load balancer class both ways', () => {
    const classed = service(['192.0.2.7'], { spec: { loadBalancerClass: 'mine' } });
    expect(decide({ service: classed })).toMatchObject({ reason: 'otherClass' });
    expect(decide({ service: classed, lbClass: 'mine' }).announce).toBe(true);
    expect(decide({ lbClass: 'mine' })).toMatchObject({ reason: 'otherClass' });
  });

  it('refuses a shared address whose advertisements choose among Services', () => {
    const choosy = [ad('all'), ad('some', { serviceSelectors: [selector({ app: 'web' })] })];
    const sharing = (labels: Record<string, string>) =>
      service(['192.0.2.7'], { meta: { annotations: shared, labels } });
    expect(decide({ service: sharing({ app: 'web' }) }, choosy)).toMatchObject({
      reason: 'sharedIPWithServiceSelector',
    });
    expect(decide({ service: sharing({}) }, choosy).announce).toBe(true);
  });

  it('names the owner, and why it is not this node', () => {
    const f = field([node('node-a'), node('node-b'), node('node-c')]);
    const at = (name: string) =>
      judge({ node: name, service: service(['192.0.2.1']), slices: [slice(['x'])], field: f });
    const verdicts = ['node-a', 'node-b', 'node-c'].map(at);
    expect(verdicts.filter((v) => v.announce)).toHaveLength(1);
    for (const verdict of verdicts) {
      if (!verdict.announce)
        expect(verdict).toMatchObject({ reason: 'notOwner', why: 'later-in-order', pool: 'web' });
    }
  });

  it('says of the owner before why it is another one now', () => {
    const of = service(['192.0.2.1']);
    const at = (name: string, before: string, f = field([node('node-a'), node('node-b')])) =>
      judge({ node: name, service: of, slices: [slice(['x'])], field: f, before });
    const names = ['node-a', 'node-b'];
    const owner = names.find((name) => at(name, '').announce) ?? '';
    const other = names.find((name) => name !== owner) ?? '';
    expect(at(owner, other)).toMatchObject({ whyBefore: 'later-in-order' });
    const dead = field([node(owner, { liveness: 'speaker-dead' }), node(other)]);
    expect(at(other, owner, dead)).toMatchObject({ announce: true, whyBefore: 'speaker-dead' });
    expect(at(other, 'gone', dead)).toMatchObject({ whyBefore: 'not-selected' });
  });

  it('needs a local endpoint with policy Local', () => {
    const local = service(['192.0.2.7'], { spec: { externalTrafficPolicy: 'Local' } });
    expect(decide({ service: local, slices: [slice(['node-b'])] })).toMatchObject({
      why: 'no-local-endpoint',
    });
    expect(decide({ service: local, slices: [slice(['node-a'], { ready: false })] })).toMatchObject({
      reason: 'notOwner',
    });
    expect(decide({ service: local, slices: [slice(['node-b']), slice(['node-a'])] }).announce).toBe(true);
  });

  it('unites the interfaces of the advertisements that select this node', () => {
    const on = (name: string, interfaces: string[], labels?: Record<string, string>) =>
      ad(name, { interfaces, nodeSelectors: labels ? [selector(labels)] : [] });
    const interfaces = (...ads: L2Ad[]) => {
      const verdict = decide({}, ads);
      return verdict.announce ? verdict.interfaces : undefined;
    };
    expect(interfaces(on('1', ['eth0']), on('2', ['eth1']))).toEqual(new Set(['eth0', 'eth1']));
    expect(interfaces(on('1', ['eth0']), on('2', []))).toBe('all');
    expect(interfaces(on('1', ['eth0']), on('2', [], { other: 'node' }))).toEqual(new Set(['eth0']));
  });
});
