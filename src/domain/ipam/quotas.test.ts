import { describe, expect, it } from 'vitest';
import type { Quota } from '../config/config.ts';
import { configOf, dual, type PoolSketch, pass, serviceOf } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';
import { begin } from './move.ts';
import { refusalText } from './reasons.ts';
import { wantOf } from './want.ts';

const A = { a: { addresses: ['192.0.2.0/28', '2001:db8::/64'] } };
const B = { b: { addresses: ['198.51.100.0/28'] } };

const quota = (
  name: string,
  addresses: number,
  o: Partial<Record<'namespaces' | 'pools', string[]>> & { each?: true } = {},
): Quota => ({
  name,
  addresses,
  each: o.each ?? false,
  ...(o.namespaces && { namespaces: new Set(o.namespaces) }),
  ...(o.pools && { pools: new Set(o.pools) }),
});
const limited = (pools: Readonly<Record<string, PoolSketch>>, ...quotas: readonly Quota[]) =>
  new Ledger({ ...configOf(pools), quotas });
const why = (ledger: Ledger, key: string) => {
  const { family, ...want } = wantOf(serviceOf(key));
  const refusal = ledger.overQuota({ ...want, family }, [{ family: 'IPv4', bits: 0xc000020fn }]);
  return refusal && refusalText(refusal);
};

describe('a quota', () => {
  it('of a namespace refuses what is beyond it, with its name, use and limit', () => {
    const ledger = limited(A, quota('q', 2, { namespaces: ['t1'] }));
    expect(pass(ledger, 't1/x').result).toBe('192.0.2.0 a open-pool');
    expect(pass(ledger, 't1/y').result).toBe('192.0.2.1 a open-pool');
    expect(pass(ledger, 't1/z').result).toBe('quota-exceeded');
    expect(why(ledger, 't1/z')).toBe('quota q allows namespaces t1 together 2 addresses, and 2 are in use');
    expect(pass(ledger, 't2/z').result).toBe('192.0.2.2 a open-pool');
    ledger.release('t1/x');
    expect(pass(ledger, 't1/z').result).toBe('192.0.2.0 a open-pool');
  });

  it('of several namespaces is theirs together, or that of each', () => {
    const together = limited(A, quota('q', 1, { namespaces: ['t1', 't2'] }));
    pass(together, 't1/x');
    expect(pass(together, 't2/x').result).toBe('quota-exceeded');
    const each = limited(A, quota('q', 1, { each: true }));
    expect(pass(each, 't1/x').result).toBe('192.0.2.0 a open-pool');
    expect(pass(each, 't2/x').result).toBe('192.0.2.1 a open-pool');
    expect(pass(each, 't2/y').result).toBe('quota-exceeded');
    expect(why(each, 't2/y')).toBe('quota q allows namespace t2 1 address, and 1 is in use');
  });

  it('of everybody counts everybody', () => {
    const ledger = limited(A, quota('q', 1));
    pass(ledger, 't1/x');
    expect(pass(ledger, 't2/x').result).toBe('quota-exceeded');
    expect(why(ledger, 't2/x')).toBe('quota q allows all namespaces together 1 address, and 1 is in use');
  });

  it('of a pool leaves the other pools', () => {
    const ledger = limited({ ...A, ...B }, quota('q', 1, { each: true, pools: ['a'] }));
    expect(pass(ledger, 't1/x').result).toBe('192.0.2.0 a open-pool');
    expect(pass(ledger, 't1/y').result).toBe('198.51.100.0 b open-pool');
    expect(pass(ledger, 't1/z', { annotations: { 'metallb.io/address-pool': 'a' } }).result).toBe(
      'quota-exceeded',
    );
    expect(why(ledger, 't1/z')).toBe('quota q allows namespace t1 1 address of pool a, and 1 is in use');
  });

  it('holds for an address that is asked for', () => {
    const ledger = limited(A, quota('q', 1));
    pass(ledger, 't1/x');
    expect(pass(ledger, 't1/y', { loadBalancerIP: '192.0.2.9' }).result).toBe('quota-exceeded');
  });

  it('counts an address once that Services share', () => {
    const ledger = limited(A, quota('q', 1));
    const shared = (port: string) => ({ ports: [port], annotations: { 'metallb.io/allow-shared-ip': 'k' } });
    expect(pass(ledger, 't1/x', shared('TCP/80')).result).toBe('192.0.2.0 a open-pool');
    expect(pass(ledger, 't1/y', shared('TCP/81')).result).toBe('192.0.2.0 a open-pool');
    expect(pass(ledger, 't1/z', shared('TCP/81')).result).toBe('quota-exceeded');
    ledger.release('t1/x');
    expect(ledger.quotaUses.map(({ used }) => used)).toEqual([1]);
    ledger.release('t1/y');
    expect(ledger.quotaUses.map(({ used }) => used)).toEqual([0]);
  });

  it('counts both addresses of dual stack, and leaves PreferDualStack with one', () => {
    const both = (policy: 'RequireDualStack' | 'PreferDualStack') => ({ clusterIPs: dual, policy });
    const ledger = limited(A, quota('q', 1));
    expect(pass(ledger, 't1/x', both('RequireDualStack')).result).toBe('quota-exceeded');
    const preferred = pass(ledger, 't1/x', both('PreferDualStack'));
    expect(preferred.result).toBe('192.0.2.0 a open-pool');
    expect(preferred.words).toEqual(['allocated', 'second-refused']);
  });

  it('takes nothing back from those who have more', () => {
    const ledger = new Ledger(configOf(A));
    pass(ledger, 't1/x');
    pass(ledger, 't1/y');
    ledger.reconfigure({ ...configOf(A), quotas: [quota('q', 1)] });
    expect(pass(ledger, 't1/y', { ingress: ['192.0.2.1'] }).result).toBe('192.0.2.1 a kept');
    expect(ledger.quotaUses.map(({ used }) => used)).toEqual([2]);
    expect(pass(ledger, 't1/z').result).toBe('quota-exceeded');
  });

  it('does not stand in the way of a move, which ends with as many as before', () => {
    const ledger = limited({ a: { ...A.a, moving: ['192.0.2.0/32'] } }, quota('q', 1));
    ledger.claim(wantOf(serviceOf('t1/x')), [{ family: 'IPv4', bits: 0xc0000200n }]);
    expect(begin(ledger, 't1/x', (key) => wantOf(serviceOf(key)))).toEqual(['t1/x']);
  });

  it('is no reason where there is no room anyway', () => {
    const ledger = limited({ a: { addresses: ['192.0.2.0/32'] } }, quota('q', 1));
    pass(ledger, 't1/x');
    expect(pass(ledger, 't1/y').result).toBe('no-room');
  });
});
