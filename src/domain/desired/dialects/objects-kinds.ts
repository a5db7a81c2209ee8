import type { Crd } from '../../api/crd.ts';
import { bgpAdvertisementCrd, l2AdvertisementCrd } from '../../api/metallb/advertisements.ts';
import { bfdProfileCrd } from '../../api/metallb/bfd.ts';
import { communityCrd } from '../../api/metallb/community.ts';
import { peerCrd } from '../../api/metallb/peer.ts';
import { poolCrd } from '../../api/metallb/pool.ts';
import { configurationStateCrd, serviceBGPStatusCrd, serviceL2StatusCrd } from '../../api/metallb/status.ts';
import { addressPoolCrd, metallbCrd } from '../../api/operator.ts';
import { nearest } from '../../api/values/mend.ts';
import type { Section } from '../draft.ts';

/** Kinds that are rendered as they stand. */
export const SECTION_OF: ReadonlyMap<string, Section> = new Map([
  ['IPAddressPool', 'pools'],
  ['L2Advertisement', 'l2Advertisements'],
  ['BGPAdvertisement', 'bgpAdvertisements'],
  ['BGPPeer', 'bgpPeers'],
  ['BFDProfile', 'bfdProfiles'],
  ['Community', 'communities'],
]);

/** Kinds in which MetalLB says how it is; nobody writes them by hand. */
export const STATUS_KINDS: ReadonlySet<string> = new Set(
  [serviceL2StatusCrd, serviceBGPStatusCrd, configurationStateCrd].map(({ kind }) => kind),
);

const CRDS: readonly Crd[] = [
  poolCrd,
  l2AdvertisementCrd,
  bgpAdvertisementCrd,
  peerCrd,
  bfdProfileCrd,
  communityCrd,
  addressPoolCrd,
  metallbCrd,
];

/** The kind of metallb.io that this may be a misspelling of. */
export function nearestKind(kind: string): string | undefined {
  return nearest(
    kind,
    CRDS.map((crd) => crd.kind),
  );
}

/** Versions in which a kind is or was served, the present one first; none for a kind that there is not. */
export function versionsOf(kind: string): readonly string[] {
  const versions = CRDS.find((crd) => crd.kind === kind)?.versions ?? [];
  const served = versions.toSorted((a, b) => Number(b.storage) - Number(a.storage)).map(({ name }) => name);
  // The operator's own CR was v1alpha1 before its first release.
  return kind === metallbCrd.kind ? [...served, 'v1alpha1'] : served;
}
