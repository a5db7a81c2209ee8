import { selectorMatches } from '../api/selector.ts';
import type { Config, L2Ad } from '../config/config.ts';
import type { NodeView } from './nodes.ts';
import { Ranks } from './ranks.ts';

/** An advertisement with its nodes resolved. */
export interface AdView {
  readonly ad: L2Ad;
  /** Score of each node that the advertisement selects: the sum of the weights of its own preferences that match. */
  readonly scores: ReadonlyMap<string, number>;
}

/** What all elections share: made anew whenever Config or a node changes, so that each Service costs little. */
export interface Field {
  readonly config: Config;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** By pool; a pool that nothing advertises has none. */
  readonly ads: ReadonlyMap<string, readonly AdView[]>;
  readonly ranks: Ranks;
}

/** `before`: its orders are taken over while the set of nodes is the same. */
export function layOut(config: Config, nodes: Iterable<NodeView>, before?: Field): Field {
  const byName = new Map([...nodes].map((node) => [node.name, node]));
  const views = config.l2.map((ad) => ({ ad, scores: scoresOf(ad, byName.values()) }));
  const ads = new Map<string, AdView[]>();
  for (const pool of config.pools.keys()) {
    const those = views.filter(({ ad }) => ad.pools.has(pool));
    if (those.length > 0) ads.set(pool, those);
  }
  const same = before !== undefined && equalSets(before.ranks.names, byName);
  return { config, nodes: byName, ads, ranks: same ? before.ranks : new Ranks(byName.keys()) };
}

/** The interfaces that advertisements choose together; `all` as soon as one names none. */
export function interfacesOf(ads: readonly AdView[]): 'all' | ReadonlySet<string> {
  if (ads.some(({ ad }) => ad.interfaces.length === 0)) return 'all';
  return new Set(ads.flatMap(({ ad }) => ad.interfaces));
}

function scoresOf(ad: L2Ad, nodes: Iterable<NodeView>): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (const node of nodes) {
    const selected =
      ad.nodeSelectors.length === 0 || ad.nodeSelectors.some((s) => selectorMatches(s, node.labels));
    if (!selected) continue;
    const wanted = ad.preferred.filter(({ selector }) => selectorMatches(selector, node.labels));
    scores.set(
      node.name,
      wanted.reduce((sum, { weight }) => sum + weight, 0),
    );
  }
  return scores;
}

function equalSets(a: ReadonlySet<string>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}
