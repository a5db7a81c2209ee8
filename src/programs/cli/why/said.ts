import { ADDRESS_CONFLICT, findCondition, INTERFACE_LOST } from '../../../domain/api/conditions.ts';
import type { Service } from '../../../domain/api/core.ts';
import type { Event } from '../../../domain/api/event.ts';
import { ingressTexts } from '../../../domain/ipam/converge.ts';
import type { Picture } from './picture.ts';

/** What speakers said of a Service, as far as the API server still has it. */
export interface Said {
  /** Addresses of the Service that another host has, too, as it stands now. */
  readonly conflicts: readonly { readonly node: string; readonly text: string }[];
  /** Interfaces on which nodes cannot answer, as it stands now. */
  readonly losses: readonly { readonly node: string; readonly text: string }[];
  /** The last of each reason, the latest first; Events are kept for an hour by default. */
  readonly events: readonly { readonly at: string; readonly reason: string; readonly message: string }[];
}

/** Component of the Events of Herald's and MetalLB's speakers. */
export const SPEAKERS = 'metallb-speaker';
/** Reason of the Event on a Node whose name another speaker claims. */
export const NAME_CONFLICT = 'NameConflict';

export function saidOf({ states, events }: Picture, service: Service): Said {
  const own = new Set(ingressTexts(service));
  const lines = (type: string) =>
    states.flatMap(({ node, conditions }) => {
      const found = findCondition(conditions, type);
      return found?.status === 'True' ? found.message.split('\n').map((text) => ({ node, text })) : [];
    });
  const conflicts = lines(ADDRESS_CONFLICT).filter(({ text }) => own.has(text.slice(0, text.indexOf(' '))));
  const losses = lines(INTERFACE_LOST);
  const latest = new Map<string, Said['events'][number]>();
  for (const event of events.filter((event) => concerns(event, service))) {
    const { reason, message, last: at, involvedObject } = event;
    const known = latest.get(reason);
    if (known && known.at > at) continue;
    const whose = involvedObject.kind === 'Node' ? `node "${involvedObject.name}": ` : '';
    latest.set(reason, { at, reason, message: `${whose}${message}` });
  }
  return { conflicts, losses, events: [...latest.values()].sort((a, b) => (a.at < b.at ? 1 : -1)) };
}

function concerns({ component, reason, involvedObject }: Event, { metadata }: Service): boolean {
  if (component !== SPEAKERS) return false;
  const { kind, namespace, name, uid } = involvedObject;
  if (kind === 'Node') return reason === NAME_CONFLICT;
  // One of the same name before it is none of its business.
  const same = uid === undefined || metadata.uid === undefined || uid === metadata.uid;
  return kind === 'Service' && namespace === metadata.namespace && name === metadata.name && same;
}
