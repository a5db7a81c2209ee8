import type { Condition } from '../../domain/api/conditions.ts';
import { withCondition } from '../../domain/api/conditions.ts';
import { type ConfigSource, type ConfigSourceStatus, MAX_PROBLEMS } from '../../domain/api/herald.ts';
import { IPAddressPools } from '../../domain/api/metallb.ts';
import { type Problem, problemText } from '../../domain/api/problem.ts';
import type { DesiredObject, LiveObject } from '../../domain/desired/object.ts';
import { isError } from '../../domain/desired/source.ts';

/**
 * How far a source is, as one of four kinds of answer.
 * done: accepted and carried out. stalled: nothing more happens until somebody changes something. working: retried by itself.
 * frozen: accepted, and its writes wait until the HelmRelease is resumed.
 */
export interface Progress {
  readonly kind: 'done' | 'stalled' | 'working' | 'frozen';
  /** UpperCamel; reason of the conditions. */
  readonly reason: string;
  readonly message: string;
}

export interface StatusInput {
  readonly configSource: ConfigSource;
  readonly title: string;
  readonly progress: Progress;
  readonly problems: readonly Problem[];
  /** Digest of the text that was looked at. */
  readonly digest: string;
  /** What is in force from the source. */
  readonly objects: readonly (DesiredObject | LiveObject)[];
  /** "namespace/name". */
  readonly helmRelease?: string;
  /** What Helm has not applied, if that lasts. */
  readonly ahead?: string;
  /** RFC 3339. */
  readonly now: string;
}

/** Longest message of a condition: an Event takes 1024. */
export const LONGEST = 1000;

/** The whole status. It is equal to the present one when there is no news. */
export function statusOf(input: StatusInput): ConfigSourceStatus {
  const { configSource, progress, problems, objects, helmRelease } = input;
  const before = configSource.status;
  const digest = progress.kind === 'done' ? input.digest : before?.digest;
  return {
    observedGeneration: configSource.metadata.generation,
    conditions: conditionsOf(input, before?.conditions ?? []),
    ...(digest !== undefined && digest !== '' && { digest }),
    source: input.title,
    ...(helmRelease !== undefined && { helmRelease }),
    pools: objects.filter((o) => o.kind.kind === IPAddressPools.kind).length,
    objects: objects.length,
    problemCount: problems.length,
    problems: problems.slice(0, MAX_PROBLEMS).map(bounded),
  };
}

/** kstatus: a False Ready alone reads "in progress", and whoever waits would wait until its timeout. */
const COMPANION: Readonly<Record<Exclude<Progress['kind'], 'done'>, string>> = {
  stalled: 'Stalled',
  working: 'Reconciling',
  frozen: 'Suspended',
};

function conditionsOf(
  { configSource, progress, ahead, now }: StatusInput,
  before: readonly Condition[],
): readonly Condition[] {
  const observedGeneration = configSource.metadata.generation;
  const { kind, reason, message } = progress;
  const told = { reason, message, observedGeneration };
  const wanted: Omit<Condition, 'lastTransitionTime'>[] = [
    { type: 'Ready', status: kind === 'done' ? 'True' : 'False', ...told },
  ];
  if (kind !== 'done') wanted.push({ type: COMPANION[kind], status: 'True', ...told });
  if (ahead !== undefined)
    wanted.push({ ...told, type: 'InSync', status: 'False', reason: 'ValuesNotApplied', message: ahead });
  // One by one, so that conditions that no longer hold are gone, and the others keep the time of their last change.
  return wanted.flatMap((c) =>
    withCondition(
      before.filter((b) => b.type === c.type),
      c,
      now,
    ),
  );
}

/** The problems as one message: the first few, each with its place. */
export function messageOf(problems: readonly Problem[]): string {
  const errors = problems.filter(isError);
  const list = errors.length > 0 ? errors : problems;
  const texts = list.slice(0, 3).map((p) => problemText(brief(p)));
  const more = list.length > 3 ? [`and ${list.length - 3} more`] : [];
  return cut([...texts, ...more].join('; '));
}

/** The path says which object, and the status which source: only a place with a line is worth its words. */
function brief({ code, path, message, hint, source, line, column }: Problem): Problem {
  const place = {
    ...(source !== undefined && { source }),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
  return { code, path, message, ...(hint !== undefined && { hint }), ...(line !== undefined && place) };
}

/** One word for all of them: their code, where they agree. */
export function reasonOf(problems: readonly Problem[]): string {
  const reasons = new Set(problems.filter(isError).map((p) => p.code));
  const [first = 'Refused'] = reasons;
  return reasons.size === 1 ? first : 'Refused';
}

export function cut(text: string, longest = LONGEST): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** The CRD bounds every text. */
function bounded(p: Problem): Problem {
  return {
    ...p,
    path: cut(p.path, 1024),
    message: cut(p.message, 2048),
    ...(p.object !== undefined && { object: cut(p.object, 512) }),
    ...(p.source !== undefined && { source: cut(p.source, 1024) }),
    ...(p.hint !== undefined && { hint: cut(p.hint, 2048) }),
  };
}
