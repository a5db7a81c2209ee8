/** Messages that this room logs, each constant; what varies stands in fields. */
export const LOG = {
  announced: 'service has IP, announcing',
  withdrawn: 'withdrawing service announcement',
  handover: 'another node announces the service, handing over',
  skipped: 'address is not announced',
  configTaken: 'configuration taken',
  configRefused: 'configuration refused, the last good one stays in force',
  responderOpened: 'answering ARP on interface',
  responderClosed: 'no longer answering ARP on interface',
  responderFailed: 'cannot answer ARP on interface',
  macChanged: 'interface has another hardware address',
  linksFailed: 'interfaces are not heard of, trying again',
  settingsTaken: 'settings taken',
  settingsRefused: 'setting refused, the last good one stays in force',
  stopping: 'stopping',
  stopped: 'stopped',
  started: 'ready',
} as const;

/** Reasons of Events on Services; upstream's words. */
export const EVENT = {
  nodeAssigned: 'nodeAssigned',
  announceFailed: 'announceFailed',
} as const;

/** Why an address of a Service that this node owns is not announced. */
export type Skip =
  /** None of the interfaces that the advertisements name exists here. */
  | 'no-such-interface'
  /** No responder for the family. */
  | 'family-not-supported';
