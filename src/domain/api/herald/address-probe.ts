import { conditionList } from '../condition-schema.ts';
import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { cel, int, list, object, oneOfStrings, str, type TypeOf } from '../schema.ts';
import { GROUP, NAME, NOT_YET, observedGeneration } from './common.ts';

const ATOMIC = { listType: 'atomic' } as const;
/** Addresses of one probe. */
export const MAX_PROBED = 16;
const ADDRESS = { minLength: 2, maxLength: 45 } as const;

export const PROBE_RESULTS = ['Free', 'Taken', 'Unknown'] as const;
export type ProbeResult = (typeof PROBE_RESULTS)[number];

const spec = object(
  {
    addresses: list(str('An address.', ADDRESS), 'What is asked for on the links of the nodes.', {
      ...ATOMIC,
      minItems: 1,
      maxItems: MAX_PROBED,
      rules: [cel('self.all(a, isIP(a))', 'each must be a single IP address')],
    }),
    waitSeconds: int('How long to wait for a speaker that can ask; then what nobody asked for is Unknown.', {
      format: 'int32',
      minimum: 1,
      maximum: 60,
      default: 2,
    }),
  },
  'The question. It does not change: another question is another object.',
  {
    required: ['addresses'],
    rules: [cel('self == oldSelf', 'a probe does not change; make another one')],
  },
);

const mac = str('Hardware address.', { maxLength: 17 });
const on = str('Network interface of the node that heard it.', { maxLength: 64 });
const address = str('Address.', { maxLength: 45 });

const answer = object(
  {
    node: str('Node whose speaker asked.', NAME),
    addresses: list(address, 'What it could ask for: addresses in a subnet of an interface of its own.', {
      ...ATOMIC,
      maxItems: MAX_PROBED,
    }),
    taken: list(
      object({ address, mac, interface: on }, 'A host that has the address.', {
        required: ['address', 'mac', 'interface'],
      }),
      'Who answered.',
      { ...ATOMIC, maxItems: 64 },
    ),
    time: str('When it had asked.', { format: 'date-time', maxLength: 32 }),
  },
  'What one speaker found.',
  { required: ['node', 'addresses', 'time'] },
);

const status = object(
  {
    observedGeneration,
    result: oneOfStrings(
      PROBE_RESULTS,
      'Taken: at least one address is in use. Unknown: nobody could ask for at least one. Free: neither.',
    ),
    macs: list(mac, 'Who has them.', { ...ATOMIC, maxItems: 64 }),
    answers: list(answer, 'What speakers found, two of them where so many can ask.', {
      listType: 'map',
      mapKeys: ['node'],
      maxItems: 256,
    }),
    conditions: conditionList('Complete: there is a result; its message says who has what.', {
      maxItems: 16,
    }),
  },
  'What came of it.',
  { default: NOT_YET },
);

const condition = (field: string) => `.status.conditions[?(@.type=="Complete")].${field}`;

export const addressProbeCrd: Crd = {
  group: GROUP,
  kind: 'AddressProbe',
  plural: 'addressprobes',
  singular: 'addressprobe',
  shortNames: ['aprobe'],
  versions: [
    {
      name: 'v1alpha1',
      about:
        "Asks the speakers, by ARP or neighbour discovery, whether addresses are in use on the local network. Counts in Herald's own namespace only.",
      storage: true,
      columns: [
        { name: 'Addresses', type: 'string', path: '.spec.addresses' },
        { name: 'Result', type: 'string', path: '.status.result' },
        { name: 'MAC', type: 'string', path: '.status.macs' },
        { name: 'Age', type: 'date', path: '.metadata.creationTimestamp' },
        { name: 'Nodes', type: 'string', path: '.status.answers[*].node', priority: 10 },
        { name: 'Message', type: 'string', path: condition('message'), priority: 10 },
      ],
      spec,
      status,
      required: ['spec'],
    },
  ],
};

export type AddressProbeSpec = TypeOf<typeof spec>;
export type AddressProbeStatus = TypeOf<typeof status>;
export type ProbeAnswer = TypeOf<typeof answer>;
export type AddressProbe = Custom<AddressProbeSpec, AddressProbeStatus>;
export const AddressProbes: Kind<AddressProbe> = customKind({
  crd: addressProbeCrd,
  version: 'v1alpha1',
  spec,
  status,
});
