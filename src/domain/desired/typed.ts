import { DecodeError } from '../api/errors.ts';
import { type AddressQuota, AddressQuotas, type Reservation, Reservations } from '../api/herald.ts';
import {
  type BFDProfile,
  BFDProfiles,
  type BGPAdvertisement,
  BGPAdvertisements,
  type BGPPeer,
  BGPPeers,
  Communities,
  type Community,
  type IPAddressPool,
  IPAddressPools,
  type L2Advertisement,
  L2Advertisements,
} from '../api/metallb.ts';
import type { Kind, KubeObject } from '../api/object.ts';
import { openContent, type View } from './object.ts';

/** A set of objects by kind, in the form that domain/config reads. */
export interface TypedSet {
  readonly pools: readonly IPAddressPool[];
  readonly l2Advertisements: readonly L2Advertisement[];
  readonly bgpAdvertisements: readonly BGPAdvertisement[];
  readonly bgpPeers: readonly BGPPeer[];
  readonly bfdProfiles: readonly BFDProfile[];
  readonly communities: readonly Community[];
  /** As their sources have them, without what their statuses remember. */
  readonly reservations: readonly Reservation[];
  readonly quotas: readonly AddressQuota[];
}

/** Views as typed objects. What its kind's schema does not take is left out: no component could read it. */
export function typedSet(views: readonly View[]): TypedSet {
  return {
    pools: ofKind(views, IPAddressPools),
    l2Advertisements: ofKind(views, L2Advertisements),
    bgpAdvertisements: ofKind(views, BGPAdvertisements),
    bgpPeers: ofKind(views, BGPPeers),
    bfdProfiles: ofKind(views, BFDProfiles),
    communities: ofKind(views, Communities),
    reservations: ofKind(views, Reservations),
    quotas: ofKind(views, AddressQuotas),
  };
}

function ofKind<T extends KubeObject>(views: readonly View[], kind: Kind<T>): T[] {
  return views.flatMap((view) => typedAs(view, kind) ?? []);
}

/** A view as an object of a kind; undefined when it is of another kind, or its kind's schema does not take it. */
export function typedAs<T extends KubeObject>(view: View, kind: Kind<T>): T | undefined {
  if (view.kind.kind !== kind.kind) return undefined;
  const { name, labels, annotations, content } = view;
  try {
    return kind.decode({ metadata: { name, labels, annotations }, ...openContent(content) });
  } catch (e) {
    if (e instanceof DecodeError) return undefined;
    throw e;
  }
}
