import { EXCLUDE_NODE } from '../api/annotations.ts';
import type { Node, PlainCondition, Pod } from '../api/core.ts';
import type { Losses } from './notice.ts';
import type { Liveness } from './reasons.ts';

/** What an election looks at in a node. */
export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkUnavailable: boolean;
  /** By label, unless the label is to be ignored. */
  readonly excluded: boolean;
  readonly liveness: Liveness;
  /** What it can no longer answer on, as its speaker tells. */
  readonly losses?: Losses;
  /** It is being emptied, and that counts. */
  readonly cordoned?: boolean;
}

/** `ignoreExclude`: upstream's --ignore-exclude-lb. */
export function nodeView(node: Node, o: { liveness: Liveness; ignoreExclude: boolean }): NodeView {
  return {
    name: node.metadata.name,
    labels: node.metadata.labels,
    networkUnavailable: holds(node.status.conditions, 'NetworkUnavailable'),
    excluded: !o.ignoreExclude && Object.hasOwn(node.metadata.labels, EXCLUDE_NODE),
    liveness: o.liveness,
  };
}

/**
 * Liveness from the API server alone. `speakers` are the speaker Pods on the node, or undefined when nobody said how
 * to recognize them: then every node has one, as upstream assumes without its member list.
 */
export function livenessByApi(node: Node, speakers: Iterable<Pod> | undefined): Liveness {
  if (!holds(node.status.conditions, 'Ready')) return 'node-not-ready';
  if (speakers === undefined) return 'live';
  const pods = [...speakers].filter(
    (pod) => pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed',
  );
  if (pods.length === 0) return 'no-speaker';
  const staying = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  if (staying.some((pod) => holds(pod.status.conditions, 'Ready'))) return 'live';
  return staying.length === 0 ? 'speaker-stopping' : 'speaker-not-ready';
}

/** What the ring of speakers says about one; undefined: it never heard of it. */
export type RingState = 'member' | 'dead' | 'left';

/**
 * Liveness where the speakers ask each other: the ring's word counts first, as upstream, since it knows within a second and lives
 * on without the API server. What the API server says counts for nodes that the ring never heard of (a closed port must not make
 * each node believe that it is alone), and for a speaker that is about to stop.
 */
export function livenessByRing(ring: RingState | undefined, byApi: Liveness): Liveness {
  if (ring === undefined) return byApi;
  if (ring === 'left') return 'speaker-stopping';
  if (ring === 'dead') return 'speaker-dead';
  return byApi === 'speaker-stopping' ? byApi : 'live';
}

function holds(conditions: readonly PlainCondition[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}
