import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyBits, anyFamily } from './address.rig.ts';
import { parseAddress } from './address.ts';
import {
  formatRange,
  parseRange,
  prefixLength,
  type Range,
  rangeContains,
  rangeSize,
  rangesOverlap,
  toCidrs,
} from './range.ts';

function range(text: string): Range {
  const parsed = parseRange(text);
  if (!('range' in parsed)) throw new Error(`${text} is not a range`);
  return parsed.range;
}

const anyRange: fc.Arbitrary<Range> = anyFamily.chain((family) =>
  fc
    .tuple(anyBits(family), anyBits(family))
    .map(([a, b]) => (a > b ? { family, first: b, last: a } : { family, first: a, last: b })),
);
const smallRange: fc.Arbitrary<Range> = fc
  .tuple(fc.integer({ min: 0, max: 4096 }), fc.integer({ min: 0, max: 255 }))
  .map(([first, length]) => ({ family: 'IPv4', first: BigInt(first), last: BigInt(first + length) }));

describe('a range text', () => {
  // [text, canonical text, host bits set]
  test.each([
    ['192.0.2.0/24', '192.0.2.0/24', false],
    ['192.0.2.9/24', '192.0.2.0/24', true],
    ['192.0.2.9/32', '192.0.2.9/32', false],
    ['192.0.2.8/31', '192.0.2.8/31', false],
    ['0.0.0.0/0', '0.0.0.0/0', false],
    ['192.0.2.0/024', '192.0.2.0/24', false],
    ['2001:DB8::5/64', '2001:db8::/64', true],
    ['2001:db8::/127', '2001:db8::/127', false],
    ['2001:db8::1/128', '2001:db8::1/128', false],
    ['::/0', '::/0', false],
    ['::ffff:1.2.3.4/120', '1.2.3.0/24', true],
    ['::ffff:1.2.3.4/90', '::ffc0:0:0/90', true],
    ['192.0.2.10-192.0.2.20', '192.0.2.10-192.0.2.20', false],
    ['192.0.2.0-192.0.2.255', '192.0.2.0/24', false],
    ['192.0.2.7-192.0.2.7', '192.0.2.7/32', false],
    [' 192.0.2.1 -  192.0.2.2 ', '192.0.2.1-192.0.2.2', false],
    ['0.0.0.0-255.255.255.255', '0.0.0.0/0', false],
    ['2001:db8::1-2001:db8::ffff', '2001:db8::1-2001:db8::ffff', false],
    ['::ffff:10.0.0.1-10.0.0.2', '10.0.0.1-10.0.0.2', false],
  ])('%j means %s', (text, canonical, hostBits) => {
    const parsed = parseRange(text);
    expect(parsed).toMatchObject({ hostBits });
    expect(formatRange(range(text))).toBe(canonical);
  });

  test.each([
    ['192.0.2.0', /no prefix length; write "192\.0\.2\.0\/32"/],
    ['2001:db8::1', /write "2001:db8::1\/128"/],
    ['192.0.2.0/', /"\/" is not a prefix length/],
    ['192.0.2.0/33', /from 0 to 32/],
    ['192.0.2.0/-1', /not an IP address/],
    ['192.0.2.0/+24', /not a prefix length/],
    ['2001:db8::/129', /from 0 to 128/],
    [' 192.0.2.0/24', /" 192\.0\.2\.0" is not an IP address/],
    ['192.0.2.0/24 ', /not a prefix length/],
    ['192.0.2.0 /24', /not an IP address/],
    ['010.0.0.0/8', /not an IP address/],
    ['fe80::1%eth0/64', /not an IP address/],
    ['192.0.2.300-192.0.2.2', /"192\.0\.2\.300" is not an IP address \(start/],
    ['192.0.2.1-2', /"2" is not an IP address \(end/],
    ['192.0.2.1-192.0.2.2-192.0.2.3', /more than one "-"/],
    ['192.0.2.9-192.0.2.1', /reversed: 192\.0\.2\.9 comes after 192\.0\.2\.1/],
    ['2001:db8::2-2001:db8::1', /reversed/],
    ['2001:db8::1-192.0.2.1', /reversed/],
    ['hosts', /neither a CIDR nor a range/],
    ['', /neither a CIDR nor a range/],
    ['-', /"" is not an IP address/],
  ])('%j is refused', (text, why) => {
    const parsed = parseRange(text);
    expect('error' in parsed && parsed.error).toMatch(why);
  });

  test('from IPv4 to IPv6 is valid and empty, as upstream has it', () => {
    expect(parseRange('192.0.2.1-2001:db8::1')).toEqual({ empty: true });
  });

  test('survives printing and reading', () => {
    fc.assert(
      fc.property(anyRange, (r) => {
        const parsed = parseRange(formatRange(r));
        fc.pre(!(r.family === 'IPv6' && [r.first, r.last].some((bits) => bits >> 32n === 0xffffn)));
        expect(parsed).toEqual({ range: r, hostBits: false });
      }),
    );
  });
});

describe('the CIDR cover of a range', () => {
  test.each([
    ['1.2.3.0-1.2.3.255', ['1.2.3.0/24']],
    ['1.2.3.10-1.2.3.20', ['1.2.3.10/31', '1.2.3.12/30', '1.2.3.16/30', '1.2.3.20/32']],
    ['0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
    ['0.0.0.0-255.255.255.254', Array.from({ length: 32 }, (_, i) => i)],
    ['::-::2', ['::/127', '::2/128']],
  ])('of %s is the smallest one', (text, cover) => {
    const cidrs = toCidrs(range(text)).map(formatRange);
    if (typeof cover[0] === 'string') expect(cidrs).toEqual(cover);
    else expect(cidrs).toHaveLength(cover.length);
  });

  test('holds exactly the range, ascending, in blocks that cannot be joined', () => {
    fc.assert(
      fc.property(anyRange, (r) => {
        const blocks = toCidrs(r);
        expect(blocks[0]?.first).toBe(r.first);
        expect(blocks.at(-1)?.last).toBe(r.last);
        for (const [i, cidr] of blocks.entries()) {
          expect(prefixLength(cidr)).toBeDefined();
          const next = blocks[i + 1];
          if (!next) continue;
          expect(next.first).toBe(cidr.last + 1n);
          expect(prefixLength({ ...cidr, last: next.last })).toBeUndefined();
        }
      }),
    );
  });
});

describe('ranges', () => {
  test('overlap when they share an address, whichever is asked', () => {
    fc.assert(
      fc.property(smallRange, smallRange, (a, b) => {
        let shared = false;
        for (let bits = a.first; bits <= a.last; bits++)
          shared ||= rangeContains(b, { family: 'IPv4', bits });
        expect(rangesOverlap(a, b)).toBe(shared);
        expect(rangesOverlap(b, a)).toBe(shared);
      }),
    );
  });

  test('of different families never meet', () => {
    const address = parseAddress('::1');
    expect(rangesOverlap(range('0.0.0.0/0'), range('::/0'))).toBe(false);
    expect(address && rangeContains(range('0.0.0.0/0'), address)).toBe(false);
  });

  test('have the size of their length', () => {
    expect(rangeSize(range('192.0.2.0/24'))).toBe(256n);
    expect(rangeSize(range('::/0'))).toBe(1n << 128n);
    expect(rangeSize(range('2001:db8::/128'))).toBe(1n);
  });
});
