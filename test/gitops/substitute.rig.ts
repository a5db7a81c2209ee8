/** What the real kustomize-controller makes of variables in an object, beside what ours makes of the same build. */
import { join } from 'node:path';
import { at } from '../../src/domain/api/check.ts';
import {
  isExempt,
  type PostBuild,
  substitute,
  variablesOf,
} from '../../src/domain/desired/flux/substitute.ts';
import { toJson } from '../../src/domain/desired/flux/value.ts';
import { readValues } from '../../src/domain/desired/flux/yaml.ts';
import { parseTree } from '../../src/platform/files/tree.ts';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { client } from '../api/kube.rig.ts';
import { until } from '../servers/exec.ts';
import { type ApiServer, startApiServer, startFlux } from '../servers/index.ts';
import { create, createObjects, dataOf, type Objects } from './objects.rig.ts';

export interface SubstituteCase {
  readonly what: string;
  /** What stands between `values:` and the end of the object, as lines below it. */
  readonly values: string;
  readonly postBuild?: (PostBuild & { readonly substituteStrategy?: 'WithVariables' | 'Always' }) | undefined;
  /** Beside name and namespace. */
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The build, its substitution or what came of it is not taken. */
export const REFUSED = 'refused';
/** The object's values. */
export type Substituted = { readonly values: unknown } | typeof REFUSED;

const NAMESPACE = 'substitute';
const nameOf = (i: number): string => `s${String(i).padStart(4, '0')}`;

export class SubstituteLab {
  readonly #api: ApiServer;
  readonly #kube: KubeClient;
  readonly #cases: readonly SubstituteCase[];
  readonly #objects: Objects;
  /** Text of each object, as Kustomize builds it. */
  readonly #built: ReadonlyMap<string, string>;

  private constructor(o: {
    api: ApiServer;
    kube: KubeClient;
    cases: readonly SubstituteCase[];
    objects: Objects;
    built: ReadonlyMap<string, string>;
  }) {
    this.#api = o.api;
    this.#kube = o.kube;
    this.#cases = o.cases;
    this.#objects = o.objects;
    this.#built = o.built;
  }

  /** Starts the servers, commits an object and makes a Kustomization for each case. `objects`: what substituteFrom finds. */
  static async start(
    cases: readonly SubstituteCase[],
    o: { objects: Objects; workers?: number },
  ): Promise<SubstituteLab> {
    const { objects, workers = 4 } = o;
    const api = await startApiServer({ crds: false });
    const kube = await client(api.kubeconfig);
    const flux = await startFlux(api, { workers });
    await api.kubectl('create', 'namespace', NAMESPACE);
    await createObjects(kube, { namespace: NAMESPACE, objects });
    await flux.git.push(files(cases), 'cases');
    await flux.follow({ path: './clusters/lab' });
    await flux.ready('gitrepository/fleet');
    await Promise.all(cases.map((c, i) => create(kube, kustomization(nameOf(i), c))));
    const stream = await api.kubectl('kustomize', join(flux.git.clone, 'cases'));
    const chunks = stream
      .split(/^---$/m)
      .map((text) => [/^ {2}name: (\S+)$/m.exec(text)?.[1] ?? '', text] as const);
    return new SubstituteLab({ api, kube, cases, objects, built: new Map(chunks) });
  }

  async stop(): Promise<void> {
    await this.#kube.close();
    await this.#api.stop();
  }

  /** Both answers to a case, once the controller has given its. */
  async compare(i: number): Promise<{ ours: Substituted; theirs: Substituted }> {
    return { theirs: await this.#theirs(nameOf(i)), ours: this.#ours(i) };
  }

  async #theirs(name: string): Promise<Substituted> {
    const ready = await until(
      `Kustomization ${name}`,
      async () => {
        const { status } = await this.#get<Status>('kustomize.toolkit.fluxcd.io/v1/kustomizations', name);
        const condition = status?.conditions?.find((c) => c.type === 'Ready');
        return condition?.status === 'Unknown' ? undefined : condition;
      },
      { timeoutMs: 300_000, everyMs: 100 },
    );
    if (ready.status === 'False') return REFUSED;
    const object = await this.#get<Release>('helm.toolkit.fluxcd.io/v2/helmreleases', name);
    return { values: object.spec.values };
  }

  #ours(i: number): Substituted {
    const { postBuild, metadata = {} } = this.#cases[i] ?? { what: '', values: '' };
    let text = this.#built.get(nameOf(i)) ?? '';
    if (postBuild && !isExempt(metadata)) {
      const found = variablesOf(postBuild, (kind, name) => dataOf(this.#objects, `${kind}/${name}`));
      if ('error' in found) return REFUSED;
      const done = substitute(text, found.variables, { always: postBuild.substituteStrategy === 'Always' });
      if ('error' in done) return REFUSED;
      text = done.text;
    }
    try {
      return { values: at(toJson(readValues(parseTree(text))), ['spec', 'values']) };
    } catch {
      return REFUSED;
    }
  }

  async #get<T>(kind: string, name: string): Promise<T> {
    const [group = '', version = '', plural = ''] = kind.split('/');
    const path = `/apis/${group}/${version}/namespaces/${NAMESPACE}/${plural}/${name}`;
    return (await this.#kube.request({ method: 'GET', path })) as T;
  }
}

interface Status {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}
interface Release {
  readonly spec: { readonly values?: unknown };
}

function files(cases: readonly SubstituteCase[]): Readonly<Record<string, string>> {
  const folders = cases.flatMap((c, i) => [
    [`cases/${nameOf(i)}/release.yaml`, manifest(nameOf(i), c)],
    [`cases/${nameOf(i)}/kustomization.yaml`, 'resources: [release.yaml]\n'],
  ]);
  return {
    ...Object.fromEntries(folders),
    'cases/kustomization.yaml': `resources: [${cases.map((_, i) => nameOf(i)).join(', ')}]\n`,
    'clusters/lab/kustomization.yaml': 'resources: []\n',
  };
}

/** A kind that holds any values; suspended, as nobody is to release it. */
function manifest(name: string, { values, metadata = {} }: SubstituteCase): string {
  const lines = values.split('\n').map((line) => `    ${line}`);
  return [
    'apiVersion: helm.toolkit.fluxcd.io/v2',
    'kind: HelmRelease',
    `metadata: ${JSON.stringify({ name, namespace: NAMESPACE, ...metadata })}`,
    'spec:',
    '  suspend: true',
    '  interval: 1h',
    '  chartRef: {kind: HelmChart, name: none}',
    '  values:',
    ...lines,
    '',
  ].join('\n');
}

function kustomization(name: string, { postBuild }: SubstituteCase) {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      interval: '1h',
      path: `./cases/${name}`,
      prune: false,
      sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' },
      ...(postBuild && { postBuild }),
    },
  };
}
