import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyAddress } from './address.rig.ts';
import { addressBytes, addressFromBytes, familyOfText, formatAddress, parseAddress } from './address.ts';

/** Text and what Go 1.26 prints for net.ParseIP(text); undefined where that is nil. Recorded from a run. */
const GO: readonly (readonly [string, string | undefined])[] = [
  ['10.20.30.40', '10.20.30.40'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['010.0.0.1', undefined],
  ['1.2.3.04', undefined],
  ['1.2.3', undefined],
  ['10.1', undefined],
  ['167772161', undefined],
  ['0x1.2.3.4', undefined],
  ['256.1.1.1', undefined],
  ['1.2.3.4 ', undefined],
  [' 1.2.3.4', undefined],
  ['', undefined],
  ['::', '::'],
  ['2001:DB8::1', '2001:db8::1'],
  ['0001::', '1::'],
  ['00001::', undefined],
  ['12345::', undefined],
  ['1::2::3', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['fe80::1%eth0', undefined],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:0102:0304', '1.2.3.4'],
  ['::ffff:010.2.3.4', undefined],
  ['::1.2.3.4', '::102:304'],
  ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ['1:2:3:4:5:6:7:1.2.3.4', undefined],
];

describe('an address', () => {
  test.each(GO)('%j reads as Go reads it', (text, canonical) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(canonical);
    expect(familyOfText(text)).toBe(address?.family);
  });

  test('that is mapped into IPv6 is the IPv4 address', () => {
    expect(parseAddress('::ffff:192.0.2.7')).toEqual({ family: 'IPv4', bits: 0xc0000207n });
  });

  test('survives printing and reading', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  test('survives being bytes', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const bytes = addressBytes(address);
        expect(bytes).toHaveLength(address.family === 'IPv4' ? 4 : 16);
        expect(addressFromBytes(bytes)).toEqual(address);
      }),
    );
  });

  test('has its bytes in network order', () => {
    expect([...addressBytes({ family: 'IPv4', bits: 0x0a000102n })]).toEqual([10, 0, 1, 2]);
    const loopback = addressBytes({ family: 'IPv6', bits: 1n });
    expect([...loopback]).toEqual([...Array<number>(15).fill(0), 1]);
  });

  test('of any other length is refused', () => {
    expect(() => addressFromBytes(new Uint8Array(6))).toThrow(/4 or 16 bytes, not 6/);
  });

  test('is never read from text with anything around it', () => {
    const junk = fc.constantFrom(' ', '/', '/24', '%lo', '\n', 'x', '.', ':1:2:3:4:5:6:7:8');
    fc.assert(
      fc.property(anyAddress, junk, (address, tail) => {
        expect(parseAddress(formatAddress(address) + tail)).toBeUndefined();
      }),
    );
  });
});
