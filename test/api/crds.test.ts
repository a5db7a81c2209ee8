import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRDS } from '../../src/domain/api/crds.ts';
import { ConfigSources } from '../../src/domain/api/herald.ts';
import {
  BGPPeers,
  IPAddressPools,
  L2Advertisements,
  ServiceL2Statuses,
} from '../../src/domain/api/metallb.ts';
import { upstreamFolder } from '../../src/domain/api/upstream.rig.ts';
import { type ApiServer, startApiServer } from '../servers/index.ts';

/** The definitions on a real API server: what an upstream user writes is taken, what upstream refuses is refused. */

const NAMESPACE = 'metallb-system';
let api: ApiServer;

beforeAll(async () => {
  api = await startApiServer();
  await api.kubectl('create', 'namespace', NAMESPACE);
});
afterAll(() => api?.stop());

type Json = Record<string, unknown>;
const object = (apiVersion: string, kind: string, name: string, body: Json): Json => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE },
  ...body,
});
const metallb = (kind: string, name: string, spec: Json) =>
  object('metallb.io/v1beta1', kind, name, { spec });
const peer = (name: string, spec: Json) => object('metallb.io/v1beta2', 'BGPPeer', name, { spec });

/** Creates with strict field validation, as kubectl does by default. */
const create = (body: Json, ...more: string[]) =>
  api.kubectlInput(JSON.stringify(body), 'create', '-f', '-', ...more);
const read = async (resource: string, name: string): Promise<unknown> =>
  JSON.parse(await api.kubectl('get', '-n', NAMESPACE, resource, name, '-o', 'json'));
const spec = async (resource: string, name: string): Promise<unknown> =>
  Object(await read(resource, name)).spec;
/** `status` as JSON text where a number is beyond what JavaScript holds. */
function writeStatus(resource: string, name: string, status: Json | string): Promise<string> {
  const text = typeof status === 'string' ? status : JSON.stringify(status);
  const patch = ['patch', '-n', NAMESPACE, resource, name, '--subresource=status', '--type=merge'];
  return api.kubectl(...patch, '-p', `{"status":${text}}`);
}

describe('every definition', () => {
  it('is established, with all its versions served and nothing to complain about', async () => {
    const list = Object(JSON.parse(await api.kubectl('get', 'crd', '-o', 'json')));
    const states = list.items.map((crd: unknown) => {
      const { metadata, status } = Object(crd);
      const types = status.conditions.map((c: unknown) => `${Object(c).type}=${Object(c).status}`);
      return [metadata.name, types.sort(), status.storedVersions];
    });
    const fine = CRDS.map((crd) => [
      `${crd.plural}.${crd.group}`,
      ['Established=True', 'NamesAccepted=True'],
      crd.versions.filter((v) => v.storage).map((v) => v.name),
    ]);
    expect(states).toHaveLength(fine.length);
    expect(states).toEqual(expect.arrayContaining(fine));
  });

  it('explains its fields in our words', async () => {
    expect(await api.kubectl('explain', 'ipaddresspool.spec.addresses')).toContain('"first-last"');
  });
});

describe("an upstream user's objects", () => {
  const upstream = upstreamFolder();

  it.skipIf(upstream === undefined)('from the samples of the product apply unchanged', async () => {
    const samples = join(upstream ?? '', 'configsamples');
    const files = readdirSync(samples).filter((name) => !name.startsWith('deployment_'));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const path = join(samples, file);
      await api.kubectl('apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', path);
    }
  });

  it('get the defaults of upstream and keep everything that they said', async () => {
    const selectors = [{ matchLabels: { a: 'b' } }, { matchExpressions: [{ key: 'a', operator: 'Exists' }] }];
    const allocation = {
      priority: 5,
      namespaces: ['x'],
      namespaceSelectors: selectors,
      serviceSelectors: selectors,
    };
    const pool = { addresses: ['192.0.2.0/24', '2001:db8::-2001:db8::f'], serviceAllocation: allocation };
    await create(metallb('IPAddressPool', 'full', pool));
    expect(await spec('ipaddresspool', 'full')).toEqual({ ...pool, autoAssign: true, avoidBuggyIPs: false });

    const l2 = {
      ipAddressPools: ['full'],
      ipAddressPoolSelectors: selectors,
      nodeSelectors: selectors,
      interfaces: ['eth0'],
      serviceSelectors: selectors,
    };
    await create(metallb('L2Advertisement', 'full', l2));
    expect(await spec('l2advertisement', 'full')).toEqual(l2);

    const bgp = { localPref: 100, communities: ['65000:1'], peers: ['tor'], serviceSelectors: selectors };
    await create(metallb('BGPAdvertisement', 'full', bgp));
    expect(await spec('bgpadvertisement', 'full')).toEqual({
      ...bgp,
      aggregationLength: 32,
      aggregationLengthV6: 128,
    });

    const bfd = {
      receiveInterval: 50,
      transmitInterval: 50,
      detectMultiplier: 3,
      echoInterval: 50,
      echoMode: true,
      passiveMode: true,
      minimumTtl: 200,
    };
    await create(metallb('BFDProfile', 'full', bfd));
    expect(await spec('bfdprofile', 'full')).toEqual(bfd);

    const community = { communities: [{ name: 'no-export', value: '65535:65281' }] };
    await create(metallb('Community', 'full', community));
    expect(await spec('community', 'full')).toEqual(community);
  });

  it('that are wrong only to the parser arrive all the same', async () => {
    await create(metallb('IPAddressPool', 'odd', { addresses: ['10.0.0.300/24', 'x-y'] }));
    expect(IPAddressPools.decode(await read('ipaddresspool', 'odd')).spec.addresses).toEqual([
      '10.0.0.300/24',
      'x-y',
    ]);
  });

  it('may carry null for a list', async () => {
    await create(metallb('L2Advertisement', 'nulls', { ipAddressPools: null, interfaces: null }));
    const ad = await read('l2advertisement', 'nulls');
    expect(L2Advertisements.decode(ad).spec).toEqual({});
  });
});

describe('BGPPeer', () => {
  const old = {
    myASN: 65000,
    peerASN: 64512,
    peerAddress: '192.0.2.1',
    holdTime: '90s',
    password: 'x',
    ebgpMultiHop: true,
  };

  it('written as v1beta1 is served as v1beta2, with its defaults', async () => {
    const answer = await create(object('metallb.io/v1beta1', 'BGPPeer', 'old', { spec: old }));
    expect(answer).toContain('bgppeer.metallb.io/old created');
    const stored = await read('bgppeers.v1beta2.metallb.io', 'old');
    expect(BGPPeers.decode(stored).spec).toEqual({
      ...old,
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
    });
    expect(await spec('bgppeers.v1beta1.metallb.io', 'old')).toEqual({ ...old, peerPort: 179 });
  });

  it('written as v1beta2 shows in v1beta1 what that knows', async () => {
    await create(peer('new', { ...old, vrf: 'red', connectTime: '10s', passwordSecret: { name: 's' } }));
    expect(await spec('bgppeers.v1beta1.metallb.io', 'new')).toEqual({ ...old, peerPort: 179 });
    expect(await spec('bgppeers.v1beta2.metallb.io', 'new')).toMatchObject({
      vrf: 'red',
      connectTime: '10s',
    });
  });

  it('with port 0, which only v1beta1 allows, is read all the same', async () => {
    await create(object('metallb.io/v1beta1', 'BGPPeer', 'zero', { spec: { ...old, peerPort: 0 } }));
    expect(BGPPeers.decode(await read('bgppeers.v1beta2.metallb.io', 'zero')).spec.peerPort).toBe(0);
  });
});

describe('the API server refuses', () => {
  const tor = { myASN: 65000, peerASN: 64512, peerAddress: '192.0.2.1' };
  it.each<[string, Json, RegExp]>([
    ['a pool without addresses', metallb('IPAddressPool', 'bad', {}), /spec\.addresses: Required value/],
    ['a pool without spec', object('metallb.io/v1beta1', 'IPAddressPool', 'bad', {}), /spec: Required value/],
    [
      'text where a list is due',
      metallb('IPAddressPool', 'bad', { addresses: '192.0.2.0/24' }),
      /spec\.addresses: Invalid value/,
    ],
    [
      'an unknown field',
      metallb('IPAddressPool', 'bad', { addresses: [], addreses: [] }),
      /unknown field "spec\.addreses"/,
    ],
    [
      'an AS number of 33 bits',
      peer('bad', { ...tor, myASN: 4294967296 }),
      /less than or equal to 4294967295/,
    ],
    [
      'port 0',
      peer('bad', { ...tor, peerPort: 0 }),
      /spec\.peerPort in body should be greater than or equal to 1/,
    ],
    ['an unknown kind of dynamic AS', peer('bad', { ...tor, dynamicASN: 'any' }), /Unsupported value: "any"/],
    [
      'half a second of connect time',
      peer('bad', { ...tor, connectTime: '1500ms' }),
      /whole number of seconds/,
    ],
    [
      'a BFD multiplier of 1',
      metallb('BFDProfile', 'bad', { detectMultiplier: 1 }),
      /greater than or equal to 2/,
    ],
    [
      'an aggregation together with service selectors',
      metallb('BGPAdvertisement', 'bad', {
        aggregationLength: 24,
        serviceSelectors: [{ matchLabels: { a: 'b' } }],
      }),
      /serviceSelectors and aggregationLength are mutually exclusive/,
    ],
  ])('%s', async (_, body, why) => {
    await expect(create(body)).rejects.toThrow(why);
  });

  it('a change of graceful restart', async () => {
    await create(peer('graceful', { ...tor, enableGracefulRestart: true }));
    const patch = ['patch', '-n', NAMESPACE, 'bgppeer', 'graceful', '--type=merge', '-p'];
    const change = api.kubectl(...patch, '{"spec":{"enableGracefulRestart":false}}');
    await expect(change).rejects.toThrow(/EnableGracefulRestart cannot be changed after creation/);
  });

  it('a ServiceL2Status that moves to another node', async () => {
    await create(metallb('ServiceL2Status', 'web', {}));
    await writeStatus('servicel2status', 'web', { node: 'n1', serviceName: 'web', serviceNamespace: 'shop' });
    await expect(writeStatus('servicel2status', 'web', { node: 'n2' })).rejects.toThrow(/Value is immutable/);
    const { status } = ServiceL2Statuses.decode(await read('servicel2status', 'web'));
    expect(status).toEqual({ node: 'n1', serviceName: 'web', serviceNamespace: 'shop' });
  });
});

it('the API server prunes unknown fields from clients that do not ask to be told', async () => {
  await create(metallb('IPAddressPool', 'pruned', { addresses: [], extra: 1 }), '--validate=ignore');
  expect(await spec('ipaddresspool', 'pruned')).toEqual({
    addresses: [],
    autoAssign: true,
    avoidBuggyIPs: false,
  });
});

it('a pool counts to the end of 63 bits', async () => {
  await create(metallb('IPAddressPool', 'wide', { addresses: ['2001:db8::/64'] }));
  const counters = '"assignedIPv4":0,"assignedIPv6":0,"availableIPv4":0,"availableIPv6":9223372036854775807';
  await writeStatus('ipaddresspool', 'wide', `{${counters}}`);
  const args = ['get', '-n', NAMESPACE, 'ipaddresspool', 'wide', '-o', 'jsonpath={.status.availableIPv6}'];
  expect(await api.kubectl(...args)).toBe('9223372036854775807');
});

describe('ConfigSource', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const source = (name: string, body: Json) =>
    object('herald.io/v1alpha1', 'ConfigSource', name, { spec: body });
  const condition = (type: string, status: string) => ({
    type,
    status,
    reason: 'Applied',
    message: 'two pools in force',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });

  it('is in progress until the reconciler has looked at it, for whoever waits', async () => {
    await create(source('fresh', { secretName: 'herald-values', digest }));
    const fresh = ConfigSources.decode(await read('configsource', 'fresh'));
    expect(fresh.metadata.generation).toBe(1);
    expect(fresh.status).toEqual({ observedGeneration: -1 });
  });

  it('shows its state in one line', async () => {
    await create(source('shown', { secretName: 'herald-values', digest }));
    await writeStatus('hcs', 'shown', {
      observedGeneration: 1,
      source: 'Secret metallb-system/herald-values',
      pools: 2,
      conditions: [condition('Ready', 'True')],
    });
    const table = await api.kubectl('get', '-n', NAMESPACE, 'hcs', 'shown');
    expect(table).toMatch(/NAME\s+READY\s+REASON\s+POOLS\s+AGE\s+SOURCE\s+STATUS/);
    expect(table).toMatch(
      /shown\s+True\s+Applied\s+2\s+\S+\s+Secret metallb-system\/herald-values\s+two pools in force/,
    );
    await api.kubectl('wait', '-n', NAMESPACE, 'hcs/shown', '--for=condition=Ready', '--timeout=10s');
  });

  it.each<[string, Json, RegExp]>([
    ['nowhere', {}, /exactly one of secretName, configMap and objects is required/],
    ['two places', { secretName: 'a', digest, configMap: { name: 'b', namespace: 'c' } }, /exactly one of/],
    ['a Secret without digest', { secretName: 'a' }, /secretName and digest belong together/],
    ['a digest of another kind', { secretName: 'a', digest: 'md5:0' }, /spec\.digest in body should match/],
  ])('does not come from %s', async (_, body, why) => {
    await expect(create(source('bad', body))).rejects.toThrow(why);
  });

  it('may come from a ConfigMap', async () => {
    await create(source('map', { configMap: { name: 'pools', namespace: 'team-a' } }));
    expect(await spec('configsource', 'map')).toEqual({ configMap: { name: 'pools', namespace: 'team-a' } });
  });

  it('lists a bounded number of problems', async () => {
    await create(source('many', { secretName: 'a', digest }));
    const problems = (count: number) =>
      Array.from({ length: count }, () => ({
        code: 'X',
        severity: 'error',
        path: 'pools.a',
        message: 'wrong',
        line: 1,
      }));
    await writeStatus('hcs', 'many', { problemCount: 40, problems: problems(32) });
    await expect(writeStatus('hcs', 'many', { problems: problems(33) })).rejects.toThrow(
      /must have at most 32 items/,
    );
  });
});
