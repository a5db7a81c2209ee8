import type { BGPAdvertisement, IPAddressPool, L2Advertisement } from '../api/metallb.ts';
import type { Problem } from '../api/problem.ts';
import { type LabelSelector, type Selector, selectorMatches, selectorText } from '../api/selector.ts';
import type { BGPAd, L2Ad } from './config.ts';
import { complaining } from './errors.ts';
import { complainOfDoubleNames, readSelectors } from './selectors.ts';

/** The part that both kinds of advertisement share. */
interface Target {
  readonly ipAddressPools?: readonly string[];
  readonly ipAddressPoolSelectors?: readonly LabelSelector[];
}

/** Names of the pools that an advertisement selects: those listed that exist, and those matched; all when it names none. */
function selectedPools(
  target: Target,
  selectors: readonly Selector[],
  pools: readonly IPAddressPool[],
): ReadonlySet<string> {
  const listed = new Set(target.ipAddressPools ?? []);
  const all = listed.size === 0 && (target.ipAddressPoolSelectors ?? []).length === 0;
  return new Set(
    pools
      .filter(
        ({ metadata }) =>
          all ||
          listed.has(metadata.name) ||
          selectors.some((selector) => selectorMatches(selector, metadata.labels)),
      )
      .map(({ metadata }) => metadata.name),
  );
}

/** Reads L2Advertisements; of equal ones the first counts. */
export function readL2(
  list: readonly L2Advertisement[],
  pools: readonly IPAddressPool[],
  problems: Problem[],
): readonly L2Ad[] {
  const seen = new Set<string>();
  const ads: L2Ad[] = [];
  for (const { metadata, spec } of list) {
    const complain = complaining(problems, `L2Advertisement ${metadata.name}`);
    complainOfDoubleNames(spec.ipAddressPools, 'spec.ipAddressPools', complain);
    const poolSelectors = readSelectors(spec.ipAddressPoolSelectors, 'spec.ipAddressPoolSelectors', complain);
    const ad: L2Ad = {
      name: metadata.name,
      pools: selectedPools(spec, poolSelectors, pools),
      nodeSelectors: readSelectors(spec.nodeSelectors, 'spec.nodeSelectors', complain),
      interfaces: spec.interfaces ?? [],
      serviceSelectors: readSelectors(spec.serviceSelectors, 'spec.serviceSelectors', complain),
      // spec.preferredNodeSelectors came to upstream after 0.16.1, whose schema Herald's CRDs equal.
      preferred: [],
    };
    const fingerprint = fingerprintOf(ad);
    if (seen.has(fingerprint)) continue;
    seen.add(fingerprint);
    ads.push(ad);
  }
  return ads;
}

function fingerprintOf(ad: L2Ad): string {
  const texts = (selectors: readonly Selector[]) => selectors.map(selectorText).sort();
  return JSON.stringify([
    [...ad.pools].sort(),
    texts(ad.nodeSelectors),
    [...new Set(ad.interfaces)].sort(),
    texts(ad.serviceSelectors),
  ]);
}

/** Reads what layer 3 announcing needs to know first: which pools, nodes, Services and peers an advertisement is for. */
export function readBgp(
  list: readonly BGPAdvertisement[],
  pools: readonly IPAddressPool[],
  problems: Problem[],
): readonly BGPAd[] {
  return list.map(({ metadata, spec }) => {
    const complain = complaining(problems, `BGPAdvertisement ${metadata.name}`);
    complainOfDoubleNames(spec.ipAddressPools, 'spec.ipAddressPools', complain);
    complainOfDoubleNames(spec.peers, 'spec.peers', complain);
    const poolSelectors = readSelectors(spec.ipAddressPoolSelectors, 'spec.ipAddressPoolSelectors', complain);
    return {
      name: metadata.name,
      pools: selectedPools(spec, poolSelectors, pools),
      nodeSelectors: readSelectors(spec.nodeSelectors, 'spec.nodeSelectors', complain),
      serviceSelectors: readSelectors(spec.serviceSelectors, 'spec.serviceSelectors', complain),
      peers: spec.peers ?? [],
    };
  });
}
