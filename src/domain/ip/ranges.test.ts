import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { formatRange, parseRange, type Range } from './range.ts';
import { holds, union, without } from './ranges.ts';

function range(text: string): Range {
  const parsed = parseRange(text);
  if (!('range' in parsed)) throw new Error(text);
  return parsed.range;
}
const set = (...texts: string[]) => union(texts.map(range));
const holdsText = (ranges: readonly Range[], text: string) => {
  const address = parseAddress(text);
  return address !== undefined && holds(ranges, address);
};

describe('a set of ranges', () => {
  it('is few ascending ones, IPv4 first', () => {
    const all = set('2001:db8::/64', '192.0.2.8/30', '192.0.2.0/29', '192.0.2.2-192.0.2.3', '192.0.2.16/32');
    expect(all.map(formatRange)).toEqual(['192.0.2.0-192.0.2.11', '192.0.2.16/32', '2001:db8::/64']);
  });

  it.each([
    ['nothing', [], ['192.0.2.0/29']],
    ['what lies elsewhere', ['198.51.100.0/24', '2001:db8::/32', '192.0.1.0/24'], ['192.0.2.0/29']],
    ['its middle', ['192.0.2.2/31'], ['192.0.2.0/31', '192.0.2.4/30']],
    ['its ends', ['192.0.1.255-192.0.2.0', '192.0.2.7/32'], ['192.0.2.1-192.0.2.6']],
    ['all of it', ['192.0.2.0/24'], []],
    ['itself', ['192.0.2.0/29'], []],
    [
      'many',
      ['192.0.2.1/32', '192.0.2.3/32', '192.0.2.6/31'],
      ['192.0.2.0/32', '192.0.2.2/32', '192.0.2.4/31'],
    ],
  ])('leaves of a range what is not in %s', (_, holes, left) => {
    expect(without(range('192.0.2.0/29'), set(...holes)).map(formatRange)).toEqual(left);
  });

  it('leaves all of an IPv6 range when only IPv4 goes, and the other way round', () => {
    expect(without(range('2001:db8::/126'), set('0.0.0.0/0')).map(formatRange)).toEqual(['2001:db8::/126']);
    expect(without(range('0.0.0.0/0'), set('::/0')).map(formatRange)).toEqual(['0.0.0.0/0']);
  });

  it('knows its addresses, at its edges too', () => {
    const all = set('192.0.2.4/30', '192.0.2.16/32', '2001:db8::4/126');
    const found = [
      '192.0.2.3',
      '192.0.2.4',
      '192.0.2.7',
      '192.0.2.8',
      '192.0.2.16',
      '255.255.255.255',
      '::',
      '2001:db8::3',
    ]
      .concat(['2001:db8::4', '2001:db8::7', '2001:db8::8'])
      .filter((text) => holdsText(all, text));
    expect(found).toEqual(['192.0.2.4', '192.0.2.7', '192.0.2.16', '2001:db8::4', '2001:db8::7']);
    expect(holdsText([], '192.0.2.1')).toBe(false);
  });

  it('and what it leaves of a range are the range, address by address', () => {
    const small = fc.tuple(fc.nat(20), fc.nat(6)).map(([first, more]): Range => {
      return { family: 'IPv4', first: BigInt(first), last: BigInt(first + more) };
    });
    fc.assert(
      fc.property(small, fc.array(small, { maxLength: 5 }), (whole, holes) => {
        const hole = union(holes);
        const left = without(whole, hole);
        for (let bits = 0n; bits < 30n; bits++) {
          const within = whole.first <= bits && bits <= whole.last;
          const taken = holes.some(({ first, last }) => first <= bits && bits <= last);
          expect(holds(left, { family: 'IPv4', bits })).toBe(within && !taken);
          expect(holds(hole, { family: 'IPv4', bits })).toBe(taken);
        }
      }),
    );
  });
});
