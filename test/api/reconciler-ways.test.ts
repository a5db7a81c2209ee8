import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Services } from '../../src/domain/api/core.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import { controller } from '../../src/programs/controller/controller.ts';
import { type ApiServer, available, startApiServer } from '../servers/index.ts';
import { addresses, allocated } from './controller.rig.ts';
import { client, reflector, silent } from './kube.rig.ts';
import { Home } from './reconciler.rig.ts';

/** The ways on that need both: the reconciler marks a range, and Herald's own controller heeds the mark. */

const can = available('api');
const WEB = { addresses: ['192.0.2.0/30'] };
const DB = { addresses: ['192.0.2.32/28'] };

describe.skipIf(can !== true)(
  `ways on with reconciler and controller on a real API server${can === true ? '' : ` (${can})`}`,
  () => {
    let api: ApiServer;
    let kube: KubeClient;
    let home: Home;
    let serial = 0;
    let stop: AbortController;
    let giving: Promise<void>;

    beforeAll(async () => {
      api = await startApiServer();
      kube = await client(api.kubeconfig);
    });
    beforeEach(async () => {
      home = await Home.make(api, kube, `ways-${++serial}`);
      stop = new AbortController();
      giving = controller({
        client: kube,
        log: silent,
        clock: systemClock,
        random: systemRandom,
        metrics: new Metrics({ defaults: false }),
        namespace: home.namespace,
        identity: 'ways',
        podName: '',
        loadBalancerClass: '',
        parallel: 8,
        moves: { atOnce: 1, overlapMs: 100 },
      }).run(stop.signal);
      await home.run();
    });
    afterEach(async () => {
      await home.close();
      stop.abort();
      await giving;
    });
    afterAll(async () => {
      await kube?.close();
      await api?.stop();
    });

    const service = async (name: string) => {
      const found = await resource(kube, Services).get({ name, namespace: home.namespace });
      if (!found) throw new Error(`no Service ${name}`);
      return found;
    };
    /** A new Service, and what it was given: "" and why not. */
    async function served(name: string): Promise<string> {
      await home.wants(name);
      const found = await home.eventually('a word of the controller', async () => {
        const s = await service(name);
        return allocated(s) && s;
      });
      return addresses(found) || (allocated(found)?.reason ?? '');
    }
    /** What the statuses of all Services said, one after the other. */
    function follow(): { readonly told: Map<string, string[]>; close(): Promise<void> } {
      const told = new Map<string, string[]>();
      const seen = reflector({ client: kube, kind: Services, namespace: home.namespace });
      seen.onChange((key) => {
        const [name, found] = [key.split('/')[1] ?? '', seen.store.get(key)];
        const list = told.get(name) ?? [];
        told.set(name, list);
        if (found && list.at(-1) !== addresses(found)) list.push(addresses(found));
      });
      seen.start();
      return { told, close: () => seen.close() };
    }

    it('drain: the range gives out nothing new, and goes with its last Service', async () => {
      await home.values({ pools: { web: WEB }, change: { policy: 'drain' } });
      await home.told('Applied', { status: 'True' });
      expect([await served('one'), await served('two')]).toEqual(['192.0.2.0', '192.0.2.1']);
      await home.values({ pools: { db: DB }, change: { policy: 'drain' } });
      await home.told('Draining');
      expect(await served('three')).toBe('192.0.2.32');
      await home.leave('two');
      await home.eventually('one fewer', async () => (await home.plan())?.spec.affectedCount === 1);
      expect(await served('four')).toBe('192.0.2.33');
      expect(addresses(await service('one'))).toBe('192.0.2.0');
      await home.leave('one');
      await home.told('Applied', { status: 'True' });
      expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['db']);
    });

    it('drain of a part of a pool: the rest goes on giving', async () => {
      await home.values({ pools: { web: WEB }, change: { policy: 'drain' } });
      await home.told('Applied', { status: 'True' });
      expect([await served('one'), await served('two')]).toEqual(['192.0.2.0', '192.0.2.1']);
      await home.leave('two');
      await home.values({
        pools: { web: { addresses: ['192.0.2.2-192.0.2.3'] } },
        change: { policy: 'drain' },
      });
      await home.told('Draining');
      expect(await served('three')).toBe('192.0.2.2');
      await home.leave('one');
      await home.told('Applied', { status: 'True' });
      expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.2-192.0.2.3']);
      expect((await home.pool('web'))?.metadata.annotations).not.toHaveProperty('herald.io/draining');
    });

    it('move: each Service has both addresses for a while, one Service after the other, then the range goes', async () => {
      await home.values({ pools: { web: WEB }, change: { policy: 'move' } });
      await home.told('Applied', { status: 'True' });
      for (const name of ['one', 'two', 'three']) await served(name);
      const { told, close } = follow();
      try {
        await home.values({ pools: { db: DB }, change: { policy: 'move' } });
        await home.told('Applied', { status: 'True' });
        await home.eventually('the watch', async () => told.get('three')?.at(-1) === '192.0.2.34');
        expect(Object.fromEntries(told)).toEqual({
          one: ['192.0.2.0', '192.0.2.0 192.0.2.32', '192.0.2.32'],
          two: ['192.0.2.1', '192.0.2.1 192.0.2.33', '192.0.2.33'],
          three: ['192.0.2.2', '192.0.2.2 192.0.2.34', '192.0.2.34'],
        });
      } finally {
        await close();
      }
      expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['db']);
      expect((await home.planned('Applied')).status?.history?.[0]).toMatchObject({ state: 'Applied' });
    });

    it('force: Services get other addresses where there are some', async () => {
      await home.values({ pools: { web: WEB, db: DB } });
      await home.told('Applied', { status: 'True' });
      await home.wants('one', { annotations: { 'metallb.io/address-pool': 'web' } });
      await home.eventually('an address', async () => addresses(await service('one')) === '192.0.2.0');
      expect(await served('two')).toBe('192.0.2.32');
      await home.values({ pools: { web: DB }, change: { policy: 'force' } });
      await home.told('Applied', { status: 'True' });
      await home.eventually('another address', async () => addresses(await service('one')) === '192.0.2.33');
      expect(addresses(await service('two'))).toBe('192.0.2.32');
    });
  },
);
