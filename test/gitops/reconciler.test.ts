import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { client } from '../api/kube.rig.ts';
import { conditions, Home, message, type Running } from '../api/reconciler.rig.ts';
import { type ApiServer, available, type Flux, startApiServer, startFlux } from '../servers/index.ts';
import { chartFiles, RETRY } from './site.rig.ts';

const can = available('flux');

/** The HelmRelease of the recommended settings, as far as a cluster without nodes can have them. */
function release(values: unknown, o: { suspend?: boolean } = {}): string {
  return JSON.stringify({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'herald', namespace: 'flux-system' },
    spec: {
      interval: '10m',
      timeout: '20s',
      releaseName: 'herald',
      targetNamespace: 'metallb-system',
      suspend: o.suspend ?? false,
      chart: {
        spec: {
          chart: './charts/herald',
          sourceRef: { kind: 'GitRepository', name: 'fleet' },
        },
      },
      install: RETRY,
      upgrade: RETRY,
      driftDetection: { mode: 'enabled' },
      values,
    },
  });
}

const pools = (range: string) => ({ pools: { web: { addresses: [range] } }, l2Advertisements: { all: {} } });

describe.skipIf(can !== true)(`reconciler behind real Flux${can === true ? '' : ` (${can})`}`, () => {
  let api: ApiServer;
  let kube: KubeClient;
  let flux: Flux;
  let home: Home;
  let running: Running;

  const commit = async (values: unknown, o: { suspend?: boolean } = {}) => {
    await flux.git.push({ 'clusters/lab/release.yaml': release(values, o) }, 'values');
    await flux.reconcile('gitrepository/fleet');
  };
  /** Until Flux's copy of the commit is in the cluster. */
  const arrived = (what: string) =>
    home.eventually(`the HelmRelease to hold ${what}`, async () =>
      (await api.kubectl('-n', 'flux-system', 'get', 'helmrelease', 'herald', '-o', 'json')).includes(what),
    );
  const addresses = async () => JSON.stringify((await home.pool('web'))?.spec.addresses);

  beforeAll(async () => {
    api = await startApiServer();
    kube = await client(api.kubeconfig);
    flux = await startFlux(api);
    home = await Home.make(api, kube, 'metallb-system');
    await flux.git.push(
      { ...chartFiles(), 'clusters/lab/release.yaml': release(pools('192.0.2.0/28')) },
      'first',
    );
    await flux.follow({ path: './clusters/lab' });
  });
  afterAll(async () => {
    await home?.close();
    await kube?.close();
    await api?.stop();
  });

  it('leaves the HelmRelease unready until Herald has accepted the commit', async () => {
    await home.eventually('the ConfigSource', () => home.source());
    const waiting = await flux.ready('helmrelease/herald', { status: 'Unknown' });
    expect(waiting).toContain('Running');
    expect(await home.pools()).toEqual([]);

    running = await home.run();
    await home.told('Applied', { status: 'True' });
    await flux.ready('helmrelease/herald');
    expect(await addresses()).toBe('["192.0.2.0/28"]');
    expect((await home.source())?.status).toMatchObject({ helmRelease: 'flux-system/herald' });
  });

  it('carries a commit of values to the pools', async () => {
    await commit(pools('192.0.2.0/27'));
    await arrived('192.0.2.0/27');
    await home.eventually('the new range', async () => (await addresses()) === '["192.0.2.0/27"]');
  });

  it('computes the digest that helm-controller has, and tells that nothing is ahead', async () => {
    await home.eventually('a look at the HelmRelease', async () =>
      running.lines.some((l) => l.includes('HelmRelease looked at') && l.includes('inSync')),
    );
  });

  it('shows a refused commit on the HelmRelease, at once, and keeps the pools', async () => {
    const bad = pools('192.0.2.31-192.0.2.1');
    await commit(bad);
    await arrived('192.0.2.31-192.0.2.1');
    const began = performance.now();
    const why = await flux.ready('helmrelease/herald', { status: 'False' });
    const took = performance.now() - began;

    expect(why).toContain("ConfigSource/metallb-system/herald status: 'Failed'");
    // Stalled ends the wait; waiting out the timeout would take 20 s.
    expect(took).toBeLessThan(15_000);
    const source = await home.told('PoolRangeInvalid');
    expect(conditions(source)).toEqual({ Ready: 'False PoolRangeInvalid', Stalled: 'True PoolRangeInvalid' });
    expect(message(source)).toContain('pools.web.addresses[0]: the range is reversed');
    expect(await addresses()).toBe('["192.0.2.0/27"]');
    const events = await api.kubectl('-n', 'flux-system', 'get', 'events', '-o', 'json');
    expect(events).toContain('pools.web.addresses[0]: the range is reversed');
    expect(events).not.toContain('192.0.2.31-192.0.2.1');
  });

  it('is ready again with the commit that mends it', async () => {
    await commit(pools('192.0.2.0/26'));
    await arrived('192.0.2.0/26');
    await flux.ready('helmrelease/herald');
    expect(await addresses()).toBe('["192.0.2.0/26"]');
    await home.told('Applied', { status: 'True' });
  });

  it('acts on nothing of a commit that also suspends', async () => {
    await commit(pools('192.0.2.0/25'), { suspend: true });
    await home.eventually('the freeze', async () =>
      /^herald_reconciler_suspended 1$/m.test(await running.metrics.text()),
    );
    expect(await addresses()).toBe('["192.0.2.0/26"]');
  });

  it('repairs no drift while the HelmRelease is suspended, and does so when it is resumed', async () => {
    await api.kubectl('-n', 'metallb-system', 'delete', 'ipaddresspool', 'web');
    const source = await home.told('Suspended');
    expect(message(source)).toBe('1 change waits until HelmRelease flux-system/herald is resumed');
    expect(await home.pool('web')).toBeUndefined();
    await commit(pools('192.0.2.0/25'));
    await home.eventually(
      'the pool of the new commit',
      async () => (await addresses()) === '["192.0.2.0/25"]',
    );
  });

  it('survives an uninstallation: pools and addresses stay, and the release installed again finds them', async () => {
    await home.service('shop', ['192.0.2.7']);
    const states = async () =>
      (await home.pools()).map(({ metadata: m }) => `${m.name} ${m.uid} ${m.generation}`);
    const before = await states();
    await flux.git.push(
      { 'clusters/lab/release.yaml': null, 'clusters/lab/kustomization.yaml': 'resources: []\n' },
      'remove',
    );
    await flux.reconcile('gitrepository/fleet');
    await home.eventually('no ConfigSource', async () => !(await home.source()));
    // The reconciler that is left works on, and takes nothing away.
    await home.configMap('later', 'pools: {other: {addresses: [198.51.100.0/28]}}');
    await home.told('Applied', { name: 'metallb-system.later', status: 'True' });
    const other = (await states())[0];
    expect(await states()).toEqual([expect.stringMatching(/^other /), ...before]);

    await flux.git.push({ 'clusters/lab/kustomization.yaml': null }, 'discover files again');
    await commit(pools('192.0.2.0/25'));
    await home.told('Applied', { status: 'True' });
    await flux.ready('helmrelease/herald');
    expect(await states()).toEqual([other, ...before]);
  });
});
