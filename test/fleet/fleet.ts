/** A cluster that is run the way operators run theirs: Flux installs Herald from a git repository, and commits change it. */
import { readFileSync } from 'node:fs';
import { connect } from '../../src/platform/kube/client.ts';
import type { KubeClient } from '../../src/platform/kube/ports.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import {
  type ApiServer,
  type Cluster,
  type Files,
  type Flux,
  IMAGES,
  must,
  readTree,
  startCluster,
  startFlux,
  toolPath,
} from '../servers/index.ts';
import { at, isCurrently, observe, type Raw, type Seen } from './observe.ts';

/** Where Herald lives, and the name of its HelmRelease, release, ConfigSource and of the two Flux objects. */
export const NAMESPACE = 'metallb-system';
export const NAME = 'herald';
/** The overlay that the fleet's cluster follows. */
export const OVERLAY = 'overlays/l2-lab';

/** Collections of the API, by a short word. */
export const PATHS = {
  gitrepository: '/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories',
  kustomization: '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations',
  helmrelease: `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${NAMESPACE}/helmreleases`,
  configsource: `/apis/herald.io/v1alpha1/namespaces/${NAMESPACE}/configsources`,
  plan: `/apis/herald.io/v1alpha1/namespaces/${NAMESPACE}/plans`,
  pool: `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools`,
  service: '/api/v1/namespaces/default/services',
} as const;

export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly ready: boolean;
  readonly restarts: number;
}

export interface Fleet {
  readonly cluster: Cluster;
  readonly flux: Flux;
  readonly client: KubeClient;
  /** Commits files, pushes, and tells Flux to look, as a webhook does; the commit and when the push returned. */
  push(files: Files, message: string): Promise<{ readonly sha: string; readonly at: number }>;
  /** The same for this cluster's values file. */
  pushValues(values: string, message: string): Promise<{ readonly sha: string; readonly at: number }>;
  /** Waits for an object of PATHS. */
  see(
    kind: keyof typeof PATHS,
    name: string,
    w: { readonly what: string; readonly until: (o: Raw) => boolean; readonly timeoutMs?: number },
  ): Promise<Seen>;
  /** Waits until the HelmRelease has applied exactly this commit's values and is Ready. */
  ready(timeoutMs?: number): Promise<Seen>;
  pods(): Promise<Pod[]>;
  /** Creates a Service of type LoadBalancer for the web servers; when it was created, and its address. */
  expose(
    name: string,
    annotations?: Readonly<Record<string, string>>,
  ): Promise<{ readonly address: string; readonly created: number; readonly seen: Seen }>;
  /** The web page at an address, fetched by the client outside the cluster. */
  page(address: string): Promise<string>;
  /** A Deployment that answers its host name over HTTP on every node, and nothing else yet. */
  startWeb(): Promise<void>;
  stop(): Promise<void>;
}

/** Values of the lab: nothing to announce yet; the image is on the nodes already. */
export const labValues = (pools = ''): string => `# Values of cluster l2-lab.
image:
  pullPolicy: Never
${pools}`;

/** The repository's first commit: chart, flux and overlays of this project, with the lab's values. */
export function firstCommit(): Files {
  const project = Object.fromEntries(
    ['chart', 'flux', 'overlays'].flatMap((dir) =>
      Object.entries(readTree(dir)).map(([path, data]) => [`${dir}/${path}`, data]),
    ),
  );
  return { ...project, [`${OVERLAY}/values.yaml`]: labValues() };
}

/** Starts everything up to Flux, with the repository pushed; Herald is not installed before install(). */
export async function startFleet(o: { nodes: number; deadAfterSeconds?: number }): Promise<Fleet> {
  const cluster = await startCluster({ ...o, images: ['dist/herald-image.tar'], crds: false });
  try {
    return await withFlux(cluster);
  } catch (e) {
    await cluster.stop();
    throw e;
  }
}

async function withFlux(cluster: Cluster): Promise<Fleet> {
  const flux = await startFlux(cluster);
  const log = createLog({ level: 'none', clock: systemClock });
  const client = await connect({ kubeconfig: cluster.kubeconfig, log, userAgent: 'fleet' });
  await flux.git.push(firstCommit(), 'cluster l2-lab: install herald');
  const see: Fleet['see'] = (kind, name, w) => observe(client, { path: PATHS[kind], name, ...w });
  const push: Fleet['push'] = async (files, message) => {
    const sha = await flux.git.push(files, message);
    const pushed = performance.now();
    await flux.reconcile(`gitrepository/${NAME}`);
    return { sha, at: pushed };
  };
  return {
    cluster,
    flux,
    client,
    push,
    pushValues: (values, message) => push({ [`${OVERLAY}/values.yaml`]: values }, message),
    see,
    ready: (timeoutMs = 180_000) =>
      see('helmrelease', NAME, {
        what: 'HelmRelease Ready',
        until: (o) => isCurrently(o, 'Ready', 'True'),
        timeoutMs: timeoutMs,
      }),
    pods: async () =>
      podsOf(await client.request({ method: 'GET', path: `/api/v1/namespaces/${NAMESPACE}/pods` })),
    expose: (name, annotations = {}) => expose({ client, see }, name, annotations),
    page: (address) => page(cluster, address),
    startWeb: () => startWeb(cluster),
    async stop() {
      await client.close();
      await cluster.stop();
    },
  };
}

/** Tells the cluster where its repository is, with the project's own bootstrap files; Flux does the rest. */
export async function install(to: { readonly cluster: ApiServer; readonly flux: Flux }): Promise<void> {
  const text = await must(toolPath('kubectl'), ['kustomize', 'flux/bootstrap']);
  const example = /url: (\S+)/.exec(readFileSync('flux/bootstrap/gitrepository.yaml', 'utf8'))?.[1] ?? '';
  await to.cluster.kubectlInput(text.replace(example, to.flux.git.url), 'apply', '-f', '-');
}

function podsOf(list: unknown): Pod[] {
  const items = at(list, 'items');
  return (Array.isArray(items) ? items : []).map((pod: unknown) => ({
    name: String(at(pod, 'metadata.name')),
    uid: String(at(pod, 'metadata.uid')),
    node: String(at(pod, 'spec.nodeName')),
    ready: at(pod, 'status.containerStatuses[0].ready') === true,
    restarts: Number(at(pod, 'status.containerStatuses[0].restartCount') ?? 0),
  }));
}

async function expose(
  { client, see }: Pick<Fleet, 'client' | 'see'>,
  name: string,
  annotations: Readonly<Record<string, string>>,
): ReturnType<Fleet['expose']> {
  const body = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', annotations },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  };
  await client.request({ method: 'POST', path: PATHS.service, body });
  const created = performance.now();
  const ip = (o: Raw): unknown => at(o, 'status.loadBalancer.ingress[0].ip');
  const seen = await see('service', name, {
    what: `address of Service ${name}`,
    until: (o) => ip(o) !== undefined,
  });
  return { address: String(ip(seen.object)), created, seen };
}

async function page(cluster: Cluster, address: string): Promise<string> {
  const args = ['-sf', '-m', '5', '--retry', '5', '--retry-all-errors', `http://${address}/hostname`];
  const done = await cluster.run(cluster.client.netns, 'curl', args);
  if (done.code !== 0) throw new Error(`curl http://${address}: exit ${done.code} ${done.stderr}`);
  return done.stdout.trim();
}

/** Two web servers; which of them answers shows that kube-proxy balances. */
async function startWeb(cluster: Cluster): Promise<void> {
  const labels = { app: 'web' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'web',
              image: IMAGES.agnhost,
              imagePullPolicy: 'Never',
              args: ['netexec', '--http-port=8080'],
            },
          ],
        },
      },
    },
  };
  await cluster.kubectlInput(JSON.stringify(deployment), 'apply', '-f', '-');
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
}
