import { pathText } from '../../api/check.ts';
import type { Problem } from '../../api/problem.ts';
import type { Reading } from '../draft.ts';
import { toJson } from '../json.ts';
import { type Finding, located, problemOf, type Source } from '../source.ts';
import type { Dialect, Target } from './dialect.ts';
import { readAddressPool } from './objects-addresspool.ts';
import { nearestKind, STATUS_KINDS } from './objects-kinds.ts';
import {
  headerFindings,
  type Manifest,
  manifestsIn,
  type TextIn,
  type Told,
  textsIn,
} from './objects-manifest.ts';
import { readNative } from './objects-native.ts';
import { readMetalLB } from './operator.ts';

/**
 * Kubernetes objects of metallb.io: the documents of a file, what a cluster holds, or objects inside the values of a wrapper chart.
 * Values are a list of objects, one object, or a tree in which such objects stand.
 */
export const objects: Dialect = {
  name: 'objects',
  title: 'Kubernetes objects of metallb.io',
  yaml: 'go',
  evidence(values) {
    if (Array.isArray(values) && values.length === 0) return [''];
    const json = toJson(values ?? null);
    const told = manifestsIn(json).filter(({ group }) => group === 'metallb.io');
    return [
      ...told.map(({ path }) => pathText([...path, 'apiVersion'])),
      ...textsIn(json).map((t) => pathText(t.path)),
    ];
  },
  hasRoot: (root) => root === 'metallb',
  read(source, target): Reading {
    const values = toJson(source.values ?? null);
    const texts = textsIn(values).map((text) => readText(text, source));
    const manifests = [...manifestsIn(values), ...texts.flatMap((t) => t.manifests)];
    const told = manifests.map((manifest) => readObject(manifest, target));
    const settings = told.find((t) => t.settings)?.settings;
    const findings = [
      ...(manifests.length === 0 ? [EMPTY] : []),
      ...told.flatMap((t) => t.findings),
      ...secondSettings(manifests),
    ];
    return {
      drafts: told.flatMap((t) => t.drafts ?? []),
      problems: [
        ...texts.flatMap((t) => t.problems),
        ...findings.map((finding) => problemOf(source, finding)),
      ],
      ...(settings && { settings }),
    };
  },
};

const EMPTY: Finding = {
  code: 'EmptySource',
  severity: 'notice',
  path: '',
  message: 'there is no object of metallb.io',
};

/** Charts take objects as text, too, which they put through their templates. */
function readText(
  { text, path }: TextIn,
  source: Source,
): { readonly manifests: readonly Manifest[]; readonly problems: readonly Problem[] } {
  const parsed = source.parse?.(text);
  if (parsed && !('problems' in parsed))
    return { manifests: manifestsIn(toJson(parsed.values ?? null), path), problems: [] };
  const unread: Finding = {
    code: 'ValuesUnreadable',
    path: pathText(path),
    message: 'is text, which cannot be read from here',
    hint: 'write it as a map',
  };
  const problems = parsed?.problems.map((p) => located(source, { ...p, path: pathText(path) }));
  return { manifests: [], problems: problems ?? [problemOf(source, unread)] };
}

function readObject(manifest: Manifest, target: Target): Told {
  const { kind, group } = manifest;
  if (group === 'herald.io') return leftAlone(manifest, "is Herald's own kind, and is left as it is");
  if (STATUS_KINDS.has(kind)) return leftAlone(manifest, 'is written by the speakers and the controller');
  const header = headerFindings(manifest, target);
  const told = readKind(manifest);
  return { ...told, findings: [...header, ...told.findings] };
}

function readKind(manifest: Manifest): Told {
  switch (manifest.kind) {
    case 'AddressPool':
      return readAddressPool(manifest);
    case 'MetalLB':
      return readMetalLB(manifest);
    default:
      return readNative(manifest) ?? unknownKind(manifest);
  }
}

function leftAlone({ subject, path }: Manifest, message: string): Told {
  return {
    findings: [
      { code: 'NoEffect', severity: 'notice', object: subject, path: pathText([...path, 'kind']), message },
    ],
  };
}

function unknownKind({ kind, subject, path }: Manifest): Told {
  const guess = nearestKind(kind);
  return {
    findings: [
      {
        code: 'UnknownKind',
        object: subject,
        path: pathText([...path, 'kind']),
        message: 'is no kind of metallb.io',
        ...(guess !== undefined && { hint: `did you mean "${guess}"?` }),
      },
    ],
  };
}

/** One object sets up the load balancer; of two nobody could say which counts. */
function secondSettings(manifests: readonly Manifest[]): readonly Finding[] {
  const [first, ...others] = manifests.filter(
    ({ group, kind }) => group === 'metallb.io' && kind === 'MetalLB',
  );
  return others
    .filter(({ name }) => name === first?.name)
    .map(({ subject, path }) => ({
      code: 'NameCollision',
      object: subject,
      path: pathText([...path, 'metadata', 'name']),
      message: `is also the name of ${pathText(first?.path ?? [])}`,
      hint: 'keep one of the two',
    }));
}
