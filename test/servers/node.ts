/**
 * One node of a cluster: a network, mount and UTS namespace with containerd, kubelet and kube-proxy in it. Its mounts,
 * and what these programs write below /run, /var/lib and /var/log, vanish with its processes. Needs root.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cniDir, IMAGES, toolPath } from '../../tools/servers/manifest.ts';
import type { ApiServer } from './apiserver.ts';
import { exec, must } from './exec.ts';
import type { Host } from './net.ts';
import type { Daemon, Run } from './run.ts';

export interface NodeOptions {
  /** Number from 1; the node is called `node<number>`. */
  readonly number: number;
  readonly host: Host;
  readonly podCidr: string;
  /** Pod networks of all nodes. */
  readonly clusterCidr: string;
  /** After this long without a sign of life the cluster calls the node unready. */
  readonly deadAfterSeconds: number;
  readonly proxyMode: 'nftables' | 'iptables';
}

/** A node whose container runtime runs; kubelet and kube-proxy are started once there is an API server. */
export interface Node extends Host {
  readonly name: string;
  readonly podCidr: string;
  /** Loads a container image, a tar as `docker save` or an OCI archive, so that pods use it without a registry. */
  importImage(path: string): Promise<void>;
  startKubelet(api: ApiServer): Promise<void>;
  startProxy(api: ApiServer): Promise<void>;
  /** Kills the kubelet with SIGKILL; its pods live on. */
  killKubelet(): Promise<void>;
}

/** Makes the cgroup `/<prefix>/<node>` in every hierarchy: kubelet puts the pods' below it and expects it to exist. */
function makeCgroup(run: Run, name: string): string {
  const root = '/sys/fs/cgroup';
  const path = join(run.prefix, name);
  const unified = existsSync(join(root, 'cgroup.subtree_control'));
  for (const top of unified ? [root] : readdirSync(root).map((n) => join(root, n))) {
    if (!existsSync(join(top, unified ? 'cgroup.controllers' : 'tasks'))) continue;
    for (const part of [run.prefix, path]) {
      const [parent, dir] = [dirname(join(top, part)), join(top, part)];
      mkdirSync(dir, { recursive: true });
      if (unified) delegate(parent);
      // A new cpuset is empty, and nothing may run in an empty one.
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        if (top.endsWith('cpuset')) writeFileSync(join(dir, file), readFileSync(join(parent, file)));
    }
    if (unified) delegate(join(top, path));
  }
  return `/${path}`;
}

/** Hands a cgroup's controllers down to its children (cgroup v2). */
function delegate(dir: string): void {
  const controllers = readFileSync(join(dir, 'cgroup.controllers'), 'utf8').trim().split(' ').filter(Boolean);
  writeFileSync(join(dir, 'cgroup.subtree_control'), controllers.map((c) => `+${c}`).join(' '));
}

/**
 * Makes the node's namespaces and then only holds them. $1 is the node's folder, $2 its name, $3 the program that holds.
 * The overlays keep what the machine has in /var/lib and /var/log visible, such as a home of a service user.
 */
const HOLDER = `
set -e
echo "$2" > /proc/sys/kernel/hostname
mount -t tmpfs run /run
for d in lib log; do
  mkdir -p "$1/var-$d" "$1/var-$d.work"
  mount -t overlay -o "lowerdir=/var/$d,upperdir=$1/var-$d,workdir=$1/var-$d.work" "$2-$d" "/var/$d"
done
mount --make-rshared /
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
: > "$1/ready"
exec "$3"
`;

/** CNI: a bridge in the node with addresses out of the node's pod network, not masqueraded, as all know the routes. */
const cniConfig = (dir: string, podCidr: string) => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(dir, 'ipam'),
        ranges: [[{ subnet: podCidr }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
});

/** NRI is off as its socket is one per machine; scores of the OOM killer may not be lowered without more rights. */
const containerdConfig = (dir: string) => `
version = 3
root = "${dir}/containerd"
state = "${dir}/state"
[grpc]
address = "${dir}/c.sock"
[ttrpc]
address = "${dir}/c.sock.ttrpc"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${IMAGES.pause}"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["${cniDir()}"]
conf_dir = "${dir}/cni"
[plugins."io.containerd.nri.v1.nri"]
disable = true
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
`;

/** Anybody on the bridge may ask the kubelet anything: the bridge has nobody else on it. */
const kubeletConfig = (o: { dir: string; logs: string; cgroup: string; deadAfterSeconds: number }) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  cgroupDriver: 'cgroupfs',
  cgroupRoot: o.cgroup,
  failCgroupV1: false,
  failSwapOn: false,
  enforceNodeAllocatable: [],
  containerRuntimeEndpoint: `unix://${o.dir}/c.sock`,
  podLogsDir: o.logs,
  volumePluginDir: join(o.dir, 'volume-plugins'),
  resolvConf: join(o.dir, 'resolv.conf'),
  clusterDomain: 'cluster.local',
  evictionHard: { 'memory.available': '50Mi' },
  imageGCHighThresholdPercent: 100,
  localStorageCapacityIsolation: false,
  oomScoreAdj: 0,
  nodeLeaseDurationSeconds: o.deadAfterSeconds,
  nodeStatusUpdateFrequency: `${Math.max(1, Math.floor(o.deadAfterSeconds / 4))}s`,
  // A changed ConfigMap reaches its mounts within this; the default is a minute.
  syncFrequency: '10s',
});

/** Starts the holder of a node's namespaces and its containerd, and loads the pause image. */
export async function startNode(run: Run, o: NodeOptions): Promise<Node> {
  const name = `node${o.number}`;
  const dir = join(run.dir, name);
  const podLogs = join(run.logs, `${name}-pods`);
  mkdirSync(join(dir, 'cni'), { recursive: true });
  mkdirSync(podLogs);
  const cgroup = makeCgroup(run, name);
  writeFileSync(join(dir, 'cni', '10-pods.conflist'), JSON.stringify(cniConfig(dir, o.podCidr)));
  writeFileSync(join(dir, 'containerd.toml'), containerdConfig(dir));
  writeFileSync(join(dir, 'resolv.conf'), '# no name server\n');
  const config = { dir, logs: podLogs, cgroup, deadAfterSeconds: o.deadAfterSeconds };
  writeFileSync(join(dir, 'kubelet.yaml'), JSON.stringify(kubeletConfig(config)));

  const net = `--net=/run/netns/${o.host.netns}`;
  const unshare = ['unshare', '--mount', '--uts', '--propagation', 'private', 'sh', '-c', HOLDER];
  const holder = run.start({
    name: `${name}-holder`,
    command: 'nsenter',
    args: [net, '--', ...unshare, 'sh', dir, name, toolPath('pause')],
  });
  await holder.ready(async () => existsSync(join(dir, 'ready')));
  const path = { PATH: `${dirname(toolPath('containerd'))}:${process.env.PATH}:/usr/sbin:/sbin` };
  /** Starts a program inside the node. */
  const inside = (program: string, args: readonly string[]): Daemon => {
    const namespaces = [net, `--mount=/proc/${holder.pid}/ns/mnt`, `--uts=/proc/${holder.pid}/ns/uts`];
    return run.start({
      name: `${name}-${program}`,
      command: 'nsenter',
      args: [...namespaces, '--', toolPath(program), ...args],
      env: path,
    });
  };
  const containerd = inside('containerd', ['--config', join(dir, 'containerd.toml')]);
  const ctr = ['--address', join(dir, 'c.sock'), '--namespace', 'k8s.io'];
  await containerd.ready(async () => (await exec(toolPath('ctr'), [...ctr, 'version'])).code === 0);
  const importImage = async (tar: string) => {
    await must(toolPath('ctr'), [...ctr, 'images', 'import', tar]);
  };
  await importImage(toolPath('pause.tar'));
  let kubelet: Daemon | undefined;
  return {
    ...o.host,
    name,
    podCidr: o.podCidr,
    importImage,
    async startKubelet(api) {
      kubelet = inside('kubelet', [
        `--kubeconfig=${api.kubeconfig}`,
        `--config=${join(dir, 'kubelet.yaml')}`,
        `--root-dir=${join(dir, 'kubelet')}`,
        `--hostname-override=${name}`,
        `--node-ip=${o.host.ip}`,
      ]);
      await kubelet.ready(() => isReady(api, name));
    },
    async startProxy(api) {
      const proxy = inside('kube-proxy', [
        `--kubeconfig=${api.kubeconfig}`,
        `--proxy-mode=${o.proxyMode}`,
        `--hostname-override=${name}`,
        `--cluster-cidr=${o.clusterCidr}`,
        '--conntrack-max-per-core=0',
      ]);
      await proxy.ready(async () => (await fetch(`http://${o.host.ip}:10256/livez`)).ok);
    },
    killKubelet: async () => kubelet?.stop('SIGKILL'),
  };
}

/** Whether the API server calls a node Ready. */
export async function isReady(api: ApiServer, node: string): Promise<boolean> {
  const reply = await api.get(`/api/v1/nodes/${node}`);
  // The body is a node of the API server's own making; one condition of it is all that matters.
  const { status } = Object(JSON.parse(reply.body)) as {
    status?: { conditions?: Record<string, unknown>[] };
  };
  return status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}
