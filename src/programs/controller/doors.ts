import type { KubeClient } from '../../platform/kube/client.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import type { Random } from '../../platform/obs/random.ts';

/** What every loop of a session needs of the world. */
export interface Doors {
  /** Sends writes only while this process leads. */
  readonly client: KubeClient;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Herald's own namespace: pools, the lease, the ConfigurationState. */
  readonly namespace: string;
  readonly fieldManager: string;
  /** For writes under way: aborts a moment after the session was told to end, so that what was sent is also heard of. */
  readonly grace: AbortSignal;
  /**
   * Whether nobody else can lead, by time alone: a process that stood still hears of its Services before it hears that it was
   * replaced, and must not decide about them any more.
   */
  readonly leading: () => boolean;
}
