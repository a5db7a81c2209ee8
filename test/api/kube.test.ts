import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigMaps, Services } from '../../src/domain/api/core.ts';
import {
  ConnectionError,
  connect,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isUnauthorized,
  type KubeClient,
} from '../../src/platform/kube/client.ts';
import { EventRecorder } from '../../src/platform/kube/events.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { VirtualClock } from '../../src/platform/obs/clock.rig.ts';
import { systemClock, yieldToLoop } from '../../src/platform/obs/clock.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { type ApiServer, copyService, startApiServer } from '../servers/index.ts';
import { client, configMap, listeningLog, reflector, silent, startRelay } from './kube.rig.ts';

let api: ApiServer;
let kube: KubeClient;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  api = await startApiServer({ crds: false });
  kube = await client(api.kubeconfig);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await kube?.close();
  await api?.stop();
});

const at = (name: string) => ({ name, namespace: 'default' });

function loadBalancer(name: string) {
  const spec = { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: at(name), spec };
}

describe('writing', () => {
  it('refuses a change that is based on an old version', async () => {
    const maps = resource(kube, ConfigMaps);
    const first = await maps.create(configMap('stale', { v: '1' }));
    const second = await maps.mergePatch(at('stale'), { data: { v: '2' } });
    expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
    const { resourceVersion } = first.metadata;
    const old = { metadata: { resourceVersion }, data: { v: '3' } };
    await expect(maps.mergePatch(at('stale'), old)).rejects.toSatisfy(isConflict);
    const whole = { ...configMap('stale', { v: '4' }), metadata: { ...at('stale'), resourceVersion } };
    await expect(maps.replace(at('stale'), whole)).rejects.toSatisfy(isConflict);
    const test = { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion } as const;
    const add = { op: 'add', path: '/data/v', value: '5' } as const;
    await expect(maps.jsonPatch(at('stale'), [test, add])).rejects.toSatisfy(isInvalid);
    expect((await maps.get(at('stale')))?.data).toEqual({ v: '2' });
  });

  it('puts address, condition and annotation into a status at once', async () => {
    const services = resource(kube, Services);
    const made = await services.create(loadBalancer('web'));
    const { resourceVersion } = made.metadata;
    const condition = {
      type: 'herald.io/Allocated',
      status: 'True',
      reason: 'Free',
      message: 'from pool web',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const patch = {
      metadata: { resourceVersion, annotations: { 'metallb.io/ip-allocated-from-pool': 'web' } },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] }, conditions: [condition] },
    };
    const o = { subresource: 'status', fieldManager: 'herald-controller' } as const;
    const answer = await services.mergePatch(at('web'), patch, o);
    const read = await services.get(at('web'));
    expect(read).toEqual(answer);
    expect(read?.status.ingress).toEqual([{ ip: '192.0.2.7', ipMode: 'VIP' }]);
    expect(read?.status.conditions).toMatchObject([condition]);
    expect(read?.metadata.annotations).toEqual({ 'metallb.io/ip-allocated-from-pool': 'web' });
    expect(
      await api.kubectl('get', 'service', 'web', '-o', 'jsonpath={.metadata.managedFields[*].manager}'),
    ).toContain('herald-controller');
    await expect(services.mergePatch(at('web'), patch, o)).rejects.toSatisfy(isConflict);
  });

  it('applies an object, changes nothing the second time, and takes fields over only by force', async () => {
    const maps = resource(kube, ConfigMaps);
    const apply = (v: string, fieldManager: string, force?: boolean) =>
      maps.apply(configMap('applied', { v }), { fieldManager, ...(force === undefined ? {} : { force }) });
    const first = await apply('1', 'one');
    expect((await apply('1', 'one')).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    await expect(apply('2', 'two', false)).rejects.toSatisfy(isConflict);
    expect((await apply('2', 'two')).data).toEqual({ v: '2' });
    expect(
      (await maps.apply(configMap('applied', { v: '3' }), { fieldManager: 'two', dryRun: true })).data,
    ).toEqual({ v: '3' });
    expect((await maps.get(at('applied')))?.data).toEqual({ v: '2' });
  });

  it('tells apart what is missing, taken, invalid and forbidden', async () => {
    const maps = resource(kube, ConfigMaps);
    await maps.create(configMap('taken'));
    await expect(maps.create(configMap('taken'))).rejects.toSatisfy(isAlreadyExists);
    await expect(maps.create(configMap('Not_A_Name'))).rejects.toSatisfy(isInvalid);
    expect(await maps.get(at('nobody'))).toBeUndefined();
    await expect(maps.mergePatch(at('nobody'), { data: {} })).rejects.toMatchObject({
      status: 404,
      reason: 'NotFound',
    });
    const jane = await client(await api.user('jane'));
    closing.push(() => jane.close());
    await expect(resource(jane, ConfigMaps).get(at('taken'))).rejects.toSatisfy(isForbidden);
  });

  it('deletes only the incarnation that is meant, and counts a missing one as deleted', async () => {
    const maps = resource(kube, ConfigMaps);
    const made = await maps.create(configMap('doomed'));
    await expect(maps.delete(at('doomed'), { uid: 'another' })).rejects.toSatisfy(isConflict);
    await maps.delete(at('doomed'), { uid: made.metadata.uid });
    expect(await maps.get(at('doomed'))).toBeUndefined();
    await maps.delete(at('doomed'));
  });
});

describe('10,000 Services', () => {
  const COUNT = 10_000;
  const NAMESPACE = 'crowd';

  beforeAll(async () => {
    await api.kubectl('create', 'namespace', NAMESPACE);
    // Headless: a copy has no cluster address of its own to be recorded.
    const first = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's0', namespace: NAMESPACE } };
    await resource(kube, Services).create({ ...first, spec: { clusterIP: 'None', ports: [{ port: 80 }] } });
    const names = Array.from({ length: COUNT - 1 }, (_, i) => ({ name: `s${i + 1}` }));
    await copyService(api, { namespace: NAMESPACE, like: { name: 's0' } }, names);
  });

  it('are listed in pages of 500', async () => {
    const metrics = new Metrics({ defaults: false });
    const counted = await client(api.kubeconfig, { metrics });
    closing.push(() => counted.close());
    const { items, invalid } = await resource(counted, Services).list({ namespace: NAMESPACE });
    expect(new Set(items.map((s) => s.metadata.name)).size).toBe(COUNT);
    expect(invalid).toEqual([]);
    expect(await metrics.text()).toMatch(/requests_total\{method="GET",code="200"\} 20\n/);
  });

  it('are mirrored, also when pages expire on the way', async () => {
    let pages = 0;
    // The token of the third page is too old once the server has compacted its history.
    const slow: KubeClient = {
      server: kube.server,
      watch: (r) => kube.watch(r),
      close: () => kube.close(),
      async request(r) {
        if (r.query?.continue !== undefined && ++pages === 2) await api.compact();
        return await kube.request(r);
      },
    };
    const { items } = await resource(slow, Services).list({ namespace: NAMESPACE });
    expect(pages).toBe(2);
    expect(new Set(items.map((s) => s.metadata.name)).size).toBe(COUNT);
    const r = reflector({ client: kube, kind: Services, namespace: NAMESPACE });
    closing.push(() => r.close());
    r.start();
    await r.whenSynced(AbortSignal.timeout(30_000));
    expect(r.store.size).toBe(COUNT);
  });

  it('are patched side by side, each once', async () => {
    const services = resource(kube, Services);
    const { items } = await services.list({ namespace: NAMESPACE });
    const some = items.slice(0, 1000);
    const labels = { crowd: 'patched' };
    const patched = await Promise.all(
      some.map(({ metadata: { name, namespace = '', resourceVersion } }) =>
        services.mergePatch({ name, namespace }, { metadata: { resourceVersion, labels } }),
      ),
    );
    expect(new Set(patched.map((s) => s.metadata.resourceVersion)).size).toBe(1000);
    const after = await services.list({ namespace: NAMESPACE, labelSelector: 'crowd=patched' });
    expect(after.items.length).toBe(1000);
  });
});

/** A kubeconfig whose token, and optionally authority, stand in files that a test can swap. */
function fileConfig(name: string, token: string, ca?: string): { path: string; token: string; ca: string } {
  const paths = { path: `${name}.kubeconfig`, token: `${name}.token`, ca: `${name}.ca` };
  const full = {
    path: join(api.dir, paths.path),
    token: join(api.dir, paths.token),
    ca: join(api.dir, paths.ca),
  };
  writeFileSync(full.token, token);
  writeFileSync(full.ca, ca ?? readFileSync(api.ca));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'x', cluster: { server: api.url, 'certificate-authority': full.ca } }],
    users: [
      { name: 'x', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: full.token } } } },
    ],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x', namespace: 'here' } }],
    'current-context': 'x',
  };
  writeFileSync(full.path, JSON.stringify(config));
  return full;
}

async function whoAmI(c: KubeClient): Promise<unknown> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await c.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body,
  });
  return answer;
}

const user = (name: string) => ({
  status: { userInfo: { username: `system:serviceaccount:default:${name}` } },
});

describe('credentials', () => {
  beforeAll(async () => {
    for (const name of ['old', 'new']) await api.kubectl('create', 'serviceaccount', name);
  });
  const tokenOf = (name: string) => api.kubectl('create', 'token', name);
  const minute = 61_000;

  it('are read again after a minute, and kept while their file is away', async () => {
    const clock = new VirtualClock();
    // With a newline, as files have one.
    const files = fileConfig('rotated', `${await tokenOf('old')}\n`);
    const { log, lines } = listeningLog();
    const c = await connect({ kubeconfig: files.path, log, clock, userAgent: 'herald-test' });
    closing.push(() => c.close());
    expect(c.namespace).toBe('here');
    expect(await whoAmI(c)).toMatchObject(user('old'));
    const next = await tokenOf('new');
    rmSync(files.token);
    await clock.advance(minute);
    expect(await whoAmI(c)).toMatchObject(user('old'));
    writeFileSync(files.token, next);
    await clock.advance(minute);
    expect(await whoAmI(c)).toMatchObject(user('new'));
    expect(lines.join('\n')).toContain('could not be read again');
    expect(lines.join('\n')).not.toContain(next.slice(0, 20));
  });

  it('are read again at once when the server does not take them, for requests and for watches', async () => {
    const files = fileConfig('refused', 'no-such-token');
    const c = await client(files.path);
    closing.push(() => c.close());
    await expect(whoAmI(c)).rejects.toSatisfy(isUnauthorized);
    writeFileSync(files.token, await tokenOf('new'));
    expect(await whoAmI(c)).toMatchObject(user('new'));

    const watching = fileConfig('refused-watch', 'no-such-token');
    const w = await client(watching.path);
    closing.push(() => w.close());
    writeFileSync(watching.token, api.token);
    let opened = false;
    const o = { path: '/api/v1/configmaps', query: { timeoutSeconds: '1' }, onOpen: () => (opened = true) };
    for await (const _ of w.watch(o)) break;
    expect(opened).toBe(true);
  });

  it('include the authority: another CA file makes new connections', async () => {
    const clock = new VirtualClock();
    const stranger = readFileSync(await api.user('stranger'), 'utf8');
    const pem = Buffer.from(
      /"client-certificate-data":"([^"]+)"/.exec(stranger)?.[1] ?? '',
      'base64',
    ).toString();
    const files = fileConfig('authority', api.token, pem);
    const c = await connect({ kubeconfig: files.path, log: silent, clock, userAgent: 'herald-test' });
    closing.push(() => c.close());
    const get = () => c.request({ method: 'GET', path: '/version', retry: false });
    await expect(get()).rejects.toBeInstanceOf(ConnectionError);
    writeFileSync(files.ca, readFileSync(api.ca));
    await clock.advance(minute);
    expect(await get()).toMatchObject({ major: '1' });
  });

  it('that are not there are an error that says so', async () => {
    await expect(client(join(api.dir, 'nowhere'))).rejects.toThrow(/nowhere/);
  });
});

describe('a request', () => {
  it('is tried again after a reset when that cannot do it twice', async () => {
    const relay = await startRelay(api, 'resets');
    closing.push(() => relay.close());
    const c = await client(relay.kubeconfig);
    closing.push(() => c.close());
    relay.refuse();
    const maps = resource(c, ConfigMaps);
    await expect(maps.create(configMap('once'))).rejects.toBeInstanceOf(ConnectionError);
    const applying = maps.apply(configMap('again'), { fieldManager: 'test' });
    relay.accept();
    expect((await applying).metadata.name).toBe('again');
  });

  it('ends when its signal does, and with the client', async () => {
    const relay = await startRelay(api, 'silent');
    closing.push(() => relay.close());
    const c = await client(relay.kubeconfig);
    const version = (signal?: AbortSignal) =>
      c.request({ method: 'GET', path: '/version', ...(signal ? { signal } : {}) });
    await version();
    relay.freeze();
    const stop = new AbortController();
    const aborted = expect(version(stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    stop.abort();
    await aborted;
    // The abort gave up the silent connection: the next one is new, and works.
    expect(await version()).toMatchObject({ major: '1' });
    relay.freeze();
    const closed = expect(version()).rejects.toMatchObject({ name: 'AbortError' });
    await c.close();
    await closed;
  });

  it('gives up a silent connection after its time and takes another', async () => {
    const relay = await startRelay(api, 'timeout');
    closing.push(() => relay.close());
    const c = await client(relay.kubeconfig);
    closing.push(() => c.close());
    const get = async (retry: boolean) => {
      const answer = await c.request({ method: 'GET', path: '/version', timeoutMs: 300, retry });
      // The pool counts a connection as free again a step after the answer.
      await yieldToLoop();
      return answer;
    };
    await get(false);
    relay.freeze();
    await expect(get(false)).rejects.toThrow(/no answer in 300 ms/);
    relay.freeze();
    expect(await get(true)).toMatchObject({ major: '1' });
  });
});

describe('events', () => {
  it('count up instead of piling up', async () => {
    const about = await resource(kube, ConfigMaps).create(configMap('subject'));
    const { uid } = about.metadata;
    const recorder = new EventRecorder({
      client: kube,
      component: 'herald-test',
      instance: 'pod-1',
      clock: systemClock,
      log: silent,
    });
    closing.push(() => recorder.close());
    const subject = { apiVersion: 'v1', kind: 'ConfigMap', ...at('subject'), uid };
    const held = { type: 'Warning', reason: 'Held', message: 'pool web is in use' } as const;
    recorder.record(subject, held);
    await recorder.flush();
    recorder.record(subject, held);
    recorder.record(subject, held);
    recorder.record(subject, { ...held, message: 'pool db is in use' });
    await recorder.flush();
    const fields = '{range .items[*]}{.count} {.type} {.reason} {.message}{"\\n"}{end}';
    const events = () =>
      api.kubectl(
        'get',
        'events',
        '--field-selector',
        `involvedObject.uid=${uid}`,
        '-o',
        `jsonpath=${fields}`,
      );
    expect((await events()).trim().split('\n').toSorted()).toEqual([
      '1 Warning Held pool db is in use',
      '3 Warning Held pool web is in use',
    ]);
    expect(await api.kubectl('describe', 'configmap', 'subject')).toContain('herald-test');
    // Removed by its time to live or by hand: made anew.
    await api.kubectl('delete', 'events', '--all');
    recorder.record(subject, held);
    await recorder.flush();
    expect(await events()).toBe('4 Warning Held pool web is in use\n');
  });

  it('for cluster-scoped objects are shown under them', async () => {
    const recorder = new EventRecorder({
      client: kube,
      component: 'herald-test',
      clock: systemClock,
      log: silent,
    });
    closing.push(() => recorder.close());
    recorder.record(
      { apiVersion: 'v1', kind: 'Namespace', name: 'crowd' },
      { type: 'Normal', reason: 'Seen', message: 'hello' },
    );
    await recorder.flush();
    const found = await api.kubectl(
      'get',
      'events',
      '--field-selector',
      'involvedObject.name=crowd',
      '-o',
      'name',
    );
    expect(found).toContain('event/crowd.');
  });
});

it('a rate limit of the client holds writes back but not an urgent request', async () => {
  const clock = new VirtualClock();
  const c = await connect({
    kubeconfig: api.kubeconfig,
    log: silent,
    clock,
    userAgent: 'herald-test',
    qps: 1,
    burst: 1,
  });
  closing.push(() => c.close());
  const version = (urgent: boolean) => c.request({ method: 'GET', path: '/version', urgent });
  await version(false);
  let second = false;
  const waiting = version(false).then(() => (second = true));
  expect(await version(true)).toMatchObject({ major: '1' });
  expect(second).toBe(false);
  await clock.advance(1_000);
  await waiting;
  expect(second).toBe(true);
});
