/** A whole cluster on one Linux machine, as root: real control plane, N real nodes, and a client beside them. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { toolPath } from '../../tools/servers/manifest.ts';
import {
  type ApiServer,
  applyCrds,
  servesHealthz,
  startControllerManager,
  startControlPlane,
} from './apiserver.ts';
import { demand } from './available.ts';
import { MARK } from './clean.ts';
import { type Result, until } from './exec.ts';
import {
  execIn,
  type Host,
  inNetns,
  makeHost,
  makeNetwork,
  type Network,
  routePods,
  setPort,
} from './net.ts';
import { isReady, type Node, startNode } from './node.ts';
import { inRun, type Run } from './run.ts';

export interface ClusterOptions {
  readonly nodes: number;
  /** Image archives that every node gets, beside agnhost (`IMAGES.agnhost`). */
  readonly images?: readonly string[];
  /** Apply chart/crds; default true. */
  readonly crds?: boolean;
  /** After this long without a sign of life the cluster calls a node unready; default 40, as in production. */
  readonly deadAfterSeconds?: number;
  readonly proxyMode?: 'nftables' | 'iptables';
}

export interface Cluster extends ApiServer {
  readonly nodes: readonly Pick<Node, 'name' | 'ip' | 'netns' | 'port' | 'podCidr'>[];
  /** A machine on the same bridge that is no node. */
  readonly client: Host;
  readonly network: Network;
  /** Name of the bridge. */
  readonly bridge: string;
  /** Runs a command to its end in a network namespace. */
  run(netns: string, command: string, args: readonly string[]): Promise<Result>;
  /** Starts a command in a network namespace; it ends with the cluster at the latest. */
  spawn(netns: string, command: string, args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Loads an image archive on every node. */
  importImage(path: string): Promise<void>;
  /** Pulls a node's network cable, and plugs it in again. */
  nodeDown(name: string): Promise<void>;
  nodeUp(name: string): Promise<void>;
  /** Kills a node's kubelet (its pods live on), and starts it again; the latter waits until the node is Ready. */
  killKubelet(name: string): Promise<void>;
  startKubelet(name: string): Promise<void>;
  /** Waits until the cluster calls a node Ready, or no longer does. */
  nodeReady(name: string, ready?: boolean): Promise<void>;
}

/** Default of kube-controller-manager in the releases that people run. */
const DEAD_AFTER_SECONDS = 40;

/** Starts kube-scheduler; ready when this resolves. */
async function startScheduler(api: ApiServer): Promise<void> {
  const { lab } = api;
  const port = await lab.freePort();
  const daemon = lab.start({
    name: 'kube-scheduler',
    command: toolPath('kube-scheduler'),
    args: [
      `--kubeconfig=${api.kubeconfig}`,
      '--leader-elect=false',
      `--bind-address=${lab.loopback}`,
      `--secure-port=${port}`,
      `--cert-dir=${lab.dir}/scheduler`,
    ],
  });
  await daemon.ready(() => servesHealthz(`https://${lab.loopback}:${port}/healthz`));
}

/** Starts what only needs the API server. Pods can be made once the default service account exists. */
async function startControllers(api: ApiServer, deadAfterSeconds: number): Promise<void> {
  const flags = ['--controllers=*,-nodeipam', `--node-monitor-grace-period=${deadAfterSeconds}s`];
  await Promise.all([startControllerManager(api, flags), startScheduler(api)]);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await until('the default service account', async () => (await api.get(account)).status === 200);
}

/** Makes the namespaces of the nodes and of the client, and the routes between their pods. */
async function makeHosts(
  run: Run,
  network: Network,
  count: number,
): Promise<{ hosts: Host[]; client: Host }> {
  const hosts: Host[] = [];
  for (let i = 1; i <= count; i++)
    hosts.push(await makeHost(run, network, { name: `node${i}`, last: 10 + i }));
  const client = await makeHost(run, network, { name: 'client', last: 9 });
  await routePods(network, hosts);
  return { hosts, client };
}

/** The nodes up to their container runtime, with their images. */
function startNodes(
  run: Run,
  o: ClusterOptions,
  place: { network: Network; hosts: readonly Host[] },
): Promise<Node[]> {
  const images = [toolPath('agnhost.tar'), ...(o.images ?? [])];
  const start = async (host: Host, i: number) => {
    const node = await startNode(run, {
      number: i + 1,
      host,
      podCidr: place.network.podCidrOf(i + 1),
      clusterCidr: place.network.podCidr,
      deadAfterSeconds: o.deadAfterSeconds ?? DEAD_AFTER_SECONDS,
      proxyMode: o.proxyMode ?? 'nftables',
    });
    for (const image of images) await node.importImage(image);
    return node;
  };
  return Promise.all(place.hosts.map(start));
}

/** Starts a cluster; nodes are Ready, Services are served and pods can be made when this resolves. */
export function startCluster(o: ClusterOptions): Promise<Cluster> {
  return inRun(async (run) => {
    demand('cluster');
    const network = await makeNetwork(run);
    const controlPlane = async () => {
      const api = await startControlPlane(run, { bind: network.gateway, port: 6443, forNodes: true });
      const crds = o.crds === false ? undefined : applyCrds(api);
      await Promise.all([crds, startControllers(api, o.deadAfterSeconds ?? DEAD_AFTER_SECONDS)]);
      return api;
    };
    const machines = async () => {
      const { hosts, client } = await makeHosts(run, network, o.nodes);
      return { client, nodes: await startNodes(run, o, { network, hosts }) };
    };
    const [api, { client, nodes }] = await Promise.all([controlPlane(), machines()]);
    await Promise.all(nodes.flatMap((node) => [node.startKubelet(api), node.startProxy(api)]));
    return { ...api, ...cluster(api, nodes), client, network, bridge: network.bridge };
  });
}

/** What can be done to the nodes of a running cluster. */
function cluster(
  api: ApiServer,
  nodes: readonly Node[],
): Omit<Cluster, keyof ApiServer | 'client' | 'network' | 'bridge'> {
  const node = (name: string): Node => {
    const found = nodes.find((n) => n.name === name);
    if (found === undefined)
      throw new Error(`no node ${name}; there are ${nodes.map((n) => n.name).join(', ')}`);
    return found;
  };
  return {
    nodes,
    run: execIn,
    spawn: (netns, command, args) =>
      spawn('nsenter', inNetns(netns, command, args), { env: { ...process.env, [MARK]: api.dir } }),
    importImage: async (path) => {
      await Promise.all(nodes.map((n) => n.importImage(path)));
    },
    nodeDown: async (name) => void (await setPort(node(name), false)),
    nodeUp: async (name) => void (await setPort(node(name), true)),
    killKubelet: (name) => node(name).killKubelet(),
    startKubelet: (name) => node(name).startKubelet(api),
    nodeReady: async (name, ready = true) => {
      const what = `${name} to be ${ready ? 'Ready' : 'not Ready'}`;
      await until(what, async () => (await isReady(api, name)) === ready, {
        timeoutMs: 120_000,
        everyMs: 200,
      });
    },
  };
}
