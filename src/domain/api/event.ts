import { kind } from './kind.ts';
import type { Kind, KubeObject } from './object.ts';
import { object, str } from './schema.ts';

/** An Event of Kubernetes, as far as it is read here. */
export interface Event extends KubeObject {
  readonly involvedObject: {
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
  };
  /** Who says so, such as "metallb-speaker". */
  readonly component: string;
  readonly reason: string;
  readonly message: string;
  /** When it happened last, RFC 3339; empty where it does not say. */
  readonly last: string;
}

export const Events: Kind<Event> = kind({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  schema: object({
    involvedObject: object({ kind: str(), namespace: str(), name: str(), uid: str() }),
    source: object({ component: str() }),
    reportingComponent: str(),
    reason: str(),
    message: str(),
    lastTimestamp: str(),
    eventTime: str(),
  }),
  project: (raw, metadata) => {
    const { kind = '', name = '', ...where } = raw.involvedObject ?? {};
    return {
      metadata,
      involvedObject: { kind, name, ...where },
      component: raw.source?.component || raw.reportingComponent || '',
      reason: raw.reason ?? '',
      message: raw.message ?? '',
      last: raw.lastTimestamp ?? raw.eventTime ?? metadata.creationTimestamp ?? '',
    };
  },
});
