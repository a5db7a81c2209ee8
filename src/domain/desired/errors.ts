/**
 * What can be wrong with a source, beyond the codes of domain/api's values and domain/config. Codes are stable and never used
 * again for something else. The texts stand in for messages where the source may hold secrets.
 */
export const codes = {
  ValuesUnreadable: 'the text of the source cannot be read',
  AmbiguousDialect: 'the values can be read in two ways',
  InvalidName: 'a name is not that of a Kubernetes object',
  PoolEmpty: 'a pool has no addresses',
  PoolRangeInvalid: 'an entry of a pool is neither a CIDR nor a range',
  PoolRangeMixed: 'a range runs from IPv4 to IPv6',
  PoolOverlap: 'two ranges share addresses',
  HostBits: 'a CIDR has bits set right of its prefix length',
  PoolNotAdvertised: 'nothing announces a pool',
  UnknownPool: 'an advertisement names a pool that does not exist',
  PeerInvalid: 'a BGP peer is not one that can be spoken to',
  UnknownBfdProfile: 'a BGP peer names a BFD profile that does not exist',
  AggregationInvalid: 'a BGP advertisement aggregates to a length that does not fit',
  CommunityInvalid: 'a BGP community is not one',
  CommunityDuplicate: 'two communities have one name',
  UnknownCommunity: 'an advertisement uses a community alias that nothing defines',
  UnknownPeer: 'a BGP advertisement names a peer that does not exist',
  NameDuplicate: 'a list names something twice',
  SelectorInvalid: 'a label selector is not one',
  SelectorDuplicate: 'a label selector is listed twice',
  LocalPrefClash: 'two BGP advertisements contradict each other',
  PeersClash: 'two BGP peers of a node contradict each other',
  EchoOverIPv6: 'BFD echo cannot guard IPv6',
  NeedsFrr: 'something needs FRR as BGP back end',
  PasswordInOpen: 'a password stands where many may read it',
  ReleaseInvalid: 'a HelmRelease is not one that Flux takes',
  ReleaseIncomplete: 'a HelmRelease names no chart',
  ReleaseUnsupported: 'a HelmRelease is of a version that is not read',
  HelmReleaseUnreadable: 'the HelmRelease may not be read',
  ObjectInTwoSources: 'two sources define one object',
  NameTaken: 'an object of this name exists that Herald did not make',
  EmptyRender: 'the source no longer defines anything',
  SourceVanished: 'the source is gone',
  NotSupported: 'something has no effect in this version',
  Refused: 'the API server does not take an object',
} as const;

export type Code = keyof typeof codes;
