import { describe, expect, it } from 'vitest';
import type { Config } from '../config/config.ts';
import { adopt } from './converge.ts';
import { configOf, pass, type ServiceSketch, serviceOf, texts } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';

const LBIPS = 'metallb.io/loadBalancerIPs';
const SHARE = 'metallb.io/allow-shared-ip';

const plain = { a: { addresses: ['192.0.2.0/30'] } };

describe('sharing', () => {
  const key = (value: string) => ({ [SHARE]: value });
  const asks = (share: string) => ({ ...key(share), [LBIPS]: '192.0.2.1' });
  const first = (sketch: ServiceSketch) => {
    const ledger = new Ledger(configOf(plain));
    pass(ledger, 't1/first', sketch);
    return ledger;
  };
  it.each<[string, ServiceSketch, ServiceSketch, string]>([
    [
      'needs a key on both sides',
      { annotations: asks('k') },
      { annotations: { [LBIPS]: '192.0.2.1' }, ports: ['TCP/81'] },
      'address-in-use',
    ],
    [
      'needs a key of the holder',
      { annotations: { [LBIPS]: '192.0.2.1' } },
      { annotations: asks('k'), ports: ['TCP/81'] },
      'address-in-use',
    ],
    [
      'needs equal keys',
      { annotations: asks('k') },
      { annotations: asks('l'), ports: ['TCP/81'] },
      'address-in-use',
    ],
    ['needs other ports', { annotations: asks('k') }, { annotations: asks('k') }, 'port-in-use'],
    [
      'tells protocols apart',
      { annotations: asks('k') },
      { annotations: asks('k'), ports: ['UDP/80'] },
      '192.0.2.1 a requested-address',
    ],
    [
      'needs equal backends with policy Local',
      { annotations: asks('k'), local: true },
      { annotations: asks('k'), ports: ['TCP/81'] },
      'address-in-use',
    ],
    [
      'finds the shared address by itself',
      { annotations: asks('k') },
      { annotations: key('k'), ports: ['TCP/81'] },
      '192.0.2.0 a open-pool',
    ],
  ])('%s', (_, holder, newcomer, result) => {
    expect(pass(first(holder), 't2/second', newcomer).result).toBe(result);
  });

  it('comes before a free address that is higher', () => {
    const ledger = first({ annotations: key('k') });
    pass(ledger, 't1/other');
    expect(pass(ledger, 't2/second', { annotations: key('k'), ports: ['TCP/81'] }).result).toBe(
      '192.0.2.0 a open-pool',
    );
    expect(pass(ledger, 't2/third', { annotations: key('k'), ports: ['TCP/81'] }).result).toBe(
      '192.0.2.2 a open-pool',
    );
  });

  it('lets the only holder change its key, and nobody who shares', () => {
    const ledger = first({ annotations: key('k') });
    const held = { ingress: ['192.0.2.0'] };
    expect(pass(ledger, 't1/first', { ...held, annotations: key('l') }).result).toBe('192.0.2.0 a kept');
    pass(ledger, 't2/second', { annotations: key('l'), ports: ['TCP/81'] });
    const moved = pass(ledger, 't1/first', { ...held, annotations: key('m') });
    expect(moved).toEqual({ result: '192.0.2.1 a open-pool', words: ['cleared', 'allocated'] });
  });

  it('counts the address once, and frees it with its last holder', () => {
    const ledger = first({ annotations: key('k') });
    pass(ledger, 't2/second', { annotations: key('k'), ports: ['TCP/81'] });
    expect(ledger.counters('a')).toMatchObject({ assignedIPv4: 1n, availableIPv4: 3n });
    ledger.release('t1/first');
    expect(pass(ledger, 't1/other').result).toBe('192.0.2.1 a open-pool');
    ledger.release('t2/second');
    expect(pass(ledger, 't1/another').result).toBe('192.0.2.0 a open-pool');
  });
});

describe('the ledger', () => {
  const held = (ledger: Ledger, key: string) => {
    const claim = ledger.claimOf(key);
    return claim && `${texts(claim.addresses).join(' ')} ${claim.pool}`;
  };
  const under = (before: Config, after: Config) => {
    const ledger = new Ledger(before);
    for (const name of ['x', 'y', 'z']) pass(ledger, `t1/${name}`);
    return { ledger, upheaval: ledger.reconfigure(after) };
  };
  it('keeps claims over a rename, moves them with their ranges, and releases what no pool holds', () => {
    const { ledger, upheaval } = under(
      configOf({ a: { addresses: ['192.0.2.0/30'] } }),
      configOf({ b: { addresses: ['192.0.2.0/32'] }, c: { addresses: ['192.0.2.2/31'] } }),
    );
    expect(upheaval).toEqual({ released: ['t1/y'], moved: ['t1/x', 't1/z'] });
    expect([held(ledger, 't1/x'), held(ledger, 't1/y'), held(ledger, 't1/z')]).toEqual([
      '192.0.2.0 b',
      undefined,
      '192.0.2.2 c',
    ]);
    expect(ledger.counters('c')).toMatchObject({ assignedIPv4: 1n, availableIPv4: 1n });
    expect(ledger.counters('a')).toMatchObject({ assignedIPv4: 0n, availableIPv4: 0n });
  });

  it('releases avoided addresses when a pool starts to avoid them', () => {
    const { upheaval } = under(
      configOf({ a: { addresses: ['192.0.2.0/30'] } }),
      configOf({ a: { addresses: ['192.0.2.0/30'], avoidBuggyIPs: true } }),
    );
    expect(upheaval.released).toEqual(['t1/x']);
  });

  it('adopts what a status says before anything is chosen', () => {
    const ledger = new Ledger(configOf(plain));
    expect(adopt(ledger, serviceOf('t1/old', { ingress: ['192.0.2.0'] }))).toBe(true);
    expect(adopt(ledger, serviceOf('t1/none'))).toBe(false);
    expect(adopt(ledger, serviceOf('t1/thief', { ingress: ['192.0.2.0'] }))).toBe(false);
    expect(pass(ledger, 't1/new').result).toBe('192.0.2.1 a open-pool');
  });

  it('tells of room by its openings', () => {
    const ledger = new Ledger(configOf(plain));
    pass(ledger, 't1/x');
    const before = ledger.openings;
    expect(ledger.release('t1/x')).toBe(true);
    expect(ledger.release('t1/x')).toBe(false);
    expect(ledger.openings).toBe(before + 1);
  });

  it('gives from thousands of ranges and a /64 without walking them', () => {
    const many = Array.from({ length: 4_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1/32`);
    const ledger = new Ledger(configOf({ a: { addresses: [...many, '2001:db8::/64'] } }));
    const last = many.map((_, i) => pass(ledger, `t1/s${i}`).result).at(-1);
    expect(last).toBe('10.15.159.1 a open-pool');
    expect(pass(ledger, 't1/late').result).toBe('no-room');
    ledger.release('t1/s7');
    expect(pass(ledger, 't1/late').result).toBe('10.0.7.1 a open-pool');
    expect(ledger.counters('a')).toEqual({
      assignedIPv4: 4_000n,
      assignedIPv6: 0n,
      availableIPv4: 0n,
      availableIPv6: 9223372036854775807n,
    });
  });
});
