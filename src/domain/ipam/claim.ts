import type { Address } from '../ip/address.ts';
import type { NoSharing } from './reasons.ts';
import type { Want } from './want.ts';

/** What one Service holds. */
export interface Claim {
  readonly pool: string;
  readonly addresses: readonly Address[];
  readonly ports: readonly string[];
  readonly sharing: string;
  readonly backend: string;
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

const sameAddress = (a: Address, b: Address): boolean => a.family === b.family && a.bits === b.bits;

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

/** Whether nothing at all differs. */
export function sameClaim(a: Claim, b: Claim): boolean {
  return (
    a.pool === b.pool &&
    a.sharing === b.sharing &&
    a.backend === b.backend &&
    sameTexts(a.ports, b.ports) &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, i) => {
      const other = b.addresses[i];
      return other !== undefined && sameAddress(address, other);
    })
  );
}

/** Why a Service may not join the holders of an address, its ports aside (metallb.md 3.4). */
export function noSharing(holding: Holding, want: Want): NoSharing | undefined {
  if (holding.sharing === '') return 'holder-does-not-share';
  if (want.sharing === '') return 'service-does-not-share';
  if (holding.sharing !== want.sharing) return 'other-key';
  return holding.backend === want.backend ? undefined : 'other-backends';
}
