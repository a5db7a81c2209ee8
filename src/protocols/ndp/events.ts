/**
 * Why a frame got no answer.
 * - malformed: cut short, longer than it says, no neighbour discovery, or asked in a way that RFC 4861 7.1.1 forbids
 * - not-solicitation: an advertisement
 * - hop-limit: a router has forwarded it, so that whoever asks is not on this link
 * - other-destination: the Ethernet frame is neither for a group nor for this interface
 * - not-announced: this node does not answer for the address
 * - other-interface: it does, but not on this interface
 * - yielded: somebody else has the address, and this node was told to let them
 * - own-question: this node itself asks, which nobody else can answer
 * - checksum: damaged on its way
 */
export type Drop =
  | 'malformed'
  | 'not-solicitation'
  | 'hop-limit'
  | 'other-destination'
  | 'not-announced'
  | 'other-interface'
  | 'yielded'
  | 'own-question'
  | 'checksum';

export const drops: readonly Drop[] = [
  'malformed',
  'not-solicitation',
  'hop-limit',
  'other-destination',
  'not-announced',
  'other-interface',
  'yielded',
  'own-question',
  'checksum',
];
