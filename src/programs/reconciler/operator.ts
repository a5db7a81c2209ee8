import patches, { type Operation } from 'fast-json-patch';
import { type RawObject, rawKind } from '../../domain/api/kind.ts';
import type { ObjectMeta } from '../../domain/api/object.ts';
import { addressPoolCrd, metallbCrd } from '../../domain/api/operator.ts';
import { isObject, type Json, type JsonObject, toJson } from '../../domain/desired/json.ts';
import type { Address } from '../../domain/desired/object.ts';
import type { Source } from '../../domain/desired/source.ts';
import { type Component, withSettings } from '../../domain/desired/workloads.ts';
import { isConflict, isForbidden, isInvalid } from '../../platform/kube/client.ts';
import { Reflector } from '../../platform/kube/reflector.ts';
import { resource } from '../../platform/kube/resource.ts';
import { News } from './news.ts';
import { NAME, type Options } from './options.ts';

/** Name of the ConfigSource that stands for the objects of OpenShift's operator. */
export const OPERATOR_SOURCE = 'operator-objects';

const READ: readonly Address[] = [addressPoolCrd, metallbCrd].map(({ group, kind, plural }) => ({
  group,
  version: 'v1beta1',
  kind,
  plural,
  namespaced: true,
}));

const apps = (kind: string, plural: string): Address => ({
  group: 'apps',
  version: 'v1',
  kind,
  plural,
  namespaced: true,
});
const CONFIG_MAPS: Address = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};

/** The chart's objects that settings act on. */
const WORKLOADS: readonly (readonly [Component, Address])[] = [
  ['controller', apps('Deployment', 'deployments')],
  ['speaker', apps('DaemonSet', 'daemonsets')],
  ['controller', CONFIG_MAPS],
  ['speaker', CONFIG_MAPS],
];

/** What became of the settings. failed: why, in words, with the mend; retry: a workload changed meanwhile, and another look will do. */
export interface Settled {
  readonly written: readonly string[];
  readonly failed?: string;
  readonly retry?: boolean;
}

/**
 * The objects of OpenShift's operator in Herald's namespace: pools are one source, and what the MetalLB object says about pods acts on
 * Herald's own. A cluster without these kinds has no such source.
 */
export class OperatorObjects {
  readonly #o: Options;
  readonly #read: readonly Reflector<RawObject>[];
  readonly #workloads: readonly (readonly [Component, Address, Reflector<RawObject>])[];

  /** `changed`: the objects did, or a workload that settings stand on. */
  constructor(o: Options, changed: () => void) {
    this.#o = o;
    const { namespace, release } = o;
    const watch = (kind: Address, labelSelector?: string) => {
      const where = { namespace, ...(labelSelector !== undefined && { labelSelector }) };
      const reflector = new Reflector({ ...o, kind: rawKind(kind), ...where });
      // Workloads change all the time in their status: no news for us.
      const news = new News(reflector.store, ({ metadata, raw }) => metadata.generation || dataOf(raw));
      reflector.onChange((key) => {
        if (news.of(key)) changed();
      });
      reflector.onRelist(changed);
      return reflector;
    };
    this.#read = READ.map((kind) => watch(kind));
    this.#workloads = WORKLOADS.map(([component, kind]) => {
      const labels = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=${component}`;
      return [component, kind, watch(kind, labels)] as const;
    });
  }

  start(): void {
    for (const reflector of this.#all()) reflector.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((r) => r.close()));
  }

  /** False while it is not known which objects there are. */
  get known(): boolean {
    return this.#read.every((r) => r.synced || ['missing', 'forbidden'].includes(r.state.phase));
  }

  /** All of them as one source, a list of native objects, with their names in its order; undefined when there are none. */
  source(): { readonly source: Source; readonly names: readonly string[] } | undefined {
    const { namespace } = this.#o;
    const objects = this.#read
      .flatMap((r) => [...r.store.list()])
      .map(({ raw }) => wordsOf(raw))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (objects.length === 0) return undefined;
    const title = `AddressPool and MetalLB objects of namespace ${namespace}`;
    return {
      source: { name: OPERATOR_SOURCE, title, secret: false, values: objects.map(({ words }) => words) },
      names: objects.map(({ name }) => name),
    };
  }

  /** Puts settings over the workloads, or takes them away again. Nothing is written where they are as they should be. */
  async settle(settings: JsonObject, signal: AbortSignal): Promise<Settled> {
    const written: string[] = [];
    for (const [component, kind, reflector] of this.#workloads) {
      for (const { metadata, raw } of reflector.store.list()) {
        const live = toJson(raw);
        if (!isObject(live) || !isWorkload(live, component)) continue;
        const ops = patches.compare({ ...live }, { ...withSettings(live, component, settings) });
        const owners = ownersOf(live);
        if (ops.length === 0 && !owners.some(isOurs)) continue;
        const subject = `${kind.kind} ${metadata.name}`;
        const failed = await this.#patch(kind, metadata, { ops, owners, signal });
        if (failed === 'changed') return { written, retry: true };
        if (failed !== undefined) return { written, failed: `${subject} ${failed}` };
        if (ops.length > 0) written.push(subject);
      }
    }
    if (written.length > 0) this.#o.log.info({ op: 'settings', written }, 'settings put on workloads');
    return { written };
  }

  /**
   * Carries out the changes, and leaves every field with whoever had it. Helm applies its objects on the server's side: a field that
   * another one has and that it wants otherwise would fail each of its upgrades. Answers why not, or 'changed'.
   */
  async #patch(
    kind: Address,
    { name, namespace = '', resourceVersion }: ObjectMeta,
    o: { readonly ops: readonly Operation[]; readonly owners: readonly Json[]; readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const workload = resource(this.#o.client, rawKind(kind));
    const patch = async (version: string, ops: readonly Operation[]): Promise<string> => {
      // Of what has another version by now, the API server says that it is a conflict.
      const guard: Operation = { op: 'replace', path: '/metadata/resourceVersion', value: version };
      const by = { fieldManager: NAME, signal: o.signal };
      const { metadata } = await workload.jsonPatch({ name, namespace }, [guard, ...ops], by);
      return metadata.resourceVersion;
    };
    const owners = o.owners.filter((owner) => !isOurs(owner));
    try {
      const version = o.ops.length > 0 ? await patch(resourceVersion, o.ops) : resourceVersion;
      await patch(version, [{ op: 'replace', path: '/metadata/managedFields', value: owners }]);
      return undefined;
    } catch (e) {
      if (isConflict(e)) return 'changed';
      if (isForbidden(e)) return 'may not be changed; crds.operatorKinds: true in the values allows it';
      if (isInvalid(e)) return `does not take them: ${e instanceof Error ? e.message : ''}`;
      throw e;
    }
  }

  #all(): readonly Reflector<RawObject>[] {
    return [...this.#read, ...this.#workloads.map(([, , reflector]) => reflector)];
  }
}

/** Who has which fields of it. */
function ownersOf({ metadata }: JsonObject): readonly Json[] {
  return isObject(metadata) && Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
}

const isOurs = (owner: Json): boolean => isObject(owner) && owner.manager === NAME;

/** The data of a ConfigMap, which has no generation. */
function dataOf(raw: unknown): unknown {
  return typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'data') : undefined;
}

/** What an author wrote of an object: no status, and nothing that the API server keeps for itself. Its name is "AddressPool/web". */
function wordsOf(raw: unknown): { readonly name: string; readonly words: JsonObject } {
  const json = toJson(raw);
  const { apiVersion = '', kind = '', metadata, spec = {} } = isObject(json) ? json : {};
  const { name = '', namespace = '', labels = {}, annotations = {} } = isObject(metadata) ? metadata : {};
  const words = { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
  return { name: `${textOf(kind)}/${textOf(name)}`, words };
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : '');

/** ConfigMaps of the chart with the labels of a component hold its live settings, if they hold a log level. */
function isWorkload(live: JsonObject, component: Component): boolean {
  if (live.kind !== 'ConfigMap') return true;
  const { data, metadata } = live;
  const name = isObject(metadata) ? textOf(metadata.name ?? '') : '';
  return isObject(data) && typeof data.logLevel === 'string' && name.endsWith(`-${component}`);
}
