import { EXCLUDE_NODE } from '../api/annotations.ts';
import type { Node, PlainCondition, Pod } from '../api/core.ts';
import type { Liveness } from './reasons.ts';

/** What an election looks at in a node. Cordon and taints are not among it, as upstream. */
export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkUnavailable: boolean;
  /** By label, unless the label is to be ignored. */
  readonly excluded: boolean;
  readonly liveness: Liveness;
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

function holds(conditions: readonly PlainCondition[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}
