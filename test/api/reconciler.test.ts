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

describe.skipIf(can !== true)(`reconciler on a real API server${can === true ? '' : ` (${can})`}`, () => {
  let home: Home;
  eachWithHome('herald', (made) => {
    home = made;
  });

  describe('what it renders', () => {
    it('turns applied values into objects with every default, owner and provenance, and says so', async () => {
      await home.run();
      await home.values(VALUES);
      const source = await home.told('Applied', { status: 'True' });

      expect(conditions(source)).toEqual({ Ready: 'True Applied' });
      expect(source.status).toMatchObject({
        pools: 2,
        objects: 3,
        source: `Secret ${home.namespace}/herald-values`,
      });
      const web = await home.pool('web');
      expect(web?.spec).toEqual({ addresses: ['192.0.2.0/28'], autoAssign: true, avoidBuggyIPs: false });
      expect(web?.metadata.labels).toEqual({ 'herald.io/instance': RELEASE });
      expect(web?.metadata.annotations).toEqual({ 'herald.io/from': 'herald#pools.web' });
      expect((await home.pool('db'))?.spec).toMatchObject({ autoAssign: false });
      expect((await home.events()).map((e) => e.reason)).toContain('Applied');
    });

    it('makes a basic-auth Secret of a password, and the password appears nowhere else', async () => {
      const running = await home.run();
      await home.values({
        bgpPeers: { tor: { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1', password: 'hunter2' } },
      });
      const source = await home.told('Applied', { status: 'True' });

      const [peer] = await home.list('metallb.io/bgppeers');
      expect(peer?.spec).toMatchObject({
        peerPort: 179,
        passwordSecret: { name: 'herald-peer-tor', namespace: home.namespace },
      });
      expect(peer?.spec).not.toHaveProperty('password');
      const secret = await home.get('secrets', 'herald-peer-tor');
      expect(secret?.type).toBe('kubernetes.io/basic-auth');
      expect(Buffer.from(secret?.data?.password ?? '', 'base64').toString()).toBe('hunter2');
      const told = JSON.stringify([source, await home.events(), running.lines]);
      expect(told).not.toContain('hunter2');
      expect(told).not.toContain(Buffer.from('hunter2').toString('base64'));
    });

    it('follows a changed password, and takes the Secret away with it', async () => {
      await home.run();
      const peer = { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' };
      await home.values({ bgpPeers: { tor: { ...peer, password: 'one' } } });
      await home.told('Applied', { status: 'True' });
      await home.values({ bgpPeers: { tor: { ...peer, password: 'two' } } });
      await home.eventually('the new password', async () => {
        const secret = await home.get('secrets', 'herald-peer-tor');
        return Buffer.from(secret?.data?.password ?? '', 'base64').toString() === 'two';
      });
      await home.values({ bgpPeers: { tor: peer } });
      await home.eventually('no Secret', async () => !(await home.get('secrets', 'herald-peer-tor')));
      expect((await home.list('metallb.io/bgppeers'))[0]?.spec).not.toHaveProperty('passwordSecret');
    });

    it("adds the entry's labels and annotations, and removes them when the values drop them", async () => {
      await home.run();
      await home.values({
        pools: { web: { addresses: ['192.0.2.0/28'], labels: { team: 'a' }, annotations: { note: 'x' } } },
      });
      await home.told('Applied', { status: 'True' });
      expect((await home.pool('web'))?.metadata.labels).toMatchObject({ team: 'a' });
      await home.values({ pools: { web: { addresses: ['192.0.2.0/28'] } } });
      await home.eventually('no label', async () => !(await home.pool('web'))?.metadata.labels?.team);
      expect((await home.pool('web'))?.metadata.annotations).toEqual({
        'herald.io/from': 'herald#pools.web',
      });
    });

    it('takes null for an entry that a base file had and that is gone', async () => {
      await home.run();
      await home.values({ pools: { web: { addresses: ['192.0.2.0/28'], autoAssign: null }, old: null } });
      await home.told('Applied', { status: 'True' });
      expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['web']);
      expect((await home.pool('web'))?.spec.autoAssign).toBe(true);
    });

    it('warns of a pool that nothing announces, and of host bits, and carries both out', async () => {
      await home.run();
      await home.values({
        pools: { web: { addresses: ['192.0.2.5/28'] }, lost: { addresses: ['192.0.2.64/28'] } },
        l2Advertisements: { all: { ipAddressPools: ['web'] } },
      });
      const source = await home.told('Applied', { status: 'True' });
      expect(source.status?.problems?.map((p) => [p.code, p.path, p.severity])).toEqual([
        ['HostBits', 'pools.web.addresses[0]', 'warning'],
        ['PoolNotAdvertised', 'pools.lost', 'warning'],
      ]);
      expect((await home.pools()).length).toBe(2);
    });
  });

  describe('an unchanged render', () => {
    it('writes nothing, whatever wakes it, and after a restart neither', async () => {
      const first = await home.run();
      await home.values(VALUES);
      await home.told('Applied', { status: 'True' });
      await home.lookAgain(first);
      const before = (await home.versions()).filter((v) => !v.startsWith('secrets/herald-values'));
      const writes = await first.requests(['PATCH', 'POST', 'DELETE']);
      await home.lookAgain(first);
      expect(await first.requests(['PATCH', 'POST', 'DELETE'])).toBe(writes);
      await first.stop();

      const second = await home.run();
      await home.lookAgain(second);
      expect((await home.versions()).filter((v) => !v.startsWith('secrets/herald-values'))).toEqual(before);
      expect(await second.counter('writes_total')).toBe(0);
      expect((await home.events()).filter((e) => e.reason === 'Applied').length).toBe(1);
    });

    it('repeats no Event and no status for a source that stays refused', async () => {
      const first = await home.run();
      await home.values({ pools: { web: { addresses: ['192.0.2.9-192.0.2.1'] } } });
      await home.told('PoolRangeInvalid');
      await home.lookAgain(first);
      const before = await home.source();
      await home.lookAgain(first);
      await first.stop();
      const second = await home.run();
      await home.lookAgain(second);
      expect((await home.source())?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
      expect((await home.events()).map((e) => [e.reason, e.count])).toEqual([['PoolRangeInvalid', 1]]);
    });
  });

  describe('drift', () => {
    it('puts a changed field, a removed label and a deleted object back at once, and tells', async () => {
      await home.run();
      await home.values(VALUES);
      await home.told('Applied', { status: 'True' });
      const ns = ['-n', home.namespace];
      await home.api.kubectl(
        ...ns,
        'patch',
        'ipaddresspool',
        'web',
        '--type=merge',
        '-p',
        '{"spec":{"addresses":["203.0.113.0/24"]}}',
      );
      await home.eventually(
        'the range',
        async () => JSON.stringify((await home.pool('web'))?.spec.addresses) === '["192.0.2.0/28"]',
      );
      await home.api.kubectl(...ns, 'delete', 'ipaddresspool', 'db');
      await home.eventually('the pool', () => home.pool('db'));
      await home.api.kubectl(...ns, 'annotate', 'l2advertisement', 'all', 'herald.io/from-');
      await home.eventually(
        'the annotation',
        async () =>
          (await home.list('metallb.io/l2advertisements'))[0]?.metadata.annotations?.['herald.io/from'] !==
          undefined,
      );
      const texts = await home.eventually('three Events', async () => {
        const events = (await home.events()).filter((e) => e.reason === 'DriftRepaired');
        return events.length >= 3 && events.map((e) => e.message);
      });
      expect(texts).toContain('put back IPAddressPool web: spec.addresses differs');
      expect(texts).toContain('put back IPAddressPool db: it was deleted');
    });

    it('removes an optional field that somebody else set, which an apply alone would leave', async () => {
      await home.run();
      await home.values(VALUES);
      await home.told('Applied', { status: 'True' });
      await home.apply({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { name: 'web' },
        spec: { serviceAllocation: { priority: 5, namespaces: ['x'] } },
      });
      await home.eventually(
        'no such field',
        async () => !('serviceAllocation' in ((await home.pool('web'))?.spec ?? {})),
      );
      expect((await home.pool('web'))?.spec).toEqual({
        addresses: ['192.0.2.0/28'],
        autoAssign: true,
        avoidBuggyIPs: false,
      });
    });

    it('leaves labels, annotations and the status that others write', async () => {
      const running = await home.run();
      await home.values(VALUES);
      await home.told('Applied', { status: 'True' });
      await home.api.kubectl('-n', home.namespace, 'label', 'ipaddresspool', 'web', 'owner=me');
      await home.lookAgain(running);
      expect((await home.pool('web'))?.metadata.labels).toMatchObject({ owner: 'me' });
    });
  });

  describe('what it removes', () => {
    it('prunes what the values no longer define, and nothing that others made', async () => {
      await home.run();
      await home.apply({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { name: 'foreign' },
        spec: { addresses: ['203.0.113.0/28'] },
      });
      await home.apply({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { name: 'other-release', labels: { 'herald.io/instance': 'elsewhere' } },
        spec: { addresses: ['203.0.113.32/28'] },
      });
      await home.values(VALUES);
      await home.told('Applied', { status: 'True' });
      await home.values({ pools: { web: VALUES.pools.web }, l2Advertisements: { all: {} } });
      await home.eventually('no db', async () => !(await home.pool('db')));
      expect((await home.pools()).map((p) => p.metadata.name).sort()).toEqual([
        'foreign',
        'other-release',
        'web',
      ]);
    });

    it('keeps the last good state when a render is empty, and says so', async () => {
      await home.run();
      await home.values(VALUES);
      await home.told('Applied', { status: 'True' });
      await home.values({});
      const source = await home.told('EmptyRender');
      expect(conditions(source)).toEqual({ Ready: 'False EmptyRender', Stalled: 'True EmptyRender' });
      expect((await home.pools()).length).toBe(2);
      expect(source.status).toMatchObject({ pools: 2, objects: 3 });
    });

    it('keeps what a vanished ConfigMap defined until it is deleted by hand', async () => {
      await home.run();
      await home.configMap('more', 'pools:\n  extra: {addresses: [198.51.100.0/28]}\n');
      const name = `${home.namespace}.more`;
      await home.told('Applied', { name, status: 'True' });
      await home.delete('configmap/more');
      const source = await home.told('SourceVanished', { name });
      expect(conditions(source)).toMatchObject({ Stalled: 'True SourceVanished' });
      expect(await home.pool('extra')).toBeDefined();
      await home.delete('ipaddresspool/extra');
      await home.eventually('no ConfigSource', async () => !(await home.source(name)));
      expect(await home.pool('extra')).toBeUndefined();
    });
  });

  describe('what it refuses', () => {
    const rows: readonly (readonly [string, unknown, string, string])[] = [
      [
        'an unknown key',
        { pools: { web: { adresses: ['192.0.2.0/28'] } } },
        'UnknownKey',
        'pools.web.adresses',
      ],
      ['an unknown root', { poolz: {} }, 'UnknownKey', 'poolz'],
      ['a wrong type', { pools: { web: { addresses: '192.0.2.0/28' } } }, 'WrongType', 'pools.web.addresses'],
      [
        'a reversed range',
        { pools: { web: { addresses: ['192.0.2.9-192.0.2.1'] } } },
        'PoolRangeInvalid',
        'pools.web.addresses[0]',
      ],
      [
        'a bare address',
        { pools: { web: { addresses: ['192.0.2.9'] } } },
        'PoolRangeInvalid',
        'pools.web.addresses[0]',
      ],
      [
        'mixed families',
        { pools: { web: { addresses: ['192.0.2.9-2001:db8::1'] } } },
        'PoolRangeMixed',
        'pools.web.addresses[0]',
      ],
      ['no addresses', { pools: { web: { addresses: [] } } }, 'PoolEmpty', 'pools.web.addresses'],
      [
        'an overlap',
        { pools: { a: { addresses: ['192.0.2.0/24'] }, b: { addresses: ['192.0.2.128/25'] } } },
        'PoolOverlap',
        'pools.b.addresses[0]',
      ],
      [
        'an illegal name',
        { pools: { My_Pool: { addresses: ['192.0.2.0/28'] } } },
        'InvalidName',
        'pools.My_Pool',
      ],
      [
        'a peer without address',
        { bgpPeers: { tor: { myASN: 64500, peerASN: 64501 } } },
        'PeerInvalid',
        'bgpPeers.tor.peerAddress',
      ],
      [
        'a community that is none',
        { communities: { c: { communities: [{ name: 'x', value: '70000:1' }] } } },
        'CommunityInvalid',
        'communities.c.communities[0].value',
      ],
      [
        'a pool named twice in one advertisement',
        { pools: VALUES.pools, l2Advertisements: { all: { ipAddressPools: ['web', 'web'] } } },
        'NameDuplicate',
        'l2Advertisements.all.ipAddressPools[1]',
      ],
    ];
    for (const [what, values, code, path] of rows) {
      it(`refuses ${what} as a whole, with the place, and keeps what was`, async () => {
        await home.run();
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
        const before = (await home.pools()).map((p) => p.metadata.resourceVersion);
        await home.values(values);
        const source = await home.told(code);
        expect(conditions(source)).toEqual({ Ready: `False ${code}`, Stalled: `True ${code}` });
        expect(source.status?.problems?.map((p) => p.path)).toContain(path);
        expect(message(source)).toContain(path);
        expect((await home.pools()).map((p) => p.metadata.resourceVersion)).toEqual(before);
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
      });
    }

    it('tells all mistakes in one go, bounded', async () => {
      await home.run();
      const pools = Object.fromEntries(
        Array.from({ length: 50 }, (_, i) => [`p${i}`, { addresses: [`bad${i}`] }]),
      );
      await home.values({ pools });
      const source = await home.told('PoolRangeInvalid');
      expect(source.status).toMatchObject({ problemCount: 50 });
      expect(source.status?.problems?.length).toBe(32);
      expect(message(source).length).toBeLessThanOrEqual(1000);
      expect(message(source)).toContain('and 47 more');
    });

    it('never repeats a value of the Secret', async () => {
      const running = await home.run();
      await home.values({
        pools: { web: { addresses: ['s3cret-range', '10.9.8.7-10.9.8.6', '10.9.8.0/24', '10.9.8.1/32'] } },
        bgpPeers: {
          tor: { myASN: 64500, peerASN: 64501, peerAddress: 's3cret-peer', password: ['s3cret-word'] },
        },
      });
      await home.told('Refused');
      const told = JSON.stringify([await home.source(), await home.events(), running.lines]);
      expect(told).toContain('bgpPeers.tor.password');
      expect(told).not.toContain('s3cret');
      await home.values({
        pools: { web: { addresses: ['s3cret-range', '10.9.8.7-10.9.8.6', '10.9.8.0/24', '10.9.8.1/32'] } },
      });
      await home.told('Refused');
      await home.values('{"pools": s3cret');
      await home.told('ValuesUnreadable');
      const after = JSON.stringify([await home.source(), await home.events(), running.lines]);
      expect(after).not.toContain('s3cret');
      expect(after).not.toContain('10.9.8');
    });

    it('carries a megabyte of values', async () => {
      await home.run();
      const filler = Object.fromEntries(
        Array.from({ length: 900 }, (_, i) => [`note-${i}`, 'x'.repeat(1000)]),
      );
      await home.values({
        pools: { web: { addresses: ['192.0.2.0/28'] } },
        controller: { podAnnotations: filler },
      });
      await home.told('Applied', { status: 'True' });
      expect(await home.pool('web')).toBeDefined();
    });
  });
});
