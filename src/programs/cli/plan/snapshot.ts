import { APPROVE } from '../../../domain/api/annotations.ts';
import { Namespaces, Nodes, Pods, Secrets, Services } from '../../../domain/api/core.ts';
import { DecodeError } from '../../../domain/api/errors.ts';
import { ConfigSources, Plans } from '../../../domain/api/herald.ts';
import { apiVersion, type Kind, type KubeObject } from '../../../domain/api/object.ts';
import type { Scene } from '../../../domain/change/model.ts';
import { isObject, type Json, type JsonObject, toJson } from '../../../domain/desired/json.ts';
import { type Address, type LiveObject, liveKind, OWNED } from '../../../domain/desired/object.ts';

/** What a plan is made against: a cluster as it is, or as somebody wrote it down. */
export interface Snapshot {
  /** Objects of the kinds that Herald renders, in its namespace. Secrets are left out: no plan needs them. */
  readonly live: readonly LiveObject[];
  /** Names of the sources that the cluster has. */
  readonly sources: readonly string[];
  /** Absent where Services are not in the picture. */
  readonly scene: Scene | undefined;
  /** Approved digests by source. */
  readonly approved: ReadonlyMap<string, string>;
}

/** Kinds that Herald renders, but for Secrets. */
export const RENDERED: readonly Address[] = OWNED.filter(({ kind }) => kind !== Secrets.kind);

/** Kinds of a snapshot: those of Herald's namespace, and those of the whole cluster. */
export const IN_NAMESPACE: readonly Address[] = [...RENDERED, ConfigSources, Plans];
export const CLUSTER_WIDE: readonly Address[] = [Services, Namespaces, Nodes];

/**
 * Reads objects as the API server prints them. A snapshot without any Service, Namespace and Node was taken by somebody who may
 * not see them: it says nothing about Services. Throws DecodeError for an object that is not of its kind.
 */
export function snapshotOf(objects: readonly unknown[], namespace: string): Snapshot {
  const of = <T extends KubeObject>(kind: Kind<T>) =>
    objects.filter((o) => isA(o, kind)).map((o) => kind.decode(o));
  const here = <T extends KubeObject>(kind: Kind<T>) =>
    of(kind).filter((o) => o.metadata.namespace === namespace);
  const [services, namespaces, nodes] = [of(Services), of(Namespaces), of(Nodes)];
  const seen = services.length + namespaces.length + nodes.length > 0;
  return {
    live: RENDERED.flatMap((kind) => here(liveKind(kind))),
    sources: here(ConfigSources).map((o) => o.metadata.name),
    scene: seen
      ? { services: services.filter((s) => s.spec.type === 'LoadBalancer'), namespaces, nodes }
      : undefined,
    approved: new Map(
      here(Plans).flatMap(({ metadata: { name, annotations } }) => {
        const digest = annotations[APPROVE];
        return digest === undefined ? [] : [[name, digest] as const];
      }),
    ),
  };
}

/** The objects of a snapshot file: a List, or several. Throws SyntaxError and DecodeError. */
export function objectsOf(text: string): readonly unknown[] {
  const list = toJson(JSON.parse(text));
  const items = isObject(list) ? list.items : undefined;
  if (!Array.isArray(items)) throw new DecodeError('List', 'items', 'is not a list of objects');
  return items;
}

/** The snapshot as a file: a List that kubectl understands, without what a plan does not need. */
export function textOf(objects: readonly unknown[]): string {
  const items = objects.map((o) => lean(toJson(o)));
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 1)}\n`;
}

function isA(object: unknown, kind: Address): boolean {
  const json = typeof object === 'object' && object !== null ? object : {};
  return Reflect.get(json, 'kind') === kind.kind && Reflect.get(json, 'apiVersion') === apiVersion(kind);
}

/** Where a Pod runs and how it is; what it runs is nobody's business. */
function leanPod({ apiVersion, kind = '', spec, status }: JsonObject, metadata: JsonObject): JsonObject {
  const node = isObject(spec) ? spec.nodeName : undefined;
  const { phase = 'Unknown', conditions = [] } = isObject(status) ? status : {};
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    kind,
    metadata: { ...metadata, annotations: {} },
    spec: node === undefined ? {} : { nodeName: node },
    status: { phase, conditions },
  };
}

/** Bookkeeping of the API server and images of nodes are most of the bytes. */
function lean(object: Json): Json {
  if (!isObject(object)) return object;
  const { metadata, status, ...rest } = object;
  const { managedFields: _, ...kept } = isObject(metadata) ? metadata : ({} as JsonObject);
  if (object.kind === Pods.kind) return leanPod(object, kept);
  const conditions =
    isObject(status) && object.kind === 'Node' ? { conditions: status.conditions ?? [] } : status;
  return { ...rest, metadata: kept, ...(conditions !== undefined && { status: conditions }) };
}
