/** Looks into data of any shape: what is not there, or is something else, is nothing. */

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Undefined for the empty text, too, as Kubernetes' optional fields have it. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What a Kubernetes object says of itself. */
export interface Header {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** Undefined for what is no Kubernetes object. */
export function headerOf(value: unknown): Header | undefined {
  const { apiVersion, kind, metadata } = fields(value);
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const slash = apiVersion.indexOf('/');
  const { name, namespace } = fields(metadata);
  return {
    group: apiVersion.slice(0, Math.max(slash, 0)),
    version: apiVersion.slice(slash + 1),
    kind,
    name: text(name),
    namespace: text(namespace),
  };
}

/** "HelmRelease metallb", or the kind alone. */
export function idOf({ kind, name }: Header): string {
  return name === undefined ? kind : `${kind} ${name}`;
}
