import { checker } from '../../api/check.ts';
import { bool, int, list, map, object, oneOfStrings, str, type TypeOf } from '../../api/schema.ts';
import { forValues } from '../../api/values/strict.ts';

/** The configuration file of MetalLB 0.12, which knows everything that 0.7 to 0.11 know. */

const uint16 = () => int(undefined, { minimum: 0, maximum: 0xffff });
const uint32 = () => int(undefined, { minimum: 0, maximum: 0xffff_ffff });
const named = () => str(undefined, { minLength: 1 });

const nodeSelector = object({
  'match-labels': map(str()),
  'match-expressions': list(object({ key: str(), operator: str(), values: list(str()) })),
});

const peer = object(
  {
    'my-asn': uint32(),
    'peer-asn': uint32(),
    'peer-address': str(),
    'source-address': str(),
    'peer-port': uint16(),
    'hold-time': str(),
    'keepalive-time': str(),
    'router-id': str(),
    'node-selectors': list(nodeSelector),
    password: str(),
    'bfd-profile': str(),
    'ebgp-multihop': bool(),
  },
  undefined,
  { required: ['my-asn', 'peer-asn', 'peer-address'] },
);

const advertisement = object({
  'aggregation-length': int(),
  'aggregation-length-v6': int(),
  localpref: uint32(),
  communities: list(str()),
});

const pool = object(
  {
    name: named(),
    protocol: oneOfStrings(['layer2', 'bgp']),
    addresses: list(str()),
    'avoid-buggy-ips': bool(),
    'auto-assign': bool(),
    'bgp-advertisements': list(advertisement),
  },
  undefined,
  { required: ['name', 'protocol', 'addresses'] },
);

const profile = object(
  {
    name: named(),
    'receive-interval': uint32(),
    'transmit-interval': uint32(),
    'detect-multiplier': uint32(),
    'echo-interval': uint32(),
    'echo-mode': bool(),
    'passive-mode': bool(),
    'minimum-ttl': uint32(),
  },
  undefined,
  { required: ['name'] },
);

const communities = map(str());

const file = object({
  peers: list(peer),
  'bgp-communities': communities,
  'address-pools': list(pool),
  'bfd-profiles': list(profile),
});

export type LegacyPeer = TypeOf<typeof peer>;
export type LegacyPool = TypeOf<typeof pool>;
export type LegacyAdvertisement = TypeOf<typeof advertisement>;
export type LegacyProfile = TypeOf<typeof profile>;
export type LegacyCommunities = TypeOf<typeof communities>;

/** Unknown keys are misfits, as in 0.12. */
export const LEGACY_FILE = forValues(file, { closed: true });
export const checkFile = checker(LEGACY_FILE);
/** For one entry each; unknown keys are passed over. */
export const isPeer = checker(peer).fits;
export const isPool = checker(pool).fits;
export const isProfile = checker(profile).fits;
export const isCommunities = checker(communities).fits;
