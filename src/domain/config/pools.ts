import type { Namespace } from '../api/core.ts';
import type { IPAddressPool } from '../api/metallb.ts';
import type { Problem } from '../api/problem.ts';
import { type Selector, selectorMatches } from '../api/selector.ts';
import { formatRange, parseRange, type Range, rangesOverlap, toCidrs } from '../ip/range.ts';
import type { Allocation, Pool } from './config.ts';
import { type Complaint, complaining } from './errors.ts';
import { readMarks, readQuarantine, readStrategy } from './marks.ts';
import { readSelectors } from './selectors.ts';

/** Where a range was written. */
interface Entry {
  readonly range: Range;
  readonly object: string;
  readonly path: string;
}

/** What readers found wrong: problems make the result unusable, warnings do not. */
export interface Findings {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Reads pools in the order given. */
export function readPools(
  list: readonly IPAddressPool[],
  namespaces: readonly Namespace[],
  { problems, warnings }: Findings,
): ReadonlyMap<string, Pool> {
  const pools = new Map<string, Pool>();
  const entries: Entry[] = [];
  for (const object of list) {
    const { name } = object.metadata;
    const label = `IPAddressPool ${name}`;
    const complain = complaining(problems, label);
    const warn = complaining(warnings, label, { severity: 'warning' });
    if (pools.has(name)) complain('PoolDuplicate', 'metadata.name', `there are two pools "${name}"`);
    const written = readAddresses(object.spec.addresses, complain);
    entries.push(...written.map(({ range, path }) => ({ range, path, object: label })));
    const allocation = readAllocation(object, namespaces, complain);
    pools.set(name, {
      name,
      ranges: written.flatMap(({ range }) => toCidrs(range)),
      autoAssign: object.spec.autoAssign ?? true,
      avoidBuggyIPs: object.spec.avoidBuggyIPs ?? false,
      ...(allocation && { allocation }),
      ...readMarks(object, warn),
      ...readStrategy(object, warn),
      ...readQuarantine(object, warn),
    });
  }
  complainOfOverlaps(entries, problems);
  return pools;
}

function readAddresses(texts: readonly string[], complain: Complaint): { range: Range; path: string }[] {
  if (texts.length === 0) complain('PoolEmpty', 'spec.addresses', 'the pool has no addresses');
  const written: { range: Range; path: string }[] = [];
  for (const [index, text] of texts.entries()) {
    const path = `spec.addresses[${index}]`;
    const parsed = parseRange(text);
    if ('error' in parsed) complain('PoolRangeInvalid', path, parsed.error);
    else if ('range' in parsed) written.push({ range: parsed.range, path });
  }
  return written;
}

/**
 * One Problem for each range that meets one written before it. A sweep over the ranges in order of their first address:
 * the range that reaches furthest is the one that a newcomer would meet.
 */
function complainOfOverlaps(entries: readonly Entry[], problems: Problem[]): void {
  const order = new Map(entries.map((entry, index) => [entry, index]));
  const sorted = entries.toSorted((a, b) => {
    if (a.range.family !== b.range.family) return a.range.family < b.range.family ? -1 : 1;
    return a.range.first < b.range.first ? -1 : a.range.first > b.range.first ? 1 : 0;
  });
  let reach: Entry | undefined;
  for (const entry of sorted) {
    if (reach && rangesOverlap(reach.range, entry.range)) {
      const entryIsLater = (order.get(entry) ?? 0) > (order.get(reach) ?? 0);
      const [first, second] = entryIsLater ? [reach, entry] : [entry, reach];
      const message = `${formatRange(second.range)} overlaps ${formatRange(first.range)} of ${first.object} ${first.path}`;
      complaining(problems, second.object)('PoolOverlap', second.path, message);
    }
    const further =
      !reach || reach.range.family !== entry.range.family || entry.range.last > reach.range.last;
    if (further) reach = entry;
  }
}

function readAllocation(
  object: IPAddressPool,
  namespaces: readonly Namespace[],
  complain: Complaint,
): Allocation | undefined {
  const raw = object.spec.serviceAllocation;
  if (!raw) return undefined;
  const path = 'spec.serviceAllocation';
  const names = new Set<string>();
  for (const [index, name] of (raw.namespaces ?? []).entries()) {
    if (names.has(name))
      complain('NamespaceDuplicate', `${path}.namespaces[${index}]`, `"${name}" stands here twice`);
    names.add(name);
  }
  const selectors = readSelectors(raw.namespaceSelectors, `${path}.namespaceSelectors`, complain);
  for (const namespace of namespaces) if (matches(selectors, namespace)) names.add(namespace.metadata.name);
  return {
    priority: raw.priority ?? 0,
    namespaces: names,
    restrictsNamespaces: (raw.namespaces ?? []).length + (raw.namespaceSelectors ?? []).length > 0,
    serviceSelectors: readSelectors(raw.serviceSelectors, `${path}.serviceSelectors`, complain),
  };
}

const matches = (selectors: readonly Selector[], { metadata }: Namespace): boolean =>
  selectors.some((selector) => selectorMatches(selector, metadata.labels));
