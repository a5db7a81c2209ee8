import type { Namespace } from '../../domain/api/core.ts';
import type { AddressQuota } from '../../domain/api/herald.ts';
import { quotaOf } from '../../domain/config/quotas.ts';
import type { Use } from '../../domain/ipam/quotas.ts';
import type { Standing } from './statuses.ts';

/** How many namespaces a status lists. */
const NAMED = 16;

/** How far a quota is used. `uses` are those of all quotas in force. */
export function standing(
  object: AddressQuota,
  uses: readonly Use[],
  namespaces: readonly Namespace[],
): Standing {
  const read = quotaOf(object, namespaces);
  if ('problems' in read) {
    const message = read.problems.map((p) => `${p.path}: ${p.message}`).join('; ');
    return { shown: { used: 0, namespaces: [] }, ready: false, reason: 'Invalid', message };
  }
  const own = uses.filter(({ quota }) => quota.name === read.name);
  const most = own.toSorted((a, b) => b.used - a.used || (namespaceOf(a) < namespaceOf(b) ? -1 : 1));
  const used = most[0]?.used ?? 0;
  const listed = most.flatMap(({ namespace: name, used: count }) =>
    name === undefined ? [] : [{ name, used: count }],
  );
  const full = used >= read.addresses;
  const whom = read.each && most[0] ? `namespace ${namespaceOf(most[0])} uses` : 'in use:';
  return {
    shown: { used, namespaces: listed.slice(0, NAMED) },
    ready: true,
    reason: full ? 'Exhausted' : 'Open',
    message: `${whom} ${used} of ${read.addresses}`,
  };
}

const namespaceOf = ({ namespace = '' }: Use): string => namespace;
