import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatMac, parseMac } from './mac.ts';

describe('a MAC address', () => {
  test.each(['02:00:5e:10:00:0a', '02-00-5E-10-00-0A'])('reads %s', (text) => {
    expect(parseMac(text)).toEqual(Uint8Array.of(2, 0, 0x5e, 0x10, 0, 10));
  });

  test.each([
    '',
    '02:00:5e:10:00',
    '02:00:5e:10:00:0a:0b',
    '2:0:5e:10:0:a',
    '02:00-5e:10:00:0a',
    'zz:00:5e:10:00:0a',
  ])('does not read %j', (text) => {
    expect(parseMac(text)).toBeUndefined();
  });

  test('survives printing and reading', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (mac) => {
        expect(parseMac(formatMac(mac))).toEqual(mac);
      }),
    );
  });
});
