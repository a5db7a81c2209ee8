import { type Address, type Family, formatAddress, parseAddress, WIDTH } from './address.ts';

/** Addresses `first` to `last`, both included; first <= last. */
export interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * What a range text means.
 * hostBits: a CIDR had bits set right of its length; they are masked away, as upstream does.
 * empty: `IPv4-IPv6`, which upstream accepts and which holds no address.
 * error: why the text is refused, as part of a sentence.
 */
export type ParsedRange =
  | { readonly range: Range; readonly hostBits: boolean }
  | { readonly empty: true }
  | { readonly error: string };

/** Reads one entry of a pool's `addresses`: CIDR, or `start-end` with optional blanks around both ends. */
export function parseRange(text: string): ParsedRange {
  return text.includes('-') ? parseSpan(text) : parseCidr(text);
}

/** Reads what may stand where single addresses do as well: an address, or an entry of a pool that is not empty. */
export function parseAddressOrRange(text: string): { readonly range: Range } | { readonly error: string } {
  const address = parseAddress(text);
  if (address) return { range: block(address, WIDTH[address.family]) };
  const parsed = parseRange(text);
  return 'empty' in parsed ? { error: `"${text}" runs from IPv4 to IPv6` } : parsed;
}

function parseSpan(text: string): ParsedRange {
  const ends = text.split('-');
  const [from = '', to = ''] = ends.map((end) => end.trim());
  if (ends.length !== 2) return { error: `"${text}" has more than one "-"` };
  const first = parseAddress(from);
  if (!first) return { error: `"${from}" is not an IP address (start of "${text}")` };
  const last = parseAddress(to);
  if (!last) return { error: `"${to}" is not an IP address (end of "${text}")` };
  if (first.family !== last.family) {
    // Go compares the 16-byte forms, in which every IPv4 address sorts as ::ffff:a.b.c.d.
    return sixteen(first) <= sixteen(last) ? { empty: true } : reversed(text, from, to);
  }
  if (first.bits > last.bits) return reversed(text, from, to);
  return { range: { family: first.family, first: first.bits, last: last.bits }, hostBits: false };
}

const sixteen = (a: Address): bigint => (a.family === 'IPv4' ? (0xffffn << 32n) | a.bits : a.bits);
const reversed = (text: string, from: string, to: string): ParsedRange => ({
  error: `"${text}" is reversed: ${from} comes after ${to}`,
});

function parseCidr(text: string): ParsedRange {
  const slash = text.indexOf('/');
  if (slash < 0) return { error: missingLength(text) };
  const address = parseAddress(text.slice(0, slash));
  if (!address) return { error: `"${text.slice(0, slash)}" is not an IP address (in "${text}")` };
  // Go measures a mapped address by its IPv6 text (0 to 128) and takes leading zeros in the length.
  const digits = text.slice(slash + 1);
  const mapped = address.family === 'IPv4' && text.includes(':');
  const width = mapped ? 128 : WIDTH[address.family];
  const length = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(length <= width))
    return { error: `"/${digits}" is not a prefix length from 0 to ${width} (in "${text}")` };
  if (mapped) return mappedCidr(address, length);
  return cidr(address, length);
}

/** ::ffff:a.b.c.d/n: the IPv4 block when n reaches into the last 32 bits, otherwise the IPv6 block around it. */
function mappedCidr(address: Address, length: number): ParsedRange {
  return length >= 96 ? cidr(address, length - 96) : cidr({ family: 'IPv6', bits: sixteen(address) }, length);
}

function cidr(address: Address, length: number): ParsedRange {
  const range = block(address, length);
  return { range, hostBits: range.first !== address.bits };
}

/** The CIDR block of the given prefix length around an address. */
export function block(a: Address, length: number): Range {
  const hostBits = BigInt(WIDTH[a.family] - length);
  const first = (a.bits >> hostBits) << hostBits;
  return { family: a.family, first, last: first + (1n << hostBits) - 1n };
}

function missingLength(text: string): string {
  const address = parseAddress(text);
  return address
    ? `"${text}" has no prefix length; write "${text}/${WIDTH[address.family]}" for the single address`
    : `"${text}" is neither a CIDR nor a range "start-end"`;
}

/** Canonical text: CIDR when the range is exactly one block, else `first-last`. */
export function formatRange(r: Range): string {
  const first = formatAddress({ family: r.family, bits: r.first });
  const length = prefixLength(r);
  return length === undefined
    ? `${first}-${formatAddress({ family: r.family, bits: r.last })}`
    : `${first}/${length}`;
}

/** What both ranges hold; undefined when that is nothing. */
export function intersection(a: Range, b: Range): Range | undefined {
  if (!rangesOverlap(a, b)) return undefined;
  const { first } = a.first > b.first ? a : b;
  const { last } = a.last < b.last ? a : b;
  return { family: a.family, first, last };
}

/** The prefix length when the range is exactly one CIDR block. */
export function prefixLength(r: Range): number | undefined {
  const size = rangeSize(r);
  const isBlock = (size & (size - 1n)) === 0n && (r.first & (size - 1n)) === 0n;
  return isBlock ? WIDTH[r.family] - log2(size) : undefined;
}

export function rangeContains(r: Range, a: Address): boolean {
  return r.family === a.family && r.first <= a.bits && a.bits <= r.last;
}

export function rangesOverlap(a: Range, b: Range): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** Number of addresses; at least 1. */
export function rangeSize(r: Range): bigint {
  return r.last - r.first + 1n;
}

/** The smallest set of CIDR blocks that covers exactly this range, ascending: upstream's internal form. */
export function toCidrs(r: Range): readonly Range[] {
  const blocks: Range[] = [];
  for (let first = r.first; first <= r.last; ) {
    // A block may be as large as its alignment allows, and may not pass the end.
    const aligned = first === 0n ? WIDTH[r.family] : log2(first & -first);
    const fitting = log2(r.last - first + 1n);
    const last = first + (1n << BigInt(Math.min(aligned, fitting))) - 1n;
    blocks.push({ family: r.family, first, last });
    first = last + 1n;
  }
  return blocks;
}

/** Floor of the binary logarithm of a positive number. */
function log2(n: bigint): number {
  return n.toString(2).length - 1;
}
