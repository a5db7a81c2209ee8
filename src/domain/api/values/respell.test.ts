import { describe, expect, it } from 'vitest';
import { checkValues } from '../values.ts';

const told = (values: unknown) => {
  const checked = checkValues(values);
  return 'problems' in checked ? checked.problems.map((p) => `${p.code} ${p.path}`) : [];
};
const respelt = (values: unknown) => {
  const checked = checkValues(values);
  if (!('problems' in checked)) throw new Error('it fits');
  return checked.respelt;
};

describe('what stands below a misspelt key', () => {
  it.each<[string, unknown, readonly string[]]>([
    [
      'is judged, too, in the place where it stands',
      { pools: { web: { adresses: 'x', autoasign: 'yes' } } },
      [
        'UnknownKey pools.web.adresses',
        'UnknownKey pools.web.autoasign',
        'WrongType pools.web.adresses',
        'WrongType pools.web.autoasign',
      ],
    ],
    [
      'is judged below a root, whose other products\u2019 names count as well',
      { addressPools: { web: { addresses: 5 } } },
      ['UnknownKey addressPools', 'WrongType addressPools.web.addresses'],
    ],
    [
      'may be misspelt itself',
      { poolz: { web: { adresses: [] } } },
      ['UnknownKey poolz', 'UnknownKey poolz.web.adresses'],
    ],
    [
      'is left alone beside the key that it would stand for',
      { pools: { web: { addresses: ['192.0.2.0/24'], adresses: 5 } } },
      ['UnknownKey pools.web.adresses'],
    ],
    [
      'is left alone where nothing evident is meant',
      { pools: { web: { addresses: ['192.0.2.0/24'], colour: 5 } } },
      ['UnknownKey pools.web.colour'],
    ],
    [
      'is that of the first of two keys that mean the same',
      { pools: { web: { adresses: 5, addreses: 'x' } } },
      ['UnknownKey pools.web.adresses', 'UnknownKey pools.web.addreses', 'WrongType pools.web.adresses'],
    ],
    [
      'may be in a list',
      { l2Advertisements: { all: { nodeSelectors: [{}, { matchLabel: 5 }] } } },
      [
        'UnknownKey l2Advertisements.all.nodeSelectors[1].matchLabel',
        'WrongType l2Advertisements.all.nodeSelectors[1].matchLabel',
      ],
    ],
  ])('%s', (_, values, expected) => {
    expect(told(values)).toEqual(expected);
  });

  it('can be read on under the key that is meant, and knows where it was written', () => {
    const { value, written } = respelt({ poolz: { web: { addresses: ['x'] } }, l2Advertisements: {} });
    expect(value).toEqual({ pools: { web: { addresses: ['x'] } }, l2Advertisements: {} });
    expect(written(['pools', 'web', 'addresses', 0])).toEqual(['poolz', 'web', 'addresses', 0]);
    expect(written(['l2Advertisements'])).toEqual(['l2Advertisements']);
  });
});
