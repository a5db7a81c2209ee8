import { Secrets } from '../../../domain/api/core.ts';
import type { Problem } from '../../../domain/api/problem.ts';
import type { ChangePolicy } from '../../../domain/api/values.ts';
import { judge } from '../../../domain/change/judge.ts';
import type { Affected, SourceChange, Step } from '../../../domain/change/model.ts';
import { load } from '../../../domain/config/load.ts';
import { type Built, build } from '../../../domain/desired/build.ts';
import type { Target } from '../../../domain/desired/dialects/dialect.ts';
import { type Check, settle } from '../../../domain/desired/settle.ts';
import { isError, type Source } from '../../../domain/desired/source.ts';
import { typedSet } from '../../../domain/desired/typed.ts';
import type { LoadedSource, Overlay } from '../load/sources.ts';
import type { Snapshot } from './snapshot.ts';

/** What would happen if the sources were committed. */
export interface Planned {
  readonly problems: readonly Problem[];
  /** By source, those only that would change something. */
  readonly changes: readonly SourceChange[];
  /** Each Service that something happens to, once. */
  readonly affected: readonly Affected[];
  readonly counts: Counts;
  /** What the reader has to know beside the changes, a line each. */
  readonly remarks: readonly string[];
}

interface Counts {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly held: number;
  /** Draining or moving. */
  readonly waiting: number;
}

/** 0: nothing changes. 2: something does. 3: some of it would be held. 1: a source is refused. */
export type ExitCode = 0 | 1 | 2 | 3;

export function exitCodeOf({ problems, counts, changes }: Planned): ExitCode {
  if (problems.some(isError)) return 1;
  if (counts.held > 0) return 3;
  return changes.length > 0 ? 2 : 0;
}

/**
 * Plans the sources of an overlay as the reconciler would. Sources that only the cluster has stay as they are. Secrets are left out
 * on both sides: what a plan may hurt never hangs on one, and nobody needs the right to read them to make a plan.
 */
export function planFor(overlay: Overlay, snapshot: Snapshot, target: Target): Planned {
  const sources = overlay.sources.filter((s) => s.form !== 'objects').map((s) => inCluster(s, target));
  const built = sources.map((source) => withoutSecrets(build(source, target)));
  const settled = settle({ instance: target.instance, built, live: snapshot.live, check });
  const accepted = settled.verdicts.filter((v) => v.state === 'accepted').map((v) => v.source.name);
  const policies = new Map(built.map((b) => [b.source.name, b.values?.change?.policy]));
  const judged = judge({
    instance: target.instance,
    desired: settled.desired,
    live: snapshot.live,
    complete: new Set(accepted),
    scene: snapshot.scene,
    policy: (source): ChangePolicy => policies.get(source) ?? 'hold',
    approved: snapshot.approved,
    drains: !built.some((b) => b.values?.controller?.enabled === false),
  });
  return {
    problems: [...overlay.problems, ...settled.verdicts.flatMap((v) => v.problems)],
    changes: judged.changes,
    affected: judged.affected,
    counts: count(judged.changes.flatMap((c) => c.steps)),
    remarks: remarksOn(overlay, sources, snapshot),
  };
}

/** The source under the name that it has in the cluster: a values file stands for the values of the release. */
function inCluster({ form, source }: LoadedSource, { instance }: Target): Source {
  return form === 'values' || form === 'release' ? { ...source, name: instance } : source;
}

const check: Check = (views) => {
  const loaded = load({ ...typedSet(views), namespaces: [] });
  return 'problems' in loaded ? loaded.problems.map((p) => ({ ...p, plain: p.message })) : [];
};

function withoutSecrets(built: Built): Built {
  return { ...built, objects: built.objects.filter((o) => o.kind.kind !== Secrets.kind) };
}

export function count(steps: readonly Step[]): Counts {
  const ready = (action: Step['action']) =>
    steps.filter((s) => s.action === action && s.state === 'ready').length;
  const held = steps.filter((s) => s.state === 'held').length;
  return {
    create: ready('create'),
    update: ready('update'),
    delete: ready('delete'),
    held,
    waiting: steps.filter((s) => s.state === 'draining' || s.state === 'moving').length,
  };
}

function remarksOn(
  overlay: Overlay,
  sources: readonly Source[],
  { scene, sources: known }: Snapshot,
): string[] {
  const planned = new Set(sources.map((s) => s.name));
  const others = known.filter((name) => !planned.has(name));
  const direct = overlay.sources.some((s) => s.form === 'objects');
  return [
    ...(direct
      ? ['Objects that the overlay itself brings are applied by Flux, not by Herald: they are not planned.']
      : []),
    ...(scene ? [] : ['Services may not be read: whatever could take an address away counts as held.']),
    ...(others.length > 0
      ? [`Sources that only the cluster has stay as they are: ${others.join(', ')}.`]
      : []),
  ];
}
