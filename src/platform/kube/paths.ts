/** URLs of kinds and objects. */
import type { Kind } from '../../domain/api/object.ts';

/** Names an object of a known kind. */
export interface Ref {
  readonly name: string;
  readonly namespace?: string;
}

type Address = Pick<Kind, 'group' | 'version' | 'plural' | 'namespaced' | 'kind'>;

/** The collection of a kind: of one namespace, or of all when none is given. */
export function collectionPath(kind: Address, namespace?: string): string {
  const root =
    kind.group === '' ? `/api/${kind.version}` : `/apis/${encodeURIComponent(kind.group)}/${kind.version}`;
  if (namespace === undefined || !kind.namespaced) return `${root}/${kind.plural}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`;
}

/** One object. Throws when a namespaced kind comes without a namespace: that URL would mean something else. */
export function objectPath(kind: Address, ref: Ref, subresource?: string): string {
  if (kind.namespaced && ref.namespace === undefined)
    throw new Error(`${kind.kind} ${ref.name}: namespace missing`);
  if (ref.name === '') throw new Error(`${kind.kind}: name missing`);
  const path = `${collectionPath(kind, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
