import { Reservations } from '../api/herald.ts';
import type { BGPAdvertisementSpec, BGPPeerSpec } from '../api/metallb.ts';
import { BGPAdvertisements, BGPPeers, IPAddressPools } from '../api/metallb.ts';
import { parseAddressOrRange, type Range } from '../ip/range.ts';
import { bgpMistakes } from './bgp-rules.ts';
import type { BgpBackEnd } from './bgp-set.ts';
import { isObject, type Json } from './json.ts';
import { type DesiredObject, idOf, openContent, type View } from './object.ts';
import { pathOf, placeOf } from './path.ts';
import { peerMistakes } from './peers.ts';
import { type Entry, overlaps, readRange } from './ranges.ts';
import type { Finding } from './source.ts';

/** What is wrong with the objects of one source, seen by themselves. */
export function findingsOf(
  objects: readonly DesiredObject[],
  backEnd: BgpBackEnd = 'native',
): readonly Finding[] {
  const findings: Finding[] = [];
  const entries = objects
    .filter((o) => o.kind === IPAddressPools)
    .flatMap((pool) => readPool(pool, (f) => findings.push(f)));
  for (const [other, entry] of overlaps(entries)) findings.push(overlapFinding(other, entry));
  for (const object of objects) {
    if (object.kind === BGPPeers) findings.push(...peerFindings(object));
    if (object.kind === BGPAdvertisements) findings.push(...aggregationFindings(object));
    if (object.kind === Reservations) findings.push(...reservationFindings(object));
  }
  for (const { of, field, ...rest } of bgpMistakes({ objects, backEnd, place: otherPlace }))
    findings.push({ ...rest, object: idOf(of), path: placeOf(of, field) });
  return findings;
}

function readPool(pool: DesiredObject, report: (finding: Finding) => void): Entry<DesiredObject>[] {
  const addresses = addressesOf(pool);
  const tell = (field: string) => (finding: Omit<Finding, 'path'>) =>
    report({ ...finding, object: idOf(pool), path: placeOf(pool, field) });
  if (addresses.length === 0)
    tell('spec.addresses')({
      code: 'PoolEmpty',
      message: 'the pool has no addresses',
      hint: 'give a CIDR or a range',
    });
  return addresses.flatMap((text, i) => {
    const field = `spec.addresses[${i}]`;
    const range = readRange(text, tell(field));
    return range ? [{ range, owner: pool, field }] : [];
  });
}

/** The texts of a pool's ranges, whoever wrote it. */
export function addressesOf(pool: View): readonly string[] {
  const { spec } = openContent(pool.content);
  const addresses: Json | undefined = isObject(spec) ? spec.addresses : undefined;
  return Array.isArray(addresses) ? addresses.filter((a: Json) => typeof a === 'string') : [];
}

/** Ranges of a pool without complaints: of a live one, or one that was checked. */
export function entriesOf<T extends View>(pool: T): Entry<T>[] {
  return addressesOf(pool).flatMap((text, i) => {
    const range = readRange(text, () => undefined);
    return range ? [{ range, owner: pool, field: `spec.addresses[${i}]` }] : [];
  });
}

/** A field of another object, in a message: its place in the values, or in a list of objects the object's name and the field. */
export function otherPlace(object: DesiredObject, field: string): string {
  const place = placeOf(object, field);
  return /^\[\d+\]/.test(place) ? `${idOf(object)} ${place.replace(/^\[\d+\]\.?/, '')}`.trimEnd() : place;
}

function overlapFinding(other: Entry<DesiredObject>, entry: Entry<DesiredObject>): Finding {
  const place = otherPlace(other.owner, other.field);
  const texts = [entry, other].map((e) => addressesOf(e.owner)[Number(pathOf(e.field).at(-1))]);
  return {
    code: 'PoolOverlap',
    object: idOf(entry.owner),
    path: placeOf(entry.owner, entry.field),
    message: `the range shares addresses with ${place}`,
    detail: `${texts[0]} shares addresses with ${texts[1]} of ${place}`,
  };
}

function peerFindings(peer: DesiredObject): Finding[] {
  // The values were checked against the schema of the spec, so it has the spec's type.
  const spec = openContent(peer.content).spec as unknown as BGPPeerSpec;
  return peerMistakes(spec).map(([field, message]) => ({
    code: 'PeerInvalid',
    object: idOf(peer),
    path: placeOf(peer, field),
    message,
  }));
}

/** Lengths that upstream refuses, and the rule of the CRD about serviceSelectors. */
function aggregationFindings(ad: DesiredObject): Finding[] {
  const spec = openContent(ad.content).spec as unknown as BGPAdvertisementSpec;
  const finding = (field: string, message: string): Finding => ({
    code: 'AggregationInvalid',
    object: idOf(ad),
    path: placeOf(ad, field),
    message,
  });
  const { aggregationLength: v4 = 32, aggregationLengthV6: v6 = 128, serviceSelectors = [] } = spec;
  const found: Finding[] = [];
  if (v4 > 32) found.push(finding('aggregationLength', 'must not be longer than 32'));
  if (v6 > 128 || v6 < 1) found.push(finding('aggregationLengthV6', 'must be from 1 to 128'));
  if (serviceSelectors.length > 0 && (v4 !== 32 || v6 !== 128))
    found.push(finding('serviceSelectors', 'cannot be used together with an aggregation length'));
  return found;
}

function reservationFindings(reservation: DesiredObject): Finding[] {
  const texts = addressesOf(reservation);
  const finding = (field: string, rest: Omit<Finding, 'object' | 'path'>): Finding => ({
    ...rest,
    object: idOf(reservation),
    path: placeOf(reservation, field),
  });
  const { spec } = openContent(reservation.content);
  if (texts.length === 0 && isObject(spec) && spec.service === undefined)
    return [
      finding('spec.service', {
        code: 'ReservationEmpty',
        message: 'there is nothing to keep: neither addresses nor a service',
        hint: 'name the addresses, or the Service whose addresses are to be kept',
      }),
    ];
  return texts.flatMap((text, i) => {
    const read = parseAddressOrRange(text);
    if ('range' in read) return [];
    const message = 'it is neither an address, nor a CIDR, nor a range "start-end"';
    return [finding(`spec.addresses[${i}]`, { code: 'ReservationInvalid', message, detail: read.error })];
  });
}

/** Whether one range lies wholly inside another. */
export function covers(outer: Range, inner: Range): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}
