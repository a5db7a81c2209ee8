import { selectorMatches } from '../api/selector.ts';
import type { Pool } from '../config/config.ts';
import type { Want } from './want.ts';

/**
 * Whether a Service may have addresses of the pool at all. A pool whose namespace selectors match
 * no namespace keeps nobody out (11.10); `isMeantFor` then keeps it out of automatic choice.
 */
export function fits(pool: Pool, want: Want): boolean {
  const { allocation } = pool;
  if (!allocation) return true;
  if (allocation.namespaces.size > 0 && !allocation.namespaces.has(want.namespace)) return false;
  const { serviceSelectors } = allocation;
  return serviceSelectors.length === 0 || serviceSelectors.some((s) => selectorMatches(s, want.labels));
}

/** Whether the pool's serviceAllocation names this Service, so that the pool comes before those open to all. */
export function isMeantFor(pool: Pool, want: Want): boolean {
  const { allocation } = pool;
  if (!allocation || !fits(pool, want)) return false;
  return (
    allocation.namespaces.has(want.namespace) ||
    allocation.serviceSelectors.length > 0 ||
    !allocation.restrictsNamespaces
  );
}

/** Lower priority first, 0 (none given) last, equal ones by name. */
export function byPriority(a: Pool, b: Pool): number {
  const rank = (pool: Pool) => pool.allocation?.priority || Number.POSITIVE_INFINITY;
  const [x, y] = [rank(a), rank(b)];
  if (x !== y) return x < y ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
