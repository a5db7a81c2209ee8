import { FAST, LAN, type Profile, WAN } from '../../protocols/gossip/profile.ts';

/** `lan` and `wan` have upstream's times. */
export const RING_PROFILES = { fast: FAST, lan: LAN, wan: WAN } as const;

/** The ring in which speakers find out which of them live. */
export interface RingOptions {
  /** Where the other speakers reach this one; all have the same port. */
  readonly address: string;
  readonly port: number;
  readonly profile: Profile;
  /** Directory with the mounted Secret; absent: nothing is encrypted. */
  readonly secretDir?: string;
}

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
  /** Absent: who lives is what the API server says. */
  readonly ring?: RingOptions;
  /** Directory with settings (`settings.ts`); it need not exist. */
  readonly configDir?: string;
}

/**
 * How long addresses that other nodes won are still answered here while nothing new is heard of those. Ten times what a node with a
 * thousand Services needs to begin; longer, and a broadcast that the link lost would leave two owners for no good.
 */
export const HANDOVER_MS = 500;
