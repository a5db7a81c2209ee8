/** What the speaker is built from; never changed afterwards. Live changes come as Settings. */
export interface SpeakerOptions {
  /** Name of the Node object that this process speaks for. */
  readonly node: string;
  /** Where pools, advertisements, speaker Pods and statuses live. */
  readonly namespace: string;
  /** Own Pod: owner of the status objects. Absent outside a cluster: they then have no owner. */
  readonly podName?: string;
  /** Upstream's --lb-class; absent: Services without a class. */
  readonly lbClass?: string;
  /** The label that excludes a node from load balancers is ignored. */
  readonly ignoreExcludeLb: boolean;
  /** Label selectors of speaker Pods, OR; none: every Ready node counts as having a speaker. */
  readonly speakerSelectors: readonly string[];
  /** Directory with settings (`settings.ts`); it need not exist. */
  readonly configDir?: string;
}

/**
 * How long an address that another node won is still answered here: until that node's first gratuitous ARP is out, as
 * otherwise nobody would answer in between. Upstream has two owners for 195 ms on a clean stop.
 */
export const HANDOVER_MS = 200;
/** The same when the process is told to end; its Pod's deletion was seen by the others a moment before. */
export const LINGER_MS = 300;
