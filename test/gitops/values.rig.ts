/** The real helm-controller's answer to "what are the values of this HelmRelease?", beside ours. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type HelmRelease, HelmReleases, type ValuesReference } from '../../src/domain/api/flux.ts';
import { configDigest } from '../../src/domain/desired/flux/digest.ts';
import { ValuesError } from '../../src/domain/desired/flux/errors.ts';
import { effectiveValues } from '../../src/domain/desired/flux/merge.ts';
import { toJson } from '../../src/domain/desired/flux/value.ts';
import { parseTree } from '../../src/platform/files/tree.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { resource } from '../../src/platform/kube/resource.ts';
import { client } from '../api/kube.rig.ts';
import { until } from '../servers/exec.ts';
import { type ApiServer, type Flux, startApiServer, startFlux } from '../servers/index.ts';
import { create, createObjects, dataOf, type Objects } from './objects.rig.ts';

export interface ValuesCase {
  readonly what: string;
  readonly values?: unknown;
  readonly from?: readonly ValuesReference[];
  /** Objects of this case alone; its references mean them. */
  readonly objects?: Objects;
}

/** There are no values: a reference leads nowhere, or cannot be read. */
export const REFUSED = 'refused';
export type Answer = { readonly values: unknown; readonly digest: string } | typeof REFUSED;

const NAMESPACE = 'values';
const CHART = 'plain';
const HELM_CHART = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'HelmChart',
  metadata: { name: CHART, namespace: 'flux-system' },
  spec: { interval: '10m', chart: './charts/plain', sourceRef: { kind: 'GitRepository', name: 'fleet' } },
};

export class ValuesLab {
  readonly #api: ApiServer;
  readonly #kube: KubeClient;
  #made = 0;

  private constructor(api: ApiServer, kube: KubeClient) {
    this.#api = api;
    this.#kube = kube;
  }

  /** Starts the servers and one chart, which all releases share. `workers`: releases under way at once. */
  static async start(o: { workers?: number } = {}): Promise<ValuesLab> {
    const api = await startApiServer({ crds: false });
    const kube = await client(api.kubeconfig);
    const flux = await startFlux(api, { workers: o.workers ?? 4 });
    await api.kubectl('create', 'namespace', NAMESPACE);
    await pushChart(flux);
    await flux.follow({ path: './clusters/lab' });
    await api.kubectlInput(JSON.stringify(HELM_CHART), 'apply', '-f', '-');
    await flux.ready(`helmchart/${CHART}`);
    return new ValuesLab(api, kube);
  }

  async stop(): Promise<void> {
    await this.#kube.close();
    await this.#api.stop();
  }

  /** Makes objects that cases without objects of their own refer to. */
  async share(objects: Objects): Promise<void> {
    await createObjects(this.#kube, { namespace: NAMESPACE, objects });
  }

  /** Makes a HelmRelease for each case; its handle. The objects are there before it. */
  async put(cases: readonly ValuesCase[]): Promise<readonly string[]> {
    return await Promise.all(cases.map((c) => this.#case(`v${String(++this.#made).padStart(4, '0')}`, c)));
  }

  /** Both answers, once the controller has given its. `objects`: what the case's references lead to. */
  async compare(name: string, objects: Objects): Promise<{ ours: Answer; theirs: Answer }> {
    const theirs = await this.#theirs(name);
    return { ours: await this.#ours(name, objects), theirs };
  }

  async #theirs(name: string): Promise<Answer> {
    return await until(`release ${name}`, async () => this.#answer(name), {
      timeoutMs: 300_000,
      everyMs: 200,
    });
  }

  async #answer(name: string): Promise<Answer | undefined> {
    const release = await this.#release(name);
    const ready = release?.status.conditions.find((c) => c.type === 'Ready');
    if (ready?.reason === 'ValuesError') return REFUSED;
    // Ready is written a moment before the history.
    const [newest] = release?.status.history ?? [];
    if (ready?.status === 'True' && newest) {
      const [values] = await this.#stored(`owner=helm,name=${name},version=${newest.version}`);
      return { values, digest: newest.configDigest };
    }
    const digest = release?.status.lastAttemptedConfigDigest;
    return digest === undefined ? undefined : this.#restless(name, digest);
  }

  /** An integer beyond 2^53 comes back from the storage as another number: the controller releases again and again, never Ready. */
  async #restless(name: string, digest: string): Promise<Answer | undefined> {
    const versions = await this.#stored(`owner=helm,name=${name}`);
    return versions.length < 2 ? undefined : { values: versions[0], digest };
  }

  /** As the reconciler computes it, from the HelmRelease as the API server has it. */
  async #ours(name: string, objects: Objects): Promise<Answer> {
    const release = await this.#release(name);
    if (!release) throw new Error(`no HelmRelease ${name}`);
    try {
      const values = effectiveValues({
        inline: release.spec.values,
        references: release.spec.valuesFrom,
        data: (kind, id) => dataOf(objects, `${kind}/${id.replace(`${name}-`, '')}`),
        parse: parseTree,
      });
      return { values: toJson(values), digest: configDigest(values) };
    } catch (e) {
      if (e instanceof ValuesError) return REFUSED;
      throw e;
    }
  }

  #release(name: string): Promise<HelmRelease | undefined> {
    return resource(this.#kube, HelmReleases).get({ namespace: NAMESPACE, name });
  }

  async #case(name: string, { values, from = [], objects }: ValuesCase): Promise<string> {
    if (objects) await createObjects(this.#kube, { namespace: NAMESPACE, objects, prefix: `${name}-` });
    await create(this.#kube, {
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        interval: '1h',
        chartRef: { kind: 'HelmChart', name: CHART, namespace: 'flux-system' },
        valuesFrom: from.map((ref) => (objects ? { ...ref, name: `${name}-${ref.name}` } : ref)),
        ...(values !== undefined && { values }),
      },
    });
    return name;
  }

  /** The values that Helm stored with the releases of these labels. */
  async #stored(labelSelector: string): Promise<readonly unknown[]> {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets`;
    const answer = await this.#kube.request({ method: 'GET', path, query: { labelSelector } });
    const { items } = answer as { items: { data: { release: string } }[] };
    return items.map(({ data }) => {
      const gzip = Buffer.from(Buffer.from(data.release, 'base64').toString(), 'base64');
      return (JSON.parse(gunzipSync(gzip).toString()) as { config?: unknown }).config ?? {};
    });
  }
}

async function pushChart(flux: Flux): Promise<void> {
  const files = ['Chart.yaml', 'templates/nothing.yaml'].map((file) => [
    `charts/plain/${file}`,
    readFileSync(join(import.meta.dirname, 'fixtures/plain', file), 'utf8'),
  ]);
  await flux.git.push(
    { ...Object.fromEntries(files), 'clusters/lab/kustomization.yaml': 'resources: []\n' },
    'chart',
  );
}
