import { describe, expect, it } from 'vitest';
import {
  fateTexts,
  judged,
  live,
  namespace,
  outcomeOf,
  type Row,
  service,
  writeTexts,
} from './change.rig.ts';

const WEB = { addresses: ['192.0.2.0/28'] };
const L2 = { l2Advertisements: { all: {} } };
const five = service('shop/web', '192.0.2.5');

describe('an address that no pool gives any more', () => {
  const rows: readonly Row[] = [
    [
      'its pool goes, and there is no other',
      { from: { pools: { web: WEB }, ...L2 }, to: L2, services: [five] },
      [['shop/web loses', '192.0.2.5 is no longer in pool "web"']],
      ['delete IPAddressPool web: held'],
    ],
    [
      'its pool goes, and another one has room',
      {
        from: { pools: { web: WEB, more: { addresses: ['198.51.100.0/28'] } }, ...L2 },
        to: { pools: { more: { addresses: ['198.51.100.0/28'] } }, ...L2 },
        services: [five],
      },
      [['shop/web moves', '192.0.2.5 is no longer in pool "web"']],
      ['delete IPAddressPool web: held'],
    ],
    [
      'its pool goes, and another one does not give by itself',
      {
        from: { pools: { web: WEB, more: { addresses: ['198.51.100.0/28'], autoAssign: false } }, ...L2 },
        to: { pools: { more: { addresses: ['198.51.100.0/28'], autoAssign: false } }, ...L2 },
        services: [five],
      },
      [['shop/web loses', '192.0.2.5 is no longer in pool "web"']],
      ['delete IPAddressPool web: held'],
    ],
    [
      'two Services leave, and the other pool has room for one of them',
      {
        from: { pools: { web: WEB, more: { addresses: ['198.51.100.1/32'] } }, ...L2 },
        to: { pools: { more: { addresses: ['198.51.100.1/32'] } }, ...L2 },
        services: [five, service('shop/api', '192.0.2.6')],
      },
      [
        ['shop/api moves', '192.0.2.6 is no longer in pool "web"'],
        ['shop/web loses', '192.0.2.5 is no longer in pool "web"'],
      ],
      ['delete IPAddressPool web: held'],
    ],
    [
      'its range shrinks to the other half',
      {
        from: { pools: { web: WEB }, ...L2 },
        to: { pools: { web: { addresses: ['192.0.2.8/29'] } }, ...L2 },
        services: [five],
      },
      [['shop/web moves', '192.0.2.5 is no longer in pool "web"']],
      ['update IPAddressPool web: held'],
    ],
    [
      'one half of a Service with both families goes, and both addresses with it',
      {
        from: { pools: { web: { addresses: ['192.0.2.0/28', '2001:db8::/124'] } }, ...L2 },
        to: { pools: { web: WEB }, ...L2 },
        services: [service('shop/web', ['192.0.2.5', '2001:db8::5'])],
      },
      [['shop/web loses', '192.0.2.5 and 2001:db8::5 are no longer both in pool "web"']],
      ['update IPAddressPool web: held'],
    ],
    [
      'the halves of a Service with both families come to different pools',
      {
        from: { pools: { web: { addresses: ['192.0.2.0/28', '2001:db8::/124'] } }, ...L2 },
        to: { pools: { web: WEB, six: { addresses: ['2001:db8::/124'] } }, ...L2 },
        services: [service('shop/web', ['192.0.2.5', '2001:db8::5'])],
      },
      [['shop/web loses', '192.0.2.5 and 2001:db8::5 would be in different pools']],
      ['create IPAddressPool six: held', 'update IPAddressPool web: held'],
    ],
    [
      'two Services share it',
      {
        from: { pools: { web: WEB }, ...L2 },
        to: L2,
        services: ['shop/tcp', 'shop/udp'].map((key, i) =>
          service(key, '192.0.2.5', {
            annotations: { 'metallb.io/allow-shared-ip': 'k' },
            spec: { ports: [{ port: 80 + i }] },
          }),
        ),
      },
      [
        ['shop/tcp loses', '192.0.2.5 is no longer in pool "web"'],
        ['shop/udp loses', '192.0.2.5 is no longer in pool "web"'],
      ],
      ['delete IPAddressPool web: held'],
    ],
  ];
  it.each(rows)('%s', (...row) => {
    expect(outcomeOf(row)).toEqual(row);
  });
});

describe('an address that its pool keeps, and the Service may not', () => {
  const shop = namespace('shop', { team: 'a' });
  const web = (more: object) => ({ pools: { web: { ...WEB, ...more } }, ...L2 });
  const rows: readonly Row[] = [
    [
      'namespaces without its own',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaces: ['bank'] } }),
        services: [five],
        namespaces: [shop],
      },
      [['shop/web loses', 'pool "web" would not be for this Service (serviceAllocation)']],
      ['update IPAddressPool web: held'],
    ],
    [
      'namespaces with its own',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaces: ['shop'] } }),
        services: [five],
        namespaces: [shop],
      },
      [],
      [],
    ],
    [
      'selectors of namespaces that match another one',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: 'b' } }] } }),
        services: [five],
        namespaces: [shop, namespace('bank', { team: 'b' })],
      },
      [['shop/web loses', 'pool "web" would not be for this Service (serviceAllocation)']],
      ['update IPAddressPool web: held'],
    ],
    [
      'selectors of namespaces that match none, which keep nobody out',
      {
        from: web({}),
        to: web({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: 'c' } }] } }),
        services: [five],
        namespaces: [shop],
      },
      [],
      [],
    ],
    [
      'selectors of Services that do not match',
      {
        from: web({}),
        to: web({ serviceAllocation: { serviceSelectors: [{ matchLabels: { app: 'other' } }] } }),
        services: [five],
      },
      [['shop/web loses', 'pool "web" would not be for this Service (serviceAllocation)']],
      ['update IPAddressPool web: held'],
    ],
    [
      'another priority, which moves nobody',
      { from: web({}), to: web({ serviceAllocation: { priority: 5 } }), services: [five] },
      [],
      [],
    ],
    [
      'autoAssign off, which moves nobody',
      { from: web({}), to: web({ autoAssign: false }), services: [five] },
      [],
      [],
    ],
    [
      'avoidBuggyIPs, for an address that ends in 0',
      { from: web({}), to: web({ avoidBuggyIPs: true }), services: [service('shop/web', '192.0.2.0')] },
      [['shop/web moves', 'pool "web" would avoid 192.0.2.0, as it ends in 0 or 255']],
      ['update IPAddressPool web: held'],
    ],
    [
      'avoidBuggyIPs, for another',
      { from: web({}), to: web({ avoidBuggyIPs: true }), services: [five] },
      [],
      [],
    ],
    [
      'a rename, for a Service that asks for the pool by name',
      {
        from: web({}),
        to: { pools: { www: WEB }, ...L2 },
        services: [service('shop/web', '192.0.2.5', { annotations: { 'metallb.io/address-pool': 'web' } })],
      },
      [['shop/web loses', 'it asks for pool "web", and 192.0.2.5 would be in pool "www"']],
      ['delete IPAddressPool web: held', 'create IPAddressPool www: held'],
    ],
  ];
  it.each(rows)('%s', (...row) => {
    expect(outcomeOf(row)).toEqual(row);
  });
});

describe('who is not concerned', () => {
  const gone = { from: { pools: { web: WEB }, ...L2 }, to: L2 };
  const rows: readonly Row[] = [
    ['a Service without an address', { ...gone, services: [service('shop/web', [])] }, [], []],
    ['one whose address is in no pool', { ...gone, services: [service('shop/web', '198.51.100.1')] }, [], []],
    [
      'one that is of another type now',
      { ...gone, services: [service('shop/web', '192.0.2.5', { spec: { type: 'ClusterIP' } })] },
      [],
      [],
    ],
    [
      'one that may not use the pool as it is',
      {
        from: { pools: { web: { ...WEB, serviceAllocation: { namespaces: ['bank'] } } }, ...L2 },
        to: L2,
        services: [five],
      },
      [],
      [],
    ],
    [
      'one whose pool was announced by nothing before',
      {
        from: { pools: { web: WEB }, l2Advertisements: { l: { ipAddressPools: ['other'] } } },
        to: { pools: { web: WEB } },
        services: [five],
      },
      [],
      [],
    ],
    // A Service of another class is not in the scene at all; who looks there leaves it out.
    ['nobody', { ...gone, services: [] }, [], []],
  ];
  it.each(rows)('%s', (...row) => {
    expect(outcomeOf(row)).toEqual(row);
  });

  it('one whose address is in a pool of other people, which nobody changes', () => {
    const theirs = live({ pools: { theirs: { addresses: ['198.51.100.0/28'] } } }).map((o) => ({
      ...o,
      metadata: { ...o.metadata, labels: {}, annotations: {} },
    }));
    const result = judged({
      live: [...theirs, ...live({ pools: { web: WEB }, ...L2 })],
      to: L2,
      services: [service('shop/web', '198.51.100.1')],
    });
    expect(fateTexts(result.affected)).toEqual([]);
    expect(writeTexts(result)).toEqual([['delete IPAddressPool web']]);
  });
});
