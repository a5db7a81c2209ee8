import type { Namespace } from '../api/core.ts';
import type { AddressQuota } from '../api/herald.ts';
import type { Problem } from '../api/problem.ts';
import { selectorMatches } from '../api/selector.ts';
import type { Quota } from './config.ts';
import { complaining } from './errors.ts';
import { readSelectors } from './selectors.ts';

/** What an object limits, or what is wrong with it: an unreadable selector makes the whole quota void. */
export function quotaOf(
  { metadata, spec }: AddressQuota,
  namespaces: readonly Namespace[],
): Quota | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const complain = complaining(problems, `AddressQuota ${metadata.name}`, { severity: 'warning' });
  const selectors = readSelectors(spec.namespaceSelectors, 'spec.namespaceSelectors', complain);
  if (problems.length > 0) return { problems };
  const { namespaces: listed = [], pools = [], perNamespace = false, addresses } = spec;
  const selected = namespaces
    .filter((namespace) => selectors.some((s) => selectorMatches(s, namespace.metadata.labels)))
    .map((namespace) => namespace.metadata.name);
  const restricts = listed.length + selectors.length > 0;
  return {
    name: metadata.name,
    addresses,
    each: perNamespace,
    ...(restricts && { namespaces: new Set([...listed, ...selected]) }),
    ...(pools.length > 0 && { pools: new Set(pools) }),
  };
}

/** Those that can be read; the others have no effect, and are warned about. */
export function readQuotas(
  objects: readonly AddressQuota[],
  namespaces: readonly Namespace[],
  warnings: Problem[],
): readonly Quota[] {
  return objects.flatMap((object) => {
    const read = quotaOf(object, namespaces);
    if (!('problems' in read)) return [read];
    warnings.push(...read.problems);
    return [];
  });
}
