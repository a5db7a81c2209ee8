import type { Write } from '../../domain/change/plan.ts';
import { codes } from '../../domain/config/errors.ts';
import { load } from '../../domain/config/load.ts';
import { type DesiredObject, type LiveObject, sourceOf } from '../../domain/desired/object.ts';
import type { Check, Verdict } from '../../domain/desired/settle.ts';
import { typedSet } from '../../domain/desired/typed.ts';
import { cut, messageOf, type Progress, reasonOf } from './status.ts';
import type { Unreadable } from './watches.ts';
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
  readonly unreadable: readonly Unreadable[];
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
  return (
    serverRefusal(outcome.failures.filter((f) => sourceOfWrite(f.write) === name)) ??
    missingKinds(verdict, outcome) ??
    waitingWrites(
      outcome,
      outcome.pending.filter((w) => sourceOfWrite(w) === name),
    ) ??
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

function missingKinds(verdict: Verdict, { unreadable }: Outcome): Progress | undefined {
  const used = new Set(verdict.objects.map((o: DesiredObject | LiveObject) => o.kind.kind));
  const missing = unreadable.filter((u) => used.has(u.kind));
  if (missing.length === 0) return undefined;
  const words = {
    starting: 'not read yet',
    missing: 'not served: is its CRD installed?',
    forbidden: 'forbidden',
    disconnected: 'unreachable',
  };
  const message = missing.map((u) => `${u.kind}: ${words[u.phase]} ${u.message}`.trim()).join('; ');
  const reason = missing.some((u) => u.phase === 'forbidden') ? 'Forbidden' : 'KindMissing';
  return { kind: 'working', reason, message: cut(message) };
}

function waitingWrites(outcome: Outcome, pending: readonly Write[]): Progress | undefined {
  if (pending.length === 0) return undefined;
  const what = `${pending.length} ${pending.length === 1 ? 'write waits' : 'writes wait'}`;
  if (outcome.suspendedBy !== undefined) {
    const message = `${what} until HelmRelease ${outcome.suspendedBy} is resumed`;
    return { kind: 'frozen', reason: 'Suspended', message };
  }
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
