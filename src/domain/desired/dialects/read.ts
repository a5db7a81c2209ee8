import { at, type Path, pathText } from '../../api/check.ts';
import type { Problem } from '../../api/problem.ts';
import { isForeignRoot } from '../../api/values.ts';
import type { Reading } from '../draft.ts';
import { pathOf } from '../path.ts';
import { problemOf, type Source } from '../source.ts';
import { DIALECTS } from './all.ts';
import type { Dialect, Target } from './dialect.ts';
import { native } from './native.ts';

/** A source, read in the dialect that its values show. */
export interface Understood {
  /** Its values in the typing of the dialect, where the text was at hand. */
  readonly source: Source;
  /** Absent where two dialects claim the values, or none can be told. */
  readonly dialect?: Dialect;
  readonly reading: Reading;
}

/** Finds the dialect of a source and reads it. Values that show nothing are Herald's own. */
export function read(source: Source, target: Target): Understood {
  const refuse = (...problems: readonly Problem[]) => ({ source, reading: { drafts: [], problems } });
  if (isSealed(source.values))
    return refuse(
      problemOf(source, {
        code: 'Unrendered',
        path: 'sops',
        message: 'the values are encrypted with SOPS',
        hint: 'decrypt them first: Flux does where the Kustomization has spec.decryption',
      }),
    );
  const [first, second] = claimsOf(source.values);
  if (first && second) return refuse(ambiguous(source, first, second));
  const dialect = first?.dialect ?? native;
  const typed = source.typed?.(dialect.yaml);
  if (typed && 'problems' in typed)
    return { ...refuse(...typed.problems.map((p) => ({ ...p, source: source.title }))), dialect };
  const retyped = typed ? { ...source, ...typed, values: typed.value } : source;
  const reading = dialect.read(retyped, target);
  const problems = [
    ...duplicates(retyped, dialect, typed?.duplicates ?? []),
    ...reading.problems,
    // Herald's own values tell of them by themselves.
    ...(first && dialect !== native ? unread(retyped, first) : []),
    ...(first ? [] : below(retyped)),
  ];
  return { source: retyped, dialect, reading: { ...reading, problems } };
}

interface Claim {
  readonly dialect: Dialect;
  readonly paths: readonly string[];
}

function claimsOf(values: unknown): readonly Claim[] {
  return DIALECTS.map((dialect) => ({ dialect, paths: dialect.evidence(values) })).filter(
    ({ paths }) => paths.length > 0,
  );
}

/** How deep values are looked through for a dialect that stands below their root: `all.children.k8s_cluster.vars`. */
const DEPTH = 4;

/** Values of a dialect that are not at the root, where it would be read: whoever gave them wants to know. */
function below(source: Source): readonly Problem[] {
  const found = inside(source.values, []);
  if (!found) return [];
  return [
    problemOf(source, {
      code: 'ValuesInside',
      severity: 'warning',
      path: pathText(found.path),
      message: `looks like ${found.dialect.title}, which is read only at the root of a file`,
      hint: 'give what stands below it as a file of its own',
    }),
  ];
}

function inside(value: unknown, path: Path): { readonly path: Path; readonly dialect: Dialect } | undefined {
  if (typeof value !== 'object' || value === null || path.length >= DEPTH) return undefined;
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  for (const [step, inner] of entries) {
    const here = [...path, step];
    const [claim] = Array.isArray(inner) ? [] : claimsOf(inner);
    if (claim) return { path: here, dialect: claim.dialect };
    const deeper = inside(inner, here);
    if (deeper) return deeper;
  }
  return undefined;
}

function ambiguous(source: Source, ...claims: readonly [Claim, Claim]): Problem {
  const [one, other] = claims.map(({ dialect, paths }) => `as ${dialect.title}, for its ${paths[0]}`);
  return problemOf(source, {
    code: 'AmbiguousDialect',
    path: claims[1].paths[0] ?? '',
    message: `can be read in two ways: ${one}; and ${other}`,
    hint: 'keep one of the two; each source is written in one dialect',
  });
}

/** SOPS leaves the keys of a file readable and adds how to open it. */
function isSealed(values: unknown): boolean {
  const sops = at(values, ['sops']);
  return typeof sops === 'object' && sops !== null && ('mac' in sops || 'lastmodified' in sops);
}

function duplicates(source: Source, dialect: Dialect, found: readonly Problem[]): readonly Problem[] {
  const here = found.map((p) => ({ ...p, source: source.title }));
  if (dialect.duplicates !== 'last') return here;
  const message = 'the key stands twice in this map, and the last one counts';
  return here.map((p) => ({ ...p, severity: 'warning', message }));
}

/** Roots of other products beside those of the dialect: whoever wrote them expects something of them. */
function unread(source: Source, { dialect, paths }: Claim): readonly Problem[] {
  const claimed = new Set(paths.map((path) => pathOf(path)[0]));
  const { values } = source;
  return Object.keys(typeof values === 'object' && values !== null ? values : {})
    .filter((root) => isForeignRoot(root) && !claimed.has(root) && !dialect.hasRoot?.(root))
    .map((root) =>
      problemOf(source, {
        code: 'ForeignKey',
        severity: 'warning',
        path: pathText([root]),
        message: `is not read: the source is read as ${dialect.title}`,
      }),
    );
}
