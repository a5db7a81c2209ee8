import { describe, expect, it } from 'vitest';
import { available } from '../servers/index.ts';
import { conditions, eachWithHome, type Home, message, RELEASE } from './reconciler.rig.ts';

const can = available('api');
const VALUES = {
  pools: {
    web: { addresses: ['192.0.2.0/28'] },
    db: { addresses: ['192.0.2.32-192.0.2.40'], autoAssign: false },
  },
  l2Advertisements: { all: { ipAddressPools: ['web', 'db'] } },
};

describe.skipIf(can !== true)(
  `sources of the reconciler on a real API server${can === true ? '' : ` (${can})`}`,
  () => {
    let home: Home;
    eachWithHome('sources', (made) => {
      home = made;
    });

    describe('ConfigMap sources', () => {
      it('are rendered from labelled ConfigMaps, with a ConfigSource of their own', async () => {
        await home.run();
        await home.configMap(
          'more',
          'pools:\n  extra:\n    addresses: [198.51.100.0/28]\nl2Advertisements: {all: {}}\n',
        );
        const source = await home.told('Applied', { name: `${home.namespace}.more`, status: 'True' });
        expect(source.spec).toEqual({ configMap: { name: 'more', namespace: home.namespace } });
        expect((await home.pool('extra'))?.metadata.annotations).toEqual({
          'herald.io/from': `${home.namespace}.more#pools.extra`,
        });
      });

      it('count only in the namespaces that are named', async () => {
        const other = `${home.namespace}-tenant`;
        await home.api.kubectl('create', 'namespace', other);
        const running = await home.run();
        await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.0/28]}}', { namespace: other });
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        await home.lookAgain(running);
        expect(await home.pool('extra')).toBeUndefined();
        await home.values({ ...VALUES, sources: { namespaces: [other] } });
        await home.told('Applied', { name: `${other}.more`, status: 'True' });
        expect(await home.pool('extra')).toBeDefined();
      });

      it('take CRLF and a byte order mark', async () => {
        await home.run();
        await home.configMap(
          'win',
          '\ufeffpools:\r\n  extra:\r\n    addresses:\r\n      - 198.51.100.0/28\r\n',
        );
        await home.told('Applied', { name: `${home.namespace}.win`, status: 'True' });
        expect((await home.pool('extra'))?.spec.addresses).toEqual(['198.51.100.0/28']);
      });

      const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
      for (let i = 1; i < 9; i++)
        bomb.push(
          `a${i}: &a${i} [${Array(10)
            .fill(`*a${i - 1}`)
            .join(',')}]`,
        );
      const texts: readonly (readonly [string, string, RegExp])[] = [
        ['a tab', 'pools:\n\textra:\n', /more:2:1/],
        [
          'a duplicate key',
          'pools:\n  extra: {addresses: [198.51.100.0/28]}\n  extra: {addresses: []}\n',
          /more:3:3/,
        ],
        ['an anchors bomb', bomb.join('\n'), /.+/],
        ['broken YAML', 'pools: [\n', /more:2/],
        ['a second document', 'pools: {}\n---\npools: {}\n', /more/],
        [
          'a reversed range, with its line',
          'pools:\n  extra:\n    addresses:\n      - 198.51.100.9-198.51.100.1\n',
          /more:4:9/,
        ],
      ];
      for (const [what, text, place] of texts) {
        it(`refuse ${what}, and keep the last good state`, async () => {
          await home.run();
          const name = `${home.namespace}.more`;
          await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.0/28]}}');
          await home.told('Applied', { name, status: 'True' });
          await home.configMap('more', text);
          const source = await home.eventually('a refusal', async () => {
            const s = await home.source(name);
            return s && conditions(s).Stalled?.startsWith('True') ? s : undefined;
          });
          expect(message(source)).toMatch(place);
          expect((await home.pool('extra'))?.spec.addresses).toEqual(['198.51.100.0/28']);
        });
      }
    });

    describe('several sources', () => {
      it('refuses an object that another source has live, naming both, and keeps the live one', async () => {
        await home.run();
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        await home.configMap('more', 'pools: {web: {addresses: [198.51.100.0/28]}}');
        const source = await home.told('ObjectInTwoSources', { name: `${home.namespace}.more` });
        expect(message(source)).toContain(`Secret ${home.namespace}/herald-values`);
        expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.0/28']);
        expect(conditions(await home.told('Applied'))).toEqual({ Ready: 'True Applied' });
      });

      it('refuses an overlap with a live pool of another source', async () => {
        await home.run();
        await home.configMap('more', 'pools: {extra: {addresses: [192.0.2.0/24]}}');
        await home.told('Applied', { name: `${home.namespace}.more`, status: 'True' });
        await home.values(VALUES);
        const source = await home.told('PoolOverlap');
        expect(message(source)).toContain('pools.extra.addresses[0]');
        expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['extra']);
      });

      it('refuses both when neither is live', async () => {
        await home.configMap('one', 'pools: {a: {addresses: [192.0.2.0/24]}}');
        await home.configMap('two', 'pools: {b: {addresses: [192.0.2.128/25]}}');
        await home.run();
        await home.told('PoolOverlap', { name: `${home.namespace}.one` });
        await home.told('PoolOverlap', { name: `${home.namespace}.two` });
        expect(await home.pools()).toEqual([]);
      });

      it('moves an object from one source to another in one go', async () => {
        await home.run();
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        const before = await home.pool('web');
        await home.configMap('more', 'pools: {web: {addresses: [192.0.2.0/28]}}');
        await home.told('ObjectInTwoSources', { name: `${home.namespace}.more` });
        await home.values({ ...VALUES, pools: { db: VALUES.pools.db } });
        await home.told('Applied', { name: `${home.namespace}.more`, status: 'True' });
        const after = await home.pool('web');
        expect(after?.metadata.uid).toBe(before?.metadata.uid);
        expect(after?.metadata.annotations?.['herald.io/from']).toBe(`${home.namespace}.more#pools.web`);
      });
    });

    describe('names that are taken', () => {
      const foreign = {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { name: 'web' },
        spec: { addresses: ['192.0.2.0/28'], autoAssign: false, serviceAllocation: { priority: 3 } },
      };

      it('leaves the object alone and refuses, until it is annotated to be adopted', async () => {
        await home.apply(foreign);
        await home.run();
        await home.values(VALUES);
        const source = await home.told('NameTaken');
        expect(conditions(source).Stalled).toBe('True NameTaken');
        expect(message(source)).toContain('herald.io/adopt=herald');
        const before = await home.pool('web');
        expect(before?.spec.autoAssign).toBe(false);
        expect((await home.pools()).length).toBe(1);

        await home.api.kubectl(
          '-n',
          home.namespace,
          'annotate',
          'ipaddresspool',
          'web',
          'herald.io/adopt=herald',
        );
        await home.told('Applied', { status: 'True' });
        const after = await home.pool('web');
        expect(after?.metadata.uid).toBe(before?.metadata.uid);
        expect(after?.spec).toEqual({ addresses: ['192.0.2.0/28'], autoAssign: true, avoidBuggyIPs: false });
        expect(after?.metadata.labels).toEqual({ 'herald.io/instance': RELEASE });
      });
    });

    describe('what only the API server knows', () => {
      const peer = { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' };

      it('stalls with its words when it does not take an object, and goes on when the values are mended', async () => {
        await home.run();
        await home.values({ bgpPeers: { tor: { ...peer, enableGracefulRestart: true } } });
        await home.told('Applied', { status: 'True' });
        await home.values({ bgpPeers: { tor: { ...peer, enableGracefulRestart: false } } });
        const source = await home.told('Refused');
        expect(conditions(source).Stalled).toBe('True Refused');
        expect(message(source)).toContain('EnableGracefulRestart cannot be changed after creation');
        await home.values({ bgpPeers: { tor: { ...peer, enableGracefulRestart: true } } });
        await home.told('Applied', { status: 'True' });
      });

      it('leaves a foreign Secret alone that has the name of one of ours', async () => {
        await home.apply({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'herald-peer-tor' },
          type: 'kubernetes.io/basic-auth',
          stringData: { username: 'theirs' },
        });
        await home.run();
        await home.values({ bgpPeers: { tor: { ...peer, password: 'hunter2' } } });
        const source = await home.told('WriteFailed');
        expect(message(source)).toContain('Secret herald-peer-tor: a Secret of this name exists');
        expect(Object.keys((await home.get('secrets', 'herald-peer-tor'))?.data ?? {})).toEqual(['username']);
        await home.delete('secret/herald-peer-tor');
        await home.told('Applied', { status: 'True' });
      });
    });

    describe('the two halves of a release', () => {
      it('waits for the other half, tells when that lasts, and acts once both are there', async () => {
        await home.run();
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        const text = JSON.stringify({
          ...VALUES,
          pools: { web: { addresses: ['192.0.2.0/27'] } },
          l2Advertisements: { all: {} },
        });
        await home.secret(text);
        const waiting = await home.told('WaitingForValues');
        expect(conditions(waiting)).toEqual({
          Ready: 'False WaitingForValues',
          Reconciling: 'True WaitingForValues',
        });
        expect((await home.pools()).length).toBe(2);
        await home.values(text);
        await home.told('Applied', { status: 'True' });
        expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.0/27']);
      });

      it('keeps everything when the Secret is gone', async () => {
        await home.run();
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        await home.delete('secret/herald-values');
        await home.told('WaitingForValues');
        await home.configMap('more', 'pools: {web: {addresses: [198.51.100.0/28]}}');
        await home.told('ObjectInTwoSources', { name: `${home.namespace}.more` });
        expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.0/28']);
      });
    });
  },
);
