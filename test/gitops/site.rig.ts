/** Herald behind real Flux: places in git that Flux applies, each with a HelmRelease and a reconciler in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { client } from '../api/kube.rig.ts';
import { Home, RELEASE, type Running, type RunOptions } from '../api/reconciler.rig.ts';
import { at, condition, isCurrently, type Raw } from '../fleet/observe.ts';
import { until } from '../servers/exec.ts';
import { type ApiServer, type Flux, startApiServer, startFlux } from '../servers/index.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const REPOSITORY = { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' };
const HELM_CHART = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'HelmChart',
  metadata: { name: 'herald', namespace: 'flux-system' },
  spec: { interval: '10m', chart: './charts/herald', sourceRef: { kind: 'GitRepository', name: 'fleet' } },
};
/** Collections below a namespace. */
const PATHS = {
  helmrelease: 'apis/helm.toolkit.fluxcd.io/v2/*/helmreleases',
  kustomization: 'apis/kustomize.toolkit.fluxcd.io/v1/*/kustomizations',
} as const;

/** Files of the chart that stands for Herald's own, which a cluster without nodes cannot bring up. */
export function chartFiles(): Readonly<Record<string, string>> {
  const files = ['Chart.yaml', 'values.yaml', 'templates/release.yaml'];
  return Object.fromEntries(
    files.map((file) => [`charts/herald/${file}`, readFileSync(join(FIXTURES, 'chart', file), 'utf8')]),
  );
}

/** The recommended settings, but for retries that a test can wait for. */
export const RETRY = { strategy: { name: 'RetryOnFailure', retryInterval: '1s' } };
const NO_WAIT = { ...RETRY, disableWait: true };
/** For what does not depend on Flux's wait, which looks every five seconds. */
export const UNWAITED = { install: NO_WAIT, upgrade: NO_WAIT, uninstall: { disableWait: true } };

/** The manifest of a HelmRelease; it lies in the site's namespace, as in flux/base. `spec` adds to it, or overrides. */
export function releaseOf(site: string, spec: object, name = RELEASE): string {
  return JSON.stringify({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name, namespace: site },
    spec: {
      interval: '1h',
      timeout: '20s',
      releaseName: RELEASE,
      chartRef: { kind: 'HelmChart', name: 'herald', namespace: 'flux-system' },
      install: RETRY,
      upgrade: RETRY,
      driftDetection: { mode: 'enabled' },
      ...spec,
    },
  });
}

/** A ConfigMap or Secret that Flux's helm-controller watches; `text` under values.yaml. */
export function watched(kind: 'ConfigMap' | 'Secret', name: string, text: string): string {
  const metadata = { name, labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } };
  const content = { 'values.yaml': text };
  return JSON.stringify({
    apiVersion: 'v1',
    kind,
    metadata,
    ...(kind === 'Secret' ? { stringData: content } : { data: content }),
  });
}

export class SiteLab {
  readonly api: ApiServer;
  readonly kube: KubeClient;
  readonly flux: Flux;
  readonly #sites: Site[] = [];

  private constructor(api: ApiServer, kube: KubeClient, flux: Flux) {
    this.api = api;
    this.kube = kube;
    this.flux = flux;
  }

  static async start(): Promise<SiteLab> {
    const api = await startApiServer();
    const kube = await client(api.kubeconfig);
    const flux = await startFlux(api);
    await flux.git.push(
      { ...chartFiles(), 'clusters/lab/kustomization.yaml': 'resources: []\n' },
      'the chart',
    );
    await flux.follow({ path: './clusters/lab' });
    await api.kubectlInput(JSON.stringify(HELM_CHART), 'apply', '-f', '-');
    await flux.ready('helmchart/herald');
    return new SiteLab(api, kube, flux);
  }

  async stop(): Promise<void> {
    for (const site of this.#sites) await site.home.close();
    await this.kube.close();
    await this.api.stop();
  }

  /** A namespace, an empty folder of git, and a Kustomization that applies it there; `spec` adds to that. */
  async site(name: string, spec: object = {}): Promise<Site> {
    const site = new Site(this, await Home.make(this.api, this.kube, name));
    this.#sites.push(site);
    await site.commit({ 'kustomization.yaml': 'resources: []\n' });
    await this.kustomization(name, {
      path: `./sites/${name}`,
      prune: true,
      targetNamespace: name,
      ...spec,
    });
    return site;
  }

  /** Makes a Kustomization in flux-system. */
  async kustomization(name: string, spec: object): Promise<void> {
    const object = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name, namespace: 'flux-system' },
      spec: { interval: '1h', retryInterval: '1s', sourceRef: REPOSITORY, ...spec },
    };
    await this.api.kubectlInput(JSON.stringify(object), 'apply', '-f', '-');
  }

  /** Waits until an object is as wanted; throws with its last status. `never`: why it will not be so any more. */
  async see(
    kind: keyof typeof PATHS,
    where: { readonly namespace: string; readonly name: string },
    wanted: {
      readonly what: string;
      readonly until: (object: Raw) => boolean;
      readonly never?: (object: Raw) => string | undefined;
    },
  ): Promise<Raw> {
    const path = `/${PATHS[kind].replace('*', `namespaces/${where.namespace}`)}/${where.name}`;
    let last: unknown;
    let never: string | undefined;
    const probe = async (): Promise<Raw | undefined> => {
      const object = (await this.kube.request({ method: 'GET', path })) as Raw;
      last = object.status;
      never = wanted.never?.(object);
      return wanted.until(object) ? object : undefined;
    };
    const stop = () => (never === undefined ? undefined : new Error(never));
    return await until(`${where.name}: ${wanted.what}`, probe, { everyMs: 50, stop }).catch((e: unknown) => {
      throw new Error(`${String(e)}; last: ${JSON.stringify(last)}`);
    });
  }
}

/** Why a Kustomization does not take a commit. */
export function refusal(kustomization: Raw, id: string): string | undefined {
  const tried = at(kustomization, 'status.lastAttemptedRevision') === `main@sha1:${id}`;
  const ready = condition(kustomization, 'Ready');
  return tried && ready?.status === 'False' ? ready.message : undefined;
}

/** One installation of Herald, in a namespace and a folder of git of its own. */
export class Site {
  readonly home: Home;
  readonly #lab: SiteLab;
  #files = new Set<string>();

  constructor(lab: SiteLab, home: Home) {
    this.#lab = lab;
    this.home = home;
  }

  get name(): string {
    return this.home.namespace;
  }

  run(o: RunOptions = {}): Promise<Running> {
    return this.home.run(o);
  }

  /** Commits files into the site's folder, null takes one away, and asks Flux to look. The commit's id. */
  async commit(files: Readonly<Record<string, string | null>>): Promise<string> {
    const entries = Object.entries(files).map(
      ([path, text]) => [`sites/${this.name}/${path}`, text] as const,
    );
    for (const [path, text] of Object.entries(files))
      if (text === null) this.#files.delete(path);
      else if (path !== 'kustomization.yaml') this.#files.add(path);
    const id = await this.#lab.flux.git.push(
      {
        ...Object.fromEntries(entries),
        [`sites/${this.name}/kustomization.yaml`]: `resources: ${JSON.stringify([...this.#files])}\n`,
      },
      `${this.name}: ${Object.keys(files).join(', ')}`,
    );
    await this.#lab.flux.reconcile('gitrepository/fleet');
    return id;
  }

  /** The same, and waits until Flux has applied it. */
  async apply(files: Readonly<Record<string, string | null>>): Promise<void> {
    const id = await this.commit(files);
    await this.#lab.see(
      'kustomization',
      { namespace: 'flux-system', name: this.name },
      {
        what: `applied ${id}`,
        until: (o) => at(o, 'status.lastAppliedRevision') === `main@sha1:${id}`,
        never: (o) => refusal(o, id),
      },
    );
  }

  /** Commits the HelmRelease with these values, and what `spec` adds, and waits until Flux has applied it. */
  async values(values: unknown, spec: object = {}): Promise<void> {
    await this.apply({ 'release.yaml': releaseOf(this.name, { values, ...spec }) });
  }

  /** Waits until the HelmRelease is as wanted. */
  release(what: string, wanted: (object: Raw) => boolean, name = RELEASE): Promise<Raw> {
    return this.#lab.see('helmrelease', { namespace: this.name, name }, { what, until: wanted });
  }

  /** Waits until condition Ready of the HelmRelease has this status at its newest generation; its message. */
  async ready(status: 'True' | 'False' | 'Unknown' = 'True', name = RELEASE): Promise<string> {
    const current = (o: Raw): boolean => {
      const ready = at(o, 'status.conditions');
      const list: readonly unknown[] = Array.isArray(ready) ? ready : [];
      const found = list.find((c) => at(c, 'type') === 'Ready');
      return (
        at(found, 'status') === status &&
        at(found, 'observedGeneration') === at(o, 'metadata.generation') &&
        (status !== 'True' || isCurrently(o, 'Ready', 'True'))
      );
    };
    return condition(await this.release(`Ready=${status}`, current, name), 'Ready')?.message ?? '';
  }

  /** Waits until a pool has just these addresses. */
  async pool(name: string, ...addresses: readonly string[]): Promise<void> {
    let last: unknown;
    await this.home
      .eventually(`pool ${name}`, async () => {
        last = (await this.home.pool(name))?.spec.addresses;
        return JSON.stringify(last) === JSON.stringify(addresses);
      })
      .catch((e: unknown) => {
        throw new Error(`${String(e)}; it has ${JSON.stringify(last)}`);
      });
  }

  /** Which objects they are and how often their spec changed: equal texts mean that no address ever left a pool. */
  async pools(): Promise<readonly string[]> {
    return (await this.home.pools()).map(
      ({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.generation}`,
    );
  }

  /** Events about the HelmRelease: "reason: message". */
  async events(name = RELEASE): Promise<readonly string[]> {
    const path = `/api/v1/namespaces/${this.name}/events`;
    const answer = await this.home.kube.request({ method: 'GET', path });
    const items = at(answer, 'items');
    return (Array.isArray(items) ? items : [])
      .filter((e) => at(e, 'involvedObject.kind') === 'HelmRelease' && at(e, 'involvedObject.name') === name)
      .map((e) => `${at(e, 'reason')}: ${at(e, 'message')}`);
  }
}
