/** The door to the API server. */
import { type Clock, systemClock } from '../obs/clock.ts';
import type { Log } from '../obs/log.ts';
import type { Metrics } from '../obs/metrics.ts';
import { type Random, systemRandom } from '../obs/random.ts';
import { Credentials } from './credentials.ts';
import { HttpClient } from './http.ts';
import type { KubeClient } from './ports.ts';

export {
  ApiError,
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isUnauthorized,
} from './errors.ts';

export type { KubeClient, Request, WatchRequest } from './ports.ts';

export interface ConnectOptions {
  /** Path of a kubeconfig, or several as in $KUBECONFIG; without it, the service account of the pod. */
  readonly kubeconfig?: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
  /** e.g. "herald-controller/0.1.0". */
  readonly userAgent: string;
  /** Requests a second on average, default 100; 0 is no limit. Watches do not count. */
  readonly qps?: number;
  /** Requests that may come at once, default 200. */
  readonly burst?: number;
  /** Requests under way at once, default 16. */
  readonly concurrency?: number;
  readonly metrics?: Metrics;
}

/** Reads the credentials, and throws when there are none to read; connects on the first request only. */
export async function connect(o: ConnectOptions): Promise<KubeClient> {
  const credentials = await Credentials.load(o.kubeconfig);
  return new HttpClient({
    credentials,
    log: o.log.child({ op: 'kube' }),
    clock: o.clock ?? systemClock,
    random: o.random ?? systemRandom,
    userAgent: o.userAgent,
    qps: o.qps ?? 100,
    burst: o.burst ?? 200,
    concurrency: o.concurrency ?? 16,
    metrics: o.metrics,
  });
}
