import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast, type Sample, sampled } from './forecast.ts';
import { largestGap } from './gaps.ts';
import { address, configOf, type PoolSketch, pass } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';

const ledgerOf = (a: PoolSketch) => new Ledger(configOf({ a }));
const ip = (ledger: Ledger, key: string) => pass(ledger, key).result.split(' ')[0] ?? '';

describe('a pool that spreads, least recently used', () => {
  const pool: PoolSketch = {
    addresses: ['192.0.2.0/31', '198.51.100.0/31'],
    strategy: 'least-recently-used',
  };

  it('gives every address once before any comes again, and then the one that was given back first', () => {
    const ledger = ledgerOf(pool);
    expect(['t1/a', 't1/b'].map((key) => ip(ledger, key))).toEqual(['192.0.2.0', '192.0.2.1']);
    ledger.release('t1/b');
    ledger.release('t1/a');
    const more = ['t1/c', 't1/d', 't1/e', 't1/f', 't1/g'].map((key) => ip(ledger, key));
    expect(more).toEqual(['198.51.100.0', '198.51.100.1', '192.0.2.1', '192.0.2.0', 'no-room']);
  });

  it('remembers over a change of the configuration', () => {
    const ledger = ledgerOf(pool);
    for (const key of ['t1/a', 't1/b']) ip(ledger, key);
    ledger.release('t1/b');
    ledger.release('t1/a');
    ledger.reconfigure(configOf({ a: pool, z: { addresses: ['203.0.113.0/32'], autoAssign: false } }));
    expect(['t1/c', 't1/d', 't1/e'].map((key) => ip(ledger, key)).at(-1)).toBe('192.0.2.1');
  });

  it('says so', () => {
    const ledger = ledgerOf(pool);
    expect(pass(ledger, 't1/a').result).toBe('192.0.2.0 a open-pool');
  });
});

describe('a pool that spreads by hash', () => {
  const pool: PoolSketch = { addresses: ['10.0.0.0/16', '2001:db8::/64'], strategy: 'hash' };

  it('gives a Service the same address wherever and whenever it is made', () => {
    const keys = Array.from({ length: 50 }, (_, i) => `t1/s${i}`);
    const [here, there] = [ledgerOf(pool), ledgerOf(pool)];
    const first = new Map(keys.map((key) => [key, ip(here, key)]));
    // 50 of 65,536: none meets another.
    expect(new Set(first.values()).size).toBe(50);
    expect(new Map(keys.toReversed().map((key) => [key, ip(there, key)]))).toEqual(first);
    expect([...first.values()].filter((text) => text < '10.0.0.50').length).toBeLessThan(10);
  });

  it('finds the last free address all the same', () => {
    const ledger = ledgerOf({ addresses: ['192.0.2.0/28'], strategy: 'hash', avoidBuggyIPs: true });
    const got = Array.from({ length: 16 }, (_, i) => ip(ledger, `t1/s${i}`));
    expect(new Set(got.slice(0, 15)).size).toBe(15);
    expect([got.includes('192.0.2.0'), got.at(-1)]).toEqual([false, 'no-room']);
  });
});

describe.each(['least-recently-used', 'hash'] as const)('a pool with the strategy %s', (strategy) => {
  it('gives each free address to somebody and none to two, whatever was given back', () => {
    const steps = fc.array(fc.nat(9), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(steps, (turns) => {
        const ledger = ledgerOf({ addresses: ['192.0.2.0/29'], strategy });
        const has = new Map<string, string>();
        for (const n of turns) {
          const key = `t1/s${n}`;
          if (has.delete(key)) ledger.release(key);
          else {
            const got = ip(ledger, key);
            expect(got === 'no-room').toBe(has.size === 8);
            expect([...has.values()]).not.toContain(got);
            if (got !== 'no-room') has.set(key, got);
          }
        }
      }),
    );
  });

  it('lets Services share before it gives them free addresses', () => {
    const ledger = ledgerOf({ addresses: ['192.0.2.0/29'], strategy });
    const shares = (port: string) => ({ annotations: { 'metallb.io/allow-shared-ip': 'k' }, ports: [port] });
    const [first] = pass(ledger, 't1/a', shares('TCP/80')).result.split(' ');
    expect(pass(ledger, 't1/b', shares('TCP/443')).result.split(' ')[0]).toBe(first);
  });
});

describe('the longest free run of a pool', () => {
  it.each([
    [['192.0.2.0/24'], {}, [], 256n],
    [['192.0.2.0/24'], {}, ['192.0.2.9'], 246n],
    [['192.0.2.0/24'], {}, ['192.0.2.9', '192.0.2.255', '192.0.2.0'], 245n],
    [['192.0.2.0/25', '192.0.2.128/25'], {}, [], 256n],
    [['192.0.2.0/25', '192.0.3.0/25'], {}, [], 128n],
    [['192.0.2.0/24'], { draining: ['192.0.2.128/25'] }, [], 128n],
    [['192.0.2.0/24'], { avoidBuggyIPs: true }, [], 254n],
    [['192.0.0.0/20'], { avoidBuggyIPs: true }, ['192.0.3.7'], 254n],
    [['192.0.2.200-192.0.3.20'], { avoidBuggyIPs: true }, [], 55n],
    [['192.0.2.0/31'], {}, ['192.0.2.0', '192.0.2.1'], 0n],
    [['2001:db8::/64'], {}, [], 0n],
  ] as const)('of %j with %j and %j in use is %s', (addresses, more, used, longest) => {
    const pool = configOf({ a: { addresses, ...more } }).pools.get('a');
    const taken = used.map((text) => address(text).bits);
    expect(pool && largestGap({ pool, family: 'IPv4', taken, kept: [] })).toBe(longest);
  });
});

it('the longest free run ends at a range that is kept for somebody', () => {
  const pool = configOf({ a: { addresses: ['192.0.2.0/24'] } }).pools.get('a') ?? expect.fail();
  const kept = [
    { family: 'IPv4', first: address('192.0.2.64').bits, last: address('192.0.2.79').bits },
  ] as const;
  expect(largestGap({ pool, family: 'IPv4', taken: [], kept })).toBe(176n);
});

describe('the forecast', () => {
  const minutes = (...used: number[]): Sample[] => used.map((n, i) => ({ at: i * 600_000, used: n }));

  it.each([
    ['is unknown without a past', [], { at: 0, used: 5 }, 10, undefined],
    ['is unknown after less than ten minutes', minutes(0), { at: 599_999, used: 5 }, 10, undefined],
    ['goes on at the rate of the past', minutes(0), { at: 600_000, used: 5 }, 10, 1200],
    ['looks at the whole of it, not at the last step', minutes(0, 9), { at: 1_200_000, used: 10 }, 5, 600],
    ['is never while use does not grow', minutes(7), { at: 600_000, used: 7 }, 1, Number.POSITIVE_INFINITY],
    ['is never while use falls', minutes(7), { at: 600_000, used: 3 }, 1, Number.POSITIVE_INFINITY],
    ['is now when nothing is free, whatever is known', [], { at: 0, used: 7 }, 0, 0],
  ])('%s', (_, samples, now, free, seconds) => {
    expect(forecast(samples, now, free)).toBe(seconds);
  });

  it('keeps a sample a minute for an hour', () => {
    let samples: readonly Sample[] = [];
    for (let s = 0; s <= 7_200; s += 20) samples = sampled(samples, { at: s * 1000, used: s });
    expect([samples.length, samples[0]?.at, samples.at(-1)?.at]).toEqual([61, 3_600_000, 7_200_000]);
  });
});
