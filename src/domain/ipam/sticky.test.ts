import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configOf, dual, type PoolSketch, pass } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';

const small: Readonly<Record<string, PoolSketch>> = { a: { addresses: ['192.0.2.0/30'] } };
const ledgerOf = (pools: Readonly<Record<string, PoolSketch>>) => new Ledger(configOf(pools));
/** Serves Services in this order, and deletes those of `deleted`. */
function served(ledger: Ledger, keys: readonly string[], deleted: readonly string[]): void {
  for (const key of keys) pass(ledger, key);
  for (const key of deleted) ledger.release(key, 100);
}

describe('a Service that is deleted and made again', () => {
  it('gets its address back, although others were given addresses meanwhile', () => {
    const ledger = ledgerOf(small);
    served(ledger, ['t1/a', 't1/b'], ['t1/a', 't1/b']);
    expect(pass(ledger, 't1/c').result).toBe('192.0.2.2 a open-pool');
    expect(pass(ledger, 't1/b').result).toBe('192.0.2.1 a returned');
    expect(pass(ledger, 't1/a').result).toBe('192.0.2.0 a returned');
  });

  it('gets what is free once its time is up', () => {
    const ledger = ledgerOf(small);
    served(ledger, ['t1/a', 't1/b'], ['t1/a', 't1/b']);
    ledger.sticky.expire(99);
    expect(pass(ledger, 't1/c').result).toBe('192.0.2.2 a open-pool');
    ledger.sticky.expire(100);
    expect(pass(ledger, 't1/b').result).toBe('192.0.2.0 a open-pool');
  });

  it('loses it to one that would have none otherwise, the longest deleted first', () => {
    const ledger = ledgerOf({ a: { addresses: ['192.0.2.0/31'] } });
    served(ledger, ['t1/a', 't1/b'], ['t1/b', 't1/a']);
    expect(pass(ledger, 't1/c').result).toBe('192.0.2.1 a open-pool');
    expect(pass(ledger, 't1/d').result).toBe('192.0.2.0 a open-pool');
    expect(pass(ledger, 't1/a').result).toBe('no-room');
  });

  it('loses it to one that asks for it', () => {
    const ledger = ledgerOf(small);
    served(ledger, ['t1/a', 't1/b'], ['t1/a']);
    const asks = { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.0' } };
    expect(pass(ledger, 't1/c', asks).result).toBe('192.0.2.0 a requested-address');
    expect(pass(ledger, 't1/a').result).toBe('192.0.2.2 a open-pool');
  });

  it('gets it back from a pool that would not come first', () => {
    const ledger = ledgerOf({ a: { addresses: ['192.0.2.0/32'] }, b: { addresses: ['198.51.100.0/30'] } });
    served(ledger, ['t1/a', 't1/b'], ['t1/b']);
    ledger.release('t1/a');
    expect(pass(ledger, 't1/b').result).toBe('198.51.100.0 b returned');
  });

  it('goes where it belongs now, if that is another pool', () => {
    const meant = { namespaces: ['t1'] };
    const ledger = ledgerOf({ open: { addresses: ['192.0.2.0/30'] } });
    served(ledger, ['t1/a'], ['t1/a']);
    ledger.reconfigure(
      configOf({
        open: { addresses: ['192.0.2.0/30'] },
        own: { addresses: ['198.51.100.0/30'], allocation: meant },
      }),
    );
    expect(pass(ledger, 't1/a').result).toBe('198.51.100.0 own matching-pool');
    expect(pass(ledger, 't2/b').result).toBe('192.0.2.0 open open-pool');
  });

  it('does not get it back out of a draining range', () => {
    const ledger = ledgerOf(small);
    served(ledger, ['t1/a'], ['t1/a']);
    ledger.reconfigure(configOf({ a: { addresses: ['192.0.2.0/30'], draining: ['192.0.2.0/32'] } }));
    expect(pass(ledger, 't1/a').result).toBe('192.0.2.1 a open-pool');
  });

  it('gets both families back', () => {
    const ledger = ledgerOf({ a: { addresses: ['192.0.2.0/30', '2001:db8::/126'] } });
    const both = { clusterIPs: dual, policy: 'RequireDualStack' } as const;
    for (const key of ['t1/a', 't1/b']) pass(ledger, key, both);
    for (const key of ['t1/a', 't1/b']) ledger.release(key, 100);
    expect(pass(ledger, 't1/b', both).result).toBe('192.0.2.1 2001:db8::1 a returned');
  });

  it('shares again where it shared, and nothing of it is lost when the other leaves', () => {
    const ledger = ledgerOf({ a: { addresses: ['192.0.2.0/31'] } });
    const shares = (port: string) => ({ annotations: { 'metallb.io/allow-shared-ip': 'k' }, ports: [port] });
    pass(ledger, 't1/x');
    pass(ledger, 't1/a', shares('TCP/80'));
    pass(ledger, 't1/b', shares('TCP/443'));
    ledger.release('t1/x');
    ledger.release('t1/a', 100);
    expect(pass(ledger, 't1/a', shares('TCP/80')).result).toBe('192.0.2.1 a returned');
    ledger.release('t1/a', 100);
    ledger.release('t1/b');
    expect(pass(ledger, 't1/c').result).toBe('192.0.2.0 a open-pool');
    expect(pass(ledger, 't1/d').result).toBe('192.0.2.1 a open-pool');
  });
});

describe('addresses of deleted Services, whatever happens', () => {
  const names = ['t1/a', 't1/b', 't1/c', 't1/d', 't1/e'];
  const step = fc.record({
    key: fc.constantFrom(...names),
    act: fc.constantFrom('make', 'make', 'make', 'delete', 'release', 'expire', 'reconfigure'),
  });

  it('leave nobody without an address while one is free, and go back to whom they belong while nobody else has them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const config = configOf(small);
        const ledger = new Ledger(config);
        const has = new Map<string, string>();
        let had = new Map<string, string>();
        for (const { key, act } of steps) {
          const address = has.get(key);
          if (act === 'make' && address === undefined) {
            const { result } = pass(ledger, key);
            const [got = ''] = result.split(' ');
            expect(got === 'no-room').toBe(has.size === 4);
            if (got === 'no-room') continue;
            expect([...has.values()]).not.toContain(got);
            const former = had.get(key);
            if (former !== undefined) expect(got).toBe(former);
            has.set(key, got);
            had = new Map([...had].filter(([owner, kept]) => owner !== key && kept !== got));
          } else if (act === 'delete' || act === 'release') {
            ledger.release(key, act === 'delete' ? 100 : undefined);
            has.delete(key);
            if (act === 'delete' && address !== undefined) had.set(key, address);
          } else if (act === 'expire') {
            ledger.sticky.expire(100);
            had.clear();
          } else if (act === 'reconfigure') ledger.reconfigure(config);
        }
      }),
    );
  });
});
