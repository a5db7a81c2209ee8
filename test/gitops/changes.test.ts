import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditions, message } from '../api/reconciler.rig.ts';
import { condition } from '../fleet/observe.ts';
import { available } from '../servers/index.ts';
import { type Site, SiteLab } from './site.rig.ts';

/** A commit that would take addresses away, and each way on as a commit: what Flux shows of it, and who may wait for it. */

const can = available('flux');
const WEB = { web: { addresses: ['10.8.0.0/28'] } };
const DB = { db: { addresses: ['10.8.1.0/28'] } };
const API = { api: { addresses: ['10.8.2.0/28'] } };
const LAST = { last: { addresses: ['10.8.3.0/28'] } };
const KEY = 'herald.io/approve';

describe.skipIf(can !== true)(`ways on by commits through Flux${can === true ? '' : ` (${can})`}`, () => {
  let lab: SiteLab;
  let site: Site;
  beforeAll(async () => {
    lab = await SiteLab.start();
    site = await lab.site('ways');
    await site.run();
    await site.values({ pools: { ...WEB, ...DB, ...API, ...LAST } });
    await site.ready();
    for (const [name, ip] of Object.entries({ shop: '10.8.0.5', store: '10.8.1.5', depot: '10.8.2.5' }))
      await site.home.service(name, [ip]);
  });
  afterAll(() => lab?.stop());

  const names = async () => (await site.home.pools()).map((p) => p.metadata.name);
  const pools = (...wanted: readonly string[]) =>
    site.home.eventually(`the pools ${wanted}`, async () => (await names()).join() === wanted.join());
  /** Condition Ready of the Kustomization that waits for the Plan. */
  const gate = async (status: string) => {
    const seen = await lab.see(
      'kustomization',
      { namespace: 'flux-system', name: 'gate' },
      {
        what: `Ready=${status}`,
        until: (o) => condition(o, 'Ready')?.status === status,
      },
    );
    return condition(seen, 'Ready');
  };
  /** The manifest of an approval, as it is committed: a part of the Plan, which stays when the file goes. */
  const approval = (digest: string) =>
    JSON.stringify({
      apiVersion: 'herald.io/v1alpha1',
      kind: 'Plan',
      metadata: {
        name: 'herald',
        annotations: { [KEY]: digest, 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
      },
    });

  it('hold: the HelmRelease is not Ready, an Event says why and for whom, and who waits for the Plan is told', async () => {
    const before = await site.pools();
    await site.values({ pools: { ...DB, ...API, ...LAST, more: { addresses: ['10.8.4.0/28'] } } });
    expect(await site.ready('False')).toContain("ConfigSource/ways/herald status: 'Failed'");
    expect(message(await site.home.told('HeldInUse'))).toContain('ways/shop');
    const events = await site.home.eventually('the Event', async () => {
      const held = (await site.events()).filter((e) => e.startsWith('HeldInUse: '));
      return held.length > 0 && held;
    });
    expect(events).toEqual([expect.stringMatching(/ways\/shop.*herald\.io\/approve=sha256:/)]);
    expect(await site.pools()).toEqual([
      ...before.filter((pool) => pool < 'more'),
      expect.stringMatching(/^more /),
      ...before.filter((pool) => pool > 'more'),
    ]);

    const plan = { apiVersion: 'herald.io/v1alpha1', kind: 'Plan', name: 'herald', namespace: 'ways' };
    await lab.kustomization('gate', {
      path: './clusters/lab',
      prune: true,
      timeout: '1m',
      healthChecks: [plan],
    });
    expect((await gate('False'))?.message).toContain("Plan/ways/herald status: 'Failed'");
  });

  it('approve: a committed digest lets just that plan go, once', async () => {
    const { spec } = await site.home.planned('Held');
    await site.apply({ 'approval.yaml': approval(String(spec.digest)) });
    await pools('api', 'db', 'last', 'more');
    await site.ready();
    await gate('True');
    const plan = await site.home.planned('Applied');
    expect(plan.status?.history?.[0]).toMatchObject({
      state: 'Applied',
      digest: spec.digest,
      approvedBy: 'kustomize-controller',
    });
    // The file still lies in git, and Flux sets the annotation again: it is good for nothing else.
    await lab.flux.reconcile('kustomization/ways');
    await site.values({ pools: { ...API, ...LAST } });
    expect(message(await site.home.told('HeldInUse'))).toContain('ways/store');
    await site.apply({ 'approval.yaml': null });
    expect(await names()).toEqual(['api', 'db', 'last']);
    expect(await site.home.plan()).toBeDefined();
  });

  it('drain: the HelmRelease and who waits for the Plan are in progress until the last Service has left', async () => {
    await site.values({ pools: { ...API, ...LAST }, change: { policy: 'drain' } }, { timeout: '1m' });
    const source = await site.home.told('Draining');
    expect(conditions(source)).toEqual({ Ready: 'False Draining', Reconciling: 'True Draining' });
    await site.ready('Unknown');
    await site.home.planned('Draining');
    await lab.flux.reconcile('kustomization/gate');
    await gate('Unknown');
    await site.home.leave('store');
    await pools('api', 'last');
    await site.ready();
    await gate('True');
  });

  it('move: the pool goes when its Services have other addresses', async () => {
    await site.values({ pools: LAST, change: { policy: 'move' } }, { timeout: '1m' });
    await site.home.told('Moving');
    expect((await site.home.pool('api'))?.metadata.annotations).toMatchObject({
      'herald.io/moving': '10.8.2.0/28',
    });
    // As the controller does.
    await site.home.holds('depot', ['10.8.3.1']);
    await pools('last');
    await site.ready();
  });

  it('force: the change is carried out at once, and the Plan keeps whom it hurt', async () => {
    await site.values({ pools: WEB, change: { policy: 'force' } });
    await pools('web');
    await site.ready();
    const plan = await site.home.planned('Applied');
    expect(plan.spec).toMatchObject({ policy: 'force', affected: [{ service: 'ways/depot' }] });
  });
});
