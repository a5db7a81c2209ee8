import type { Node, Service } from '../../domain/api/core.ts';
import type { About } from '../../platform/kube/events.ts';

/** Messages that this room logs, each constant; what varies stands in fields. */
export const LOG = {
  announced: 'service has IP, announcing',
  withdrawn: 'withdrawing service announcement',
  moved: 'service moved here from another node',
  handover: 'another node announces the service, handing over',
  skipped: 'address is not announced',
  configTaken: 'configuration taken',
  configRefused: 'configuration refused, the last good one stays in force',
  responderOpened: 'answering on interface',
  responderClosed: 'no longer answering on interface',
  responderFailed: 'cannot answer on interface',
  groupsFailed: 'interface cannot join multicast groups, questions may not arrive',
  conflict: 'another host has an address that this node announces',
  conflictOver: 'the other host that had an address of this node is gone',
  ownerSilent: 'another node does not answer for its address',
  heardAgain: 'another node answers for its address again',
  unheard: 'others do not hear this interface, opening it anew',
  nothingHeard: 'others still do not hear this interface, it counts as lost',
  macChanged: 'interface has another hardware address',
  interfacesLost: 'interfaces are lost, other nodes take over what is announced there',
  interfacesBack: 'all interfaces are back',
  nothingLeaves: 'frames no longer leave the interface',
  linksFailed: 'interfaces are not heard of, trying again',
  settingsTaken: 'settings taken',
  settingsRefused: 'setting refused, the last good one stays in force',
  stopping: 'stopping',
  stopped: 'stopped',
  started: 'ready',
} as const;

/** Reasons of Events on Services; the first two are upstream's words. */
export const EVENT = {
  nodeAssigned: 'nodeAssigned',
  announceFailed: 'announceFailed',
  moved: 'AddressMoved',
  conflict: 'AddressConflict',
  nameConflict: 'NameConflict',
  silent: 'AddressSilent',
} as const;

/** Why an address of a Service that this node owns is not announced: none of the interfaces that the advertisements name exists here. */
export type Skip = 'no-such-interface';

/** The object of an Event on a Node. */
export function aboutNode({ metadata }: Node): About {
  return { apiVersion: 'v1', kind: 'Node', name: metadata.name, uid: metadata.uid };
}

/** The object of an Event on a Service. */
export function aboutService({ metadata }: Service): About {
  const { name, namespace, uid, resourceVersion } = metadata;
  const about = { apiVersion: 'v1', kind: 'Service', name, uid, resourceVersion };
  return { ...about, ...(namespace !== undefined && { namespace }) };
}
