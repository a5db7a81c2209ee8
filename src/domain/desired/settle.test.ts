import { describe, expect, it } from 'vitest';
import type { Built } from './build.ts';
import { live, readers, rendered, stored } from './desired.rig.ts';
import { idOf, type LiveObject, viewOf } from './object.ts';
import { settle } from './settle.ts';

const WEB = { pools: { web: { addresses: ['192.0.2.0/28'] } }, l2Advertisements: { all: {} } };
const two = { name: 'ns.two', title: 'ConfigMap ns/two', secret: false };
const three = { name: 'ns.three', title: 'ConfigMap ns/three', secret: false };
const pool = (name: string, ...addresses: string[]) => ({ pools: { [name]: { addresses } } });

function judge(built: readonly Built[], objects: readonly LiveObject[] = []) {
  const settled = settle({ instance: 'herald', built, live: objects, check: readers });
  return {
    states: settled.verdicts.map((v) => v.state),
    codes: settled.verdicts.map((v) => v.problems.map((p) => p.code)),
    desired: settled.desired.map(idOf).sort(),
    verdicts: settled.verdicts,
  };
}

describe('one source', () => {
  it('is accepted when nothing is wrong', () => {
    expect(judge([rendered(WEB)])).toMatchObject({
      states: ['accepted'],
      codes: [[]],
      desired: ['IPAddressPool web', 'L2Advertisement all'],
    });
  });

  it('stands for its live objects when it is refused', () => {
    const { states, desired, verdicts } = judge([rendered(pool('web', 'x'))], live(WEB));
    expect([states, desired]).toEqual([['refused'], []]);
    expect(verdicts[0]?.objects.length).toBe(2);
  });

  it('keeps what is live when it defines nothing any more, and may be empty when nothing is live', () => {
    expect(judge([rendered({})], live(WEB))).toMatchObject({ states: ['kept'], codes: [['EmptyRender']] });
    expect(judge([rendered({})])).toMatchObject({ states: ['accepted'], codes: [[]] });
  });

  it('keeps what is live while it waits, without a problem', () => {
    const waiting: Built = { ...rendered({}), waiting: 'for the other half' };
    expect(judge([waiting], live(WEB))).toMatchObject({ states: ['kept'], codes: [[]] });
  });

  it('is refused by what its readers would refuse, with the place in the values and no value', () => {
    const { states, verdicts } = judge([
      rendered({ ...WEB, l2Advertisements: { all: { ipAddressPools: ['web', 'web'] } } }),
    ]);
    expect(states).toEqual(['refused']);
    expect(verdicts[0]?.problems[0]).toMatchObject({
      code: 'NameDuplicate',
      path: 'l2Advertisements.all.ipAddressPools[1]',
      message: 'plain NameDuplicate',
      source: 'Secret metallb-system/herald-values',
    });
  });
});

describe('names', () => {
  const foreign = (adopt?: string) => {
    const [object] = rendered(pool('web', '192.0.2.0/28')).objects;
    if (!object) throw new Error('no pool');
    return stored(
      { ...object, annotations: adopt === undefined ? {} : { 'herald.io/adopt': adopt } },
      { labels: {} },
    );
  };

  it('of objects that others made are taken, unless they are annotated for this very source', () => {
    expect(judge([rendered(WEB)], [foreign()])).toMatchObject({
      states: ['refused'],
      codes: [['NameTaken']],
    });
    expect(judge([rendered(WEB)], [foreign('ns.two')])).toMatchObject({ states: ['refused'] });
    expect(judge([rendered(WEB)], [foreign('herald')])).toMatchObject({ states: ['accepted'] });
  });

  it('of another release are taken too', () => {
    const [object] = rendered(WEB).objects;
    if (!object) throw new Error('no pool');
    const other = stored(object, { labels: { 'herald.io/instance': 'other' } });
    expect(judge([rendered(WEB)], [other])).toMatchObject({ codes: [['NameTaken']] });
  });

  it('in two sources: the one that has it live wins, and both fall when neither has', () => {
    const both = [rendered(WEB), rendered(pool('web', '198.51.100.0/28'), two)];
    expect(judge(both, live(WEB))).toMatchObject({
      states: ['accepted', 'refused'],
      codes: [[], ['ObjectInTwoSources']],
    });
    expect(judge(both, live(pool('web', '198.51.100.0/28'), two))).toMatchObject({
      states: ['refused', 'accepted'],
    });
    const neither = judge(both);
    expect(neither).toMatchObject({ states: ['refused', 'refused'], desired: [] });
    expect(neither.verdicts[0]?.problems[0]?.message).toContain('ConfigMap ns/two');
    expect(neither.verdicts[1]?.problems[0]?.message).toContain('Secret metallb-system/herald-values');
  });

  it('of a source that fell or waits stay its own', () => {
    const waiting: Built = { ...rendered({}), waiting: 'x' };
    const taker = rendered(pool('web', '198.51.100.0/28'), two);
    expect(judge([waiting, taker], live(WEB))).toMatchObject({ states: ['kept', 'refused'] });
    expect(judge([rendered(pool('web', 'x')), taker], live(WEB))).toMatchObject({
      states: ['refused', 'refused'],
    });
  });

  it('may move to another source in the same commit, also when the first one becomes empty', () => {
    const moved = [rendered({ l2Advertisements: { all: {} } }), rendered(pool('web', '192.0.2.0/28'), two)];
    expect(judge(moved, live(WEB))).toMatchObject({ states: ['accepted', 'accepted'] });
    const emptied = [rendered({}), rendered(WEB, two)];
    expect(judge(emptied, live(WEB))).toMatchObject({
      states: ['accepted', 'accepted'],
      desired: ['IPAddressPool web', 'L2Advertisement all'],
    });
  });
});

describe('ranges', () => {
  it('of two sources: the live one wins, naming the place of the other', () => {
    const built = [rendered(WEB), rendered(pool('big', '192.0.2.0/24'), two)];
    const { states, verdicts } = judge(built, live(WEB));
    expect(states).toEqual(['accepted', 'refused']);
    expect(verdicts[1]?.problems[0]).toMatchObject({
      code: 'PoolOverlap',
      path: 'pools.big.addresses[0]',
      message:
        '192.0.2.0/24 shares addresses with pools.web.addresses[0] (Secret metallb-system/herald-values)',
    });
  });

  it('of two sources of which neither is live: both fall', () => {
    const built = [rendered(pool('a', '192.0.2.0/24'), two), rendered(pool('b', '192.0.2.128/25'), three)];
    expect(judge(built)).toMatchObject({ states: ['refused', 'refused'], desired: [] });
  });

  it('that grow into a live one fall, though their pool is live', () => {
    const before = [...live(WEB), ...live(pool('b', '192.0.2.16/28'), two)];
    const built = [rendered(WEB), rendered(pool('b', '192.0.2.0/27'), two)];
    expect(judge(built, before)).toMatchObject({ states: ['accepted', 'refused'] });
  });

  it('of objects that others made count as live', () => {
    const [object] = rendered(pool('theirs', '192.0.2.0/24')).objects;
    if (!object) throw new Error('no pool');
    const { states, verdicts } = judge([rendered(WEB)], [stored(object, { labels: {} })]);
    expect(states).toEqual(['refused']);
    expect(verdicts[0]?.problems[0]?.message).toContain(
      'IPAddressPool theirs (an object that Herald did not make)',
    );
  });

  it('of a refused source stay its own for the others', () => {
    const built = [rendered(pool('web', 'x')), rendered(pool('b', '192.0.2.8/29'), two)];
    expect(judge(built, live(WEB))).toMatchObject({ states: ['refused', 'refused'] });
  });

  it('free again after the first source gave them up may be taken in the same commit', () => {
    const built = [
      rendered({ ...WEB, pools: { web: { addresses: ['198.51.100.0/28'] } } }),
      rendered(pool('b', '192.0.2.0/28'), two),
    ];
    expect(judge(built, live(WEB))).toMatchObject({ states: ['accepted', 'accepted'] });
  });
});

describe('the whole set', () => {
  const alias = (object: string) => ({
    communities: { [object]: { communities: [{ name: 'x', value: '64500:1' }] } },
  });

  it('is checked as its readers do, and who brought the collision falls, whoever is complained about', () => {
    // The reader complains about the name that comes later, which is the one that is live.
    const built = [rendered(alias('zzz')), rendered(alias('aaa'), two)];
    const { states } = judge(built, live(alias('zzz')));
    expect(states).toContain('refused');
    const desired = judge(built, live(alias('zzz'))).desired;
    expect(desired).not.toContain('Community aaa');
  });

  it('ends with an accepted set that its readers take', () => {
    const built = [
      rendered(alias('a')),
      rendered(alias('b'), two),
      rendered(pool('p', '192.0.2.0/28'), three),
    ];
    const { desired, verdicts } = judge(built);
    const kept = verdicts
      .flatMap((v) => v.objects)
      .filter((o) => desired.includes(idOf('metadata' in o ? viewOf(o) : o)));
    expect(readers(kept.map((o) => ('metadata' in o ? viewOf(o) : o)))).toEqual([]);
    expect(desired).toContain('IPAddressPool p');
  });
});

describe('warnings', () => {
  it('tell of a pool that nothing announces, and of names that do not exist', () => {
    const built = rendered({
      ...pool('a', '192.0.2.0/28'),
      l2Advertisements: { x: { ipAddressPools: ['b'] } },
    });
    expect(judge([built])).toMatchObject({
      states: ['accepted'],
      codes: [['PoolNotAdvertised', 'UnknownPool']],
    });
  });

  it.each([
    ['Reservation r', { reservations: { r: { namespace: 'shop', service: 'web' } } }],
    ['AddressQuota q', { quotas: { q: { addresses: 3 } } }],
    [
      'IPAddressPool a',
      { pools: { a: { addresses: ['192.0.2.0/28'], strategy: 'hash' } }, l2Advertisements: { lan: {} } },
    ],
  ])('tell that %s has no effect where another controller gives the addresses', (object, values) => {
    expect(judge([rendered(values)]).codes).toEqual([[]]);
    const { states, verdicts } = judge([rendered({ ...values, controller: { enabled: false } })]);
    expect(states).toEqual(['accepted']);
    expect(verdicts[0]?.problems).toMatchObject([{ code: 'OtherController', object, severity: 'warning' }]);
  });

  it('count announcements of other sources, of others, and by selector', () => {
    const lonely = rendered(pool('a', '192.0.2.0/28'));
    expect(
      judge([lonely, rendered({ l2Advertisements: { x: { ipAddressPools: ['a'] } } }, two)]).codes,
    ).toEqual([[], []]);
    expect(judge([lonely, rendered({ bgpAdvertisements: { x: {} } }, two)]).codes[0]).toEqual([]);
    const selecting = {
      ...pool('a', '192.0.2.0/28'),
      l2Advertisements: { x: { ipAddressPools: ['q'], ipAddressPoolSelectors: [{}] } },
    };
    expect(judge([rendered(selecting)]).codes[0]).toEqual(['UnknownPool']);
  });
});
