/** A reconciler in this process against a real API server, in a namespace of its own, and what its tests ask of both. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { KubeClient } from '../../src/platform/kube/client.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { createLog } from '../../src/platform/obs/log.ts';
import { Metrics } from '../../src/platform/obs/metrics.ts';
import { systemRandom } from '../../src/platform/obs/random.ts';
import type { Timing } from '../../src/programs/reconciler/options.ts';
import { reconcile } from '../../src/programs/reconciler/reconciler.ts';
import { until } from '../servers/exec.ts';
import { type ApiServer, startApiServer } from '../servers/index.ts';
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
    readonly state?: string;
    readonly history?: readonly { state: string; digest: string; summary: string; approvedBy?: string }[];
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
  readonly release?: string;
}

export interface ServiceOptions {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly loadBalancerClass?: string;
}

/** Starts one API server for the tests of a `describe`, and gives each test a namespace of its own with nothing running in it. */
export function eachWithHome(prefix: string, take: (home: Home) => void): void {
  let api: ApiServer;
  let kube: KubeClient;
  let home: Home;
  let serial = 0;
  beforeAll(async () => {
    api = await startApiServer();
    kube = await client(api.kubeconfig);
  });
  beforeEach(async () => {
    home = await Home.make(api, kube, `${prefix}-${++serial}`);
    take(home);
  });
  afterEach(() => home.close());
  afterAll(async () => {
    await kube?.close();
    await api?.stop();
  });
}

export class Home {
  readonly api: ApiServer;
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly #running = new Set<Running>();
  readonly #services = new Set<string>();

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
        release: o.release ?? RELEASE,
        sourcesNamespaces: o.sourcesNamespaces ?? [],
        identity: o.identity ?? 'test',
        timing: { unreadyMs: 200, pairMs: 300, maxBackoffMs: 500, churnMs: 20, ...o.timing },
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
    // Services of one test are in the way of the next one: the reconciler looks at those of all namespaces.
    for (const name of this.#services) await this.leave(name);
  }

  /** A Service that has these addresses, as a controller would have given them. */
  async service(name: string, ips: readonly string[], o: ServiceOptions = {}): Promise<void> {
    await this.wants(name, o);
    await this.holds(name, ips);
  }

  /** A Service that has no address yet. */
  async wants(name: string, o: ServiceOptions = {}): Promise<void> {
    const { annotations = {}, labels = {}, loadBalancerClass } = o;
    const path = `/api/v1/namespaces/${this.namespace}/services`;
    const spec = {
      type: 'LoadBalancer',
      ports: [{ port: 80 }],
      ...(loadBalancerClass && { loadBalancerClass }),
    };
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name, labels, annotations }, spec };
    await this.kube.request({ method: 'POST', path, body });
    this.#services.add(name);
  }

  /** Gives the Service these addresses in place of those that it has. */
  async holds(name: string, ips: readonly string[]): Promise<void> {
    await this.kube.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${this.namespace}/services/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } } },
    });
  }

  /** The Service goes. */
  async leave(name: string): Promise<void> {
    this.#services.delete(name);
    const path = `/api/v1/namespaces/${this.namespace}/services/${name}`;
    await this.kube.request({ method: 'DELETE', path });
  }

  plan(name: string = RELEASE): Promise<Raw | undefined> {
    return this.get('herald.io/plans', name);
  }

  /** Waits until the Plan is in this state, its status up to date. */
  async planned(state: string, name: string = RELEASE): Promise<Raw> {
    let last: Raw | undefined;
    return await this.eventually(`plan ${name} ${state}`, async () => {
      last = await this.plan(name);
      const current = last?.status?.observedGeneration === last?.metadata.generation;
      return last?.status?.state === state && current ? last : undefined;
    }).catch((e: unknown) => {
      throw new Error(`${String(e)}; last: ${JSON.stringify(last)}`);
    });
  }

  /** Approves what the Plan shows, or another digest. */
  async approve(digest?: string, name: string = RELEASE): Promise<void> {
    const shown = digest ?? String((await this.plan(name))?.spec.digest);
    const approval = `herald.io/approve=${shown}`;
    await this.api.kubectl('-n', this.namespace, 'annotate', '--overwrite', 'plan', name, approval);
  }

  /** What Helm writes on an upgrade: the Secret first, then the ConfigSource. */
  async values(values: unknown, release = RELEASE): Promise<void> {
    const text = typeof values === 'string' ? values : JSON.stringify(values);
    await this.secret(text, release);
    await this.configSource(`sha256:${createHash('sha256').update(text).digest('hex')}`, release);
  }

  async secret(text: string, release = RELEASE): Promise<void> {
    await this.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${release}-values` },
      type: 'Opaque',
      stringData: { 'values.json': text },
    });
  }

  async configSource(digest: string, release = RELEASE): Promise<void> {
    await this.apply({
      apiVersion: 'herald.io/v1alpha1',
      kind: 'ConfigSource',
      metadata: { name: release },
      spec: { secretName: `${release}-values`, digest },
    });
  }

  /** What Helm takes away on an uninstallation. */
  async uninstall(release = RELEASE): Promise<void> {
    await this.delete(`configsource/${release}`);
    await this.delete(`secret/${release}-values`);
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

  /** As `kubectl apply --server-side --force-conflicts` by somebody, without a process for each. */
  async apply(object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: {
      readonly name: string;
      readonly namespace?: string | undefined;
      readonly labels?: object;
    };
    readonly [field: string]: unknown;
  }): Promise<void> {
    const metadata = { namespace: this.namespace, ...object.metadata };
    const { apiVersion, kind } = object;
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const where = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    await this.kube.request({
      method: 'PATCH',
      path: `${root}${where}/${kind.toLowerCase()}s/${metadata.name}`,
      query: { fieldManager: 'someone', force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { ...object, metadata },
    });
  }

  /** "secret/name". */
  async delete(what: string): Promise<void> {
    const [kind = '', name = ''] = what.split('/');
    const path = `${ROOTS[kind] ?? '/api/v1'}/namespaces/${this.namespace}/${kind}s/${name}`;
    await this.kube.request({ method: 'DELETE', path });
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
      { timeoutMs: 30_000, everyMs: 20 },
    ).catch((e: unknown) => {
      throw new Error(`${String(e)}; last: ${last}`);
    });
  }

  /** Waits until it holds. */
  async eventually<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
    return await until(what, probe, { timeoutMs: 30_000, everyMs: 20 });
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
      'herald.io/plans',
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
    const touch = `touch=${await running.counter('renders_total{result="unchanged"}')}`;
    const secret = ['secret', `${RELEASE}-values`];
    await this.lookAt(running, () =>
      this.api.kubectl('-n', this.namespace, 'annotate', '--overwrite', ...secret, touch),
    );
  }

  /** Waits until the reconciler has looked at what happened, and changed nothing. */
  async lookAt(running: Running, happens?: () => Promise<unknown>): Promise<void> {
    const looks = () => running.counter('renders_total{result="unchanged"}');
    const before = await looks();
    await happens?.();
    await this.eventually('an idle look', async () => (await looks()) > before);
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
  { apiGroups: ['metallb.io'], resources: ['addresspools', 'metallbs'], verbs: ['list', 'watch'] },
  { apiGroups: ['herald.io'], resources: ['configsources', 'reservations', 'addressquotas'], verbs: OWN },
  { apiGroups: ['herald.io'], resources: ['configsources/status', 'plans/status'], verbs: ['patch'] },
  { apiGroups: ['herald.io'], resources: ['plans'], verbs: ['list', 'watch', 'create', 'patch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: OWN },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'watch', 'create', 'update'] },
  { apiGroups: ['apps'], resources: ['deployments', 'daemonsets'], verbs: ['list', 'watch'] },
];

/** And in the whole cluster. */
export const CLUSTER_RULES = [
  { apiGroups: [''], resources: ['services', 'namespaces', 'nodes'], verbs: ['list', 'watch'] },
];

/** Kubeconfig of a user with these rights only, but for those on the kinds left out. */
export async function restricted(home: Home, user: string, without: readonly string[] = []): Promise<string> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const apiGroup = 'rbac.authorization.k8s.io';
  const grant = async (kind: string, metadata: { name: string }, all: typeof RULES) => {
    const rules = all
      .map((rule) => ({ ...rule, resources: rule.resources.filter((r) => !without.includes(r)) }))
      .filter((rule) => rule.resources.length > 0);
    await home.apply({ apiVersion, kind, metadata, rules });
    await home.apply({
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup, kind, name: metadata.name },
      subjects: [{ kind: 'User', name: user, apiGroup }],
    });
  };
  await grant('Role', { name: user }, RULES);
  const clusterWide = { name: `${home.namespace}-${user}`, namespace: undefined };
  await grant('ClusterRole', clusterWide, CLUSTER_RULES);
  return await home.api.user(user);
}

const VERSIONS: Readonly<Record<string, string>> = {
  bgppeers: 'v1beta2',
  configsources: 'v1alpha1',
  plans: 'v1alpha1',
};

const ROOTS: Readonly<Record<string, string>> = {
  configsource: '/apis/herald.io/v1alpha1',
  ipaddresspool: '/apis/metallb.io/v1beta1',
};

export function conditions(source: Raw): Record<string, string> {
  return Object.fromEntries(
    (source.status?.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}`]),
  );
}

export function message(source: Raw): string {
  return source.status?.conditions?.find((c) => c.type === 'Ready')?.message ?? '';
}
