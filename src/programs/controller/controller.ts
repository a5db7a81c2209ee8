import type { KubeClient } from '../../platform/kube/client.ts';
import { fenced } from '../../platform/kube/fenced.ts';
import { LeaderElector } from '../../platform/kube/lease.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import type { Metrics } from '../../platform/obs/metrics.ts';
import type { Random } from '../../platform/obs/random.ts';
import { controllerMetrics } from './metrics.ts';
import type { MoveOptions } from './mover.ts';
import { makeRingKey, type RingKeyOptions } from './ring-key.ts';
import { session } from './session.ts';
import type { Memory } from './settings.ts';

/** The Lease, the field manager and the source of Events. */
export const NAME = 'herald-controller';

/** How long writes that were sent may take to be answered once the process was told to end; it has four seconds in all. */
const GRACE_MS = 1_500;

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly namespace: string;
  /** Our identity in the Lease: the pod's name outlives a restart of its container. */
  readonly identity: string;
  /** Owner of the ConfigurationState; "" outside a cluster. */
  readonly podName: string;
  readonly loadBalancerClass: string;
  /** Upstream's METALLB_BGP_TYPE, for what a configuration may contain. */
  readonly bgpType?: string;
  /** Status writes under way at once. */
  readonly parallel: number;
  readonly moves: MoveOptions;
  /** How long what a deleted Service had is kept for one of its name, milliseconds. Absent: not at all. */
  readonly stickyMs?: number;
  /** Speakers are asked about an address before it is given out for the first time. Absent: they are not. */
  readonly probeBeforeUse?: boolean;
  /** Absent: speakers have no ring, or somebody else makes its key. */
  readonly ringKey?: RingKeyOptions;
}

export interface Controller {
  /** For /readyz: a standby is ready; a leader is once its caches are filled. */
  ready(): true | string;
  /** Competes for the Lease, and leads while it has it, until the signal aborts; then everything has ended. */
  run(signal: AbortSignal): Promise<void>;
}

export function controller(o: ControllerOptions): Controller {
  const { client, log, clock, random, namespace, identity } = o;
  const own = controllerMetrics(o.metrics);
  const memory: Memory = {};
  let waiting: () => string | undefined = () => undefined;
  own.leading.set({}, 0);
  own.configLoaded.set({}, 0);
  own.configStale.set({}, 0);

  const elector = new LeaderElector({ client, namespace, name: NAME, identity, clock, random, log });
  const lead = async (signal: AbortSignal): Promise<void> => {
    const late = new AbortController();
    const onAbort = () => {
      timer ??= clock.after(GRACE_MS, () => late.abort());
    };
    let timer: { cancel(): void } | undefined;
    signal.addEventListener('abort', onAbort, { once: true });
    own.leading.set({}, 1);
    const leading = () => elector.leading;
    const common = { client: fenced(client, leading), log, clock, random, namespace, fieldManager: NAME };
    const doors = { ...common, grace: late.signal, leading };
    const key = o.ringKey && makeRingKey(doors, o.ringKey);
    const { podName, loadBalancerClass, bgpType, parallel, moves, stickyMs = 0, metrics } = o;
    const { probeBeforeUse = false } = o;
    try {
      await session(
        {
          doors,
          podName,
          loadBalancerClass,
          bgpType,
          parallel,
          moves,
          stickyMs,
          probeBeforeUse,
          memory,
          metrics,
          own,
          waiting: (reason) => {
            waiting = reason;
          },
        },
        signal,
      );
    } finally {
      await key?.close();
      signal.removeEventListener('abort', onAbort);
      timer?.cancel();
      own.leading.set({}, 0);
    }
  };

  return {
    ready: () => waiting() ?? true,
    run: (signal) =>
      elector.run({
        signal,
        lead,
      }),
  };
}
