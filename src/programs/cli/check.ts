import type { Problem } from '../../domain/api/problem.ts';
import { load } from '../../domain/config/load.ts';
import { type Built, build } from '../../domain/desired/build.ts';
import { isPool } from '../../domain/desired/collide.ts';
import type { Target } from '../../domain/desired/dialects/dialect.ts';
import { inline } from '../../domain/desired/dialects/inline.ts';
import { legacy } from '../../domain/desired/dialects/legacy.ts';
import { type DesiredObject, idOf } from '../../domain/desired/object.ts';
import { entriesOf } from '../../domain/desired/rules.ts';
import { type Check, settle, type Verdict } from '../../domain/desired/settle.ts';
import { isError, located } from '../../domain/desired/source.ts';
import { typedSet } from '../../domain/desired/typed.ts';
import { union, without } from '../../domain/ip/ranges.ts';
import type { LoadedSource, Overlay } from './load/sources.ts';

/** A source, judged. */
export interface Judged extends LoadedSource {
  readonly built: Built & {
    /** What it says stands in objects of another source, which count. */
    readonly copied?: true;
  };
  /** Empty where the source has errors. */
  readonly objects: readonly DesiredObject[];
}

/** An overlay, as the cluster would take it. */
export interface Checked {
  readonly overlay: Overlay;
  readonly target: Target;
  readonly sources: readonly Judged[];
  readonly problems: readonly Problem[];
}

export interface CheckOptions {
  /** Herald's namespace; absent: as the files tell, or metallb-system. */
  readonly namespace?: string;
}

/** What controller and speakers would refuse. */
const check: Check = (views) => {
  const loaded = load({ ...typedSet(views), namespaces: [] });
  return 'problems' in loaded ? loaded.problems.map((p) => ({ ...p, plain: p.message })) : [];
};

/** Judges the sources of an overlay together; and each that falls with another by itself, so that all its mistakes are told at once. */
export function checkOverlay(overlay: Overlay, o: CheckOptions = {}): Checked {
  const target = targetOf(overlay, o);
  const all = overlay.sources.map(({ source }) => build(source, target));
  const objects = all.filter((b) => b.dialect === 'objects');
  const built = all.map((b) => (isOld(b) ? withoutCopy(b, objects) : b));
  const verdicts = settled(built, target);
  const alone = built.flatMap((b, i) => {
    const fell = verdicts[i]?.state === 'refused' && !b.problems.some(isError);
    return fell && built.length > 1 ? settled([b], target).flatMap((v) => v.problems.filter(isError)) : [];
  });
  return {
    overlay,
    target,
    sources: overlay.sources.flatMap((loaded, i) => {
      const b = built[i];
      if (!b) return [];
      return [{ ...loaded, built: b, objects: verdicts[i]?.state === 'accepted' ? b.objects : [] }];
    }),
    problems: once(
      [
        ...overlay.problems,
        ...verdicts.flatMap((v, i) => spoken(v.problems, overlay.sources[i])),
        ...alone,
        ...built.flatMap((b) => empty(b)),
      ].map(worded),
    ),
  };
}

/** What MetalLB read before it had objects. */
const isOld = ({ dialect }: Built): boolean => dialect === inline.name || dialect === legacy.name;

/**
 * Old configuration whose addresses all stand in pools of their own, too, is left from before the move to objects, which count:
 * MetalLB that has objects does not look at anything else.
 */
function withoutCopy(built: Built, others: readonly Built[]): Judged['built'] {
  const rangesOf = (objects: readonly DesiredObject[]) =>
    objects.filter(isPool).flatMap((pool) => entriesOf(pool).map(({ range }) => range));
  const delivered = union(others.flatMap((other) => rangesOf(other.objects)));
  const [first, ...more] = rangesOf(built.objects);
  if (!first || [first, ...more].some((range) => without(range, delivered).length > 0)) return built;
  const { source, problems } = built;
  const [path = ''] = [...inline.evidence(source.values), ...legacy.evidence(source.values)];
  const copy = located(source, {
    code: 'NoEffect',
    severity: 'warning',
    path,
    message: 'has no effect: IPAddressPools beside it hold the same addresses, and they count',
    hint: 'take it out',
  });
  return {
    ...built,
    objects: [],
    copied: true,
    problems: [...problems.filter((p) => p.code !== 'OutdatedValues'), copy],
  };
}

/** That the configuration lies elsewhere is no news where that is among the files. */
function spoken(problems: readonly Problem[], loaded: LoadedSource | undefined): readonly Problem[] {
  return loaded?.paired ? problems.filter((p) => p.code !== 'LeftToOthers') : problems;
}

/** Nothing is taken away by it, and nothing comes: most likely it is the wrong file. */
function empty({ source, objects, problems }: Built): readonly Problem[] {
  if (objects.length > 0 || problems.length > 0) return [];
  const message = 'nothing in it becomes an object: it has no pools, advertisements or peers';
  return [located(source, { code: 'EmptySource', severity: 'notice', path: '', message })];
}

/** The release and the namespace that an overlay is for. */
export function targetOf({ sources, namespace }: Overlay, o: CheckOptions): Target {
  const release = sources.find(({ source }) => /herald/.test(source.context?.chart?.name ?? ''));
  return {
    instance: release?.source.context?.release ?? 'herald',
    namespace: o.namespace ?? namespace ?? 'metallb-system',
  };
}

function settled(built: readonly Built[], { instance }: Target): readonly Verdict[] {
  return settle({ instance, built, live: [], check }).verdicts;
}

/** The path of a problem of native objects begins within its object. */
function worded(problem: Problem): Problem {
  return { ...problem, path: problem.path.replace(/^\[\d+\]\.?/, '') };
}

/** In the order of the files, each told once. */
function once(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(
    problems.map((p) => [JSON.stringify([p.code, p.source, p.object, p.path, p.line, p.message]), p]),
  );
  return [...seen.values()].toSorted(
    (a, b) =>
      (a.source ?? '').localeCompare(b.source ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

/** Names of the rendered objects, Secrets with passwords among them. */
export function idsOf({ objects }: Judged): readonly string[] {
  return objects.map((object) => idOf(object));
}
