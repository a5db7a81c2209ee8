import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { cel, int, object, type TypeOf } from '../schema.ts';
import { anyOfSelectors, EMPTY_SPEC, type Empty, empty, GROUP, names } from './common.ts';

/** Which pools, Services and nodes an advertisement is about; the same in both kinds. */
const SCOPE = {
  ipAddressPools: names('Names of the pools to announce. Without names and selectors: all pools.'),
  ipAddressPoolSelectors: anyOfSelectors('Selects further pools by label; any one selector is enough.'),
  nodeSelectors: anyOfSelectors(
    'Nodes that may announce; any one selector is enough. Absent or empty: every node.',
  ),
  serviceSelectors: anyOfSelectors(
    'Services to announce; any one selector is enough. Absent or empty: every Service of the pools.',
  ),
};

const POOL_COLUMNS = [
  { name: 'IPAddressPools', type: 'string', path: '.spec.ipAddressPools' },
  { name: 'IPAddressPool Selectors', type: 'string', path: '.spec.ipAddressPoolSelectors' },
] as const;
const NODE_COLUMN = {
  name: 'Node Selectors',
  type: 'string',
  path: '.spec.nodeSelectors',
  priority: 10,
} as const;

// ---- L2Advertisement --------------------------------------------------------------------

const l2Spec = object(
  {
    ...SCOPE,
    interfaces: names('Network interfaces to announce on, by exact name. Absent or empty: every usable one.'),
  },
  'What is announced on the local network, and from where.',
);
const l2Status = empty('Reserved.');

export const l2AdvertisementCrd: Crd = {
  group: GROUP,
  kind: 'L2Advertisement',
  plural: 'l2advertisements',
  singular: 'l2advertisement',
  versions: [
    {
      name: 'v1beta1',
      about:
        'Announces the addresses of pools on the local network, by ARP (IPv4) and neighbour discovery (IPv6).',
      storage: true,
      columns: [
        ...POOL_COLUMNS,
        { name: 'Interfaces', type: 'string', path: '.spec.interfaces' },
        NODE_COLUMN,
      ],
      spec: l2Spec,
      status: l2Status,
    },
  ],
};

export type L2AdvertisementSpec = TypeOf<typeof l2Spec>;
export type L2Advertisement = Custom<L2AdvertisementSpec, Empty>;
export const L2Advertisements: Kind<L2Advertisement> = customKind({
  crd: l2AdvertisementCrd,
  version: 'v1beta1',
  spec: l2Spec,
  status: l2Status,
  emptySpec: EMPTY_SPEC,
});

// ---- BGPAdvertisement -------------------------------------------------------------------

const bgpSpec = object(
  {
    ...SCOPE,
    aggregationLength: int('Announce IPv4 addresses as the prefix of this length around them.', {
      format: 'int32',
      minimum: 1,
      default: 32,
    }),
    aggregationLengthV6: int('Announce IPv6 addresses as the prefix of this length around them.', {
      format: 'int32',
      default: 128,
    }),
    communities: names(
      'BGP communities on the announcement: "65000:100", "large:65000:1:2", or the name of an alias in a Community.',
    ),
    localPref: int('LOCAL_PREF on sessions inside the own AS; routers prefer the highest.', {
      format: 'int32',
    }),
    peers: names('Names of the BGPPeers to announce to. Absent or empty: all of them.'),
  },
  'What is announced by BGP, to whom and how.',
  {
    rules: [
      cel(
        '!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ((!has(self.aggregationLength) || ' +
          'self.aggregationLength == 32) && (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
        'serviceSelectors and aggregationLength are mutually exclusive, can only be used together with default ' +
          'aggregationLength (32) and aggregationLengthV6 (128)',
      ),
    ],
  },
);
const bgpStatus = empty('Reserved.');

export const bgpAdvertisementCrd: Crd = {
  group: GROUP,
  kind: 'BGPAdvertisement',
  plural: 'bgpadvertisements',
  singular: 'bgpadvertisement',
  versions: [
    {
      name: 'v1beta1',
      about: 'Announces the addresses of pools to BGP peers.',
      storage: true,
      columns: [...POOL_COLUMNS, { name: 'Peers', type: 'string', path: '.spec.peers' }, NODE_COLUMN],
      spec: bgpSpec,
      status: bgpStatus,
    },
  ],
};

export type BGPAdvertisementSpec = TypeOf<typeof bgpSpec>;
export type BGPAdvertisement = Custom<BGPAdvertisementSpec, Empty>;
export const BGPAdvertisements: Kind<BGPAdvertisement> = customKind({
  crd: bgpAdvertisementCrd,
  version: 'v1beta1',
  spec: bgpSpec,
  status: bgpStatus,
  emptySpec: EMPTY_SPEC,
});
export { bgpSpec as bgpAdvertisementSpec, l2Spec as l2AdvertisementSpec };
