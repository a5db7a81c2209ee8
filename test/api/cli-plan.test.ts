/** `herald plan`, `snapshot` and `approve` as an operator runs them: processes against a real API server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, exec, type Result, startApiServer } from '../servers/index.ts';

const NAMESPACE = 'metallb-system';
const ours = (source: string) => ({
  labels: { 'herald.io/instance': 'herald' },
  annotations: { 'herald.io/from': `herald#${source}` },
});
const OBJECTS = [
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'web', namespace: NAMESPACE, ...ours('pools.web') },
    spec: { addresses: ['192.0.2.0/28'], autoAssign: true, avoidBuggyIPs: false },
  },
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata: { name: 'lan', namespace: NAMESPACE, ...ours('l2Advertisements.lan') },
    spec: {},
  },
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  },
];
const values = (ranges: string) =>
  `pools:\n  web:\n    addresses: [${ranges}]\nl2Advertisements:\n  lan: {}\n`;
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('herald on a cluster', () => {
  let api: ApiServer;
  let dir: string;

  beforeAll(async () => {
    api = await startApiServer();
    dir = mkdtempSync(join(tmpdir(), 'herald-cli-'));
    await api.kubectl('create', 'namespace', NAMESPACE);
    await api.kubectlInput(OBJECTS.map((o) => JSON.stringify(o)).join('\n---\n'), 'apply', '-f', '-');
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const address = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.12' }] } } };
    const patch = (body: object) => ['--subresource=status', '--type=merge', '-p', JSON.stringify(body)];
    await api.kubectl('patch', 'node', 'n1', ...patch(ready));
    await api.kubectl('-n', 'shop', 'patch', 'service', 'web', ...patch(address));
  });
  afterAll(async () => {
    await api?.stop();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  const herald = (...args: string[]): Promise<Result> =>
    exec(process.execPath, ['src/bin/herald.ts', ...args], { env: { KUBECONFIG: api.kubeconfig } });
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };

  it('says that a commit changes nothing', async () => {
    const done = await herald('plan', file('same.yaml', values('192.0.2.0/28')));
    expect([done.code, done.stdout, done.stderr]).toEqual([
      0,
      'No change: the cluster holds what the sources say.\n',
      '',
    ]);
  });

  it('shows a change that hurts nobody', async () => {
    const done = await herald('plan', file('grown.yaml', values('192.0.2.0/28, 192.0.2.32/28')));
    expect(done.code).toBe(2);
    expect(done.stdout).toContain('~ IPAddressPool web');
    expect(done.stdout).toContain('192.0.2.32/28');
  });

  it('shows a change that would be held, whom it hurts, and the same from a snapshot without the cluster', async () => {
    const shrunk = file('shrunk.yaml', values('192.0.2.0/29'));
    const done = await herald('plan', shrunk);
    expect(done.code).toBe(3);
    expect(done.stdout).toContain('[held]');
    expect(done.stdout).toContain('shop/web (192.0.2.12)');
    const taken = await herald('snapshot');
    expect(taken.code).toBe(0);
    const offline = await exec(
      process.execPath,
      ['src/bin/herald.ts', 'plan', shrunk, '--snapshot', file('snapshot.json', taken.stdout)],
      { env: { KUBECONFIG: '/nowhere' } },
    );
    expect([offline.code, offline.stdout]).toEqual([3, done.stdout]);
  });

  it('prints the plan for programs and for pull requests', async () => {
    const shrunk = file('shrunk.yaml', values('192.0.2.0/29'));
    const json: unknown = JSON.parse((await herald('plan', shrunk, '-o', 'json')).stdout);
    expect(json).toMatchObject({ counts: { held: 1 }, affected: [{ service: 'shop/web', fate: 'moves' }] });
    expect((await herald('plan', shrunk, '-o', 'yaml')).stdout).toMatch(/service: shop\/web/);
    expect((await herald('plan', shrunk, '-o', 'markdown')).stdout).toMatch(/^### Herald plan: 1 held\n/);
  });

  it('answers 1 and the reason for what it cannot plan', async () => {
    const wrong = await herald('plan', file('wrong.yaml', values('192.0.2.9-192.0.2.1')));
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toMatch(/wrong\.yaml:3:\d+ .*pools\.web\.addresses\[0\]/);
    const missing = await herald('plan', join(dir, 'missing.yaml'));
    expect([missing.code, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toMatch(/^herald: .*missing\.yaml: cannot be read/);
    const none = await herald(
      'plan',
      file('shrunk.yaml', values('192.0.2.0/29')),
      '--snapshot',
      file('x', '[]'),
    );
    expect(none.stderr).toContain('is no snapshot');
  });

  it('needs Services for a verdict: without the right to read them whatever could hurt is held', async () => {
    const kubeconfig = await api.user('jane', ['lab:readers']);
    const role = [
      '--verb=list',
      '--resource=ipaddresspools.metallb.io,l2advertisements.metallb.io,bgpadvertisements.metallb.io',
    ];
    const more =
      '--resource=bgppeers.metallb.io,bfdprofiles.metallb.io,communities.metallb.io,reservations.herald.io,addressquotas.herald.io,configsources.herald.io,plans.herald.io';
    await api.kubectl('-n', NAMESPACE, 'create', 'role', 'plans', ...role, more);
    await api.kubectl(
      '-n',
      NAMESPACE,
      'create',
      'rolebinding',
      'plans',
      '--role=plans',
      '--group=lab:readers',
    );
    const shrunk = file('shrunk.yaml', values('192.0.2.0/29'));
    const plan = () =>
      exec(process.execPath, ['src/bin/herald.ts', 'plan', shrunk], { env: { KUBECONFIG: kubeconfig } });
    await expect.poll(async () => (await plan()).code, { timeout: 15_000 }).toBe(3);
    expect((await plan()).stdout).toContain('Services may not be read');
  });

  it('approves just the plan that is meant', async () => {
    const plan = {
      apiVersion: 'herald.io/v1alpha1',
      kind: 'Plan',
      metadata: { name: 'herald', namespace: NAMESPACE },
      spec: {
        source: 'herald',
        digest: DIGEST,
        summary: '1 pool changed; 1 Service gets another address',
        steps: [
          {
            object: 'IPAddressPool web',
            action: 'update',
            path: 'pools.web',
            state: 'Held',
            affected: ['shop/web'],
          },
        ],
        affected: [
          { service: 'shop/web', addresses: ['192.0.2.12'], fate: 'moves', reason: 'no pool holds it' },
        ],
      },
    };
    await api.kubectlInput(JSON.stringify(plan), 'apply', '-f', '-');
    const waiting = await herald('plan');
    expect(waiting.code).toBe(3);
    expect(waiting.stdout).toContain('shop/web (192.0.2.12) gets another address: no pool holds it');

    const other = await herald('approve', 'herald', '--digest', 'sha256:ffffffff');
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain('is another one by now');
    const approved = async () =>
      api.kubectl(
        '-n',
        NAMESPACE,
        'get',
        'plan',
        'herald',
        '-o',
        String.raw`jsonpath={.metadata.annotations.herald\.io/approve}`,
      );
    expect(await approved()).toBe('');
    const done = await herald('approve', 'herald', '--digest', '01234567');
    expect([done.code, done.stderr]).toEqual([0, '']);
    expect(await approved()).toBe(DIGEST);
    expect((await herald('approve', 'nobody')).stderr).toContain('there is no Plan metallb-system/nobody');
  });
});
