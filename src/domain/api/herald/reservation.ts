import { conditionList } from '../condition-schema.ts';
import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { cel, list, object, str, type TypeOf } from '../schema.ts';
import { GROUP, NOT_YET, observedGeneration } from './common.ts';

const ATOMIC = { listType: 'atomic' } as const;

const spec = object(
  {
    addresses: list(
      str('An address, a CIDR, or a range "start-end".', { minLength: 1, maxLength: 128 }),
      'What is kept. Absent: the addresses that the Service has, which it then gets back whenever it is made again.',
      { ...ATOMIC, maxItems: 64 },
    ),
    namespace: str('Namespace of the Services that the addresses are kept for.', {
      minLength: 1,
      maxLength: 63,
    }),
    service: str('The one Service that they are kept for; absent: any of the namespace.', {
      minLength: 1,
      maxLength: 63,
    }),
  },
  'Addresses of pools that nobody else is given. Who has one already keeps it.',
  {
    required: ['namespace'],
    rules: [
      cel(
        '(has(self.addresses) && self.addresses.size() > 0) || has(self.service)',
        'addresses or a service is required',
      ),
    ],
  },
);

const status = object(
  {
    observedGeneration,
    conditions: conditionList('Ready: whether the addresses are kept.', { maxItems: 16 }),
    addresses: list(str('Address or range.', { maxLength: 128 }), 'What is kept.', {
      ...ATOMIC,
      maxItems: 64,
    }),
    services: list(
      str('"namespace/name".', { maxLength: 512 }),
      'The first of the Services that have some of it and that it is kept for.',
      { ...ATOMIC, maxItems: 16 },
    ),
  },
  'What is kept at the moment, and who has it.',
  { default: NOT_YET },
);

const condition = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

export const reservationCrd: Crd = {
  group: GROUP,
  kind: 'Reservation',
  plural: 'reservations',
  singular: 'reservation',
  versions: [
    {
      name: 'v1alpha1',
      about:
        "Keeps addresses for a Service or a namespace: before the Service is there, and after it is deleted. Counts in Herald's own namespace only.",
      storage: true,
      columns: [
        { name: 'Namespace', type: 'string', path: '.spec.namespace' },
        { name: 'Service', type: 'string', path: '.spec.service' },
        { name: 'Kept', type: 'string', path: '.status.addresses' },
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

export type ReservationSpec = TypeOf<typeof spec>;
export type ReservationStatus = TypeOf<typeof status>;
export type Reservation = Custom<ReservationSpec, ReservationStatus>;
export const Reservations: Kind<Reservation> = customKind({
  crd: reservationCrd,
  version: 'v1alpha1',
  spec,
  status,
});
export { spec as reservationSpec };
