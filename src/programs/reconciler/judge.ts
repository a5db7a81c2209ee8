import { RECONCILE } from '../../domain/api/annotations.ts';
import type { SourceChange } from '../../domain/change/model.ts';
import type { Write } from '../../domain/change/plan.ts';
import { codes } from '../../domain/config/errors.ts';
import { load } from '../../domain/config/load.ts';
import {
  type DesiredObject,
  idOf,
  isOurs,
  type LiveObject,
  sourceOf,
  viewOf,
} from '../../domain/desired/object.ts';
import type { Check, Verdict } from '../../domain/desired/settle.ts';
import { typedSet } from '../../domain/desired/typed.ts';
import { cut, messageOf, type Progress, reasonOf } from './status.ts';
import { type Unreadable, unreadableText } from './unreadable.ts';
import { waitingProgress } from './waiting.ts';
import { type Failure, subjectOf } from './write.ts';

const PLAIN: ReadonlyMap<string, string> = new Map(Object.entries(codes));

/** The check that controller and speakers make: what they would refuse must not be written. */
export const checkAsReaders: Check = (views) => {
  const loaded = load({ ...typedSet(views), namespaces: [] });
  if (!('problems' in loaded)) return [];
  return loaded.problems.map((p) => ({ ...p, plain: PLAIN.get(p.code) ?? 'is not valid' }));
};

/** One look at everything, after the writes. */
export interface Outcome {
  /** Herald's own. */
  readonly namespace: string;
  readonly unreadable: readonly Unreadable[];
  /** Sources with objects that they no longer define: those stay as long as a kind cannot be read. */
  readonly leftover: ReadonlySet<string>;
  /** Kinds that cannot be read and without which nobody knows whom a change hurts. */
  readonly blind: readonly Unreadable[];
  /** By source, what is left to change. */
  readonly left: ReadonlyMap<string, SourceChange>;
  /** The HelmRelease that freezes us, as "namespace/name". */
  readonly suspendedBy?: string;
  /** Planned writes that were not done. */
  readonly pending: readonly Write[];
  readonly failures: readonly Failure[];
}

export function sourceOfWrite(write: Write): string | undefined {
  return write.verb === 'delete' ? sourceOf(write.live) : write.object.source;
}

/** How far a source is. */
export function progressOf(verdict: Verdict, waiting: string | undefined, outcome: Outcome): Progress {
  if (waiting !== undefined) return { kind: 'working', reason: 'WaitingForValues', message: waiting };
  if (verdict.state !== 'accepted')
    return { kind: 'stalled', reason: reasonOf(verdict.problems), message: messageOf(verdict.problems) };
  const { name } = verdict.source;
  const change = outcome.left.get(name);
  return (
    serverRefusal(outcome.failures.filter((f) => sourceOfWrite(f.write) === name)) ??
    missingKinds(verdict, outcome) ??
    frozen(change, outcome) ??
    waitingWrites(outcome.pending.filter((w) => sourceOfWrite(w) === name)) ??
    waitingProgress({ ...outcome, change }) ??
    done(verdict)
  );
}

function serverRefusal(failures: readonly Failure[]): Progress | undefined {
  const text = (kind: Failure['kind']) => {
    const of = failures.filter((f) => f.kind === kind);
    const first = of.slice(0, 3).map((f) => `${subjectOf(f.write)}: ${f.message}`);
    const more = of.length > 3 ? [`and ${of.length - 3} more`] : [];
    return of.length === 0 ? undefined : cut([...first, ...more].join('; '));
  };
  const refused = text('refused');
  if (refused !== undefined) return { kind: 'stalled', reason: 'Refused', message: refused };
  const forbidden = text('forbidden');
  if (forbidden !== undefined) return { kind: 'working', reason: 'Forbidden', message: forbidden };
  const failed = text('failed') ?? text('moved');
  return failed === undefined ? undefined : { kind: 'working', reason: 'WriteFailed', message: failed };
}

/** Sources of whose live objects some are no longer desired. */
export function leftoverOf(
  live: readonly LiveObject[],
  desired: readonly DesiredObject[],
  instance: string,
): ReadonlySet<string> {
  const wanted = new Set(desired.map(idOf));
  return new Set(
    live
      .filter((o) => isOurs(o, instance) && o.metadata.annotations[RECONCILE] !== 'disabled')
      .filter((o) => !wanted.has(idOf(viewOf(o))))
      .flatMap((o) => sourceOf(o) ?? []),
  );
}

function missingKinds(verdict: Verdict, { unreadable, leftover }: Outcome): Progress | undefined {
  const used = new Set(verdict.objects.map((o: DesiredObject | LiveObject) => o.kind.kind));
  const missing = leftover.has(verdict.source.name) ? unreadable : unreadable.filter((u) => used.has(u.kind));
  if (missing.length === 0) return undefined;
  const stays = leftover.has(verdict.source.name) ? ['what is no longer defined stays until then'] : [];
  const message = [...missing.map(unreadableText), ...stays].join('; ');
  const reason = missing.some((u) => u.phase === 'forbidden') ? 'Forbidden' : 'KindMissing';
  return { kind: 'working', reason, message: cut(message) };
}

function frozen(change: SourceChange | undefined, { suspendedBy }: Outcome): Progress | undefined {
  const count = change?.steps.length ?? 0;
  if (suspendedBy === undefined || count === 0) return undefined;
  const what = `${count} ${count === 1 ? 'change waits' : 'changes wait'}`;
  return {
    kind: 'frozen',
    reason: 'Suspended',
    message: `${what} until HelmRelease ${suspendedBy} is resumed`,
  };
}

function waitingWrites(pending: readonly Write[]): Progress | undefined {
  if (pending.length === 0) return undefined;
  const what = `${pending.length} ${pending.length === 1 ? 'write waits' : 'writes wait'}`;
  return { kind: 'working', reason: 'WriteFailed', message: `${what} for an earlier one that failed` };
}

function done(verdict: Verdict): Progress {
  const count = new Map<string, number>();
  for (const { kind } of verdict.objects) count.set(kind.kind, (count.get(kind.kind) ?? 0) + 1);
  const parts = [...count].map(([kind, n]) => `${n} ${kind}`);
  const list = parts.length === 0 ? 'nothing defined' : `in force: ${parts.join(', ')}`;
  const told = verdict.problems.length === 0 ? '' : `; ${messageOf(verdict.problems)}`;
  return { kind: 'done', reason: 'Applied', message: cut(`${list}${told}`) };
}

/** Objects that were written although their source is the same as at the last success. */
export function repairsOf(writes: readonly Write[], source: string): readonly string[] {
  return writes
    .filter((w) => sourceOfWrite(w) === source)
    .map((w) => `${subjectOf(w)}: ${w.verb === 'create' ? 'it was deleted' : w.because}`);
}
