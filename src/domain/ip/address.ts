import { isIPv4, isIPv6 } from 'node:net';
import { Netmask } from 'netmask';

export type Family = 'IPv4' | 'IPv6';

/** One IP address. `bits` is the address as an unsigned number: below 2^32 (IPv4) or 2^128 (IPv6). */
export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

/** Address length in bits. */
export const WIDTH: Readonly<Record<Family, number>> = { IPv4: 32, IPv6: 128 };

const MAPPED_PREFIX = 0xffffn << 32n;
const LOW_32 = 0xffff_ffffn;
const DOT = 0x2e;
const ZERO = 0x30;

/**
 * Reads an address exactly as Go's net.ParseIP does: no leading zeros, no short or hexadecimal IPv4 forms,
 * no zone, no blanks. An IPv4-mapped IPv6 address is the IPv4 address, as in Go's net.IP.
 */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 'IPv4', bits: ipv4Bits(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const bits = ipv6Bits(text);
  return bits >> 32n === MAPPED_PREFIX >> 32n
    ? { family: 'IPv4', bits: bits & LOW_32 }
    : { family: 'IPv6', bits };
}

/** The family of what parseAddress reads, without reading more than that needs. */
export function familyOfText(text: string): Family | undefined {
  if (isIPv4(text)) return 'IPv4';
  // Only an IPv4-mapped address, which has a group ffff, is of another family than it looks.
  const plain = isIPv6(text) && !text.includes('%') && !/ffff/i.test(text);
  return plain ? 'IPv6' : parseAddress(text)?.family;
}

/** Four decimal octets that isIPv4 has accepted; the hot path of large clusters, so no library and nothing to collect. */
function ipv4Bits(text: string): bigint {
  let bits = 0;
  let octet = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== DOT) octet = octet * 10 + code - ZERO;
    else {
      bits = bits * 256 + octet;
      octet = 0;
    }
  }
  return BigInt(bits * 256 + octet);
}

/**
 * Text that isIPv6 has accepted, without a zone. netmask expands the `::` and dotted forms; it is called for
 * nothing else, because it takes text that Go refuses (octal, short forms, `/` without a length).
 */
function ipv6Bits(text: string): bigint {
  const groups = expand(new Netmask(text, 128).base);
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** Canonical IPv6 text to its eight groups. */
function expand(canonical: string): string[] {
  const [left = '', right] = canonical.split('::');
  const head = left === '' ? [] : left.split(':');
  if (right === undefined) return head;
  const tail = right === '' ? [] : right.split(':');
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
}

/** Canonical text: dotted decimal, or RFC 5952. Equal to Go's net.IP.String(). */
export function formatAddress(a: Address): string {
  if (a.family === 'IPv4') {
    const n = Number(a.bits);
    return `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => Number((a.bits >> BigInt(112 - 16 * i)) & 0xffffn));
  const gap = longestZeroRun(groups);
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return gap === undefined ? hex(0, 8) : `${hex(0, gap.start)}::${hex(gap.start + gap.length, 8)}`;
}

/** The run that RFC 5952 4.2 replaces by `::`: the longest, at least two groups, the first among equals. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > Math.max(best?.length ?? 1, 1)) best = { start: i - length + 1, length };
  }
  return best;
}

/** Network byte order: 4 bytes for IPv4, 16 for IPv6. */
export function addressBytes(a: Address): Uint8Array {
  const bytes = new Uint8Array(WIDTH[a.family] / 8);
  let bits = a.bits;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(bits & 255n);
    bits >>= 8n;
  }
  return bytes;
}

/** Inverse of addressBytes: 4 bytes are IPv4, 16 are IPv6 (kept as IPv6 even when IPv4-mapped). Throws RangeError on any other length. */
export function addressFromBytes(b: Uint8Array): Address {
  if (b.length !== 4 && b.length !== 16)
    throw new RangeError(`an address has 4 or 16 bytes, not ${b.length}`);
  return {
    family: b.length === 4 ? 'IPv4' : 'IPv6',
    bits: b.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n),
  };
}
