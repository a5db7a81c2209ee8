import type { KubeClient } from '../../platform/kube/client.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import type { Metrics } from '../../platform/obs/metrics.ts';
import type { Random } from '../../platform/obs/random.ts';

/** Name of the program: field manager, Lease, component of Events. */
export const NAME = 'herald-reconciler';

/** What the process gives the program: its doors to the world. */
export interface Doors {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Options extends Doors {
  /** Where Herald's own objects live. */
  readonly namespace: string;
  /** The release: its ConfigSource and values Secret are named after it, and it owns what is rendered. */
  readonly release: string;
  /** Further namespaces whose labelled ConfigMaps are sources; the values may name more. */
  readonly sourcesNamespaces: readonly string[];
  /** Identity in the Lease. */
  readonly identity: string;
  readonly timing?: Partial<Timing>;
}

/** Presets with their reasons; tests shorten them. */
export interface Timing {
  /** Between looks while a kind cannot be read: nothing tells when RBAC or a CRD is mended. */
  readonly unreadyMs: number;
  /** Secret and ConfigSource of one release arrive milliseconds apart; only a longer wait is worth telling. */
  readonly pairMs: number;
  /** How long Helm may take with new values before it is told that it has not applied them. */
  readonly aheadMs: number;
  /** While a change waits for Services: several of their changes are one reason for a look. */
  readonly churnMs: number;
  /** Bound of the delay between attempts to write what could not be written. */
  readonly maxBackoffMs: number;
}

export const TIMING: Timing = {
  unreadyMs: 2_000,
  pairMs: 2_000,
  aheadMs: 30_000,
  churnMs: 100,
  maxBackoffMs: 15_000,
};
