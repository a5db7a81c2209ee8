import { type Path, pathText } from '../../api/check.ts';
import { nearest } from '../../api/values/mend.ts';
import type { Draft } from '../draft.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Finding } from '../source.ts';
import type { Target } from './dialect.ts';
import { versionsOf } from './objects-kinds.ts';
import { placeholderIn, unrenderedAt } from './placeholders.ts';

/** A Kubernetes object as somebody wrote it. */
export interface Manifest {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** "" where there is none. */
  readonly name: string;
  /** "AddressPool web", or the kind alone. */
  readonly subject: string;
  /** Place in the source. */
  readonly path: Path;
  readonly value: JsonObject;
  /** {} where there is none, or something else stands there. */
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

/** What one object amounts to. */
export interface Told {
  readonly drafts?: readonly Draft[];
  readonly findings: readonly Finding[];
  readonly settings?: JsonObject;
}

const GROUPS: ReadonlySet<string> = new Set(['metallb.io', 'herald.io']);

/** The objects of metallb.io and herald.io in a value: it is one, a list of them, or a tree in which they stand. */
export function manifestsIn(value: Json, path: Path = []): readonly Manifest[] {
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => manifestsIn(item, [...path, i]));
  if (!isObject(value)) return [];
  const { apiVersion, kind } = value;
  if (typeof apiVersion === 'string' && typeof kind === 'string') {
    const [group = '', version] = apiVersion.split('/');
    const isList = kind.endsWith('List') && Array.isArray(value.items);
    if (version !== undefined && GROUPS.has(group) && !isList)
      return [manifestOf(value, { group, version, kind, path })];
  }
  return Object.entries(value).flatMap(([key, inner]) => manifestsIn(inner, [...path, key]));
}

/** A text in values that holds an object. */
export interface TextIn {
  readonly text: string;
  readonly path: Path;
}

/** Texts in a tree of values that begin like objects of metallb.io; those within objects are theirs. */
export function textsIn(value: Json, path: Path = []): readonly TextIn[] {
  if (typeof value === 'string')
    return path.length > 0 && /^apiVersion:\s*["']?metallb\.io\//m.test(value) ? [{ text: value, path }] : [];
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => textsIn(item, [...path, i]));
  if (!isObject(value) || (typeof value.apiVersion === 'string' && typeof value.kind === 'string')) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

function manifestOf(
  value: JsonObject,
  about: Pick<Manifest, 'group' | 'version' | 'kind' | 'path'>,
): Manifest {
  const metadata = isObject(value.metadata) ? value.metadata : {};
  const name = typeof metadata.name === 'string' ? metadata.name : '';
  return {
    ...about,
    value,
    metadata,
    name,
    subject: `${about.kind} ${name}`.trimEnd(),
    spec: isObject(value.spec) ? value.spec : {},
  };
}

const FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/** What is wrong with an object before its spec. */
export function headerFindings(manifest: Manifest, target: Target): readonly Finding[] {
  const { value, spec, kind } = manifest;
  const found: Finding[] = [];
  const tell = (path: Path, finding: Omit<Finding, 'path' | 'object'>) =>
    found.push({ ...finding, object: manifest.subject, path: pathText([...manifest.path, ...path]) });
  for (const key of Object.keys(value)) {
    const guess = nearest(key, FIELDS);
    if (!FIELDS.includes(key))
      tell([key], {
        code: 'UnknownKey',
        severity: 'warning',
        message: 'is not a known field and has no effect',
        ...(guess !== undefined && { hint: `did you mean "${guess}"?` }),
      });
  }
  const versions = versionsOf(kind);
  if (versions.length > 0 && !versions.includes(manifest.version))
    tell(['apiVersion'], {
      code: 'UnknownVersion',
      message: `is no version of ${kind}`,
      hint: `write metallb.io/${versions[0]}`,
    });
  if (manifest.name === '')
    tell(['metadata', 'name'], { code: 'MissingKey', message: 'is required, as text' });
  if (value.spec !== undefined && value.spec !== null && spec !== value.spec)
    tell(['spec'], { code: 'WrongType', message: 'must be a map' });
  found.push(...namespaceFindings(manifest, target));
  return found;
}

/** Upstream refuses objects outside of its own namespace. */
function namespaceFindings({ metadata, path, subject }: Manifest, target: Target): readonly Finding[] {
  const { namespace } = metadata;
  if (namespace === undefined || namespace === null || namespace === '' || namespace === target.namespace)
    return [];
  const place = pathText([...path, 'metadata', 'namespace']);
  const placeholder = typeof namespace === 'string' ? placeholderIn(namespace) : undefined;
  if (placeholder) return [{ ...unrenderedAt(place, placeholder), object: subject }];
  return [
    {
      code: 'WrongNamespace',
      object: subject,
      path: place,
      message: `is not Herald's namespace, ${target.namespace}: nothing would read the object`,
      hint: `write ${target.namespace}, or leave the namespace out`,
    },
  ];
}
