import type { Address } from '../ip/address.ts';

/** Addresses of one pool. */
export interface Lot {
  readonly pool: string;
  readonly addresses: readonly Address[];
}

/** What one Service holds. */
export interface Claim extends Lot {
  /** The Service, "namespace/name". */
  readonly key: string;
  /** Empty unless it shares. */
  readonly ports: readonly string[];
  readonly sharing: string;
  readonly backend: string;
  /** While it moves: what it is to have instead, held as well. Addresses that it keeps stand in both. */
  readonly next?: Lot;
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

/** Whether both hold the same addresses in the same order. */
export function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, i) => isSame(address, b[i]));
}

/** Whether the address is one of the list. */
export function isAmong(address: Address, list: readonly Address[]): boolean {
  return list.some((other) => isSame(address, other));
}

export const isSame = (a: Address, b: Address | undefined): boolean =>
  a.family === b?.family && a.bits === b.bits;

/** Whether nothing at all differs. */
export function sameClaim(a: Claim, b: Claim): boolean {
  const next = a.next && b.next ? sameLot(a.next, b.next) : a.next === b.next;
  return (
    next && sameLot(a, b) && a.sharing === b.sharing && a.backend === b.backend && sameTexts(a.ports, b.ports)
  );
}

const sameLot = (a: Lot, b: Lot): boolean => a.pool === b.pool && sameAddresses(a.addresses, b.addresses);

/** Everything that the claim holds, each address once. */
export function held({ addresses, next }: Claim): readonly Address[] {
  return next ? [...addresses, ...next.addresses.filter((a) => !isAmong(a, addresses))] : addresses;
}

/** The pool of an address that the claim holds. */
export function poolOfHeld({ pool, addresses, next }: Claim, address: Address): string {
  return !next || isAmong(address, addresses) ? pool : next.pool;
}
