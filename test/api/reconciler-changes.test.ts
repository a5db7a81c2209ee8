import { describe, expect, it } from 'vitest';
import { available } from '../servers/index.ts';
import {
  conditions,
  eachWithHome,
  type Home,
  message,
  type Raw,
  RELEASE,
  restricted,
} from './reconciler.rig.ts';

/** Changes that would take addresses away: what is held, what goes on, and each way on. */

const can = available('api');
const WEB = { addresses: ['192.0.2.0/28'] };
const DB = { addresses: ['192.0.2.32/28'] };
const BOTH = { pools: { web: WEB, db: DB } };
const WITHOUT_WEB = { pools: { db: DB } };

const kstatus = (plan: Raw) => conditions(plan);
const steps = (plan: Raw) =>
  (plan.spec.steps as { state: string; action: string; object: string }[]).map(
    (s) => `${s.state} ${s.action} ${s.object}`,
  );

describe.skipIf(can !== true)(
  `changes of the reconciler on a real API server${can === true ? '' : ` (${can})`}`,
  () => {
    let home: Home;
    eachWithHome('changes', (made) => {
      home = made;
    });

    /** Both pools are in force, and Service shop has an address of the one that is going to go. */
    async function inUse(values: object = BOTH): Promise<void> {
      await home.values(values);
      await home.told('Applied', { status: 'True' });
      await home.service('shop', ['192.0.2.5']);
    }
    const gauge = async (running: { metrics: { text(): Promise<string> } }, series: string) => {
      const line = (await running.metrics.text()).split('\n').find((l) => l.startsWith(series));
      return Number(line?.split(' ').at(-1));
    };

    describe('a held change', () => {
      it('writes its safe part alone, and shows what it would do, to whom, and the ways on', async () => {
        const running = await home.run();
        await inUse();
        const before = await home.pool('web');
        await home.values({ pools: { db: DB, more: { addresses: ['198.51.100.0/28'] } } });
        const source = await home.told('HeldInUse');

        expect(conditions(source)).toEqual({ Ready: 'False HeldInUse', Stalled: 'True HeldInUse' });
        expect(message(source)).toContain(`${home.namespace}/shop`);
        expect(message(source)).toContain('herald.io/approve=sha256:');
        expect((await home.pool('web'))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
        expect(await home.pool('more')).toBeDefined();

        const plan = await home.planned('Held');
        expect(kstatus(plan)).toEqual({ Ready: 'False HeldInUse', Stalled: 'True HeldInUse' });
        expect(steps(plan)).toEqual(['Held delete IPAddressPool web', 'Done create IPAddressPool more']);
        expect(plan.spec).toMatchObject({
          source: RELEASE,
          policy: 'hold',
          summary: '1 pool removed; 1 Service gets another address',
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          affectedCount: 1,
          affected: [{ service: `${home.namespace}/shop`, addresses: ['192.0.2.5'], fate: 'moves' }],
        });
        expect(await gauge(running, `herald_plan_steps{source="${RELEASE}",state="held"}`)).toBe(1);
        expect(await gauge(running, `herald_plan_affected_services{source="${RELEASE}"}`)).toBe(1);
        expect(
          await gauge(running, `herald_config_source_stalled{source="${RELEASE}",reason="HeldInUse"}`),
        ).toBe(1);
      });

      it('is seen with kubectl in a line', async () => {
        await home.run();
        await inUse();
        await home.values(WITHOUT_WEB);
        await home.planned('Held');
        const [head = '', line = ''] = (await home.api.kubectl('-n', home.namespace, 'get', 'plans')).split(
          '\n',
        );
        expect(head.trim().split(/\s{2,}/)).toEqual(['NAME', 'CHANGE', 'AFFECTED', 'STATE', 'AGE']);
        const cells = line.trim().split(/\s{2,}/);
        expect(cells.slice(0, 4)).toEqual([
          RELEASE,
          '1 pool removed; 1 Service gets another address',
          '1',
          'Held',
        ]);
        expect(cells[4]).toMatch(/^\d+s$/);
        const wide = await home.api.kubectl('-n', home.namespace, 'get', 'plans', '-o', 'wide');
        expect(wide).toMatch(/DIGEST\s*\n.*sha256:[0-9a-f]{64}/);
      });

      it('is written nowhere a second time, and told once, whatever wakes it and after a restart', async () => {
        const first = await home.run();
        await inUse();
        await home.values(WITHOUT_WEB);
        await home.told('HeldInUse');
        await home.lookAgain(first);
        const before = (await home.versions()).filter((v) => !v.startsWith('secrets/herald-values'));
        const writes = await first.requests(['PATCH', 'POST', 'DELETE']);
        await home.lookAgain(first);
        expect(await first.requests(['PATCH', 'POST', 'DELETE'])).toBe(writes);
        await first.stop();
        const second = await home.run();
        await home.lookAgain(second);
        expect((await home.versions()).filter((v) => !v.startsWith('secrets/herald-values'))).toEqual(before);
        const held = (await home.events()).filter((e) => e.reason === 'HeldInUse');
        expect(held.map((e) => [e.type, e.count])).toEqual([['Warning', 1]]);
      });

      it('goes on by itself when the Service leaves', async () => {
        const running = await home.run();
        await inUse();
        await home.values(WITHOUT_WEB);
        await home.told('HeldInUse');
        await home.leave('shop');
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
        const plan = await home.planned('Applied');
        expect(kstatus(plan)).toEqual({ Ready: 'True Applied' });
        expect(steps(plan)).toEqual(['Done delete IPAddressPool web']);
        expect(plan.status?.history?.[0]).toMatchObject({ state: 'Applied', summary: '1 pool removed' });
        expect(plan.status?.history?.[0]).not.toHaveProperty('approvedBy');
        expect(await gauge(running, `herald_plan_steps{source="${RELEASE}",state="held"}`)).toBe(0);
      });

      it('goes on when the Service gets an address of another pool', async () => {
        await home.run();
        await inUse();
        await home.values(WITHOUT_WEB);
        await home.told('HeldInUse');
        await home.holds('shop', ['192.0.2.33']);
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
      });

      it('is gone when the commit is taken back, and nothing was ever written', async () => {
        await home.run();
        await inUse();
        const before = (await home.pools()).map((p) => p.metadata.resourceVersion);
        await home.values(WITHOUT_WEB);
        await home.planned('Held');
        await home.values(BOTH);
        await home.told('Applied', { status: 'True' });
        const plan = await home.planned('Applied');
        expect(plan.spec).toMatchObject({ summary: 'no change', digest: '', affectedCount: 0 });
        expect(plan.status?.history?.[0]).toMatchObject({ state: 'Withdrawn' });
        expect((await home.pools()).map((p) => p.metadata.resourceVersion)).toEqual(before);
      });

      it('does not concern Services of another class, nor addresses that stay', async () => {
        await home.run();
        await home.values(BOTH);
        await home.told('Applied', { status: 'True' });
        await home.service('other', ['192.0.2.5'], { loadBalancerClass: 'example.com/other' });
        await home.service('shop', ['192.0.2.33']);
        await home.values(WITHOUT_WEB);
        await home.told('Applied', { status: 'True' });
        expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['db']);
      });

      it('of a smaller range keeps the range, of an advertisement the announcement', async () => {
        await home.kube.request({
          method: 'POST',
          path: '/api/v1/nodes',
          body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } },
        });
        try {
          await home.kube.request({
            method: 'PATCH',
            path: '/api/v1/nodes/node-1/status',
            contentType: 'application/merge-patch+json',
            body: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
          });
          await home.run();
          await inUse({ ...BOTH, l2Advertisements: { all: {} } });
          await home.values({
            pools: { web: { addresses: ['192.0.2.8/29'] }, db: DB },
            l2Advertisements: { all: {} },
          });
          expect(message(await home.told('HeldInUse'))).toContain('pools.web');
          expect((await home.pool('web'))?.spec.addresses).toEqual(expect.arrayContaining(['192.0.2.0/28']));
          await home.values({ ...BOTH, l2Advertisements: { all: { ipAddressPools: ['db'] } } });
          const plan = await home.eventually('the other plan', async () => {
            const p = await home.plan();
            return JSON.stringify(p?.spec).includes('unannounced') ? p : undefined;
          });
          expect(plan.spec.summary).toBe('1 L2 advertisement changed; 1 Service is no longer announced');
          const [ad] = await home.list('metallb.io/l2advertisements');
          expect(ad?.spec).not.toHaveProperty('ipAddressPools');
        } finally {
          await home.kube.request({ method: 'DELETE', path: '/api/v1/nodes/node-1' });
        }
      });

      it('stays by itself: another source goes on, and its plan is another', async () => {
        await home.run();
        await inUse();
        await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.0/28]}}');
        const name = `${home.namespace}.more`;
        await home.told('Applied', { name, status: 'True' });
        await home.service('other', ['198.51.100.3']);
        await home.values(WITHOUT_WEB);
        await home.told('HeldInUse');
        await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.0/27]}}');
        await home.told('Applied', { name, status: 'True' });
        await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.16/28]}}');
        await home.told('HeldInUse', { name });
        const [own, other] = [await home.planned('Held'), await home.planned('Held', name)];
        expect(own.spec.digest).not.toBe(other.spec.digest);
        // Approved with the digest of its neighbour: no approval at all.
        await home.approve(String(own.spec.digest), name);
        await home.eventually('a word', async () => {
          const plan = await home.plan(name);
          return plan && conditions(plan).Approved === 'False OtherPlan';
        });
        await home.approve();
        await home.told('Applied', { status: 'True' });
        await home.told('HeldInUse', { name });
        expect(await home.pool('web')).toBeUndefined();
        expect((await home.pool('extra'))?.spec.addresses).toEqual(
          expect.arrayContaining(['198.51.100.0/27']),
        );
      });
    });

    describe('a way on', () => {
      it('drain: gives out no more, waits for the last Service, then goes', async () => {
        await home.run();
        await inUse({ ...BOTH, change: { policy: 'drain' } });
        await home.service('second', ['192.0.2.6']);
        await home.values({ ...WITHOUT_WEB, change: { policy: 'drain' } });
        const source = await home.told('Draining');
        expect(conditions(source)).toEqual({ Ready: 'False Draining', Reconciling: 'True Draining' });
        expect((await home.pool('web'))?.metadata.annotations?.['herald.io/draining']).toBe('192.0.2.0/28');
        const plan = await home.planned('Draining');
        expect(kstatus(plan)).toEqual({ Ready: 'False Draining', Reconciling: 'True Draining' });
        await home.leave('shop');
        await home.eventually('one fewer', async () => (await home.plan())?.spec.affectedCount === 1);
        expect(await home.pool('web')).toBeDefined();
        await home.leave('second');
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
        expect((await home.events()).filter((e) => e.reason === 'Draining').length).toBe(1);
      });

      it('drain taken back: the range gives out addresses again', async () => {
        await home.run();
        await inUse({ ...BOTH, change: { policy: 'drain' } });
        await home.values({ ...WITHOUT_WEB, change: { policy: 'drain' } });
        await home.told('Draining');
        await home.values({ ...BOTH, change: { policy: 'drain' } });
        await home.told('Applied', { status: 'True' });
        expect((await home.pool('web'))?.metadata.annotations).not.toHaveProperty('herald.io/draining');
      });

      it('move: Services get other addresses, and then it goes', async () => {
        await home.run();
        await inUse({ ...BOTH, change: { policy: 'move' } });
        await home.values({ ...WITHOUT_WEB, change: { policy: 'move' } });
        const source = await home.told('Moving');
        expect(conditions(source)).toEqual({ Ready: 'False Moving', Reconciling: 'True Moving' });
        expect((await home.pool('web'))?.metadata.annotations?.['herald.io/moving']).toBe('192.0.2.0/28');
        // As the controller does, one by one.
        await home.holds('shop', ['192.0.2.32']);
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
      });

      it('move without room is held', async () => {
        await home.run();
        await inUse({ pools: { web: WEB }, change: { policy: 'move' } });
        await home.service('second', ['192.0.2.6']);
        await home.values({ pools: { web: { addresses: ['192.0.2.6/32'] } }, change: { policy: 'move' } });
        await home.told('HeldInUse');
        await home.leave('second');
        await home.told('Moving');
      });

      it('force: goes at once, and the history has it', async () => {
        await home.run();
        await inUse({ ...BOTH, change: { policy: 'force' } });
        await home.values({ ...WITHOUT_WEB, change: { policy: 'force' } });
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
        const plan = await home.planned('Applied');
        expect(plan.spec).toMatchObject({
          summary: '1 pool removed; 1 Service gets another address',
          affectedCount: 1,
        });
        expect(plan.status?.history?.[0]).not.toHaveProperty('approvedBy');
      });

      it('onChange of one entry counts for it alone', async () => {
        await home.run();
        await inUse({ pools: { web: { ...WEB, onChange: 'force' }, db: DB } });
        await home.service('second', ['192.0.2.33']);
        await home.values({ pools: { more: { addresses: ['198.51.100.0/28'] } } });
        await home.told('HeldInUse');
        await home.eventually('no web', async () => !(await home.pool('web')));
        expect(await home.pool('db')).toBeDefined();
        expect(steps(await home.planned('Held'))[0]).toBe('Held delete IPAddressPool db');
      });

      it('approve: goes once, for just this plan, and the history says who', async () => {
        await home.run();
        await inUse();
        await home.values(WITHOUT_WEB);
        const held = await home.planned('Held');
        await home.approve();
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
        const plan = await home.eventually('no annotation', async () => {
          const p = await home.planned('Applied');
          return p.metadata.annotations?.['herald.io/approve'] === undefined ? p : undefined;
        });
        expect(kstatus(plan)).toEqual({ Ready: 'True Applied', Approved: 'True Approved' });
        expect(plan.status?.history?.[0]).toMatchObject({
          state: 'Applied',
          digest: held.spec.digest,
          approvedBy: 'kubectl-annotate',
        });
        // The same change again is another decision.
        await home.values(BOTH);
        await home.told('Applied', { status: 'True' });
        await home.holds('shop', ['192.0.2.5']);
        await home.values(WITHOUT_WEB);
        await home.told('HeldInUse');
        expect(await home.pool('web')).toBeDefined();
      });

      it('an approval of another plan does nothing, and is told once', async () => {
        const running = await home.run();
        await inUse();
        await home.values(WITHOUT_WEB);
        const held = await home.planned('Held');
        await home.service('second', ['192.0.2.6']);
        await home.eventually(
          'another plan',
          async () => (await home.plan())?.spec.digest !== held.spec.digest,
        );
        await home.approve(String(held.spec.digest));
        await home.eventually('a word', async () => {
          const plan = await home.plan();
          return plan && conditions(plan).Approved === 'False OtherPlan';
        });
        await home.lookAgain(running);
        expect(await home.pool('web')).toBeDefined();
        await home.told('HeldInUse');
        const stale = (await home.events()).filter((e) => e.reason === 'ApprovalStale');
        expect(stale.map((e) => e.count)).toEqual([1]);
      });
    });

    describe('with upstream as back end', () => {
      it('a drain is held, as nobody would heed its mark', async () => {
        const upstream = { controller: { enabled: false }, change: { policy: 'drain' } };
        await home.run();
        await inUse({ ...BOTH, ...upstream });
        await home.values({ ...WITHOUT_WEB, ...upstream });
        await home.told('HeldInUse');
        expect((await home.pool('web'))?.metadata.annotations).not.toHaveProperty('herald.io/draining');
      });
    });

    describe('without the right to see Services', () => {
      it('holds what could hurt, says why, and goes on when it may see them', async () => {
        const kubeconfig = await restricted(home, 'blind', ['services']);
        await home.run({ kubeconfig });
        await home.values(BOTH);
        const source = await home.told('Applied', { status: 'True' });
        expect(source.status?.problems?.map((p) => p.code)).toContain('ServicesUnreadable');
        await home.values(WITHOUT_WEB);
        const held = await home.told('ServicesUnreadable');
        expect(conditions(held)).toEqual({
          Ready: 'False ServicesUnreadable',
          Stalled: 'True ServicesUnreadable',
        });
        expect(await home.pool('web')).toBeDefined();
        await restricted(home, 'blind');
        await home.told('Applied', { status: 'True' });
        expect(await home.pool('web')).toBeUndefined();
      });
    });

    describe('drift', () => {
      const grow = '{"spec":{"addresses":["192.0.2.0/28","203.0.113.0/28"]}}';
      const edit = (pool: string, patch: string) =>
        home.api.kubectl('-n', home.namespace, 'patch', 'ipaddresspool', pool, '--type=merge', '-p', patch);

      it('makes no plan when it is repaired', async () => {
        const running = await home.run();
        await home.values(BOTH);
        await home.told('Applied', { status: 'True' });
        const before = await home.planned('Applied');
        await edit('web', grow);
        await home.eventually('the old range', async () => {
          return JSON.stringify((await home.pool('web'))?.spec.addresses) === '["192.0.2.0/28"]';
        });
        await home.lookAgain(running);
        expect((await home.plan())?.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
      });

      it('whose repair would hurt a Service is held like any other change', async () => {
        const first = await home.run();
        await home.values(BOTH);
        await home.told('Applied', { status: 'True' });
        await first.stop();
        await edit('web', grow);
        await home.service('shop', ['203.0.113.5']);
        await home.run();
        await home.told('HeldInUse');
        const plan = await home.planned('Held');
        expect(steps(plan)).toEqual(['Held update IPAddressPool web']);
        expect((await home.pool('web'))?.spec.addresses).toContain('203.0.113.0/28');
        await home.leave('shop');
        await home.told('Applied', { status: 'True' });
        expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.0/28']);
      });

      it('is left where the object says so, and that is told', async () => {
        const running = await home.run();
        await home.values(BOTH);
        await home.told('Applied', { status: 'True' });
        const annotate = (text: string) =>
          home.api.kubectl('-n', home.namespace, 'annotate', 'ipaddresspool', 'web', text);
        await annotate('herald.io/reconcile=disabled');
        await edit('web', grow);
        const source = await home.eventually('a notice', async () => {
          const s = await home.source();
          return s?.status?.problems?.some((p) => p.code === 'LeftAlone') ? s : undefined;
        });
        expect(conditions(source)).toEqual({ Ready: 'True Applied' });
        await home.values(WITHOUT_WEB);
        await home.lookAgain(running);
        expect((await home.pool('web'))?.spec.addresses).toContain('203.0.113.0/28');
        await home.values(BOTH);
        await annotate('herald.io/reconcile-');
        await home.eventually('the old range', async () => {
          return JSON.stringify((await home.pool('web'))?.spec.addresses) === '["192.0.2.0/28"]';
        });
      });
    });
  },
);
