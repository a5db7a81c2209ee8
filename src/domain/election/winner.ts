import { selectorMatches } from '../api/selector.ts';
import type { Address } from '../ip/address.ts';
import { rangeContains } from '../ip/range.ts';
import { type AdView, type Field, interfacesOf } from './field.ts';
import type { Losses } from './notice.ts';
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
  /** All addresses of the Service; absent: interfaces that nodes have lost are not looked at. */
  readonly addresses?: readonly Address[];
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
 * A node with a handicap is passed over as long as one with a smaller one is left. When all seem dead, the election goes
 * on as if all lived: an API server that has lost sight of every node must not silence every address.
 */
export function elect(contest: Contest): Result {
  const { field, ads } = contest;
  const able = [...new Set(ads.flatMap(({ scores }) => [...scores.keys()]))].filter(
    (node) => unable(contest, node) === undefined,
  );
  const handicaps = new Map(able.map((node) => [node, handicap(contest, node)]));
  const least = Math.min(...[...handicaps.values()].map(({ weight }) => weight));
  const candidates = able.filter((node) => handicaps.get(node)?.weight === least);
  const best = Math.max(...candidates.map((node) => score(ads, node)));
  const top = new Set(candidates.filter((node) => score(ads, node) === best));
  const [only] = top;
  const node = top.size > 1 ? field.ranks.order(contest.firstAddress).find((name) => top.has(name)) : only;
  const why = (other: string): NotOwner | undefined => {
    if (other === node) return undefined;
    const reason = unable(contest, other);
    if (reason !== undefined) return reason;
    const { weight = 0, because } = handicaps.get(other) ?? {};
    if (weight > least && because !== undefined) return because;
    return score(ads, other) < best ? 'less-preferred' : 'later-in-order';
  };
  if (node === undefined) return { why };
  const because =
    candidates.length === 1 ? 'only-candidate' : top.size === 1 ? 'most-preferred' : 'first-in-order';
  return { owner: { node, because }, why };
}

/** What speaks against a node; the weight counts, 0 is nothing. */
interface Handicap {
  readonly weight: number;
  readonly because?: NotOwner;
}

const NONE: Handicap = { weight: 0 };

/**
 * A cordoned node still serves. One that seems dead may live, and one without an interface cannot answer, so that it weighs
 * more: a node that lost its only link hears of nobody, and must not claim everything the moment the link is back.
 */
function handicap({ field, ads, addresses = [] }: Contest, name: string): Handicap {
  const node = field.nodes.get(name);
  if (!node) return NONE;
  const { liveness, losses, cordoned } = node;
  const selecting = losses && ads.filter(({ scores }) => scores.has(name));
  const lost = losses !== undefined && hasLost(losses, interfacesOf(selecting ?? []), addresses);
  if (liveness !== 'live') return { weight: lost ? 4 : 2, because: liveness };
  if (lost) return { weight: 3, because: 'interface-lost' };
  return cordoned === true ? { weight: 1, because: 'cordoned' } : NONE;
}

/** Whether one of the addresses cannot be announced there any more: on none of the interfaces, or not where it belongs. */
function hasLost(
  { interfaces, absent, nowhere }: Losses,
  chosen: 'all' | ReadonlySet<string>,
  addresses: readonly Address[],
): boolean {
  if (nowhere) return true;
  return addresses.some((address) => {
    const lost = interfaces.filter(({ families }) => families.includes(address.family));
    if (chosen === 'all') return lost.some(({ nets }) => nets.some((net) => rangeContains(net, address)));
    const gone = new Set([...lost.map(({ name }) => name), ...absent]);
    return lost.some(({ name }) => chosen.has(name)) && chosen.isSubsetOf(gone);
  });
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
