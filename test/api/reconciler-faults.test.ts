import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { refuseForeignConversion } from '../../src/programs/reconciler/conversion.ts';
import { toolPath } from '../../tools/servers/manifest.ts';
import { applyCrds, available } from '../servers/index.ts';
import { startFaulty } from './faulty.rig.ts';
import { startRelay } from './kube.rig.ts';
import {
  CLUSTER_RULES,
  conditions,
  eachWithHome,
  type Home,
  message,
  RELEASE,
  RULES,
  restricted,
} from './reconciler.rig.ts';

const can = available('api');
const flux = available('flux');
const root = join(import.meta.dirname, '../..');
const VALUES = {
  pools: { web: { addresses: ['192.0.2.0/28'] } },
  l2Advertisements: { all: {} },
};
const PEER = { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' };

describe.skipIf(can !== true)(
  `reconciler when something is missing${can === true ? '' : ` (${can})`}`,
  () => {
    let home: Home;
    eachWithHome('faults', (made) => {
      home = made;
    });

    it('refuses to start while another product converts BGPPeers by a webhook, and says what to do', async () => {
      const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io';
      const convert = (conversion: object) =>
        home.kube.request({
          method: 'PATCH',
          path: crd,
          body: { spec: { conversion } },
          contentType: 'application/merge-patch+json',
        });
      const signal = AbortSignal.timeout(10_000);
      await refuseForeignConversion(home.kube, signal);
      const clientConfig = { url: 'https://127.0.0.1:1/convert' };
      await convert({ strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } });
      try {
        await expect(refuseForeignConversion(home.kube, signal)).rejects.toThrow(
          /bgppeers.metallb.io.*kubectl replace/,
        );
      } finally {
        await convert({ strategy: 'None', webhook: null });
      }
      await refuseForeignConversion(home.kube, signal);
    });

    describe('RBAC', () => {
      it('needs no more than the table of its README', async () => {
        const kubeconfig = await restricted(home, 'least');
        const running = await home.run({ kubeconfig });
        await home.values({ ...VALUES, bgpPeers: { tor: { ...PEER, password: 'x' } } });
        await home.told('Applied', { status: 'True' });
        await home.values(VALUES);
        await home.eventually(
          'a pruned peer',
          async () => (await home.list('metallb.io/bgppeers')).length === 0,
        );
        await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.0/28]}}');
        await home.told('Applied', { name: `${home.namespace}.more`, status: 'True' });
        const forbidden = running.lines.filter((l) => /forbidden/i.test(l));
        expect(forbidden).toEqual([]);
      });

      it('goes on with the other kinds when one may not be read, removes nothing, and recovers by itself', async () => {
        const admin = await home.run();
        await home.values({
          ...VALUES,
          communities: { c: { communities: [{ name: 'x', value: '64500:1' }] } },
        });
        await home.told('Applied', { status: 'True' });
        await admin.stop();
        const kubeconfig = await restricted(home, 'no-peers', ['bgppeers']);
        await home.run({ kubeconfig });
        await home.values({ pools: { web: { addresses: ['192.0.2.0/27'] } } });
        expect(message(await home.told('Forbidden'))).toContain('what is no longer defined stays until then');
        await home.values({ pools: { web: { addresses: ['192.0.2.0/27'] } }, bgpPeers: { tor: PEER } });
        const source = await home.told('Forbidden');
        expect(conditions(source)).toEqual({ Ready: 'False Forbidden', Reconciling: 'True Forbidden' });
        expect(message(source)).toContain('BGPPeer');
        expect((await home.pool('web'))?.spec.addresses).toEqual(['192.0.2.0/27']);
        expect((await home.list('metallb.io/communities')).length).toBe(1);
        await restricted(home, 'no-peers');
        await home.told('Applied', { status: 'True' });
        expect((await home.list('metallb.io/bgppeers')).length).toBe(1);
        await home.eventually('pruned', async () => (await home.list('metallb.io/communities')).length === 0);
      });

      it('tells when a kind may be read and not written, and writes nothing that shrinks', async () => {
        const kubeconfig = await restricted(home, 'reader', ['l2advertisements']);
        await home.apply({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: 'reader-more' },
          rules: [{ apiGroups: ['metallb.io'], resources: ['l2advertisements'], verbs: ['list', 'watch'] }],
        });
        await home.apply({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'reader-more' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader-more' },
          subjects: [{ kind: 'User', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' }],
        });
        await home.run({ kubeconfig });
        await home.values({ pools: VALUES.pools });
        await home.told('Applied', { status: 'True' });
        await home.values({
          pools: { other: { addresses: ['192.0.2.64/28'] } },
          l2Advertisements: { all: {} },
        });
        const source = await home.told('Forbidden');
        expect(message(source)).toContain('L2Advertisement all');
        expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['other', 'web']);
      });
    });

    describe('CRDs', () => {
      it('waits for one that is missing at start, goes on with the others, and recovers by itself', async () => {
        const file = join(root, 'chart/crds/bgppeers.metallb.io.yaml');
        await home.api.kubectl('delete', '-f', file, '--wait=true');
        await home.run();
        await home.values({ ...VALUES, bgpPeers: { tor: PEER } });
        const source = await home.told('KindMissing');
        expect(message(source)).toContain('BGPPeer');
        expect(await home.pool('web')).toBeDefined();
        await home.api.kubectl('apply', '--server-side', '-f', file);
        await home.told('Applied', { status: 'True' });
        expect((await home.list('metallb.io/bgppeers')).length).toBe(1);
      });

      it('waits for ConfigSource itself', async () => {
        const file = join(root, 'chart/crds/configsources.herald.io.yaml');
        await home.api.kubectl('delete', '-f', file, '--wait=true');
        const running = await home.run();
        await home.eventually('a word', async () =>
          running.lines.some((l) => l.includes('ConfigSource') && l.includes('missing')),
        );
        await applyCrds(home.api, file);
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' });
      });

      it('goes on without Plans, says so, holds all the same, and shows them once they are served', async () => {
        const file = join(root, 'chart/crds/plans.herald.io.yaml');
        await home.api.kubectl('delete', '-f', file, '--wait=true');
        await home.run();
        await home.values({ pools: VALUES.pools });
        const source = await home.told('Applied', { status: 'True' });
        expect(source.status?.problems?.map((p) => [p.code, p.severity])).toContainEqual([
          'PlansUnreadable',
          'warning',
        ]);
        await home.service('shop', ['192.0.2.5']);
        await home.values({ pools: { db: { addresses: ['198.51.100.0/28'] } } });
        await home.told('HeldInUse');
        await home.api.kubectl('apply', '--server-side', '-f', file);
        await home.eventually(
          'the Plan',
          async () => (await home.plan().catch(() => undefined)) !== undefined,
        );
        await home.planned('Held');
      });

      it('makes everything again after a CRD was deleted with its objects', async () => {
        const file = join(root, 'chart/crds/communities.metallb.io.yaml');
        await home.run();
        await home.values({
          ...VALUES,
          communities: { c: { communities: [{ name: 'x', value: '64500:1' }] } },
        });
        await home.told('Applied', { status: 'True' });
        await home.api.kubectl('delete', '-f', file, '--wait=true');
        await home.told('KindMissing');
        await home.api.kubectl('apply', '--server-side', '-f', file);
        await home.told('Applied', { status: 'True' });
        expect((await home.list('metallb.io/communities')).length).toBe(1);
      });
    });

    describe('the API server', () => {
      it('may be gone at start and in the middle: nothing is lost', async () => {
        const relay = await startRelay(home.api, `relay-${home.namespace}`);
        relay.refuse();
        try {
          await home.values(VALUES);
          await home.run({ kubeconfig: relay.kubeconfig });
          relay.accept();
          await home.told('Applied', { status: 'True' });
          relay.refuse();
          await home.values({
            pools: { web: { addresses: ['192.0.2.0/27'] } },
            l2Advertisements: { all: {} },
          });
          relay.accept();
          await home.eventually(
            'the change',
            async () => JSON.stringify((await home.pool('web'))?.spec.addresses) === '["192.0.2.0/27"]',
          );
          await home.told('Applied', { status: 'True' });
        } finally {
          await home.close();
          await relay.close();
        }
      });

      it('is asked what came of a write that had no answer, before anything is said to be done', async () => {
        let ill = false;
        let asks = true;
        const faulty = await startFaulty(home.api, ({ method, path }) => {
          if (!ill) return undefined;
          // Watches, and the lists that come after those that broke; what is asked of a quorum names no version.
          if (path.includes('/ipaddresspools?') && (!asks || path.includes('resourceVersion=')))
            return 'reset';
          return method === 'PATCH' && path.includes('/ipaddresspools/web?') ? 'lost' : undefined;
        });
        const db = { addresses: ['198.51.100.0/28'] };
        try {
          await home.run({ kubeconfig: faulty.kubeconfig });
          await home.values({ pools: { db } });
          await home.told('Applied', { status: 'True' });
          ill = true;
          // Only once it has told what failed, or the answer might come before anybody sees that.
          asks = false;
          faulty.cutWatches();
          await home.values({ pools: { db, web: VALUES.pools.web } });
          await home.told('WriteFailed');
          asks = true;
          expect(await home.pool('web')).toBeDefined();
          await home.values({ pools: { db } });
          await home.told('Applied', { status: 'True' });
          expect(await home.pool('web')).toBeUndefined();
        } finally {
          await home.close();
          await faulty.close();
        }
      });

      it('may be killed while a thousand pools are written', async () => {
        const running = await home.run();
        const pools = Object.fromEntries(
          Array.from({ length: 1000 }, (_, i) => [`p${i}`, { addresses: [`10.${i >> 8}.${i & 255}.0/24`] }]),
        );
        await home.values({ pools });
        await home.eventually(
          'a beginning',
          async () => (await running.counter('writes_total')) >= 0 && (await home.pools()).length > 20,
        );
        await home.api.restart();
        await home.eventually(
          'all of them',
          async () => (await home.pools().catch(() => [])).length === 1000,
        );
        await home.told('Applied', { status: 'True' });
      });
    });

    describe.skipIf(flux !== true)('the HelmRelease', () => {
      const release = (spec: object) => ({
        apiVersion: 'helm.toolkit.fluxcd.io/v2',
        kind: 'HelmRelease',
        metadata: { name: 'herald' },
        spec: {
          interval: '10m',
          chart: { spec: { chart: './chart', sourceRef: { kind: 'GitRepository', name: 'fleet' } } },
          ...spec,
        },
      });
      const deployment = () => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: {
          name: 'anything',
          labels: {
            'app.kubernetes.io/instance': RELEASE,
            'app.kubernetes.io/component': 'reconciler',
            'helm.toolkit.fluxcd.io/name': 'herald',
            'helm.toolkit.fluxcd.io/namespace': home.namespace,
          },
        },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
        },
      });

      beforeAll(() => applyCrds(home.api, toolPath('flux-crds.yaml')));

      it('freezes every write while it is suspended, drift repair included, and says what waits', async () => {
        await home.apply(deployment());
        await home.apply(release({ suspend: true }));
        await home.run();
        await home.values(VALUES);
        const frozen = await home.told('Suspended');
        expect(conditions(frozen)).toEqual({ Ready: 'False Suspended', Suspended: 'True Suspended' });
        expect(message(frozen)).toBe(`2 changes wait until HelmRelease ${home.namespace}/herald is resumed`);
        expect(await home.pools()).toEqual([]);
        expect(await home.plan()).toBeUndefined();

        await home.apply(release({ suspend: false }));
        await home.told('Applied', { status: 'True' });
        await home.apply(release({ suspend: true }));
        await home.configMap('more', 'pools: {extra: {addresses: [198.51.100.0/28]}}');
        await home.api.kubectl('-n', home.namespace, 'delete', 'ipaddresspool', 'web');
        await home.told('Suspended');
        expect(await home.pools()).toEqual([]);
        await home.apply(release({ suspend: false }));
        await home.told('Applied', { status: 'True' });
        await home.told('Applied', { name: `${home.namespace}.more`, status: 'True' });
        expect((await home.pools()).map((p) => p.metadata.name)).toEqual(['extra', 'web']);
      });

      it('is named in the status, and found where the values point to another', async () => {
        await home.apply(deployment());
        await home.apply(release({}));
        await home.run();
        await home.values(VALUES);
        const source = await home.told('Applied', { status: 'True' });
        expect(source.status).toMatchObject({ helmRelease: `${home.namespace}/herald` });
        await home.values({
          ...VALUES,
          source: { helmRelease: { name: 'other', namespace: home.namespace } },
        });
        await home.eventually('the other', async () => {
          const s = await home.source();
          return JSON.stringify(s?.status).includes(`${home.namespace}/other`);
        });
      });

      it('is told to be ahead when it asks for values that Helm does not apply', async () => {
        await home.apply(deployment());
        await home.apply({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'base' },
          data: { 'values.yaml': 'pools: {}' },
        });
        await home.apply(release({ valuesFrom: [{ kind: 'ConfigMap', name: 'base' }] }));
        await home.run({ timing: { aheadMs: 300 } });
        await home.values(VALUES);
        const source = await home.told('ValuesNotApplied', { type: 'InSync' });
        expect(conditions(source)).toMatchObject({ Ready: 'True Applied', InSync: 'False ValuesNotApplied' });
      });
    });

    it('ends cleanly on SIGTERM, with its Lease released', async () => {
      const child = spawn(
        join(root, 'node_modules/.bin/node'),
        [
          join(root, 'src/bin/reconciler.ts'),
          '--namespace',
          home.namespace,
          '--port',
          '0',
          '--health-probe-port',
          '0',
        ],
        { env: { ...process.env, KUBECONFIG: home.api.kubeconfig }, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let out = '';
      child.stdout.on('data', (d) => (out += d));
      child.stderr.on('data', (d) => (out += d));
      const exited = once(child, 'exit');
      try {
        await home.values(VALUES);
        await home.told('Applied', { status: 'True' }).catch((e: unknown) => {
          throw new Error(out, { cause: e });
        });
        child.kill('SIGTERM');
        const [code] = await exited;
        expect(code, out).toBe(0);
        const holder = ['get', 'lease', 'herald-reconciler', '-o', 'jsonpath={.spec.holderIdentity}'];
        expect(await home.api.kubectl('-n', home.namespace, ...holder)).toBe('');
      } finally {
        child.kill('SIGKILL');
      }
    });

    it('has its rights in the README, resource by resource and verb by verb', () => {
      const table = readFileSync(join(root, 'src/programs/reconciler/README.md'), 'utf8').split('\n');
      for (const { resources, verbs } of [...RULES, ...CLUSTER_RULES]) {
        const row = table.find((line) => line.startsWith('|') && resources.every((r) => line.includes(r)));
        expect(row, resources.join()).toBeDefined();
        for (const verb of verbs) expect(row, `${resources}: ${verb}`).toMatch(new RegExp(`\\b${verb}\\b`));
      }
    });
  },
);
