import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ad, field, node, selector } from './field.rig.ts';
import type { AdView, Field } from './field.ts';
import type { NodeView } from './nodes.ts';
import { rank } from './ranks.ts';
import { adsFor, elect } from './winner.ts';

const abc = ['node-a', 'node-b', 'node-c'];
const all = (f: Field): readonly AdView[] => f.ads.get('web') ?? [];

function run(f: Field, o: { address?: string; onlyOn?: readonly string[]; ads?: readonly AdView[] } = {}) {
  return elect({
    field: f,
    ads: o.ads ?? all(f),
    firstAddress: o.address ?? '192.168.1.240',
    ...(o.onlyOn && { onlyOn: new Set(o.onlyOn) }),
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
        const living = views.map((n) => ({ ...n, liveness: 'live' as const }));
        const eligible = living.filter((n) => !n.networkUnavailable && !n.excluded).map((n) => n.name);
        expect(run(field(living), { address }).owner?.node).toBe(rank(eligible, address)[0]);
      }),
    );
  });

  it('do not move an address when a node goes that did not own it', () => {
    fc.assert(
      fc.property(nodes, fc.ipV4(), (views, address) => {
        const living = views.map((n) => ({ ...n, liveness: 'live' as const }));
        const owner = run(field(living), { address }).owner?.node;
        for (const gone of living.filter((n) => n.name !== owner)) {
          expect(run(field(living.filter((n) => n !== gone)), { address }).owner?.node).toBe(owner);
        }
      }),
    );
  });
});
