import { type BGPAdvertisementSpec, IPAddressPools } from '../api/metallb.ts';
import { parseSelector, selectorMatches } from '../api/selector.ts';
import type { Family } from '../ip/address.ts';
import { parseRange, prefixLength, toCidrs } from '../ip/range.ts';
import type { View } from './object.ts';
import { typedAs } from './typed.ts';

/** A pool as BGP sees it. */
export interface BgpPool<T extends View> {
  readonly of: T;
  /** Of each family that it has addresses of: the range that allows the least aggregation. */
  readonly tightest: ReadonlyMap<Family, Tightest>;
}

interface Tightest {
  /** Prefix length of the widest block in the range: nothing wider may be announced for it. */
  readonly length: number;
  readonly field: string;
  readonly text: string;
}

export function bgpPoolsOf<T extends View>(objects: readonly T[]): readonly BgpPool<T>[] {
  return objects.flatMap((of) => {
    const pool = typedAs(of, IPAddressPools);
    return pool ? [{ of, tightest: tightestOf(pool.spec.addresses) }] : [];
  });
}

function tightestOf(addresses: readonly string[]): ReadonlyMap<Family, Tightest> {
  const tightest = new Map<Family, Tightest>();
  for (const [i, text] of addresses.entries()) {
    const parsed = parseRange(text);
    if (!('range' in parsed)) continue;
    const { range } = parsed;
    const length = Math.min(...toCidrs(range).map((block) => prefixLength(block) ?? 0));
    if (length > (tightest.get(range.family)?.length ?? -1))
      tightest.set(range.family, { length, text, field: `spec.addresses[${i}]` });
  }
  return tightest;
}

/** The pools that an advertisement selects, all when it names none. A selector that is none selects nothing. */
export function poolsFor<T extends View>(
  { ipAddressPools = [], ipAddressPoolSelectors = [] }: BGPAdvertisementSpec,
  pools: readonly BgpPool<T>[],
): readonly BgpPool<T>[] {
  if (ipAddressPools.length === 0 && ipAddressPoolSelectors.length === 0) return pools;
  const listed = new Set(ipAddressPools);
  const selectors = ipAddressPoolSelectors.map(parseSelector).filter((s) => 'requirements' in s);
  return pools.filter(
    ({ of }) => listed.has(of.name) || selectors.some((selector) => selectorMatches(selector, of.labels)),
  );
}
