import { ALLOW_SHARED_IP, readAnnotation } from '../api/annotations.ts';
import type { EndpointSlice, Service } from '../api/core.ts';
import { type Config, type Pool, poolOf } from '../config/config.ts';
import { type Address, formatAddress, parseAddress } from '../ip/address.ts';
import { rangeContains } from '../ip/range.ts';
import { isAmong } from '../ipam/claim.ts';
import { doubled, type Transit } from '../ipam/transit.ts';
import { servingOf } from './endpoints.ts';
import { type Field, interfacesOf } from './field.ts';
import type { Because, NotOwner, Withdraw } from './reasons.ts';
import { adsFor, elect } from './winner.ts';

/** One node asks about one Service. */
export interface Case {
  readonly node: string;
  /** Undefined: it was deleted. */
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
  readonly field: Field;
  /** Upstream's --lb-class: undefined serves Services without a class, otherwise only those with this one. */
  readonly lbClass?: string | undefined;
  /** Who announced it before, for `whyBefore`. */
  readonly before?: string | undefined;
}

/** What the node is to do. `pool` is known as soon as all addresses are in one, or all that come in a move; `owner` when somebody was elected. */
export type Verdict =
  | {
      readonly announce: true;
      readonly addresses: readonly Address[];
      /** By name; `all` as soon as one advertisement names none. */
      readonly interfaces: 'all' | ReadonlySet<string>;
      readonly pool: string;
      readonly because: Because;
      /** Why it is no longer whoever announced it before. */
      readonly whyBefore?: NotOwner;
    }
  | {
      readonly announce: false;
      readonly reason: Withdraw;
      readonly pool?: string;
      readonly owner?: string;
      /** Why it is not this node. */
      readonly why?: NotOwner;
    };

/** The whole decision, in upstream's order of questions. */
export function judge(input: Case): Verdict {
  const { service } = input;
  const unfit = unfitService(service, input.lbClass);
  if (service === undefined || unfit) return no(unfit ?? 'serviceDeleted');
  const addresses = addressesOf(service);
  if (addresses.length === 0) return no('noIPAllocated');
  if (!allRead(addresses)) return no('invalidIP');
  const transit = doubled(addresses);
  if (!transit) return judgeSet(input, service, addresses);
  const [before, after] = [transit.before, transit.after].map((set) => judgeSet(input, service, set));
  return before && after ? both(transit, before, after) : no('invalidIP');
}

/**
 * A Service that moves is judged as it was and as it will be, so that each address is announced by the node that will go on
 * announcing it. What stays is announced as it was. For this while the interfaces of both are those of either.
 */
function both({ before, after }: Transit, was: Verdict, will: Verdict): Verdict {
  if (!was.announce && !will.announce) return was.reason === 'ipNotAllowed' ? will : was;
  if (!will.announce) return was;
  const fresh = after.filter((address) => !isAmong(address, before));
  if (!was.announce) return { ...will, addresses: fresh };
  const either = was.interfaces !== 'all' && will.interfaces !== 'all';
  const interfaces = either ? new Set([...was.interfaces, ...will.interfaces]) : 'all';
  return { ...will, addresses: [...before, ...fresh], interfaces };
}

/** Addresses that belong together, all in one pool. */
function judgeSet(input: Case, service: Service, addresses: readonly Address[]): Verdict {
  const pool = commonPool(input.field.config, addresses);
  if (!pool) return no('ipNotAllowed');
  return announce(input, service, { addresses, pool: pool.name });
}

function announce(
  { node, slices, field, before }: Case,
  service: Service,
  { addresses, pool }: { addresses: readonly Address[]; pool: string },
): Verdict {
  const serving = servingOf(slices);
  if (!serving.anywhere) return no('notOwner', { pool });
  const ads = adsFor(field, pool, service.metadata.labels);
  const shared = readAnnotation(service.metadata, ALLOW_SHARED_IP) !== undefined;
  if (shared && ads.some(({ ad }) => ad.serviceSelectors.length > 0)) {
    return no('sharedIPWithServiceSelector', { pool });
  }
  const mine = ads.filter(({ scores }) => scores.has(node));
  if (mine.length === 0) return no('noMatchingAdvertisement', { pool, why: 'not-selected' });
  const [first] = addresses;
  const result = elect({
    field,
    ads,
    addresses,
    firstAddress: first ? formatAddress(first) : '',
    ...(service.spec.externalTrafficPolicy === 'Local' && { onlyOn: serving.nodes }),
  });
  const { owner } = result;
  if (owner?.node === node) {
    const whyBefore = before === undefined ? undefined : result.why(before);
    const { because } = owner;
    const interfaces = interfacesOf(mine);
    return { announce: true, addresses, interfaces, pool, because, ...(whyBefore && { whyBefore }) };
  }
  const why = result.why(node);
  return no('notOwner', { pool, ...(owner && { owner: owner.node }), ...(why && { why }) });
}

function no(reason: Withdraw, more: { pool?: string; owner?: string; why?: NotOwner } = {}): Verdict {
  return { announce: false, reason, ...more };
}

function unfitService(service: Service | undefined, lbClass: string | undefined): Withdraw | undefined {
  if (!service) return 'serviceDeleted';
  if (service.spec.type !== 'LoadBalancer') return 'notLoadBalancer';
  return service.spec.loadBalancerClass === lbClass ? undefined : 'otherClass';
}

/** An entry without an address, or with an unreadable one, is undefined. */
export function addressesOf(service: Service): readonly (Address | undefined)[] {
  return service.status.ingress.map(({ ip }) => (ip === undefined ? undefined : parseAddress(ip)));
}

function allRead(addresses: readonly (Address | undefined)[]): addresses is readonly Address[] {
  return !addresses.includes(undefined);
}

/** The one pool whose ranges hold all of them. Unlike allocation, avoidBuggyIPs takes nothing away that is in use. */
function commonPool(config: Config, addresses: readonly Address[]): Pool | undefined {
  const [first, ...rest] = addresses;
  const pool = first && holder(config, first);
  return pool && rest.every((address) => holder(config, address) === pool) ? pool : undefined;
}

function holder(config: Config, address: Address): Pool | undefined {
  const found = poolOf(config, address);
  if (found) return found;
  for (const pool of config.pools.values()) {
    if (pool.avoidBuggyIPs && pool.ranges.some((range) => rangeContains(range, address))) return pool;
  }
  return undefined;
}
