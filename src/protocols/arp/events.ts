/**
 * Why a frame got no answer.
 * - malformed: cut short, not ARP for IPv4 over Ethernet, or asked by a group address
 * - not-request: a reply, or some other operation
 * - other-destination: the Ethernet frame is neither broadcast nor sent to this interface
 * - not-announced: this node does not answer for the address
 * - other-interface: it does, but not on this interface
 * - yielded: somebody else has the address, and this node was told to let them
 * - own-question: this node itself asks, which nobody else can answer
 */
export type Drop =
  | 'malformed'
  | 'not-request'
  | 'other-destination'
  | 'not-announced'
  | 'other-interface'
  | 'yielded'
  | 'own-question';

export const drops: readonly Drop[] = [
  'malformed',
  'not-request',
  'other-destination',
  'not-announced',
  'other-interface',
  'yielded',
  'own-question',
];
