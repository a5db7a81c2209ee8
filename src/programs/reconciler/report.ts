import { INSTANCE, SOURCE } from '../../domain/api/annotations.ts';
import { kubeTime } from '../../domain/api/conditions.ts';
import type { HelmRelease } from '../../domain/api/flux.ts';
import { HelmReleases } from '../../domain/api/flux.ts';
import {
  type ConfigSource,
  type ConfigSourceSpec,
  type ConfigSourceStatus,
  ConfigSources,
} from '../../domain/api/herald.ts';
import { apiVersion } from '../../domain/api/object.ts';
import { sameJson, toJson } from '../../domain/desired/json.ts';
import { type About, EventRecorder, type EventText } from '../../platform/kube/events.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import { isAbort } from '../../platform/obs/clock.ts';
import type { ReconcilerMetrics } from './metrics.ts';
import { NAME, type Options } from './options.ts';
import { isOlder } from './overlay.ts';
import { cut, type StatusInput, statusOf } from './status.ts';

/** What there is to tell about one source. */
export interface Report extends Omit<StatusInput, 'now'> {
  /** Objects that were put back although the source did not change: "IPAddressPool web: spec.addresses differs". */
  readonly repaired: readonly string[];
  /** Tell it on the HelmRelease too. */
  readonly release?: HelmRelease;
}

/** Tells people how sources stand: status and Events of ConfigSources, metrics. What is no news is not repeated. */
export class Reporter {
  readonly #o: Options;
  readonly #resource: Resource<ConfigSource>;
  readonly #events: EventRecorder;
  readonly #metrics: ReconcilerMetrics;
  /** Reason under which a source is counted as stalled, to take the series away again. */
  readonly #stalled = new Map<string, string>();

  readonly #written = new Map<string, ConfigSource>();

  constructor(o: Options, metrics: ReconcilerMetrics) {
    this.#o = o;
    this.#metrics = metrics;
    this.#resource = resource(o.client, ConfigSources);
    const { client, clock, log, identity } = o;
    this.#events = new EventRecorder({ client, clock, log, component: NAME, instance: identity });
  }

  /** Writes the status when it differs from the present one. Throws what the API server answers. */
  async report(report: Report, signal: AbortSignal): Promise<void> {
    const configSource = this.#newest(report.configSource);
    const { name, namespace = '' } = configSource.metadata;
    const status = statusOf({ ...report, configSource, now: kubeTime(this.#o.clock.date()) });
    this.#measure(name, report);
    for (const text of report.repaired)
      this.#events.record(about(configSource), {
        type: 'Normal',
        reason: 'DriftRepaired',
        message: cut(`put back ${text}`),
      });
    if (sameJson(toJson(configSource.status ?? {}), toJson(status))) return;
    const body = {
      apiVersion: apiVersion(ConfigSources),
      kind: ConfigSources.kind,
      metadata: { name, namespace, uid: configSource.metadata.uid },
      status,
    };
    this.#written.set(
      name,
      await this.#resource.apply(body, { fieldManager: NAME, subresource: 'status', signal }),
    );
    this.#tell({ ...report, configSource }, status);
  }

  /**
   * What we wrote last, until the watch has brought it: without it one piece of news would be told twice. The generation stays the one
   * that was looked at: the answer to a write may have a newer one already, and nothing is known of that yet.
   */
  #newest(watched: ConfigSource): ConfigSource {
    const { name, uid, generation } = watched.metadata;
    const written = this.#written.get(name);
    if (written?.metadata.uid === uid && isOlder(watched, written))
      return { ...written, metadata: { ...written.metadata, generation } };
    this.#written.delete(name);
    return watched;
  }

  /** Queues an Event about another object. */
  record(about: About, event: EventText): void {
    this.#events.record(about, event);
  }

  /** Makes the ConfigSource of a source that is not the release's own. */
  async make(name: string, spec: ConfigSourceSpec, signal: AbortSignal): Promise<void> {
    const { namespace, release } = this.#o;
    const body = {
      apiVersion: apiVersion(ConfigSources),
      kind: ConfigSources.kind,
      metadata: { name, namespace, labels: { [INSTANCE]: release, [SOURCE]: 'true' } },
      spec,
    };
    await this.#resource.apply(body, { fieldManager: NAME, signal });
  }

  /** Removes the ConfigSource of a source that is gone and has left nothing behind. */
  async remove({ metadata }: ConfigSource, signal: AbortSignal): Promise<void> {
    const { name, namespace = '', uid } = metadata;
    await this.#resource.delete({ name, namespace }, { uid, signal });
    this.forget(name);
  }

  /** Takes the series of a source away. */
  forget(source: string): void {
    const reason = this.#stalled.get(source);
    if (reason !== undefined) this.#metrics.stalled.remove({ source, reason });
    this.#stalled.delete(source);
    this.#metrics.ready.remove({ source });
    this.#metrics.problems.remove({ source });
  }

  /** Sends what is queued, for as long as that takes at most a moment. */
  async close(): Promise<void> {
    const enough = new AbortController();
    const patience = this.#o.clock.sleep(1_000, enough.signal).catch((e: unknown) => {
      if (!isAbort(e)) throw e;
    });
    await Promise.race([this.#events.flush(), patience]);
    enough.abort();
    await this.#events.close();
  }

  #tell(report: Report, status: ConfigSourceStatus): void {
    const { configSource, progress, release } = report;
    const { kind, reason, message } = progress;
    this.#o.log.info(
      { op: 'report', source: configSource.metadata.name, kind, reason, detail: message },
      'source has news',
    );
    const before = configSource.status;
    const was = before?.conditions?.find((c) => c.type === 'Ready');
    if (was?.reason === reason && was.message === message && before?.digest === status.digest) return;
    const event = { type: kind === 'done' ? 'Normal' : 'Warning', reason, message: cut(message) } as const;
    // A wait is told once, not with each Service that leaves.
    if (kind === 'working' && (was === undefined || was.reason === reason)) return;
    this.#events.record(about(configSource), event);
    // helm-controller names the ConfigSource that failed, not why: the reason stands beside it.
    if (release && kind === 'stalled') this.#events.record(aboutRelease(release), event);
  }

  #measure(source: string, { progress, problems }: Report): void {
    this.#metrics.ready.set({ source }, progress.kind === 'done' ? 1 : 0);
    this.#metrics.problems.set({ source }, problems.length);
    const reason = progress.kind === 'stalled' ? progress.reason : undefined;
    const before = this.#stalled.get(source);
    if (before !== undefined && before !== reason) this.#metrics.stalled.remove({ source, reason: before });
    if (reason === undefined) this.#stalled.delete(source);
    else {
      this.#stalled.set(source, reason);
      this.#metrics.stalled.set({ source, reason }, 1);
    }
  }
}

function about({ metadata }: ConfigSource): About {
  const { name, namespace = '', uid } = metadata;
  return { apiVersion: apiVersion(ConfigSources), kind: ConfigSources.kind, name, namespace, uid };
}

function aboutRelease({ metadata }: HelmRelease): About {
  const { name, namespace = '', uid } = metadata;
  return { apiVersion: apiVersion(HelmReleases), kind: HelmReleases.kind, name, namespace, uid };
}
