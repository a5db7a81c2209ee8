import type { Address, Family } from '../ip/address.ts';
import { type Claim, held } from './claim.ts';
import type { NoSharing, Refusal } from './reasons.ts';
import type { Want } from './want.ts';

/** Those that share an address, all with the same keys, and which of them has which port. */
interface Shared {
  readonly members: Set<string>;
  readonly ports: Map<string, string>;
  readonly sharing: string;
  readonly backend: string;
}

/** The one claim on an address that is not shared, or those that share it. */
type Holding = Claim | Shared;

/** Who holds which address. An address has several holders only when they may share it. */
export class Holdings {
  readonly #held: Readonly<Record<Family, Map<bigint, Holding>>> = { IPv4: new Map(), IPv6: new Map() };
  /** Addresses by sharing and backend key, for Services that would join. */
  readonly #groups = new Map<string, Record<Family, Set<bigint>>>();

  has(family: Family, bits: bigint): boolean {
    return this.#held[family].has(bits);
  }

  /** Every address of the family that somebody holds. */
  addresses(family: Family): Iterable<bigint> {
    return this.#held[family].keys();
  }

  /** All that hold the address, in the order of their claims. */
  holdersOf({ family, bits }: Address): readonly string[] {
    return holdersOf(this.#held[family].get(bits));
  }

  /** Adds a claim that does not conflict with the others; the addresses that nobody held before. */
  add(claim: Claim): readonly Address[] {
    const fresh: Address[] = [];
    for (const address of held(claim)) {
      const holdings = this.#held[address.family];
      const holding = holdings.get(address.bits);
      if (!holding) {
        holdings.set(address.bits, claim.sharing === '' ? claim : this.#opened(claim, address));
        fresh.push(address);
      } else if ('members' in holding) enter(holding, claim);
    }
    return fresh;
  }

  /** Takes a claim out; the addresses that nobody holds any more. */
  remove(claim: Claim): readonly Address[] {
    const freed: Address[] = [];
    for (const address of held(claim)) {
      const holding = this.#held[address.family].get(address.bits);
      if (!holding) continue;
      if ('members' in holding) {
        leave(holding, claim);
        if (holding.members.size > 0) continue;
        this.#closed(holding, address);
      }
      this.#held[address.family].delete(address.bits);
      freed.push(address);
    }
    return freed;
  }

  /** Why a Service may not have the address beside those that hold it, if so. */
  conflict(want: Want, address: Address): Refusal | undefined {
    const holding = this.#held[address.family].get(address.bits);
    if (!holding) return undefined;
    const cause = noSharing(holding, want);
    if (cause !== undefined) {
      // The only user of an address may change its own keys.
      const holders = holdersOf(holding)
        .filter((key) => key !== want.key)
        .sort();
      return holders.length === 0 ? undefined : { refused: 'address-in-use', address, holders, cause };
    }
    if (!('members' in holding)) return undefined;
    for (const port of want.ports) {
      const holder = holding.ports.get(port);
      if (holder !== undefined && holder !== want.key)
        return { refused: 'port-in-use', address, port, holder };
    }
    return undefined;
  }

  /** Addresses in use that the Service may join. Costs the number of addresses under its key: few, or none without one. */
  joinable(family: Family, want: Want): readonly bigint[] {
    if (want.sharing === '') return NONE;
    const group = this.#groups.get(groupKey(want));
    return group ? [...group[family]].filter((bits) => !this.conflict(want, { family, bits })) : NONE;
  }

  #opened(claim: Claim, { family, bits }: Address): Shared {
    const { sharing, backend } = claim;
    const group = this.#groups.get(groupKey(claim)) ?? { IPv4: new Set(), IPv6: new Set() };
    this.#groups.set(groupKey(claim), group);
    group[family].add(bits);
    const shared = { members: new Set<string>(), ports: new Map<string, string>(), sharing, backend };
    enter(shared, claim);
    return shared;
  }

  #closed(shared: Shared, { family, bits }: Address): void {
    const group = this.#groups.get(groupKey(shared));
    group?.[family].delete(bits);
    if (group && group.IPv4.size + group.IPv6.size === 0) this.#groups.delete(groupKey(shared));
  }
}

const NONE: readonly bigint[] = [];

/** Services with equal keys and backends may share. */
const groupKey = (o: { readonly sharing: string; readonly backend: string }): string =>
  JSON.stringify([o.sharing, o.backend]);

function holdersOf(holding: Holding | undefined): string[] {
  if (!holding) return [];
  return 'members' in holding ? [...holding.members] : [holding.key];
}

function enter({ members, ports }: Shared, claim: Claim): void {
  members.add(claim.key);
  for (const port of claim.ports) ports.set(port, claim.key);
}

function leave({ members, ports }: Shared, { key, ports: own }: Claim): void {
  members.delete(key);
  for (const port of own) if (ports.get(port) === key) ports.delete(port);
}

/** Why a Service may not join the holders of an address, its ports aside. */
function noSharing(holding: Holding, want: Want): NoSharing | undefined {
  if (holding.sharing === '') return 'holder-does-not-share';
  if (want.sharing === '') return 'service-does-not-share';
  if (holding.sharing !== want.sharing) return 'other-key';
  return holding.backend === want.backend ? undefined : 'other-backends';
}
