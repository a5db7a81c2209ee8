import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at } from '../fleet/observe.ts';
import { type ApiServer, exec, startApiServer, toolPath } from '../servers/index.ts';
import { CHART, helm, install, NAMESPACE, overlay, RELEASE, type Rendered, render } from './chart.rig.ts';

/** The chart on a real API server. */

/** Everything that the chart can make of core kinds. */
const ALL = {
  pools: { web: { addresses: ['192.0.2.0/24'] } },
  bgpPeers: { tor: { myASN: 64512, peerASN: 64501, peerAddress: '192.0.2.1', password: 'hunter2' } },
  sources: { namespaces: ['team-a'] },
  source: { helmRelease: { name: 'herald', namespace: 'flux-system' }, secretNames: ['peers'] },
  imagePullSecrets: [{ name: 'registry' }],
  loadBalancerClass: 'herald.io/edge',
  prometheus: { scrapeAnnotations: true },
  networkpolicies: { enabled: true, defaultDeny: true },
  controller: {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    podDisruptionBudget: { minAvailable: '50%' },
    securityContext: { runAsUser: 1000 },
    runtimeClassName: 'gvisor',
    nodeSelector: { role: 'infra' },
    livenessProbe: { failureThreshold: 9 },
  },
  speaker: { startupProbe: { enabled: true }, affinity: { nodeAffinity: {} }, podAnnotations: { a: 'b' } },
};

let api: ApiServer;

beforeAll(async () => {
  api = await startApiServer();
  for (const name of ['team-a', 'flux-system']) await api.kubectl('create', 'namespace', name);
  await install(api);
  // The API server stores the default of a status with the first write after the creation.
  await install(api);
});
afterAll(() => api?.stop());

/** kubectl, with its warnings. */
const kubectl = (args: readonly string[], input: string) =>
  exec(toolPath('kubectl'), ['--kubeconfig', api.kubeconfig, ...args], { input });
const yaml = (objects: readonly Rendered[]): string => objects.map((o) => JSON.stringify(o)).join('\n---\n');

/** What the server holds of the release's manifest, by kind and name. */
async function held(): Promise<ReadonlyMap<string, Rendered>> {
  const env = { KUBECONFIG: api.kubeconfig };
  const manifest = await exec(toolPath('helm'), ['get', 'manifest', RELEASE, '-n', NAMESPACE], { env });
  const got = await kubectl(['get', '-n', NAMESPACE, '-f', '-', '-o', 'json'], manifest.stdout);
  const { items }: { items: readonly Rendered[] } = JSON.parse(got.stdout);
  return new Map(items.map((o) => [`${o.kind} ${o.metadata.name}`, o]));
}

describe('every object', () => {
  it.each<[string, object]>([
    ['the defaults', {}],
    ['every option', ALL],
    ['overlay l2-lab', overlay('l2-lab')],
    ['overlay bgp-edge', overlay('bgp-edge')],
  ])('of %s is taken by server-side apply, with strict fields and no warning', async (_, values) => {
    const args = [
      'apply',
      '--server-side',
      '--validate=strict',
      '--dry-run=server',
      '--field-manager=strict',
      '-f',
      '-',
    ];
    // Under names of their own: the release's manager has fields of these already.
    const objects = (await render(values)).map((o) => ({
      ...o,
      metadata: { ...o.metadata, name: `${o.metadata.name}-2` },
    }));
    const done = await kubectl(args, yaml(objects));
    expect([done.code, done.stderr]).toEqual([0, '']);
  });

  it('of a release whose name is a number is taken as well', async () => {
    const args = ['template', '7', CHART, '-n', NAMESPACE, '--kube-version=1.36.0'];
    const values = { ...ALL, source: { helmRelease: { name: '7', namespace: 'flux-system' } } };
    const { stdout } = await helm(args, { values });
    const done = await kubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], stdout);
    expect([done.code, done.stderr]).toEqual([0, '']);
  });

  it('that was installed is as rendered, and the admission policy is among them', async () => {
    const names = [...(await held()).keys()].sort();
    expect(names).toEqual((await render()).map((o) => `${o.kind} ${o.metadata.name}`).sort());
    expect(names).toContain('ValidatingAdmissionPolicy herald-pools-in-use.metallb-system');
  });

  it('stays untouched by an upgrade that changes nothing', async () => {
    const versions = async () =>
      [...(await held())].map(([name, o]) => [name, at(o, 'metadata.resourceVersion')]);
    const before = await versions();
    await install(api);
    expect(await versions()).toEqual(before);
  });

  it('but values and ConfigSource stays untouched when a pool changes', async () => {
    const before = await held();
    await install(api, { pools: { web: { addresses: ['192.0.2.0/24'] } } });
    const after = await held();
    const changed = [...after].filter(
      ([name, o]) => at(o, 'metadata.resourceVersion') !== at(before.get(name), 'metadata.resourceVersion'),
    );
    expect(changed.map(([name]) => name).sort()).toEqual(['ConfigSource herald', 'Secret herald-values']);
  });
});

describe('pods', () => {
  /** The warnings of the API server for this workload in a namespace of this pod security level. */
  async function violations(name: string, level: string): Promise<string> {
    const namespace = `level-${level}`;
    const labels = { 'pod-security.kubernetes.io/warn': level };
    const made = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
    await kubectl(['apply', '-f', '-'], JSON.stringify(made));
    const workload = (await render()).find(
      (o) => o.metadata.name === name && at(o, 'spec.template') !== undefined,
    );
    const moved = { ...workload, metadata: { name, namespace } };
    return (await kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(moved))).stderr;
  }

  it('of reconciler and controller keep to the restricted level', async () => {
    expect(await violations('herald-reconciler', 'restricted')).toBe('');
    expect(await violations('herald-controller', 'restricted')).toBe('');
  });

  it('of the speaker need a privileged namespace for the network and NET_RAW alone', async () => {
    expect(await violations('herald-speaker', 'privileged')).toBe('');
    expect(await violations('herald-speaker', 'baseline')).toMatch(
      /: non-default capabilities \([^)]*NET_RAW[^)]*\), host namespaces \(hostNetwork=true\), hostPort \([^)]*\), probe or lifecycle host \([^)]*\)\n$/,
    );
  });
});

describe('an uninstall', () => {
  it('leaves definitions and pools, and nothing else', async () => {
    const pool = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'kept', namespace: NAMESPACE },
      spec: { addresses: ['192.0.2.0/24'] },
    };
    await api.kubectlInput(JSON.stringify(pool), 'apply', '-f', '-');
    const crds = await api.kubectl('get', 'crd', '-o', 'name');
    const done = await exec(toolPath('helm'), ['uninstall', RELEASE, '-n', NAMESPACE], {
      env: { KUBECONFIG: api.kubeconfig },
    });
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(await api.kubectl('get', 'crd', '-o', 'name')).toBe(crds);
    expect(await api.kubectl('get', 'ipaddresspools', '-A', '-o', 'name')).toContain('kept');
    const kinds =
      'deploy,ds,cm,secret,sa,role,rolebinding,clusterrole,clusterrolebinding,pdb,networkpolicy,configsource,validatingadmissionpolicy';
    expect(
      await api.kubectl('get', kinds, '-A', '-l', `app.kubernetes.io/instance=${RELEASE}`, '-o', 'name'),
    ).toBe('');
  });
});
