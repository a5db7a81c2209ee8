import { selectorMatches } from '../api/selector.ts';
import type { AdView, Field } from './field.ts';
import type { Because, NotOwner } from './reasons.ts';

/** One election. */
export interface Contest {
  readonly field: Field;
  /** The advertisements of the Service, see `adsFor`. */
  readonly ads: readonly AdView[];
  /** Canonical text of the Service's first address. */
  readonly firstAddress: string;
  /** externalTrafficPolicy Local: only these nodes can. */
  readonly onlyOn?: ReadonlySet<string>;
}

/** The owner is undefined when no node can announce. `why` is for everybody but the owner. */
export interface Result {
  readonly owner?: { readonly node: string; readonly because: Because };
  why(node: string): NotOwner | undefined;
}

/** Those of the pool that are for a Service with such labels. */
export function adsFor(
  field: Field,
  pool: string,
  labels: Readonly<Record<string, string>>,
): readonly AdView[] {
  const all = field.ads.get(pool) ?? [];
  return all.filter(
    ({ ad }) =>
      ad.serviceSelectors.length === 0 || ad.serviceSelectors.some((s) => selectorMatches(s, labels)),
  );
}

/**
 * The node that announces all addresses of a Service: the highest score first, then the order of digests.
 *
 * A node that is not live is passed over as long as a live one is left. When all seem dead, the election goes on as if
 * all lived: an API server that has lost sight of every node must not silence every address.
 */
export function elect(contest: Contest): Result {
  const { field, ads } = contest;
  const able = [...new Set(ads.flatMap(({ scores }) => [...scores.keys()]))].filter(
    (node) => unable(contest, node) === undefined,
  );
  const live = able.filter((node) => field.nodes.get(node)?.liveness === 'live');
  const candidates = live.length > 0 ? live : able;
  const best = Math.max(...candidates.map((node) => score(ads, node)));
  const top = new Set(candidates.filter((node) => score(ads, node) === best));
  const [only] = top;
  const node = top.size > 1 ? field.ranks.order(contest.firstAddress).find((name) => top.has(name)) : only;
  const why = (other: string): NotOwner | undefined => {
    if (other === node) return undefined;
    const reason = unable(contest, other);
    if (reason !== undefined) return reason;
    const liveness = field.nodes.get(other)?.liveness ?? 'no-speaker';
    if (liveness !== 'live' && live.length > 0) return liveness;
    return score(ads, other) < best ? 'less-preferred' : 'later-in-order';
  };
  if (node === undefined) return { why };
  const because =
    candidates.length === 1 ? 'only-candidate' : top.size === 1 ? 'most-preferred' : 'first-in-order';
  return { owner: { node, because }, why };
}

/** What no lack of others can excuse. */
function unable({ field, ads, onlyOn }: Contest, name: string): NotOwner | undefined {
  const node = field.nodes.get(name);
  if (!node || !ads.some(({ scores }) => scores.has(name))) return 'not-selected';
  if (node.networkUnavailable) return 'network-unavailable';
  if (node.excluded) return 'excluded-by-label';
  if (onlyOn && !onlyOn.has(name)) return 'no-local-endpoint';
  return node.liveness === 'no-speaker' ? 'no-speaker' : undefined;
}

/** An advertisement never scores a node that it does not select. */
function score(ads: readonly AdView[], node: string): number {
  return ads.reduce((sum, { scores }) => sum + (scores.get(node) ?? 0), 0);
}
