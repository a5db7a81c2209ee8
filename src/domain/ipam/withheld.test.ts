import { describe, expect, it } from 'vitest';
import { readReservations } from '../config/reservations.ts';
import type { Family } from '../ip/address.ts';
import { converge } from './converge.ts';
import { address, configOf, type PoolSketch, pass, serviceOf } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';
import { refusalText } from './reasons.ts';
import { withheldText, withoutCounts } from './withheld.ts';

const metadata = { name: 'r', uid: 'r', resourceVersion: '1', generation: 1, labels: {}, annotations: {} };
const SMALL: PoolSketch = { addresses: ['192.0.2.0/29'] };

/** A pool with Services t1/s0, t1/s1... in it. */
function ledgerOf(o: {
  readonly pool?: PoolSketch;
  readonly reserved?: readonly string[];
  readonly quarantined?: readonly string[];
  readonly services?: number;
}): Ledger {
  const spec = { namespace: 't9', addresses: o.reserved ?? [] };
  const reservations = o.reserved ? readReservations([{ metadata, spec }], []) : [];
  const ledger = new Ledger({ ...configOf({ a: o.pool ?? SMALL }), reservations });
  for (const text of o.quarantined ?? [])
    ledger.quarantine.add({ address: address(text), reason: 'a printer', since: 0, until: 9 });
  for (let i = 0; i < (o.services ?? 0); i++) pass(ledger, `t1/s${i}`);
  return ledger;
}

function counts(ledger: Ledger, family: Family = 'IPv4'): readonly (bigint | undefined)[] {
  const pool = ledger.config.pools.get('a');
  const w = pool && ledger.withheld(pool, family);
  return [w?.draining, w?.quarantined, w?.reserved];
}

describe('what a pool keeps back', () => {
  it.each([
    ['is nothing by itself', {}, [0n, 0n, 0n]],
    ['is draining ranges', { pool: { ...SMALL, draining: ['192.0.2.4/30'] } }, [4n, 0n, 0n]],
    ['is quarantined addresses', { quarantined: ['192.0.2.1', '198.51.100.1'] }, [0n, 1n, 0n]],
    ['is reserved ranges, as far as they lie in it', { reserved: ['192.0.2.6-192.0.2.20'] }, [0n, 0n, 2n]],
    [
      'counts once: draining, then quarantined, then reserved',
      {
        pool: { ...SMALL, draining: ['192.0.2.0/30'] },
        quarantined: ['192.0.2.1', '192.0.2.5'],
        reserved: ['192.0.2.0/29'],
      },
      [4n, 1n, 3n],
    ],
    [
      'leaves out what the pool avoids',
      { pool: { ...SMALL, avoidBuggyIPs: true }, reserved: ['192.0.2.0/31'] },
      [0n, 0n, 1n],
    ],
  ] as const)('%s', (_, o, expected) => {
    expect(counts(ledgerOf(o))).toEqual(expected);
  });

  it('is counted in a /64 as well', () => {
    const pool = { addresses: ['2001:db8::/64'], draining: ['2001:db8:0:0:8000::/65'] };
    const reserved = ['2001:db8::/120', '2001:db8:0:0:8000::/120'];
    expect(counts(ledgerOf({ pool, reserved }), 'IPv6')).toEqual([2n ** 63n - 1n, 0n, 256n]);
  });

  it('leaves out what somebody has, whoever it is', () => {
    const ledger = ledgerOf({ reserved: ['192.0.2.0/31'], services: 2 });
    expect(counts(ledger)).toEqual([0n, 0n, 2n]);
    pass(ledger, 't9/owner');
    expect(counts(ledger)).toEqual([0n, 0n, 1n]);
    ledger.release('t9/owner');
    expect(counts(ledger)).toEqual([0n, 0n, 2n]);
    ledger.quarantine.add({ address: address('192.0.2.2'), reason: 'a printer', since: 0, until: 9 });
    expect(counts(ledger)).toEqual([0n, 0n, 2n]);
    ledger.release('t1/s0');
    expect(counts(ledger)).toEqual([0n, 1n, 2n]);
  });

  it('has what a Service had last that a reservation names', () => {
    const reservations = readReservations([{ metadata, spec: { namespace: 't1', service: 'web' } }], []);
    const ledger = new Ledger({ ...configOf({ a: SMALL }), reservations });
    pass(ledger, 't1/web');
    expect(counts(ledger)).toEqual([0n, 0n, 0n]);
    ledger.release('t1/web');
    expect(counts(ledger)).toEqual([0n, 0n, 1n]);
    expect(ledger.longestFree(ledger.config.pools.get('a') ?? expect.fail(), 'IPv4', [])).toBe(7n);
  });

  it('is told to whom it leaves nothing', () => {
    const told = (ledger: Ledger, annotations: Record<string, string>) => {
      const { verdict } = converge(ledger, serviceOf('t1/late', { annotations }));
      return 'refusal' in verdict && refusalText(verdict.refusal);
    };
    const full = ledgerOf({ reserved: ['192.0.2.0/31'], quarantined: ['192.0.2.7'], services: 5 });
    const kept = ', with 1 quarantined, 2 reserved';
    expect(told(full, {})).toBe(`no pool has a free IPv4 address for this Service${kept}`);
    expect(told(full, { 'metallb.io/address-pool': 'a' })).toBe(`pool a has no free IPv4 address${kept}`);
    expect(told(ledgerOf({ services: 8 }), {})).toBe('no pool has a free IPv4 address for this Service');
  });

  it('is counted in words up to a million', () => {
    const words = withheldText({ draining: 999_999n, quarantined: 0n, reserved: 1_000_000n });
    expect(words).toBe('999999 draining, very many reserved');
    expect(withoutCounts(`pool 7 has none, with ${words}`)).toBe('pool 7 has none, with draining, reserved');
  });
});
