import { coversInterfaces, PROTOCOLS, type Protocol, type Reach } from './reach.ts';
import type { Subject } from './subject.ts';
import type { Standing, Trouble } from './world.ts';

/** What a Service may lose. */
export type Aspect = 'address' | Protocol;

/** A Service would lose something. */
export interface Hurt {
  readonly subject: Subject;
  readonly aspect: Aspect;
  /** The pool that has its addresses now. */
  readonly pool: string;
  readonly trouble?: Trouble;
  /** The pool that would have them, or its first address. */
  readonly holder?: string;
  readonly reason: string;
}

const NAME: Readonly<Record<Protocol, string>> = { l2: 'layer 2', bgp: 'BGP' };

/** What the Service has before and would not have after. `ready`: nodes that are Ready. */
export function hurtsOf(
  subject: Subject,
  { before, after }: { readonly before: Standing; readonly after: Standing },
  ready: ReadonlySet<string>,
): readonly Hurt[] {
  if (before === after || !('pool' in before)) return [];
  const { pool } = before;
  if (!('pool' in after)) {
    const { trouble, holder } = after;
    const reason = troubleText(subject, { trouble, holder, pool });
    return [{ subject, aspect: 'address', pool, trouble, ...(holder !== undefined && { holder }), reason }];
  }
  if (before.reach === after.reach) return [];
  return PROTOCOLS.flatMap((aspect): Hurt[] => {
    const reason = silenced(subject, aspect, { before, after, ready });
    return reason === undefined ? [] : [{ subject, aspect, pool, holder: after.pool, reason }];
  });
}

function troubleText(
  { texts, want }: Subject,
  { trouble, holder, pool }: { trouble: Trouble; holder: string | undefined; pool: string },
): string {
  const list = texts.join(' and ');
  switch (trouble) {
    case 'uncovered':
      return `${list} ${texts.length > 1 ? 'are no longer both' : 'is no longer'} in pool "${pool}"`;
    case 'apart':
      return `${list} would be in different pools`;
    case 'avoided':
      return `pool "${holder}" would avoid ${list}, as it ends in 0 or 255`;
    case 'not-for-it':
      return `pool "${holder}" would not be for this Service (serviceAllocation)`;
    case 'other-pool':
      return `it asks for pool "${want.pool}", and ${list} would be in pool "${holder}"`;
  }
}

type Served = Extract<Standing, { readonly pool: string }>;

/** Why it is no longer announced by the protocol; undefined when it is, or was not before. */
function silenced(
  subject: Subject,
  protocol: Protocol,
  o: { readonly before: Served; readonly after: Served; readonly ready: ReadonlySet<string> },
): string | undefined {
  const before = o.before.reach.nodes[protocol];
  const after = o.after.reach.nodes[protocol];
  if (before === after || before.size === 0) return undefined;
  const name = NAME[protocol];
  if (after.size === 0) {
    const silencer = protocol === 'l2' ? o.after.reach.silencers[0] : undefined;
    return silencer === undefined
      ? `no node would announce it by ${name} any more`
      : `it shares its address, and L2Advertisement "${silencer}" with serviceSelectors would silence it`;
  }
  const isReady = (node: string) => o.ready.has(node);
  if ([...before].some(isReady) && ![...after].some(isReady))
    return `only nodes that are not ready would announce it by ${name}`;
  const missed = protocol === 'l2' ? missedInterfaces(o.before.reach, o.after.reach) : undefined;
  if (missed !== undefined) return missed;
  if (!subject.local) return undefined;
  const lost = [...before].filter((node) => !after.has(node)).sort();
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : '';
  return lost.length === 0
    ? undefined
    : `its externalTrafficPolicy is Local, and ${lost[0]}${more} would not announce it by ${name} any more`;
}

/**
 * Nodes stand in for each other, interfaces do not: each is another network. A node that goes on announcing keeps its interfaces; where
 * none goes on, the new ones reach what some node did. One that joins others may reach less, as those stay as they were.
 */
function missedInterfaces(before: Reach, after: Reach): string | undefined {
  const goesOn = [...after.interfaces.keys()].some((node) => before.interfaces.has(node));
  const known = goesOn ? [] : [...before.interfaces.values()];
  const [first] = [...after.interfaces]
    .filter(([node, now]) => {
      const was = before.interfaces.get(node);
      if (was) return !coversInterfaces(now, was);
      return !goesOn && !known.some((other) => coversInterfaces(now, other));
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (!first) return undefined;
  const [node, now] = first;
  const was = before.interfaces.get(node) ?? 'all';
  if (was === 'all') return `${node} would announce it on ${listed(now)} only`;
  const lost = [...was].filter((name) => !coversInterfaces(now, new Set([name])));
  return `${node} would no longer announce it on ${listed(lost)}`;
}

const listed = (names: Iterable<string>) => [...names].sort().join(', ');
