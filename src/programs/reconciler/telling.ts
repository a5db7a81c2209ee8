import type { ConfigSource } from '../../domain/api/herald.ts';
import type { SourceChange } from '../../domain/change/model.ts';
import { idOf, isOurs, type LiveObject, sourceOf, viewOf } from '../../domain/desired/object.ts';
import type { Settled, Verdict } from '../../domain/desired/settle.ts';
import { problemOf } from '../../domain/desired/source.ts';
import { type Outcome, progressOf, repairsOf } from './judge.ts';
import { blindNotices, leftAlone, orphanNotices, planNotices, settingNotices } from './notices.ts';
import { OPERATOR_SOURCE } from './operator.ts';
import type { Options, Timing } from './options.ts';
import type { IsOrphan } from './orphans.ts';
import type { Turn } from './plan-object.ts';
import type { PlanKeeper } from './plans.ts';
import { type Outlooks, releaseNotices } from './release.ts';
import type { Report, Reporter } from './report.ts';
import { ownOf, type Seen } from './sight.ts';
import { messageOf, type Progress } from './status.ts';
import type { FoundRelease, Watches } from './watches.ts';
import type { Worked } from './work.ts';

/** An approved plan whose first write is yet to come. */
const BEGUN: Progress = { kind: 'working', reason: 'Applying', message: 'approved; being written' };

/** What one look found and did. */
export interface Look {
  readonly seen: readonly Seen[];
  readonly settled: Settled;
  readonly live: readonly LiveObject[];
  readonly isOrphan: IsOrphan;
  readonly worked: Worked;
  readonly outcome: Outcome;
  readonly release: FoundRelease | undefined;
  /** Why settings of the operator's objects are not in force on Herald's workloads. */
  readonly settingsFailed: string | undefined;
}

export interface TellingOptions extends Pick<Options, 'clock' | 'release'> {
  readonly timing: Timing;
  readonly watches: Watches;
  readonly reporter: Reporter;
  readonly plans: PlanKeeper;
  readonly outlooks: Outlooks;
  /** Arranges another look. */
  readonly later: (ms: number) => void;
}

/** Tells how each source stands after a look: on its ConfigSource, and its change on its Plan. */
export class Telling {
  readonly #o: TellingOptions;
  /** Since when the two halves of the release's values do not fit. */
  #waitingSince: number | undefined;

  constructor(o: TellingOptions) {
    this.#o = o;
  }

  async tell(look: Look, signal: AbortSignal): Promise<void> {
    const { reporter } = this.#o;
    const frozen = look.outcome.suspendedBy !== undefined;
    for (const [i, seen] of look.seen.entries()) {
      const verdict = look.settled.verdicts[i];
      if (!verdict) continue;
      const { configSource } = seen;
      if (!configSource) {
        if (seen.wants && !frozen) await reporter.make(seen.name, seen.wants, signal);
        continue;
      }
      const report = this.#reportOf(look, seen, verdict);
      if (!report) continue;
      // First the Plan: whoever waits for the ConfigSource finds it as it is told there.
      if (!frozen && verdict.state === 'accepted') {
        const turn = turnOf(seen, look.worked);
        await this.#o.plans.keep({ turn, progress: report.progress, configSource }, signal);
      }
      await reporter.report({ ...report, configSource }, signal);
    }
    await this.#reportVanished(look, frozen, signal);
  }

  /** Shows approved changes as begun: what is left of one after a restart is covered by the approval, too. */
  async begin(approved: readonly SourceChange[], all: readonly Seen[], signal: AbortSignal): Promise<void> {
    for (const change of approved) {
      const seen = all.find((s) => s.name === change.source);
      if (!seen?.configSource) continue;
      const whole = new Map([[change.source, change]]);
      const turn = turnOf(seen, { first: whole, left: whole });
      await this.#o.plans.keep({ turn, progress: BEGUN, configSource: seen.configSource }, signal);
    }
  }

  #reportOf(look: Look, seen: Seen, verdict: Verdict): Omit<Report, 'configSource'> | undefined {
    const { release, outcome, worked } = look;
    const { built, digest } = seen.found;
    const own = seen === ownOf(look.seen, this.#o.release);
    if (own && this.#isPatient(built.waiting)) return undefined;
    const live = new Map(look.live.map((o) => [idOf(viewOf(o)), o]));
    const problems = [...verdict.problems, ...leftAlone(built.source, verdict.objects, live)];
    if (own) {
      problems.push(...releaseNotices(built.source, release), ...blindNotices(built.source, outcome.blind));
      problems.push(...planNotices(built.source, this.#o.watches.unreadablePlans()));
      problems.push(...orphanNotices(built.source, look.live, look.isOrphan));
    }
    if (seen.name === OPERATOR_SOURCE) problems.push(...settingNotices(built.source, look.settingsFailed));
    const progress = progressOf({ ...verdict, problems }, built.waiting, outcome);
    const unchanged = seen.configSource?.status?.digest === digest && progress.kind === 'done';
    return {
      title: built.source.title,
      progress,
      problems,
      digest,
      objects: verdict.objects,
      repaired: unchanged ? repairsOf(worked.done, seen.name) : [],
      ...(own && release && { helmRelease: release.title }),
      ...(own && release?.object && { release: release.object }),
      ...(own && this.#o.outlooks.lasting()),
    };
  }

  /** The two halves of a release come one after the other: a short wait is not worth a word. */
  #isPatient(waiting: string | undefined): boolean {
    if (waiting === undefined) {
      this.#waitingSince = undefined;
      return false;
    }
    const now = this.#o.clock.now();
    this.#waitingSince ??= now;
    const left = this.#waitingSince + this.#o.timing.pairMs - now;
    if (left > 0) this.#o.later(left);
    return left > 0;
  }

  /** ConfigSources of sources that are gone: kept, with the reason, for as long as something of them is live. */
  async #reportVanished(look: Look, frozen: boolean, signal: AbortSignal): Promise<void> {
    const { watches, reporter, plans } = this.#o;
    if (watches.unreadableSources().length > 0) return;
    const present = new Set(look.seen.map((s) => s.name));
    for (const configSource of watches.configSources.store.list()) {
      const { name } = configSource.metadata;
      if (configSource.spec.secretName !== undefined || present.has(name)) continue;
      const objects = look.live.filter((o) => isOurs(o, this.#o.release) && sourceOf(o) === name);
      if (objects.length > 0)
        await reporter.report({ configSource, ...vanished(configSource, objects) }, signal);
      else if (!frozen) {
        await reporter.remove(configSource, signal);
        plans.forget(name);
      }
    }
  }
}

/** What a look did to one source. */
export function turnOf({ name, found }: Seen, { first, left }: Pick<Worked, 'first' | 'left'>): Turn {
  const [before, after] = [first.get(name), left.get(name)];
  return {
    source: name,
    sourceDigest: found.digest,
    policy: found.built.values?.change?.policy ?? 'hold',
    ...(before && { first: before }),
    ...(after && { left: after }),
  };
}

function vanished(
  { metadata: { name }, spec: { configMap } }: ConfigSource,
  objects: readonly LiveObject[],
): Omit<Report, 'configSource'> {
  const title = configMap ? `ConfigMap ${configMap.namespace}/${configMap.name}` : 'Objects of the operator';
  const problem = problemOf(
    { name, title, secret: false, values: undefined },
    {
      code: 'SourceVanished',
      path: '',
      message: `it is gone, or no longer labelled as a source; ${objects.length} of its objects stay as they are`,
      hint: 'delete the objects to let them go',
    },
  );
  const progress = { kind: 'stalled', reason: problem.code, message: messageOf([problem]) } as const;
  return { title, progress, problems: [problem], digest: '', objects, repaired: [] };
}
