import type { Address } from '../ip/address.ts';
import type { NoSharing } from './reasons.ts';
import type { Want } from './want.ts';

/** Addresses of one pool. */
export interface Lot {
  readonly pool: string;
  readonly addresses: readonly Address[];
}

/** What one Service holds. */
export interface Claim extends Lot {
  readonly ports: readonly string[];
  readonly sharing: string;
  readonly backend: string;
  /** While it moves: what it is to have instead, held as well. Addresses that it keeps stand in both. */
  readonly next?: Lot;
}

/** One address in use: its holders, all with the same keys, and which of them has which port. */
export interface Holding {
  readonly holders: Set<string>;
  readonly ports: Map<string, string>;
  readonly sharing: string;
  readonly backend: string;
}

/** Services with equal keys and backends may share. */
export const groupKey = (o: { readonly sharing: string; readonly backend: string }): string =>
  JSON.stringify([o.sharing, o.backend]);

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

/** Everything that the claim holds, each address once, with its pool. */
export function held(claim: Claim): readonly { readonly address: Address; readonly pool: string }[] {
  const { pool, addresses, next } = claim;
  const now = addresses.map((address) => ({ address, pool }));
  if (!next) return now;
  const more = next.addresses.filter((address) => !isAmong(address, addresses));
  return [...now, ...more.map((address) => ({ address, pool: next.pool }))];
}

/** Why a Service may not join the holders of an address, its ports aside (metallb.md 3.4). */
export function noSharing(holding: Holding, want: Want): NoSharing | undefined {
  if (holding.sharing === '') return 'holder-does-not-share';
  if (want.sharing === '') return 'service-does-not-share';
  if (holding.sharing !== want.sharing) return 'other-key';
  return holding.backend === want.backend ? undefined : 'other-backends';
}
