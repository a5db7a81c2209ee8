import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at } from '../fleet/observe.ts';
import { type ApiServer, startApiServer, until } from '../servers/index.ts';
import { accountConfig, install, NAMESPACE, startProgram } from './chart.rig.ts';

/** Manifests for OpenShift's operator on a cluster with Herald: the reconciler as the chart runs it, with its own account. */

const VALUES = {
  crds: { operatorKinds: true },
  speaker: { tolerations: [{ key: 'chart', operator: 'Exists' }] },
};
const METALLB = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'MetalLB',
  metadata: { name: 'metallb', namespace: NAMESPACE },
  spec: {
    logLevel: 'debug',
    nodeSelector: { 'node-role.kubernetes.io/worker': '' },
    speakerTolerations: [{ key: 'edge', operator: 'Exists', effect: 'NoExecute' }],
    controllerConfig: { priorityClassName: 'site-critical' },
    loadBalancerClass: 'example.com/edge',
  },
};
const addressPool = (name: string, addresses: readonly string[], spec: object = {}) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'AddressPool',
  metadata: { name, namespace: NAMESPACE },
  spec: { protocol: 'layer2', addresses, ...spec },
});
const CHART_TOLERATION = { key: 'chart', operator: 'Exists' };
const EDGE_TOLERATION = { key: 'edge', operator: 'Exists', effect: 'NoExecute' };
const POD = 'spec.template.spec';

let api: ApiServer;
let program: Awaited<ReturnType<typeof startProgram>> | undefined;

beforeAll(async () => {
  api = await startApiServer();
  await install(api, VALUES);
  const kubeconfig = await accountConfig(api, 'herald-reconciler');
  const args = [`--namespace=${NAMESPACE}`, '--pod-name=herald-reconciler-0', '--port=0'];
  program = await startProgram('reconciler', {
    kubeconfig,
    args: [...args, '--health-probe-port=0', '--log-level=debug'],
  });
});
afterAll(async () => {
  await program?.stop();
  await api?.stop();
});

const own = (group: string, plural: string, name: string) =>
  `/apis/${group}/namespaces/${NAMESPACE}/${plural}/${name}`;

async function get(path: string): Promise<unknown> {
  const { status, body } = await api.get(path);
  return status === 200 ? JSON.parse(body) : undefined;
}
const apply = (...objects: readonly object[]) =>
  api.kubectlInput(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'apply', '-f', '-');
const speaker = () => get(own('apps/v1', 'daemonsets', 'herald-speaker'));
const controller = () => get(own('apps/v1', 'deployments', 'herald-controller'));
const logLevel = async (component: string) =>
  at(await get(`/api/v1/namespaces/${NAMESPACE}/configmaps/herald-${component}`), 'data.logLevel');

/** Waits until the value that is asked for is this one. */
async function becomes(what: string, ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  let last: unknown;
  await until(
    what,
    async () => {
      last = await ask();
      return JSON.stringify(last ?? null) === JSON.stringify(wanted ?? null);
    },
    { timeoutMs: 30_000 },
  ).catch((e: unknown) => {
    throw new Error(
      `${String(e)}; last: ${JSON.stringify(last)}; log: ${program?.log.slice(-40).join('\n')}`,
    );
  });
}

const pool = (name: string) => get(own('metallb.io/v1beta1', 'ipaddresspools', name));
const ready = async () => {
  const source = await get(own('herald.io/v1alpha1', 'configsources', 'operator-objects'));
  const conditions = at(source, 'status.conditions');
  const found = Array.isArray(conditions)
    ? conditions.find((c: unknown) => at(c, 'type') === 'Ready')
    : undefined;
  return `${at(found, 'status')} ${at(found, 'reason')}`;
};

describe('an AddressPool', () => {
  it('becomes a pool and its advertisement, as it stands', async () => {
    await apply(addressPool('web', ['192.0.2.0/28'], { autoAssign: false }), METALLB);
    await becomes('the pool', async () => at(await pool('web'), 'spec.addresses'), ['192.0.2.0/28']);
    expect(at(await pool('web'), 'spec.autoAssign')).toBe(false);
    const ads = () => get(`/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/l2advertisements`);
    await becomes('the advertisement', async () => at(await ads(), 'items[0].spec.ipAddressPools'), ['web']);
    await becomes('the ConfigSource', ready, 'True Applied');
  });

  it('that is wrong is told, and what was applied stays', async () => {
    await apply(addressPool('web', ['192.0.2.16-192.0.2.1']));
    await becomes('the ConfigSource', async () => (await ready()).split(' ')[0], 'False');
    expect(at(await pool('web'), 'spec.addresses')).toEqual(['192.0.2.0/28']);
    await apply(addressPool('web', ['192.0.2.0/28', '192.0.2.32/28']));
    await becomes('the pool', async () => at(await pool('web'), 'spec.addresses'), [
      '192.0.2.0/28',
      '192.0.2.32/28',
    ]);
    await becomes('the ConfigSource', ready, 'True Applied');
  });

  it('that has an address in use is not taken away with it', async () => {
    await apply(addressPool('spare', ['198.51.100.0/28']));
    await becomes('the pool', async () => at(await pool('spare'), 'metadata.name'), 'spare');
    const spec = { type: 'LoadBalancer', loadBalancerClass: 'example.com/edge', ports: [{ port: 80 }] };
    await apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec });
    const status = { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } };
    const patch = JSON.stringify({ status });
    await api.kubectl('patch', 'service', 'web', '--subresource=status', '--type=merge', '-p', patch);
    await api.kubectl('-n', NAMESPACE, 'delete', 'addresspools.metallb.io', 'spare');
    await becomes('the ConfigSource', ready, 'False HeldInUse');
    expect(at(await pool('spare'), 'spec.addresses')).toEqual(['198.51.100.0/28']);
    await api.kubectl('delete', 'service', 'web');
    await becomes('the pool to go', () => pool('spare'), undefined);
    await becomes('the ConfigSource', ready, 'True Applied');
  });
});

describe('a MetalLB object', () => {
  it("puts its settings over the chart's, on Herald's own workloads", async () => {
    await becomes('the speaker', async () => at(await speaker(), `${POD}.nodeSelector`), {
      'node-role.kubernetes.io/worker': '',
    });
    const tolerations = at(await speaker(), `${POD}.tolerations`);
    expect(tolerations).toEqual(expect.arrayContaining([CHART_TOLERATION, EDGE_TOLERATION]));
    await becomes(
      'the controller',
      async () => at(await controller(), `${POD}.priorityClassName`),
      'site-critical',
    );
    const variable = expect.objectContaining({ name: 'HERALD_LB_CLASS', value: 'example.com/edge' });
    for (const workload of [await speaker(), await controller()])
      expect(at(workload, `${POD}.containers[0].env`)).toEqual(expect.arrayContaining([variable]));
    for (const component of ['speaker', 'controller'])
      await becomes(component, () => logLevel(component), 'debug');
  });

  it('outlasts an upgrade of the release', async () => {
    await install(api, {
      ...VALUES,
      speaker: { ...VALUES.speaker, priorityClassName: 'node-critical' },
    });
    const lasting = async () => {
      const now = await speaker();
      const tolerations = at(now, `${POD}.tolerations`);
      const edge = Array.isArray(tolerations) && tolerations.some((t: unknown) => at(t, 'key') === 'edge');
      return [at(now, `${POD}.priorityClassName`), edge, await logLevel('speaker')];
    };
    await becomes('the speaker', lasting, ['node-critical', true, 'debug']);
  });

  it("takes them away with it, and leaves the chart's", async () => {
    await api.kubectl('-n', NAMESPACE, 'delete', 'metallbs.metallb.io', 'metallb');
    await becomes('the speaker', async () => at(await speaker(), `${POD}.nodeSelector`), undefined);
    const now = await speaker();
    expect(JSON.stringify(at(now, `${POD}.tolerations`))).not.toContain('edge');
    expect(JSON.stringify(at(now, `${POD}.tolerations`))).toContain('chart');
    expect(JSON.stringify(at(now, `${POD}.containers[0].env`))).not.toContain('HERALD_LB_CLASS');
    expect(JSON.stringify(at(now, 'metadata.annotations') ?? {})).not.toContain('herald.io/overridden');
    await becomes(
      'the controller',
      async () => at(await controller(), `${POD}.priorityClassName`) ?? '',
      'system-cluster-critical',
    );
    for (const component of ['speaker', 'controller'])
      await becomes(component, () => logLevel(component), 'info');
    expect(program?.log.filter((line) => /forbidden/i.test(line))).toEqual([]);
  });
});
