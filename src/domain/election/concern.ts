import { selectorText } from '../api/selector.ts';
import type { Pool } from '../config/config.ts';
import { formatRange } from '../ip/range.ts';
import type { AdView, Field } from './field.ts';
import { lossesWire } from './notice.ts';

/** Everything about a pool that a decision can depend on, as text by pool name. */
export type Fingerprints = ReadonlyMap<string, string>;

/** Ranges, advertisements, and of the nodes that they select all that an election looks at. */
export function fingerprints(field: Field): Fingerprints {
  const made = new Map<string, string>();
  for (const [name, pool] of field.config.pools) {
    const ads = field.ads.get(name) ?? [];
    made.set(name, JSON.stringify([rangesText(pool), ads.map(adFacts), nodeFacts(field, ads)]));
  }
  return made;
}

/**
 * Pools whose Services must be judged anew. `ranges`: some pool appeared, vanished or moved, so that addresses
 * without a pool may have one now.
 */
export function concerned(
  before: Fingerprints,
  after: Fingerprints,
): { pools: ReadonlySet<string>; ranges: boolean } {
  const pools = new Set<string>();
  let ranges = false;
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) continue;
    pools.add(name);
    ranges ||= old === undefined || now === undefined || rangesIn(old) !== rangesIn(now);
  }
  return { pools, ranges };
}

function rangesText(pool: Pool): string {
  return pool.ranges.map(formatRange).join();
}

/** The ranges stand first and hold no quote. */
function rangesIn(fingerprint: string): string {
  return fingerprint.slice(0, fingerprint.indexOf('"', 2));
}

function adFacts({ ad, scores }: AdView): unknown {
  return [
    ad.serviceSelectors.map(selectorText),
    ad.interfaces,
    [...scores].sort(([a], [b]) => (a < b ? -1 : 1)),
  ];
}

function nodeFacts(field: Field, ads: readonly AdView[]): unknown {
  const names = new Set(ads.flatMap(({ scores }) => [...scores.keys()]));
  return [...names].sort().map((name) => {
    const node = field.nodes.get(name);
    const losses = node?.losses && lossesWire(node.losses);
    return [name, node?.networkUnavailable, node?.excluded, node?.liveness, losses, node?.cordoned];
  });
}
