/** Whether a node's speaker can answer, as far as anybody knows. */
export type Liveness =
  | 'live'
  | 'node-not-ready'
  | 'speaker-not-ready'
  /** Its Pod is being deleted: another node takes over before it is gone. */
  | 'speaker-stopping'
  /** No speaker runs there at all. */
  | 'no-speaker';

/** Why a node does not announce a Service, in the order in which it is found out. */
export type NotOwner =
  /** No advertisement for the Service selects the node. */
  | 'not-selected'
  /** Node condition NetworkUnavailable. */
  | 'network-unavailable'
  /** Label node.kubernetes.io/exclude-from-external-load-balancers. */
  | 'excluded-by-label'
  /** externalTrafficPolicy Local, and no endpoint there serves. */
  | 'no-local-endpoint'
  | Exclude<Liveness, 'live'>
  /** Another candidate has a higher score of preferredNodeSelectors. */
  | 'less-preferred'
  /** Another candidate comes first in the order of digests. */
  | 'later-in-order';

/** Why the owner is the owner. */
export type Because = 'only-candidate' | 'most-preferred' | 'first-in-order';

/** Why a node stops announcing a Service: upstream's words, which its users know from logs. */
export type Withdraw =
  | 'serviceDeleted'
  | 'notLoadBalancer'
  /** Ours: spec.loadBalancerClass names another load balancer. */
  | 'otherClass'
  | 'noIPAllocated'
  | 'invalidIP'
  | 'ipNotAllowed'
  | 'loadBalancerIPChanged'
  /** Nobody serves it, or another node owns it, or no node can. */
  | 'notOwner'
  | 'noMatchingAdvertisement'
  | 'sharedIPWithServiceSelector';
