import { DRAINING, MOVING, STRATEGIES, STRATEGY } from '../api/annotations.ts';
import type { IPAddressPool } from '../api/metallb.ts';
import { parseRange, type Range } from '../ip/range.ts';
import { type RangeSet, union } from '../ip/ranges.ts';
import type { Pool } from './config.ts';
import type { Complaint } from './errors.ts';

/**
 * The ranges that annotations of a pool mark. Ranges outside the pool mean nothing. One entry that cannot be read makes its
 * whole annotation void: a slip of the hand neither drains nor moves a part that nobody meant.
 */
export function readMarks(
  { metadata }: IPAddressPool,
  complain: Complaint,
): Pick<Pool, 'draining' | 'moving'> {
  const read = (name: string) => readRanges(metadata.annotations[name] ?? '', name, complain);
  const moving = read(MOVING);
  const draining = union([...read(DRAINING), ...moving]);
  return { ...(draining.length > 0 && { draining }), ...(moving.length > 0 && { moving }) };
}

/** How the pool chooses among its free addresses. */
export function readStrategy({ metadata }: IPAddressPool, complain: Complaint): Pick<Pool, 'strategy'> {
  const text = metadata.annotations[STRATEGY];
  if (text === undefined || text === 'first-free') return {};
  if (text === 'least-recently-used' || text === 'hash') return { strategy: text };
  const hint = `write one of ${STRATEGIES.join(', ')}; until then it is first-free`;
  complain('StrategyInvalid', `metadata.annotations[${STRATEGY}]`, { message: `"${text}" is none`, hint });
  return {};
}

/** Ranges and CIDRs as in a pool's addresses, separated by commas. */
function readRanges(text: string, name: string, complain: Complaint): RangeSet {
  const ranges: Range[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const parsed = parseRange(entry);
    if ('error' in parsed) {
      const hint = 'the whole annotation has no effect until this is mended';
      complain('MarkInvalid', `metadata.annotations[${name}]`, { message: parsed.error, hint });
      return [];
    }
    if ('range' in parsed) ranges.push(parsed.range);
  }
  return union(ranges);
}
