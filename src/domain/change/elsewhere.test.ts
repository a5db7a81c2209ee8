import { describe, expect, it } from 'vitest';
import { fateTexts, judged, type Sketch, service } from './change.rig.ts';

const L2 = { l2Advertisements: { all: {} } };
const WEB = { web: { addresses: ['192.0.2.0/28'] } };
const five = service('shop/web', '192.0.2.5');

/** Pool web goes; `more` and `rest` stay. */
const gone = (more: object, rest: object = {}, sketch: Sketch = { services: [five] }): readonly string[] => {
  const pools = { more: { addresses: ['198.51.100.0/31'], ...more } };
  const to = { pools, ...L2, ...rest };
  return fateTexts(judged({ ...sketch, from: { ...to, pools: { ...WEB, ...pools } }, to }).affected);
};
const reserved = (entry: object) => ({ reservations: { r: entry } });
const quota = (entry: object) => ({ quotas: { q: entry } });
const waiting = service('bank/new', []);
const both = { services: [five, waiting] };
const single = { addresses: ['198.51.100.0/32'] };

describe('whether a Service finds another address', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['yes, where one is free', gone({}), ['shop/web moves']],
    [
      'no, where all are kept for another namespace',
      gone({}, reserved({ namespace: 'bank', addresses: ['198.51.100.0/31'] })),
      ['shop/web loses'],
    ],
    [
      'yes, where they are kept for its own',
      gone({}, reserved({ namespace: 'shop', addresses: ['198.51.100.0/31'] })),
      ['shop/web moves'],
    ],
    [
      'yes, where one is kept for it in a pool that gives nothing by itself',
      gone(
        { autoAssign: false },
        reserved({ namespace: 'shop', service: 'web', addresses: ['198.51.100.0'] }),
      ),
      ['shop/web moves'],
    ],
    [
      'no, where the one that is kept for it has a holder',
      gone(
        { autoAssign: false },
        reserved({ namespace: 'shop', service: 'web', addresses: ['198.51.100.0'] }),
        { services: [five, service('bank/old', '198.51.100.0')] },
      ),
      ['shop/web loses'],
    ],
    [
      'no, where the one that it asks for is kept for another',
      gone({}, reserved({ namespace: 'bank', addresses: ['198.51.100.0'] }), {
        services: [
          service('shop/web', '192.0.2.5', {
            annotations: { 'metallb.io/loadBalancerIPs': '198.51.100.0' },
          }),
        ],
      }),
      ['shop/web loses'],
    ],
    [
      'no, where the rest is in use elsewhere',
      gone({ annotations: { 'herald.io/quarantined': '198.51.100.0, 198.51.100.1 in use by a printer' } }),
      ['shop/web loses'],
    ],
    ['no, where one that waits comes before it', gone(single, {}, both), ['shop/web loses']],
    [
      'yes, where the quota of the one that waits keeps it out',
      gone(single, quota({ namespaces: ['bank'], addresses: 0 }), both),
      ['shop/web moves'],
    ],
    [
      'yes, where its own quota is used up by what it gives up',
      gone({}, quota({ namespaces: ['shop'], addresses: 0 })),
      ['shop/web moves'],
    ],
    [
      'no, where it is not kept until it has another one, and a quota is in the way',
      gone({}, quota({ pools: ['more'], addresses: 0 }), { services: [five], policy: () => 'force' }),
      ['shop/web loses'],
    ],
  ])('%s', (_, fates, expected) => {
    expect(fates).toEqual(expected);
  });

  it('counts what is kept one by one: two Services of a namespace, one address', () => {
    const rest = reserved({ namespace: 'shop', addresses: ['198.51.100.0'] });
    const services = [five, service('shop/api', '192.0.2.6')];
    expect(gone(single, rest, { services })).toEqual(['shop/api moves', 'shop/web loses']);
  });
});
