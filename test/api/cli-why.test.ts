/** `herald why` as an operator runs it: a process against a real API server, with a real controller. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type ApiServer, exec, type Result, startApiServer } from '../servers/index.ts';
import { allocated, Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

describe('herald why', () => {
  let api: ApiServer;
  let kube: KubeClient;
  let cluster: Cluster;
  let program: Program;
  let dir: string;

  beforeAll(async () => {
    api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
    kube = await client(api.kubeconfig);
    cluster = new Cluster(kube);
    dir = mkdtempSync(join(tmpdir(), 'herald-why-'));
    for (const name of [NAMESPACE, 'shop']) await cluster.namespace(name);
    await cluster.pool('web', { addresses: ['192.0.2.7/32'] });
    await cluster.pool('spare', { addresses: ['198.51.100.0/30'], autoAssign: false });
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    const ad = { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement' };
    const objects = [node, { ...ad, metadata: { name: 'lan', namespace: NAMESPACE }, spec: {} }];
    await api.kubectlInput(objects.map((o) => JSON.stringify(o)).join('\n---\n'), 'apply', '-f', '-');
    program = await startController(api);
    await cluster.service('shop/web');
    await cluster.address('shop/web');
    await cluster.service('shop/late');
    await cluster.when('shop/late', (s) => allocated(s)?.status === 'False');
  });
  afterAll(async () => {
    await program?.stop();
    await kube?.close();
    await api?.stop();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  const herald = (...args: string[]): Promise<Result> =>
    exec(process.execPath, ['src/bin/herald.ts', ...args], { env: { KUBECONFIG: api.kubeconfig } });

  it('explains a Service that has an address, and one that waits', async () => {
    const has = await herald('why', 'shop/web');
    expect([has.code, has.stderr]).toEqual([0, '']);
    expect(has.stdout.split('\n').slice(0, 2)).toEqual([
      'shop/web: 192.0.2.7',
      '  192.0.2.7 from pool web: lowest free of a pool open to all',
    ]);
    expect(has.stdout).toContain('  web    open to all  has 192.0.2.7\n');
    expect(has.stdout).toContain('Announced by nobody: no endpoint is ready, or no node can\n');
    const waits = await herald('why', 'shop/late', '-o', 'json');
    expect(waits.code).toBe(2);
    expect(JSON.parse(waits.stdout)).toMatchObject({
      service: 'shop/late',
      state: 'Waiting',
      because: 'no pool has a free IPv4 address for this Service',
      pools: [
        { pool: 'web', reason: 'PoolExhausted' },
        { pool: 'spare', reason: 'NotAutomatic' },
      ],
      remarks: expect.not.arrayContaining([expect.stringContaining('does not show it yet')]),
    });
    expect((await herald('why', 'shop/late', '-o', 'yaml')).stdout).toMatch(/^service: shop\/late$/m);
  });

  it('tells what speakers said of the Service, and of nobody else, from the cluster and from a snapshot', async () => {
    const event = (name: string, component: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${component}`, namespace: 'shop' },
      involvedObject: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name },
      source: { component },
      type: 'Normal',
      reason: 'AddressMoved',
      message: `${name} moved, says ${component}`,
      lastTimestamp: '2026-05-01T10:00:00Z',
    });
    const events = [event('web', 'metallb-speaker'), event('web', 'other'), event('late', 'metallb-speaker')];
    await api.kubectlInput(events.map((o) => JSON.stringify(o)).join('\n---\n'), 'apply', '-f', '-');
    writeFileSync(join(dir, 'said.json'), (await herald('snapshot')).stdout);
    for (const args of [[], ['--snapshot', join(dir, 'said.json')]]) {
      const { stdout } = await herald('why', 'shop/web', '-o', 'json', ...args);
      const message = 'web moved, says metallb-speaker';
      const at = '2026-05-01T10:00:00Z';
      expect(JSON.parse(stdout).said).toEqual({
        conflicts: [],
        losses: [],
        events: [{ at, reason: 'AddressMoved', message }],
      });
    }
  });

  it('explains the same from a snapshot, without the cluster', async () => {
    const taken = await herald('snapshot');
    writeFileSync(join(dir, 'snapshot.json'), taken.stdout);
    const args = ['src/bin/herald.ts', 'why', 'shop/late', '--snapshot', join(dir, 'snapshot.json')];
    const offline = await exec(process.execPath, args, { env: { KUBECONFIG: '/nowhere' } });
    expect(offline.stdout.split('\n').slice(0, 7)).toEqual(
      (await herald('why', 'shop/late')).stdout.split('\n').slice(0, 7),
    );
    expect(offline.code).toBe(2);
  });

  it('passes over a node that has lost the interface, from the cluster and from a snapshot', async () => {
    const node = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.0.1'], nodeName: 'n2', conditions: { ready: true } }],
      ports: [{ port: 80 }],
    };
    const apply = (...objects: readonly object[]) =>
      api.kubectlInput(objects.map((o) => JSON.stringify(o)).join('\n---\n'), 'apply', '-f', '-');
    const announcing = async (...args: string[]): Promise<unknown> =>
      Reflect.get(
        Object(JSON.parse((await herald('why', 'shop/web', '-o', 'json', ...args)).stdout)),
        'announcing',
      );
    await apply(node('n2'), node('n3'), slice);
    const owner = String(Reflect.get(Object(await announcing()), 'owner'));
    const other = owner === 'n2' ? 'n3' : 'n2';
    expect(['n2', 'n3']).toContain(owner);
    await apply({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ConfigurationState',
      metadata: {
        name: `speaker-${owner}`,
        namespace: NAMESPACE,
        labels: { 'metallb.io/node-name': owner },
        annotations: {
          'herald.io/lost-interfaces': '{"lost":[{"if":"eth1","fam":"4","nets":["192.0.2.0/24"]}]}',
        },
      },
    });
    writeFileSync(join(dir, 'lost.json'), (await herald('snapshot')).stdout);
    for (const args of [[], ['--snapshot', join(dir, 'lost.json')]])
      expect(await announcing(...args)).toMatchObject({
        owner: other,
        others: expect.arrayContaining([
          {
            node: owner,
            why: 'the interfaces on which it would announce are down, or nothing leaves there',
          },
        ]),
      });
  });

  it('answers 1 for what is not there', async () => {
    const none = await herald('why', 'shop/none');
    expect([none.code, none.stdout, none.stderr]).toEqual([1, '', 'herald: there is no Service shop/none\n']);
  });
});
