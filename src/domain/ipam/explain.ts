import { selectorMatches } from '../api/selector.ts';
import { type Pool, poolOf } from '../config/config.ts';
import type { Address } from '../ip/address.ts';
import { automatic, choose } from './choose.ts';
import type { Ledger } from './ledger.ts';
import { type Refusal, reasonWord, refusalText } from './reasons.ts';
import type { Want } from './want.ts';

/** In which of the rounds of a choice a pool comes, the first of them first. */
export type Round =
  /** The Service asks for it, or for an address in it. */
  | 'asked'
  /** It has a free address that is kept for the Service. */
  | 'reserved'
  /** Its serviceAllocation matches the Service. */
  | 'meant'
  /** It has no serviceAllocation. */
  | 'open'
  /** It is not looked at. */
  | 'none';

/** Why a pool is not looked at. */
export type Passed =
  | { readonly passed: 'not-asked' }
  | { readonly passed: 'not-automatic' }
  | { readonly passed: 'other-namespaces'; readonly namespaces: readonly string[] }
  | { readonly passed: 'other-labels' }
  /** Its namespaces and selectors match no namespace at all. */
  | { readonly passed: 'meant-for-nobody' };

/** What one pool would give a Service that asked now, or why nothing. */
export interface PoolAnswer {
  readonly pool: string;
  readonly round: Round;
  readonly answer: { readonly offers: readonly Address[] } | Refusal | Passed;
}

/**
 * What each pool answers to a Service, in the order in which pools are looked at. The ledger must hold nothing for the Service,
 * and is the same afterwards. `left`: what it has, which it may ask for although nobody else could have it.
 */
export function explain(ledger: Ledger, want: Want, left: readonly Address[] = []): readonly PoolAnswer[] {
  return rounds(ledger, want).map(({ pool, round }) => {
    const passed = round === 'none' ? passOver(pool, want) : undefined;
    if (passed) return { pool: pool.name, round, answer: passed };
    const wish = round === 'asked' ? want : { ...want, pool: pool.name };
    const choice = choose(ledger, wish, left);
    ledger.release(want.key);
    return {
      pool: pool.name,
      round,
      answer: 'refused' in choice ? choice : { offers: choice.addresses },
    };
  });
}

function rounds(ledger: Ledger, want: Want): { pool: Pool; round: Round }[] {
  const all = [...ledger.config.pools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const request = 'refused' in want.request ? [] : want.request;
  const asked =
    request.length > 0
      ? all.filter((pool) => request.some((address) => poolOf(ledger.config, address) === pool))
      : all.filter((pool) => pool.name === want.pool);
  const { meant, open } = automatic(ledger, want);
  const free = request.length === 0 && want.pool === undefined;
  const rounds = new Map<Pool, Round>(asked.map((pool) => [pool, 'asked']));
  const add = (pools: readonly Pool[], round: Round) => {
    for (const pool of pools) if (!rounds.has(pool)) rounds.set(pool, round);
  };
  if (free) {
    add(ledger.reserving(want), 'reserved');
    add(meant, 'meant');
    add(open, 'open');
  }
  add(all, 'none');
  return [...rounds].map(([pool, round]) => ({ pool, round }));
}

/** Why a pool is in no round. */
function passOver({ autoAssign, allocation }: Pool, want: Want): Passed {
  const asks = want.pool !== undefined || 'refused' in want.request || want.request.length > 0;
  if (asks) return { passed: 'not-asked' };
  const { namespaces = new Set<string>(), serviceSelectors = [] } = allocation ?? {};
  if (namespaces.size > 0 && !namespaces.has(want.namespace))
    return { passed: 'other-namespaces', namespaces: [...namespaces].sort() };
  if (serviceSelectors.length > 0 && !serviceSelectors.some((s) => selectorMatches(s, want.labels)))
    return { passed: 'other-labels' };
  return { passed: autoAssign ? 'meant-for-nobody' : 'not-automatic' };
}

/** The word for what a pool answers: "Offers", "PoolExhausted", "NotAutomatic". */
export function answerWord({ answer }: PoolAnswer): string {
  if ('offers' in answer) return 'Offers';
  return reasonWord('passed' in answer ? answer.passed : answer.refused);
}

/** Why a pool gives nothing, as a sentence without its full stop. */
export function passedText(answer: Refusal | Passed): string {
  if (!('passed' in answer)) return refusalText(answer);
  switch (answer.passed) {
    case 'not-asked':
      return 'the Service asks for something else';
    case 'not-automatic':
      return 'only for Services that ask for it (autoAssign: false)';
    case 'other-namespaces':
      return `only for namespaces ${answer.namespaces.join(', ')}`;
    case 'other-labels':
      return 'no serviceSelector matches the labels of the Service';
    case 'meant-for-nobody':
      return 'its namespaceSelectors match no namespace';
  }
}
