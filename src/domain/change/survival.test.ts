import { describe, expect, it } from 'vitest';
import { ADOPT, INSTANCE } from '../api/annotations.ts';
import { judged, live, node, objects, type Sketch, service, stepTexts, writeTexts } from './change.rig.ts';

const L2 = { l2Advertisements: { all: {} } };
const web = (...addresses: string[]) => ({ web: { addresses } });
const pools = (map: object) => ({ pools: map, ...L2 });
const five = service('shop/web', '192.0.2.5');

describe('what addresses survive', () => {
  const none = { services: [five], nodes: [node('a')] };
  const rows: readonly (readonly [string, Sketch, string[][]])[] = [
    [
      'a pool under another name',
      { ...none, from: pools(web('192.0.2.0/28')), to: pools({ www: { addresses: ['192.0.2.0/28'] } }) },
      [['create IPAddressPool www'], ['delete IPAddressPool web']],
    ],
    [
      'a range that is split',
      { ...none, from: pools(web('192.0.2.0/28')), to: pools(web('192.0.2.0/29', '192.0.2.8/29')) },
      [['update IPAddressPool web']],
    ],
    [
      'ranges that become one',
      { ...none, from: pools(web('192.0.2.0/29', '192.0.2.8/29')), to: pools(web('192.0.2.0/28')) },
      [['update IPAddressPool web']],
    ],
    [
      'a pool that is split in two',
      {
        ...none,
        from: pools(web('192.0.2.0/28')),
        to: pools({ web: { addresses: ['192.0.2.8/29'] }, low: { addresses: ['192.0.2.0/29'] } }),
      },
      [['create IPAddressPool low'], ['update IPAddressPool web']],
    ],
    [
      'two pools that become one',
      {
        ...none,
        from: pools({ web: { addresses: ['192.0.2.8/29'] }, low: { addresses: ['192.0.2.0/29'] } }),
        to: pools(web('192.0.2.0/28')),
      },
      [['update IPAddressPool web'], ['delete IPAddressPool low']],
    ],
    [
      'a range that comes to another pool',
      {
        ...none,
        from: pools({ ...web('192.0.2.0/28', '198.51.100.0/28'), b: { addresses: ['203.0.113.0/28'] } }),
        to: pools({ ...web('198.51.100.0/28'), b: { addresses: ['203.0.113.0/28', '192.0.2.0/28'] } }),
      },
      [['update IPAddressPool b'], ['update IPAddressPool web']],
    ],
    [
      'two pools that change their ranges, which pass through a state where both have both',
      {
        ...none,
        from: pools({ a: { addresses: ['192.0.2.0/28'] }, b: { addresses: ['198.51.100.0/28'] } }),
        to: pools({ a: { addresses: ['198.51.100.0/28'] }, b: { addresses: ['192.0.2.0/28'] } }),
      },
      [
        ['update IPAddressPool a', 'update IPAddressPool b'],
        ['update IPAddressPool a', 'update IPAddressPool b'],
      ],
    ],
    [
      'an advertisement under another name',
      {
        ...none,
        from: pools(web('192.0.2.0/28')),
        to: { pools: web('192.0.2.0/28'), l2Advertisements: { every: {} } },
      },
      [['create L2Advertisement every'], ['delete L2Advertisement all']],
    ],
    [
      'advertisements that change pools',
      {
        ...none,
        from: {
          pools: { ...web('192.0.2.0/28'), b: { addresses: ['198.51.100.0/28'] } },
          l2Advertisements: { l: { ipAddressPools: ['web'] }, m: { ipAddressPools: ['b'] } },
        },
        to: {
          pools: { ...web('192.0.2.0/28'), b: { addresses: ['198.51.100.0/28'] } },
          l2Advertisements: { l: { ipAddressPools: ['b'] }, m: { ipAddressPools: ['web'] } },
        },
      },
      [
        ['update L2Advertisement l', 'update L2Advertisement m'],
        ['update L2Advertisement l', 'update L2Advertisement m'],
      ],
    ],
    ['no commit at all', { ...none, from: pools(web('192.0.2.0/28')), to: pools(web('192.0.2.0/28')) }, []],
    [
      'a render without anything, while the source does not count as complete',
      { ...none, from: pools(web('192.0.2.0/28')), to: {}, complete: new Set<string>() },
      [],
    ],
    ['a source that is gone', { ...none, live: live(pools(web('192.0.2.0/28')), 'gone'), to: {} }, []],
  ];
  it.each(rows)('%s', (_name, sketch, writes) => {
    const r = judged(sketch);
    expect(r.affected).toEqual([]);
    expect(writeTexts(r)).toEqual(writes);
    for (const { steps, digest } of r.changes) {
      expect(steps.every((step) => step.state === 'ready')).toBe(true);
      expect(digest).toBe('');
    }
  });

  it('a complete render without anything is held whole where it hurts', () => {
    const r = judged({ from: pools(web('192.0.2.0/28')), to: {}, services: [five] });
    expect(stepTexts(r)).toEqual(['delete IPAddressPool web: held', 'delete L2Advertisement all: held']);
    expect(writeTexts(r)).toEqual([]);
  });

  it('a release under another name, which takes its objects over without touching an address', () => {
    const values = pools(web('192.0.2.0/28'));
    const adopted = live(values).map((o) => ({
      ...o,
      metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, [ADOPT]: 'other' } },
    }));
    const desired = objects(values, 'other').map((o) => ({
      ...o,
      labels: { ...o.labels, [INSTANCE]: 'other' },
    }));
    const r = judged({
      live: adopted,
      desired,
      instance: 'other',
      complete: new Set(['other']),
      services: [five],
    });
    expect(r.affected).toEqual([]);
    // The owner is a label, and advertisements may select pools by labels: whatever grows comes first.
    expect(writeTexts(r)).toEqual([['update L2Advertisement all'], ['update IPAddressPool web']]);
    for (const write of r.plan.stages.flat()) expect(write.because).toBe(`label ${INSTANCE} differs`);
  });

  it('an uninstalled release that is installed again: what is live is as desired', () => {
    const values = pools(web('192.0.2.0/28'));
    expect(
      judged({ from: values, desired: [], complete: new Set<string>(), services: [five] }).plan.stages,
    ).toEqual([]);
    expect(judged({ from: values, to: values, services: [five] }).plan).toEqual({ stages: [], unchanged: 2 });
  });
});
