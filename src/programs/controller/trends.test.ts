import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOf, pass } from '../../domain/ipam/ipam.rig.ts';
import { Ledger } from '../../domain/ipam/ledger.ts';
import { VirtualClock } from '../../platform/obs/clock.rig.ts';
import { createLog } from '../../platform/obs/log.ts';
import { Metrics } from '../../platform/obs/metrics.ts';
import { seededRandom } from '../../platform/obs/random.ts';
import { controllerMetrics } from './metrics.ts';
import { Trends } from './trends.ts';

const MINUTE = 60_000;
const small = { a: { addresses: ['192.0.2.0/28', '2001:db8::/64'] } };

describe('trends of pools', () => {
  let clock: VirtualClock;
  let ledger: Ledger;
  let metrics: Metrics;
  let trends: Trends;

  beforeEach(() => {
    clock = new VirtualClock();
    ledger = new Ledger(configOf(small));
    metrics = new Metrics({ defaults: false });
    const doors = { clock, random: seededRandom(1), log: createLog({ level: 'none', clock }) };
    trends = new Trends({ doors, metrics: controllerMetrics(metrics), ledger: () => ledger });
  });
  afterEach(() => trends.close());

  /** "used 4" and so on, of a family. */
  const shown = async (family: string): Promise<string[]> =>
    [...(await metrics.text()).matchAll(/^herald_pool_(\w+)\{pool="a",family="(\w+)"\} (.*)$/gm)]
      .filter(([, , of]) => of === family)
      .map(([, name, , value]) => `${name} ${value}`);

  it('are shown by family, and the forecast once ten minutes are known', async () => {
    for (const key of ['t1/a', 't1/b', 't1/c', 't1/d']) pass(ledger, key);
    ledger.release('t1/b');
    trends.touch();
    await clock.advance(100);
    const start = ['addresses_used 3', 'addresses_free 13', 'largest_free_block 12'];
    expect(await shown('IPv4')).toEqual(start);
    expect((await shown('IPv6')).slice(0, 1)).toEqual(['addresses_used 0']);
    for (const key of ['t1/e', 't1/f']) pass(ledger, key);
    await clock.advance(10 * MINUTE);
    // Two of eleven in ten minutes.
    expect((await shown('IPv4')).at(-1)).toBe('exhaustion_seconds 3300');
    expect((await shown('IPv6')).at(-1)).toBe('exhaustion_seconds +Inf');
  });

  it('count apart what is kept back', async () => {
    const pools = { a: { addresses: ['192.0.2.0/28'], draining: ['192.0.2.0/30'] } };
    ledger.reconfigure(configOf(pools));
    const suspect = { family: 'IPv4', bits: 0xc0000208n } as const;
    ledger.quarantine.add({ address: suspect, reason: 'a printer', since: 0, until: 1_000_000 });
    pass(ledger, 't1/a');
    trends.touch();
    await clock.advance(100);
    expect(await shown('IPv4')).toEqual(['addresses_used 1', 'addresses_free 10', 'largest_free_block 7']);
    const withheld = [...(await metrics.text()).matchAll(/withheld\{.*reason="(\w+)"\} (\d+)/g)];
    expect(withheld.map(([, reason, count]) => `${reason} ${count}`)).toEqual([
      'draining 4',
      'quarantined 1',
      'reserved 0',
    ]);
  });

  it('are looked at seldom in a burst', async () => {
    let looks = 0;
    const counting = ledger.usedByPool.bind(ledger);
    ledger.usedByPool = (family) => {
      looks++;
      return counting(family);
    };
    for (let i = 0; i < 100; i++) {
      trends.touch();
      await clock.advance(100);
    }
    // Two families, at the start and every five seconds of ten.
    expect(looks).toBeLessThanOrEqual(6);
  });

  it('go with their pool', async () => {
    trends.touch();
    await clock.advance(100);
    ledger.reconfigure(configOf({ b: { addresses: ['198.51.100.0/28'] } }));
    await clock.advance(MINUTE);
    expect(await shown('IPv4')).toEqual([]);
    expect(await metrics.text()).toContain('herald_pool_addresses_free{pool="b",family="IPv4"} 16');
  });
});
