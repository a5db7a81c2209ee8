import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, type KubeClient } from '../../src/platform/kube/client.ts';
import { at } from '../fleet/observe.ts';
import {
  type ApiServer,
  exec,
  startApiServer,
  startControllerManager,
  toolPath,
  until,
} from '../servers/index.ts';
import { accountConfig, install, NAMESPACE, only, render } from './chart.rig.ts';
import { client } from './kube.rig.ts';

/** The admission policy of the chart on a real API server: who may take which addresses out of a pool in use. */

const GROUP = '/apis/metallb.io/v1beta1';
let api: ApiServer;
/** A cluster's administrator; the reconciler and the controller, with all rights, as the policy is what is tried. */
let admin: KubeClient;
let reconciler: KubeClient;
let controller: KubeClient;

beforeAll(async () => {
  api = await startApiServer();
  await install(api);
  const accounts = ['herald-reconciler', 'herald-controller'];
  const subjects = accounts.map((name) => `--serviceaccount=${NAMESPACE}:${name}`);
  await api.kubectl('create', 'clusterrolebinding', 'all', '--clusterrole=cluster-admin', ...subjects);
  admin = await client(api.kubeconfig);
  reconciler = await client(await accountConfig(api, 'herald-reconciler'));
  controller = await client(await accountConfig(api, 'herald-controller'));
  await pool('canary', ['192.0.2.0/24'], 1);
  await inForce('canary');
});
afterAll(async () => {
  await Promise.all([admin, reconciler, controller].map((one) => one?.close()));
  await api?.stop();
});

const collection = (namespace: string): string => `${GROUP}/namespaces/${namespace}/ipaddresspools`;

/** Makes a pool anew, with so many addresses of each family in use. */
async function pool(
  name: string,
  addresses: readonly string[],
  inUse: number | { v4: number; v6: number },
  o: { namespace?: string; annotations?: Record<string, string> } = {},
): Promise<void> {
  const { namespace = NAMESPACE, annotations = {} } = o;
  const metadata = { name, namespace, annotations };
  const body = { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec: { addresses } };
  await remove(name, { by: reconciler, namespace }).catch(() => {});
  await admin.request({ method: 'POST', path: collection(namespace), body });
  const { v4, v6 } = typeof inUse === 'number' ? { v4: inUse, v6: 0 } : inUse;
  const status = { assignedIPv4: v4, assignedIPv6: v6, availableIPv4: 0, availableIPv6: 0 };
  await patch(name, { status }, { namespace, sub: '/status' });
}

interface How {
  readonly by?: KubeClient;
  readonly namespace?: string;
  readonly sub?: string;
  readonly dryRun?: string;
}

function patch(
  name: string,
  body: object,
  { by = admin, namespace = NAMESPACE, sub = '', dryRun }: How = {},
) {
  const path = `${collection(namespace)}/${name}${sub}`;
  const contentType = 'application/merge-patch+json';
  return by.request({ method: 'PATCH', path, body, contentType, query: { dryRun } });
}
/** An edit of a pool's addresses. */
const edit = (name: string, addresses: readonly string[], how: How = {}) =>
  patch(name, { spec: { addresses } }, how);
const remove = (name: string, { by = admin, namespace = NAMESPACE }: How = {}) =>
  by.request({ method: 'DELETE', path: `${collection(namespace)}/${name}` });

/** What the server said against it; undefined when it let it pass. */
async function refusal(done: Promise<unknown>): Promise<string | undefined> {
  try {
    await done;
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return error.message;
    throw error;
  }
}

/** A policy takes a moment to be in force; asks with an edit that changes nothing. */
const inForce = (name: string): Promise<unknown> =>
  until('the policy', async () => (await refusal(edit(name, [], { dryRun: 'All' }))) !== undefined);

describe('a pool with addresses in use', () => {
  // [before, after]
  it.each<[string, string[], string[]]>([
    ['another entry', ['192.0.2.0/28'], ['192.0.2.0/28', '198.51.100.0/28']],
    ['a wider block', ['192.0.2.16/28'], ['192.0.2.0/24']],
    ['a longer range', ['192.0.2.10-192.0.2.50'], ['192.0.2.10-192.0.2.60']],
    ['a range that begins earlier', ['192.0.2.10-192.0.2.50'], ['192.0.2.1-192.0.2.50']],
    ['a range in place of its block', ['192.0.2.0/24'], ['192.0.2.0-192.0.2.255']],
    ['a block in place of its range', ['192.0.2.0 - 192.0.2.255'], ['192.0.2.0/24']],
    ['two halves', ['192.0.2.0/24'], ['192.0.2.128/25', '192.0.2.0/25']],
    [
      'pieces of unequal size',
      ['192.0.2.0/24'],
      ['192.0.2.0-192.0.2.9', '192.0.2.8-192.0.2.200', '192.0.2.201-192.0.2.255'],
    ],
    ['one entry for two', ['192.0.2.0/25', '192.0.2.128/25'], ['192.0.2.0/24']],
    ['another order', ['192.0.2.0/28', '192.0.2.64/28'], ['192.0.2.64/28', '192.0.2.0/28']],
    ['host bits', ['192.0.2.5/24'], ['192.0.2.0/24']],
    ['everything', ['203.0.113.0/24'], ['0.0.0.0/0']],
    ['a wider IPv6 block', ['2001:db8::/64'], ['2001:db8::/56']],
    ['an IPv6 block around a range', ['2001:db8::1-2001:db8::ff'], ['2001:db8::/112']],
    ['without an entry that holds nothing', ['192.0.2.0/28', 'nonsense'], ['192.0.2.0/28']],
  ])('may be written as %s', async (_, before, after) => {
    await pool('grow', before, { v4: 1, v6: 1 });
    expect(await refusal(edit('grow', after))).toBeUndefined();
  });

  it.each<[string, string[], string[], string]>([
    ['a narrower block', ['192.0.2.0/24'], ['192.0.2.0/25'], '192.0.2.0/24'],
    ['a shorter range', ['192.0.2.10-192.0.2.50'], ['192.0.2.10-192.0.2.49'], '192.0.2.10-192.0.2.50'],
    [
      'a range that begins later',
      ['192.0.2.10-192.0.2.50'],
      ['192.0.2.11-192.0.2.50'],
      '192.0.2.10-192.0.2.50',
    ],
    ['a gap of one', ['192.0.2.0/24'], ['192.0.2.0-192.0.2.99', '192.0.2.101-192.0.2.255'], '192.0.2.0/24'],
    ['one entry less', ['192.0.2.0/28', '192.0.2.64/28'], ['192.0.2.64/28'], '192.0.2.0/28'],
    ['no entries', ['192.0.2.0/28'], [], '192.0.2.0/28'],
    ['other addresses', ['192.0.2.0/28'], ['198.51.100.0/28'], '192.0.2.0/28'],
    ['the other family', ['2001:db8::/64'], ['192.0.2.0/24'], '2001:db8::/64'],
    ['a narrower IPv6 block', ['2001:db8::/64'], ['2001:db8::/65'], '2001:db8::/64'],
  ])('may not be written as %s', async (_, before, after, named) => {
    await pool('shrink', before, { v4: 2, v6: 1 });
    const said = await refusal(edit('shrink', after));
    expect(said).toContain(`pool shrink has 3 addresses in use; removing ${named} would take them`);
    expect(said).toContain('herald.io/allow-disruption');
  });

  it('may not be deleted', async () => {
    await pool('kept', ['192.0.2.0/24'], 1);
    expect(await refusal(remove('kept'))).toContain('pool kept has 1 addresses in use; deleting it');
  });

  it('may not be deleted with others', async () => {
    await pool('kept', ['192.0.2.0/24'], { v4: 0, v6: 7 });
    const all = admin.request({ method: 'DELETE', path: collection(NAMESPACE) });
    expect(await refusal(all)).toContain('addresses in use');
  });

  it('may be edited otherwise', async () => {
    await pool('kept', ['192.0.2.0/24'], 1);
    const body = { metadata: { labels: { a: 'b' } }, spec: { autoAssign: false } };
    expect(await refusal(patch('kept', body))).toBeUndefined();
  });
});

describe('passes the policy', () => {
  beforeEach(() => pool('web', ['192.0.2.0/24'], 3));

  it('an edit of a pool without addresses in use', async () => {
    await pool('web', ['192.0.2.0/24'], 0);
    expect(await refusal(edit('web', ['198.51.100.0/24']))).toBeUndefined();
    expect(await refusal(remove('web'))).toBeUndefined();
  });

  it('Herald itself, whose reconciler judges before it writes', async () => {
    expect(await refusal(edit('web', [], { by: reconciler }))).toBeUndefined();
    expect(await refusal(remove('web', { by: reconciler }))).toBeUndefined();
  });

  it('no other account of Herald', async () => {
    expect(await refusal(remove('web', { by: controller }))).toContain('addresses in use');
  });

  it('an edit that brings the annotation along, and a deletion after it', async () => {
    const metadata = { annotations: { 'herald.io/allow-disruption': 'moving to the new range' } };
    const both = patch('web', { metadata, spec: { addresses: ['198.51.100.0/24'] } });
    expect(await refusal(both)).toBeUndefined();
    expect(await refusal(remove('web'))).toBeUndefined();
  });

  it('no edit that takes the annotation away', async () => {
    await pool('web', ['192.0.2.0/24'], 3, { annotations: { 'herald.io/allow-disruption': 'yes' } });
    const metadata = { annotations: { 'herald.io/allow-disruption': null } };
    expect(await refusal(patch('web', { metadata, spec: { addresses: [] } }))).toContain('in use');
  });

  it('the status that the controller writes', async () => {
    const status = { assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 256, availableIPv6: 0 };
    expect(await refusal(patch('web', { status }, { sub: '/status' }))).toBeUndefined();
  });

  it('an edit that the policy itself cannot judge, as nothing of ours may stand in the way', async () => {
    const { spec } = only(await render(), 'ValidatingAdmissionPolicy');
    expect(at(spec, 'failurePolicy')).toBe('Ignore');
    // Past the budget that the API server gives to an expression.
    const entries = Array.from(
      { length: 5000 },
      (_, i) => `10.${i >> 8}.${i & 255}.1-10.${i >> 8}.${i & 255}.9`,
    );
    await pool('huge', entries, 3);
    expect(await refusal(edit('huge', entries.slice(1)))).toBeUndefined();
    expect(await refusal(remove('huge'))).toContain('addresses in use; deleting it');
  });

  it('a pool of another namespace, which means nothing', async () => {
    await api.kubectl('create', 'namespace', 'elsewhere');
    await pool('web', ['192.0.2.0/24'], 3, { namespace: 'elsewhere' });
    expect(await refusal(remove('web', { namespace: 'elsewhere' }))).toBeUndefined();
  });
});

describe('the types of the policy', () => {
  /** What the API server says about the types of a copy of the policy; it looks at validations alone, so all else is made one. */
  async function warnings(name: string, mistake: (text: string) => string): Promise<string> {
    const { spec, ...policy } = only(await render(), 'ValidatingAdmissionPolicy');
    const expressions = (field: string): readonly string[] => {
      const list = at(spec, field);
      return (Array.isArray(list) ? list : []).map((one: unknown) => String(at(one, 'expression')));
    };
    const checks = [...expressions('variables'), ...expressions('matchConditions')];
    expect(checks.length).toBeGreaterThan(5);
    const validations = [
      ...checks.map((expression) => ({ expression: `[${expression}].size() == 1` })),
      at(spec, 'validations[0]'),
    ];
    const body = JSON.stringify({ ...policy, metadata: { name }, spec: { ...Object(spec), validations } });
    await api.kubectlInput(mistake(body), 'apply', '-f', '-');
    const checking = await until('the check of types', async () => {
      const read = await api.kubectl('get', 'validatingadmissionpolicy', name, '-o', 'json');
      return at(JSON.parse(read), 'status.typeChecking') ?? false;
    });
    await api.kubectl('delete', 'validatingadmissionpolicy', name);
    return JSON.stringify(checking);
  }

  it('fit the definition of pools, in every expression', async () => {
    await startControllerManager(api, ['--controllers=validatingadmissionpolicy-status-controller']);
    expect(await warnings('types', (text) => text)).toBe('{}');
    const slip = (text: string) => text.replaceAll('oldObject.spec.addresses', 'oldObject.spec.adresses');
    expect(await warnings('slip', slip)).toContain("undefined field 'adresses'");
  });
});

describe('admission.poolsInUse', () => {
  it('Warn lets everything pass and says what it does', async () => {
    await install(api, { admission: { poolsInUse: 'Warn' } });
    await pool('warned', ['192.0.2.0/24'], 1);
    const body = JSON.stringify({ spec: { addresses: [] } });
    const args = [
      'patch',
      'ipaddresspool',
      'warned',
      '-n',
      NAMESPACE,
      '--type=merge',
      '--dry-run=server',
      '-p',
      body,
    ];
    // The policy's old action may be in force for a moment yet.
    const done = await until('the edit to pass', async () => {
      const { code, stderr } = await exec(toolPath('kubectl'), ['--kubeconfig', api.kubeconfig, ...args]);
      return code === 0 && stderr !== '' ? stderr : undefined;
    });
    expect(done).toMatch(/^Warning: .*pool warned has 1 addresses in use; removing 192\.0\.2\.0\/24/);
  });

  it('Off leaves no policy behind', async () => {
    await install(api, { admission: { poolsInUse: 'Off' } });
    const kinds = 'validatingadmissionpolicies,validatingadmissionpolicybindings';
    expect(await api.kubectl('get', kinds, '-o', 'name')).toBe('');
  });

  it('Deny does not hold up the end of the namespace', async () => {
    await install(api, { admission: { poolsInUse: 'Deny' } });
    await pool('last', ['192.0.2.0/24'], 1);
    await inForce('last');
    // Without controller manager nobody empties the namespace: it stays terminating, and we do the emptying.
    await api.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
    expect(await refusal(remove('last'))).toBeUndefined();
  });
});
