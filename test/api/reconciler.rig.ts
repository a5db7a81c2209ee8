/** A reconciler in this process against a real API server, in a namespace of its own, and what its tests ask of both. */
import { createHash } from 'node:crypto';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import type { Timing } from '../../src/programs/reconciler/options.ts';
import { reconcile } from '../../src/programs/reconciler/reconciler.ts';
import { until } from '../servers/exec.ts';
import type { ApiServer } from '../servers/index.ts';
import { client } from './kube.rig.ts';

export const RELEASE = 'herald';

/** What tests read of an object; the API server's JSON. */
export interface Raw {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: Record<string, unknown>;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly digest?: string;
    readonly pools?: number;
    readonly problems?: readonly Record<string, unknown>[];
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
  readonly data?: Record<string, string>;
  readonly type?: string;
}

export interface Running {
  readonly lines: string[];
  readonly metrics: Metrics;
  /** Value of a counter series, by a piece of its text: `renders_total{result="unchanged"}`. */
  counter(series: string): Promise<number>;
  /** Requests with these methods so far; the Lease's PUTs are what a quiet reconciler still sends. */
  requests(methods: readonly string[]): Promise<number>;
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly kubeconfig?: string;
  readonly sourcesNamespaces?: readonly string[];
  readonly timing?: Partial<Timing>;
  readonly identity?: string;
}

export class Home {
  readonly api: ApiServer;
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly #running = new Set<Running>();

  constructor(api: ApiServer, kube: KubeClient, namespace: string) {
    this.api = api;
    this.kube = kube;
    this.namespace = namespace;
  }

  static async make(api: ApiServer, kube: KubeClient, namespace: string): Promise<Home> {
    await api.kubectl('create', 'namespace', namespace);
    return new Home(api, kube, namespace);
  }

  async run(o: RunOptions = {}): Promise<Running> {
    const lines: string[] = [];
    const metrics = new Metrics({ defaults: false });
    const log = createLog({ level: 'debug', clock: systemClock, write: (l) => lines.push(l) });
    const kube = await client(o.kubeconfig ?? this.api.kubeconfig, { log, metrics });
    const stop = new AbortController();
    const done = reconcile(
      {
        client: kube,
        clock: systemClock,
        random: systemRandom,
        log,
        metrics,
        namespace: this.namespace,
        release: RELEASE,
        sourcesNamespaces: o.sourcesNamespaces ?? [],
        identity: o.identity ?? 'test',
        timing: { unreadyMs: 200, pairMs: 300, maxBackoffMs: 500, ...o.timing },
      },
      stop.signal,
    );
    const running: Running = {
      lines,
      metrics,
      counter: async (series) => {
        const text = await metrics.text();
        const line = text.split('\n').find((l) => l.startsWith('herald_reconciler_') && l.includes(series));
        return Number(line?.split(' ').at(-1) ?? 0);
      },
      requests: async (methods) => {
        const lines = (await metrics.text())
          .split('\n')
          .filter((l) => l.startsWith('herald_kube_requests_total{'));
        const wanted = lines.filter((l) => methods.some((m) => l.includes(`"${m}"`)));
        return wanted.reduce((sum, l) => sum + Number(l.split(' ').at(-1)), 0);
      },
      stop: async () => {
        this.#running.delete(running);
        stop.abort();
        await done;
        await kube.close();
      },
    };
    this.#running.add(running);
    return running;
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.stop();
  }

  /** What Helm writes on an upgrade: the Secret first, then the ConfigSource. */
  async values(values: unknown): Promise<void> {
    const text = typeof values === 'string' ? values : JSON.stringify(values);
    await this.secret(text);
    await this.configSource(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  }

  async secret(text: string): Promise<void> {
    await this.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${RELEASE}-values` },
      type: 'Opaque',
      stringData: { 'values.json': text },
    });
  }

  async configSource(digest: string): Promise<void> {
    await this.apply({
      apiVersion: 'herald.io/v1alpha1',
      kind: 'ConfigSource',
      metadata: { name: RELEASE },
      spec: { secretName: `${RELEASE}-values`, digest },
    });
  }

  async configMap(
    name: string,
    text: string,
    o: { namespace?: string; key?: string; label?: string } = {},
  ): Promise<void> {
    await this.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: o.namespace ?? this.namespace,
        labels: { 'herald.io/source': o.label ?? 'true' },
      },
      data: { [o.key ?? 'values.yaml']: text },
    });
  }

  async apply(object: Readonly<Record<string, unknown>> & { readonly metadata: object }): Promise<void> {
    const whole = { ...object, metadata: { namespace: this.namespace, ...object.metadata } };
    await this.api.kubectlInput(
      JSON.stringify(whole),
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=someone',
      '-f',
      '-',
    );
  }

  async delete(what: string, namespace = this.namespace): Promise<void> {
    await this.api.kubectl('-n', namespace, 'delete', what, '--wait=true');
  }

  async get(what: string, name: string): Promise<Raw | undefined> {
    return (await this.list(what)).find((o) => o.metadata.name === name);
  }

  async list(what: string): Promise<readonly Raw[]> {
    const [group = '', plural = ''] = what.includes('/') ? what.split('/') : ['', what];
    const root = group === '' ? '/api/v1' : `/apis/${group}/${VERSIONS[plural] ?? 'v1beta1'}`;
    const answer = await this.kube.request({
      method: 'GET',
      path: `${root}/namespaces/${this.namespace}/${plural}`,
    });
    return (answer as { items: Raw[] }).items;
  }

  pools(): Promise<readonly Raw[]> {
    return this.list('metallb.io/ipaddresspools');
  }

  pool(name: string): Promise<Raw | undefined> {
    return this.get('metallb.io/ipaddresspools', name);
  }

  source(name: string = RELEASE): Promise<Raw | undefined> {
    return this.get('herald.io/configsources', name);
  }

  /** Waits until a condition of the ConfigSource says this of its newest generation. */
  async told(reason: string, o: { name?: string; type?: string; status?: string } = {}): Promise<Raw> {
    const { name = RELEASE, type = 'Ready' } = o;
    let last = '';
    return await until(
      `${name} ${type} ${reason}`,
      async () => {
        const source = await this.source(name);
        const condition = source?.status?.conditions?.find((c) => c.type === type);
        last = JSON.stringify(source?.status);
        const fits =
          condition?.reason === reason &&
          (o.status === undefined || condition.status === o.status) &&
          source?.status?.observedGeneration === source?.metadata.generation;
        return fits ? source : undefined;
      },
      { timeoutMs: 15_000, everyMs: 20 },
    ).catch((e: unknown) => {
      throw new Error(`${String(e)}; last: ${last}`);
    });
  }

  /** Waits until it holds. */
  async eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
    return await until(what, probe, { timeoutMs: 15_000, everyMs: 20 });
  }

  /** Versions of everything that Herald writes: equal lists mean that nothing was written. */
  async versions(): Promise<readonly string[]> {
    const kinds = [
      ...[
        'ipaddresspools',
        'l2advertisements',
        'bgpadvertisements',
        'bgppeers',
        'bfdprofiles',
        'communities',
      ].map((plural) => `metallb.io/${plural}`),
      'herald.io/configsources',
      'secrets',
    ];
    const lists = await Promise.all(kinds.map(async (kind) => [kind, await this.list(kind)] as const));
    return lists.flatMap(([kind, list]) =>
      list.map((o) => `${kind}/${o.metadata.name}@${o.metadata.resourceVersion}`),
    );
  }

  async events(
    name = RELEASE,
  ): Promise<readonly { reason: string; message: string; type: string; count: number }[]> {
    const answer = await this.kube.request({
      method: 'GET',
      path: `/api/v1/namespaces/${this.namespace}/events`,
    });
    const { items } = answer as {
      items: {
        reason: string;
        message: string;
        type: string;
        count: number;
        involvedObject: { name: string };
      }[];
    };
    return items.filter((e) => e.involvedObject.name === name);
  }

  /** Makes the reconciler look again, and waits until it has looked and changed nothing. */
  async lookAgain(running: Running): Promise<void> {
    const before = await running.counter('renders_total{result="unchanged"}');
    await this.api.kubectl(
      '-n',
      this.namespace,
      'annotate',
      '--overwrite',
      'secret',
      `${RELEASE}-values`,
      `touch=${before}`,
    );
    await this.eventually(
      'an idle look',
      async () => (await running.counter('renders_total{result="unchanged"}')) > before,
    );
  }
}

const KINDS = [
  'ipaddresspools',
  'l2advertisements',
  'bgpadvertisements',
  'bgppeers',
  'bfdprofiles',
  'communities',
];
const OWN = ['list', 'watch', 'create', 'patch', 'delete'];

/** All that the reconciler may do in its own namespace: the table of its README. */
export const RULES = [
  { apiGroups: ['metallb.io'], resources: KINDS, verbs: OWN },
  { apiGroups: ['herald.io'], resources: ['configsources'], verbs: OWN },
  { apiGroups: ['herald.io'], resources: ['configsources/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: OWN },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list', 'watch'] },
];

/** Kubeconfig of a user with these rights only, but for those on the kinds left out. */
export async function restricted(home: Home, name: string, without: readonly string[] = []): Promise<string> {
  const rules = RULES.map((rule) => ({
    ...rule,
    resources: rule.resources.filter((kind) => !without.includes(kind)),
  })).filter((rule) => rule.resources.length > 0);
  await home.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules });
  await home.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }],
  });
  return await home.api.user(name);
}

const VERSIONS: Readonly<Record<string, string>> = { bgppeers: 'v1beta2', configsources: 'v1alpha1' };

export function conditions(source: Raw): Record<string, string> {
  return Object.fromEntries(
    (source.status?.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}`]),
  );
}

export function message(source: Raw): string {
  return source.status?.conditions?.find((c) => c.type === 'Ready')?.message ?? '';
}
