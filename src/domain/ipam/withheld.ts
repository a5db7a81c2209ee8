/** Addresses that nobody has and that are not given to everybody; each counts for the first of these that keeps it back. */
export interface Withheld {
  /** They lie in draining ranges. */
  readonly draining: bigint;
  /** Somebody outside the cluster uses them. */
  readonly quarantined: bigint;
  /** They are kept for those whom reservations name. */
  readonly reserved: bigint;
}

/** What several pools keep back together. */
export function sum(list: readonly Withheld[]): Withheld {
  const of = (field: keyof Withheld) => list.reduce((total, w) => total + w[field], 0n);
  return { draining: of('draining'), quarantined: of('quarantined'), reserved: of('reserved') };
}

/** More than these are not counted in words. */
const MANY = 1_000_000n;

/** `3 draining, 1 quarantined`; empty when nothing is kept back. */
export function withheldText(w: Withheld): string {
  return (['draining', 'quarantined', 'reserved'] as const)
    .filter((field) => w[field] > 0n)
    .map((field) => `${w[field] < MANY ? w[field] : 'very many'} ${field}`)
    .join(', ');
}

/** A text with such counts, without their numbers. */
export function withoutCounts(text: string): string {
  return text.replace(/\b(\d+|very many) (draining|quarantined|reserved)\b/g, '$2');
}
