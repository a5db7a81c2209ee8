import type { Node } from '../api/core.ts';
import type { RingState } from './nodes.ts';
import type { Notice } from './notice.ts';
import type { Liveness } from './reasons.ts';

/**
 * When a cordoned node gives its addresses up. `auto`: as long as every live speaker says that it does so, too, as upstream's
 * do not look at cordons and would elect otherwise. `move`: also where speakers cannot tell each other. `stay`: never.
 */
export const ON_CORDON = ['auto', 'move', 'stay'] as const;
export type OnCordon = (typeof ON_CORDON)[number];

/**
 * Taints of nodes that are being emptied: by `kubectl cordon` or `drain`, by an operator who knows that the node is off, and by
 * autoscalers that are about to remove it. Candidates for removal are not among them: most of them stay.
 */
const TAINTS: ReadonlySet<string> = new Set([
  'node.kubernetes.io/unschedulable',
  'node.kubernetes.io/out-of-service',
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
]);
/** The third effect, PreferNoSchedule, keeps nobody away. */
const EFFECTS: ReadonlySet<string> = new Set(['NoSchedule', 'NoExecute']);

export function isCordoned({ spec }: Node): boolean {
  const { unschedulable, taints = [] } = spec;
  return unschedulable || taints.some(({ key, effect }) => TAINTS.has(key) && EFFECTS.has(effect));
}

/** What is known about one node's speaker. `ring` and `notice` are undefined where the ring never heard of it. */
export interface SpeakerView {
  readonly liveness: Liveness;
  readonly ring: RingState | undefined;
  readonly notice: Notice | undefined;
}

/** Whether cordons count at the moment: all that take part in elections must agree. */
export function cordonsCount(mode: OnCordon, speakers: readonly SpeakerView[]): boolean {
  if (mode === 'stay') return false;
  return speakers
    .filter(({ liveness }) => liveness === 'live')
    .every(({ ring, notice }) => (ring === undefined ? mode === 'move' : notice?.heedsCordon === true));
}
