import { describe, expect, it } from 'vitest';
import { reservationOf } from '../config/reservations.ts';
import { address, configOf, dual, type PoolSketch, pass, texts } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';

/** "name: addresses for namespace[/service]"; without addresses, those that the Service had last. */
function reserved(pools: Readonly<Record<string, PoolSketch>>, ...lines: readonly string[]) {
  const reservations = lines.map((line) => {
    const [, name = '', addresses = '', namespace = '', service] =
      /^(\w+): (.*)for (\w+)(?:\/(\w+))?$/.exec(line) ?? [];
    const read = reservationOf({
      metadata: { name, uid: name, resourceVersion: '1', generation: 1, labels: {}, annotations: {} },
      spec: { addresses: addresses.split(' ').filter(Boolean), namespace, ...(service && { service }) },
    });
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    return read;
  });
  return { ...configOf(pools), reservations };
}

const A = { a: { addresses: ['192.0.2.0/29'] } };

describe('an address that is reserved', () => {
  it('for a Service goes to it and to nobody else, whoever comes first', () => {
    const ledger = new Ledger(reserved(A, 'r: 192.0.2.0 for t1/web'));
    expect(pass(ledger, 't1/other').result).toBe('192.0.2.1 a open-pool');
    expect(pass(ledger, 't2/web').result).toBe('192.0.2.2 a open-pool');
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.0 a reserved');
  });

  it('for a namespace goes to any Service of it, the lowest first, and then they take what all take', () => {
    const ledger = new Ledger(reserved(A, 'r: 192.0.2.2-192.0.2.3 for t1'));
    expect(pass(ledger, 't1/x').result).toBe('192.0.2.2 a reserved');
    expect(pass(ledger, 't1/y').result).toBe('192.0.2.3 a reserved');
    expect(pass(ledger, 't1/z').result).toBe('192.0.2.0 a open-pool');
  });

  it('for a Service comes before those of its namespace', () => {
    const ledger = new Ledger(reserved(A, 'a: 192.0.2.1 for t1', 'b: 192.0.2.5 for t1/web'));
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.5 a reserved');
  });

  it('in two reservations is kept for both', () => {
    const ledger = new Ledger(reserved(A, 'a: 192.0.2.1 for t1/x', 'b: 192.0.2.0/30 for t2/y'));
    expect(pass(ledger, 't1/x').result).toBe('192.0.2.1 a reserved');
    expect(pass(ledger, 't2/y').result).toBe('192.0.2.0 a reserved');
    expect(pass(ledger, 't3/z').result).toBe('192.0.2.4 a open-pool');
  });

  it('is kept again once its Service is deleted', () => {
    const ledger = new Ledger(reserved(A, 'r: 192.0.2.0 for t1/web'));
    pass(ledger, 't1/web');
    ledger.release('t1/web');
    expect(pass(ledger, 't2/other').result).toBe('192.0.2.1 a open-pool');
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.0 a reserved');
  });

  it('stays with a Service that has it already, and goes to its owner afterwards', () => {
    const ledger = new Ledger(configOf(A));
    pass(ledger, 't2/old');
    ledger.reconfigure(reserved(A, 'r: 192.0.2.0 for t1/web'));
    expect(pass(ledger, 't2/old', { ingress: ['192.0.2.0'] }).result).toBe('192.0.2.0 a kept');
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.1 a open-pool');
    ledger.release('t1/web');
    ledger.release('t2/old');
    expect(pass(ledger, 't2/new').result).toBe('192.0.2.1 a open-pool');
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.0 a reserved');
  });

  it('is refused to another that asks for it, and given to its owner that asks for another', () => {
    const ledger = new Ledger(reserved(A, 'r: 192.0.2.0 for t1/web', 's: 192.0.2.1 for t1'));
    const request = (ip: string) => ({ loadBalancerIP: ip });
    expect(pass(ledger, 't2/x', request('192.0.2.0')).result).toBe('address-reserved');
    expect(pass(ledger, 't2/x', request('192.0.2.1')).result).toBe('address-reserved');
    expect(pass(ledger, 't1/web', request('192.0.2.4')).result).toBe('192.0.2.4 a requested-address');
    expect(pass(ledger, 't1/y', request('192.0.2.1')).result).toBe('192.0.2.1 a requested-address');
  });

  it('is not shared with others', () => {
    const ledger = new Ledger(reserved(A, 'r: 192.0.2.0 for t1/web'));
    const sharing = (port: string) => ({
      ports: [port],
      annotations: { 'metallb.io/allow-shared-ip': 'k' },
    });
    pass(ledger, 't1/web', sharing('TCP/80'));
    expect(pass(ledger, 't2/x', sharing('TCP/81')).result).toBe('192.0.2.1 a open-pool');
  });

  it.each([
    ['a pool that gives nothing unasked', { autoAssign: false }, '192.0.2.0 a reserved'],
    ['a draining range', { draining: ['192.0.2.0/32'] }, '192.0.2.1 a open-pool'],
    ['a pool for another namespace', { allocation: { namespaces: ['t9'] } }, 'no-room'],
    ['an address that the pool avoids', { avoidBuggyIPs: true }, '192.0.2.1 a open-pool'],
  ])('in %s', (_, pool, result) => {
    const ledger = new Ledger(reserved({ a: { ...A.a, ...pool } }, 'r: 192.0.2.0 for t1/web'));
    expect(pass(ledger, 't1/web').result).toBe(result);
  });

  it('in a pool other than the one that the Service asks for does not count', () => {
    const pools = { ...A, b: { addresses: ['198.51.100.0/24'] } };
    const ledger = new Ledger(reserved(pools, 'r: 192.0.2.7 for t1/web'));
    const asks = { annotations: { 'metallb.io/address-pool': 'b' } };
    expect(pass(ledger, 't1/web', asks).result).toBe('198.51.100.0 b requested-pool');
  });

  it('brings the pool of both families with it', () => {
    const pools = { a: { addresses: ['192.0.2.0/24', '2001:db8::/64'] }, b: PAIR };
    const ledger = new Ledger(reserved(pools, 'r: 198.51.100.9 for t1/web'));
    const both = { clusterIPs: dual, policy: 'RequireDualStack' } as const;
    expect(pass(ledger, 't1/web', both).result).toBe('198.51.100.9 2001:db8:1:: b reserved');
    expect(pass(ledger, 't1/other', both).result).toBe('192.0.2.0 2001:db8:: a open-pool');
  });

  it('costs nothing however many there are', () => {
    const pools = { a: { addresses: ['2001:db8::/32'] } };
    const ledger = new Ledger(reserved(pools, 'r: 2001:db8::/48 for t1', 's: 2001:db8:9::/48 for t1'));
    const six = { clusterIPs: ['fd00::1'] };
    expect(pass(ledger, 't2/x', six).result).toBe('2001:db8:1:: a open-pool');
    expect(pass(ledger, 't1/x', six).result).toBe('2001:db8:: a reserved');
    expect(pass(ledger, 't1/y', six).result).toBe('2001:db8::1 a reserved');
  });
});

const PAIR = { addresses: ['198.51.100.0/24', '2001:db8:1::/64'] };

describe('a Service that is reserved for without addresses', () => {
  it('gets what it had whenever it is made again', () => {
    const ledger = new Ledger(reserved(A, 'r: for t1/web'));
    pass(ledger, 't2/first');
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.1 a open-pool');
    ledger.release('t1/web');
    expect(pass(ledger, 't2/second').result).toBe('192.0.2.2 a open-pool');
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.1 a reserved');
  });

  it('gets what it had before a restart, and over a change of the configuration', () => {
    const config = reserved(A, 'r: for t1/web');
    const ledger = new Ledger(config, new Map([['t1/web', [address('192.0.2.3')]]]));
    ledger.reconfigure({ ...config, pools: new Map(config.pools) });
    expect(pass(ledger, 't1/web').result).toBe('192.0.2.3 a reserved');
  });

  it('has it kept from the moment that it is reserved, also when it has it already', () => {
    const ledger = new Ledger(configOf(A));
    pass(ledger, 't1/web');
    ledger.reconfigure(reserved(A, 'r: for t1/web'));
    expect(texts(ledger.remembered.get('t1/web') ?? [])).toEqual(['192.0.2.0']);
    ledger.release('t1/web');
    expect(pass(ledger, 't2/x').result).toBe('192.0.2.1 a open-pool');
  });

  it('gives up what it had when it gets another', () => {
    const ledger = new Ledger(reserved(A, 'r: for t1/web'), new Map([['t1/web', [address('192.0.2.0')]]]));
    // Passes over the address while it is kept.
    pass(ledger, 't2/x');
    pass(ledger, 't1/web', { loadBalancerIP: '192.0.2.6' });
    expect(texts(ledger.remembered.get('t1/web') ?? [])).toEqual(['192.0.2.6']);
    expect(pass(ledger, 't2/y').result).toBe('192.0.2.0 a open-pool');
  });

  it('is forgotten with its reservation', () => {
    const ledger = new Ledger(reserved(A, 'r: for t1/web'));
    pass(ledger, 't1/web');
    ledger.release('t1/web');
    ledger.reconfigure(configOf(A));
    expect(pass(ledger, 't2/x').result).toBe('192.0.2.0 a open-pool');
  });
});
