/** One kind at the API server: read, list, write. */
import type { Operation } from 'fast-json-patch';
import { DecodeError } from '../../domain/api/errors.ts';
import type { Kind, KubeObject } from '../../domain/api/object.ts';
import { type ApplyOptions, applyRequest, type WriteOptions, writeQuery } from './apply.ts';
import { isNotFound, isRecord } from './errors.ts';
import { listPages } from './pager.ts';
import { collectionPath, objectPath, type Ref } from './paths.ts';
import type { KubeClient, Request } from './ports.ts';

export type { ApplyOptions, WriteOptions } from './apply.ts';
export type { Ref } from './paths.ts';

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Default "": a quorum read, the truth of this moment. "0": what the server's cache has, cheap and perhaps old. */
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface Listed<T> {
  readonly items: T[];
  readonly resourceVersion: string;
  /** Objects that do not have the shape of the kind; they are not among `items`. */
  readonly invalid: DecodeError[];
}

export interface DeleteOptions {
  /** Delete only this incarnation; 409 otherwise. */
  readonly uid?: string;
  /** Delete only as last seen; 409 otherwise. */
  readonly resourceVersion?: string;
  readonly propagationPolicy?: string;
  readonly signal?: AbortSignal;
}

/**
 * Every method throws ApiError, ConnectionError, AbortError, or DecodeError when the answer is not of the kind. Writes return
 * the object as the server stored it. Patches are merge patches or JSON patches: strategic merge does not exist for custom resources.
 */
export interface Resource<T extends KubeObject> {
  /** undefined when there is none. */
  get(ref: Ref, o?: { readonly signal?: AbortSignal }): Promise<T | undefined>;
  list(o?: ListOptions): Promise<Listed<T>>;
  /** `body` is a whole object; its metadata.namespace says where. */
  create(body: object, o?: WriteOptions): Promise<T>;
  replace(ref: Ref, body: object, o?: WriteOptions): Promise<T>;
  /** With metadata.resourceVersion in the body it is refused (409) once the object has moved on. */
  mergePatch(ref: Ref, body: object, o?: WriteOptions): Promise<T>;
  jsonPatch(ref: Ref, ops: readonly Operation[], o?: WriteOptions): Promise<T>;
  /** `body` has apiVersion, kind, metadata.name and, where the kind has one, metadata.namespace. */
  apply(body: object, o: ApplyOptions): Promise<T>;
  /** An object that is not there counts as deleted. */
  delete(ref: Ref, o?: DeleteOptions): Promise<void>;
}

/** Reads where a body wants to be; throws when a name is missing. */
function refOf(kind: Kind, body: object): Ref {
  const meta: unknown = 'metadata' in body ? body.metadata : undefined;
  const name = isRecord(meta) && typeof meta.name === 'string' ? meta.name : '';
  const namespace = isRecord(meta) && typeof meta.namespace === 'string' ? meta.namespace : undefined;
  if (name === '') throw new Error(`${kind.kind}: metadata.name missing`);
  return namespace === undefined ? { name } : { name, namespace };
}

export function resource<T extends KubeObject>(client: KubeClient, kind: Kind<T>): Resource<T> {
  const write = async (r: Omit<Request, 'query'>, o: WriteOptions): Promise<T> =>
    kind.decode(
      await client.request({ ...r, query: writeQuery(o), ...(o.signal ? { signal: o.signal } : {}) }),
    );
  const at = (ref: Ref, o: WriteOptions) => objectPath(kind, ref, o.subresource);

  return {
    async get(ref, o = {}) {
      try {
        return kind.decode(await client.request({ method: 'GET', path: objectPath(kind, ref), ...o }));
      } catch (e) {
        if (isNotFound(e)) return undefined;
        throw e;
      }
    },

    list: (o = {}) => list(client, kind, o),

    async create(body, o = {}) {
      const { namespace } = refOf(kind, body);
      if (kind.namespaced && namespace === undefined)
        throw new Error(`${kind.kind}: metadata.namespace missing`);
      return await write({ method: 'POST', path: collectionPath(kind, namespace), body }, o);
    },

    replace: async (ref, body, o = {}) => write({ method: 'PUT', path: at(ref, o), body }, o),

    mergePatch: async (ref, body, o = {}) =>
      write({ method: 'PATCH', path: at(ref, o), contentType: 'application/merge-patch+json', body }, o),

    jsonPatch: async (ref, ops, o = {}) =>
      write({ method: 'PATCH', path: at(ref, o), contentType: 'application/json-patch+json', body: ops }, o),

    async apply(body, o) {
      return kind.decode(await client.request(applyRequest(at(refOf(kind, body), o), body, o)));
    },

    async delete(ref, o = {}) {
      const { uid, resourceVersion, propagationPolicy, signal } = o;
      const guarded = uid !== undefined || resourceVersion !== undefined;
      const body = { propagationPolicy, ...(guarded ? { preconditions: { uid, resourceVersion } } : {}) };
      try {
        await client.request({
          method: 'DELETE',
          path: objectPath(kind, ref),
          body,
          ...(signal ? { signal } : {}),
        });
      } catch (e) {
        if (!isNotFound(e)) throw e;
      }
    },
  };
}

async function list<T extends KubeObject>(
  client: KubeClient,
  kind: Kind<T>,
  o: ListOptions,
): Promise<Listed<T>> {
  let items: T[] = [];
  let invalid: DecodeError[] = [];
  const resourceVersion = await listPages(client, {
    path: collectionPath(kind, o.namespace),
    labelSelector: o.labelSelector,
    fieldSelector: o.fieldSelector,
    resourceVersion: o.resourceVersion ?? '',
    signal: o.signal,
    read(raw) {
      try {
        return kind.decode(raw);
      } catch (e) {
        if (e instanceof DecodeError) return e;
        throw e;
      }
    },
    item(value) {
      if (value instanceof DecodeError) invalid.push(value);
      else items.push(value);
    },
    restart() {
      items = [];
      invalid = [];
    },
  });
  return { items, resourceVersion, invalid };
}
