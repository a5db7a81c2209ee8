import { SOURCE } from '../../../domain/api/annotations.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import { configMapSource } from '../../../domain/desired/names.ts';
import { configKey, type Source } from '../../../domain/desired/source.ts';
import { fromDocuments } from '../../../domain/desired/yaml.ts';
import { parseDocuments } from '../../../platform/files/yaml.ts';
import type { DataObject } from './library.ts';
import { nearest } from './release.ts';

export function unlabelled({ doc, name }: DataObject): Problem {
  return {
    code: 'NotASource',
    severity: 'warning',
    object: `ConfigMap ${name}`,
    path: 'metadata.labels',
    source: doc.file,
    ...nearest(doc, ['metadata', 'labels']),
    message: 'the cluster does not read it: it has no label that makes it a source',
    hint: `label it ${SOURCE}: "true"`,
  };
}

/** Words that only an address configuration has. */
const LIKELY = /^\s*(- )?(address-pools|addresses|metallb_\w+|iprange)\s*:/m;

/** Whether the ConfigMap is the one of an old MetalLB, whatever its text is: commented out, or a template. */
export function isMetalLBs({ name, namespace, data }: DataObject): boolean {
  return data.has('config') && [name, namespace ?? ''].some((text) => /metallb/i.test(text));
}

export function readConfigMap(object: DataObject): {
  readonly key?: string;
  /** Of what cannot be read: it looks as if it were meant for Herald. */
  readonly likely?: boolean;
  readonly source?: Source;
  readonly problems: readonly Problem[];
} {
  const { doc, name, namespace, data } = object;
  const key = configKey(Object.fromEntries(data)) ?? (data.has('config') ? 'config' : undefined);
  if (key === undefined) {
    const message = 'has no key values.yaml, and not exactly one other';
    const told = { code: 'ValuesUnreadable', object: `ConfigMap ${name}`, path: 'data', source: doc.file };
    return { problems: [{ ...told, ...nearest(doc, ['data']), message }] };
  }
  const outer = object.inside(key);
  const documents = parseDocuments(data.get(key) ?? '', { source: doc.file });
  const read = 'problems' in documents ? documents : fromDocuments(documents, outer);
  if ('problems' in read)
    return {
      key,
      likely: LIKELY.test(data.get(key) ?? ''),
      problems: read.problems.map((p) => ({
        source: doc.file,
        ...p,
        ...outer({ line: p.line ?? 1, column: p.column ?? 1 }),
      })),
    };
  const source: Source = {
    name: namespace === undefined ? `ConfigMap ${name}` : configMapSource(namespace, name),
    title: doc.file,
    secret: false,
    open: true,
    ...read,
    // A text of comments alone has no places; it begins somewhere all the same.
    at: (path, part) =>
      read.at?.(path, part) ?? (path.length === 0 ? outer({ line: 1, column: 1 }) : undefined),
    context: { object: { kind: 'ConfigMap', name, ...(namespace !== undefined && { namespace }) } },
  };
  return { key, source, problems: [] };
}
