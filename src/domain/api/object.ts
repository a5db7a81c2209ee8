export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/**
 * The part of metav1.ObjectMeta that Herald uses. generation is 0 for kinds that have none (Service).
 * The annotation with kubectl's last applied configuration and managedFields are left out: they are most of the bytes.
 */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface KubeObject {
  readonly metadata: ObjectMeta;
}

/** A kind: how to address it, and how to read one. */
export interface Kind<T extends KubeObject = KubeObject> {
  /** API group; "" for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Checks an object as the API server sends it and projects it to what Herald uses. Throws DecodeError. */
  decode(raw: unknown): T;
}

/** "v1" or "metallb.io/v1beta1". */
export function apiVersion(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** "namespace/name", or "name" when cluster-scoped. */
export function keyOf(o: { readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): string {
  const { namespace, name } = o.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}
