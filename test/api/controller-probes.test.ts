import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AddressProbe, AddressProbes } from '../../src/domain/api/herald.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type Resource, resource } from '../../src/platform/kube/resource.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { Cluster, NAMESPACE, type Program, startController } from './controller.rig.ts';
import { client } from './kube.rig.ts';

const MAC = '02:00:5e:00:53:01';

let api: ApiServer;
let kube: KubeClient;
let cluster: Cluster;
let probes: Resource<AddressProbe>;
const running: Program[] = [];
/** Every address that a probe of the controller's asked for, in order. */
const asked: string[] = [];
/** What the speakers of this cluster find: hosts by address; undefined: there are no speakers. */
let hosts: Map<string, string> | undefined = new Map();
let listening: AbortController;
let speakers: Promise<void>;

async function start(...args: string[]): Promise<Program> {
  const program = await startController(api, { args });
  running.push(program);
  return program;
}
const probe = (name: string, spec: object) =>
  probes.create({
    apiVersion: 'herald.io/v1alpha1',
    kind: 'AddressProbe',
    metadata: { name, namespace: NAMESPACE },
    spec,
  });

/** Two speakers answer, as their nodes would. */
async function speak(signal: AbortSignal): Promise<void> {
  const done = new Set<string>();
  while (!signal.aborted) {
    for (const { metadata, spec } of (await probes.list({ namespace: NAMESPACE })).items) {
      if (done.has(metadata.uid)) continue;
      done.add(metadata.uid);
      if (metadata.name.startsWith('before-use-')) asked.push(...spec.addresses);
      if (hosts) for (const node of ['node-a', 'node-b']) await answer(metadata.name, node, spec.addresses);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
async function answer(name: string, node: string, all: readonly string[]): Promise<void> {
  const taken = all.flatMap((address) => {
    const mac = hosts?.get(address);
    return mac === undefined ? [] : [{ address, mac, interface: 'eth0' }];
  });
  const time = '2026-05-01T08:00:00Z';
  const body = {
    apiVersion: 'herald.io/v1alpha1',
    kind: 'AddressProbe',
    metadata: { name, namespace: NAMESPACE },
    status: { answers: [{ node, addresses: all, taken, time }] },
  };
  // It may be over by now.
  await probes.apply(body, { subresource: 'status', fieldManager: `herald-speaker-${node}` }).catch(() => {});
}
const events = async (service: string, reason: string): Promise<readonly string[]> => {
  const which = `involvedObject.name=${service},reason=${reason}`;
  const text = await api.kubectl('get', 'events', '-n', 't1', `--field-selector=${which}`, '-o=json');
  const { items }: { items: { message: string }[] } = JSON.parse(text);
  return items.map(({ message }) => message);
};

beforeAll(async () => {
  api = await startApiServer({ serviceCidr: '10.96.0.0/16' });
  kube = await client(api.kubeconfig);
  cluster = new Cluster(kube);
  probes = resource(kube, AddressProbes);
  for (const name of [NAMESPACE, 't1']) await cluster.namespace(name);
  await cluster.pool('a', { addresses: ['192.0.2.0/29'] });
  listening = new AbortController();
  speakers = speak(listening.signal);
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  for (const { metadata } of (await cluster.services.list()).items)
    if (metadata.name !== 'kubernetes') await cluster.services.delete(metadata);
  for (const { metadata } of (await probes.list()).items) await probes.delete(metadata);
  asked.splice(0);
  hosts = new Map();
});
afterAll(async () => {
  listening?.abort();
  await speakers;
  await kube?.close();
  await api?.stop();
});

describe('a controller that has addresses probed before it gives them out', () => {
  it('passes over one that another host has, says so, and keeps it back', async () => {
    hosts = new Map([['192.0.2.0', MAC]]);
    const program = await start('--probe-before-use');
    await cluster.service('t1/web');
    expect(await cluster.address('t1/web')).toBe('192.0.2.1');
    expect(asked).toEqual(['192.0.2.0', '192.0.2.1']);
    await until('the Event', async () => (await events('web', 'AddressTaken')).length > 0);
    expect(await events('web', 'AddressTaken')).toEqual([
      `192.0.2.0 is in use by ${MAC} and is kept back; another address is chosen`,
    ]);
    const metrics = await program.metrics();
    expect(metrics).toContain(
      `herald_quarantined_since_seconds{pool="a",address="192.0.2.0",reason="host ${MAC} answers for it"}`,
    );
    expect(metrics).toContain('herald_controller_probes_total{result="Taken"} 1');
    await cluster.editPool('a', { addresses: ['192.0.2.0/28'] });
    await cluster.service('t1/next');
    expect(await cluster.address('t1/next')).toBe('192.0.2.2');
    expect(asked.filter((address) => address === '192.0.2.0')).toHaveLength(1);
  });

  it('asks once about each address, and not about those that its Services have had', async () => {
    const first = await start();
    await cluster.service('t1/old');
    expect(await cluster.address('t1/old')).toBe('192.0.2.0');
    await first.stop();
    await start('--probe-before-use');
    await cluster.service('t1/web');
    expect(await cluster.address('t1/web')).toBe('192.0.2.1');
    for (const name of ['old', 'web']) await cluster.services.delete({ name, namespace: 't1' });
    for (const name of ['t1/x', 't1/y']) await cluster.service(name);
    for (const name of ['t1/x', 't1/y']) await cluster.address(name);
    expect(asked).toEqual(['192.0.2.1']);
  });

  it('leaves a Service without the address that it asks for while another host has it', async () => {
    hosts = new Map([['192.0.2.5', MAC]]);
    await start('--probe-before-use');
    await cluster.service('t1/web', { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.5' } });
    await until('the refusal', async () =>
      (await events('web', 'AllocationFailed')).some((text) => text.includes(`host ${MAC} answers for it`)),
    );
    expect((await cluster.read('t1/web')).status.ingress).toEqual([]);
  });

  it('goes on after two seconds where there is no speaker, and says so', async () => {
    hosts = undefined;
    await start('--probe-before-use');
    await cluster.service('t1/web');
    expect(await cluster.address('t1/web')).toBe('192.0.2.0');
    await until('the Event', async () => (await events('web', 'AddressNotProbed')).length > 0);
  });

  it('leaves no probe of its own behind, not even after it was killed', async () => {
    hosts = undefined;
    const killed = await start('--probe-before-use');
    await cluster.service('t1/web');
    const own = async () =>
      (await probes.list()).items.filter(({ metadata }) => metadata.name.startsWith('before-use-'));
    await until('a probe', async () => (await own()).length > 0);
    await killed.kill();
    hosts = new Map();
    await start('--probe-before-use');
    await cluster.address('t1/web');
    await until('no probe', async () => (await own()).length === 0, { timeoutMs: 20_000 });
  });
});

describe('an AddressProbe that somebody makes', () => {
  const row = async (name: string) =>
    (await api.kubectl('get', 'aprobe', name, '-n', NAMESPACE, '--no-headers')).trim().split(/ {2,}/);
  const complete = (name: string) =>
    api.kubectl('wait', '--for=condition=Complete', `aprobe/${name}`, '-n', NAMESPACE, '--timeout=20s');

  it('shows who has the addresses, and is complete', async () => {
    hosts = new Map([['192.0.2.200', MAC]]);
    await start();
    await probe('printer', { addresses: ['192.0.2.200', '192.0.2.201'] });
    await complete('printer');
    expect((await row('printer')).slice(0, 4)).toEqual([
      'printer',
      '["192.0.2.200","192.0.2.201"]',
      'Taken',
      `["${MAC}"]`,
    ]);
    const status = (await probes.get({ name: 'printer', namespace: NAMESPACE }))?.status;
    const message = status?.conditions?.[0]?.message ?? '';
    expect(message).toContain(`192.0.2.200: in use by ${MAC} (seen by node-a on eth0)`);
    expect(message).toContain('; 192.0.2.201: nobody answered to node-a');
  });

  it('is Unknown where nobody can ask', async () => {
    hosts = undefined;
    await start();
    await probe('far', { addresses: ['203.0.113.1'], waitSeconds: 1 });
    await complete('far');
    expect((await row('far'))[2]).toBe('Unknown');
  });

  it('is refused when it names no address, and does not change', async () => {
    await expect(probe('bad', { addresses: ['192.0.2.0/24'] })).rejects.toThrow(
      'must be a single IP address',
    );
    await probe('good', { addresses: ['192.0.2.1'] });
    await expect(
      probes.mergePatch({ name: 'good', namespace: NAMESPACE }, { spec: { waitSeconds: 9 } }),
    ).rejects.toThrow('a probe does not change');
  });
});
