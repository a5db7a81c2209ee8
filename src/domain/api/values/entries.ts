import { STRATEGIES } from '../annotations.ts';
import { addressQuotaSpec } from '../herald/address-quota.ts';
import { reservationSpec } from '../herald/reservation.ts';
import { bgpAdvertisementSpec, l2AdvertisementSpec } from '../metallb/advertisements.ts';
import { bfdProfileSpec } from '../metallb/bfd.ts';
import { names } from '../metallb/common.ts';
import { communitySpec } from '../metallb/community.ts';
import { peerSpec } from '../metallb/peer.ts';
import { poolSpec } from '../metallb/pool.ts';
import {
  fieldsOf,
  fromKeywords,
  map,
  object,
  oneOfStrings,
  type Schema,
  str,
  type TypeOf,
} from '../schema.ts';
import { forValues } from './strict.ts';

/** What may happen to addresses in use when a change takes them away. */
export const CHANGE_POLICIES = ['hold', 'drain', 'move', 'force'] as const;
export type ChangePolicy = (typeof CHANGE_POLICIES)[number];
const policy = (about: string) => oneOfStrings(CHANGE_POLICIES, about);

const RESERVED = object({
  labels: map(str(), 'Labels for the object.'),
  annotations: map(str(), 'Annotations for the object.'),
  onChange: policy('What to do with addresses in use when a change to this entry takes them away.'),
});
type Reserved = TypeOf<typeof RESERVED>;

/** DNS-1123 subdomain, the form of the names of custom resources. */
const OBJECT_NAME = {
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
  maxLength: 253,
};

/** A map from object names to entries; null deletes what a base file said. */
function named<S extends Schema>(entry: S, about: string): Schema<Readonly<Record<string, TypeOf<S>>>> {
  const strict = forValues(map(entry, about), { closed: true });
  return fromKeywords<Readonly<Record<string, TypeOf<S>>>>({ ...strict, propertyNames: OBJECT_NAME });
}

/** Upstream's spec fields and the reserved keys side by side. */
function rendered<T>(spec: Schema<T>): Schema<T & Reserved> {
  const properties = { ...fieldsOf(spec), ...fieldsOf(RESERVED) };
  return fromKeywords<T & Reserved>({ ...spec, properties });
}

const POOLED = object({
  strategy: oneOfStrings(
    STRATEGIES,
    'How the pool chooses among its free addresses: the lowest (first-free, when absent), the least recently used, or one by the name of the Service.',
  ),
});

/** What only pools have. */
function pooled<T>(entry: Schema<T>): Schema<T & TypeOf<typeof POOLED>> {
  return fromKeywords<T & TypeOf<typeof POOLED>>({
    ...entry,
    properties: { ...fieldsOf(entry), ...fieldsOf(POOLED) },
  });
}

/** The keys that make objects, and what their entries look like. */
export const ENTRY_MAPS = {
  pools: named(pooled(rendered(poolSpec)), 'Pools: name to the fields of IPAddressPool.spec.'),
  l2Advertisements: named(
    rendered(l2AdvertisementSpec),
    'Announcements on the local network: name to the fields of L2Advertisement.spec.',
  ),
  bgpAdvertisements: named(
    rendered(bgpAdvertisementSpec),
    'Announcements by BGP: name to the fields of BGPAdvertisement.spec.',
  ),
  bgpPeers: named(rendered(peerSpec), 'BGP sessions: name to the fields of BGPPeer.spec (v1beta2).'),
  bfdProfiles: named(rendered(bfdProfileSpec), 'BFD settings: name to the fields of BFDProfile.spec.'),
  communities: named(rendered(communitySpec), 'BGP community names: name to the fields of Community.spec.'),
  reservations: named(
    rendered(reservationSpec),
    'Addresses kept for a Service or a namespace: name to the fields of Reservation.spec.',
  ),
  quotas: named(rendered(addressQuotaSpec), 'Limits on addresses: name to the fields of AddressQuota.spec.'),
};

/** The keys that say how Herald treats its sources. */
export const BEHAVIOUR = forValues(
  object({
    change: object(
      { policy: policy('For entries without onChange; hold when absent.') },
      'Changes that would take an address away from a Service.',
    ),
    source: object(
      {
        helmRelease: object(
          { name: str('Its name.'), namespace: str('Its namespace.') },
          "The HelmRelease that delivers these values, where the labels on Herald's Deployment do not lead to it.",
          { required: ['name', 'namespace'] },
        ),
        secretNames: names('Secrets among its valuesFrom that the reconciler may read.'),
      },
      'Where these values come from.',
    ),
    sources: object(
      { namespaces: names("Namespaces beside Herald's own whose labelled ConfigMaps are sources.") },
      'Further sources.',
    ),
    admission: object(
      {
        poolsInUse: oneOfStrings(
          ['Deny', 'Warn', 'Off'],
          'What the API server does with a direct edit that removes addresses in use.',
        ),
      },
      'Protection of objects against direct edits.',
    ),
  }),
  { closed: true },
);
