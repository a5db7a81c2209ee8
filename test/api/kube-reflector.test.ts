import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConfigMap, ConfigMaps } from '../../src/domain/api/core.ts';
import type { Kind, KubeObject } from '../../src/domain/api/object.ts';
import { isForbidden, type KubeClient } from '../../src/platform/kube/client.ts';
import type { Reflector } from '../../src/platform/kube/reflector.ts';
import { type Resource, resource } from '../../src/platform/kube/resource.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { type ApiServer, startApiServer } from '../servers/index.ts';
import { client, configMap, type Relay, reflector, startRelay } from './kube.rig.ts';

let api: ApiServer;
/** Straight to the server: the writer's side. */
let direct: KubeClient;
let maps: Resource<ConfigMap>;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  api = await startApiServer({ crds: false });
  direct = await client(api.kubeconfig);
  maps = resource(direct, ConfigMaps);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  const { items } = await maps.list({ namespace: 'default', labelSelector: 'test' });
  await Promise.all(items.map(({ metadata }) => maps.delete(metadata)));
});
afterAll(async () => {
  await direct?.close();
  await api?.stop();
});

const soon = { timeout: 20_000, interval: 20 };
const make = (name: string, data: Record<string, string> = {}) =>
  maps.create(configMap(name, data, { test: 'yes' }));
const change = (name: string, data: Record<string, string>) =>
  maps.mergePatch({ name, namespace: 'default' }, { data });
const remove = (name: string) => maps.delete({ name, namespace: 'default' });

/** The text of each mirrored object by name. */
function seen(r: Reflector<ConfigMap>): Record<string, string> {
  return Object.fromEntries([...r.store.list()].map((o) => [o.metadata.name, o.data.v ?? '']));
}

interface Following {
  readonly through: KubeClient;
  readonly r: Reflector<ConfigMap>;
  readonly metrics: Metrics;
  /** Keys in the order in which they were told. */
  readonly told: string[];
}

/** A synced reflector of this file's ConfigMaps. */
async function follow(
  o: { kubeconfig?: string; wrap?: (c: KubeClient) => KubeClient; timing?: object } = {},
): Promise<Following> {
  const through = await client(o.kubeconfig ?? api.kubeconfig);
  const metrics = new Metrics({ defaults: false });
  const r = reflector({
    client: o.wrap?.(through) ?? through,
    kind: ConfigMaps,
    namespace: 'default',
    labelSelector: 'test',
    indexes: { v: (m: ConfigMap) => (m.data.v === undefined ? [] : [m.data.v]) },
    metrics,
    timing: o.timing ?? {},
  });
  const told: string[] = [];
  r.onChange((key) => told.push(key));
  closing.push(
    () => through.close(),
    () => r.close(),
  );
  r.start();
  await r.whenSynced(AbortSignal.timeout(20_000));
  return { through, r, metrics, told };
}

async function proxied(): Promise<Relay> {
  const proxy = await startRelay(api);
  closing.push(() => proxy.close());
  return proxy;
}

const counter = async (m: Metrics, line: RegExp) => Number(line.exec(await m.text())?.[1] ?? 0);

describe('a reflector follows', () => {
  it('what is there, what comes, what changes and what goes', async () => {
    await make('a', { v: 'one' });
    const { r, told } = await follow();
    expect(seen(r)).toEqual({ a: 'one' });
    await make('b', { v: 'one' });
    await expect.poll(() => [...r.store.by('v', 'one')].length, soon).toBe(2);
    await change('a', { v: 'two' });
    await remove('b');
    await expect.poll(() => seen(r), soon).toEqual({ a: 'two' });
    expect([...r.store.by('v', 'one')]).toEqual([]);
    expect(told).toEqual(['default/a', 'default/b', 'default/a', 'default/b']);
  });

  it('with each change in the store before its key is told', async () => {
    const { r } = await follow();
    const states: (string | undefined)[] = [];
    r.onChange((key) => states.push(r.store.get(key)?.data.v));
    await make('a', { v: '1' });
    await change('a', { v: '2' });
    await remove('a');
    await expect.poll(() => states, soon).toEqual(['1', '2', undefined]);
  });

  it('the others when one object cannot be read, and keeps the last good form of that one', async () => {
    const picky: Kind<ConfigMap> = {
      ...ConfigMaps,
      decode(raw) {
        const map = ConfigMaps.decode(raw);
        if (map.data.v === 'bad') throw new Error('data.v is bad');
        return map;
      },
    };
    await make('a', { v: '1' });
    await make('never', { v: 'bad' });
    const metrics = new Metrics({ defaults: false });
    const o = { client: direct, kind: picky, namespace: 'default', labelSelector: 'test', metrics };
    // Compares cache and server on each round: an unreadable object must not look like a deleted one.
    const r = reflector({ ...o, timing: { compareMs: 0, watchSeconds: 1 } });
    closing.push(() => r.close());
    let lists = 0;
    r.onRelist(() => lists++);
    r.start();
    await r.whenSynced(AbortSignal.timeout(20_000));
    await change('a', { v: 'bad' });
    await make('b', { v: '2' });
    await expect.poll(() => seen(r), soon).toEqual({ a: '1', b: '2' });
    const before = lists;
    await expect.poll(() => lists, soon).toBeGreaterThan(before);
    expect(seen(r)).toEqual({ a: '1', b: '2' });
    expect(await counter(metrics, /unreadable_objects_total\S* (\d+)/)).toBe(2);
    expect(await counter(metrics, /missed_changes_total\S* (\d+)/)).toBe(0);
    await change('a', { v: '3' });
    await expect.poll(() => seen(r), soon).toEqual({ a: '3', b: '2' });
  });
});

describe('a reflector goes on', () => {
  it('after its connections were reset, with what happened meanwhile', async () => {
    const proxy = await proxied();
    const { r } = await follow({ kubeconfig: proxy.kubeconfig });
    proxy.refuse();
    await make('a', { v: '1' });
    await expect.poll(() => r.state.phase, soon).toBe('disconnected');
    expect(r.synced).toBe(true);
    proxy.accept();
    await expect.poll(() => seen(r), soon).toEqual({ a: '1' });
    expect(r.state.phase).toBe('synced');
    for (let i = 0; i < 5; i++) {
      proxy.cut();
      await change('a', { v: `cut ${i}` });
      await expect.poll(() => seen(r), soon).toEqual({ a: `cut ${i}` });
    }
  });

  it('after its connection went silent without being closed', async () => {
    const proxy = await proxied();
    const { r } = await follow({ kubeconfig: proxy.kubeconfig, timing: { inactivityMs: 1500 } });
    await make('a', { v: '1' });
    await expect.poll(() => seen(r), soon).toEqual({ a: '1' });
    proxy.freeze();
    await change('a', { v: '2' });
    await expect.poll(() => seen(r), soon).toEqual({ a: '2' });
  });

  it('after the API server was killed and came back', async () => {
    await make('a', { v: '1' });
    const { r, told } = await follow();
    await api.kill();
    await expect.poll(() => r.state.phase, soon).toBe('disconnected');
    expect(seen(r)).toEqual({ a: '1' });
    await api.restart();
    await make('b', { v: '2' });
    await remove('a');
    await expect.poll(() => seen(r), soon).toEqual({ b: '2' });
    await expect.poll(() => r.state.phase, soon).toBe('synced');
    // Nothing was told twice because of the restart.
    expect(told).toEqual(['default/a', 'default/b', 'default/a']);
  });

  it('after the history it stood at was compacted away', async () => {
    const proxy = await proxied();
    await make('gone', { v: '1' });
    await make('same', { v: '1' });
    const { r, metrics, told } = await follow({ kubeconfig: proxy.kubeconfig });
    told.length = 0;
    proxy.refuse();
    await remove('gone');
    await make('new', { v: '2' });
    await api.compact();
    proxy.accept();
    await expect.poll(() => seen(r), soon).toEqual({ same: '1', new: '2' });
    expect(await counter(metrics, /watch_failures_total\{[^}]*reason="expired"\} (\d+)/)).toBe(1);
    // Only the differences, not what stayed as it was.
    expect(told.toSorted()).toEqual(['default/gone', 'default/new']);
    await change('same', { v: '3' });
    await expect.poll(() => seen(r), soon).toEqual({ same: '3', new: '2' });
  });
});

describe('the comparison of cache and server', () => {
  const timing = { compareMs: 0, watchSeconds: 1 };

  it('finds nothing while objects change under it', async () => {
    const { r, metrics } = await follow({ timing });
    let lists = 0;
    r.onRelist(() => lists++);
    for (let i = 0; lists < 3; i++) {
      await make(`n${i}`, { v: 'x' });
      if (i > 5) await remove(`n${i - 5}`);
    }
    expect(await counter(metrics, /missed_changes_total\S* (\d+)/)).toBe(0);
  });

  it('finds and mends what a watch did not bring', async () => {
    let swallow = false;
    // A server that forgets events: the fault that the comparison is there for.
    const forgetful = (c: KubeClient): KubeClient => ({
      server: c.server,
      request: (q) => c.request(q),
      close: () => c.close(),
      async *watch(q) {
        for await (const event of c.watch(q)) {
          if (!swallow || !JSON.stringify(event).includes('"lost"')) yield event;
        }
      },
    });
    const { r, metrics } = await follow({ wrap: forgetful, timing });
    swallow = true;
    await make('lost', { v: '1' });
    await make('found', { v: '2' });
    await expect.poll(() => seen(r), soon).toEqual({ lost: '1', found: '2' });
    expect(await counter(metrics, /missed_changes_total\S* (\d+)/)).toBe(1);
  });
});

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.herald.io' },
  spec: {
    group: 'test.herald.io',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const Widgets: Kind = {
  group: 'test.herald.io',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
  decode: (raw): KubeObject => ({ metadata: ConfigMaps.decode(raw).metadata }),
};

describe('a reflector waits', () => {
  it('for a kind that comes later, goes, and comes again', async () => {
    const r = reflector({ client: direct, kind: Widgets });
    closing.push(() => r.close());
    r.start();
    await expect.poll(() => r.state.phase, soon).toBe('missing');
    expect(r.synced).toBe(false);
    const widgets = resource(direct, Widgets);
    const widget = (name: string) => ({
      apiVersion: 'test.herald.io/v1',
      kind: 'Widget',
      metadata: { name, namespace: 'default' },
    });
    const names = () => [...r.store.list()].map((w) => w.metadata.name);

    await api.kubectlInput(JSON.stringify(CRD), 'apply', '-f', '-');
    await r.whenSynced(AbortSignal.timeout(20_000));
    await api.kubectl('wait', '--for=condition=Established', 'crd/widgets.test.herald.io');
    await widgets.create(widget('first'));
    await expect.poll(names, soon).toEqual(['first']);

    await api.kubectl('delete', 'crd', 'widgets.test.herald.io');
    await expect.poll(() => r.state.phase, soon).toBe('missing');
    await api.kubectlInput(JSON.stringify(CRD), 'apply', '-f', '-');
    await expect
      .poll(
        () =>
          widgets.create(widget('second')).then(
            () => true,
            () => false,
          ),
        soon,
      )
      .toBe(true);
    await expect.poll(names, soon).toEqual(['second']);
    expect(r.state.phase).toBe('synced');
  });

  it('for a right that is granted later', async () => {
    const jane = await client(await api.user('jane'));
    closing.push(() => jane.close());
    await expect(resource(jane, ConfigMaps).list()).rejects.toSatisfy(isForbidden);
    const r = reflector({ client: jane, kind: ConfigMaps, namespace: 'default', labelSelector: 'test' });
    closing.push(() => r.close());
    r.start();
    await expect
      .poll(() => r.state, soon)
      .toMatchObject({ phase: 'forbidden', message: expect.stringContaining('jane') });
    await make('a', { v: '1' });
    await api.kubectl('create', 'clusterrole', 'reader', '--verb=list,watch', '--resource=configmaps');
    await api.kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=reader', '--user=jane');
    await expect.poll(() => seen(r), soon).toEqual({ a: '1' });
    await expect.poll(() => r.state.phase, soon).toBe('synced');
    await api.kubectl('delete', 'clusterrolebinding', 'reader');
  });
});

describe('closing', () => {
  it('ends the watch and whoever waits for it', async () => {
    const proxy = await proxied();
    proxy.refuse();
    const through = await client(proxy.kubeconfig);
    closing.push(() => through.close());
    const r = reflector({ client: through, kind: ConfigMaps });
    r.start();
    const waiting = r.whenSynced(new AbortController().signal);
    const outcome = expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await r.close();
    await outcome;
  });

  it('leaves no connection open', async () => {
    const proxy = await proxied();
    const { r, through } = await follow({ kubeconfig: proxy.kubeconfig });
    expect(proxy.open).toBeGreaterThan(0);
    await r.close();
    await through.close();
    await expect.poll(() => proxy.open, soon).toBe(0);
  });
});
