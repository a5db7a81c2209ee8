import { formatRange, parseRange, type Range, rangesOverlap } from '../ip/range.ts';
import type { Finding } from './source.ts';

export { union } from '../ip/ranges.ts';

/** Reads one entry of a pool's `addresses`; findings about it go to `report`. */
export function readRange(text: string, report: (finding: Omit<Finding, 'path'>) => void): Range | undefined {
  const parsed = parseRange(text);
  if ('error' in parsed) {
    const hint = mend(parsed.error);
    report({
      code: 'PoolRangeInvalid',
      message: plainError(text, parsed.error),
      detail: parsed.error,
      ...(hint !== undefined && { hint }),
    });
    return undefined;
  }
  if ('empty' in parsed) {
    report({
      code: 'PoolRangeMixed',
      message: 'the range runs from IPv4 to IPv6 and holds no address',
      detail: `"${text}" runs from IPv4 to IPv6 and holds no address`,
    });
    return undefined;
  }
  const { range, hostBits } = parsed;
  if (range.family === 'IPv4' && text.includes(':')) {
    // Go takes it for the IPv4 range; people, routers and other tools do not.
    report({
      code: 'PoolRangeInvalid',
      message: 'the range is one of IPv4 in the spelling of IPv6',
      detail: `"${text}" is a range of IPv4 in the spelling of IPv6`,
      hint: `write ${formatRange(range)}`,
    });
    return undefined;
  }
  if (hostBits)
    report({
      code: 'HostBits',
      severity: 'warning',
      message: 'the CIDR has bits set right of its prefix length; the pool holds the whole block',
      detail: `"${text}" has bits set right of its prefix length; the pool holds all of ${formatRange(range)}`,
    });
  return range;
}

function mend(error: string): string | undefined {
  return error.includes('is reversed') ? 'swap its two ends' : undefined;
}

/** The kind of mistake without the text. */
function plainError(text: string, error: string): string {
  if (error.includes('is reversed')) return 'the range is reversed: its first address comes after its last';
  if (error.includes('has no prefix length'))
    return 'an address has no prefix length (/32 or /128 for a single one)';
  if (error.includes('is not a prefix length')) return 'the prefix length does not fit the address';
  return text.includes('-')
    ? 'an end of the range is not an IP address'
    : 'it is neither a CIDR nor a range "start-end"';
}

/** A range and where it was written. */
export interface Entry<T> {
  readonly range: Range;
  readonly owner: T;
  /** Place within the owner: "spec.addresses[1]". */
  readonly field: string;
}

/**
 * Pairs of entries that share addresses: each entry that meets an earlier one with the one that reaches furthest into it.
 * Enough to find every entry that is part of an overlap; O(n log n), because pools may be many.
 */
export function overlaps<T>(entries: readonly Entry<T>[]): (readonly [Entry<T>, Entry<T>])[] {
  const sorted = entries.toSorted(byFirst);
  const pairs: (readonly [Entry<T>, Entry<T>])[] = [];
  let reach: Entry<T> | undefined;
  for (const entry of sorted) {
    if (reach && rangesOverlap(reach.range, entry.range)) pairs.push([reach, entry]);
    const further =
      !reach || reach.range.family !== entry.range.family || entry.range.last > reach.range.last;
    if (further) reach = entry;
  }
  return pairs;
}

function byFirst(a: { readonly range: Range }, b: { readonly range: Range }): number {
  if (a.range.family !== b.range.family) return a.range.family < b.range.family ? -1 : 1;
  return a.range.first < b.range.first ? -1 : a.range.first > b.range.first ? 1 : 0;
}
