import { describe, expect, it } from 'vitest';
import { capacityOf, unlimited } from './counters.ts';
import { configOf } from './ipam.rig.ts';

describe('the capacity of a pool', () => {
  it.each([
    [['192.0.2.0/24'], false, 256n, 0n],
    [['192.0.2.0/24'], true, 254n, 0n],
    [['192.0.2.0/24', '198.51.100.128/25'], false, 384n, 0n],
    [['192.0.2.0/24', '198.51.100.128/25'], true, 381n, 0n],
    [['192.0.0.0/22'], true, 1016n, 0n],
    [['1.2.3.0/31', '2001:db8::/127'], true, 1n, 2n],
    [['1.2.3.0/32'], true, 0n, 0n],
    [['1.2.3.255/32'], true, 0n, 0n],
    [['1.2.3.7/32'], true, 1n, 0n],
    [['2001:db8::/64'], false, 0n, unlimited],
    [['2001:db8::/66'], false, 0n, unlimited],
    [['2001:db8::/67'], false, 0n, 1n << 61n],
    [['2001:db8::/64', '2001:db8:1::/120'], false, 0n, unlimited],
    [['192.0.2.1-2001:db8::1'], false, 0n, 0n],
  ] as const)('of %j, avoiding %s, is %s and %s', (addresses, avoidBuggyIPs, IPv4, IPv6) => {
    const pool = configOf({ a: { addresses, avoidBuggyIPs } }).pools.get('a');
    expect(pool && capacityOf(pool)).toEqual({ IPv4, IPv6 });
  });
});
