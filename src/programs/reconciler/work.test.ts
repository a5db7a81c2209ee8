import { describe, expect, test } from 'vitest';
import type { Service } from '../../domain/api/core.ts';
import type { Scene } from '../../domain/change/model.ts';
import type { Write } from '../../domain/change/plan.ts';
import { live as liveOf, rendered, stored } from '../../domain/desired/desired.rig.ts';
import { idOf, type LiveObject, viewOf } from '../../domain/desired/object.ts';
import { carryOut, preview, type Task, type Worked } from './work.ts';
import type { Written } from './write.ts';

const WEB = { addresses: ['192.0.2.0/28'] };
const DB = { addresses: ['192.0.2.32/28'] };

function service(name: string, ip: string): Service {
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      generation: 0,
      labels: {},
      annotations: {},
    },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: ['10.0.0.1'],
      ports: [{ protocol: 'TCP', port: 80 }],
      selector: {},
      externalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
    },
    status: { ingress: [{ ip }], conditions: [] },
  };
}
const scene = (...services: readonly Service[]): Scene => ({ services, namespaces: [], nodes: [] });

/** A cluster in memory: what is written is there. */
class Cluster {
  readonly objects: Map<string, LiveObject>;
  readonly stages: (readonly string[])[] = [];
  services: readonly Service[] = [];
  /** Called before each stage. */
  before: (stage: readonly string[]) => void = () => undefined;
  fails: (write: string) => boolean = () => false;
  listed = 0;

  constructor(objects: readonly LiveObject[]) {
    this.objects = new Map(objects.map((o) => [idOf(viewOf(o)), o]));
  }

  async carryOut(stage: readonly Write[]): Promise<Written> {
    const names = stage.map((w) => `${w.verb} ${idOf(w.verb === 'delete' ? viewOf(w.live) : w.object)}`);
    if (names.length > 0) this.stages.push(names);
    this.before(names);
    const done: Write[] = [];
    const failures: Written['failures'][number][] = [];
    for (const [i, write] of stage.entries()) {
      if (this.fails(names[i] ?? '')) failures.push({ write, kind: 'failed', message: 'no answer' });
      else {
        done.push(write);
        if (write.verb === 'delete') this.objects.delete(idOf(viewOf(write.live)));
        else this.objects.set(idOf(write.object), stored(write.object));
      }
    }
    return { done, failures };
  }
}

function task(cluster: Cluster, values: object, o: Partial<Task> = {}): Task {
  return {
    instance: 'herald',
    desired: rendered(values).objects,
    complete: new Set(['herald']),
    live: () => [...cluster.objects.values()],
    scene: scene(),
    fresh: async () => {
      cluster.listed++;
      return scene(...cluster.services);
    },
    policy: () => 'hold',
    approved: new Map(),
    begun: new Map(),
    drains: true,
    ...o,
  };
}

const run = (
  cluster: Cluster,
  t: Task,
  begin: (sources: readonly string[]) => void = () => undefined,
): Promise<Worked> =>
  carryOut(
    t,
    { writer: cluster, begin: async (changes) => begin(changes.map((c) => c.source)) },
    new AbortController().signal,
  );
const left = (worked: Worked) =>
  worked.left.get('herald')?.steps.map((s) => `${s.state} ${s.action} ${s.object}`) ?? [];

describe('carrying out a change', () => {
  test('a stage at a time: what grows, then what shrinks, then what goes', async () => {
    const cluster = new Cluster(liveOf({ pools: { old: WEB, db: DB } }));
    const values = { pools: { web: WEB, db: { addresses: ['192.0.2.32/29'] } } };
    const worked = await run(cluster, task(cluster, values));
    expect(cluster.stages).toEqual([
      ['create IPAddressPool web'],
      ['update IPAddressPool db'],
      ['delete IPAddressPool old'],
    ]);
    expect(worked.done.length).toBe(3);
    expect(worked.pending).toEqual([]);
    expect(left(worked)).toEqual([]);
    expect(worked.first.get('herald')?.steps.length).toBe(3);
  });

  test('asks for the Services anew before each stage that changes or removes, and never for what is only made', async () => {
    const cluster = new Cluster(liveOf({ pools: { db: DB } }));
    await run(cluster, task(cluster, { pools: { db: DB, web: WEB } }));
    expect(cluster.listed).toBe(0);
    await run(cluster, task(cluster, { pools: { db: { addresses: ['192.0.2.32/29'] } } }));
    expect(cluster.stages.slice(1).length).toBe(2);
    expect(cluster.listed).toBe(2);
  });

  test('sees an address that was given out since the watch brought its last news', async () => {
    const cluster = new Cluster(liveOf({ pools: { web: WEB, db: DB } }));
    cluster.services = [service('shop', '192.0.2.5')];
    const worked = await run(cluster, task(cluster, { pools: { db: DB } }));
    expect(cluster.stages).toEqual([]);
    expect(left(worked)).toEqual(['held delete IPAddressPool web']);
    expect(worked.pending).toEqual([]);
  });

  test('sees one that was given out while an earlier stage was written', async () => {
    const cluster = new Cluster(liveOf({ pools: { web: WEB, db: DB } }));
    cluster.before = (stage) => {
      if (stage.includes('update IPAddressPool db')) cluster.services = [service('shop', '192.0.2.5')];
    };
    const worked = await run(cluster, task(cluster, { pools: { db: { addresses: ['192.0.2.32/29'] } } }));
    expect(cluster.stages).toEqual([['update IPAddressPool db']]);
    expect(left(worked)).toEqual(['held delete IPAddressPool web']);
  });

  test('stops at a stage with a failure, and says what is left', async () => {
    const cluster = new Cluster(liveOf({ pools: { old: WEB } }));
    cluster.fails = (write) => write === 'create IPAddressPool more';
    const values = { pools: { web: WEB, more: DB } };
    const worked = await run(cluster, task(cluster, values));
    expect(cluster.stages.length).toBe(1);
    expect(worked.failures.map((f) => f.message)).toEqual(['no answer']);
    expect(left(worked).sort()).toEqual([
      'ready create IPAddressPool more',
      'ready delete IPAddressPool old',
    ]);
    expect(worked.pending.length).toBe(2);
  });

  test('a preview writes nothing', () => {
    const cluster = new Cluster(liveOf({ pools: { web: WEB } }));
    const worked = preview(task(cluster, { pools: { db: DB } }));
    expect(worked.done).toEqual([]);
    expect(worked.pending.length).toBe(2);
    expect(worked.left).toEqual(worked.first);
  });
});

describe('carrying out an approved change', () => {
  const SHOP = service('shop', '192.0.2.5');
  const API = service('api', '192.0.2.33');
  const hurting = {
    pools: { more: { addresses: ['198.51.100.0/28'] }, db: { addresses: ['192.0.2.40/29'] } },
  };

  function setting() {
    const cluster = new Cluster(liveOf({ pools: { web: WEB, db: DB } }));
    cluster.services = [SHOP, API];
    const t = task(cluster, hurting, { scene: scene(SHOP, API) });
    const change = preview(t).first.get('herald');
    if (!change) throw new Error('no change');
    return { cluster, t, change };
  }

  test('does all of it, though half of it is another change with another digest', async () => {
    const { cluster, t, change } = setting();
    const begun: string[] = [];
    const approved = new Map([['herald', change.digest]]);
    const worked = await run(cluster, { ...t, approved }, (sources) => {
      expect(cluster.stages).toEqual([]);
      begun.push(...sources);
    });
    expect(begun).toEqual(['herald']);
    expect([...cluster.objects.keys()].sort()).toEqual(['IPAddressPool db', 'IPAddressPool more']);
    expect(left(worked)).toEqual([]);
  });

  test('goes on with the rest after a restart, when the Plan had it begun', async () => {
    const { cluster, t, change } = setting();
    // The process ended after the first two stages.
    const approved = new Map([['herald', change.digest]]);
    cluster.fails = (write) => write === 'delete IPAddressPool web';
    await run(cluster, { ...t, approved });
    expect(cluster.objects.has('IPAddressPool web')).toBe(true);
    cluster.fails = () => false;
    const again = { ...t, approved, scene: scene(SHOP, API) };
    expect(left(await run(cluster, again))).toEqual(['held delete IPAddressPool web']);
    expect(left(await run(cluster, { ...again, begun: new Map([['herald', change]]) }))).toEqual([]);
    expect(cluster.objects.has('IPAddressPool web')).toBe(false);
  });

  test('stops when another Service has joined since', async () => {
    const { cluster, t, change } = setting();
    cluster.before = (stage) => {
      if (stage.includes('update IPAddressPool db'))
        cluster.services = [SHOP, API, service('late', '192.0.2.6')];
    };
    const worked = await run(cluster, { ...t, approved: new Map([['herald', change.digest]]) });
    expect(left(worked)).toEqual(['held delete IPAddressPool web']);
    expect(cluster.objects.has('IPAddressPool web')).toBe(true);
  });

  test('does nothing for another digest', async () => {
    const { cluster, t } = setting();
    const other = new Map([['herald', `sha256:${'0'.repeat(64)}`]]);
    const worked = await run(cluster, { ...t, approved: other }, () => {
      throw new Error('nothing is begun');
    });
    expect(left(worked).filter((s) => s.startsWith('held')).length).toBe(2);
  });
});
