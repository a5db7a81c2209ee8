import fc from 'fast-check';
import { type Address, type Family, WIDTH } from './address.ts';

/** An IPv4-mapped address is no value of ours: parsing makes IPv4 of it. */
const isMapped = (bits: bigint) => bits >> 32n === 0xffffn;

export const anyFamily: fc.Arbitrary<Family> = fc.constantFrom('IPv4', 'IPv6');

/** Any number that is an address of the family. */
export function anyBits(family: Family): fc.Arbitrary<bigint> {
  const max = (1n << BigInt(WIDTH[family])) - 1n;
  const uniform = fc.bigInt({ min: 0n, max });
  // Long runs of zeros are what RFC 5952 is about; a uniform number hardly ever has one.
  const sparse = fc
    .array(fc.constantFrom(0n, 0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce<bigint>((bits, group) => (bits << 16n) | group, 0n) & max);
  return fc.oneof(uniform, sparse, fc.constantFrom(0n, max));
}

export const anyAddress: fc.Arbitrary<Address> = anyFamily
  .chain((family) => anyBits(family).map((bits) => ({ family, bits })))
  .filter(({ family, bits }) => family === 'IPv4' || !isMapped(bits));
