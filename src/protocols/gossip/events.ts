import type { Endpoint } from './endpoint.ts';

/**
 * Why something that came in was left out.
 * - malformed: not what memberlist writes, or cut short
 * - oversized: beyond a limit, packed or unpacked
 * - wrong-label: of another ring, or with a label where none is expected
 * - not-decrypted: no key of ours opens it, or it is in the clear although there are keys
 * - encrypted: and we have no keys
 * - bad-checksum: damaged on its way
 * - unknown-type: a message that nobody defined yet
 * - not-for-us: a ping for another name; a process with another name had our address before
 * - incompatible: of a member whose versions of the protocol exclude ours
 */
export type Drop =
  | 'malformed'
  | 'oversized'
  | 'wrong-label'
  | 'not-decrypted'
  | 'encrypted'
  | 'bad-checksum'
  | 'unknown-type'
  | 'not-for-us'
  | 'incompatible';

export const drops: readonly Drop[] = [
  'malformed',
  'oversized',
  'wrong-label',
  'not-decrypted',
  'encrypted',
  'bad-checksum',
  'unknown-type',
  'not-for-us',
  'incompatible',
];

/** A change of what this member knows, in the order in which it came about. */
export type Change =
  /** A member is there that was not, or that was dead or gone. */
  | { readonly type: 'joined'; readonly name: string; readonly at: Endpoint }
  /** No answer from it; it still counts as a member. `from`: who says so. */
  | { readonly type: 'suspected'; readonly name: string; readonly from: string }
  /** It proved to be alive. */
  | { readonly type: 'cleared'; readonly name: string }
  /** It says something else about itself than before (`Member.meta`). */
  | { readonly type: 'described'; readonly name: string }
  | { readonly type: 'died'; readonly name: string; readonly from: string }
  /** On its own will. */
  | { readonly type: 'left'; readonly name: string }
  /** Dead or gone for so long that nothing is kept about it. */
  | { readonly type: 'forgotten'; readonly name: string }
  /** Two processes claim one name; the one that we know stays. */
  | { readonly type: 'conflict'; readonly name: string; readonly known: Endpoint; readonly other: Endpoint }
  /** Somebody held this member for suspect or dead, and it objected. */
  | { readonly type: 'accused'; readonly from: string }
  /** Others held this member dead; once for each of its incarnations. `from`: who says so. */
  | { readonly type: 'held-dead'; readonly from: string }
  /** This process stood still for so long. */
  | { readonly type: 'stalled'; readonly ms: number };
