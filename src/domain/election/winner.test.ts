import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../ip/address.ts';
import { ad, field, node, range, selector } from './field.rig.ts';
import type { AdView, Field } from './field.ts';
import type { NodeView } from './nodes.ts';
import type { Loss, Losses } from './notice.ts';
import { rank } from './ranks.ts';
import { adsFor, elect } from './winner.ts';

const abc = ['node-a', 'node-b', 'node-c'];
const all = (f: Field): readonly AdView[] => f.ads.get('web') ?? [];

function run(
  f: Field,
  o: {
    address?: string;
    onlyOn?: readonly string[];
    ads?: readonly AdView[];
    /** As text; absent: not looked at. */
    addresses?: readonly string[];
  } = {},
) {
  return elect({
    field: f,
    ads: o.ads ?? all(f),
    firstAddress: o.address ?? '192.168.1.240',
    ...(o.onlyOn && { onlyOn: new Set(o.onlyOn) }),
    ...(o.addresses && { addresses: o.addresses.flatMap((text) => parseAddress(text) ?? []) }),
  });
}

describe('an election', () => {
  it('is won by the first in the order of digests, and says so of the others', () => {
    const result = run(field(abc.map((name) => node(name))));
    expect(result.owner).toEqual({ node: 'node-a', because: 'first-in-order' });
    expect(abc.map(result.why)).toEqual([undefined, 'later-in-order', 'later-in-order']);
  });

  it.each([
    ['network-unavailable', { networkUnavailable: true }],
    ['excluded-by-label', { excluded: true }],
    ['no-speaker', { liveness: 'no-speaker' }],
    ['speaker-not-ready', { liveness: 'speaker-not-ready' }],
    ['speaker-stopping', { liveness: 'speaker-stopping' }],
    ['node-not-ready', { liveness: 'node-not-ready' }],
  ] as const)('passes over a node: %s', (reason, change) => {
    const result = run(field([node('node-a', change), node('node-b'), node('node-c')]));
    expect([result.owner?.node, result.why('node-a')]).toEqual(['node-c', reason]);
  });

  it('goes on as if all lived when all seem dead, so that no address falls silent', () => {
    const dead = abc.map((name) => node(name, { liveness: 'node-not-ready' }));
    expect(run(field(dead)).owner?.node).toBe('node-a');
  });

  it('has no owner when no node has a speaker', () => {
    const result = run(field(abc.map((name) => node(name, { liveness: 'no-speaker' }))));
    expect([result.owner, result.why('node-a')]).toEqual([undefined, 'no-speaker']);
  });

  it('asks for an endpoint on the node with policy Local', () => {
    const result = run(field(abc.map((name) => node(name))), { onlyOn: ['node-b'] });
    expect(result.owner).toEqual({ node: 'node-b', because: 'only-candidate' });
    expect(result.why('node-a')).toBe('no-local-endpoint');
  });

  it('knows only nodes that an advertisement selects', () => {
    const nodes = [node('node-a'), node('node-b', { labels: { edge: 'yes' } }), node('node-c')];
    const result = run(field(nodes, [ad('edges', { nodeSelectors: [selector({ edge: 'yes' })] })]));
    expect(result.owner).toEqual({ node: 'node-b', because: 'only-candidate' });
    expect([result.why('node-a'), result.why('stranger')]).toEqual(['not-selected', 'not-selected']);
  });

  it('unites the nodes of several advertisements', () => {
    const nodes = [
      node('node-a', { labels: { r: '1' } }),
      node('node-b'),
      node('node-c', { labels: { r: '2' } }),
    ];
    const some = (r: string) => ad(`r${r}`, { nodeSelectors: [selector({ r })] });
    expect(run(field(nodes, [some('1'), some('2')])).owner?.node).toBe('node-a');
  });
});

describe('a node that lost interfaces', () => {
  const nets = (...texts: string[]) => texts.map(range);
  const loss = (name: string, change: Partial<Loss> = {}): Loss => ({
    name,
    families: ['IPv4', 'IPv6'],
    nets: [],
    ...change,
  });
  const losing = (interfaces: readonly Loss[], change: Partial<Losses> = {}): Losses => ({
    interfaces,
    absent: [],
    nowhere: false,
    ...change,
  });
  const four = ['192.168.1.240'];
  const both = [...four, '2001:db8::7'];

  it.each<[string, { lost: Losses; chosen: string[]; addresses?: string[]; over: boolean }]>([
    ['the only one that is named', { lost: losing([loss('eth1')]), chosen: ['eth1'], over: true }],
    ['one of two', { lost: losing([loss('eth1')]), chosen: ['eth1', 'eth2'], over: false }],
    ['both', { lost: losing([loss('eth1'), loss('eth2')]), chosen: ['eth1', 'eth2'], over: true }],
    [
      'one, and never had the other',
      { lost: losing([loss('eth1')], { absent: ['eno1'] }), chosen: ['eth1', 'eno1'], over: true },
    ],
    [
      'another one, and never had the one that is named',
      { lost: losing([loss('eth1')], { absent: ['eno1'] }), chosen: ['eno1'], over: false },
    ],
    ['another one', { lost: losing([loss('eth9')]), chosen: ['eth1'], over: false }],
    [
      'it for the other family',
      { lost: losing([loss('eth1', { families: ['IPv6'] })]), chosen: ['eth1'], over: false },
    ],
    [
      'it for one of the two families',
      {
        lost: losing([loss('eth1', { families: ['IPv6'] })]),
        chosen: ['eth1'],
        addresses: both,
        over: true,
      },
    ],
    ['all that it had', { lost: losing([], { nowhere: true }), chosen: ['eth1'], over: true }],
    ['one of all', { lost: losing([loss('eth1')]), chosen: [], over: false }],
    [
      'the one where the address belongs',
      { lost: losing([loss('eth1', { nets: nets('192.168.1.0/24') })]), chosen: [], over: true },
    ],
    [
      'one where another address belongs',
      {
        lost: losing([loss('eth1', { nets: nets('192.168.2.0/24', '2001:db8::/64') })]),
        chosen: [],
        over: false,
      },
    ],
    [
      'where one address of two belongs',
      {
        lost: losing([loss('eth1', { families: ['IPv6'], nets: nets('2001:db8::/64') })]),
        chosen: [],
        addresses: both,
        over: true,
      },
    ],
  ])('is passed over or not: it lost %s', (_, { lost, chosen, addresses, over }) => {
    const nodes = [node('node-a', { losses: lost }), node('node-b'), node('node-c')];
    const result = run(field(nodes, [ad('all', { interfaces: chosen })]), { addresses: addresses ?? four });
    expect([result.owner?.node, result.why('node-a')]).toEqual(
      over ? ['node-c', 'interface-lost'] : ['node-a', undefined],
    );
  });

  it('counts only the advertisements that select it', () => {
    const nodes = [
      node('node-a', { losses: losing([loss('eth1')]) }),
      node('node-b', { labels: { r: '1' } }),
    ];
    const ads = [
      ad('named', { interfaces: ['eth1'] }),
      ad('others', { nodeSelectors: [selector({ r: '1' })] }),
    ];
    expect(run(field(nodes, ads), { addresses: four }).owner?.node).toBe('node-b');
  });

  it('is the owner when all have lost the same, and yields even to one that seems dead', () => {
    const nowhere = losing([], { nowhere: true });
    const all = abc.map((name) => node(name, { losses: nowhere }));
    expect(run(field(all), { addresses: four }).owner?.node).toBe('node-a');
    const alone = [node('node-a', { losses: nowhere }), node('node-b', { liveness: 'speaker-dead' })];
    const result = run(field(alone), { addresses: four });
    expect([result.owner?.node, result.why('node-a')]).toEqual(['node-b', 'interface-lost']);
  });
});

describe('a cordoned node', () => {
  const cordoned = (name: string, change: Partial<NodeView> = {}) =>
    node(name, { cordoned: true, ...change });

  it('is passed over while another one lives, and goes before those that seem dead', () => {
    const result = run(field([cordoned('node-a'), node('node-b'), node('node-c')]));
    expect([result.owner?.node, result.why('node-a')]).toEqual(['node-c', 'cordoned']);
    const dead = abc.slice(1).map((name) => node(name, { liveness: 'speaker-dead' }));
    expect(run(field([cordoned('node-a'), ...dead])).owner?.node).toBe('node-a');
  });

  it('counts like the others when all are, and when it alone is preferred or allowed it still yields', () => {
    expect(run(field(abc.map((name) => cordoned(name)))).owner?.node).toBe('node-a');
    const preferred = [{ weight: 100, selector: selector({ zone: 'near' }) }];
    const near = [cordoned('node-a', { labels: { zone: 'near' } }), node('node-b')];
    expect(run(field(near, [ad('all', { preferred })])).owner?.node).toBe('node-b');
  });

  it('keeps what only it can announce', () => {
    const nodes = [cordoned('node-a'), node('node-b')];
    expect(run(field(nodes), { onlyOn: ['node-a'] }).owner?.node).toBe('node-a');
  });
});

describe('preferences', () => {
  const prefer = (weight: number, labels: Record<string, string>) => ({ weight, selector: selector(labels) });
  const zones = [
    node('node-a'),
    node('node-b', { labels: { zone: 'far' } }),
    node('node-c', { labels: { zone: 'near', gpu: 'yes' } }),
  ];

  it('come before the order of digests, and the best live one wins', () => {
    const preferred = [prefer(100, { zone: 'near' }), prefer(50, { zone: 'far' })];
    const result = run(field(zones, [ad('all', { preferred })]));
    expect(result.owner).toEqual({ node: 'node-c', because: 'most-preferred' });
    expect(result.why('node-b')).toBe('less-preferred');
    const without = zones.map((n) =>
      n.name === 'node-c' ? { ...n, liveness: 'node-not-ready' as const } : n,
    );
    expect(run(field(without, [ad('all', { preferred })])).owner?.node).toBe('node-b');
  });

  it('add up within an advertisement and over several', () => {
    const within = ad('one', { preferred: [prefer(60, { zone: 'near' }), prefer(50, { gpu: 'yes' })] });
    const other = ad('two', { preferred: [prefer(100, { zone: 'far' })] });
    expect(run(field(zones, [within, other])).owner?.node).toBe('node-c');
    const third = ad('three', { preferred: [prefer(11, { zone: 'far' })] });
    expect(run(field(zones, [within, other, third])).owner?.node).toBe('node-b');
  });

  it('never lift a node that the advertisement itself does not select', () => {
    const narrow = ad('gpu', {
      nodeSelectors: [selector({ gpu: 'yes' })],
      preferred: [prefer(100, { zone: 'far' })],
    });
    const result = run(field(zones, [ad('all'), narrow]));
    expect(result.owner).toEqual({ node: 'node-a', because: 'first-in-order' });
  });

  it('of advertisements for other Services do not count', () => {
    const other = ad('other', {
      serviceSelectors: [selector({ app: 'other' })],
      preferred: [prefer(100, { zone: 'far' })],
    });
    const f = field(zones, [ad('all'), other]);
    expect(run(f, { ads: adsFor(f, 'web', { app: 'mine' }) }).owner?.node).toBe('node-a');
    expect(run(f, { ads: adsFor(f, 'web', { app: 'other' }) }).owner?.node).toBe('node-b');
  });
});

describe('elections in general', () => {
  const view: fc.Arbitrary<NodeView> = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    labels: fc.constantFrom<Record<string, string>>({}, { zone: 'near' }, { zone: 'far' }),
    networkUnavailable: fc.boolean(),
    excluded: fc.boolean(),
    liveness: fc.constantFrom('live', 'live', 'node-not-ready', 'speaker-stopping', 'no-speaker'),
    cordoned: fc.boolean(),
  });
  const nodes = fc.uniqueArray(view, { selector: (n) => n.name, maxLength: 6 });

  it('have one owner or none, and a reason for each of the others', () => {
    fc.assert(
      fc.property(nodes, fc.ipV4(), (views, address) => {
        const result = run(field(views), { address });
        for (const { name } of views)
          expect(result.why(name) === undefined).toBe(name === result.owner?.node);
      }),
    );
  });

  it('do not depend on the order of the nodes', () => {
    fc.assert(
      fc.property(nodes, fc.ipV4(), (views, address) => {
        expect(run(field(views.toReversed()), { address }).owner).toEqual(
          run(field(views), { address }).owner,
        );
      }),
    );
  });

  it('agree with upstream while all nodes live: eligible ones by digest', () => {
    fc.assert(
      fc.property(nodes, fc.ipV4(), (views, address) => {
        const living = views.map((n) => ({ ...n, liveness: 'live' as const, cordoned: false }));
        const eligible = living.filter((n) => !n.networkUnavailable && !n.excluded).map((n) => n.name);
        expect(run(field(living), { address }).owner?.node).toBe(rank(eligible, address)[0]);
      }),
    );
  });

  it('do not move an address when a node goes that did not own it', () => {
    fc.assert(
      fc.property(nodes, fc.ipV4(), (views, address) => {
        const living = views.map((n) => ({ ...n, liveness: 'live' as const, cordoned: false }));
        const owner = run(field(living), { address }).owner?.node;
        for (const gone of living.filter((n) => n.name !== owner)) {
          expect(run(field(living.filter((n) => n !== gone)), { address }).owner?.node).toBe(owner);
        }
      }),
    );
  });
});
