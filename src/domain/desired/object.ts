import { FROM, INSTANCE } from '../api/annotations.ts';
import { Secrets } from '../api/core.ts';
import { AddressQuotas, Reservations } from '../api/herald.ts';
import { kind as makeKind } from '../api/kind.ts';
import {
  BFDProfiles,
  BGPAdvertisements,
  BGPPeers,
  Communities,
  IPAddressPools,
  L2Advertisements,
} from '../api/metallb.ts';
import { apiVersion, type Kind, type KubeObject } from '../api/object.ts';
import { anything, object } from '../api/schema.ts';
import { isObject, type Json, type JsonObject, toJson } from './json.ts';
import type { Place } from './path.ts';
import { Sealed } from './sealed.ts';

/** What a kind is, without how to read it. */
export type Address = Omit<Kind, 'decode'>;

/**
 * The kinds that the reconciler writes, in the order in which they can be made: what others refer to comes first. Removing
 * goes backwards.
 */
export const OWNED: readonly Address[] = [
  Communities,
  BFDProfiles,
  Secrets,
  BGPPeers,
  // Before the pools: a new pool gives nothing out that is to be kept, or too much.
  Reservations,
  AddressQuotas,
  IPAddressPools,
  L2Advertisements,
  BGPAdvertisements,
];

/** Annotation that names the labels and annotations which the values added, so that dropping one from the values is seen. */
export const EXTRA = 'herald.io/extra-metadata';

/** The fields of an object beside its metadata: `{ spec }`, or `{ type, data }` of a Secret, which stay sealed. */
export type Content = JsonObject | Sealed<JsonObject>;

export function openContent(content: Content): JsonObject {
  return content instanceof Sealed ? content.open() : content;
}

/** An object as the sources want it. Every field with a default is written out. */
export interface DesiredObject extends Place {
  readonly kind: Address;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly content: Content;
  /** Name of the ConfigSource it comes from. */
  readonly source: string;
}

/** An object of an owned kind as the API server has it, whoever made it. */
export interface LiveObject extends KubeObject {
  readonly kind: Address;
  readonly content: Content;
}

/** What desired and live objects have in common. */
export interface View {
  readonly kind: Address;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly content: Content;
}

export function viewOf(live: LiveObject): View {
  const { name, labels, annotations } = live.metadata;
  return { kind: live.kind, name, labels, annotations, content: live.content };
}

/** "IPAddressPool web": unique, as all rendered objects live in one namespace. */
export function idOf(o: Pick<View, 'kind' | 'name'>): string {
  return `${o.kind.kind} ${o.name}`;
}

/** Whether this release rendered the object. */
export function isOurs(live: LiveObject, instance: string): boolean {
  return live.metadata.labels[INSTANCE] === instance;
}

/** The ConfigSource that a rendered object names in its provenance. */
export function sourceOf(live: LiveObject): string | undefined {
  const from = live.metadata.annotations[FROM];
  const hash = from?.indexOf('#') ?? -1;
  return from === undefined || hash < 0 ? undefined : from.slice(0, hash);
}

/** The whole object for server-side apply. */
export function bodyOf(o: DesiredObject, uid?: string): JsonObject {
  return {
    apiVersion: apiVersion(o.kind),
    kind: o.kind.kind,
    metadata: {
      name: o.name,
      namespace: o.namespace,
      ...(uid === undefined ? {} : { uid }),
      labels: o.labels,
      annotations: o.annotations,
    },
    ...openContent(o.content),
  };
}

/** Reads an owned kind with all its fields, also such as a newer version of the kind may have. */
export function liveKind(address: Address): Kind<LiveObject> {
  const { group, version, kind, plural, namespaced } = address;
  return makeKind({
    group,
    version,
    kind,
    plural,
    namespaced,
    schema: object({ spec: anything(), type: anything(), data: anything() }),
    project: (_raw, metadata, original): LiveObject => ({
      metadata,
      kind: address,
      content: contentOf(address, toJson(original)),
    }),
  });
}

function contentOf(address: Address, raw: Json): Content {
  const { spec = {}, type = '', data = {} } = isObject(raw) ? raw : {};
  return address.kind === Secrets.kind ? new Sealed<JsonObject>({ type, data }) : { spec };
}
