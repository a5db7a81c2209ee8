import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { bool, cel, duration, int, list, map, object, oneOfStrings, str, type TypeOf } from '../schema.ts';
import { anyOfSelectors, type Empty, empty, GROUP } from './common.ts';

const MAX_ASN = 4_294_967_295;
const asn = (about: string, minimum = 0) => int(about, { format: 'int64', minimum, maximum: MAX_ASN });

const MY_ASN = asn('Own AS number in the session.');
const PEER_ASN = asn('AS number that the router must have. Either this or dynamicASN.');
const EBGP_MULTI_HOP = bool('The router may be more than one hop away; for sessions to another AS only.');
const PASSWORD = str('TCP MD5 password in clear text; passwordSecret keeps it out of sight.');
const SOURCE_ADDRESS = str('Local address that the session is opened from.');
const BFD_PROFILE = str('Name of the BFDProfile for the session; absent: no BFD.');
const ROUTER_ID = str('BGP router identifier, in the form of an IPv4 address.');
const HOLD_TIME = duration('The session is lost when nothing is heard for this long: 0, or at least "3s".');
const KEEPALIVE_TIME = duration('Time between keepalive messages; a third of holdTime is usual.');

const FIELDS = {
  myASN: MY_ASN,
  peerASN: PEER_ASN,
  dynamicASN: oneOfStrings(
    ['internal', 'external'],
    "Take the router's AS number as it comes: internal demands our own, external any other.",
  ),
  localASN: asn('AS number shown to this router instead of myASN.', 1),
  peerAddress: str('Address of the router. Either this or interface.'),
  interface: str(
    'Network interface that the router sits on, for sessions without addresses (unnumbered BGP).',
  ),
  sourceAddress: SOURCE_ADDRESS,
  peerPort: int('TCP port of the router.', { minimum: 1, maximum: 16384, default: 179 }),
  holdTime: HOLD_TIME,
  keepaliveTime: KEEPALIVE_TIME,
  connectTime: duration('Time between attempts to open the session, in whole seconds.', {
    rules: [
      cel(
        'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
        'connect time should be between 1 seconds to 65535',
      ),
      cel(
        'duration(self).getMilliseconds() % 1000 == 0',
        'connect time should contain a whole number of seconds',
      ),
    ],
  }),
  routerID: ROUTER_ID,
  nodeSelectors: anyOfSelectors(
    'Nodes that open this session; any one selector is enough. Absent or empty: every node.',
  ),
  password: PASSWORD,
  passwordSecret: object(
    {
      name: str('Name of the Secret.'),
      namespace: str("Namespace of the Secret; only Herald's own works."),
    },
    'Secret of type kubernetes.io/basic-auth whose key "password" is the TCP MD5 password.',
    { mapType: 'atomic' },
  ),
  bfdProfile: BFD_PROFILE,
  enableGracefulRestart: bool('Ask the router to keep the routes while we restart. Fixed once set.', {
    rules: [cel('self == oldSelf', 'EnableGracefulRestart cannot be changed after creation')],
  }),
  ebgpMultiHop: EBGP_MULTI_HOP,
  vrf: str('VRF that the session belongs to; absent: the default one.'),
  disableMP: bool('Without effect since each session carries one address family. Deprecated.', {
    default: false,
  }),
  dualStackAddressFamily: bool('Exchange IPv4 and IPv6 routes over this one session.', { default: false }),
};
const ABOUT_SPEC = 'The router, and how to speak to it.';
const spec = object(FIELDS, ABOUT_SPEC, { required: ['myASN'] });

/** What the API server may serve: port 0 is legal in v1beta1, and nothing is checked again under another version. */
const served = object({ ...FIELDS, peerPort: int(undefined, { minimum: 0, maximum: 16384 }) }, undefined, {
  required: ['myASN'],
});

/** The selectors of v1beta1 are its own type upstream: values are required, and no list is atomic. */
const legacySelectors = list(
  object(
    {
      matchLabels: map(str(), 'Labels that must be present with exactly these values.'),
      matchExpressions: list(
        object(
          {
            key: str('Label key that the requirement is about.'),
            operator: str('In, NotIn, Exists or DoesNotExist.'),
            values: list(str(), 'Values to compare with.', { minItems: 1 }),
          },
          'One requirement on a label.',
          { required: ['key', 'operator', 'values'] },
        ),
        'Requirements that must all hold.',
      ),
    },
    'Selects nodes by their labels.',
  ),
  'Nodes that open this session; any one selector is enough. Absent or empty: every node.',
);

const legacySpec = object(
  {
    myASN: MY_ASN,
    peerASN: asn('AS number that the router must have.'),
    peerAddress: str('Address of the router.'),
    sourceAddress: SOURCE_ADDRESS,
    peerPort: int('TCP port of the router; 0 or absent: 179.', { minimum: 0, maximum: 16384 }),
    holdTime: HOLD_TIME,
    keepaliveTime: KEEPALIVE_TIME,
    routerID: ROUTER_ID,
    nodeSelectors: legacySelectors,
    password: str('TCP MD5 password in clear text.'),
    bfdProfile: BFD_PROFILE,
    ebgpMultiHop: EBGP_MULTI_HOP,
  },
  ABOUT_SPEC,
  { required: ['myASN', 'peerASN', 'peerAddress'] },
);

const status = empty('Reserved.');
const about = 'A BGP session that the speakers keep with a router.';
const columns = [
  { name: 'Address', type: 'string', path: '.spec.peerAddress' },
  { name: 'ASN', type: 'string', path: '.spec.peerASN' },
  { name: 'BFD Profile', type: 'string', path: '.spec.bfdProfile' },
  { name: 'Multi Hops', type: 'string', path: '.spec.ebgpMultiHop' },
] as const;

/**
 * Both versions are served without a conversion webhook (None): the API server changes apiVersion only and prunes to
 * the version's fields. v1beta2 names a superset of v1beta1's fields with the same meaning.
 */
export const peerCrd: Crd = {
  group: GROUP,
  kind: 'BGPPeer',
  plural: 'bgppeers',
  singular: 'bgppeer',
  versions: [
    {
      name: 'v1beta1',
      about,
      storage: false,
      deprecated: 'v1beta1 is deprecated, please use v1beta2',
      columns,
      spec: legacySpec,
      status,
    },
    { name: 'v1beta2', about, storage: true, columns, spec, status },
  ],
};

export type BGPPeerSpec = TypeOf<typeof spec>;
export type BGPPeer = Custom<BGPPeerSpec, Empty>;
/** v1beta2. A peerPort of 0 means the default, 179. */
export const BGPPeers: Kind<BGPPeer> = customKind({ crd: peerCrd, version: 'v1beta2', spec: served, status });
export { spec as peerSpec };
