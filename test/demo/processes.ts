/** The demo where no whole cluster can be made: the programs run as processes in network namespaces. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../src/platform/kube/client.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { firstCommit, install, labValues, NAME, NAMESPACE, OVERLAY, PATHS } from '../fleet/fleet.ts';
import { at, condition, isCurrently, observe, type Raw } from '../fleet/observe.ts';
import { type Lab, labAvailable, startLab } from '../lab/lab.rig.ts';
import { type Flux, startFlux } from '../servers/index.ts';
import { say, sayHops, title } from './say.ts';

/** Helm would wait for pods that no kubelet runs; everything else is as on a cluster. */
const WITHOUT_WAIT = `patches:
  - target: {kind: HelmRelease, name: herald}
    patch: |-
      - {op: add, path: /spec/install/disableWait, value: true}
      - {op: add, path: /spec/upgrade/disableWait, value: true}
`;
const ENTERED = 'HERALD_DEMO_ENTERED';

/** Says why there is no cluster and shows what can be shown here; the exit code. */
export async function withoutCluster(why: string): Promise<number> {
  if (process.getuid?.() !== 0) return enterUserNamespace(why);
  say(
    `no cluster of kubelets here (${process.env[ENTERED] ?? why}); the programs run as processes in network namespaces`,
  );
  const can = labAvailable();
  if (can !== true) {
    say(`and no network namespaces either: ${can}`);
    return 1;
  }
  const start = performance.now();
  const lab = await startLab();
  try {
    await walk(lab, start);
    return 0;
  } finally {
    await lab.close();
  }
}

/** Starts this demo again as root of a user namespace of its own. */
function enterUserNamespace(why: string): Promise<number> {
  const inside = 'mount -t tmpfs none /run && ip link set lo up && exec "$0" "$@"';
  const args = ['-Urnm', 'sh', '-c', inside, process.execPath, ...process.argv.slice(1)];
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [ENTERED]: why } });
  return new Promise((resolve) => {
    child.on('error', (e) => {
      say(`no user namespaces either: ${e.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const values = (last: number, first = 10): string =>
  labValues(
    `pools:\n  web:\n    addresses: [192.0.2.${first}-192.0.2.${last}]\nl2Advertisements:\n  lan:\n    ipAddressPools: [web]\n`,
  );

async function walk(lab: Lab, start: number): Promise<void> {
  const [one, two, client] = await Promise.all([
    lab.network.node('node1'),
    lab.network.node('node2'),
    lab.network.client('client'),
  ]);
  const flux = await startFlux(lab.api);
  const overlay = readFileSync(`${OVERLAY}/kustomization.yaml`, 'utf8');
  await flux.git.push(
    { ...firstCommit(), [`${OVERLAY}/kustomization.yaml`]: overlay + WITHOUT_WAIT },
    'install herald',
  );
  await install({ cluster: lab.api, flux });
  for (const host of [one, two]) {
    await lab.objects.node(host.name);
    await lab.objects.speakerPod(host.name);
  }
  startProgram(lab, 'reconciler');
  startProgram(lab, 'controller');
  await Promise.all([lab.speaker(one), lab.speaker(two)]);
  const kube = await connect({
    kubeconfig: lab.api.kubeconfig,
    log: createLog({ level: 'none', clock: systemClock }),
    userAgent: 'demo',
  });
  const see = (kind: keyof typeof PATHS, name: string, until: (o: Raw) => boolean) =>
    observe(kube, { path: PATHS[kind], name, what: `${kind} ${name}`, until, timeoutMs: 90_000 });
  try {
    await see('configsource', NAME, (o) => isCurrently(o, 'Ready', 'True'));
    say(
      `API server, Flux, reconciler, controller and two speakers are up after ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    title('First commit: a pool; then a Service');
    const first = await push(flux, values(19), 'add pool web');
    const pool = await see('pool', 'web', () => true);
    const created = performance.now();
    await lab.objects.apply(service);
    await lab.objects.endpoints('web', ['node1', 'node2']);
    const seen = await see('service', 'web', (o) => at(o, 'status.loadBalancer.ingress[0].ip') !== undefined);
    const address = String(at(seen.object, 'status.loadBalancer.ingress[0].ip'));
    say(await client.exec('arping', '-i', 'eth0', '-c', '3', '-w', '10', address));
    sayHops(first, [
      { what: 'pool web is there', at: pool.at },
      { what: 'Service created', at: created },
      { what: `address ${address}`, at: seen.at },
    ]);
    title('Second commit: the pool changes live');
    const prober = await lab.probe(client, [address], 20);
    const second = await push(flux, values(29), 'grow pool web');
    const grown = await see('pool', 'web', (o) => String(at(o, 'spec.addresses[0]')).endsWith('.29'));
    sayHops(second, [{ what: 'pool web has grown', at: grown.at }]);
    const { questions } = await prober.stop();
    const lost = questions.slice(0, -1).filter((q) => q.answers.length === 0).length;
    if (lost > 0) throw new Error(`${lost} of ${questions.length} ARP requests were lost`);
    say(`${questions.length} ARP requests meanwhile, none lost`);
    title('Third commit: a bad range');
    const third = await push(flux, values(10, 29), 'a range the wrong way round');
    const refused = await see('configsource', NAME, (o) => isCurrently(o, 'Stalled', 'True'));
    sayHops(third, [{ what: 'ConfigSource refused it', at: refused.at }]);
    say(`ConfigSource: ${condition(refused.object, 'Ready')?.message}`);
    say(await client.exec('arping', '-i', 'eth0', '-c', '1', '-w', '5', address));
    say('nothing lost: the pool is as it was, and the wire still answers');
  } finally {
    await kube.close();
  }
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], allocateLoadBalancerNodePorts: false },
};

function startProgram(lab: Lab, name: 'reconciler' | 'controller'): void {
  const flags = [
    `--kubeconfig=${lab.api.kubeconfig}`,
    `--namespace=${NAMESPACE}`,
    `--pod-name=${name}`,
    '--port=0',
    '--health-probe-port=0',
  ];
  lab.run.start({
    name,
    command: process.execPath,
    args: [join(import.meta.dirname, '../../src/bin', `${name}.ts`), ...flags],
  });
}

/** Pushes this cluster's values and tells Flux to look; when the push returned. */
async function push(flux: Flux, text: string, message: string): Promise<number> {
  await flux.git.push({ [`${OVERLAY}/values.yaml`]: text }, message);
  const pushed = performance.now();
  await flux.reconcile(`gitrepository/${NAME}`);
  return pushed;
}
