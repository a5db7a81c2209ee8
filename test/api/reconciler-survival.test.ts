import { describe, expect, it } from 'vitest';
import { IPAddressPools } from '../../src/domain/api/metallb.ts';
import { parseAddress } from '../../src/domain/ip/address.ts';
import { parseRange, rangeContains } from '../../src/domain/ip/range.ts';
import { available } from '../servers/index.ts';
import { reflector } from './kube.rig.ts';
import { conditions, eachWithHome, type Home, message } from './reconciler.rig.ts';

/** What addresses survive: whatever happens to sources, releases, names and ranges, each stays in a pool at every moment. */

const can = available('api');
const WEB = { addresses: ['192.0.2.0/28'] };
const DB = { addresses: ['192.0.2.32/28'] };
const VALUES = { pools: { web: WEB, db: DB } };
const SHOP = '192.0.2.5';

describe.skipIf(can !== true)(
  `what survives the reconciler on a real API server${can === true ? '' : ` (${can})`}`,
  () => {
    let home: Home;
    eachWithHome('survival', (made) => {
      home = made;
    });

    /** Follows the pools; `end` says at how many moments the address was in none. */
    async function guard(address = SHOP) {
      const pools = reflector({ client: home.kube, kind: IPAddressPools, namespace: home.namespace });
      const wanted = parseAddress(address);
      if (!wanted) throw new Error(address);
      let moments = 0;
      let lost = 0;
      const isThere = () =>
        [...pools.store.list()].some((pool) =>
          pool.spec.addresses.some((text) => {
            const parsed = parseRange(text);
            return 'range' in parsed && rangeContains(parsed.range, wanted);
          }),
        );
      pools.start();
      await pools.whenSynced(AbortSignal.timeout(10_000));
      expect(isThere()).toBe(true);
      pools.onChange(() => {
        moments++;
        if (!isThere()) lost++;
      });
      return async () => {
        await pools.close();
        expect(lost, `of ${moments} moments`).toBe(0);
      };
    }

    async function inForce(values: object = VALUES): Promise<void> {
      await home.values(values);
      await home.told('Applied', { status: 'True' });
      await home.service('shop', [SHOP]);
    }
    const uids = async () => (await home.pools()).map((p) => `${p.metadata.name} ${p.metadata.uid}`);
    const names = async () => (await home.pools()).map((p) => p.metadata.name);

    describe('sources', () => {
      it('that render nothing any more take nothing along', async () => {
        await home.run();
        await inForce();
        const end = await guard();
        await home.values({});
        await home.told('EmptyRender');
        expect(await names()).toEqual(['db', 'web']);
        await end();
      });

      it('that come without an optional part keep what is in use, and get the rest back', async () => {
        await home.run();
        await inForce();
        const end = await guard();
        await home.values({ pools: { db: DB } });
        await home.told('HeldInUse');
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        expect(await names()).toEqual(['db', 'web']);
        await end();
      });

      it('that vanish leave their objects', async () => {
        await home.run();
        await home.configMap('pools', JSON.stringify(VALUES));
        const name = `${home.namespace}.pools`;
        await home.told('Applied', { name, status: 'True' });
        await home.service('shop', [SHOP]);
        const end = await guard();
        await home.delete('configmap/pools');
        await home.told('SourceVanished', { name });
        await home.configMap('pools', JSON.stringify(VALUES));
        await home.told('Applied', { name, status: 'True' });
        await end();
      });

      it('under a name that changes with each edit follow one another', async () => {
        await home.run();
        await home.configMap('pools-5h2k9', JSON.stringify(VALUES));
        await home.told('Applied', { name: `${home.namespace}.pools-5h2k9`, status: 'True' });
        await home.service('shop', [SHOP]);
        const before = await uids();
        const end = await guard();
        const wider = { pools: { web: { addresses: ['192.0.2.0/27'] }, db: DB } };
        await home.configMap('pools-7tc4m', JSON.stringify(wider));
        await home.told('ObjectInTwoSources', { name: `${home.namespace}.pools-7tc4m` });
        await home.delete('configmap/pools-5h2k9');
        await home.told('Applied', { name: `${home.namespace}.pools-7tc4m`, status: 'True' });
        expect(await uids()).toEqual(before);
        expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.0/27']);
        await end();
      });
    });

    describe('releases', () => {
      it('uninstalled and installed again find their objects untouched', async () => {
        const first = await home.run();
        await inForce();
        const before = (await home.pools()).map((p) => p.metadata.resourceVersion);
        await home.lookAt(first, () => home.uninstall());
        await first.stop();
        const second = await home.run();
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        expect((await home.pools()).map((p) => p.metadata.resourceVersion)).toEqual(before);
        expect(await second.counter('writes_total')).toBe(0);
      });

      it('installed again with less hold what is in use', async () => {
        const first = await home.run();
        await inForce();
        await home.uninstall();
        await first.stop();
        const end = await guard();
        await home.run();
        await home.values({ pools: { db: DB } });
        await home.told('HeldInUse');
        await end();
      });

      it('under another name take over what the old one left, once it is gone', async () => {
        const old = await home.run();
        await inForce();
        await old.stop();
        const before = await uids();
        const end = await guard();
        await home.run({ release: 'lb' });
        const renamed = { pools: { web: WEB } };
        await home.values(renamed, 'lb');
        const refused = await home.told('NameTaken', { name: 'lb' });
        expect(conditions(refused).Stalled).toBe('True NameTaken');
        await home.uninstall();
        const source = await home.told('Applied', { name: 'lb', status: 'True' });
        expect(await uids()).toEqual(before);
        const web = await home.pool('web');
        expect(web?.metadata.labels).toEqual({ 'herald.io/instance': 'lb' });
        expect(web?.metadata.annotations).toEqual({ 'herald.io/from': 'lb#pools.web' });
        // What the new one does not define stays, and is told.
        expect((await home.pool('db'))?.metadata.labels).toEqual({ 'herald.io/instance': 'herald' });
        expect(source.status?.problems?.map((p) => [p.code, p.severity])).toContainEqual([
          'Orphaned',
          'notice',
        ]);
        await end();
      });
    });

    describe('pools', () => {
      type Pools = Readonly<Record<string, { readonly addresses: readonly string[] }>>;
      const rows: readonly (readonly [string, Pools, Pools, readonly string[]])[] = [
        ['renamed', { web: WEB }, { www: WEB }, ['www']],
        [
          'split',
          { web: WEB },
          { web: { addresses: ['192.0.2.8/29'] }, low: { addresses: ['192.0.2.0/29'] } },
          ['low', 'web'],
        ],
        [
          'merged',
          { low: { addresses: ['192.0.2.0/29'] }, web: { addresses: ['192.0.2.8/29'] } },
          { web: WEB },
          ['web'],
        ],
        [
          'that give a range to another',
          { web: WEB, db: DB },
          {
            web: { addresses: ['192.0.2.8/29'] },
            db: { addresses: ['192.0.2.0/29', '192.0.2.32/28'] },
          },
          ['db', 'web'],
        ],
        ['that exchange their ranges', { web: WEB, db: DB }, { web: DB, db: WEB }, ['db', 'web']],
      ];
      for (const [what, before, after, left] of rows) {
        it(`${what} keep the address in one of them at every moment`, async () => {
          await home.run();
          await inForce({ pools: before });
          const end = await guard();
          await home.values({ pools: after });
          await home.told('Applied', { status: 'True' });
          expect(await names()).toEqual(left);
          const ranges = (await home.pools()).map((p) => [p.metadata.name, p.spec.addresses]);
          expect(Object.fromEntries(ranges)).toEqual(
            Object.fromEntries(Object.entries(after).map(([name, { addresses }]) => [name, addresses])),
          );
          await end();
        });
      }

      it('renamed that a Service asks for by name are held', async () => {
        await home.run();
        await home.values({ pools: { web: WEB } });
        await home.told('Applied', { status: 'True' });
        await home.service('shop', [SHOP], { annotations: { 'metallb.io/address-pool': 'web' } });
        await home.values({ pools: { www: WEB } });
        expect(message(await home.told('HeldInUse'))).toContain(`${home.namespace}/shop`);
      });

      it('whose range goes from one source to another keep it', async () => {
        await home.run();
        await inForce({ pools: { web: WEB, db: DB } });
        const end = await guard();
        await home.configMap('more', JSON.stringify({ pools: { web2: WEB } }));
        const name = `${home.namespace}.more`;
        await home.told('PoolOverlap', { name });
        await home.values({ pools: { db: DB } });
        await home.told('Applied', { name, status: 'True' });
        await home.told('Applied', { status: 'True' });
        expect(await names()).toEqual(['db', 'web2']);
        await end();
      });
    });
  },
);
