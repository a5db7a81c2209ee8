/** Whether a node's speaker can answer, as far as anybody knows. */
export type Liveness =
  | 'live'
  | 'node-not-ready'
  | 'speaker-not-ready'
  /** Its Pod is being deleted: another node takes over before it is gone. */
  | 'speaker-stopping'
  /** The other speakers asked it, and it did not answer. */
  | 'speaker-dead'
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
  /** Every interface that counts for the Service lost its carrier or address family, or lets nothing out. */
  | 'interface-lost'
  /** The node is being emptied. */
  | 'cordoned'
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

const NOT_OWNER: Readonly<Record<NotOwner, string>> = {
  'not-selected': 'no advertisement for the Service selects it',
  'network-unavailable': 'its network is unavailable (NetworkUnavailable)',
  'excluded-by-label': 'it is labelled exclude-from-external-load-balancers',
  'no-local-endpoint': 'externalTrafficPolicy is Local, and no endpoint is ready on it',
  'node-not-ready': 'it is not Ready',
  'speaker-not-ready': 'its speaker is not Ready',
  'speaker-stopping': 'its speaker is stopping',
  'speaker-dead': 'its speaker does not answer the others',
  'no-speaker': 'no speaker runs on it',
  'interface-lost': 'the interfaces on which it would announce are down, or nothing leaves there',
  cordoned: 'it is cordoned, or about to go',
  'less-preferred': 'preferredNodeSelectors prefer another',
  'later-in-order': 'it comes later in the order of the address',
};

/** Why a node is not the owner, as a sentence part about it. */
export function notOwnerText(why: NotOwner): string {
  return NOT_OWNER[why];
}

const OWNER: Readonly<Record<Because, string>> = {
  'only-candidate': 'no other node can',
  'most-preferred': 'preferredNodeSelectors prefer it',
  'first-in-order': 'it comes first in the order of the address',
};

/** Why a node is the owner, as a sentence part about it. */
export function ownerText(because: Because): string {
  return OWNER[because];
}

const WITHDRAW: Readonly<Record<Withdraw, string>> = {
  serviceDeleted: 'the Service is gone',
  notLoadBalancer: 'the Service is not of type LoadBalancer',
  otherClass: 'loadBalancerClass names another load balancer',
  noIPAllocated: 'it has no address',
  invalidIP: 'its status holds something that is no address',
  ipNotAllowed: 'its addresses are not in one pool',
  loadBalancerIPChanged: 'its address has changed',
  notOwner: 'no endpoint is ready, or no node can',
  noMatchingAdvertisement: 'no L2Advertisement is for its pool, its labels and a node',
  sharedIPWithServiceSelector: 'it shares its address, and an advertisement of its pool has serviceSelectors',
};

/** Why nobody announces a Service, as a sentence part about the Service. */
export function withdrawText(reason: Withdraw): string {
  return WITHDRAW[reason];
}
