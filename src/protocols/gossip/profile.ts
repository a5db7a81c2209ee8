/**
 * The times and numbers of a ring. All members should have the same ones, and need not: whoever is faster finds a crash
 * for all. Times are milliseconds.
 */
export interface Profile {
  /** From one probe to the next; each goes to one member, in turn. */
  readonly probeIntervalMs: number;
  /** In a small ring it is longer, where that is worth it: `probeIntervalMs * (1 + probeRelief / others)`; 0: the same in all. */
  readonly probeRelief: number;
  /** Wait for the direct answer; then others are asked to try, and a stream is. */
  readonly probeTimeoutMs: number;
  /** Wait for any answer, from the first packet on; a member that doubts its own health waits a multiple. */
  readonly probeDeadlineMs: number;
  /** How many others are asked to try. */
  readonly indirectProbes: number;
  /** Below this factor of `probeDeadlineMs` (Lifeguard's local health). */
  readonly healthLimit: number;
  /** Suspicion to death at least, up to `suspicionScaleFrom` members; above, it grows with their logarithm. */
  readonly suspicionMs: number;
  readonly suspicionScaleFrom: number;
  /** While nobody else agrees, a suspicion lasts longer by this factor. */
  readonly suspicionMaxFactor: number;
  /** So many others must agree for it to be as short as it can be. */
  readonly confirmations: number;
  /** So many members, on average, ask a suspect themselves as soon as they hear of it. */
  readonly opinions: number;
  /** Before the death of a suspect it is asked directly for so long, three times; an answer stays the death. */
  readonly lastCallMs: number;
  /** Somebody who answered us so recently is suspected when others call it dead, not dead. */
  readonly proofMs: number;
  /** From one round of gossip to the next, and to how many members. */
  readonly gossipIntervalMs: number;
  readonly gossipNodes: number;
  /** To so many a death, an objection or a farewell is told in the same moment, besides. */
  readonly urgentNodes: number;
  /** Each piece of gossip is told so many times the logarithm of the number of members. */
  readonly retransmitMult: number;
  /** From one full exchange of what is known to the next, up to 32 members; above, less often. */
  readonly pushPullIntervalMs: number;
  /** From one attempt to reach a dead member to the next; Infinity: none, as they must join again. */
  readonly knockIntervalMs: number;
  /** Gossip still goes to a dead member for so long, since it may not be dead. */
  readonly gossipToTheDeadMs: number;
  /** What is known about a dead one is kept for so long. */
  readonly forgetDeadMs: number;
  /** Dead for so long, another address may take the name; 0: only when it left or is forgotten. */
  readonly reclaimMs: number;
  /** To be woken up so late means that this process stood still, not that others are silent. */
  readonly lateMs: number;
}

/** Upstream's DefaultLANConfig: finds a crash in five to seven seconds. What upstream does not have is off or mild. */
export const LAN: Profile = {
  probeIntervalMs: 1_000,
  probeRelief: 0,
  probeTimeoutMs: 500,
  probeDeadlineMs: 1_000,
  indirectProbes: 3,
  healthLimit: 8,
  suspicionMs: 4_000,
  suspicionScaleFrom: 10,
  suspicionMaxFactor: 6,
  confirmations: 2,
  opinions: 0,
  lastCallMs: 500,
  proofMs: 500,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  urgentNodes: 0,
  retransmitMult: 4,
  pushPullIntervalMs: 30_000,
  knockIntervalMs: Number.POSITIVE_INFINITY,
  gossipToTheDeadMs: 30_000,
  forgetDeadMs: 30_000,
  reclaimMs: 0,
  lateMs: 250,
};

/** Upstream's DefaultWANConfig, for members that are far from each other. */
export const WAN: Profile = {
  ...LAN,
  probeIntervalMs: 5_000,
  probeTimeoutMs: 3_000,
  probeDeadlineMs: 5_000,
  suspicionMs: 30_000,
  gossipIntervalMs: 500,
  gossipNodes: 4,
  pushPullIntervalMs: 60_000,
  gossipToTheDeadMs: 60_000,
  forgetDeadMs: 60_000,
};

/**
 * A crash is agreed within a second, and a process that stands still for 400 ms survives. The sum: the first probe after
 * a crash is sent within 230 ms (99 of 100 times: every member is probed by some other one each 50 ms on average); it
 * fails after 100 ms; the suspect has 450 ms, so that one that stood still from the first probe on has 150 ms left to
 * object; the news need some 40 ms.
 */
export const FAST: Profile = {
  // Each member sends 20 probes and as many answers a second in a large ring.
  probeIntervalMs: 50,
  // Few members come round to each other soon: for the same 230 ms, 100 ms between probes do for 3, 83 for 4, and 75 for 5.
  probeRelief: 2,
  // Fifty times the round trip of a local network; what is lost, is asked for again by others.
  probeTimeoutMs: 50,
  probeDeadlineMs: 100,
  // With 5 % loss, one false suspicion in 10,000 probes; each is answered.
  indirectProbes: 3,
  // A member in trouble waits for 300 ms at most, or a crash beside it would be found too late.
  healthLimit: 3,
  suspicionMs: 450,
  // Gossip to 100 members takes as long as to 10 within the precision of this sum.
  suspicionScaleFrom: 100,
  // The second half is for a member that is alone with its doubt, for instance behind a broken link.
  suspicionMaxFactor: 2,
  confirmations: 2,
  // Confirmations come within a round trip, not with the next probe in turn; not from all, or its queue would overflow.
  opinions: 16,
  // Later than 400 ms after the first probe: whoever stood still for so long is back.
  lastCallMs: 120,
  // Shorter than the 550 ms that a death takes at least, so that it never shields a dead one.
  proofMs: 300,
  gossipIntervalMs: 20,
  gossipNodes: 3,
  // Nearly everybody of a ring of 30, in one hop. It happens rarely.
  urgentNodes: 16,
  // One more than upstream: with 5 % loss, one in a thousand does not hear it in a ring of 3, and hardly anybody in a larger one.
  retransmitMult: 5,
  // A third of upstream's; a ring of 100 sends 12 KiB each time.
  pushPullIntervalMs: 10_000,
  // Five packets a second while somebody is dead: a healed partition is found at once by one of its members.
  knockIntervalMs: 200,
  gossipToTheDeadMs: 30_000,
  // As long as a node may take to start again, so that old gossip does not raise its dead self.
  forgetDeadMs: 600_000,
  // A node that comes back with another address is let in again soon.
  reclaimMs: 10_000,
  // Five times what a busy event loop is late by.
  lateMs: 50,
};
