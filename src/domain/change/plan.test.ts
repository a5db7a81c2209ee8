import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendered, stored } from '../desired/desired.rig.ts';
import {
  bodyOf,
  type DesiredObject,
  idOf,
  type LiveObject,
  liveKind,
  openContent,
  viewOf,
} from '../desired/object.ts';
import { covers, entriesOf } from '../desired/rules.ts';
import { parseRange } from '../ip/range.ts';
import { plan } from './change.rig.ts';
import type { Plan, Write } from './plan.ts';

const ALL: ReadonlySet<string> = new Set(['herald']);
const planned = (desired: readonly DesiredObject[], live: readonly LiveObject[], complete = ALL) =>
  plan({ instance: 'herald', desired, live, complete });
const objects = (values: unknown) => rendered(values).objects;
const verbs = (p: Plan) =>
  p.stages.map((stage) =>
    stage.map((w) => `${w.verb} ${w.verb === 'delete' ? idOf(viewOf(w.live)) : idOf(w.object)}`),
  );
const pools = (map: Record<string, readonly string[]>) => ({
  pools: Object.fromEntries(Object.entries(map).map(([name, addresses]) => [name, { addresses }])),
});

/** What the cluster holds after the writes. */
function carriedOut(p: Plan, live: readonly LiveObject[]): LiveObject[] {
  const state = new Map(live.map((o) => [idOf(viewOf(o)), o]));
  for (const write of p.stages.flat()) {
    if (write.verb === 'delete') state.delete(idOf(viewOf(write.live)));
    else state.set(idOf(write.object), stored(write.object));
  }
  return [...state.values()];
}

/** A live object with other content. */
function edited(live: LiveObject, spec: object): LiveObject {
  const { name, namespace, uid, labels, annotations } = live.metadata;
  return liveKind(live.kind).decode({
    metadata: { name, namespace, uid, resourceVersion: '77', labels, annotations },
    spec,
  });
}

describe('plan', () => {
  it('plans nothing where live and desired agree, whatever others added to the metadata', () => {
    const desired = objects({
      ...pools({ web: ['192.0.2.0/28'] }),
      bgpPeers: { t: { myASN: 1, peerASN: 2, peerAddress: '::1', password: 'p' } },
    });
    const live = desired.map((o) =>
      stored({ ...o, labels: { ...o.labels, theirs: 'x' }, annotations: { ...o.annotations, theirs: 'y' } }),
    );
    expect(planned(desired, live)).toEqual({ stages: [], unchanged: 3 });
  });

  it('creates what others refer to before what refers to it', () => {
    const desired = objects({
      l2Advertisements: { l: {} },
      bgpAdvertisements: { b: {} },
      ...pools({ web: ['192.0.2.0/28'] }),
      bgpPeers: { t: { myASN: 1, peerASN: 2, peerAddress: '::1', password: 'p' } },
      bfdProfiles: { f: {} },
      communities: { c: {} },
    });
    expect(verbs(planned(desired, []))).toEqual([
      [
        'create Community c',
        'create BFDProfile f',
        'create Secret herald-peer-t',
        'create BGPPeer t',
        'create IPAddressPool web',
        'create L2Advertisement l',
        'create BGPAdvertisement b',
      ],
    ]);
  });

  it('creates and grows before it shrinks, and shrinks before it deletes', () => {
    const before = objects(
      pools({ a: ['192.0.2.0/24'], b: ['198.51.100.0/25'], gone: ['203.0.113.0/24'] }),
    ).map((o) => stored(o));
    const after = objects(pools({ a: ['192.0.2.0/25'], b: ['198.51.100.0/24'], c: ['192.0.2.128/25'] }));
    expect(verbs(planned(after, before))).toEqual([
      ['update IPAddressPool b', 'create IPAddressPool c'],
      ['update IPAddressPool a'],
      ['delete IPAddressPool gone'],
    ]);
  });

  it('takes the same addresses in another spelling for no shrinking', () => {
    const before = objects(pools({ a: ['192.0.2.0/24'] })).map((o) => stored(o));
    for (const same of [['192.0.2.0-192.0.2.255'], ['192.0.2.0/25', '192.0.2.128/25'], ['192.0.2.7/24']]) {
      const { stages } = planned(objects(pools({ a: same, z: ['198.51.100.0/28'] })), before);
      expect(stages.length, same.join()).toBe(1);
    }
  });

  it('removes dependants first', () => {
    const before = objects({
      ...pools({ web: ['192.0.2.0/28'] }),
      l2Advertisements: { l: {} },
      bgpPeers: { t: { myASN: 1, peerASN: 2, peerAddress: '::1', bfdProfile: 'f' } },
      bfdProfiles: { f: {} },
    }).map((o) => stored(o));
    expect(verbs(planned([], before))).toEqual([
      ['delete L2Advertisement l', 'delete IPAddressPool web', 'delete BGPPeer t', 'delete BFDProfile f'],
    ]);
  });

  it('removes only what carries our label and comes from a source that was rendered completely', () => {
    const [a] = objects(pools({ a: ['192.0.2.0/28'] }));
    if (!a) throw new Error('no pool');
    const rows: readonly (readonly [string, LiveObject, ReadonlySet<string>, number])[] = [
      ['ours, complete', stored(a), ALL, 1],
      ['ours, source not complete', stored(a), new Set(), 0],
      ['without label', stored(a, { labels: {} }), ALL, 0],
      ['of another release', stored(a, { labels: { 'herald.io/instance': 'other' } }), ALL, 0],
      ['without provenance', stored({ ...a, annotations: {} }), ALL, 0],
    ];
    for (const [what, object, complete, deletions] of rows)
      expect(planned([], [object], complete).stages.flat().length, what).toBe(deletions);
  });

  it('takes out foreign fields by a patch that fails if the object has moved on', () => {
    const [a] = objects(pools({ a: ['192.0.2.0/28'] }));
    if (!a) throw new Error('no pool');
    const spec = {
      addresses: ['192.0.2.0/28'],
      autoAssign: true,
      avoidBuggyIPs: false,
      serviceAllocation: { priority: 1 },
      'x/y~z': 1,
    };
    const [[write] = []] = planned([a], [edited(stored(a), spec)]).stages;
    expect(write).toMatchObject({
      verb: 'update',
      because: 'spec.serviceAllocation is not ours, spec.x~1y~0z is not ours',
      strip: [
        { op: 'test', path: '/metadata/resourceVersion', value: '77' },
        { op: 'remove', path: '/spec/serviceAllocation' },
        { op: 'remove', path: '/spec/x~1y~0z' },
      ],
    });
  });

  it('says which fields differ and no value of them', () => {
    const [secret, peer] = objects({
      bgpPeers: { t: { myASN: 1, peerASN: 2, peerAddress: '::1', password: 'new' } },
    }).toSorted((x, y) => (x.kind.kind === 'Secret' ? -1 : y.kind.kind === 'Secret' ? 1 : 0));
    const [old] = objects({
      bgpPeers: { t: { myASN: 1, peerASN: 2, peerAddress: '::1', password: 'old' } },
    }).filter((o) => o.kind.kind === 'Secret');
    if (!secret || !peer || !old) throw new Error('nothing rendered');
    const result = planned([secret, peer], [stored(old), stored(peer)]);
    expect(result.stages.flat().map((w: Write) => w.because)).toEqual(['data.password differs']);
    expect(JSON.stringify(result)).not.toContain(Buffer.from('new').toString('base64'));
  });

  it('sees an owner label or a provenance that was taken away, and a label that the values dropped', () => {
    const [a] = objects({ pools: { a: { addresses: ['192.0.2.0/28'], labels: { team: 'x' } } } });
    const [bare] = objects(pools({ a: ['192.0.2.0/28'] }));
    if (!a || !bare) throw new Error('no pool');
    const why = (desired: DesiredObject, live: LiveObject) =>
      planned([desired], [live])
        .stages.flat()
        .map((w) => w.because);
    expect(why(bare, stored(bare, { labels: {} }))).toEqual(['label herald.io/instance differs']);
    expect(why(bare, stored({ ...bare, annotations: {} }))).toEqual(['annotation herald.io/from differs']);
    expect(why(bare, stored(a))).toEqual(['annotation herald.io/extra-metadata differs']);
  });

  const address = fc.integer({ min: 0, max: 15 }).map((i) => `192.0.2.${i * 16}/28`);
  const state = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.uniqueArray(address, { minLength: 1, maxLength: 3 }),
    { maxKeys: 4 },
  );

  it('leads from any state to any other, and then plans nothing more', () => {
    fc.assert(
      fc.property(state, state, (from, to) => {
        const live = objectsOf(from).map((o) => stored(o));
        const desired = objectsOf(to);
        const after = carriedOut(planned(desired, live), live);
        expect(planned(desired, after).stages).toEqual([]);
        expect(new Set(after.map((o) => idOf(viewOf(o))))).toEqual(new Set(desired.map(idOf)));
      }),
    );
  });

  it('never leaves an address that is wanted before and after without a pool, in whatever order a stage is written', () => {
    fc.assert(
      fc.property(state, state, fc.infiniteStream(fc.nat()), (from, to, chance) => {
        const live = objectsOf(from).map((o) => stored(o));
        const common = ranges(from).filter((a) => ranges(to).includes(a));
        let cluster = live;
        for (const stage of planned(objectsOf(to), live).stages) {
          const order = stage
            .map((write) => [chance.next().value ?? 0, write] as const)
            .toSorted((x, y) => x[0] - y[0]);
          for (const [, write] of order) {
            cluster = carriedOut({ stages: [[write]], unchanged: 0 }, cluster);
            const held = cluster.flatMap((o) => entriesOf(viewOf(o)).map((e) => e.range));
            for (const address of common) {
              const parsed = parseRange(address);
              expect(
                'range' in parsed && held.some((r) => covers(r, parsed.range)),
                `${address} after ${write.because}`,
              ).toBe(true);
            }
          }
        }
      }),
    );
  });

  it('swaps ranges of two pools in three steps each address of which is in a pool', () => {
    const before = objects(pools({ a: ['192.0.2.0/28'], b: ['192.0.2.16/28'] })).map((o) => stored(o));
    const result = planned(objects(pools({ a: ['192.0.2.16/28'], b: ['192.0.2.0/28'] })), before);
    expect(verbs(result)).toEqual([
      ['update IPAddressPool a', 'update IPAddressPool b'],
      ['update IPAddressPool a', 'update IPAddressPool b'],
    ]);
    const [first] = result.stages.flat();
    expect(first?.verb === 'update' && openContent(first.object.content).spec).toMatchObject({
      addresses: ['192.0.2.0/27'],
    });
  });

  it('writes a pool once that takes addresses nobody has and gives others up', () => {
    const before = objects(pools({ a: ['192.0.2.0/28'] })).map((o) => stored(o));
    expect(verbs(planned(objects(pools({ a: ['198.51.100.0/28'] })), before))).toEqual([
      ['update IPAddressPool a'],
    ]);
  });

  /** Rendered without the overlap check, which is not what is tested. */
  function objectsOf(map: Record<string, readonly string[]>): DesiredObject[] {
    return Object.entries(map).flatMap(([name, addresses]) => objects(pools({ [name]: addresses })));
  }
  const ranges = (map: Record<string, readonly string[]>) => Object.values(map).flat();

  it('makes a body that a decoder of the kind takes', () => {
    for (const object of objects(pools({ a: ['192.0.2.0/28'] })))
      expect(bodyOf(object, 'u')).toMatchObject({ metadata: { uid: 'u' } });
  });
});
