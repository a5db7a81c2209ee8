/** The real kube-apiserver on the real etcd, and what tests ask of it: users, death, restart, compaction. */

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { toolPath } from '../../tools/servers/manifest.ts';
import { demand } from './available.ts';
import { type KeyPair, kubeconfigText, makeAuthority, makeClient, makeServing } from './certs.ts';
import { must, until } from './exec.ts';
import { type Daemon, inRun, type Run } from './run.ts';

export interface ApiServer {
  /** Path of a kubeconfig of a user in group system:masters. */
  readonly kubeconfig: string;
  readonly url: string;
  /** PEM file of the authority that signed the serving certificate. */
  readonly ca: string;
  /** Bearer token of that user, for plain HTTPS. */
  readonly token: string;
  readonly dir: string;
  /** Where the logs are once it has stopped. */
  readonly keptLogs: string;
  /** The run that these servers belong to; more daemons may be started in it. */
  readonly lab: Run;
  /** GET of a path as that user, without kubectl's cost; a bad status is no error. */
  get(path: string): Promise<{ status: number; body: string }>;
  /** kubectl with these arguments; its standard output. Throws with its words when it fails. */
  kubectl(...args: string[]): Promise<string>;
  /** The same with standard input, for `apply -f -`. */
  kubectlInput(input: string, ...args: string[]): Promise<string>;
  /** Takes everything away. Idempotent. */
  stop(): Promise<void>;
  /** Kills kube-apiserver with SIGKILL; etcd and its data stay. */
  kill(): Promise<void>;
  /** Starts kube-apiserver again, after killing one that lives; same address, port and data. */
  restart(): Promise<void>;
  /** Makes every resourceVersion and continue token that was given out so far too old (410). Cuts connections. */
  compact(): Promise<void>;
  /**
   * Writes objects (JSON) past the server, straight into its store, by keys such as "services/specs/NAMESPACE/NAME": for more than
   * the server takes in good time. Nothing checks or completes them. They come to be at once: one of a kind, as a watch that
   * begins between two of the same revision would miss the second.
   */
  store(objects: Readonly<Record<string, string>>): Promise<void>;
  /** Path of the kubeconfig of a user with a client certificate, without any rights of its own. */
  user(name: string, groups?: readonly string[]): Promise<string>;
}

export interface ControlPlaneOptions {
  /** Address to listen on; default the run's loopback address. */
  readonly bind?: string;
  /** Default a free one. */
  readonly port?: number;
  readonly serviceCidr?: string;
  /** Pods get tokens and the API server announces itself as Service `kubernetes`: for real nodes. */
  readonly forNodes?: boolean;
  readonly flags?: readonly string[];
}

/** First address of the default service network; it stands in the certificate, as pods use it. */
const SERVICE_CIDR = '10.96.0.0/16';
const KUBERNETES_SERVICE = '10.96.0.1';

interface Parts {
  readonly run: Run;
  readonly bind: string;
  readonly port: number;
  readonly etcdUrl: string;
  readonly ca: KeyPair;
  readonly token: string;
}

/** Which options of the API server follow from ours. The etcd below does not sync to disk, as its data is disposable. */
function serverFlags(p: Parts, o: ControlPlaneOptions): string[] {
  const dir = p.run.dir;
  const flags: Record<string, string> = {
    'etcd-servers': p.etcdUrl,
    'secure-port': String(p.port),
    'bind-address': p.bind,
    'advertise-address': p.bind,
    'tls-cert-file': join(dir, 'serving.crt'),
    'tls-private-key-file': join(dir, 'serving.key'),
    'client-ca-file': p.ca.cert,
    'token-auth-file': join(dir, 'tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-account-key-file': join(dir, 'sa.key'),
    'service-account-signing-key-file': join(dir, 'sa.key'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-cluster-ip-range': o.serviceCidr ?? SERVICE_CIDR,
    'allow-privileged': 'true',
    'kubelet-preferred-address-types': 'InternalIP,Hostname',
  };
  if (o.forNodes !== true) {
    flags['disable-admission-plugins'] = 'ServiceAccount';
    flags['endpoint-reconciler-type'] = 'none';
  } else {
    // This machine has routes to pods but no kube-proxy: webhooks are called at their pods, not at their Service.
    flags['enable-aggregator-routing'] = 'true';
  }
  return [...Object.entries(flags).map(([name, value]) => `--${name}=${value}`), ...(o.flags ?? [])];
}

/** GET over HTTPS with our authority and token; the status and the body's text. */
function get(url: string, ca: string, token: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      ca: readFileSync(ca),
      headers: { authorization: `Bearer ${token}` },
      timeout: 5000,
      agent: false,
    };
    const asked = request(url, options, (reply) => {
      let body = '';
      reply.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body }));
      reply.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer for 5 s')));
    asked.on('error', reject);
    asked.end();
  });
}

async function startEtcd(run: Run): Promise<string> {
  const [client, peer] = [await run.freePort(), await run.freePort()];
  const url = `http://${run.loopback}:${client}`;
  const peerUrl = `http://${run.loopback}:${peer}`;
  const flags: Record<string, string> = {
    'data-dir': join(run.dir, 'etcd'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    'log-level': 'warn',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const etcd = run.start({ name: 'etcd', command: toolPath('etcd'), args: [...args, '--unsafe-no-fsync'] });
  await etcd.ready(async () => (await fetch(`${url}/health`)).ok);
  return url;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** One call to etcd's JSON gateway. */
async function etcdCall(url: string, path: string, body: object): Promise<unknown> {
  const reply = await fetch(`${url}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`etcd ${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

/** Moves etcd's revision on by a write of no meaning and compacts everything before it. */
async function compactEtcd(url: string): Promise<void> {
  const put = await etcdCall(url, 'put', { key: base64('/compaction'), value: '' });
  const head: unknown = typeof put === 'object' && put !== null && 'header' in put ? put.header : undefined;
  const revision =
    typeof head === 'object' && head !== null && 'revision' in head ? head.revision : undefined;
  if (typeof revision !== 'string') throw new Error(`etcd put: no revision in ${JSON.stringify(put)}`);
  await etcdCall(url, 'compaction', { revision, physical: true });
}

/** Keys, certificates and the administrator's token. */
async function prepare(run: Run, bind: string): Promise<Pick<Parts, 'ca' | 'token'>> {
  const ca = await makeAuthority(run.dir);
  const names = ['127.0.0.1', bind, KUBERNETES_SERVICE, 'localhost', 'kubernetes', 'kubernetes.default.svc'];
  // Kubernetes reads only the older form of an elliptic key (SEC 1), which ecparam writes and genpkey does not.
  const serviceKey = ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'];
  await Promise.all([
    makeServing(run.dir, ca, names),
    must('openssl', [...serviceKey, '-out', join(run.dir, 'sa.key')]),
  ]);
  const token = randomBytes(16).toString('hex');
  writeFileSync(join(run.dir, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  return { ca, token };
}

/** Starts etcd and kube-apiserver in a run that the caller has begun, and will close when this fails. */
export async function startControlPlane(run: Run, o: ControlPlaneOptions = {}): Promise<ApiServer> {
  const bind = o.bind ?? run.loopback;
  const [etcdUrl, keys, port] = await Promise.all([
    startEtcd(run),
    prepare(run, bind),
    o.port ?? run.freePort(bind),
  ]);
  const parts: Parts = { run, bind, port, etcdUrl, ...keys };
  const url = `https://${bind}:${port}`;
  const kubeconfig = join(run.dir, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(url, keys.ca.cert, { token: keys.token }), { mode: 0o600 });
  const env = { KUBECONFIG: kubeconfig, KUBECACHEDIR: join(run.dir, 'kubectl') };
  const start = async (): Promise<Daemon> => {
    const daemon = run.start({
      name: 'kube-apiserver',
      command: toolPath('kube-apiserver'),
      args: serverFlags(parts, o),
    });
    await daemon.ready(async () => (await get(`${url}/readyz`, keys.ca.cert, keys.token)).status === 200);
    return daemon;
  };
  let server = await start();
  const restart = async () => {
    await server.stop('SIGKILL');
    server = await start();
  };
  let users = 0;
  // Longer than any `--timeout` of a `kubectl wait` that makes sense.
  const timeoutMs = 600_000;
  return {
    kubeconfig,
    url,
    lab: run,
    ca: keys.ca.cert,
    token: keys.token,
    dir: run.dir,
    keptLogs: run.keptLogs,
    get: (path) => get(url + path, keys.ca.cert, keys.token),
    kubectl: (...args) => must(toolPath('kubectl'), args, { env, timeoutMs }),
    kubectlInput: (input, ...args) => must(toolPath('kubectl'), args, { env, input, timeoutMs }),
    stop: () => run.close(),
    kill: () => server.stop('SIGKILL'),
    restart,
    async compact() {
      await compactEtcd(etcdUrl);
      // The server answers from the events that it remembers; only a new one has none of those before the compaction.
      await restart();
    },
    async store(objects) {
      const success = Object.entries(objects).map(([key, object]) => ({
        requestPut: { key: base64(`/registry/${key}`), value: base64(object) },
      }));
      await etcdCall(etcdUrl, 'txn', { success });
    },
    async user(name, groups = []) {
      const pair = await makeClient(run.dir, keys.ca, { file: `user-${++users}`, name, groups });
      const path = join(run.dir, `user-${users}.kubeconfig`);
      writeFileSync(path, kubeconfigText(url, keys.ca.cert, pair), { mode: 0o600 });
      return path;
    },
  };
}

/** Starts kube-controller-manager beside an API server: garbage collection, service accounts, workloads. */
export async function startControllerManager(api: ApiServer, flags: readonly string[] = []): Promise<Daemon> {
  const run = api.lab;
  const port = await run.freePort();
  const daemon = run.start({
    name: 'kube-controller-manager',
    command: toolPath('kube-controller-manager'),
    args: [
      `--kubeconfig=${api.kubeconfig}`,
      `--service-account-private-key-file=${join(run.dir, 'sa.key')}`,
      `--root-ca-file=${api.ca}`,
      `--bind-address=${run.loopback}`,
      `--secure-port=${port}`,
      `--cert-dir=${join(run.dir, 'controller-manager')}`,
      // It makes this folder, by default below /usr.
      `--flex-volume-plugin-dir=${join(run.dir, 'controller-manager', 'volumes')}`,
      '--use-service-account-credentials=false',
      '--leader-elect=false',
      ...flags,
    ],
  });
  await daemon.ready(() => servesHealthz(`https://${run.loopback}:${port}/healthz`));
  return daemon;
}

/** Whether a component with a self-signed certificate says that it is healthy. */
export function servesHealthz(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false, agent: false, timeout: 5000 }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer for 5 s')));
    asked.on('error', reject);
    asked.end();
  });
}

/** The project's own CRDs, where there are any. */
const OWN_CRDS = join(import.meta.dirname, '../../chart/crds');

/** Applies CRDs, by default the project's own, and waits until they are served. */
export async function applyCrds(api: ApiServer, path = OWN_CRDS): Promise<void> {
  await api.kubectl('apply', '--server-side', '-f', path);
  // kubectl gives up on a CRD that has no conditions at all yet.
  const served = () => api.kubectl('wait', '--for=condition=Established', '--timeout=10s', '-f', path);
  await until('the CRDs to be served', served);
}

export interface ApiServerOptions {
  /** Apply chart/crds; default true. */
  readonly crds?: boolean;
  readonly serviceCidr?: string;
  /** Also start kube-controller-manager; default false. */
  readonly controllerManager?: boolean;
  /** More options of kube-apiserver, for example `--watch-cache=false`. */
  readonly flags?: readonly string[];
}

/** Starts etcd and kube-apiserver alone, on a loopback address of their own; ready when this resolves. */
export function startApiServer(o: ApiServerOptions = {}): Promise<ApiServer> {
  return inRun(async (run) => {
    demand('api');
    const api = await startControlPlane(run, {
      flags: o.flags ?? [],
      ...(o.serviceCidr === undefined ? {} : { serviceCidr: o.serviceCidr }),
    });
    await Promise.all([
      o.crds === false ? undefined : applyCrds(api),
      o.controllerManager === true ? startControllerManager(api) : undefined,
    ]);
    return api;
  });
}
