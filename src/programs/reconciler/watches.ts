import { APPROVE, HELM_RELEASE_NAME, HELM_RELEASE_NAMESPACE, SOURCE } from '../../domain/api/annotations.ts';
import { type ConfigMap, ConfigMaps, type Secret, Secrets } from '../../domain/api/core.ts';
import { type HelmRelease, HelmReleases } from '../../domain/api/flux.ts';
import { type ConfigSource, ConfigSources, Plans } from '../../domain/api/herald.ts';
import { kind } from '../../domain/api/kind.ts';
import type { Kind, KubeObject } from '../../domain/api/object.ts';
import { object } from '../../domain/api/schema.ts';
import { type LiveObject, liveKind, OWNED, openContent } from '../../domain/desired/object.ts';
import { Reflector, type ReflectorState } from '../../platform/kube/reflector.ts';
import { whereOf } from './afresh.ts';
import { News } from './news.ts';
import type { Options } from './options.ts';
import { type SeenPlan, SeenPlans } from './plans.ts';
import { type Unreadable, unreadable } from './unreadable.ts';

/** Only its labels matter: helm-controller puts the HelmRelease's name there. */
const Deployments: Kind<KubeObject> = kind({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  schema: object({}),
  project: (_raw, metadata) => ({ metadata }),
});

export interface ReleaseRef {
  readonly name: string;
  readonly namespace: string;
}

/** The HelmRelease that delivers Herald, as far as it can be seen. */
export interface FoundRelease {
  readonly ref: ReleaseRef;
  /** "namespace/name". */
  readonly title: string;
  readonly object?: HelmRelease;
  /** RBAC keeps it from being read. */
  readonly forbidden: boolean;
}

/** Everything that the reconciler looks at, kept up to date. */
export class Watches {
  readonly owned: readonly Reflector<LiveObject>[];
  readonly values: Reflector<Secret>;
  readonly configSources: Reflector<ConfigSource>;
  readonly plans: Reflector<SeenPlan>;
  readonly #deployments: Reflector<KubeObject>;
  readonly #configMaps = new Map<string, Reflector<ConfigMap>>();
  readonly #o: Options;
  readonly #changed: () => void;
  #release: { readonly ref: ReleaseRef; readonly reflector: Reflector<HelmRelease> } | undefined;
  /** Reflectors that are no longer needed; close() waits for them too. */
  readonly #retired = new Set<Promise<void>>();
  #started = false;

  /** `changed`: anything changed. `gone`: the id of an owned object that is no more. */
  constructor(o: Options, changed: () => void, gone: (id: string) => void) {
    this.#o = o;
    this.#changed = changed;
    const { namespace, release } = o;
    this.owned = OWNED.map((address) => {
      // The controller counts addresses in the status of pools: no news for us.
      const reflector = this.#watch(liveKind(address), whereOf(address, o), ({ metadata, content }) => [
        metadata.labels,
        metadata.annotations,
        metadata.deletionTimestamp,
        openContent(content),
      ]);
      reflector.onChange((key) => {
        if (!reflector.store.get(key)) gone(`${address.kind} ${key.slice(key.indexOf('/') + 1)}`);
      });
      return reflector;
    });
    this.values = this.#watch(Secrets, { namespace, fieldSelector: `metadata.name=${release}-values` });
    this.configSources = this.#watch(ConfigSources, { namespace });
    this.plans = this.#watch(SeenPlans, { namespace }, ({ metadata }) => metadata.annotations[APPROVE]);
    const labelSelector = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=reconciler`;
    this.#deployments = this.#watch(Deployments, { namespace, labelSelector });
    this.follow(o.sourcesNamespaces);
  }

  start(): void {
    this.#started = true;
    for (const reflector of this.#all()) reflector.start();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all()].map((r) => r.close()));
    await Promise.all(this.#retired);
  }

  /** Follows the labelled ConfigMaps of Herald's own namespace and of these, and of no others. */
  follow(namespaces: readonly string[]): void {
    const wanted = new Set([this.#o.namespace, ...namespaces]);
    for (const [namespace, reflector] of this.#configMaps) {
      if (wanted.has(namespace)) continue;
      this.#configMaps.delete(namespace);
      this.#retire(reflector);
    }
    for (const namespace of wanted) {
      if (this.#configMaps.has(namespace)) continue;
      const reflector = this.#watch(ConfigMaps, { namespace, labelSelector: `${SOURCE}=true` });
      this.#configMaps.set(namespace, reflector);
      if (this.#started) reflector.start();
    }
  }

  configMaps(): readonly ConfigMap[] {
    return [...this.#configMaps.values()].flatMap((r) => [...r.store.list()]);
  }

  live(): readonly LiveObject[] {
    return this.owned.flatMap((r) => [...r.store.list()]);
  }

  /** The HelmRelease that delivers Herald: the given one, else the one that our Deployment's labels name. */
  helmRelease(override: ReleaseRef | undefined): FoundRelease | undefined {
    const ref = override ?? this.#labelled();
    if (
      this.#release &&
      (this.#release.ref.name !== ref?.name || this.#release.ref.namespace !== ref.namespace)
    ) {
      this.#retire(this.#release.reflector);
      this.#release = undefined;
    }
    if (!ref) return undefined;
    this.#release ??= { ref, reflector: this.#watchRelease(ref) };
    const { store, state } = this.#release.reflector;
    const title = `${ref.namespace}/${ref.name}`;
    const object = store.get(title);
    return { ref, title, forbidden: state.phase === 'forbidden', ...(object && { object }) };
  }

  /** Whether it is known if a HelmRelease freezes us: nothing is written before that. */
  get releaseKnown(): boolean {
    const settled = (r: { readonly synced: boolean; readonly state: ReflectorState }) =>
      r.synced || ['missing', 'forbidden'].includes(r.state.phase);
    return settled(this.#deployments) && (this.#release === undefined || settled(this.#release.reflector));
  }

  /** Kinds that sources are made of and that cannot be read. */
  unreadableSources(): readonly Unreadable[] {
    return [this.configSources, this.values, ...this.#configMaps.values()].flatMap((r) => unreadable(r));
  }

  /** Plans, where they cannot be read. */
  unreadablePlans(): readonly Unreadable[] {
    return unreadable(this.plans, Plans.kind);
  }

  /** Kinds that are written and cannot be read. */
  unreadableOwned(): readonly Unreadable[] {
    return this.owned.flatMap((r, i) => unreadable(r, OWNED[i]?.kind));
  }

  #labelled(): ReleaseRef | undefined {
    for (const { metadata } of this.#deployments.store.list()) {
      const name = metadata.labels[HELM_RELEASE_NAME];
      const namespace = metadata.labels[HELM_RELEASE_NAMESPACE];
      if (name !== undefined && namespace !== undefined) return { name, namespace };
    }
    return undefined;
  }

  #watchRelease({ name, namespace }: ReleaseRef): Reflector<HelmRelease> {
    const reflector = this.#watch(HelmReleases, { namespace, fieldSelector: `metadata.name=${name}` });
    if (this.#started) reflector.start();
    return reflector;
  }

  /** `relevant`: what of an object calls for a look when it changes; everything without it. */
  #watch<T extends KubeObject>(
    kind: Kind<T>,
    where: { namespace: string; labelSelector?: string; fieldSelector?: string },
    relevant: (object: T) => unknown = ({ metadata }) => metadata.resourceVersion,
  ): Reflector<T> {
    const { client, clock, random, log, metrics } = this.#o;
    const reflector = new Reflector({ client, kind, clock, random, log, metrics, ...where });
    const news = new News(reflector.store, relevant);
    reflector.onChange((key) => {
      if (news.of(key)) this.#changed();
    });
    reflector.onRelist(() => this.#changed());
    return reflector;
  }

  #retire(reflector: { close(): Promise<void> }): void {
    const closing = reflector.close().finally(() => this.#retired.delete(closing));
    this.#retired.add(closing);
  }

  *#all(): Generator<{ start(): void; close(): Promise<void> }, void, void> {
    yield* this.owned;
    yield this.values;
    yield this.configSources;
    yield this.plans;
    yield this.#deployments;
    yield* this.#configMaps.values();
    if (this.#release) yield this.#release.reflector;
  }
}
