import type { Pool } from '../config/config.ts';
import type { Family } from '../ip/address.ts';
import { type Range, rangeSize } from '../ip/range.ts';
import { without } from '../ip/ranges.ts';

/** IPAddressPool.status: distinct addresses; a shared one counts once. */
export interface Counters {
  readonly assignedIPv4: bigint;
  readonly assignedIPv6: bigint;
  readonly availableIPv4: bigint;
  readonly availableIPv6: bigint;
}

/** int64's greatest, which a range of 2^62 addresses or more counts as; sums stop there too. */
export const unlimited = 2n ** 63n - 1n;

/** How many addresses a pool can hand out, by family: all but those that it avoids or that drain. */
export function capacityOf(pool: Pool): Readonly<Record<Family, bigint>> {
  const total = { IPv4: 0n, IPv6: 0n };
  for (const range of pool.ranges.flatMap((range) => without(range, pool.draining ?? []))) {
    const sum = total[range.family] + usable(range, pool.avoidBuggyIPs);
    total[range.family] = sum < unlimited ? sum : unlimited;
  }
  return total;
}

/** Addresses of one range, without those that end in 0 or 255 where the pool avoids them. */
function usable(range: Range, avoid: boolean): bigint {
  const size = rangeSize(range);
  if (size >= 1n << 62n) return unlimited;
  if (!avoid || range.family === 'IPv6') return size;
  // How many multiples of 256 the range holds, and how many numbers that come just before one.
  const zeros = (range.last >> 8n) - ((range.first + 255n) >> 8n) + 1n;
  const ends = ((range.last + 1n) >> 8n) - ((range.first + 256n) >> 8n) + 1n;
  return size - zeros - ends;
}
