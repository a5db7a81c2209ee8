import { describe, expect, it } from 'vitest';
import { adopt, converge } from './converge.ts';
import { address, configOf, dual, type PoolSketch, pass, type ServiceSketch, serviceOf } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';
import { refusalText } from './reasons.ts';

const LBIPS = 'metallb.io/loadBalancerIPs';
const POOL = 'metallb.io/address-pool';
const SHARE = 'metallb.io/allow-shared-ip';

/** .0 and .1 drain, .2 and .3 do not. */
const half = { a: { addresses: ['192.0.2.0/30'], draining: ['192.0.2.0/31'] } };
const whole = { a: { addresses: ['192.0.2.0/30'], draining: ['192.0.2.0/24'] } };

const one = (pools: Readonly<Record<string, PoolSketch>>, sketch: ServiceSketch = {}) =>
  pass(new Ledger(configOf(pools)), 't1/one', sketch).result;

describe('a draining range', () => {
  it.each<[string, Readonly<Record<string, PoolSketch>>, ServiceSketch, string]>([
    ['gives nothing by itself', half, {}, '192.0.2.2 a open-pool'],
    ['gives nothing where it is all of the pool', whole, {}, 'no-room'],
    ['gives nothing to a request', half, { annotations: { [LBIPS]: '192.0.2.1' } }, 'address-draining'],
    [
      'leaves other requests alone',
      half,
      { annotations: { [LBIPS]: '192.0.2.3' } },
      '192.0.2.3 a requested-address',
    ],
    ['gives nothing through its pool', whole, { annotations: { [POOL]: 'a' } }, 'pool-exhausted'],
    [
      'makes room for the next pool',
      { ...whole, b: { addresses: ['198.51.100.0/30'] } },
      {},
      '198.51.100.0 b open-pool',
    ],
    [
      'means nothing outside its pool',
      { ...half, a: { ...half.a, draining: ['203.0.113.0/24'] } },
      {},
      '192.0.2.0 a open-pool',
    ],
    [
      'drains when it moves',
      { a: { addresses: ['192.0.2.0/30'], moving: ['192.0.2.0/31'] } },
      {},
      '192.0.2.2 a open-pool',
    ],
    [
      'costs nothing however large it is',
      { a: { addresses: ['2001:db8::/32'], draining: ['2001:db8::/33'] } },
      { clusterIPs: ['fd00::1'] },
      '2001:db8:8000:: a open-pool',
    ],
    [
      'of one family leaves the other',
      { a: { addresses: ['192.0.2.0/30', '2001:db8::/126'], draining: ['0.0.0.0/0'] } },
      { clusterIPs: dual, policy: 'PreferDualStack' },
      '2001:db8:: a open-pool',
    ],
    ['lets holders keep what they have', half, { ingress: ['192.0.2.1'] }, '192.0.2.1 a kept'],
    [
      'lets holders keep what they ask for',
      half,
      { ingress: ['192.0.2.1'], annotations: { [LBIPS]: '192.0.2.1' } },
      '192.0.2.1 a kept',
    ],
    [
      'lets holders ask for a second address beside theirs',
      { a: { addresses: ['192.0.2.0/30', '2001:db8::/126'], draining: ['192.0.2.0/31'] } },
      {
        clusterIPs: dual,
        policy: 'PreferDualStack',
        ingress: ['192.0.2.1'],
        annotations: { [LBIPS]: '192.0.2.1,2001:db8::2' },
      },
      '192.0.2.1 2001:db8::2 a requested-address',
    ],
    [
      'gives holders no second address',
      { a: { addresses: ['192.0.2.0/30', '2001:db8::/126'], draining: ['2001:db8::/126'] } },
      { clusterIPs: dual, policy: 'PreferDualStack', ingress: ['192.0.2.1'] },
      '192.0.2.1 a kept',
    ],
  ])('%s', (_, pools, sketch, result) => {
    expect(one(pools, sketch)).toBe(result);
  });

  it('is joined by nobody, and shared on by those who do', () => {
    const ledger = new Ledger(configOf({ a: { addresses: ['192.0.2.0/30'] } }));
    const sharing = (port: string): ServiceSketch => ({ annotations: { [SHARE]: 'k' }, ports: [port] });
    pass(ledger, 't1/first', sharing('TCP/80'));
    pass(ledger, 't1/second', sharing('TCP/81'));
    ledger.reconfigure(configOf(half));
    const kept = (port: string) => ({ ...sharing(port), ingress: ['192.0.2.0'] });
    expect(pass(ledger, 't1/first', kept('TCP/80')).result).toBe('192.0.2.0 a kept');
    expect(pass(ledger, 't1/second', kept('TCP/82')).result).toBe('192.0.2.0 a kept');
    expect(pass(ledger, 't1/third', sharing('TCP/83')).result).toBe('192.0.2.2 a open-pool');
    const asks = { ...sharing('TCP/84'), annotations: { [SHARE]: 'k', [LBIPS]: '192.0.2.0' } };
    expect(pass(ledger, 't1/fourth', asks).result).toBe('address-draining');
  });

  it('gives an address to nobody again, once it is given back, and to everybody when it drains no more', () => {
    const ledger = new Ledger(configOf({ a: { addresses: ['192.0.2.0/30'] } }));
    pass(ledger, 't1/one');
    ledger.reconfigure(configOf(half));
    ledger.release('t1/one');
    expect(pass(ledger, 't1/two').result).toBe('192.0.2.2 a open-pool');
    ledger.reconfigure(configOf({ a: { addresses: ['192.0.2.0/30'] } }));
    expect(pass(ledger, 't1/three').result).toBe('192.0.2.0 a open-pool');
  });

  it('is adopted after a restart', () => {
    const ledger = new Ledger(configOf(whole));
    expect(adopt(ledger, serviceOf('t1/one', { ingress: ['192.0.2.3'] }))).toBe(true);
    expect(ledger.claimOf('t1/one')?.addresses).toEqual([address('192.0.2.3')]);
  });

  it('counts what is in use, and nothing as available', () => {
    const ledger = new Ledger(configOf(half));
    pass(ledger, 't1/holder', { ingress: ['192.0.2.1'] });
    pass(ledger, 't1/new');
    expect(ledger.counters('a')).toMatchObject({ assignedIPv4: 2n, availableIPv4: 1n });
    ledger.release('t1/holder');
    expect(ledger.counters('a')).toMatchObject({ assignedIPv4: 1n, availableIPv4: 1n });
  });

  it('is named where it is the reason', () => {
    const told = (pools: Readonly<Record<string, PoolSketch>>, annotations: Record<string, string>) => {
      const { verdict } = converge(new Ledger(configOf(pools)), serviceOf('t1/one', { annotations }));
      return 'refusal' in verdict && refusalText(verdict.refusal);
    };
    expect(told(half, { [LBIPS]: '192.0.2.1' })).toBe('192.0.2.1 is in a draining range of pool a');
    expect(told(whole, { [POOL]: 'a' })).toBe('pool a has no free IPv4 address, with 4 draining');
  });
});

describe('a quarantined address', () => {
  const pools = { a: { addresses: ['192.0.2.0/31'] } };
  const entry = { address: address('192.0.2.0'), reason: 'host 02:00:5e:00:53:01 answers for it' };

  it('is passed over until its time is up, and tells why when it is asked for', () => {
    const ledger = new Ledger(configOf(pools));
    ledger.quarantine.add({ ...entry, since: 1_000, until: 5_000 });
    expect(pass(ledger, 't1/one').result).toBe('192.0.2.1 a open-pool');
    expect(pass(ledger, 't1/two').result).toBe('no-room');
    const asks = serviceOf('t1/two', { annotations: { [LBIPS]: '192.0.2.0' } });
    const { verdict } = converge(ledger, asks);
    expect('refusal' in verdict && refusalText(verdict.refusal)).toBe(
      '192.0.2.0 is kept back: host 02:00:5e:00:53:01 answers for it',
    );
    const { openings } = ledger;
    expect(ledger.quarantine.expire(4_999)).toEqual([]);
    expect(ledger.quarantine.expire(5_000)).toHaveLength(1);
    expect(ledger.openings).toBeGreaterThan(openings);
    expect(pass(ledger, 't1/two').result).toBe('192.0.2.0 a open-pool');
  });

  it('stays with who holds it, and gets no younger when it is put in again', () => {
    const ledger = new Ledger(configOf(pools));
    pass(ledger, 't1/one');
    ledger.quarantine.add({ ...entry, since: 1_000, until: 5_000 });
    ledger.quarantine.add({ ...entry, since: 2_000, until: 6_000 });
    expect(pass(ledger, 't1/one', { ingress: ['192.0.2.0'] }).result).toBe('192.0.2.0 a kept');
    expect(ledger.quarantine.entries()).toMatchObject([{ since: 1_000, until: 6_000 }]);
    expect(ledger.quarantine.size).toBe(1);
  });
});
