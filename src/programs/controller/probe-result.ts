import type { AddressProbe, AddressProbeStatus, ProbeResult } from '../../domain/api/herald.ts';

/** A second speaker is waited for so long after the first one's answer. */
export const SECOND_MS = 300;
/** Answers that are enough for an address that nobody has. */
const ENOUGH = 2;

type Answers = NonNullable<AddressProbeStatus['answers']>;
export type Taken = NonNullable<Answers[number]['taken']>[number] & { readonly node: string };

/** What came of one address. */
export type Found =
  | { readonly address: string; readonly result: 'Free'; readonly nodes: readonly string[] }
  | { readonly address: string; readonly result: 'Taken'; readonly by: readonly Taken[] }
  | { readonly address: string; readonly result: 'Unknown' };

/**
 * What came of a probe; until when to wait (milliseconds from its first sight) while that is open. `answeredAfter`: when the
 * first answer came. A probe is over when each address is taken or was asked for by two; where there is no second speaker,
 * a moment after the first; and at the end of its wait in any case.
 */
export function outcome(
  { spec, status }: AddressProbe,
  { waited, answeredAfter }: { readonly waited: number; readonly answeredAfter: number | undefined },
): { readonly found: readonly Found[] } | { readonly until: number } {
  const answers = status?.answers ?? [];
  const found = spec.addresses.map((address) => one(address, answers));
  const patience = (spec.waitSeconds ?? 2) * 1_000;
  const sure = found.every((f) => f.result === 'Taken' || (f.result === 'Free' && f.nodes.length >= ENOUGH));
  const asked = answeredAfter !== undefined && found.every(({ result }) => result !== 'Unknown');
  const until = asked ? Math.min(patience, answeredAfter + SECOND_MS) : patience;
  return sure || waited >= until ? { found } : { until };
}

/** Of all addresses together. */
export function overall(found: readonly Found[]): ProbeResult {
  if (found.some(({ result }) => result === 'Taken')) return 'Taken';
  return found.some(({ result }) => result === 'Unknown') ? 'Unknown' : 'Free';
}

/** For people: what came of it, address by address. */
export function foundText(found: Found): string {
  const { address } = found;
  if (found.result === 'Unknown')
    return `${address}: no speaker has an interface in its subnet, or answered in time`;
  if (found.result === 'Free') return `${address}: nobody answered to ${found.nodes.join(', ')}`;
  const who = found.by.map(({ mac, node, interface: name }) => `${mac} (seen by ${node} on ${name})`);
  return `${address}: in use by ${who.join(', ')}`;
}

function one(address: string, answers: Answers): Found {
  const by = answers.flatMap(({ node, taken = [] }) =>
    taken.filter((t) => t.address === address).map((t) => ({ ...t, node })),
  );
  if (by.length > 0) return { address, result: 'Taken', by };
  const nodes = answers.filter(({ addresses }) => addresses.includes(address)).map(({ node }) => node);
  return nodes.length > 0 ? { address, result: 'Free', nodes } : { address, result: 'Unknown' };
}
