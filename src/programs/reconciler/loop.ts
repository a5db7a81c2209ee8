import { type Plan, plan, type Write } from '../../domain/change/plan.ts';
import { isOurs, type LiveObject, sourceOf } from '../../domain/desired/object.ts';
import { type Settled, settle, type Verdict } from '../../domain/desired/settle.ts';
import { problemOf } from '../../domain/desired/source.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { checkAsReaders, type Outcome, progressOf, repairsOf } from './judge.ts';
import { readerOf, withLines } from './lines.ts';
import { type ReconcilerMetrics, reconcilerMetrics } from './metrics.ts';
import { type Options, TIMING, type Timing } from './options.ts';
import { Overlay } from './overlay.ts';
import { Outlooks, releaseNotices } from './release.ts';
import { type Report, Reporter } from './report.ts';
import { namedRelease, type Seen, Sight } from './sight.ts';
import { messageOf } from './status.ts';
import { type FoundRelease, Watches } from './watches.ts';
import { Writer, type Written } from './write.ts';

/** Keys of the queue: one look at everything, and one at the HelmRelease's own values. */
const RENDER = 'render';
const RELEASE = 'release';

const NOTHING: Written = { done: [], failures: [], left: 0 };

/** Something is left to do that will be tried again; it has been told already. */
class Unfinished extends Error {
  override readonly name = 'Unfinished';
}

/** What one look found and did. */
interface Look {
  readonly seen: readonly Seen[];
  readonly settled: Settled;
  readonly live: readonly LiveObject[];
  readonly outcome: Outcome;
  readonly done: readonly Write[];
  readonly release: FoundRelease | undefined;
}

/**
 * Makes the cluster hold what the sources say. Every change of anything leads to one look at everything: sources are rendered,
 * settled against each other and the live objects, and what differs is written. Between two looks there is no state but caches.
 */
export class Loop {
  readonly #o: Options;
  readonly #timing: Timing;
  readonly #metrics: ReconcilerMetrics;
  readonly #watches: Watches;
  readonly #sight: Sight;
  readonly #overlay = new Overlay();
  readonly #writer: Writer;
  readonly #reporter: Reporter;
  readonly #outlooks: Outlooks;
  #queue: Queue | undefined;
  /** Since when the two halves of the release's values do not fit. */
  #waitingSince: number | undefined;

  constructor(o: Options) {
    this.#o = o;
    this.#timing = { ...TIMING, ...o.timing };
    this.#metrics = reconcilerMetrics(o.metrics);
    this.#watches = new Watches(
      o,
      () => this.#queue?.add(RENDER),
      (id) => this.#overlay.gone(id),
    );
    this.#sight = new Sight(o, this.#watches);
    this.#writer = new Writer({ client: o.client, log: o.log, overlay: this.#overlay });
    this.#reporter = new Reporter(o, this.#metrics);
    this.#outlooks = new Outlooks(o, this.#metrics, this.#timing.aheadMs);
  }

  /** Follows the cluster, without writing. */
  start(): void {
    this.#watches.start();
  }

  /** Works until the signal aborts. May be called again after that. */
  async lead(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#o;
    const queue = new Queue({
      run: (key, stop) => (key === RELEASE ? this.#lookAtRelease(stop) : this.#render(stop)),
      concurrency: 2,
      clock,
      random,
      log: log.child({ op: 'render' }),
      backoff: { firstMs: 200, maxMs: this.#timing.maxBackoffMs },
    });
    this.#queue = queue;
    queue.add(RENDER);
    queue.start();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#queue = undefined;
    await queue.close();
  }

  async close(): Promise<void> {
    await this.#watches.close();
    await this.#reporter.close();
  }

  async #render(signal: AbortSignal): Promise<void> {
    const started = this.#o.clock.now();
    const seen = this.#sight.see();
    const release = this.#release(seen);
    if (!this.#canJudge()) return;
    const live = this.#overlay.over(this.#watches.live());
    const built = seen.map((s) => s.found.built);
    const judged = settle({ instance: this.#o.release, built, live, check: checkAsReaders });
    const settled = await this.#located(judged, seen, release);
    const work = this.#plan(settled, live);
    const suspended = release?.object?.spec.suspend ?? false;
    const written = suspended ? NOTHING : await this.#writer.carryOut(work, signal);
    this.#count(written, suspended);
    const outcome: Outcome = {
      unreadable: this.#watches.unreadableOwned(),
      pending: work.stages.flat().filter((w) => !written.done.includes(w)),
      failures: written.failures,
      ...(suspended && release && { suspendedBy: release.title }),
    };
    await this.#report({ seen, settled, live, outcome, done: written.done, release }, signal);
    const changed = work.stages.length === 0 ? 'unchanged' : 'changed';
    this.#metrics.renders.inc({ result: written.failures.length > 0 ? 'failed' : changed });
    this.#metrics.seconds.observe({}, (this.#o.clock.now() - started) / 1000);
    this.#again(outcome);
  }

  /** The same verdicts; problems of the release's values with file and line, where a ConfigMap of the HelmRelease has them. */
  async #located(settled: Settled, seen: readonly Seen[], release?: FoundRelease): Promise<Settled> {
    const own = seen.findIndex((s) => s.name === this.#o.release);
    const verdict = settled.verdicts[own];
    if (!verdict || verdict.problems.length === 0 || !release?.object) return settled;
    const problems = await withLines(
      verdict.problems,
      release.object,
      readerOf(this.#o.client, release.ref.namespace),
    );
    return { ...settled, verdicts: settled.verdicts.with(own, { ...verdict, problems }) };
  }

  #own(seen: readonly Seen[]): Seen | undefined {
    return seen.find((s) => s.name === this.#o.release);
  }

  #release(seen: readonly Seen[]): FoundRelease | undefined {
    const release = this.#watches.helmRelease(namedRelease(this.#own(seen)));
    if (release?.object && this.#outlooks.isNews(release.object)) this.#queue?.add(RELEASE);
    return release;
  }

  /** Whether enough is known to judge at all; otherwise a later look is arranged. */
  #canJudge(): boolean {
    const unreadable = [...this.#watches.unreadableSources(), ...this.#watches.unreadableOwned()];
    const blind =
      !this.#watches.releaseKnown ||
      !this.#watches.configSources.synced ||
      unreadable.some((u) => u.phase === 'starting' || u.phase === 'disconnected');
    if (blind) this.#queue?.addAfter(RENDER, this.#timing.unreadyMs);
    return !blind;
  }

  /** Objects of kinds that cannot be read are left out; and then nothing is removed, as the picture is not whole. */
  #plan(settled: Settled, live: readonly LiveObject[]): Plan {
    const unreadable = new Set(this.#watches.unreadableOwned().map((u) => u.kind));
    const whole = unreadable.size === 0 && this.#watches.unreadableSources().length === 0;
    const accepted = settled.verdicts.filter((v) => v.state === 'accepted').map((v) => v.source.name);
    return plan({
      instance: this.#o.release,
      desired: settled.desired.filter((o) => !unreadable.has(o.kind.kind)),
      live,
      complete: new Set(whole ? accepted : []),
    });
  }

  #count(written: Written, suspended: boolean): void {
    const count = (w: Write, result: string) => {
      const { kind } = (w.verb === 'delete' ? w.live : w.object).kind;
      this.#metrics.writes.inc({ verb: w.verb, kind, result });
    };
    for (const write of written.done) count(write, 'done');
    for (const { write } of written.failures) count(write, 'failed');
    this.#metrics.suspended.set({}, suspended ? 1 : 0);
    // What the server has after a failure is not known: the watch will tell.
    if (written.failures.length > 0) this.#overlay.clear();
  }

  async #report(look: Look, signal: AbortSignal): Promise<void> {
    const frozen = look.outcome.suspendedBy !== undefined;
    for (const [i, seen] of look.seen.entries()) {
      const verdict = look.settled.verdicts[i];
      if (!verdict) continue;
      if (!seen.configSource) {
        if (seen.configMap && !frozen) await this.#reporter.make(seen.name, seen.configMap, signal);
        continue;
      }
      const report = this.#reportOf(look, seen, verdict);
      if (report) await this.#reporter.report({ ...report, configSource: seen.configSource }, signal);
    }
    await this.#reportVanished(look, frozen, signal);
  }

  #reportOf(look: Look, seen: Seen, verdict: Verdict): Omit<Report, 'configSource'> | undefined {
    const { release, outcome, done } = look;
    const { built, digest } = seen.found;
    const own = seen === this.#own(look.seen);
    if (own && this.#isPatient(built.waiting)) return undefined;
    const progress = progressOf(verdict, built.waiting, outcome);
    const unchanged = seen.configSource?.status?.digest === digest && progress.kind === 'done';
    return {
      title: built.source.title,
      progress,
      problems: [...verdict.problems, ...(own ? releaseNotices(built.source, release) : [])],
      digest,
      objects: verdict.objects,
      repaired: unchanged ? repairsOf(done, seen.name) : [],
      ...(own && release && { helmRelease: release.title }),
      ...(own && release?.object && { release: release.object }),
      ...(own && this.#outlooks.lasting()),
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
    const left = this.#waitingSince + this.#timing.pairMs - now;
    if (left > 0) this.#queue?.addAfter(RENDER, left);
    return left > 0;
  }

  /** ConfigSources of ConfigMaps that are gone: kept, with the reason, for as long as something of them is live. */
  async #reportVanished(look: Look, frozen: boolean, signal: AbortSignal): Promise<void> {
    if (this.#watches.unreadableSources().length > 0) return;
    const present = new Set(look.seen.map((s) => s.name));
    for (const configSource of this.#watches.configSources.store.list()) {
      const { configMap } = configSource.spec;
      const { name } = configSource.metadata;
      if (!configMap || present.has(name)) continue;
      const objects = look.live.filter((o) => isOurs(o, this.#o.release) && sourceOf(o) === name);
      if (objects.length > 0) {
        const title = `ConfigMap ${configMap.namespace}/${configMap.name}`;
        await this.#reporter.report({ configSource, ...vanished(name, title, objects) }, signal);
      } else if (!frozen) await this.#reporter.remove(configSource, signal);
    }
  }

  /** Arranges the next look where nothing would call for it. Each look does: a look that comes earlier cancels what was arranged. */
  #again({ failures, unreadable }: Outcome): void {
    if (failures.some((f) => f.kind !== 'refused')) throw new Unfinished('some objects could not be written');
    if (failures.length > 0) this.#queue?.addAfter(RENDER, this.#timing.maxBackoffMs);
    if (unreadable.length > 0) this.#queue?.addAfter(RENDER, this.#timing.unreadyMs);
    const left = this.#outlooks.untilTold();
    if (left > 0) this.#queue?.addAfter(RENDER, left);
  }

  /** Compares what the HelmRelease asks for with what Helm applied. */
  async #lookAtRelease(signal: AbortSignal): Promise<void> {
    const own = this.#own(this.#sight.see());
    const release = this.#watches.helmRelease(namedRelease(own))?.object;
    if (!release) return;
    const secretNames = new Set(own?.found.built.values?.source?.secretNames ?? []);
    const { changed, ahead } = await this.#outlooks.look(release, secretNames, signal);
    if (changed) this.#queue?.add(RENDER);
    // A referenced ConfigMap may change without the HelmRelease doing so.
    if (ahead) this.#queue?.addAfter(RELEASE, this.#timing.aheadMs);
  }
}

function vanished(name: string, title: string, objects: readonly LiveObject[]): Omit<Report, 'configSource'> {
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
