import type { NodeView } from './nodes.ts';
import type { NotOwner } from './reasons.ts';

/** Why a Service moved from one node to another. */
export type MoveCause =
  /** The node, or the speaker on it, does not answer, or is gone. */
  | 'node-crashed'
  /** Its speaker is about to end. */
  | 'planned'
  /** Its interfaces lost their carrier or addresses, or let nothing out. */
  | 'carrier-lost'
  /** It is being emptied. */
  | 'cordoned'
  /** Labels, advertisements or addresses are others now. */
  | 'configuration'
  /** Endpoints with externalTrafficPolicy Local run elsewhere now. */
  | 'endpoints'
  /** The new owner comes first, and could not announce before. */
  | 'healed';

export const MOVE_CAUSES: readonly MoveCause[] = [
  'node-crashed',
  'planned',
  'carrier-lost',
  'cordoned',
  'configuration',
  'endpoints',
  'healed',
];

const OF_THE_OTHER: Readonly<Partial<Record<NotOwner, MoveCause>>> = {
  'network-unavailable': 'node-crashed',
  'no-speaker': 'node-crashed',
  'node-not-ready': 'node-crashed',
  'speaker-dead': 'node-crashed',
  'speaker-not-ready': 'node-crashed',
  'speaker-stopping': 'planned',
  'interface-lost': 'carrier-lost',
  cordoned: 'cordoned',
  'not-selected': 'configuration',
  'excluded-by-label': 'configuration',
  'no-local-endpoint': 'endpoints',
};

/** What kept the new owner back, and no longer does. */
const OF_OUR_OWN: Readonly<Partial<Record<NotOwner, MoveCause>>> = {
  ...OF_THE_OTHER,
  'network-unavailable': 'healed',
  'no-speaker': 'healed',
  'node-not-ready': 'healed',
  'speaker-dead': 'healed',
  'speaker-not-ready': 'healed',
  'speaker-stopping': 'healed',
  'interface-lost': 'healed',
  cordoned: 'healed',
};

/** A move as the new owner sees it. */
export interface Move {
  /** Why the owner before is not the owner now. */
  readonly other: NotOwner | undefined;
  /** What the election knows about its node; undefined: there is no such node any more. */
  readonly node: NodeView | undefined;
  /** Why this node was not the owner before. */
  readonly own: NotOwner | undefined;
}

export function causeOf({ other, node, own }: Move): MoveCause {
  if (!node) return 'node-crashed';
  // It left the ring because it can answer nowhere.
  if (other === 'speaker-stopping' && node.losses) return 'carrier-lost';
  const cause = other && OF_THE_OTHER[other];
  return cause ?? (own && OF_OUR_OWN[own]) ?? 'configuration';
}
