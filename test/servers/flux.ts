/** Flux's source-, kustomize- and helm-controller as processes against an API server, with a git server to feed them. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath } from '../../tools/servers/manifest.ts';
import { type ApiServer, applyCrds } from './apiserver.ts';
import { demand } from './available.ts';
import { until } from './exec.ts';
import { type GitServer, startGit } from './git.ts';
import type { Daemon } from './run.ts';

export type Controller = 'source-controller' | 'kustomize-controller' | 'helm-controller';

export interface Flux {
  readonly git: GitServer;
  /** The controllers' processes, to kill and to look at. */
  readonly controllers: Readonly<Record<Controller, Daemon>>;
  /**
   * Creates GitRepository and Kustomization `name` (default fleet) in flux-system, which apply `path` of the git server's
   * repository. Intervals are long, as every push may be followed by reconcile(), which takes milliseconds.
   */
  follow(o: { name?: string; path: string; wait?: boolean }): Promise<void>;
  /** Asks Flux to look now, as `flux reconcile` does: `reconcile('gitrepository/fleet')`; namespace flux-system. */
  reconcile(object: string, namespace?: string): Promise<void>;
  /** Waits for condition Ready to have this status (default True) at the newest generation; its message. */
  ready(object: string, o?: { namespace?: string; status?: string; timeoutMs?: number }): Promise<string>;
  /** Stops the controllers and the git server, and leaves the API server; whose own stop() does this too. */
  stop(): Promise<void>;
}

export interface FluxOptions {
  /** Objects that each controller reconciles at once; default 4, as upstream (source-controller's is 2 there). */
  readonly workers?: number;
}

/** Flux's defaults collide with one another and bind every interface; each gets free ports of the run's own address. */
async function startController(api: ApiServer, name: Controller, workers: number): Promise<Daemon> {
  const run = api.lab;
  const free = async () => `${run.loopback}:${await run.freePort()}`;
  const [metrics, health, storage] = [await free(), await free(), await free()];
  const tmp = join(run.dir, name);
  mkdirSync(join(tmp, 'data'), { recursive: true });
  const args = [
    '--enable-leader-election=false',
    '--watch-all-namespaces=true',
    '--events-addr=',
    `--concurrent=${workers}`,
    '--log-level=info',
    '--log-encoding=json',
    `--metrics-addr=${metrics}`,
    `--health-addr=${health}`,
  ];
  if (name === 'source-controller')
    args.push(`--storage-path=${tmp}/data`, `--storage-addr=${storage}`, `--storage-adv-addr=${storage}`);
  const daemon = run.start({
    name,
    command: toolPath(name),
    args,
    env: { KUBECONFIG: api.kubeconfig, RUNTIME_NAMESPACE: 'flux-system', TMPDIR: tmp, HOME: tmp },
  });
  await daemon.ready(async () => (await fetch(`http://${health}/readyz`)).ok);
  return daemon;
}

/** The two objects that make Flux apply a path of the repository. */
function followObjects(o: { name: string; path: string; url: string; wait: boolean }): string {
  const metadata = { name: o.name, namespace: 'flux-system' };
  const repository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: { interval: '10m', url: o.url, ref: { branch: 'main' } },
  };
  const kustomization = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: {
      interval: '10m',
      path: o.path,
      prune: true,
      wait: o.wait,
      sourceRef: { kind: 'GitRepository', name: o.name },
    },
  };
  return [repository, kustomization].map((object) => JSON.stringify(object)).join('\n---\n');
}

/** What condition Ready of an object says, if it says it of the newest generation. */
async function readyNow(api: ApiServer, object: string, namespace: string): Promise<Ready | undefined> {
  const text = await api.kubectl(
    '-n',
    namespace,
    'get',
    object,
    '-o',
    'jsonpath={.metadata.generation} {range .status.conditions[?(@.type=="Ready")]}{.observedGeneration} {.status} {.message}{end}',
  );
  const [generation, observed, status = '', ...message] = text.split(' ');
  return generation === observed ? { status, message: message.join(' ') } : undefined;
}
interface Ready {
  readonly status: string;
  readonly message: string;
}

/** Installs Flux's CRDs, makes namespace flux-system, and starts the controllers and a git server. */
export async function startFlux(api: ApiServer, { workers = 4 }: FluxOptions = {}): Promise<Flux> {
  demand('flux');
  const git = await startGit({ dir: api.lab.dir, host: api.lab.loopback, mark: api.lab.dir });
  api.lab.defer(() => git.close());
  await Promise.all([
    applyCrds(api, toolPath('flux-crds.yaml')),
    api.kubectl('create', 'namespace', 'flux-system'),
  ]);
  const [source, kustomize, helm] = await Promise.all([
    startController(api, 'source-controller', workers),
    startController(api, 'kustomize-controller', workers),
    startController(api, 'helm-controller', workers),
  ]);
  const controllers = {
    'source-controller': source,
    'kustomize-controller': kustomize,
    'helm-controller': helm,
  };
  return {
    git,
    controllers,
    async follow({ name = 'fleet', path, wait = false }) {
      await api.kubectlInput(followObjects({ name, path, url: git.url, wait }), 'apply', '-f', '-');
    },
    async reconcile(object, namespace = 'flux-system') {
      const now = `reconcile.fluxcd.io/requestedAt=${process.hrtime.bigint()}`;
      await api.kubectl('-n', namespace, 'annotate', '--overwrite', object, now);
    },
    async ready(object, { namespace = 'flux-system', status = 'True', timeoutMs = 60_000 } = {}) {
      let last: Ready | undefined;
      const done = async () => {
        last = await readyNow(api, object, namespace);
        return last?.status === status ? last : undefined;
      };
      try {
        return (await until(`${object} to be Ready=${status}`, done, { timeoutMs, everyMs: 200 })).message;
      } catch (e) {
        throw new Error(`${e instanceof Error ? e.message : e}; it is ${last?.status}: ${last?.message}`, {
          cause: e,
        });
      }
    },
    async stop() {
      await Promise.all([...Object.values(controllers).map((c) => c.stop()), git.close()]);
    },
  };
}
