/** Messages that this room logs, each constant; what varies stands in fields. */
export const LOG = {
  announced: 'service has IP, announcing',
  withdrawn: 'withdrawing service announcement',
  handover: 'another node announces the service, handing over',
  skipped: 'address is not announced',
  configTaken: 'configuration taken',
  configRefused: 'configuration refused, the last good one stays in force',
  responderOpened: 'answering on interface',
  responderClosed: 'no longer answering on interface',
  responderFailed: 'cannot answer on interface',
  groupsFailed: 'interface cannot join multicast groups, questions may not arrive',
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

/** Why an address of a Service that this node owns is not announced: none of the interfaces that the advertisements name exists here. */
export type Skip = 'no-such-interface';
