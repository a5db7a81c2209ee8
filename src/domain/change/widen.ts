import { BGPAdvertisements, BGPPeers, IPAddressPools, L2Advertisements } from '../api/metallb.ts';
import { isObject, type Json, type JsonObject, sameJson } from '../desired/json.ts';
import { openContent, type View, viewOf } from '../desired/object.ts';
import { entriesOf } from '../desired/rules.ts';
import { formatRange, type Range } from '../ip/range.ts';
import { type RangeSet, union, without } from '../ip/ranges.ts';
import type { Update } from './diff.ts';

/** Fields that together say one thing: an object covers what one of them names, and everything when all are empty. */
type Dimension = readonly string[];

const TARGET: readonly Dimension[] = [
  ['ipAddressPools', 'ipAddressPoolSelectors'],
  ['nodeSelectors'],
  ['serviceSelectors'],
];
/** What an object of a kind reaches: the product of its dimensions. */
const DIMENSIONS: Readonly<Record<string, readonly Dimension[]>> = {
  [L2Advertisements.kind]: [...TARGET, ['interfaces']],
  [BGPAdvertisements.kind]: [...TARGET, ['peers']],
  [BGPPeers.kind]: [['nodeSelectors']],
};

/** Whether an object stops covering something, and whether it starts to cover something. */
export interface Effect {
  readonly gives: boolean;
  readonly takes: boolean;
}

/** Whether objects of the kind reach out: advertisements and peers. */
export function reaches(o: { readonly kind: View['kind'] }): boolean {
  return Object.hasOwn(DIMENSIONS, o.kind.kind);
}

export function isPool(o: { readonly kind: View['kind'] }): boolean {
  return o.kind.kind === IPAddressPools.kind;
}

/** The fields of an object; a Secret has none here. */
export function specOf(o: Pick<View, 'content'>): JsonObject {
  const { spec } = openContent(o.content);
  return isObject(spec) ? spec : {};
}

/** The addresses of a pool, whoever wrote it and however they are spelt. */
export function addressesOf(pool: View): RangeSet {
  return union(entriesOf(pool).map((e) => e.range));
}

/** How what an advertisement or peer reaches changes. */
export function effectOfReach(write: Update): Effect {
  const [before, after] = [specOf(write.live), specOf(write.object)];
  const dimensions = DIMENSIONS[write.object.kind.kind] ?? [];
  return {
    gives: dimensions.some((d) => !includes(after, before, d)),
    takes: dimensions.some((d) => !includes(before, after, d)),
  };
}

const items = (spec: JsonObject, field: string): readonly Json[] => {
  const value = spec[field];
  return Array.isArray(value) ? value : [];
};

const isAll = (spec: JsonObject, dimension: Dimension) => dimension.every((f) => items(spec, f).length === 0);

function includes(outer: JsonObject, inner: JsonObject, dimension: Dimension): boolean {
  if (isAll(outer, dimension)) return true;
  if (isAll(inner, dimension)) return false;
  return dimension.every((field) => {
    const known = items(outer, field);
    return items(inner, field).every((item) => known.some((k) => sameJson(k, item)));
  });
}

/** The same update without the giving: of a pool the addresses of both, of the others what either version reaches. */
export function widened(write: Update): Update {
  const spec = isPool(write.object) ? widePool(write) : wideReach(write);
  return {
    ...write,
    object: { ...write.object, content: { spec } },
    because: `${write.because}; it takes before it gives away`,
  };
}

function widePool({ live, object }: Update): JsonObject {
  const addresses = union([...addressesOf(viewOf(live)), ...addressesOf(object)]).map(formatRange);
  return { ...specOf(object), addresses };
}

function wideReach({ live, object }: Update): JsonObject {
  const [before, after] = [specOf(live), specOf(object)];
  const wide: Record<string, Json> = { ...after };
  for (const dimension of DIMENSIONS[object.kind.kind] ?? []) {
    const all = isAll(before, dimension) || isAll(after, dimension);
    for (const field of dimension) {
      const both = items(after, field).concat(
        items(before, field).filter((b) => !items(after, field).some((a) => sameJson(a, b))),
      );
      if (all) delete wide[field];
      else if (both.length > 0) wide[field] = both;
    }
  }
  return wide;
}

/** Of a pool: addresses that it gives to other pools, and that it takes from them. */
export function effectAmongPools(write: Update, all: { before: RangeSet; after: RangeSet }): Effect {
  const before = addressesOf(viewOf(write.live));
  const after = addressesOf(write.object);
  return {
    gives: before.some((range) => without(range, after).some((part) => meets(all.after, part))),
    takes: after.some((range) => without(range, before).some((part) => meets(all.before, part))),
  };
}

/** Whether a pool loses an address. */
export function shrinks(write: Update): boolean {
  const after = addressesOf(write.object);
  return addressesOf(viewOf(write.live)).some((range) => without(range, after).length > 0);
}

/** Whether the set holds an address of the range. O(log n). */
export function meets(set: RangeSet, range: Range): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = set[middle];
    const after =
      at === undefined || (at.family === range.family ? at.first > range.last : at.family > range.family);
    if (after) high = middle;
    else low = middle + 1;
  }
  const found = set[low - 1];
  return found?.family === range.family && found.last >= range.first;
}
