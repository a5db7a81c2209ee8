import type { Doc, Outer } from './document.ts';
import { fields } from './record.ts';

export type DataKind = 'ConfigMap' | 'Secret';

/** A ConfigMap or Secret among the files. */
export interface DataObject {
  readonly kind: DataKind;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly doc: Doc;
  /** A Secret's as decoded text; what cannot be decoded is left out. */
  readonly data: ReadonlyMap<string, string>;
  /** Keys whose values SOPS has encrypted. */
  readonly encrypted: ReadonlySet<string>;
  /** Where the lines of a key's text are. */
  inside(key: string): Outer;
}

/** Undefined for every other kind. */
export function dataObject(doc: Doc): DataObject | undefined {
  const { header } = doc;
  if (header?.group !== '' || header.name === undefined) return undefined;
  const { kind, name, namespace } = header;
  if (kind !== 'ConfigMap' && kind !== 'Secret') return undefined;
  const { data, stringData } = fields(doc.value);
  const plain = kind === 'Secret' ? texts(stringData) : texts(data);
  const encoded = kind === 'Secret' ? texts(data) : [];
  const decoded = encoded.flatMap(([key, value]) => {
    const text = isEncrypted(value) ? value : decode(value);
    return text === undefined ? [] : [[key, text] as const];
  });
  const all = new Map([...decoded, ...plain]);
  const written = new Set(plain.map(([key]) => key));
  return {
    kind,
    name,
    namespace,
    doc,
    data: all,
    encrypted: new Set([...all].filter(([, v]) => isEncrypted(v)).map(([key]) => key)),
    inside: (key) => doc.inside([kind === 'Secret' && written.has(key) ? 'stringData' : 'data', key]),
  };
}

function texts(value: unknown): [string, string][] {
  return Object.entries(fields(value)).filter((e): e is [string, string] => typeof e[1] === 'string');
}

/** What SOPS writes in the place of a value. */
export function isEncrypted(text: string): boolean {
  return text.startsWith('ENC[AES256_GCM,');
}

function decode(base64: string): string | undefined {
  const compact = base64.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) return undefined;
  try {
    const bytes = Uint8Array.from(atob(compact), (c) => c.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Finds the ConfigMaps and Secrets that others refer to. */
export class Library {
  readonly #objects: readonly DataObject[];

  /** What comes first is found first. */
  constructor(docs: readonly Doc[]) {
    this.#objects = docs.flatMap((doc) => dataObject(doc) ?? []);
  }

  /** An object without a namespace, or a question without one, goes with any. */
  find(kind: DataKind, name: string, namespace: string | undefined): DataObject | undefined {
    const named = this.named(kind, name);
    return (
      named.find((o) => o.namespace === namespace) ??
      named.find((o) => o.namespace === undefined || namespace === undefined)
    );
  }

  named(kind: string, name: string): readonly DataObject[] {
    return this.#objects.filter((o) => o.kind === kind && o.name === name);
  }
}
