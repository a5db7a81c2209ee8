import { describe, expect, it } from 'vitest';
import { changeOf, judged, type Sketch, stepTexts, writeTexts } from './change.rig.ts';

const PEER = { myASN: 1, peerASN: 2, peerAddress: '203.0.113.1' };
const web = (more: object = {}) => ({ web: { addresses: ['192.0.2.0/28'], ...more } });
const l2 = (spec: object) => ({ pools: web(), l2Advertisements: { all: spec } });

describe('a judgement without Services', () => {
  const rows: readonly (readonly [string, from: object, to: object, steps: readonly string[]])[] = [
    ['a pool comes', {}, { pools: web() }, ['create IPAddressPool web: ready']],
    ['a pool goes', { pools: web() }, {}, ['delete IPAddressPool web: held']],
    [
      'a pool grows',
      { pools: web() },
      { pools: web({ addresses: ['192.0.2.0/27'] }) },
      ['update IPAddressPool web: ready'],
    ],
    [
      'a pool shrinks and grows',
      { pools: web({ addresses: ['192.0.2.0/29', '192.0.2.8/29'] }) },
      { pools: web({ addresses: ['192.0.2.0/29', '198.51.100.0/29'] }) },
      ['update IPAddressPool web: ready', 'update IPAddressPool web: held'],
    ],
    [
      'a pool is spelt in another way',
      { pools: web() },
      { pools: web({ addresses: ['192.0.2.0/29', '192.0.2.8/29'] }) },
      ['update IPAddressPool web: ready'],
    ],
    [
      'a range comes to another pool',
      { pools: web() },
      { pools: { www: { addresses: ['192.0.2.0/28'] } } },
      ['delete IPAddressPool web: held', 'create IPAddressPool www: held'],
    ],
    [
      'a pool gives no more by itself',
      { pools: web() },
      { pools: web({ autoAssign: false }) },
      ['update IPAddressPool web: ready'],
    ],
    [
      'a pool is for some',
      { pools: web() },
      { pools: web({ serviceAllocation: { namespaces: ['a'] } }) },
      ['update IPAddressPool web: held'],
    ],
    [
      'a pool is for all again',
      { pools: web({ serviceAllocation: { namespaces: ['a'] } }) },
      { pools: web() },
      ['update IPAddressPool web: ready'],
    ],
    [
      'a pool begins to avoid addresses',
      { pools: web() },
      { pools: web({ avoidBuggyIPs: true }) },
      ['update IPAddressPool web: held'],
    ],
    [
      'the labels of a pool change',
      { pools: web() },
      { pools: web({ labels: { tier: 'x' } }) },
      ['update IPAddressPool web: held'],
    ],
    ['an advertisement comes', { pools: web() }, l2({}), ['create L2Advertisement all: ready']],
    ['an advertisement goes', l2({}), { pools: web() }, ['delete L2Advertisement all: held']],
    [
      'an advertisement is for fewer nodes',
      l2({}),
      l2({ nodeSelectors: [{ matchLabels: { zone: 'x' } }] }),
      ['update L2Advertisement all: held'],
    ],
    [
      'an advertisement is for all nodes again',
      l2({ nodeSelectors: [{ matchLabels: { zone: 'x' } }] }),
      l2({}),
      ['update L2Advertisement all: ready'],
    ],
    [
      'an advertisement is for one interface',
      l2({}),
      l2({ interfaces: ['eth0'] }),
      ['update L2Advertisement all: held'],
    ],
    ['a peer goes', { bgpPeers: { t: PEER } }, {}, ['delete BGPPeer t: held']],
    [
      'a peer changes',
      { bgpPeers: { t: PEER } },
      { bgpPeers: { t: { ...PEER, peerASN: 3 } } },
      ['update BGPPeer t: held'],
    ],
  ];
  it.each(rows)('%s', (_name, from, to, steps) => {
    expect(stepTexts(judged({ from, to, scene: undefined }))).toEqual(steps);
  });

  const gone: Sketch = { from: { pools: web() }, to: {}, scene: undefined };

  it('says why it holds, whatever way on the policy names', () => {
    for (const policy of ['hold', 'drain', 'move'] as const) {
      const r = judged({ ...gone, policy: () => policy });
      expect(changeOf(r).steps.map((s) => s.because)).toEqual([
        'Services cannot be read, so that nobody knows whom it would hurt',
      ]);
      expect(writeTexts(r)).toEqual([]);
    }
  });

  it('lets through what is forced, and what is approved', () => {
    expect(writeTexts(judged({ ...gone, policy: () => 'force' }))).toEqual([['delete IPAddressPool web']]);
    const { digest } = changeOf(judged(gone));
    expect(writeTexts(judged({ ...gone, approved: new Map([['herald', digest]]) }))).toEqual([
      ['delete IPAddressPool web'],
    ]);
  });

  it('approves nothing for the time when Services can be read again', () => {
    const { digest } = changeOf(judged(gone));
    const { scene: _, ...seen } = gone;
    expect(changeOf(judged({ ...seen, services: [] })).digest).toBe('');
    expect(digest).not.toBe('');
  });
});
