import { ALLOCATED, findCondition } from '../api/conditions.ts';
import type { Service } from '../api/core.ts';
import { type Config, isDraining, isMoving, poolOf } from '../config/config.ts';
import { type Address, parseAddress } from '../ip/address.ts';
import { isAmong, sameAddresses } from './claim.ts';
import type { Ledger } from './ledger.ts';
import { reasonWord } from './reasons.ts';
import { familyOf, type Want } from './want.ts';

/**
 * A Service between two sets of addresses: it shows and holds both, so that the new ones are announced before the old ones
 * fall silent. Whoever reads its status knows it: one family stands there twice, the old address before the new one.
 * `after` has in the place of each old address the one that replaces it.
 */
export interface Transit {
  readonly before: readonly Address[];
  readonly after: readonly Address[];
}

/** What both sets hold, in the order of the status: what was there, then what came. */
export function together({ before, after }: Transit): readonly Address[] {
  return [...before, ...after.filter((address) => !isAmong(address, before))];
}

/** The move that a Service is in, if it is in one: by its status, or decided and not written yet. */
export function transitOf(ledger: Ledger, key: string, service: Service): Transit | undefined {
  const claim = ledger.claimOf(key);
  if (!claim?.next && service.status.ingress.length < 2) return undefined;
  const shown = addressesOf(service);
  const decided = claim?.next && { before: claim.addresses, after: claim.next.addresses };
  if (decided && [decided.before, together(decided)].some((list) => sameAddresses(list, shown)))
    return decided;
  const transit = doubled(shown);
  return transit && (saysMoving(service) || isMarked(ledger.config, transit)) ? transit : undefined;
}

/** Unreadable entries are none of ours, and no part of a move. */
function addressesOf({ status }: Service): readonly Address[] {
  const read = status.ingress.map(({ ip = '' }) => parseAddress(ip));
  return read.includes(undefined) ? [] : read.filter((address) => address !== undefined);
}

/**
 * What the addresses of a status say of a move: the first and the last of each family, if at least one family is there twice
 * and none more often.
 */
export function doubled(shown: readonly Address[]): Transit | undefined {
  const before: Address[] = [];
  const after: Address[] = [];
  for (const family of new Set(shown.map((address) => address.family))) {
    const [first, second = first, ...more] = shown.filter((address) => address.family === family);
    if (!first || !second || more.length > 0) return undefined;
    before.push(first);
    after.push(second);
  }
  return shown.length > before.length ? { before, after } : undefined;
}

/** The condition tells a move from a status that somebody edited, also when the ranges no longer move. */
const saysMoving = ({ status }: Service): boolean =>
  findCondition(status.conditions, ALLOCATED)?.reason === reasonWord('moving');

/** Whether it comes out of a moving range, and what is new lies in none. */
const isMarked = (config: Config, { before, after }: Transit): boolean =>
  before.some((address) => moves(config, address)) &&
  after.every((address) => isAmong(address, before) || stays(config, address));

/** Whether the Services that have the address are to get another one. */
export function moves(config: Config, address: Address): boolean {
  const pool = poolOf(config, address);
  return pool !== undefined && isMoving(pool, address);
}

function stays(config: Config, address: Address): boolean {
  const pool = poolOf(config, address);
  return pool !== undefined && !isDraining(pool, address);
}

/**
 * What a Service in a move is to have now. It goes back to what it had when the ranges no longer move, when it asks for another
 * than the new one, or when it may not or should not have what it was to get; and on to the new ones when it may not keep the old, or when both were
 * shown for long enough.
 */
export function settle(o: {
  readonly ledger: Ledger;
  readonly want: Want;
  readonly transit: Transit;
  /** Both sets were shown for as long as they should. */
  readonly overlapped: boolean;
}): 'before' | 'both' | 'after' {
  const { ledger, want, transit, overlapped } = o;
  const [old, target] = [ledger.judge(want, transit.before), ledger.judge(want, transit.after)];
  if ('refused' in target) return 'before';
  if ('refused' in old) return 'after';
  const fresh = transit.after.filter((address) => !isAmong(address, transit.before));
  if (fresh.some((address) => ledger.keptBack(want, address))) return 'before';
  const asked = 'refused' in want.request ? [] : want.request;
  if (asked.length > 0 && !sameSet(asked, transit.after)) return 'before';
  if (want.pool !== undefined && want.pool !== target.name) return 'before';
  if (!keepsFamily(familyOf(transit.after), want)) return 'before';
  if (!transit.before.some((address) => moves(ledger.config, address))) return 'before';
  return overlapped ? 'after' : 'both';
}

/** Whether a Service with addresses of that family may keep them. */
export function keepsFamily(family: Want['family'], want: Want): boolean {
  if (family === 'unknown') return false;
  return family === want.family || (want.family === 'dual' && want.policy === 'PreferDualStack');
}

const sameSet = (a: readonly Address[], b: readonly Address[]): boolean =>
  a.length === b.length && a.every((address) => isAmong(address, b));
