import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config, Suspect } from '../../domain/config/config.ts';
import { address, configOf, pass } from '../../domain/ipam/ipam.rig.ts';
import { Ledger } from '../../domain/ipam/ledger.ts';
import { VirtualClock } from '../../platform/obs/clock.rig.ts';
import { createLog } from '../../platform/obs/log.ts';
import { Metrics } from '../../platform/obs/metrics.ts';
import { seededRandom } from '../../platform/obs/random.ts';
import { controllerMetrics } from './metrics.ts';
import { Quarantines } from './quarantines.ts';

const HOUR = 3_600_000;

/** A pool of four addresses of which these are in use elsewhere. */
function config(...quarantined: readonly Suspect[]): Config {
  const plain = configOf({ a: { addresses: ['192.0.2.0/30'] } });
  return {
    ...plain,
    pools: new Map([...plain.pools].map(([name, pool]) => [name, { ...pool, quarantined }])),
  };
}
const suspect = (text: string, more: Partial<Suspect> = {}): Suspect => ({
  address: address(text),
  reason: 'printer',
  ...more,
});

describe('quarantine', () => {
  let clock: VirtualClock;
  let metrics: Metrics;
  let quarantines: Quarantines;
  let ended: number;

  beforeEach(() => {
    clock = new VirtualClock(new Date('2026-05-01T08:00:00Z'));
    metrics = new Metrics({ defaults: false });
    ended = 0;
    const doors = { clock, random: seededRandom(1), log: createLog({ level: 'none', clock }) };
    quarantines = new Quarantines({ doors, metrics: controllerMetrics(metrics), ended: () => ended++ });
  });
  afterEach(() => quarantines.close());

  const follow = (...quarantined: readonly Suspect[]): Ledger => {
    const ledger = new Ledger(config(...quarantined));
    quarantines.follow(ledger);
    return ledger;
  };
  const shown = async () =>
    [...(await metrics.text()).matchAll(/^herald_quarantined_since_seconds\{(.*)\} (.*)$/gm)].map(
      ([, labels, value]) => `${labels} ${value}`,
    );

  it('passes an address over until its time is up, shows it with reason and age, and then tries it again', async () => {
    const ledger = follow(suspect('192.0.2.0', { until: '2026-05-01T09:00:00Z' }));
    expect(pass(ledger, 't1/a').result).toBe('192.0.2.1 a open-pool');
    expect(await shown()).toEqual([`pool="a",address="192.0.2.0",reason="printer" ${1_777_622_400}`]);
    await clock.advance(HOUR - 1);
    expect([pass(ledger, 't1/b').result, ended]).toEqual(['192.0.2.2 a open-pool', 0]);
    await clock.advance(1);
    expect([pass(ledger, 't1/c').result, ended]).toEqual(['192.0.2.0 a open-pool', 1]);
    expect(await shown()).toEqual([]);
  });

  it('lasts without an end as long as the address is named, over changes of the configuration', async () => {
    const ledger = follow(suspect('192.0.2.0'));
    await clock.advance(1_000 * HOUR);
    ledger.reconfigure(config(suspect('192.0.2.0'), suspect('192.0.2.1')));
    quarantines.follow(ledger);
    expect(pass(ledger, 't1/a').result).toBe('192.0.2.2 a open-pool');
    expect((await shown())[0]).toContain(`${1_777_622_400}`);
    ledger.reconfigure(config());
    quarantines.follow(ledger);
    expect(pass(ledger, 't1/b').result).toBe('192.0.2.0 a open-pool');
  });

  it('takes no address away, and gives it to nobody who asks for it', () => {
    const ledger = new Ledger(config());
    pass(ledger, 't1/a');
    ledger.reconfigure(config(suspect('192.0.2.0'), suspect('192.0.2.1')));
    quarantines.follow(ledger);
    expect(pass(ledger, 't1/a', { ingress: ['192.0.2.0'] }).result).toBe('192.0.2.0 a kept');
    const asks = { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.1' } };
    expect(pass(ledger, 't1/b', asks).result).toBe('address-quarantined');
  });

  it('is over at once when its end lies in the past', () => {
    expect(pass(follow(suspect('192.0.2.0', { until: '2026-05-01T07:59:59Z' })), 't1/a').result).toBe(
      '192.0.2.0 a open-pool',
    );
  });

  it('keeps what was found in use beside what pools name, and tries it again later each time', async () => {
    const ledger = follow(suspect('192.0.2.3'));
    const lost = address('192.0.2.0');
    const wait = async (): Promise<number> => {
      quarantines.found(lost, 'host 02:00:5e:00:53:01 answers for it');
      let minutes = 0;
      for (; ledger.quarantine.of(lost); minutes += 10) await clock.advance(600_000);
      return minutes;
    };
    expect([await wait(), await wait(), await wait(), ended]).toEqual([10, 20, 40, 3]);
    quarantines.found(lost, 'host 02:00:5e:00:53:01 answers for it');
    quarantines.follow(ledger);
    expect(ledger.quarantine.of(lost)?.reason).toBe('host 02:00:5e:00:53:01 answers for it');
    expect(ledger.quarantine.of(address('192.0.2.3'))?.reason).toBe('printer');
  });
});
