import { LOST_INTERFACES, NODE_NAME } from '../../../domain/api/annotations.ts';
import type { Condition } from '../../../domain/api/conditions.ts';
import {
  type EndpointSlice,
  EndpointSlices,
  type Namespace,
  Namespaces,
  type Node,
  Nodes,
  type Pod,
  Pods,
  type Service,
  Services,
} from '../../../domain/api/core.ts';
import { type Event, Events } from '../../../domain/api/event.ts';
import {
  type AddressQuota,
  AddressQuotas,
  type Reservation,
  Reservations,
} from '../../../domain/api/herald.ts';
import {
  Communities,
  type Community,
  ConfigurationStates,
  type IPAddressPool,
  IPAddressPools,
  type L2Advertisement,
  L2Advertisements,
  type ServiceL2Status,
  ServiceL2Statuses,
} from '../../../domain/api/metallb.ts';
import { apiVersion, type Kind, type KubeObject, keyOf } from '../../../domain/api/object.ts';
import { type Losses, readLosses } from '../../../domain/election/notice.ts';

/** What a decision about a Service hangs on, as far as it is known. */
export interface Picture {
  readonly service: Service | undefined;
  readonly services: readonly Service[];
  readonly namespaces: readonly Namespace[];
  readonly pools: readonly IPAddressPool[];
  readonly communities: readonly Community[];
  readonly advertisements: readonly L2Advertisement[];
  readonly reservations: readonly Reservation[];
  readonly quotas: readonly AddressQuota[];
  readonly nodes: readonly Node[];
  /** Of Herald's namespace. */
  readonly speakers: readonly Pod[];
  /** Of the Service. Undefined: nobody knows. */
  readonly slices: readonly EndpointSlice[] | undefined;
  /** What speakers say of the Service. */
  readonly statuses: readonly ServiceL2Status[];
  /** What each node's speaker says of itself. */
  readonly states: readonly SpeakerState[];
  readonly events: readonly Event[];
}

export interface SpeakerState {
  readonly node: string;
  readonly conditions: readonly Condition[];
  /** What the node can no longer answer on, as its speaker tells the others. */
  readonly losses?: Losses;
}

/** Label that Herald's and MetalLB's charts put on Pods of speakers. */
export const SPEAKER = { name: 'app.kubernetes.io/component', value: 'speaker' } as const;

export interface PictureOptions {
  /** The Service, "namespace/name". */
  readonly key: string;
  /** Herald's own. */
  readonly namespace: string;
  /** Whether its endpoints are known, also when there are none. Absent: when there are any of anybody. */
  readonly endpoints?: boolean;
}

/** Reads objects as the API server prints them. Throws DecodeError for one that is not of its kind. */
export function pictureOf(objects: readonly unknown[], o: PictureOptions): Picture {
  const { key, namespace } = o;
  const of = <T extends KubeObject>(kind: Kind<T>) =>
    objects.filter((o) => isA(o, kind)).map((o) => kind.decode(o));
  const here = <T extends KubeObject>(kind: Kind<T>) =>
    of(kind).filter((o) => o.metadata.namespace === namespace);
  const services = of(Services);
  const slices = of(EndpointSlices);
  const own = slices.filter(({ metadata, serviceName }) => `${metadata.namespace}/${serviceName}` === key);
  return {
    service: services.find((service) => keyOf(service) === key),
    services,
    namespaces: of(Namespaces),
    pools: here(IPAddressPools),
    communities: here(Communities),
    advertisements: here(L2Advertisements),
    reservations: here(Reservations),
    quotas: here(AddressQuotas),
    nodes: of(Nodes),
    speakers: here(Pods).filter(({ metadata }) => metadata.labels[SPEAKER.name] === SPEAKER.value),
    slices: o.endpoints === true || slices.length > 0 ? own : undefined,
    statuses: here(ServiceL2Statuses).filter(
      ({ status }) => `${status?.serviceNamespace}/${status?.serviceName}` === key,
    ),
    states: here(ConfigurationStates).flatMap(({ metadata, status }) => {
      const node = metadata.labels[NODE_NAME];
      const losses = readLosses(metadata.annotations[LOST_INTERFACES] ?? '');
      const conditions = status?.conditions ?? [];
      return node === undefined ? [] : [{ node, conditions, ...(losses && { losses }) }];
    }),
    events: of(Events),
  };
}

function isA(object: unknown, kind: Kind<KubeObject>): boolean {
  const json = typeof object === 'object' && object !== null ? object : {};
  return Reflect.get(json, 'kind') === kind.kind && Reflect.get(json, 'apiVersion') === apiVersion(kind);
}
