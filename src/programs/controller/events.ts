import type { Service } from '../../domain/api/core.ts';
import { type IPAddressPool, IPAddressPools } from '../../domain/api/metallb.ts';
import { apiVersion } from '../../domain/api/object.ts';
import type { Problem } from '../../domain/api/problem.ts';
import type { Note } from '../../domain/ipam/converge.ts';
import { addressList, refusalText, stayText } from '../../domain/ipam/reasons.ts';
import type { About, EventText } from '../../platform/kube/events.ts';

/** The object that an Event about a Service points to. */
export function aboutService({ metadata }: Service): About {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion: 'v1', kind: 'Service', name, uid, resourceVersion, ...(namespace && { namespace }) };
}

/** The object that an Event about a pool points to. */
export function aboutPool({ metadata }: IPAddressPool): About {
  const { name, namespace, uid } = metadata;
  const { kind } = IPAddressPools;
  return { apiVersion: apiVersion(IPAddressPools), kind, name, uid, ...(namespace && { namespace }) };
}

/** Types and reasons are upstream's, which alerts and people look for, where it has one; the sentences are our own. */
export function eventOf(note: Note): EventText {
  switch (note.note) {
    case 'allocated':
      return normal('IPAllocated', `Assigned ${addressList(note.addresses)} from pool ${note.pool}`);
    case 'second-allocated':
      return normal(
        'IPAllocated',
        `Assigned additional ${addressList([note.address])} from pool ${note.pool}`,
      );
    case 'second-refused':
      return normal('AdditionalAssignFailed', `No second address: ${refusalText(note.refusal)}`);
    case 'cleared':
      return normal(
        'ClearAssignment',
        `${addressList(note.addresses)} taken back, another is looked for: ${refusalText(note.refusal)}`,
      );
    case 'request-unreadable':
      return warning('LoadBalancerFailed', `Requested addresses are invalid: ${refusalText(note.refusal)}`);
    case 'not-enough-cluster-ips':
      return warning('not enough clusterips', `No address: ${refusalText(note.refusal)}`);
    case 'unknown-address-family':
      return warning('nolbIPsIPFamily', `${note.texts.join(', ')} in the status are no address family`);
    case 'unknown-cluster-family':
      return warning('noclusterIPsIPFamily', `Cluster IPs ${note.texts.join(', ')} are no address family`);
    case 'not-allocated':
      return warning('AllocationFailed', `No address: ${refusalText(note.refusal)}`);
    case 'moving':
      return normal(
        'AddressMoving',
        `${addressList(note.from)} moves to ${addressList(note.to)}; both are served for now`,
      );
    case 'moved':
      return normal('AddressMoved', `${addressList(note.from)} is replaced by ${addressList(note.to)}`);
    case 'move-undone':
      return normal(
        'AddressMoveUndone',
        `${addressList(note.from)} stays, ${addressList(note.to)} is given back`,
      );
    case 'not-moved':
      return warning(
        'AddressNotMoved',
        `${addressList(note.addresses)} is in a moving range and stays: ${stayText(note.stay)}`,
      );
  }
}

/** Another host has the address that the Service was to get. */
export function eventOfTaken(address: string, macs: string): EventText {
  return warning(
    'AddressTaken',
    `${address} is in use by ${macs} and is kept back; another address is chosen`,
  );
}

/** Nobody could say whether the address that the Service gets is in use. */
export function eventOfUnproven(address: string): EventText {
  return warning(
    'AddressNotProbed',
    `${address} is given out although no speaker said in time whether it is in use`,
  );
}

/** A part of a pool that has no effect. */
export function eventOfWarning({ code, message, hint }: Problem): EventText {
  return warning(code, [message, ...(hint === undefined ? [] : [hint])].join('; '));
}

/** Upstream's old prefix still works; users are told when it matters. */
export function deprecations({ metadata }: Service): readonly EventText[] {
  return Object.keys(metadata.annotations)
    .filter((name) => name.startsWith('metallb.universe.tf'))
    .map((name) => warning('deprecatedAnnotation', `Annotation ${name} is deprecated, use metallb.io/`));
}

const normal = (reason: string, message: string): EventText => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): EventText => ({ type: 'Warning', reason, message });

/** The lines that this program logs; constant text, what varies stands in fields. */
export const lines = {
  allocated: 'address allocated',
  refused: 'no address for Service',
  cleared: 'address taken back',
  configAccepted: 'configuration accepted',
  configRefused: 'configuration refused, the last good one stays in force',
  configWarns: 'configuration accepted without a part that cannot be read',
  configHeld: 'pool list came back empty, waiting for certainty',
  quarantined: 'address is in use elsewhere and given to nobody',
  notProbed: 'speakers cannot be asked whether an address is in use',
  unproven: 'no speaker said whether an address is in use, it is given out',
  quarantineEnded: 'quarantine of address ended',
  leading: 'leading, filling caches',
  serving: 'addresses adopted, serving',
  stopped: 'session ended',
} as const;
