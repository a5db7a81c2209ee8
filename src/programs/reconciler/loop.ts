import type { Service } from '../../domain/api/core.ts';
import type { Scene, SourceChange } from '../../domain/change/model.ts';
import type { Built } from '../../domain/desired/build.ts';
import type { LiveObject } from '../../domain/desired/object.ts';
import { type Settled, settle } from '../../domain/desired/settle.ts';
import { isError } from '../../domain/desired/source.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { askAfresh } from './afresh.ts';
import { BackEnds, serves } from './backend.ts';
import { checkAsReaders, leftoverOf, type Outcome } from './judge.ts';
import { readerOf, withLines } from './lines.ts';
import { countWrites, type ReconcilerMetrics, reconcilerMetrics } from './metrics.ts';
import { OPERATOR_SOURCE, OperatorObjects } from './operator.ts';
import { type Options, TIMING, type Timing } from './options.ts';
import { type IsOrphan, orphanage, withTakers } from './orphans.ts';
import { Overlay } from './overlay.ts';
import { PlanKeeper } from './plans.ts';
import { Outlooks } from './release.ts';
import { Reporter } from './report.ts';
import { Scenery } from './scenery.ts';
import { namedRelease, ownOf, type Seen, Sight } from './sight.ts';
import { Telling } from './telling.ts';
import { isUnsettled } from './unreadable.ts';
import { type FoundRelease, Watches } from './watches.ts';
import { carryOut, preview, type Task, type Worked } from './work.ts';
import { Writer } from './write.ts';

/** Keys of the queue: one look at everything, and one at the HelmRelease's own values. */
const RENDER = 'render';
const RELEASE = 'release';

/** Something is left to do that will be tried again; it has been told already. */
class Unfinished extends Error {
  override readonly name = 'Unfinished';
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
  readonly #operator: OperatorObjects;
  readonly #overlay = new Overlay();
  readonly #writer: Writer;
  readonly #scenery: Scenery;
  readonly #reporter: Reporter;
  readonly #plans: PlanKeeper;
  readonly #outlooks: Outlooks;
  readonly #telling: Telling;
  readonly #backEnds = new BackEnds();
  #queue: Queue | undefined;
  /** Whether the watches may be behind: after a write without an answer, and at first, as another process may have written until now. */
  #doubt = true;
  /** Milliseconds that the last look took. */
  #lookMs = 0;

  constructor(o: Options) {
    this.#o = o;
    this.#timing = { ...TIMING, ...o.timing };
    this.#metrics = reconcilerMetrics(o.metrics);
    this.#watches = new Watches(
      o,
      () => this.#queue?.add(RENDER),
      (id) => this.#overlay.gone(id),
    );
    this.#scenery = new Scenery(o, () => this.#queue?.addAfter(RENDER, this.#churnMs()));
    this.#operator = new OperatorObjects(o, () => this.#queue?.add(RENDER));
    this.#sight = new Sight(o, this.#watches, this.#operator);
    this.#writer = new Writer({ client: o.client, log: o.log, overlay: this.#overlay });
    const reporter = new Reporter(o, this.#metrics);
    const tell: Reporter['record'] = (about, event) => reporter.record(about, event);
    const plans = new PlanKeeper({ ...o, tell }, this.#watches.plans, this.#metrics);
    const outlooks = new Outlooks(o, this.#metrics, this.#timing.aheadMs);
    this.#reporter = reporter;
    this.#plans = plans;
    this.#outlooks = outlooks;
    this.#telling = new Telling({
      clock: o.clock,
      release: o.release,
      timing: this.#timing,
      watches: this.#watches,
      reporter,
      plans,
      outlooks,
      later: (ms) => this.#queue?.addAfter(RENDER, ms),
    });
  }

  /** Follows the cluster, without writing. */
  start(): void {
    this.#watches.start();
    this.#scenery.start();
    this.#operator.start();
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
    this.#doubt = true;
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
    await Promise.all([this.#watches.close(), this.#scenery.close(), this.#operator.close()]);
    await this.#reporter.close();
  }

  async #render(signal: AbortSignal): Promise<void> {
    const started = this.#o.clock.now();
    const seen = this.#sight.see();
    const release = this.#release(seen);
    if (!this.#canJudge()) return;
    if (this.#doubt) await this.#ask(signal);
    const { changes } = this.#scenery;
    const built = seen.map((s) => s.found.built);
    const isOrphan = this.#orphanage();
    const live = this.#live(built, isOrphan);
    const judged = settle({ instance: this.#o.release, built, live, check: checkAsReaders });
    const settled = await this.#located(judged, seen, release);
    const suspendedBy = release?.object?.spec.suspend ? release.title : undefined;
    const task = this.#task(settled, seen, isOrphan);
    const worked = suspendedBy === undefined ? await this.#carryOut(task, seen, signal) : preview(task);
    this.#scenery.awaits(waitersOf(worked.left), changes);
    this.#metrics.suspended.set({}, suspendedBy === undefined ? 0 : 1);
    countWrites(this.#metrics, worked);
    if (worked.failures.length > 0) this.#overlay.clear();
    this.#doubt = worked.failures.some((f) => f.kind === 'failed');
    const outcome: Outcome = {
      namespace: this.#o.namespace,
      unreadable: this.#watches.unreadableOwned(),
      leftover: leftoverOf(this.#live(built, isOrphan), settled.desired, this.#o.release),
      blind: this.#scenery.unreadable(),
      left: worked.left,
      pending: worked.pending,
      failures: worked.failures,
      ...(suspendedBy !== undefined && { suspendedBy }),
    };
    const settingsFailed = suspendedBy === undefined ? await this.#settings(seen, signal) : undefined;
    const look = { seen, settled, live, isOrphan, worked, outcome, release, settingsFailed };
    // Before the telling, which takes its time: a wait that ends meanwhile has not been told.
    const untilTold = this.#outlooks.untilTold();
    await this.#telling.tell(look, signal);
    const changed = worked.done.length + worked.pending.length === 0 ? 'unchanged' : 'changed';
    this.#lookMs = this.#o.clock.now() - started;
    this.#metrics.renders.inc({ result: worked.failures.length > 0 ? 'failed' : changed });
    this.#metrics.seconds.observe({}, this.#lookMs / 1000);
    this.#again(outcome, untilTold);
  }

  /** Puts the operator's settings on Herald's workloads; why that failed. With an error in its objects everything stays as it is. */
  async #settings(seen: readonly Seen[], signal: AbortSignal): Promise<string | undefined> {
    const source = seen.find((s) => s.name === OPERATOR_SOURCE);
    if (source?.found.built.problems.some(isError)) return undefined;
    const settled = await this.#operator.settle(source?.found.built.settings ?? {}, signal);
    if (settled.retry) this.#queue?.addAfter(RENDER, this.#timing.unreadyMs);
    return settled.failed;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    await askAfresh(this.#o, { overlay: this.#overlay, watched: this.#watches.live() }, signal);
    this.#doubt = false;
  }

  /** The objects as they are, our own writes included. */
  #live(built: readonly Built[], isOrphan: IsOrphan): readonly LiveObject[] {
    return withTakers(this.#overlay.over(this.#watches.live()), built, isOrphan);
  }

  #orphanage(): IsOrphan {
    const releases = [...this.#watches.configSources.store.list()].map((s) => s.metadata.name);
    return orphanage(this.#o.release, new Set(releases));
  }

  #carryOut(task: Task, seen: readonly Seen[], signal: AbortSignal): Promise<Worked> {
    const begin = (approved: readonly SourceChange[]) => this.#telling.begin(approved, seen, signal);
    return carryOut(task, { writer: this.#writer, begin }, signal);
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

  #release(seen: readonly Seen[]): FoundRelease | undefined {
    const release = this.#watches.helmRelease(namedRelease(ownOf(seen, this.#o.release)));
    if (release?.object && this.#outlooks.isNews(release.object)) this.#queue?.add(RELEASE);
    return release;
  }

  /** Whether enough is known to judge at all; otherwise a later look is arranged. */
  #canJudge(): boolean {
    const watches = this.#watches;
    const unreadable = [
      ...watches.unreadableSources(),
      ...watches.unreadableOwned(),
      ...watches.unreadablePlans(),
      ...this.#scenery.unreadable(),
    ];
    const blind =
      !this.#operator.known ||
      !watches.releaseKnown ||
      !watches.configSources.synced ||
      unreadable.some(isUnsettled);
    if (blind) this.#queue?.addAfter(RENDER, this.#timing.unreadyMs);
    return !blind;
  }

  /** Objects of kinds that cannot be read are left out; and then nothing is removed, as the picture is not whole. */
  #task(settled: Settled, seen: readonly Seen[], isOrphan: IsOrphan): Task {
    const unreadable = new Set(this.#watches.unreadableOwned().map((u) => u.kind));
    const whole = unreadable.size === 0 && this.#watches.unreadableSources().length === 0;
    const accepted = settled.verdicts.filter((v) => v.state === 'accepted').map((v) => v.source.name);
    const built = seen.map((s) => s.found.built);
    const policies = new Map(built.map((b) => [b.source.name, b.values?.change?.policy]));
    const backEnd = this.#backEnds.of(
      ownOf(seen, this.#o.release)?.found.built,
      seen.find((s) => s.name === OPERATOR_SOURCE)?.found.built,
    );
    const { ignoreExclude, drains } = backEnd;
    const served = (service: Service) => serves(backEnd, service);
    const setOut = (scene: Scene | undefined) => scene && { ...scene, ignoreExclude };
    return {
      instance: this.#o.release,
      desired: settled.desired.filter((o) => !unreadable.has(o.kind.kind)),
      live: () => this.#live(built, isOrphan),
      complete: new Set(whole ? accepted : []),
      scene: setOut(this.#scenery.scene(served)),
      fresh: async (signal) => setOut(await this.#scenery.fresh(served, signal)),
      policy: (source) => policies.get(source) ?? 'hold',
      approved: this.#plans.approved(),
      begun: this.#plans.begun(),
      drains,
    };
  }

  /** While a change waits, looks that Services call for take a fifth of the time at most. */
  #churnMs(): number {
    return Math.max(this.#timing.churnMs, 4 * this.#lookMs);
  }

  /** Arranges the next look where nothing would call for it. Each look does: a look that comes earlier cancels what was arranged. */
  #again({ failures, unreadable, blind, pending, suspendedBy }: Outcome, untilTold: number): void {
    if (failures.some((f) => f.kind !== 'refused')) throw new Unfinished('some objects could not be written');
    if (failures.length > 0) this.#queue?.addAfter(RENDER, this.#timing.maxBackoffMs);
    else if (pending.length > 0 && suspendedBy === undefined) this.#queue?.add(RENDER);
    if (unreadable.length + blind.length > 0) this.#queue?.addAfter(RENDER, this.#timing.unreadyMs);
    if (untilTold > 0) this.#queue?.addAfter(RENDER, untilTold);
  }

  /** Compares what the HelmRelease asks for with what Helm applied. */
  async #lookAtRelease(signal: AbortSignal): Promise<void> {
    const own = ownOf(this.#sight.see(), this.#o.release);
    const release = this.#watches.helmRelease(namedRelease(own))?.object;
    if (!release) return;
    const secretNames = new Set(own?.found.built.values?.source?.secretNames ?? []);
    const { changed, ahead } = await this.#outlooks.look(release, secretNames, signal);
    if (changed) this.#queue?.add(RENDER);
    // A referenced ConfigMap may change without the HelmRelease doing so.
    if (ahead) this.#queue?.addAfter(RELEASE, this.#timing.aheadMs);
  }
}

/** Whom changes wait for; undefined when none waits. */
function waitersOf(left: ReadonlyMap<string, SourceChange>): ReadonlySet<string> | undefined {
  const steps = [...left.values()].flatMap((c) => c.steps).filter((s) => s.state !== 'ready');
  if (steps.length === 0) return undefined;
  return new Set(steps.flatMap((s) => s.affected.map((a) => a.service)));
}
