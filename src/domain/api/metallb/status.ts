import { conditionList } from '../condition-schema.ts';
import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { list, object, oneOfStrings, str, type TypeOf } from '../schema.ts';
import { EMPTY_SPEC, type Empty, empty, GROUP, names, SERVICE_ON_NODE } from './common.ts';

/** Kinds that controller and speakers write about themselves; nobody else edits them. */

const noSpec = empty('Unused: these objects only report.');

// ---- ServiceL2Status --------------------------------------------------------------------

const l2Status = object(
  {
    ...SERVICE_ON_NODE,
    interfaces: list(
      object({ name: str('Name of the network interface.') }, 'A network interface of the node.'),
      'Interfaces that the addresses are announced on; absent: all usable ones.',
    ),
  },
  'Who answers for the Service.',
);

export const serviceL2StatusCrd: Crd = {
  group: GROUP,
  kind: 'ServiceL2Status',
  plural: 'servicel2statuses',
  singular: 'servicel2status',
  versions: [
    {
      name: 'v1beta1',
      about: 'Shows which node announces a Service on the local network.',
      storage: true,
      columns: [
        { name: 'Allocated Node', type: 'string', path: '.status.node' },
        { name: 'Service Name', type: 'string', path: '.status.serviceName' },
        { name: 'Service Namespace', type: 'string', path: '.status.serviceNamespace' },
      ],
      spec: noSpec,
      status: l2Status,
    },
  ],
};

export type ServiceL2StatusStatus = TypeOf<typeof l2Status>;
export type ServiceL2Status = Custom<Empty, ServiceL2StatusStatus>;
export const ServiceL2Statuses: Kind<ServiceL2Status> = customKind({
  crd: serviceL2StatusCrd,
  version: 'v1beta1',
  spec: noSpec,
  status: l2Status,
  emptySpec: EMPTY_SPEC,
});

// ---- ServiceBGPStatus -------------------------------------------------------------------

const bgpStatus = object(
  { ...SERVICE_ON_NODE, peers: names('BGPPeers that the node is set to announce the Service to.') },
  'Whom the Service is announced to.',
);

export const serviceBGPStatusCrd: Crd = {
  group: GROUP,
  kind: 'ServiceBGPStatus',
  plural: 'servicebgpstatuses',
  singular: 'servicebgpstatus',
  versions: [
    {
      name: 'v1beta1',
      about: 'Shows to which BGP peers one node announces a Service.',
      storage: true,
      columns: [
        { name: 'Node', type: 'string', path: '.status.node' },
        { name: 'Service Name', type: 'string', path: '.status.serviceName' },
        { name: 'Service Namespace', type: 'string', path: '.status.serviceNamespace' },
      ],
      spec: noSpec,
      status: bgpStatus,
    },
  ],
};

export type ServiceBGPStatusStatus = TypeOf<typeof bgpStatus>;
export type ServiceBGPStatus = Custom<Empty, ServiceBGPStatusStatus>;
export const ServiceBGPStatuses: Kind<ServiceBGPStatus> = customKind({
  crd: serviceBGPStatusCrd,
  version: 'v1beta1',
  spec: noSpec,
  status: bgpStatus,
  emptySpec: EMPTY_SPEC,
});

// ---- ConfigurationState -----------------------------------------------------------------

const stateStatus = object(
  {
    conditions: conditionList('One condition per reconciler of the component.'),
    errorSummary: str('Messages of the failing conditions, one per line; empty when valid.'),
    result: oneOfStrings(
      ['Valid', 'Invalid', 'Unknown'],
      'Whether the component could take the present configuration.',
    ),
  },
  'What the component thinks of the configuration.',
);

export const configurationStateCrd: Crd = {
  group: GROUP,
  kind: 'ConfigurationState',
  plural: 'configurationstates',
  singular: 'configurationstate',
  versions: [
    {
      name: 'v1beta1',
      about:
        'Shows whether one component, the controller or the speaker of a node, accepts the configuration.',
      storage: true,
      columns: [
        { name: 'Result', type: 'string', path: '.status.result' },
        { name: 'ErrorSummary', type: 'string', path: '.status.errorSummary' },
        { name: 'Age', type: 'date', path: '.metadata.creationTimestamp' },
      ],
      status: stateStatus,
    },
  ],
};

export type ConfigurationStateStatus = TypeOf<typeof stateStatus>;
/** Has no spec at all; the decoded one is empty. */
export type ConfigurationState = Custom<Empty, ConfigurationStateStatus>;
export const ConfigurationStates: Kind<ConfigurationState> = customKind({
  crd: configurationStateCrd,
  version: 'v1beta1',
  spec: noSpec,
  status: stateStatus,
  emptySpec: EMPTY_SPEC,
});
