import { describe, expect, it } from 'vitest';
import { changeOf, judged, live, type Sketch, service, stepTexts, writeTexts } from './change.rig.ts';
import type { Judged } from './model.ts';

const L2 = { l2Advertisements: { all: {} } };
const pools = (map: object) => ({ pools: map, ...L2 });
const web = (...addresses: string[]) => ({ web: { addresses } });
const five = service('shop/web', '192.0.2.5');

/** A commit that halves a pool under a Service. */
const base: Sketch = {
  from: pools(web('192.0.2.0/28')),
  to: pools(web('192.0.2.8/29')),
  services: [five],
};
const digestOf = (sketch: Sketch, source?: string) => changeOf(judged(sketch), source).digest;
const approving = (sketch: Sketch, digest: string) =>
  judged({ ...sketch, approved: new Map([['herald', digest]]) });

const outcome = (result: Judged) => ({ writes: writeTexts(result), changes: result.changes });

describe('an approval', () => {
  it('lets the plan through that it names', () => {
    const digest = digestOf(base);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const r = approving(base, digest);
    expect(writeTexts(r)).toEqual([['update IPAddressPool web']]);
    expect(changeOf(r)).toMatchObject({
      digest,
      steps: [{ state: 'ready', because: 'approved', affected: [{ service: 'shop/web', fate: 'moves' }] }],
    });
  });

  it('lets through what waited for what hurts', () => {
    const sketch: Sketch = {
      from: pools(web('192.0.2.0/28')),
      to: pools({ bank: { addresses: ['192.0.2.0/28'], serviceAllocation: { namespaces: ['bank'] } } }),
      services: [five],
    };
    const r = approving(sketch, digestOf(sketch));
    expect(stepTexts(r)).toEqual(['create IPAddressPool bank: ready', 'delete IPAddressPool web: ready']);
  });

  it('is for its source', () => {
    const r = judged({ ...base, approved: new Map([['other', digestOf(base)]]) });
    expect(writeTexts(r)).toEqual([]);
  });

  const others: readonly (readonly [string, Sketch])[] = [
    ['the range that goes', { ...base, to: pools(web('192.0.2.6-192.0.2.15')) }],
    ['the whole pool going', { ...base, to: L2 }],
    ['another Service beside it', { ...base, services: [five, service('shop/api', '192.0.2.6')] }],
    ['another Service in its place', { ...base, services: [service('shop/api', '192.0.2.5')] }],
    [
      'a new Service of the same name',
      { ...base, services: [service('shop/web', '192.0.2.5', { uid: 'new' })] },
    ],
    ['another address of the Service', { ...base, services: [service('shop/web', '192.0.2.6')] }],
    [
      'no room for the Service, which had some',
      { ...base, to: pools({ web: { addresses: ['192.0.2.8/29'], autoAssign: false } }) },
    ],
    [
      'a pool made anew under the same name',
      {
        ...base,
        live: live(pools(web('192.0.2.0/28'))).map((o) => ({
          ...o,
          metadata: { ...o.metadata, uid: `new-${o.metadata.uid}` },
        })),
      },
    ],
    ['another spelling of what is live', { ...base, from: pools(web('192.0.2.0/29', '192.0.2.8/29')) }],
    [
      'who may use the pool besides',
      {
        ...base,
        to: pools({ web: { addresses: ['192.0.2.8/29'], serviceAllocation: { namespaces: ['bank'] } } }),
        services: [five, service('shop/api', '192.0.2.9')],
      },
    ],
    [
      'the announcement going besides',
      { ...base, to: { pools: web('192.0.2.8/29') }, services: [five, service('shop/api', '192.0.2.9')] },
    ],
  ];

  it.each(others)('covers no plan that differs in %s', (_name, other) => {
    const [digest, its] = [digestOf(base), digestOf(other)];
    expect(its).not.toBe('');
    expect(its).not.toBe(digest);
    expect(outcome(approving(other, digest))).toEqual(outcome(judged(other)));
    // Nor the other way round.
    expect(outcome(approving(base, its))).toEqual(outcome(judged(base)));
  });

  it('is of no use once nothing hurts any more', () => {
    const digest = digestOf(base);
    const left = { ...base, services: [] };
    expect(digestOf(left)).toBe('');
    expect(outcome(approving(left, digest))).toEqual(outcome(judged(left)));
  });

  it('does not let an empty digest through', () => {
    expect(outcome(approving(base, ''))).toEqual(outcome(judged(base)));
  });
});

describe('a digest', () => {
  const same: readonly (readonly [string, Sketch])[] = [
    [
      'a safe change beside it',
      { ...base, to: pools({ ...web('192.0.2.8/29'), more: { addresses: ['203.0.113.0/28'] } }) },
    ],
    ['a Service whom nothing hurts', { ...base, services: [five, service('shop/api', '192.0.2.9')] }],
    ['the order of Services', { ...base, services: [service('shop/none', []), five].toReversed() }],
    [
      'a label of the Service that nothing selects',
      { ...base, services: [service('shop/web', '192.0.2.5', { labels: { app: 'x' } })] },
    ],
    ['the policy draining what another would hold', { ...base, policy: () => 'drain' }],
  ];
  it.each(same)('stays with %s', (_name, other) => {
    expect(digestOf(other)).toBe(digestOf(base));
  });

  it('knows a password only as something that differs', () => {
    const peer = (password: string) => ({
      pools: web('192.0.2.0/28'),
      bgpAdvertisements: { all: {} },
      bgpPeers: { t: { myASN: 1, peerASN: 2, peerAddress: '203.0.113.1', password } },
    });
    const to = { pools: web('192.0.2.0/28'), bgpAdvertisements: { all: {} } };
    const digests = ['one', 'two'].map((password) =>
      digestOf({ from: peer(password), to, services: [five] }),
    );
    expect(digests[0]).not.toBe('');
    expect(digests[1]).toBe(digests[0]);
  });
});
