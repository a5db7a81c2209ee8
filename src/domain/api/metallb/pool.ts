import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { bool, int, list, object, str, type TypeOf } from '../schema.ts';
import { anyOfSelectors, GROUP, names } from './common.ts';

const allocation = object(
  {
    priority: int('Lower numbers are tried first; 0 or absent comes last.'),
    namespaces: names('Names of the namespaces whose Services may use the pool.'),
    namespaceSelectors: anyOfSelectors(
      'Selects further namespaces by label; any one selector is enough. Adds to namespaces.',
    ),
    serviceSelectors: anyOfSelectors(
      'Selects Services by label; any one selector is enough. Applies on top of the namespaces.',
    ),
  },
  'Limits the pool to some namespaces or Services, and ranks it among the pools that are limited likewise.',
);

const spec = object(
  {
    addresses: list(
      str(),
      'Ranges that Services get addresses from, IPv4 or IPv6: a CIDR, or "first-last" with both ends included. ' +
        'Ranges of all pools must be disjoint.',
    ),
    autoAssign: bool('Whether a Service that names neither pool nor address may get one from here.', {
      default: true,
    }),
    avoidBuggyIPs: bool(
      'Never hand out IPv4 addresses that end in .0 or .255, which some old devices drop.',
      {
        default: false,
      },
    ),
    serviceAllocation: allocation,
  },
  'What the pool consists of and who may use it.',
  { required: ['addresses'] },
);

const status = object(
  {
    assignedIPv4: int('IPv4 addresses in use; one that Services share counts once.', { format: 'int64' }),
    assignedIPv6: int('IPv6 addresses in use; one that Services share counts once.', { format: 'int64' }),
    availableIPv4: int('IPv4 addresses still free.', { format: 'int64' }),
    availableIPv6: int('IPv6 addresses still free.', { format: 'int64' }),
  },
  'Use of the pool, kept by the controller.',
  { required: ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'] },
);

export const poolCrd: Crd = {
  group: GROUP,
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  singular: 'ipaddresspool',
  versions: [
    {
      name: 'v1beta1',
      about: 'A pool of addresses for Services of type LoadBalancer.',
      storage: true,
      columns: [
        { name: 'Auto Assign', type: 'boolean', path: '.spec.autoAssign' },
        { name: 'Avoid Buggy IPs', type: 'boolean', path: '.spec.avoidBuggyIPs' },
        { name: 'Addresses', type: 'string', path: '.spec.addresses' },
      ],
      spec,
      status,
      required: ['spec'],
    },
  ],
};

export type IPAddressPoolSpec = TypeOf<typeof spec>;
/** Counters of an IPv6 pool may reach 2^63-1, beyond what a number holds exactly. */
export type IPAddressPoolStatus = TypeOf<typeof status>;
export type IPAddressPool = Custom<IPAddressPoolSpec, IPAddressPoolStatus>;
export const IPAddressPools: Kind<IPAddressPool> = customKind({
  crd: poolCrd,
  version: 'v1beta1',
  spec,
  status,
});
export { spec as poolSpec };
