import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftovers } from '../servers/clean.ts';
import { type ApiServer, type Flux, startApiServer, startFlux } from '../servers/index.ts';

const configMap = (data: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'from-git', namespace: 'default' },
    data: { data },
  });

describe('Flux beside an API server', () => {
  let api: ApiServer;
  let flux: Flux;
  beforeAll(async () => {
    api = await startApiServer({ crds: false });
    flux = await startFlux(api);
  });
  afterAll(async () => {
    await api?.stop();
    expect(leftovers(api.dir)).toEqual([]);
  });
  const inCluster = () =>
    api.kubectl('get', 'configmap', 'from-git', '-o', 'jsonpath={.data.data}').catch(() => '');

  it('applies what is committed, and what is committed after it', async () => {
    await flux.git.push({ 'clusters/lab/map.yaml': configMap('first') }, 'first');
    await flux.follow({ path: './clusters/lab' });
    await expect.poll(inCluster, { timeout: 30_000 }).toBe('first');
    const id = await flux.git.push({ 'clusters/lab/map.yaml': configMap('second') }, 'second');
    await flux.reconcile('gitrepository/fleet');
    await expect.poll(inCluster, { timeout: 30_000 }).toBe('second');
    expect(await flux.ready('kustomization/fleet')).toContain(id);
  });

  it('says what is wrong with a commit that cannot be read', async () => {
    await flux.git.push({ 'clusters/lab/map.yaml': '{{{' }, 'broken');
    await flux.reconcile('gitrepository/fleet');
    expect(await flux.ready('kustomization/fleet', { status: 'False' })).toContain('map.yaml');
    expect(await inCluster()).toBe('second');
  });

  it('renders a chart and releases it', async () => {
    await flux.git.push(
      {
        'clusters/lab/map.yaml': configMap('third'),
        'charts/demo/Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 0.1.0\n',
        'charts/demo/templates/map.yaml':
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-helm}\ndata: {data: {{ .Values.text | quote }}}\n',
        'clusters/lab/release.yaml': JSON.stringify({
          apiVersion: 'helm.toolkit.fluxcd.io/v2',
          kind: 'HelmRelease',
          metadata: { name: 'demo', namespace: 'default' },
          spec: {
            interval: '10m',
            chart: {
              spec: {
                chart: './charts/demo',
                sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' },
              },
            },
            values: { text: 'rendered' },
          },
        }),
      },
      'chart',
    );
    await flux.reconcile('gitrepository/fleet');
    await flux.ready('helmrelease/demo', { namespace: 'default' });
    expect(await api.kubectl('get', 'configmap', 'from-helm', '-o', 'jsonpath={.data.data}')).toBe(
      'rendered',
    );
  });
});
