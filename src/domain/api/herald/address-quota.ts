import { conditionList } from '../condition-schema.ts';
import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { bool, int, list, object, str, type TypeOf } from '../schema.ts';
import { anyOfSelectors, GROUP, NOT_YET, names, observedGeneration } from './common.ts';

const COUNT = { format: 'int32', minimum: 0 } as const;

const spec = object(
  {
    addresses: int('Most addresses in use at a time; one that Services share counts once.', COUNT),
    namespaces: names(
      'Namespaces that it is for. Without these and namespaceSelectors it is for all namespaces.',
    ),
    namespaceSelectors: anyOfSelectors('Selects further namespaces by their labels.'),
    perNamespace: bool('True: each of these namespaces may have so many; otherwise all of them together.'),
    pools: names('Pools whose addresses count; absent: every pool.'),
  },
  'A limit on the addresses that Services get. What they have already stays with them.',
  { required: ['addresses'] },
);

const status = object(
  {
    observedGeneration,
    conditions: conditionList('Ready: whether the quota is in force.', { maxItems: 16 }),
    used: int('Addresses in use; with perNamespace those of the namespace that has most.', COUNT),
    namespaces: list(
      object(
        { name: str('Its name.', { maxLength: 63 }), used: int('Addresses that it uses.', COUNT) },
        'A namespace.',
        { required: ['name', 'used'] },
      ),
      'With perNamespace the first of the namespaces that use any, those that use most before the others.',
      { listType: 'atomic', maxItems: 16 },
    ),
  },
  'How far it is used.',
  { default: NOT_YET },
);

const condition = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

export const addressQuotaCrd: Crd = {
  group: GROUP,
  kind: 'AddressQuota',
  plural: 'addressquotas',
  singular: 'addressquota',
  versions: [
    {
      name: 'v1alpha1',
      about: "Limits how many addresses Services have. Counts in Herald's own namespace only.",
      storage: true,
      columns: [
        { name: 'Limit', type: 'integer', path: '.spec.addresses' },
        { name: 'Used', type: 'integer', path: '.status.used' },
        { name: 'Namespaces', type: 'string', path: '.spec.namespaces' },
        { name: 'Pools', type: 'string', path: '.spec.pools' },
        { name: 'Ready', type: 'string', path: condition('status') },
        { name: 'Reason', type: 'string', path: condition('reason') },
        { name: 'Age', type: 'date', path: '.metadata.creationTimestamp' },
        { name: 'Status', type: 'string', path: condition('message'), priority: 10 },
      ],
      spec,
      status,
      required: ['spec'],
    },
  ],
};

export type AddressQuotaSpec = TypeOf<typeof spec>;
export type AddressQuotaStatus = TypeOf<typeof status>;
export type AddressQuota = Custom<AddressQuotaSpec, AddressQuotaStatus>;
export const AddressQuotas: Kind<AddressQuota> = customKind({
  crd: addressQuotaCrd,
  version: 'v1alpha1',
  spec,
  status,
});
export { spec as addressQuotaSpec };
