import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { bool, int, object, type TypeOf } from '../schema.ts';
import { EMPTY_SPEC, type Empty, empty, GROUP } from './common.ts';

const interval = (about: string) => int(about, { format: 'int32', minimum: 10, maximum: 60_000 });

const spec = object(
  {
    receiveInterval: interval('Shortest time between control packets that we can take, in milliseconds.'),
    transmitInterval: interval(
      'Shortest time between control packets that we want to send, in milliseconds.',
    ),
    detectMultiplier: int('Number of packets in a row that may be lost before the path counts as down.', {
      format: 'int32',
      minimum: 2,
      maximum: 255,
    }),
    echoInterval: interval('Shortest time between echo packets, in milliseconds.'),
    echoMode: bool('Use echo packets, which the peer sends back in hardware; IPv4 and single hop only.'),
    passiveMode: bool('Wait for the peer to start; several peers may be passive towards one active one.'),
    minimumTtl: int('Smallest TTL of an accepted packet, for sessions over several hops.', {
      format: 'int32',
      minimum: 1,
      maximum: 254,
    }),
  },
  'Timers and modes; RFC 5880.',
);
const status = empty('Reserved.');

export const bfdProfileCrd: Crd = {
  group: GROUP,
  kind: 'BFDProfile',
  plural: 'bfdprofiles',
  singular: 'bfdprofile',
  versions: [
    {
      name: 'v1beta1',
      about: 'Settings of Bidirectional Forwarding Detection that BGPPeers refer to by name.',
      storage: true,
      columns: [
        { name: 'Passive Mode', type: 'boolean', path: '.spec.passiveMode' },
        { name: 'Transmit Interval', type: 'integer', path: '.spec.transmitInterval' },
        { name: 'Receive Interval', type: 'integer', path: '.spec.receiveInterval' },
        { name: 'Multiplier', type: 'integer', path: '.spec.detectMultiplier' },
      ],
      spec,
      status,
    },
  ],
};

export type BFDProfileSpec = TypeOf<typeof spec>;
export type BFDProfile = Custom<BFDProfileSpec, Empty>;
export const BFDProfiles: Kind<BFDProfile> = customKind({
  crd: bfdProfileCrd,
  version: 'v1beta1',
  spec,
  status,
  emptySpec: EMPTY_SPEC,
});
export { spec as bfdProfileSpec };
