/**
 * Which real servers exist here, from which Go module each comes, and where the built file lies. Pure but for file
 * look-ups, so that a warm `make tools` costs milliseconds.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** One file that a group makes: a program built from a Go package, or a file made out of what is built. */
export type Artifact =
  | { readonly name: string; readonly package: string }
  | { readonly name: string; readonly make: 'flux-crds' | 'pause-image' | 'agnhost-image' };

/** Programs of one Go module (the folder of the same name), built with the same linker flags. */
export interface Group {
  readonly name: string;
  readonly ldflags: string;
  readonly artifacts: readonly Artifact[];
}

const STRIP = '-s -w';
const KUBERNETES = 'v1.36.3';
/** Tag of the agnhost image, as in k8s.io/kubernetes/test/images/agnhost/VERSION. */
const AGNHOST = '2.63.0';

/** Image names that pods use; `toolPath('pause.tar')` and `toolPath('agnhost.tar')` are their archives. */
export const IMAGES = {
  pause: 'localhost/pause:1',
  agnhost: `registry.k8s.io/e2e-test-images/agnhost:${AGNHOST}`,
} as const;

/** Without a version the server reports v0.0.0 and Helm's kubeVersion checks fail. */
function kubernetesFlags(): string {
  const [major, minor] = KUBERNETES.slice(1).split('.');
  const set = (key: string, value: string | undefined) => `-X k8s.io/component-base/version.${key}=${value}`;
  return [STRIP, set('gitVersion', KUBERNETES), set('gitMajor', major), set('gitMinor', minor)].join(' ');
}
const program = (name: string, path: string): Artifact => ({ name, package: path });

/** In the order in which they are built: what most tests need comes first. */
export const GROUPS: readonly Group[] = [
  { name: 'etcd', ldflags: STRIP, artifacts: [program('etcd', 'go.etcd.io/etcd/server/v3')] },
  {
    name: 'kubernetes',
    ldflags: kubernetesFlags(),
    artifacts: [
      ...[
        'kube-apiserver',
        'kubectl',
        'kube-controller-manager',
        'kube-scheduler',
        'kubelet',
        'kube-proxy',
      ].map((name) => program(name, `k8s.io/kubernetes/cmd/${name}`)),
      program('agnhost', 'k8s.io/kubernetes/test/images/agnhost'),
      { name: 'agnhost.tar', make: 'agnhost-image' },
    ],
  },
  {
    name: 'flux',
    ldflags: STRIP,
    artifacts: [
      ...['source-controller', 'kustomize-controller', 'helm-controller'].map((name) =>
        program(name, `github.com/fluxcd/${name}`),
      ),
      program('helm', 'helm.sh/helm/v4/cmd/helm'),
      { name: 'flux-crds.yaml', make: 'flux-crds' },
    ],
  },
  {
    name: 'containerd',
    ldflags: STRIP,
    artifacts: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) =>
      program(name, `github.com/containerd/containerd/v2/cmd/${name}`),
    ),
  },
  {
    name: 'pause',
    ldflags: STRIP,
    artifacts: [program('pause', '.'), { name: 'pause.tar', make: 'pause-image' }],
  },
  {
    name: 'metallb',
    ldflags: STRIP,
    artifacts: ['controller', 'speaker'].map((name) =>
      program(`metallb-${name}`, `go.universe.tf/metallb/${name}`),
    ),
  },
];

/** Folder of the Go module of a group; etcd is pinned in the same go.mod as Kubernetes, whose versions must agree. */
export const moduleDir = (group: Group): string =>
  join(import.meta.dirname, group.name === 'etcd' ? 'kubernetes' : group.name);

/** Everything that decides what a group's files contain; a change of any makes a new folder. */
const INPUTS = ['go.mod', 'go.sum', 'main.go'];

const dirs = new Map<string, string>();
/** Folder in the cache where the files of a group lie, or will. */
export function groupDir(group: Group): string {
  const known = dirs.get(group.name);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(JSON.stringify(group)).update(process.arch);
  for (const name of INPUTS) {
    const path = join(moduleDir(group), name);
    if (existsSync(path)) hash.update(name).update(readFileSync(path));
  }
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const dir = join(cache, 'herald', 'tools', `${group.name}-${hash.digest('hex').slice(0, 12)}`);
  dirs.set(group.name, dir);
  return dir;
}

/** The ecosystem's variable for a folder with these three; they are used instead of ours where it is set. */
const ASSETS = ['etcd', 'kube-apiserver', 'kubectl'];
function asset(name: string): string | undefined {
  const dir = process.env.KUBEBUILDER_ASSETS;
  const path = dir && ASSETS.includes(name) ? join(dir, name) : undefined;
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Where a file of the manifest lies once built, for example `toolPath('etcd')`. Throws on a name that is not in it. */
export function toolPath(name: string): string {
  const given = asset(name);
  if (given !== undefined) return given;
  const group = GROUPS.find((g) => g.artifacts.some((a) => a.name === name));
  if (group === undefined) throw new Error(`no such tool: ${name}`);
  return join(groupDir(group), name);
}

/** Full path of a program of the system, or undefined. Looks where administrators' programs lie too. */
export function which(name: string): string | undefined {
  const path = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return path
    .filter((dir) => dir !== '')
    .map((dir) => join(dir, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Folder of the CNI plugins: $CNI_BIN, or where Debian or the plugins' own archive put them. */
export function cniDir(): string | undefined {
  const dirs = [process.env.CNI_BIN ?? '', '/usr/lib/cni', '/opt/cni/bin'];
  return dirs.find(
    (dir) => dir !== '' && existsSync(join(dir, 'host-local')) && existsSync(join(dir, 'bridge')),
  );
}

export type Level = 'api' | 'upstream' | 'flux' | 'cluster' | 'netns';

/** What a level drives: files of the manifest, and programs of the system with the Debian package that brings each. */
const NEEDS: Record<Level, { tools: readonly string[]; programs: Readonly<Record<string, string>> }> = {
  api: { tools: ASSETS, programs: { openssl: 'openssl' } },
  upstream: { tools: [...ASSETS, 'metallb-controller'], programs: { openssl: 'openssl' } },
  flux: {
    tools: [
      ...ASSETS,
      'source-controller',
      'kustomize-controller',
      'helm-controller',
      'helm',
      'flux-crds.yaml',
    ],
    programs: { openssl: 'openssl', git: 'git' },
  },
  netns: { tools: [], programs: { ip: 'iproute2', nsenter: 'util-linux', arping: 'arping' } },
  cluster: {
    tools: GROUPS.filter((g) => ['etcd', 'kubernetes', 'containerd', 'pause'].includes(g.name)).flatMap((g) =>
      g.artifacts.map((a) => a.name),
    ),
    programs: {
      openssl: 'openssl',
      runc: 'runc',
      ip: 'iproute2',
      nsenter: 'util-linux',
      conntrack: 'conntrack',
      nft: 'nftables',
      mount: 'mount',
    },
  },
};

/** Debian packages that a level lacks on this machine. */
export function missingPackages(level: Level): string[] {
  const packages = Object.entries(NEEDS[level].programs)
    .filter(([program]) => which(program) === undefined)
    .map(([, name]) => name);
  if (level === 'cluster' && cniDir() === undefined) packages.push('containernetworking-plugins');
  return packages;
}

/** What a level lacks on this machine, each with its mend; empty when it can run. */
export function missingTools(level: Level): string[] {
  const tools = NEEDS[level].tools.filter((name) => !existsSync(toolPath(name)));
  const packages = missingPackages(level);
  return [
    ...(tools.length > 0 ? [`${tools.join(', ')} (make tools)`] : []),
    ...(packages.length > 0 ? [`${packages.join(', ')} (apt-get install ${packages.join(' ')})`] : []),
  ];
}
