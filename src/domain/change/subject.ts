import { ALLOW_SHARED_IP, readAnnotation } from '../api/annotations.ts';
import type { Service } from '../api/core.ts';
import { type Address, formatAddress, parseAddress } from '../ip/address.ts';
import { ingressTexts } from '../ipam/converge.ts';
import { type Want, wantOf } from '../ipam/want.ts';

/** A live Service: one with addresses. Read once, weighed against several worlds. */
export interface Subject {
  readonly want: Want;
  readonly uid: string;
  /** What it must keep together. A Service that moves is two subjects: with what it has, and with what it gets. */
  readonly addresses: readonly Address[];
  /** Canonical text, in the order of the status; the first one decides the election. */
  readonly texts: readonly string[];
  /** Whether it carries the annotation for sharing at all: then advertisements with serviceSelectors silence it. */
  readonly shared: boolean;
  /** externalTrafficPolicy Local. */
  readonly local: boolean;
  /** Of a Service that moves: whether these are what it has, or what it gets. */
  readonly moving?: 'from' | 'to';
}

export interface Cast {
  /** Everybody who has addresses, by name. */
  readonly subjects: readonly Subject[];
  /** What those want that have none, by name. */
  readonly waiting: readonly Want[];
}

export function castOf(services: readonly Service[]): Cast {
  const subjects: Subject[] = [];
  const waiting: Want[] = [];
  for (const service of services) {
    if (service.spec.type !== 'LoadBalancer') continue;
    const want = wantOf(service);
    const sets = setsOf(ingressTexts(service).map((text) => parseAddress(text)));
    if (sets.length === 0) waiting.push(want);
    for (const [i, addresses] of sets.entries())
      subjects.push({
        want,
        uid: service.metadata.uid,
        addresses,
        texts: addresses.map(formatAddress),
        shared: readAnnotation(service.metadata, ALLOW_SHARED_IP) !== undefined,
        local: service.spec.externalTrafficPolicy === 'Local',
        ...(sets.length > 1 && { moving: i === 0 ? 'from' : 'to' }),
      });
  }
  const byKey = (a: { readonly key: string }, b: { readonly key: string }) => (a.key < b.key ? -1 : 1);
  return {
    subjects: subjects.sort((a, b) => byKey(a.want, b.want)),
    waiting: waiting.sort(byKey),
  };
}

/**
 * One address, or one of each family; two such sets where a family stands there twice, as a Service that moves shows old and new
 * addresses. Nothing for what no controller lets a Service keep.
 */
function setsOf(present: readonly (Address | undefined)[]): readonly (readonly Address[])[] {
  const addresses = present.filter((a) => a !== undefined);
  if (addresses.length === 0 || addresses.length < present.length) return [];
  const families = [...new Set(addresses.map((a) => a.family))].map((family) =>
    addresses.filter((a) => a.family === family),
  );
  if (families.some((list) => list.length > 2)) return [];
  const ends = (at: 0 | -1) => families.flatMap((list) => list.at(at) ?? []);
  return families.some((list) => list.length === 2) ? [ends(0), ends(-1)] : [ends(0)];
}
