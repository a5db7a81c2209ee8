import { describe, expect, it } from 'vitest';
import { DRAINING, INSTANCE, MOVING, ON_CHANGE, RECONCILE } from '../api/annotations.ts';
import type { LiveObject } from '../desired/object.ts';
import {
  carriedOut,
  changeOf,
  inputOf,
  judged,
  live,
  objects,
  type Sketch,
  service,
  stepTexts,
  writeTexts,
} from './change.rig.ts';
import { judge } from './judge.ts';
import type { Judged } from './model.ts';

const L2 = { l2Advertisements: { all: {} } };
const pools = (map: object) => ({ pools: map, ...L2 });
const web = (...addresses: string[]) => ({ web: { addresses } });
const room = { room: { addresses: ['198.51.100.0/28'] } };
const five = service('shop/web', '192.0.2.5');
const drain: Sketch = { policy: () => 'drain' };
const move: Sketch = { policy: () => 'move' };
const force: Sketch = { policy: () => 'force' };

/** The marks that the writes leave on pools: "web draining 192.0.2.0/29". */
function marksOf({ plan }: Judged): string[] {
  return plan.stages.flat().flatMap((write) => {
    if (write.verb === 'delete') return [];
    const { name, annotations } = write.object;
    return [
      ...(annotations[DRAINING] === undefined ? [] : [`${name} draining ${annotations[DRAINING]}`]),
      ...(annotations[MOVING] === undefined ? [] : [`${name} moving ${annotations[MOVING]}`]),
    ];
  });
}

/** Judges again on what was written, until nothing is left to write. */
function settled(sketch: Sketch): { readonly cluster: readonly LiveObject[]; readonly last: Judged } {
  const input = inputOf(sketch);
  let cluster: readonly LiveObject[] = input.live;
  for (let round = 0; round < 5; round++) {
    const last = judge({ ...input, live: cluster });
    if (last.plan.stages.length === 0) return { cluster, last };
    cluster = carriedOut(cluster, last);
  }
  throw new Error('it does not come to an end');
}

describe('drain', () => {
  const gone = { from: pools(web('192.0.2.0/28')), to: L2, services: [five], ...drain };

  it('marks a pool that is to go, whole, and removes nothing', () => {
    const r = judged(gone);
    expect(stepTexts(r)).toEqual(['delete IPAddressPool web: draining']);
    expect(changeOf(r).steps[0]?.because).toBe('policy drain: waits for Services in pool web');
    expect(writeTexts(r)).toEqual([['update IPAddressPool web']]);
    expect(marksOf(r)).toEqual(['web draining 192.0.2.0/28']);
  });

  it('marks the part of a range that is to go, and leaves the range in the pool', () => {
    const r = judged({ ...gone, to: pools(web('192.0.2.8/29')) });
    expect(marksOf(r)).toEqual(['web draining 192.0.2.0/29']);
  });

  it('marks the one range of two in which somebody lives, while the other one goes', () => {
    const r = judged({
      ...gone,
      from: pools(web('192.0.2.0/29', '192.0.2.8/29')),
      to: pools(web('203.0.113.0/29')),
    });
    expect(stepTexts(r)).toEqual(['update IPAddressPool web: ready', 'update IPAddressPool web: draining']);
    expect(marksOf(r)).toEqual(['web draining 192.0.2.0/29']);
  });

  it('marks the pool of a Service that would not be announced', () => {
    const r = judged({ ...gone, to: { pools: web('192.0.2.0/28') } });
    expect(stepTexts(r)).toEqual(['delete L2Advertisement all: draining']);
    expect(writeTexts(r)).toEqual([['update IPAddressPool web']]);
    expect(marksOf(r)).toEqual(['web draining 192.0.2.0/28']);
  });

  it('marks single addresses where a pool begins to avoid them', () => {
    const r = judged({
      ...gone,
      to: pools({ web: { addresses: ['192.0.2.0/28'], avoidBuggyIPs: true } }),
      services: [service('shop/web', '192.0.2.0'), five],
    });
    expect(marksOf(r)).toEqual(['web draining 192.0.2.0/32']);
  });

  it('writes the marks once, and takes the object away when the last Service has left', () => {
    const { cluster, last } = settled(gone);
    expect(stepTexts(last)).toEqual(['delete IPAddressPool web: draining']);
    const after = judged({ ...gone, live: cluster, services: [] });
    expect(stepTexts(after)).toEqual(['delete IPAddressPool web: ready']);
    expect(writeTexts(after)).toEqual([['delete IPAddressPool web']]);
  });

  it('takes the marks away when the commit is taken back', () => {
    const { cluster } = settled(gone);
    const back = judged({ ...gone, live: cluster, to: pools(web('192.0.2.0/28')) });
    expect(back.plan.stages.flat()).toMatchObject([
      { verb: 'update', because: `annotation ${DRAINING} is over`, object: { name: 'web' } },
    ]);
    expect(marksOf(back)).toEqual([]);
  });

  it('keeps marks that the source sets itself', () => {
    const given = pools({
      web: { addresses: ['192.0.2.0/28', '192.0.2.16/28'], annotations: { [DRAINING]: '192.0.2.16/28' } },
    });
    const to = pools({ web: { addresses: ['192.0.2.16/28'], annotations: { [DRAINING]: '192.0.2.16/28' } } });
    expect(marksOf(judged({ ...gone, from: given, to }))).toEqual([
      'web draining 192.0.2.16/28,192.0.2.0/28',
    ]);
  });

  it.each<[string, Sketch, string]>([
    [
      'the controller is another one',
      { drains: false },
      'policy drain, but the controller that gives out addresses knows neither draining nor moving ranges',
    ],
    [
      'the pool is of others',
      {
        live: [
          ...live({ pools: web('192.0.2.0/28') }).map((o) => ({
            ...o,
            metadata: { ...o.metadata, labels: { [INSTANCE]: 'other' } },
          })),
          ...live(L2),
        ],
        to: {},
      },
      "policy drain, but IPAddressPool web is not Herald's to mark",
    ],
    [
      'the pool is to be left alone',
      {
        live: [
          ...live({ pools: web('192.0.2.0/28') }).map((o) => ({
            ...o,
            metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, [RECONCILE]: 'disabled' } },
          })),
          ...live(L2),
        ],
        to: { pools: web('192.0.2.0/28') },
      },
      "policy drain, but IPAddressPool web is not Herald's to mark",
    ],
  ])('is a hold where %s', (_name, more, because) => {
    const r = judged({ ...gone, ...more });
    expect(writeTexts(r)).toEqual([]);
    expect(
      changeOf(r)
        .steps.filter((s) => s.state === 'held')
        .map((s) => s.because),
    ).toEqual([because]);
  });
});

describe('move', () => {
  const gone = {
    from: pools({ ...web('192.0.2.0/28'), ...room }),
    to: pools(room),
    services: [five],
    ...move,
  };

  it('marks a pool that is to go as moving', () => {
    const r = judged(gone);
    expect(stepTexts(r)).toEqual(['delete IPAddressPool web: moving']);
    expect(marksOf(r)).toEqual(['web moving 192.0.2.0/28']);
    expect(r.affected).toMatchObject([{ service: 'shop/web', fate: 'moves' }]);
  });

  it('is a hold as long as there is no room', () => {
    const r = judged({ ...gone, from: pools(web('192.0.2.0/28')), to: L2 });
    expect(changeOf(r).steps).toMatchObject([
      { state: 'held', because: 'policy move, but no other address is free for shop/web' },
    ]);
    expect(writeTexts(r)).toEqual([]);
  });

  it('names the first for whom there is no room, and counts the others', () => {
    const r = judged({
      ...gone,
      from: pools({ ...web('192.0.2.0/28'), room: { addresses: ['198.51.100.1/32'] } }),
      to: pools({ room: { addresses: ['198.51.100.1/32'] } }),
      services: ['a/a', 'b/b', 'c/c'].map((key, i) => service(key, `192.0.2.${i + 1}`)),
    });
    expect(changeOf(r).steps[0]?.because).toBe(
      'policy move, but no other address is free for b/b and 1 more',
    );
  });

  it('counts those as first who wait for an address already', () => {
    const to = pools({ room: { addresses: ['198.51.100.1/32'] } });
    const r = judged({
      ...gone,
      from: pools({ ...web('192.0.2.0/28'), room: { addresses: ['198.51.100.1/32'] } }),
      to,
      services: [five, service('shop/later', [])],
    });
    expect(changeOf(r).steps[0]?.state).toBe('held');
  });

  it('has room in what comes with the same commit', () => {
    const r = judged({ ...gone, from: pools(web('192.0.2.0/28')) });
    expect(stepTexts(r)).toEqual(['create IPAddressPool room: ready', 'delete IPAddressPool web: moving']);
    expect(marksOf(r)).toEqual(['web moving 192.0.2.0/28']);
  });

  it('finds no room where the Service would not be announced', () => {
    const before = {
      pools: { ...web('192.0.2.0/28'), ...room },
      l2Advertisements: { l: { ipAddressPools: ['web'] } },
    };
    const after = { pools: { ...web('192.0.2.0/28'), ...room } };
    expect(changeOf(judged({ ...gone, from: before, to: after })).steps[0]?.because).toBe(
      'policy move, but no other address is free for shop/web',
    );
  });

  it('moves single addresses where others in the range may stay', () => {
    const r = judged({
      ...gone,
      to: pools({
        ...room,
        web: { addresses: ['192.0.2.0/28'], serviceAllocation: { namespaces: ['bank'] } },
      }),
      services: [five, service('bank/api', '192.0.2.6')],
    });
    // Nobody new may come into the range meanwhile.
    expect(marksOf(r)).toEqual([
      'web draining 192.0.2.0-192.0.2.4,192.0.2.6-192.0.2.15',
      'web moving 192.0.2.5/32',
    ]);
  });

  it('waits until the old address is gone: a Service on its way shows both', () => {
    const { cluster } = settled(gone);
    const both = judged({
      ...gone,
      live: cluster,
      services: [service('shop/web', ['192.0.2.5', '198.51.100.0'])],
    });
    expect(stepTexts(both)).toEqual(['delete IPAddressPool web: moving']);
    const there = judged({ ...gone, live: cluster, services: [service('shop/web', '198.51.100.0')] });
    expect(stepTexts(there)).toEqual(['delete IPAddressPool web: ready']);
  });
});

describe('force', () => {
  it('carries everything out, and tells whom it hurts', () => {
    const r = judged({ from: pools(web('192.0.2.0/28')), to: L2, services: [five], ...force });
    expect(writeTexts(r)).toEqual([['delete IPAddressPool web']]);
    expect(changeOf(r)).toMatchObject({
      digest: '',
      steps: [
        { state: 'ready', because: 'policy force', affected: [{ service: 'shop/web', fate: 'loses' }] },
      ],
    });
  });
});

describe('the policy of an object', () => {
  const pool = (onChange?: string) => ({ addresses: ['192.0.2.0/28'], ...(onChange && { onChange }) });
  const states = (sketch: Sketch) =>
    judged({ services: [five], ...sketch }).changes.flatMap((c) => c.steps.map((s) => s.state));
  const half = { addresses: ['192.0.2.8/29'] };

  it.each<[string, Sketch, string]>([
    ['the one of its source', { from: pools({ web: pool() }), to: L2, ...drain }, 'draining'],
    ['its own, as it was when it was there', { from: pools({ web: pool('drain') }), to: L2 }, 'draining'],
    [
      'its own, as it is to be',
      { from: pools({ web: pool('drain') }), to: pools({ web: { ...half, onChange: 'force' } }) },
      'ready',
    ],
    [
      "its own hold before the source's force",
      { from: pools({ web: pool('hold') }), to: L2, ...force },
      'held',
    ],
    [
      'that of the source, where its own word is none',
      {
        live: live(pools({ web: pool() })).map((o) => ({
          ...o,
          metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, [ON_CHANGE]: 'yes' } },
        })),
        to: L2,
      },
      'held',
    ],
  ])('is %s', (_name, sketch, state) => {
    expect(states(sketch)).toEqual([state]);
  });

  it('counts for this object alone', () => {
    const r = judged({
      from: pools({ web: pool('force'), api: { addresses: ['198.51.100.0/28'] } }),
      to: L2,
      services: [five, service('shop/api', '198.51.100.1')],
    });
    expect(stepTexts(r)).toEqual(['delete IPAddressPool api: held', 'delete IPAddressPool web: ready']);
  });
});

describe('two sources', () => {
  it('each has a change of its own, by its own policy', () => {
    const r = judged({
      live: [
        ...live(pools(web('192.0.2.0/28')), 'one'),
        ...live({ pools: { api: { addresses: ['198.51.100.0/28'] } } }, 'two'),
      ],
      desired: objects(L2, 'one'),
      complete: new Set(['one', 'two']),
      services: [five, service('shop/api', '198.51.100.1')],
      policy: (source) => (source === 'one' ? 'hold' : 'force'),
    });
    expect(r.changes.map((c) => [c.source, c.policy, c.digest !== '', c.steps.map((s) => s.state)])).toEqual([
      ['one', 'hold', true, ['held']],
      ['two', 'force', false, ['ready']],
    ]);
  });
});
