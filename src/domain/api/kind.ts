import { LAST_APPLIED } from './annotations.ts';
import { type Checker, checker, pathText } from './check.ts';
import { DecodeError } from './errors.ts';
import { apiVersion, type Kind, type KubeObject, type ObjectMeta } from './object.ts';
import { bool, int, list, map, object, type Schema, str, type TypeOf } from './schema.ts';

const OWNER = object(
  { apiVersion: str(), kind: str(), name: str(), uid: str(), controller: bool() },
  undefined,
  { required: ['apiVersion', 'kind', 'name', 'uid'] },
);

const META = object(
  {
    name: str(),
    namespace: str(),
    uid: str(),
    resourceVersion: str(),
    generation: int(),
    labels: map(str()),
    annotations: map(str()),
    creationTimestamp: str(),
    deletionTimestamp: str(),
    ownerReferences: list(OWNER),
  },
  undefined,
  { required: ['name'] },
);
type RawMeta = TypeOf<typeof META>;

const WITH_META = checker(object({ metadata: META }, undefined, { required: ['metadata'] }));
const NAMED = checker(object({ metadata: object({ name: str(), namespace: str() }) }));

interface KindOptions<R, T extends KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** What is checked beside metadata. */
  readonly schema: Schema<R>;
  /** `raw` may have lost its nulls; `original` is the object as it came. */
  readonly project: (raw: R, metadata: ObjectMeta, original: unknown) => T;
}

/**
 * A Kind from the schema of its raw form and a projection. Nulls are accepted wherever the API server accepts them:
 * as the value of an optional field they mean "absent" (Go writes nil lists as null).
 */
export function kind<R, T extends KubeObject>(o: KindOptions<R, T>): Kind<T> {
  const body = checker(o.schema);
  const decode = (raw: unknown): T => {
    const named = read(WITH_META, raw, o.kind);
    return o.project(read(body, raw, o.kind), projectMeta(named.metadata), raw);
  };
  const { group, version, plural, namespaced } = o;
  return { group, version, kind: o.kind, plural, namespaced, decode };
}

function read<T>(check: Checker<T>, raw: unknown, kindName: string): T {
  if (check.fits(raw)) return raw;
  const clean = withoutNulls(raw);
  if (check.fits(clean)) return clean;
  const [first] = check.misfits(clean);
  throw new DecodeError(
    objectName(raw, kindName),
    pathText(first?.path ?? []),
    first?.message ?? 'is malformed',
  );
}

/** The same value without map entries that are null. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== null)
      .map(([k, v]) => [k, withoutNulls(v)]),
  );
}

/** "IPAddressPool metallb-system/web", as far as the object lets itself be named. */
function objectName(raw: unknown, kindName: string): string {
  const meta = NAMED.fits(raw) ? raw.metadata : undefined;
  const parts = [meta?.namespace, meta?.name].filter((part) => part !== undefined);
  return parts.length === 0 ? `a ${kindName}` : `${kindName} ${parts.join('/')}`;
}

/** Shared by all objects without labels or annotations: there are many. */
const NONE: Readonly<Record<string, string>> = Object.freeze({});

function projectMeta(raw: RawMeta): ObjectMeta {
  return {
    name: raw.name,
    ...(raw.namespace !== undefined && { namespace: raw.namespace }),
    uid: raw.uid ?? '',
    resourceVersion: raw.resourceVersion ?? '',
    generation: raw.generation ?? 0,
    labels: raw.labels ?? NONE,
    annotations: withoutLastApplied(raw.annotations),
    ...(raw.creationTimestamp !== undefined && { creationTimestamp: raw.creationTimestamp }),
    ...(raw.deletionTimestamp !== undefined && { deletionTimestamp: raw.deletionTimestamp }),
    ...(raw.ownerReferences !== undefined && { ownerReferences: raw.ownerReferences }),
  };
}

function withoutLastApplied(raw: Readonly<Record<string, string>> = NONE): Readonly<Record<string, string>> {
  if (raw[LAST_APPLIED] === undefined) return raw;
  const { [LAST_APPLIED]: _dropped, ...rest } = raw;
  return rest;
}

/** An object as the API server has it, every field of it. */
export interface RawObject extends KubeObject {
  readonly raw: unknown;
}

/** A kind of which whole objects are wanted, whatever their fields. */
export function rawKind(address: Omit<Kind, 'decode'>): Kind<RawObject> {
  const { group, version, kind: name, plural, namespaced } = address;
  return kind({
    group,
    version,
    kind: name,
    plural,
    namespaced,
    schema: object({}),
    // The items of a list do not say what they are.
    project: (_, metadata, original) => ({
      metadata,
      raw: { apiVersion: apiVersion(address), kind: name, ...fieldsIn(original) },
    }),
  });
}

function fieldsIn(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
