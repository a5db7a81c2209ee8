import { communityForm } from '../api/metallb/community.ts';
import { type BGPAdvertisementSpec, BGPAdvertisements, Communities } from '../api/metallb.ts';
import { type BgpPeer, bgpPeersOf, peerMistakes, readNodes, sureToMeet } from './bgp-peers.ts';
import { type BgpPool, bgpPoolsOf, poolsFor } from './bgp-pools.ts';
import { type BgpBackEnd, type BgpMistake, type BgpSet, needsFrr } from './bgp-set.ts';
import type { View } from './object.ts';
import { typedAs } from './typed.ts';

/**
 * What upstream's parser and its back ends refuse about communities, peers and BGP advertisements beyond what each field says by
 * itself. What only FRR can do is a warning under the native back end. Names that nothing answers to are no mistake here.
 */
export function bgpMistakes<T extends View>(set: BgpSet<T>): readonly BgpMistake<T>[] {
  const peers = bgpPeersOf(set.objects);
  return [...communityMistakes(set), ...peerMistakes(set, peers), ...advertisementMistakes(set, peers)];
}

/** Aliases are one namespace over all Community objects, and the same value twice is no excuse. */
function communityMistakes<T extends View>({ objects, backEnd, place }: BgpSet<T>): BgpMistake<T>[] {
  const found: BgpMistake<T>[] = [];
  const first = new Map<string, string>();
  for (const of of objects) {
    for (const [i, { name = '', value = '' }] of (
      typedAs(of, Communities)?.spec.communities ?? []
    ).entries()) {
      const field = `spec.communities[${i}]`;
      const other = first.get(name);
      if (other === undefined) first.set(name, place(of, field));
      else
        found.push({
          code: 'CommunityDuplicate',
          of,
          field: `${field}.name`,
          message: `the alias is also defined at ${other}`,
        });
      found.push(...communityTextMistakes(of, { field: `${field}.value`, text: value, backEnd }));
    }
  }
  return found;
}

interface CommunityText {
  readonly field: string;
  readonly text: string;
  readonly backEnd: BgpBackEnd;
}

function communityTextMistakes<T extends View>(
  of: T,
  { field, text, backEnd }: CommunityText,
): BgpMistake<T>[] {
  const form = communityForm(text);
  if (form === undefined)
    return [
      {
        code: 'CommunityInvalid',
        of,
        field,
        message: 'is neither "a:b" of two numbers up to 65535 nor "large:a:b:c"',
      },
    ];
  return form === 'large' && backEnd === 'native' ? [needsFrr(of, field, 'a large community')] : [];
}

interface Ad<T extends View> {
  readonly of: T;
  readonly spec: BGPAdvertisementSpec;
  readonly pools: readonly BgpPool<T>[];
}

function advertisementMistakes<T extends View>(
  set: BgpSet<T>,
  peers: readonly BgpPeer<T>[],
): BgpMistake<T>[] {
  const specs = set.objects.flatMap((of) => {
    const spec = typedAs(of, BGPAdvertisements)?.spec;
    return spec ? [{ of, spec }] : [];
  });
  if (specs.length === 0) return [];
  const pools = bgpPoolsOf(set.objects);
  const ads = specs.map(({ of, spec }): Ad<T> => ({ of, spec, pools: poolsFor(spec, pools) }));
  const echoing = peers.filter((p) => p.echo);
  return [
    ...ads.flatMap((ad) => [
      ...listMistakes(ad, set),
      ...aggregationMistakes(ad, set),
      ...ipv6Mistakes(ad, set),
      ...echoMistakes(ad, echoing, set),
    ]),
    ...localPrefClashes(ads, set),
  ];
}

function listMistakes<T extends View>({ of, spec }: Ad<T>, { backEnd }: BgpSet<T>): BgpMistake<T>[] {
  const list = spec.communities ?? [];
  return list.flatMap((text, i): BgpMistake<T>[] => {
    const field = `spec.communities[${i}]`;
    if (list.indexOf(text) < i)
      return [{ code: 'NameDuplicate', of, field, message: 'stands in the list twice' }];
    // Text without a colon is an alias, which another source may define.
    return text.includes(':') ? communityTextMistakes(of, { field, text, backEnd }) : [];
  });
}

const LENGTHS = [
  ['IPv4', 'aggregationLength', 32],
  ['IPv6', 'aggregationLengthV6', 128],
] as const;

/** An announcement may not be wider than the range that its address comes from. */
function aggregationMistakes<T extends View>(
  { of, spec, pools }: Ad<T>,
  { place }: BgpSet<T>,
): BgpMistake<T>[] {
  return LENGTHS.flatMap(([family, key, whole]) =>
    pools.flatMap((pool): BgpMistake<T>[] => {
      const length = spec[key] ?? whole;
      const tightest = pool.tightest.get(family);
      if (!tightest || length >= tightest.length) return [];
      const range = place(pool.of, tightest.field);
      return [
        {
          code: 'AggregationInvalid',
          of,
          field: `spec.${key}`,
          message: `makes a prefix that is wider than the range ${range}`,
          detail: `/${length} is wider than ${tightest.text} of ${range}, which takes /${tightest.length} or longer`,
        },
      ];
    }),
  );
}

function ipv6Mistakes<T extends View>({ of, pools }: Ad<T>, { backEnd, place }: BgpSet<T>): BgpMistake<T>[] {
  if (backEnd !== 'native') return [];
  return pools.flatMap((pool) => {
    const ipv6 = pool.tightest.get('IPv6');
    return ipv6
      ? [needsFrr(of, 'spec', `announcing the IPv6 range ${place(pool.of, ipv6.field)} by BGP`)]
      : [];
  });
}

/** BFD's echo packets are IPv4 only. */
function echoMistakes<T extends View>(
  { spec, pools }: Ad<T>,
  echoing: readonly BgpPeer<T>[],
  { place }: BgpSet<T>,
): BgpMistake<T>[] {
  const ipv6 = pools.find((pool) => pool.tightest.has('IPv6'));
  const field = ipv6?.tightest.get('IPv6')?.field;
  if (!ipv6 || field === undefined) return [];
  return echoing
    .filter(({ of }) => (spec.peers ?? []).length === 0 || spec.peers?.includes(of.name))
    .map(
      ({ of }): BgpMistake<T> => ({
        code: 'EchoOverIPv6',
        of,
        field: 'spec.bfdProfile',
        message: `has echoMode, which cannot guard the IPv6 range ${place(ipv6.of, field)} that this peer is told`,
        hint: 'take a profile without echoMode, or keep IPv6 pools from this peer',
      }),
    );
}

/**
 * Two advertisements that tell one peer the same prefix from one node with different preferences. Which nodes selectors match is
 * not known here: only advertisements that certainly meet are a mistake.
 */
function localPrefClashes<T extends View>(ads: readonly Ad<T>[], { place }: BgpSet<T>): BgpMistake<T>[] {
  const groups = Map.groupBy(
    ads.map((ad) => ({ ...ad, nodes: readNodes(ad.spec.nodeSelectors) })),
    ({ spec }) => spec.localPref ?? 0,
  );
  const different = [...groups.values()];
  return different.flatMap((group, n) =>
    different.slice(n + 1).flatMap((others) =>
      others.flatMap((ad): BgpMistake<T>[] => {
        const other = group.find((o) => sureToMeet(o.nodes, ad.nodes) && tellTheSame(o, ad));
        if (!other) return [];
        return [
          {
            code: 'LocalPrefClash',
            of: ad.of,
            field: 'spec.localPref',
            message: `differs from ${place(other.of, 'spec.localPref')}, and both announce the same addresses to the same peers`,
            hint: 'give both the same localPref, other aggregation lengths, or peers of their own',
          },
        ];
      }),
    ),
  );
}

function tellTheSame<T extends View>(a: Ad<T>, b: Ad<T>): boolean {
  // With serviceSelectors it shows only when a Service is announced.
  if ((a.spec.serviceSelectors ?? []).length > 0 || (b.spec.serviceSelectors ?? []).length > 0) return false;
  const [peers = [], others = []] = [a.spec.peers, b.spec.peers];
  if (peers.length > 0 && others.length > 0 && !peers.some((p) => others.includes(p))) return false;
  const same = LENGTHS.filter(([, key, whole]) => (a.spec[key] ?? whole) === (b.spec[key] ?? whole));
  const theirs = new Set(b.pools);
  return a.pools.some((pool) => theirs.has(pool) && same.some(([family]) => pool.tightest.has(family)));
}
