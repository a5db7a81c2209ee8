import { describe, expect, it } from 'vitest';
import { answerWord, explain, passedText } from './explain.ts';
import { configOf, type PoolSketch, pass, type ServiceSketch, serviceOf, texts } from './ipam.rig.ts';
import { Ledger } from './ledger.ts';
import { wantOf } from './want.ts';

type Pools = Readonly<Record<string, PoolSketch>>;

/** What each pool answers to t1/a, while t1/x, t1/y and so on hold what they get first. */
function answers(pools: Pools, o: { sketch?: ServiceSketch; others?: readonly string[] } = {}): string[] {
  const ledger = new Ledger(configOf(pools));
  for (const key of o.others ?? []) pass(ledger, key);
  const before = JSON.stringify([...ledger.claims()].map(([key, { addresses }]) => [key, texts(addresses)]));
  const found = explain(ledger, wantOf(serviceOf('t1/a', o.sketch)));
  expect(
    JSON.stringify([...ledger.claims()].map(([key, { addresses }]) => [key, texts(addresses)])),
    'nothing is taken by asking',
  ).toBe(before);
  return found.map(({ pool, round, answer }) => {
    const word = answerWord({ pool, round, answer });
    return `${pool} ${round} ${word}: ${'offers' in answer ? texts(answer.offers).join(' ') : passedText(answer)}`;
  });
}

const open: PoolSketch = { addresses: ['192.0.2.0/31'] };

describe('what pools answer to a Service', () => {
  it('comes in the order in which they are looked at', () => {
    const pools: Pools = {
      a: open,
      b: { addresses: ['198.51.100.0/30'], allocation: { namespaces: ['t1'], priority: 20 } },
      c: { addresses: ['203.0.113.0/30'], allocation: { namespaces: ['t1'], priority: 10 } },
    };
    expect(answers(pools)).toEqual([
      'c meant Offers: 203.0.113.0',
      'b meant Offers: 198.51.100.0',
      'a open Offers: 192.0.2.0',
    ]);
  });

  it('is that it is full', () => {
    expect(answers({ a: open }, { others: ['t1/x', 't1/y'] })).toEqual([
      'a open PoolExhausted: pool a has no free IPv4 address',
    ]);
  });

  it('is that it has none of the family', () => {
    expect(answers({ a: open }, { sketch: { clusterIPs: ['fd00::9'] } })).toEqual([
      'a open PoolExhausted: pool a has no free IPv6 address',
    ]);
  });

  it('is why it is not looked at', () => {
    const pools: Pools = {
      auto: { addresses: ['192.0.2.0/32'], autoAssign: false },
      labels: { addresses: ['192.0.2.1/32'], allocation: { serviceLabels: [{ tier: 'front' }] } },
      names: { addresses: ['192.0.2.2/32'], allocation: { namespaces: ['t3', 't2'] } },
      nobody: { addresses: ['192.0.2.3/32'], allocation: { restrictsNamespaces: true } },
    };
    expect(answers(pools)).toEqual([
      'auto none NotAutomatic: only for Services that ask for it (autoAssign: false)',
      'labels none OtherLabels: no serviceSelector matches the labels of the Service',
      'names none OtherNamespaces: only for namespaces t2, t3',
      'nobody none MeantForNobody: its namespaceSelectors match no namespace',
    ]);
  });

  it('is about the pool that it asks for', () => {
    const sketch = { annotations: { 'metallb.io/address-pool': 'b' } };
    const pools: Pools = { a: open, b: { addresses: ['198.51.100.0/32'], autoAssign: false } };
    expect(answers(pools, { sketch })).toEqual([
      'b asked Offers: 198.51.100.0',
      'a none NotAsked: the Service asks for something else',
    ]);
  });

  it('is about the address that it asks for', () => {
    const sketch = { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.0' } };
    const pools: Pools = { a: open, b: { addresses: ['198.51.100.0/32'] } };
    expect(answers(pools, { sketch, others: ['t1/x'] })).toEqual([
      'a asked AddressInUse: 192.0.2.0 is in use by t1/x, which does not share it',
      'b none NotAsked: the Service asks for something else',
    ]);
  });
});
