/** Values of chance for the model tests: valid by themselves, small enough that they often meet. */
import fc from 'fast-check';
import { formatAddress } from '../ip/address.ts';
import { parseRange } from '../ip/range.ts';
import { namespace, node } from './change.rig.ts';

export const NODES = [node('a', { zone: 'x' }), node('b', { zone: 'y' }), node('c', { zone: 'y' })];
export const NAMESPACES = [namespace('one', { team: 'x' }), namespace('two')];

/** Blocks of eight addresses of one family, each in at most one pool. */
const BLOCKS = 6;
const blockText = (i: number) =>
  i < 4 ? `192.0.2.${i * 8}/29` : `2001:db8::${((i - 4) * 8).toString(16)}/125`;
export function addressIn(block: number, offset: number): string {
  const parsed = parseRange(blockText(block));
  if (!('range' in parsed)) throw new Error('no range');
  return formatAddress({ family: parsed.range.family, bits: parsed.range.first + BigInt(offset) });
}

export const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) =>
  fc.option(arbitrary, { nil: undefined, freq });
const some = <T>(...items: T[]) => fc.subarray(items, { minLength: 1 });
const zone = maybe(fc.constantFrom('x', 'y').map((z) => [{ matchLabels: { zone: z } }]));
const apps = maybe(
  fc.constantFrom('x', 'y').map((app) => [{ matchLabels: { app } }]),
  5,
);
export const POOLS = ['p', 'q', 'r'] as const;

const poolExtra = fc.record({
  autoAssign: maybe(fc.boolean()),
  avoidBuggyIPs: maybe(fc.boolean(), 4),
  serviceAllocation: maybe(
    fc.oneof(
      fc.record({ namespaces: some('one', 'two') }),
      fc.constant({ serviceSelectors: [{ matchLabels: { app: 'x' } }] }),
      fc.constant({ namespaceSelectors: [{ matchLabels: { team: 'x' } }] }),
    ),
    3,
  ),
  labels: maybe(fc.constantFrom({ tier: 'x' }, { tier: 'y' })),
});
const target = {
  ipAddressPools: maybe(some(...POOLS)),
  ipAddressPoolSelectors: maybe(
    fc.constantFrom('x', 'y').map((tier) => [{ matchLabels: { tier } }]),
    4,
  ),
  nodeSelectors: zone,
  serviceSelectors: apps,
};
const clean = (o: object) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));

/** Values that are valid by themselves. */
export const values = fc
  .record({
    owner: fc.array(fc.constantFrom(...POOLS, undefined), { minLength: BLOCKS, maxLength: BLOCKS }),
    whole: fc.boolean(),
    extra: fc.record({ p: poolExtra, q: poolExtra, r: poolExtra }),
    l2Advertisements: fc.dictionary(
      fc.constantFrom('l', 'm'),
      fc.record({ ...target, interfaces: maybe(some('eth0', 'eth1')) }),
      { maxKeys: 2 },
    ),
    bgpAdvertisements: fc.dictionary(
      fc.constantFrom('g', 'h'),
      fc.record({ ...target, peers: maybe(some('t', 'u')) }),
      { maxKeys: 2 },
    ),
    bgpPeers: fc.dictionary(fc.constantFrom('t', 'u'), fc.record({ nodeSelectors: zone }), { maxKeys: 2 }),
  })
  .map(({ owner, whole, extra, l2Advertisements, bgpAdvertisements, bgpPeers }) => {
    const pools = POOLS.flatMap((name) => {
      const blocks = owner.flatMap((o, i) => (o === name ? [i] : []));
      return blocks.length === 0 ? [] : [[name, { addresses: spelt(blocks, whole), ...clean(extra[name]) }]];
    });
    const all = (o: Record<string, object>, more: object = {}) =>
      Object.fromEntries(Object.entries(o).map(([name, spec]) => [name, { ...clean(spec), ...more }]));
    const ips: Record<string, string> = { t: '10.0.0.1', u: '10.0.0.2' };
    return clean({
      pools: Object.fromEntries(pools),
      l2Advertisements: all(l2Advertisements),
      bgpAdvertisements: all(bgpAdvertisements),
      bgpPeers: Object.fromEntries(
        Object.entries(bgpPeers).map(([name, spec]) => [
          name,
          { ...clean(spec), myASN: 64512, peerASN: 64513, peerAddress: ips[name] },
        ]),
      ),
    });
  });

/** Neighbouring blocks as one range, or each by itself. */
function spelt(blocks: readonly number[], whole: boolean): string[] {
  if (!whole) return blocks.map(blockText);
  const runs: number[][] = [];
  for (const i of blocks) {
    const run = runs.at(-1);
    if (run && run.at(-1) === i - 1 && i !== 4) run.push(i);
    else runs.push([i]);
  }
  return runs.map((run) => `${addressIn(run[0] ?? 0, 0)}-${addressIn(run.at(-1) ?? 0, 7)}`);
}
