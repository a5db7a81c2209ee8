import type { ConfigMap } from '../../domain/api/core.ts';
import type { HelmRelease } from '../../domain/api/flux.ts';
import type { ConfigSource } from '../../domain/api/herald.ts';
import { type Plan, plan, type Write } from '../../domain/change/plan.ts';
import { configMapSource } from '../../domain/desired/names.ts';
import { isOurs, type LiveObject, sourceOf } from '../../domain/desired/object.ts';
import { type Settled, settle, type Verdict } from '../../domain/desired/settle.ts';
import { problemOf } from '../../domain/desired/source.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { checkAsReaders, type Outcome, progressOf, repairsOf } from './judge.ts';
import { type ReconcilerMetrics, reconcilerMetrics } from './metrics.ts';
import { type Options, TIMING, type Timing } from './options.ts';
import { Overlay } from './overlay.ts';
import { type Found, Reader } from './read.ts';
import { type Outlook, outlook } from './release.ts';
import { type Report, Reporter } from './report.ts';
import { messageOf } from './status.ts';
import { Watches } from './watches.ts';
import { Writer, type Written } from './write.ts';

/** Keys of the queue: one look at everything, and one at the HelmRelease's own values. */
const RENDER = 'render';
const RELEASE = 'release';

/** A source in the cluster: its ConfigSource, where there is one, and what was read of it. */
interface Seen {
  readonly name: string;
  readonly configSource: ConfigSource | undefined;
  readonly found: Found;
  readonly configMap?: ConfigMap;
}

const NOTHING: Written = { done: [], failures: [], left: 0 };

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
  readonly #overlay = new Overlay();
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #reporter: Reporter;
  #queue: Queue | undefined;
  /** Since when the two halves of the release's values do not fit. */
  #waitingSince: number | undefined;
  #outlook: Outlook | undefined;
  /** Version of the HelmRelease that was compared last. */
  #lookedAt: string | undefined;
  #aheadSince: number | undefined;

  constructor(o: Options) {
    this.#o = o;
    this.#timing = { ...TIMING, ...o.timing };
    this.#metrics = reconcilerMetrics(o.metrics);
    this.#watches = new Watches(
      o,
      () => this.#queue?.add(RENDER),
      (id) => this.#overlay.gone(id),
    );
    this.#reader = new Reader({ instance: o.release, namespace: o.namespace });
    this.#writer = new Writer({ client: o.client, log: o.log, overlay: this.#overlay });
    this.#reporter = new Reporter(o, this.#metrics);
  }

  /** Follows the cluster, without writing. */
  start(): void {
    this.#watches.start();
  }

  /** Works until the signal aborts. May be called again after that. */
  async lead(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#o;
    const queue = new Queue({
      run: (key, stop) => (key === RELEASE ? this.#look(stop) : this.#render(stop)),
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
    const seen = this.#see();
    const release = this.#release(seen);
    if (!this.#canJudge()) return;
    const live = this.#overlay.over(this.#watches.live());
    const instance = this.#o.release;
    const settled = settle({ instance, built: seen.map((s) => s.found.built), live, check: checkAsReaders });
    const suspended = release?.object?.spec.suspend ?? false;
    const work = this.#plan(settled, live);
    const written = suspended ? NOTHING : await this.#writer.carryOut(work, signal);
    this.#count(work, written);
    const pending = work.stages.flat().filter((w) => !written.done.includes(w));
    const unreadable = this.#watches.unreadableOwned();
    const ref = release && `${release.ref.namespace}/${release.ref.name}`;
    const outcome: Outcome = {
      unreadable,
      pending,
      failures: written.failures,
      ...(suspended && ref !== undefined && { suspendedBy: ref }),
    };
    this.#metrics.suspended.set({}, suspended ? 1 : 0);
    await this.#report({ seen, settled, live, outcome, done: written.done, release, ref, suspended }, signal);
    this.#metrics.seconds.observe({}, (this.#o.clock.now() - started) / 1000);
    this.#again(outcome);
  }

  /** All sources that there are. The release's own comes first. */
  #see(): readonly Seen[] {
    const { namespace, release } = this.#o;
    const sources = this.#watches.configSources.store;
    const own = sources.get(`${namespace}/${release}`);
    const seen: Seen[] = [];
    if (own?.spec.secretName !== undefined) {
      const secret = this.#watches.values.store.get(`${namespace}/${own.spec.secretName}`);
      const found = this.#reader.pair(own, secret);
      seen.push({ name: release, configSource: own, found });
      const { values } = found.built;
      if (values) this.#watches.follow([...this.#o.sourcesNamespaces, ...(values.sources?.namespaces ?? [])]);
    }
    for (const configMap of this.#watches.configMaps()) {
      const name = configMapSource(configMap.metadata.namespace ?? '', configMap.metadata.name);
      const configSource = sources.get(`${namespace}/${name}`);
      seen.push({ name, configSource, found: this.#reader.configMap(configMap), configMap });
    }
    return seen;
  }

  #release(seen: readonly Seen[]) {
    const own = seen.find((s) => s.name === this.#o.release);
    const override = own?.configSource?.spec.helmRelease ?? own?.found.built.values?.source?.helmRelease;
    const release = this.#watches.helmRelease(override);
    const version = release?.object?.metadata.resourceVersion;
    if (version !== undefined && version !== this.#lookedAt) {
      this.#lookedAt = version;
      this.#queue?.add(RELEASE);
    }
    return release;
  }

  /** Whether enough is known to judge at all; otherwise a later look is arranged. */
  #canJudge(): boolean {
    const unreadable = this.#watches.unreadableSources();
    const blind =
      !this.#watches.releaseKnown ||
      !this.#watches.configSources.synced ||
      unreadable.some((u) => u.phase === 'starting' || u.phase === 'disconnected') ||
      this.#watches.unreadableOwned().some((u) => u.phase === 'starting' || u.phase === 'disconnected');
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

  async #report(look: Look, signal: AbortSignal): Promise<void> {
    for (const [i, seen] of look.seen.entries()) {
      const verdict = look.settled.verdicts[i];
      if (!verdict) continue;
      if (!seen.configSource) {
        if (seen.configMap && !look.suspended) await this.#make(seen.name, seen.configMap, signal);
        continue;
      }
      const report = this.#reportOf(look, { ...seen, configSource: seen.configSource }, verdict);
      if (report) await this.#reporter.report(report, signal);
    }
    await this.#vanished(look, signal);
  }

  #make(name: string, { metadata }: ConfigMap, signal: AbortSignal): Promise<void> {
    return this.#reporter.make(name, { name: metadata.name, namespace: metadata.namespace ?? '' }, signal);
  }

  #reportOf(
    look: Look,
    seen: Seen & { readonly configSource: ConfigSource },
    verdict: Verdict,
  ): Report | undefined {
    const { waiting } = seen.found.built;
    if (this.#stillPatient(waiting, seen.name)) return undefined;
    const progress = progressOf(verdict, waiting, look.outcome);
    const own = seen.name === this.#o.release;
    const same = seen.configSource.status?.digest === seen.found.digest && progress.kind === 'done';
    return {
      configSource: seen.configSource,
      title: seen.found.built.source.title,
      progress,
      problems: verdict.problems,
      digest: seen.found.digest,
      objects: verdict.objects,
      repaired: same ? repairsOf(look.done, seen.name) : [],
      ...(own && look.ref !== undefined && { helmRelease: look.ref }),
      ...(own && look.release?.object && { release: look.release.object }),
      ...(own && this.#ahead()),
    };
  }

  /** The two halves of a release come one after the other: a short wait is not worth a word. */
  #stillPatient(waiting: string | undefined, name: string): boolean {
    if (name !== this.#o.release) return false;
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
  async #vanished(look: Look, signal: AbortSignal): Promise<void> {
    if (this.#watches.unreadableSources().length > 0) return;
    const present = new Set(look.seen.map((s) => s.name));
    for (const configSource of this.#watches.configSources.store.list()) {
      const { configMap } = configSource.spec;
      const { name } = configSource.metadata;
      if (!configMap || present.has(name)) continue;
      const left = look.live.filter((o) => isOurs(o, this.#o.release) && sourceOf(o) === name);
      const title = `ConfigMap ${configMap.namespace}/${configMap.name}`;
      if (left.length === 0) {
        if (!look.suspended) await this.#reporter.remove(configSource, signal);
        continue;
      }
      const problem = problemOf(
        { name, title, secret: false, values: undefined },
        {
          code: 'SourceVanished',
          path: '',
          message: `it is gone, or no longer labelled as a source; ${left.length} of its objects stay as they are`,
          hint: 'delete the objects to let them go',
        },
      );
      const progress = { kind: 'stalled', reason: problem.code, message: messageOf([problem]) } as const;
      const digest = configSource.status?.digest ?? '';
      await this.#reporter.report(
        { configSource, title, progress, problems: [problem], digest, objects: left, repaired: [] },
        signal,
      );
    }
  }

  #count(work: Plan, written: Written): void {
    const failed = new Set(written.failures.map((f) => f.write));
    const count = (w: Write, result: string) =>
      this.#metrics.writes.inc({
        verb: w.verb,
        kind: w.verb === 'delete' ? w.live.kind.kind : w.object.kind.kind,
        result,
      });
    for (const w of written.done) count(w, 'done');
    for (const w of failed) count(w, 'failed');
    const result = failed.size > 0 ? 'failed' : work.stages.length === 0 ? 'unchanged' : 'changed';
    this.#metrics.renders.inc({ result });
    // What the server has after a failure is not known: the watch will tell.
    if (failed.size > 0) this.#overlay.clear();
  }

  /** Arranges the next look where nothing would call for it. Each look does: a look that comes earlier cancels what was arranged. */
  #again({ failures, unreadable }: Outcome): void {
    if (failures.some((f) => f.kind !== 'refused')) throw new Unfinished('some objects could not be written');
    if (failures.length > 0) this.#queue?.addAfter(RENDER, this.#timing.maxBackoffMs);
    if (unreadable.length > 0) this.#queue?.addAfter(RENDER, this.#timing.unreadyMs);
    const left = (this.#aheadSince ?? -Infinity) + this.#timing.aheadMs - this.#o.clock.now();
    if (left > 0) this.#queue?.addAfter(RENDER, left);
  }

  /** Compares what the HelmRelease asks for with what Helm applied. */
  async #look(signal: AbortSignal): Promise<void> {
    const seen = this.#see();
    const own = seen.find((s) => s.name === this.#o.release)?.found.built.values?.source;
    const release = this.#watches.helmRelease(own?.helmRelease)?.object;
    if (!release) return;
    const secretNames = new Set(own?.secretNames ?? []);
    const before = this.#outlook;
    const now = await outlook(release, { client: this.#o.client, secretNames, signal });
    this.#outlook = now;
    this.#metrics.ahead.set({}, now.kind === 'ahead' ? 1 : 0);
    if (JSON.stringify(before) !== JSON.stringify(now))
      this.#o.log.info({ op: 'release', ...now }, 'HelmRelease looked at');
    const was = this.#aheadSince;
    this.#aheadSince = now.kind === 'ahead' ? (was ?? this.#o.clock.now()) : undefined;
    if (this.#aheadSince !== was) this.#queue?.add(RENDER);
    // A referenced ConfigMap may change without the HelmRelease doing so.
    if (now.kind === 'ahead') this.#queue?.addAfter(RELEASE, this.#timing.aheadMs);
  }

  /** Helm takes its time; only what lasts is told. */
  #ahead(): { ahead?: string } {
    const lasting =
      this.#aheadSince !== undefined && this.#o.clock.now() - this.#aheadSince >= this.#timing.aheadMs;
    return lasting && this.#outlook?.kind === 'ahead' ? { ahead: this.#outlook.why } : {};
  }
}

/** One look at everything. */
interface Look {
  readonly seen: readonly Seen[];
  readonly settled: Settled;
  readonly live: readonly LiveObject[];
  readonly outcome: Outcome;
  readonly done: readonly Write[];
  readonly release:
    | { readonly ref: { readonly name: string; readonly namespace: string }; readonly object?: HelmRelease }
    | undefined;
  readonly ref: string | undefined;
  readonly suspended: boolean;
}
