import { DRAINING, MOVING, QUARANTINED, STRATEGIES, STRATEGY } from '../api/annotations.ts';
import type { IPAddressPool } from '../api/metallb.ts';
import { parseAddress } from '../ip/address.ts';
import { parseRange, type Range } from '../ip/range.ts';
import { type RangeSet, union } from '../ip/ranges.ts';
import type { Pool, Suspect } from './config.ts';
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

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Addresses in use elsewhere, separated by commas: each alone, or followed by the time of its end, a reason, or both. */
export function readQuarantine({ metadata }: IPAddressPool, complain: Complaint): Pick<Pool, 'quarantined'> {
  const quarantined: Suspect[] = [];
  for (const entry of (metadata.annotations[QUARANTINED] ?? '').split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [text = '', ...more] = entry.split(/\s+/);
    const address = parseAddress(text);
    if (!address) {
      const message = `"${text}" is not an IP address`;
      const hint = 'the whole annotation has no effect until this is mended';
      complain('MarkInvalid', `metadata.annotations[${QUARANTINED}]`, { message, hint });
      return {};
    }
    const [until = ''] = more;
    const timed = RFC_3339.test(until);
    const reason = (timed ? more.slice(1) : more).join(' ') || 'in use elsewhere';
    quarantined.push({ address, reason, ...(timed && { until }) });
  }
  return quarantined.length > 0 ? { quarantined } : {};
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
