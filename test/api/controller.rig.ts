/** What the tests and the bench of the controller share: the real program as a process, and objects in short form. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Service, Services } from '../../src/domain/api/core.ts';
import { type IPAddressPool, IPAddressPools } from '../../src/domain/api/metallb.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { type Resource, resource } from '../../src/platform/kube/resource.ts';
import { type ApiServer, type Bundle, until } from '../servers/index.ts';

const root = join(import.meta.dirname, '../..');
export const NAMESPACE = 'metallb-system';

export interface Program {
  readonly pid: number;
  readonly log: readonly string[];
  /** Status and body of /readyz; undefined when nobody answers. */
  readyz(): Promise<{ status: number; text: string } | undefined>;
  metrics(): Promise<string>;
  /** SIGTERM, and the milliseconds and exit code that followed. */
  stop(): Promise<{ ms: number; code: number | null }>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/**
 * A port that nobody listens on at this moment. Below those of which the kernel gives connections theirs (ip_local_port_range): one
 * that it calls free may be a connection's when the program comes to listen, on all addresses.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port);
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/**
 * Starts src/bin/controller.ts, or the bundled one, as a process of its own; it answers at /readyz when this resolves, whatever it says
 * there. `preload`: a module that runs first.
 */
export async function startController(
  api: Pick<ApiServer, 'kubeconfig'>,
  o: { pod?: string; args?: readonly string[]; bundle?: Bundle; preload?: string } = {},
): Promise<Program> {
  const port = await freePort();
  const args = [
    o.bundle?.program('controller') ?? join(root, 'src/bin/controller.ts'),
    '--port=0',
    `--health-probe-port=${port}`,
    `--pod-name=${o.pod ?? 'controller-0'}`,
    `--kubeconfig=${api.kubeconfig}`,
    `--namespace=${NAMESPACE}`,
    ...(o.args ?? []),
  ];
  const env = { ...process.env, ...o.bundle?.env, KUBECONFIG: '', METALLB_POD_NAME: '' };
  const options = o.preload === undefined ? [] : [`--import=${o.preload}`];
  const child = spawn(process.execPath, [...options, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => log.push(...text.trimEnd().split('\n')));
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const program: Program = {
    pid: child.pid ?? -1,
    log,
    readyz: () => get('/readyz').catch(() => undefined),
    metrics: async () => (await get('/metrics')).text,
    async stop() {
      const start = performance.now();
      await end(child, 'SIGTERM');
      return { ms: performance.now() - start, code: child.exitCode };
    },
    kill: () => end(child, 'SIGKILL'),
  };
  const stop = () =>
    child.exitCode === null ? undefined : new Error(`controller ended:\n${log.join('\n')}`);
  const answers = until('the controller to answer', () => program.readyz(), { timeoutMs: 50_000, stop });
  await answers.catch((error: unknown) => {
    throw new Error(`the controller does not answer; its log:\n${log.join('\n')}`, { cause: error });
  });
  return program;
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Reads and writes of the objects that a controller cares about. */
export class Cluster {
  readonly services: Resource<Service>;
  readonly pools: Resource<IPAddressPool>;
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
    this.services = resource(client, Services);
    this.pools = resource(client, IPAddressPools);
  }

  /** `name` is "namespace/name", with the namespace existing; ports 80/TCP unless the spec says otherwise. */
  async service(name: string, o: { annotations?: object; spec?: object } = {}): Promise<Service> {
    const [namespace, short] = name.split('/');
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }], selector: { app: short }, ...o.spec };
    const metadata = { name: short, namespace, annotations: o.annotations ?? {} };
    return await this.services.create({ apiVersion: 'v1', kind: 'Service', metadata, spec });
  }

  async pool(name: string, spec: object): Promise<void> {
    const metadata = { name, namespace: NAMESPACE };
    await this.pools.create({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec });
  }

  async editPool(name: string, spec: object): Promise<void> {
    await this.pools.mergePatch({ name, namespace: NAMESPACE }, { spec });
  }

  async namespace(name: string): Promise<void> {
    await this.#client.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
  }

  async read(name: string): Promise<Service> {
    const [namespace, short = ''] = name.split('/');
    const service = await this.services.get({ name: short, ...(namespace && { namespace }) });
    if (!service) throw new Error(`no Service ${name}`);
    return service;
  }

  /** Addresses in the status, once `fits` holds for the Service. */
  async when(name: string, fits: (s: Service) => boolean, timeoutMs = 20_000): Promise<Service> {
    const probe = async () => {
      const service = await this.read(name);
      return fits(service) && service;
    };
    return await until(`${name} to fit`, probe, { timeoutMs, everyMs: 20 });
  }

  /** The addresses of a Service as soon as it has any. */
  async address(name: string, timeoutMs?: number): Promise<string> {
    return addresses(await this.when(name, (s) => s.status.ingress.length > 0, timeoutMs));
  }

  /** Deletes every Service but the API server's own, and every pool. */
  async clear(): Promise<void> {
    for (const { metadata } of (await this.services.list()).items)
      if (metadata.name !== 'kubernetes') await this.services.delete(metadata);
    for (const { metadata } of (await this.pools.list()).items) await this.pools.delete(metadata);
  }
}

export const addresses = (s: Service): string => s.status.ingress.map(({ ip }) => ip).join(' ');

export const allocated = (s: Service) =>
  s.status.conditions.find(({ type }) => type === 'herald.io/Allocated');
