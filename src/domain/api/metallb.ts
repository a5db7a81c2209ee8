/** The kinds of metallb.io, equal to upstream 0.16.1 in everything but the words of descriptions. */

export {
  type BGPAdvertisement,
  type BGPAdvertisementSpec,
  BGPAdvertisements,
  type L2Advertisement,
  type L2AdvertisementSpec,
  L2Advertisements,
} from './metallb/advertisements.ts';
export { type BFDProfile, type BFDProfileSpec, BFDProfiles } from './metallb/bfd.ts';
export { Communities, type Community, type CommunitySpec } from './metallb/community.ts';
export { type BGPPeer, type BGPPeerSpec, BGPPeers } from './metallb/peer.ts';
export {
  type IPAddressPool,
  type IPAddressPoolSpec,
  type IPAddressPoolStatus,
  IPAddressPools,
} from './metallb/pool.ts';
export {
  type ConfigurationState,
  type ConfigurationStateStatus,
  ConfigurationStates,
  type ServiceBGPStatus,
  ServiceBGPStatuses,
  type ServiceBGPStatusStatus,
  type ServiceL2Status,
  ServiceL2Statuses,
  type ServiceL2StatusStatus,
} from './metallb/status.ts';
