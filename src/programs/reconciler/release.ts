import { ConfigMaps, Secrets } from '../../domain/api/core.ts';
import type { HelmRelease } from '../../domain/api/flux.ts';
import type { Problem } from '../../domain/api/problem.ts';
import { configDigest } from '../../domain/desired/flux/digest.ts';
import { ValuesError } from '../../domain/desired/flux/errors.ts';
import { effectiveValues } from '../../domain/desired/flux/merge.ts';
import { problemOf, type Source } from '../../domain/desired/source.ts';
import { parseTree } from '../../platform/files/tree.ts';
import { isForbidden, type KubeClient } from '../../platform/kube/client.ts';
import { resource } from '../../platform/kube/resource.ts';
import type { ReconcilerMetrics } from './metrics.ts';
import type { Options } from './options.ts';
import type { FoundRelease, ReleaseRef } from './watches.ts';

/** What the HelmRelease asks for, beside what Helm applied last. */
export type Outlook =
  /** Both are the same. */
  | { readonly kind: 'inSync'; readonly digest: string }
  /** It asks for other values, or for some that cannot be put together. */
  | { readonly kind: 'ahead'; readonly why: string }
  /** It cannot be told: something may not be read. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface OutlookOptions {
  readonly client: KubeClient;
  /** Secrets that values name in source.secretNames: no other is read. */
  readonly secretNames: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/**
 * Computes the values of the HelmRelease as helm-controller will, and compares their digest with that of the last release. For
 * telling only: what is acted on is what Helm applied.
 */
export async function outlook(release: HelmRelease, o: OutlookOptions): Promise<Outlook> {
  const applied = release.status.history[0];
  const objects = new Map<string, ReadonlyMap<string, string> | undefined>();
  for (const { kind, name } of release.spec.valuesFrom) {
    const id = `${kind}/${name}`;
    if (objects.has(id) || (kind !== 'ConfigMap' && kind !== 'Secret')) continue;
    if (kind === 'Secret' && !o.secretNames.has(name))
      return { kind: 'unknown', why: `Secret ${name} is not listed in source.secretNames` };
    try {
      objects.set(id, await read(kind, { name, namespace: release.metadata.namespace ?? '' }, o));
    } catch (e) {
      if (!isForbidden(e)) throw e;
      return { kind: 'unknown', why: `${kind} ${name} may not be read` };
    }
  }
  try {
    const values = effectiveValues({
      inline: release.spec.values,
      references: release.spec.valuesFrom,
      data: (kind, name) => objects.get(`${kind}/${name}`),
      parse: parseTree,
    });
    const digest = configDigest(values);
    if (applied?.configDigest === digest) return { kind: 'inSync', digest };
    return {
      kind: 'ahead',
      why: `it asks for values ${digest}, Helm applied ${applied?.configDigest ?? 'none'}`,
    };
  } catch (e) {
    if (e instanceof ValuesError)
      return { kind: 'ahead', why: `its values cannot be put together: ${e.message}` };
    throw e;
  }
}

async function read(
  kind: 'ConfigMap' | 'Secret',
  ref: ReleaseRef,
  { client, signal }: OutlookOptions,
): Promise<ReadonlyMap<string, string> | undefined> {
  const type = kind === 'Secret' ? Secrets : ConfigMaps;
  const object = await resource(client, type).get(ref, { signal });
  return object && new Map(Object.entries(object.data));
}

/** What the source should say about a HelmRelease that is known and cannot be read. */
export function releaseNotices(source: Source, release: FoundRelease | undefined): readonly Problem[] {
  if (!release || release.object || !release.forbidden) return [];
  return [
    problemOf(source, {
      code: 'HelmReleaseUnreadable',
      severity: 'notice',
      path: '',
      message: `HelmRelease ${release.title} may not be read: whether it is suspended is not known`,
      hint: 'set source.helmRelease, so that the chart grants it',
    }),
  ];
}

/** Looks at the HelmRelease's own values from time to time, and knows for how long Helm has not applied them. */
export class Outlooks {
  readonly #o: Pick<Options, 'client' | 'clock' | 'log'>;
  readonly #metrics: ReconcilerMetrics;
  readonly #patienceMs: number;
  #last: Outlook | undefined;
  #aheadSince: number | undefined;
  /** Version of the HelmRelease that was looked at last. */
  #version: string | undefined;

  constructor(o: Pick<Options, 'client' | 'clock' | 'log'>, metrics: ReconcilerMetrics, patienceMs: number) {
    this.#o = o;
    this.#metrics = metrics;
    this.#patienceMs = patienceMs;
  }

  /** Whether this state of the HelmRelease has not been looked at; true once for each. */
  isNews({ metadata }: HelmRelease): boolean {
    const news = metadata.resourceVersion !== this.#version;
    this.#version = metadata.resourceVersion;
    return news;
  }

  /** changed: from ahead to not, or back. */
  async look(
    release: HelmRelease,
    secretNames: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<{ readonly changed: boolean; readonly ahead: boolean }> {
    const { client, clock, log } = this.#o;
    const now = await outlook(release, { client, secretNames, signal });
    if (JSON.stringify(this.#last) !== JSON.stringify(now))
      log.info({ op: 'release', ...now }, 'HelmRelease looked at');
    this.#last = now;
    const ahead = now.kind === 'ahead';
    this.#metrics.ahead.set({}, ahead ? 1 : 0);
    const before = this.#aheadSince;
    this.#aheadSince = ahead ? (before ?? clock.now()) : undefined;
    return { changed: (before === undefined) === ahead, ahead };
  }

  /** Helm takes its time; only what lasts is told. */
  lasting(): { readonly ahead?: string } {
    const told = this.#aheadSince !== undefined && this.untilTold() <= 0;
    return told && this.#last?.kind === 'ahead' ? { ahead: this.#last.why } : {};
  }

  /** Milliseconds until it is told; not positive when there is nothing to wait for. */
  untilTold(): number {
    return this.#aheadSince === undefined ? 0 : this.#aheadSince + this.#patienceMs - this.#o.clock.now();
  }
}
