import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolPath } from '../../tools/servers/manifest.ts';
import { leftovers } from '../servers/clean.ts';
import { exec } from '../servers/exec.ts';
import { type ApiServer, copyService, startApiServer } from '../servers/index.ts';

/** Status of one GET; for a watch, the code of the first event if that is an error. */
function statusOf(api: ApiServer, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${api.token}` };
    const asked = request(
      new URL(path, api.url),
      { ca: readFileSync(api.ca), headers, agent: false },
      (reply) => {
        let text = '';
        reply.on('data', (data) => {
          text += String(data);
          const code = /"type":"ERROR".*"code":(\d+)/.exec(text)?.[1];
          if (code === undefined) return;
          resolve(Number(code));
          asked.destroy();
        });
        reply.on('end', () => resolve(reply.statusCode ?? 0));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

describe('an API server', () => {
  let api: ApiServer;
  beforeAll(async () => {
    api = await startApiServer();
  });
  afterAll(() => api?.stop());

  it('reports the version of Kubernetes that it was built from', async () => {
    expect(await api.kubectl('version')).toMatch(/Server Version: v1\.\d+\.\d+/);
  });

  it('lets a user do only what a role allows', async () => {
    const kubeconfig = await api.user('jane', ['readers', 'lab:team']);
    const can = async (...args: string[]) =>
      (
        await exec(toolPath('kubectl'), ['auth', 'can-i', ...args], { env: { KUBECONFIG: kubeconfig } })
      ).stdout.trim();
    expect(await can('list', 'services')).toBe('no');
    await api.kubectl('create', 'clusterrole', 'service-reader', '--verb=list', '--resource=services');
    await api.kubectl(
      'create',
      'clusterrolebinding',
      'team',
      '--clusterrole=service-reader',
      '--group=lab:team',
    );
    await expect.poll(() => can('list', 'services'), { timeout: 10_000 }).toBe('yes');
    expect(await can('create', 'services')).toBe('no');
  });

  it('comes back with its data after it was killed', async () => {
    await api.kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
    await api.kill();
    await expect(statusOf(api, '/readyz')).rejects.toThrow();
    await api.restart();
    expect(await api.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')).toBe('b');
  });

  it('takes copies of a Service past itself, and gives none of their addresses away again', async () => {
    await api.kubectl('create', 'service', 'loadbalancer', 'first', '--tcp=80');
    const status = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } });
    await api.kubectl('patch', 'service', 'first', '--subresource=status', '-p', status);
    const copies = Array.from({ length: 300 }, (_, i) => ({
      name: `copy-${i}`,
      ip: `10.200.${i >> 8}.${i & 255}`,
    }));
    await copyService(api, { namespace: 'default', like: { name: 'first', ip: '192.0.2.1' } }, copies);
    await api.kubectl('create', 'service', 'loadbalancer', 'last', '--tcp=80');
    const field = async (path: string) =>
      (await api.kubectl('get', 'services', '-o', `jsonpath={.items[*]${path}}`)).split(' ');
    const names = ['first', 'kubernetes', 'last', ...copies.map(({ name }) => name)];
    expect((await field('.metadata.name')).toSorted()).toEqual(names.toSorted());
    for (const path of ['.metadata.uid', '.spec.clusterIP', '.spec.clusterIPs[0]'])
      expect(new Set(await field(path))).toHaveProperty('size', names.length);
    const ips = copies.map(({ ip }) => ip);
    expect((await field('.status.loadBalancer.ingress[0].ip')).toSorted()).toEqual(
      ['192.0.2.1', ...ips].toSorted(),
    );
  });

  it('answers 410 to a resourceVersion from before a compaction', async () => {
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles?limit=1';
    const page = await api.kubectl('get', '--raw', roles);
    const version = /"resourceVersion":"(\d+)"/.exec(page)?.[1] ?? '';
    const token = encodeURIComponent(/"continue":"([^"]+)"/.exec(page)?.[1] ?? '');
    expect(version).not.toBe('');
    expect(token).not.toBe('');
    await api.compact();
    const watch = `/api/v1/configmaps?watch=1&resourceVersion=${version}&timeoutSeconds=5`;
    expect(await statusOf(api, watch)).toBe(410);
    expect(await statusOf(api, `${roles}&continue=${token}`)).toBe(410);
  });

  it('serves the CRDs of the chart', async ({ skip }) => {
    const dir = new URL('../../chart/crds', import.meta.url);
    if (!existsSync(dir)) skip('the chart has no CRDs');
    const served = (await api.kubectl('get', 'crds', '-o', 'name')).trim().split('\n');
    expect(served.length).toBeGreaterThanOrEqual(readdirSync(dir).length);
  });
});

describe('stopping', () => {
  it('leaves nothing behind but the logs', async () => {
    const api = await startApiServer({ crds: false });
    expect(leftovers(api.dir)).not.toEqual([]);
    await api.stop();
    expect(leftovers(api.dir)).toEqual([]);
    expect(readdirSync(api.keptLogs)).toContain('kube-apiserver.log');
  });

  it('happens by itself when the owner is killed', async () => {
    const script = `import { startApiServer } from '${new URL('../servers/index.ts', import.meta.url).pathname}';
      const api = await startApiServer({ crds: false });
      console.log(api.dir);
      process.kill(process.pid, 'SIGKILL');`;
    const owner = await exec(process.execPath, ['--input-type=module-typescript', '-e', script]);
    const dir = owner.stdout.trim();
    expect(dir).not.toBe('');
    await expect.poll(() => leftovers(dir), { timeout: 15_000 }).toEqual([]);
  });
});
