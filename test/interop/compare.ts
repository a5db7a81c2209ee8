/** Two views side by side: what differs, and which differences are excused, each by a rule with a name. */
import { LOAD_BALANCER_IPS, readAnnotation } from '../../src/domain/api/annotations.ts';
import type { Service } from '../../src/domain/api/core.ts';
import type { Seen, Told } from './view.ts';

export interface Difference {
  /** e.g. "t1/a addresses" */
  readonly what: string;
  readonly upstream: string;
  readonly herald: string;
}

/** Both views, before a step and now. */
export interface Both {
  readonly upstream: Seen;
  readonly herald: Seen;
}
export interface Situation {
  readonly before: Both;
  readonly now: Both;
  /** Services that the step itself wrote. */
  readonly touched: ReadonlySet<string>;
  /** False while a controller serves nothing because it came up on a bad configuration. */
  readonly serving: boolean;
}

/** Events that say that a Service lacks something. */
const REFUSALS =
  /^(Warning AllocationFailed|Warning LoadBalancerFailed|Warning not enough clusterips|Normal AdditionalAssignFailed)$/;
/** client-go keeps Events of one object back after the 25th; some passes may have run since they were counted. */
const BUDGET = 15;

/**
 * Why an Event is not compared; undefined when it is.
 * repeated refusal: MetalLB tells those who wait on each pass over all Services, Herald when something has changed for them.
 * deprecation: MetalLB tells with each write, Herald with those that change addresses.
 * spent: MetalLB's client has dropped, or is about to drop, Events of this Service.
 */
export type EventRule = 'repeated refusal' | 'deprecation' | 'spent';

export function eventRule(s: Situation, { service, uid, reason }: Told): EventRule | undefined {
  if ((s.now.upstream.told.get(uidAt(s.now.upstream, service) ?? uid) ?? 0) > BUDGET) return 'spent';
  const moved = addressesChanged(s, service);
  if (reason === 'Warning deprecatedAnnotation') return moved ? undefined : 'deprecation';
  return REFUSALS.test(reason) && !moved && !s.touched.has(service) ? 'repeated refusal' : undefined;
}

const uidAt = (seen: Seen, key: string): string | undefined => seen.services.get(key)?.metadata.uid;

const addressesChanged = ({ before, now }: Situation, key: string): boolean =>
  (['upstream', 'herald'] as const).some(
    (side) => addressesOf(before[side].services.get(key)) !== addressesOf(now[side].services.get(key)),
  );

export const addressesOf = (service: Service | undefined): string =>
  (service?.status.ingress ?? [])
    .map(({ ip = '?', ipMode = 'VIP', hostname = '' }) => ip + (ipMode === 'VIP' ? '' : ipMode) + hostname)
    .join(' ');

/** Everything that is compared, as texts by name. */
export function facts(s: Situation, side: 'upstream' | 'herald'): ReadonlyMap<string, string> {
  const { services, pools, state, events } = s.now[side];
  const result = new Map<string, string>();
  for (const [key, service] of services) {
    result.set(`${key} type`, service.spec.type);
    result.set(`${key} addresses`, addressesOf(service));
    result.set(`${key} annotations`, pairs(service.metadata.annotations));
    const foreign = service.status.conditions.filter(({ type }) => !type.startsWith('herald.io/'));
    result.set(`${key} conditions`, JSON.stringify(foreign.map((c) => [c.type, c.status, c.reason])));
    result.set(`${key} events`, eventText(events.filter((e) => e.service === key && !eventRule(s, e))));
  }
  // MetalLB counts every pool as empty while it serves nothing.
  if (s.serving)
    for (const [name, { status }] of pools)
      result.set(`pool ${name} status`, status ? pairs(status) : 'none');
  const conditions = state?.status?.conditions?.map((c) => [c.type, c.status, c.reason]);
  result.set('configuration state', JSON.stringify([state?.status?.result, conditions]));
  return result;
}

/** "key=value" in a fixed order. */
const pairs = (o: object): string =>
  Object.entries(o)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ');

/** Reasons, and the addresses that an allocation names: the sentences are each product's own. */
function eventText(events: readonly Told[]): string {
  const texts = events.map(({ reason, message }) =>
    reason === 'Normal IPAllocated' ? `${reason} ${addressesIn(message)}` : reason,
  );
  return [...new Set(texts)].sort().join(', ');
}

const addressesIn = (message: string): string =>
  (message.match(/\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]+/g) ?? []).join(' ');

export function differences(s: Situation): Difference[] {
  const [upstream, herald] = [facts(s, 'upstream'), facts(s, 'herald')];
  return [...new Set([...upstream.keys(), ...herald.keys()])].sort().flatMap((what) => {
    const [u, h] = [upstream.get(what) ?? 'absent', herald.get(what) ?? 'absent'];
    return u === h ? [] : [{ what, upstream: u, herald: h }];
  });
}

/**
 * Why Services may have different addresses on both sides. The history ends there, as from then on nothing can be compared.
 * chance: two or more wanted the same room at the same time, and MetalLB serves them in the order of a Go map.
 * kept request: PreferDualStack beside one requested address. MetalLB adds a second one, and then gives up both as they are not
 * what is asked for; Herald keeps the one that is.
 */
export type AddressRule = 'chance' | 'kept request';

export function addressRule(s: Situation): AddressRule | undefined {
  const { before, now } = s;
  const other = [...now.upstream.services.keys()].filter(
    (key) => addressesOf(now.upstream.services.get(key)) !== addressesOf(now.herald.services.get(key)),
  );
  if (other.length > 0 && other.every((key) => keepsRequest(now, key))) return 'kept request';
  const wanted = (key: string): boolean =>
    addressesOf(before.upstream.services.get(key)) === '' || addressesChanged(s, key);
  return other.length >= 2 && other.every(wanted) ? 'chance' : undefined;
}

function keepsRequest({ upstream, herald }: Both, key: string): boolean {
  const service = herald.services.get(key);
  if (service?.spec.ipFamilyPolicy !== 'PreferDualStack' || service.spec.clusterIPs.length < 2) return false;
  const { value: asked = service.spec.loadBalancerIP } =
    readAnnotation(service.metadata, LOAD_BALANCER_IPS) ?? {};
  return addressesOf(service) === asked && addressesOf(upstream.services.get(key)) === '';
}

/** Services that Herald has given an address while MetalLB lets them wait. */
export function waitingUpstream({ now }: Situation): boolean {
  return [...now.upstream.services].some(
    ([key, service]) => addressesOf(service) === '' && addressesOf(now.herald.services.get(key)) !== '',
  );
}
