import type { Quota } from '../config/config.ts';
import type { Address } from '../ip/address.ts';
import { type Claim, held, isAmong, poolOfHeld } from './claim.ts';
import type { Refusal } from './reasons.ts';

/** How far a quota is used: by one namespace where it counts each by itself, otherwise by all that it is for. */
export interface Use {
  readonly quota: Quota;
  readonly namespace?: string;
  readonly used: number;
}

/** One thing that is counted: the addresses, each with the number of Services that have it. */
type Count = Map<string, number>;

const textOf = ({ family, bits }: Address): string => `${family} ${bits}`;

/** Counts the addresses of Services by quota; an address that several share counts once. */
export class Quotas {
  readonly #quotas: readonly Quota[];
  /** By quota, then by namespace, or "" for all together. */
  readonly #counts = new Map<Quota, Map<string, Count>>();

  constructor(quotas: readonly Quota[] = []) {
    this.#quotas = quotas;
  }

  /** Whether there is no quota at all. */
  get none(): boolean {
    return this.#quotas.length === 0;
  }

  add(claim: Claim): void {
    this.#each(claim, (count, text) => count.set(text, (count.get(text) ?? 0) + 1));
  }

  remove(claim: Claim): void {
    this.#each(claim, (count, text) => {
      const left = (count.get(text) ?? 0) - 1;
      if (left > 0) count.set(text, left);
      else count.delete(text);
    });
  }

  /** The first quota that does not allow a Service of the namespace these addresses of one pool; undefined when all do. */
  against(namespace: string, pool: string, addresses: readonly Address[]): Refusal | undefined {
    for (const quota of this.#of(namespace, pool)) {
      const count = this.#count(quota, namespace);
      const more = addresses.filter(
        (address, i) => !count.has(textOf(address)) && !isAmong(address, addresses.slice(0, i)),
      );
      if (more.length === 0 || count.size + more.length <= quota.addresses) continue;
      return refusal(quota, namespace, count.size);
    }
    return undefined;
  }

  /** How far each quota is used; of those that count each namespace by itself, one entry for each that has something. */
  uses(): readonly Use[] {
    return this.#quotas.flatMap((quota): Use[] => {
      const counts = [...(this.#counts.get(quota) ?? [])].filter(([, { size }]) => size > 0);
      if (!quota.each) return [{ quota, used: counts[0]?.[1].size ?? 0 }];
      return counts.map(([namespace, { size }]) => ({ quota, namespace, used: size }));
    });
  }

  /** Every count that the claim is part of, with each of its addresses. */
  #each(claim: Claim, change: (count: Count, text: string) => void): void {
    if (this.none) return;
    const namespace = claim.key.slice(0, claim.key.indexOf('/'));
    for (const address of held(claim))
      for (const quota of this.#of(namespace, poolOfHeld(claim, address)))
        change(this.#count(quota, namespace), textOf(address));
  }

  #of(namespace: string, pool: string): readonly Quota[] {
    return this.#quotas.filter(
      ({ namespaces, pools }) => (namespaces?.has(namespace) ?? true) && (pools?.has(pool) ?? true),
    );
  }

  #count(quota: Quota, namespace: string): Count {
    const counts = this.#counts.get(quota) ?? new Map<string, Count>();
    this.#counts.set(quota, counts);
    const group = quota.each ? namespace : '';
    const count = counts.get(group) ?? new Map<string, number>();
    counts.set(group, count);
    return count;
  }
}

function refusal(
  { name, each, addresses, pools, namespaces }: Quota,
  namespace: string,
  used: number,
): Refusal {
  const whom = each
    ? `namespace ${namespace}`
    : namespaces
      ? `namespaces ${[...namespaces].sort().join(', ')} together`
      : 'all namespaces together';
  return { refused: 'quota-exceeded', quota: name, whom, pools: [...(pools ?? [])], used, limit: addresses };
}
