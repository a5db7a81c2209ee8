import { ADDRESS_POOL, ALLOW_SHARED_IP, LOAD_BALANCER_IPS, readAnnotation } from '../api/annotations.ts';
import type { Service } from '../api/core.ts';
import { keyOf } from '../api/object.ts';
import { type Address, type Family, familyOfText, parseAddress } from '../ip/address.ts';
import type { Refusal, ServiceFamily } from './reasons.ts';

/** What one Service asks for, read once from its spec, labels and annotations. */
export interface Want {
  /** "namespace/name". */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly family: ServiceFamily;
  /** What the family was read from. */
  readonly clusterIPs: readonly string[];
  /** SingleStack when the field is absent. */
  readonly policy: string;
  /** The family that PreferDualStack takes when a pool has but one. */
  readonly primary: Family;
  /** "" never shares. */
  readonly sharing: string;
  /** "TCP/80"; empty for one that never shares, as nobody can be in its way. */
  readonly ports: readonly string[];
  /** With externalTrafficPolicy Local only Services with the same backends may share; "" for Cluster and for one that never shares. */
  readonly backend: string;
  /** It gives up what it has for what it asks for: quotas do not count. */
  readonly replaces?: true;
  /** The pool that it asks for. */
  readonly pool?: string;
  /** The addresses that it asks for; empty: any. */
  readonly request: readonly Address[] | Refusal;
}

/** Reads a Service's wishes. Total: what makes no sense is a Refusal inside the result. */
export function wantOf(service: Service): Want {
  const { spec, metadata } = service;
  const pool = readAnnotation(metadata, ADDRESS_POOL)?.value;
  const texts = clusterIPs(service);
  const { sharing, ports, backend } = termsOf(service);
  const want: Want = {
    key: keyOf(service),
    namespace: metadata.namespace ?? '',
    labels: metadata.labels,
    family: familyOfTexts(texts),
    clusterIPs: texts,
    policy: spec.ipFamilyPolicy ?? 'SingleStack',
    primary: spec.ipFamilies[0] === 'IPv6' ? 'IPv6' : 'IPv4',
    sharing,
    ports,
    backend,
    request: requestOf(service),
  };
  return pool ? { ...want, pool } : want;
}

/** With whom it would share, on which ports. */
function termsOf({ spec, metadata }: Service): Pick<Want, 'sharing' | 'ports' | 'backend'> {
  const sharing = readAnnotation(metadata, ALLOW_SHARED_IP)?.value ?? '';
  if (sharing === '') return ALONE;
  return {
    sharing,
    ports: spec.ports.map((port) => `${port.protocol}/${port.port}`),
    backend: spec.externalTrafficPolicy === 'Local' ? selectorKey(spec.selector) : '',
  };
}

const ALONE = { sharing: '', ports: [], backend: '' } as const;

/** spec.clusterIPs, or spec.clusterIP where the list is empty. */
function clusterIPs(service: Service): readonly string[] {
  const { clusterIPs, clusterIP } = service.spec;
  if (clusterIPs.length > 0) return clusterIPs;
  return clusterIP === undefined || clusterIP === '' ? [] : [clusterIP];
}

/** One address is its family, one of each is dual, everything else unknown. */
export function familyOf(addresses: readonly (Address | undefined)[]): ServiceFamily {
  return together(addresses.length, addresses[0]?.family, addresses[1]?.family);
}

const familyOfTexts = ({ length, 0: first = '', 1: second = '' }: readonly string[]): ServiceFamily =>
  together(length, familyOfText(first), length > 1 ? familyOfText(second) : undefined);

function together(count: number, first: Family | undefined, second: Family | undefined): ServiceFamily {
  if (first === undefined || count > 2) return 'unknown';
  if (count === 1) return first;
  return second === undefined || second === first ? 'unknown' : 'dual';
}

/** Equal selectors give equal text whatever their order. */
function selectorKey(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

const ANY: readonly Address[] = [];

function requestOf(service: Service): readonly Address[] | Refusal {
  const annotated = readAnnotation(service.metadata, LOAD_BALANCER_IPS)?.value ?? '';
  const field = service.spec.loadBalancerIP ?? '';
  if (annotated !== '' && field !== '') return { refused: 'both-request-forms' };
  if (annotated !== '') return parseRequest(LOAD_BALANCER_IPS, annotated, annotated.split(','));
  return field === '' ? ANY : parseRequest('spec.loadBalancerIP', field, [field]);
}

function parseRequest(field: string, text: string, parts: readonly string[]): readonly Address[] | Refusal {
  const unreadable = (cause: string): Refusal => ({ refused: 'request-unreadable', field, text, cause });
  const addresses: Address[] = [];
  for (const part of parts) {
    // Blanks are cut only in the annotation's list, as upstream does.
    const address = parseAddress(field === LOAD_BALANCER_IPS ? part.trim() : part);
    if (!address) return unreadable(`"${part.trim()}" is not an IP address`);
    addresses.push(address);
  }
  if (addresses.length > 2) return unreadable('more than two addresses');
  if (familyOf(addresses) === 'unknown') return unreadable('two addresses of one family');
  return addresses;
}
