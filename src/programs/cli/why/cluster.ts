import { ENDPOINT_SLICE_SERVICE } from '../../../domain/api/annotations.ts';
import { EndpointSlices, Pods, Services } from '../../../domain/api/core.ts';
import { Events } from '../../../domain/api/event.ts';
import { rawKind } from '../../../domain/api/kind.ts';
import { ConfigurationStates, ServiceL2Statuses } from '../../../domain/api/metallb.ts';
import type { Address } from '../../../domain/desired/object.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { isForbidden, isNotFound } from '../../../platform/kube/errors.ts';
import { type ListOptions, resource } from '../../../platform/kube/resource.ts';
import { readCluster } from '../plan/cluster.ts';
import { SPEAKER } from './picture.ts';
import { NAME_CONFLICT, SPEAKERS } from './said.ts';

interface Around {
  readonly objects: readonly unknown[];
  /** Whether all endpoints of the Service are among them. */
  readonly endpoints: boolean;
}

/** What a snapshot holds, and what only this Service needs. Without the right to list all Services, this one alone. */
export async function readAround(client: KubeClient, key: string, namespace: string): Promise<Around> {
  const [own = '', name = ''] = key.split('/');
  const slices = { namespace: own, labelSelector: `${ENDPOINT_SLICE_SERVICE}=${name}` };
  const [picture, endpoints, ...more] = await Promise.all([
    readCluster(client, namespace),
    optional(client, EndpointSlices, slices),
    optional(client, Events, {
      namespace: own,
      fieldSelector: `${ABOUT_SERVICES},involvedObject.name=${name}`,
    }),
    ...announcers(client, namespace),
  ]);
  const objects = [...picture, ...(endpoints ?? []), ...more.flatMap((part) => part ?? [])];
  const all = { objects, endpoints: endpoints !== undefined };
  if (picture.some((object) => Reflect.get(Object(object), 'kind') === Services.kind)) return all;
  const alone = await resource(client, rawKind(Services)).get({ name, namespace: own });
  return alone ? { ...all, objects: [...objects, alone.raw] } : all;
}

/** What speakers say of Services. */
const ABOUT_SERVICES = `source=${SPEAKERS},involvedObject.kind=Service`;
/** Events of what has no namespace live there. */
const ABOUT_NODES = {
  namespace: 'default',
  fieldSelector: `source=${SPEAKERS},involvedObject.kind=Node,reason=${NAME_CONFLICT}`,
};

/** Speakers, and what they say of themselves, of Services and of Nodes. */
function announcers(client: KubeClient, namespace: string): Promise<Found>[] {
  const labelSelector = `${SPEAKER.name}=${SPEAKER.value}`;
  return [
    optional(client, Pods, { namespace, labelSelector }),
    optional(client, ServiceL2Statuses, { namespace }),
    optional(client, ConfigurationStates, { namespace }),
    optional(client, Events, ABOUT_NODES),
  ];
}

/** What only announcing hangs on, of all Services: for snapshots. */
export async function readAnnouncing(client: KubeClient, namespace: string): Promise<readonly unknown[]> {
  const parts = await Promise.all([
    optional(client, EndpointSlices, {}),
    optional(client, Events, { fieldSelector: ABOUT_SERVICES }),
    ...announcers(client, namespace),
  ]);
  return parts.flatMap((part) => part ?? []);
}

/** Undefined where the kind does not exist or may not be read. */
type Found = readonly unknown[] | undefined;

async function optional(client: KubeClient, kind: Address, where: ListOptions): Promise<Found> {
  try {
    return (await resource(client, rawKind(kind)).list(where)).items.map(({ raw }) => raw);
  } catch (e) {
    if (isNotFound(e) || isForbidden(e)) return undefined;
    throw e;
  }
}
