import { isDeepStrictEqual } from 'node:util';
import {
  type Namespace,
  Namespaces,
  type Node,
  Nodes,
  type Service,
  Services,
} from '../../domain/api/core.ts';
import type { Kind, KubeObject, ObjectMeta } from '../../domain/api/object.ts';
import type { Scene } from '../../domain/change/model.ts';
import { isForbidden } from '../../platform/kube/client.ts';
import { Reflector } from '../../platform/kube/reflector.ts';
import { resource } from '../../platform/kube/resource.ts';
import { type Change, News } from './news.ts';
import type { Options } from './options.ts';
import { type Unreadable, unreadable } from './unreadable.ts';

/** The API server picks them out: of ten thousand Services most are of another type. */
const BALANCED = 'spec.type=LoadBalancer';

const NOTHING: Readonly<Record<string, string>> = Object.freeze({});
const NOBODY: readonly never[] = Object.freeze([]);
/** Annotations that say something about addresses, under the present prefixes and upstream's old one. */
const MEANT = /^(metallb\.io|metallb\.universe\.tf|herald\.io)\//;

function lean<T extends KubeObject>(kind: Kind<T>, shrink: (object: T) => T): Kind<T> {
  return { ...kind, decode: (raw) => shrink(kind.decode(raw)) };
}

function leanMeta(meta: ObjectMeta, annotations: ObjectMeta['annotations'] = NOTHING): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, labels, creationTimestamp } = meta;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    uid,
    resourceVersion,
    generation,
    labels,
    annotations,
    ...(creationTimestamp !== undefined && { creationTimestamp }),
  };
}

/** Services without what no judgement looks at. */
export const SceneServices: Kind<Service> = lean(Services, ({ metadata, spec, status }) => {
  const meant = Object.entries(metadata.annotations).filter(([name]) => MEANT.test(name));
  return {
    metadata: leanMeta(metadata, meant.length > 0 ? Object.fromEntries(meant) : NOTHING),
    // Only Services with local endpoints compare their selectors, when they share an address.
    spec: { ...spec, selector: spec.externalTrafficPolicy === 'Local' ? spec.selector : NOTHING },
    status: { ingress: status.ingress, conditions: NOBODY },
  };
});

const SceneNamespaces: Kind<Namespace> = lean(Namespaces, (o) => ({ ...o, metadata: leanMeta(o.metadata) }));
const SceneNodes: Kind<Node> = lean(Nodes, (o) => ({ ...o, metadata: leanMeta(o.metadata) }));

/** Which Services are Herald's to serve. */
export type Served = (service: Service) => boolean;

/** Follows what a change may hurt, and says when a change of that calls for another look. */
export class Scenery {
  readonly #o: Options;
  readonly #services: Reflector<Service>;
  readonly #namespaces: Reflector<Namespace>;
  readonly #nodes: Reflector<Node>;
  readonly #wake: () => void;
  /** Services, as "namespace/name", for which a change waits; undefined when none waits. */
  #waiting: ReadonlySet<string> | undefined;
  #changes = 0;

  /** `wake`: the outcome of the last judgement may be another one now. */
  constructor(o: Options, wake: () => void) {
    this.#o = o;
    this.#wake = wake;
    const { client, clock, random, log, metrics } = o;
    const common = { client, clock, random, log, metrics };
    this.#services = new Reflector({ ...common, kind: SceneServices, fieldSelector: BALANCED });
    this.#namespaces = new Reflector({ ...common, kind: SceneNamespaces });
    this.#nodes = new Reflector({ ...common, kind: SceneNodes });
    const services = new News(this.#services.store, ({ metadata, spec, status }) => [
      metadata.labels,
      metadata.annotations,
      spec,
      status.ingress,
    ]);
    this.#services.onChange((key) => {
      const news = services.of(key);
      if (news) this.#changed(key, news);
    });
    this.#follow(this.#namespaces, ({ metadata }) => metadata.labels);
    this.#follow(this.#nodes, ({ metadata, spec, status }) => [metadata.labels, spec, status.conditions]);
  }

  start(): void {
    for (const reflector of this.#all()) reflector.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((reflector) => reflector.close()));
  }

  /** The kinds that cannot be read now, and why. */
  unreadable(): readonly Unreadable[] {
    return [
      ...unreadable(this.#services, Services.kind),
      ...unreadable(this.#namespaces, Namespaces.kind),
      ...unreadable(this.#nodes, Nodes.kind),
    ];
  }

  /** What the watches have brought; undefined where one of the kinds cannot be read. */
  scene(served: Served): Scene | undefined {
    if (this.unreadable().length > 0) return undefined;
    return this.#sceneOf(this.#services.store.list(), served);
  }

  /** The same with the Services that the API server has at this moment: one may have got its address since. */
  async fresh(served: Served, signal: AbortSignal): Promise<Scene | undefined> {
    if (this.unreadable().length > 0) return undefined;
    try {
      const services = resource(this.#o.client, SceneServices);
      const { items } = await services.list({ fieldSelector: BALANCED, signal });
      return this.#sceneOf(items, served);
    } catch (e) {
      if (isForbidden(e)) return undefined;
      throw e;
    }
  }

  /** How many changes have been seen. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * For whom changes wait since a look that began after so many `changes`. From now on it is told when one of these Services changes,
   * when any address comes or goes, and when Namespaces or Nodes change; and at once, if something has changed since the look began.
   * Without Services nothing waits, and no change of these kinds matters.
   */
  awaits(services: ReadonlySet<string> | undefined, changes: number): void {
    this.#waiting = services;
    if (services && changes !== this.#changes) this.#wake();
  }

  #sceneOf(services: Iterable<Service>, served: Served): Scene {
    return {
      services: [...services].filter(served),
      namespaces: [...this.#namespaces.store.list()],
      nodes: [...this.#nodes.store.list()],
    };
  }

  #changed(key: string, { before, now }: Change<Service>): void {
    this.#changes++;
    if (!this.#waiting) return;
    if (this.#waiting.has(key) || !isDeepStrictEqual(addressesOf(before), addressesOf(now))) this.#wake();
  }

  #follow<T extends KubeObject>(reflector: Reflector<T>, relevant: (object: T) => unknown): void {
    const news = new News(reflector.store, relevant);
    reflector.onChange((key) => {
      if (!news.of(key)) return;
      this.#changes++;
      if (this.#waiting) this.#wake();
    });
  }

  #all(): readonly Pick<Reflector<KubeObject>, 'start' | 'close'>[] {
    return [this.#services, this.#namespaces, this.#nodes];
  }
}

function addressesOf(service: Service | undefined): readonly string[] {
  return service?.status.ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip])) ?? NOBODY;
}
