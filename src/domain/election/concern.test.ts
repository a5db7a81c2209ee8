import { describe, expect, it } from 'vitest';
import { concerned, fingerprints } from './concern.ts';
import { ad, config, node, pool, range, selector } from './field.rig.ts';
import { type Field, layOut } from './field.ts';
import type { Loss } from './notice.ts';

const web = pool('web', '192.0.2.0/24');
const dmz = pool('dmz', '198.51.100.0/24');
const webAd = ad('web');
const dmzAd = ad('dmz', { pools: new Set(['dmz']), nodeSelectors: [selector({ edge: 'yes' })] });
const plain = node('node-a');
const edge = node('node-b', { labels: { edge: 'yes' } });
const base = layOut(config([webAd, dmzAd], web, dmz), [plain, edge]);

const compare = (after: Field) => {
  const { pools, ranges } = concerned(fingerprints(base), fingerprints(after));
  return [[...pools].sort(), ranges];
};

describe('what a change concerns', () => {
  it('is nothing when nothing that counts differs', () => {
    expect(
      compare(layOut(config([dmzAd, webAd], web, dmz), [edge, { ...plain, labels: { irrelevant: 'x' } }])),
    ).toEqual([[], false]);
  });

  it('is a pool whose ranges differ, and addresses without a pool', () => {
    expect(compare(layOut(config([webAd, dmzAd], pool('web', '192.0.2.0/25'), dmz), [plain, edge]))).toEqual([
      ['web'],
      true,
    ]);
  });

  it('is a pool that came or went', () => {
    expect(compare(layOut(config([webAd, dmzAd], web), [plain, edge]))).toEqual([['dmz'], true]);
    expect(
      compare(layOut(config([webAd, dmzAd], web, dmz, pool('new', '203.0.113.0/24')), [plain, edge])),
    ).toEqual([['new'], true]);
  });

  it('is the pools of an advertisement that changed', () => {
    for (const change of [{ interfaces: ['eth0'] }, { serviceSelectors: [selector({ app: 'x' })] }]) {
      expect(compare(layOut(config([{ ...webAd, ...change }, dmzAd], web, dmz), [plain, edge]))).toEqual([
        ['web'],
        false,
      ]);
    }
    expect(compare(layOut(config([webAd], web, dmz), [plain, edge]))).toEqual([['dmz'], false]);
  });

  it('is the pools whose advertisements select a node that changed', () => {
    expect(compare(layOut(base.config, [{ ...plain, liveness: 'node-not-ready' }, edge]))).toEqual([
      ['web'],
      false,
    ]);
    expect(compare(layOut(base.config, [plain, { ...edge, excluded: true }]))).toEqual([
      ['dmz', 'web'],
      false,
    ]);
    expect(compare(layOut(base.config, [{ ...plain, labels: { edge: 'yes' } }, edge]))).toEqual([
      ['dmz'],
      false,
    ]);
    expect(compare(layOut(base.config, [edge]))).toEqual([['web'], false]);
  });

  it('is the pools of a node that lost an interface, has it back, or is cordoned', () => {
    const losses = (interfaces: Loss[]) => ({ losses: { interfaces, absent: [], nowhere: false } });
    const eth1: Loss = { name: 'eth1', families: ['IPv4'], nets: [range('192.0.2.0/24')] };
    const view = (change: object) => layOut(base.config, [{ ...plain, ...change }, edge]);
    expect(compare(view(losses([eth1])))).toEqual([['web'], false]);
    expect(compare(view({ cordoned: true }))).toEqual([['web'], false]);
    const [before, after] = [view(losses([eth1])), view(losses([{ ...eth1, nets: [] }]))];
    expect([...concerned(fingerprints(before), fingerprints(after)).pools]).toEqual(['web']);
    expect([...concerned(fingerprints(before), fingerprints(view(losses([eth1])))).pools]).toEqual([]);
  });

  it('is the pool of a preference whose outcome changed', () => {
    const preferring = { ...webAd, preferred: [{ weight: 10, selector: selector({ zone: 'near' }) }] };
    const before = layOut(config([preferring], web), [plain]);
    const after = layOut(config([preferring], web), [{ ...plain, labels: { zone: 'near' } }]);
    expect([...concerned(fingerprints(before), fingerprints(after)).pools]).toEqual(['web']);
  });
});

describe('the field', () => {
  it('keeps its orders while the set of nodes is the same', () => {
    expect(layOut(base.config, [plain, { ...edge, excluded: true }], base).ranks).toBe(base.ranks);
    expect(layOut(base.config, [plain], base).ranks).not.toBe(base.ranks);
  });
});
