import type { Pool } from '../config/config.ts';
import type { Address, Family } from '../ip/address.ts';
import { automatic } from './choose.ts';
import { isAmong, isSame } from './claim.ts';
import { fits } from './fits.ts';
import type { Ledger } from './ledger.ts';
import type { Stay } from './reasons.ts';
import { moves } from './transit.ts';
import type { Want } from './want.ts';

/** Keys of Services with an address in a moving range that are not on their way yet, in the order of their claims. */
export function* leavers(ledger: Ledger): Generator<string> {
  const { config } = ledger;
  const marked = new Set([...config.pools.values()].filter((pool) => pool.moving).map(({ name }) => name));
  if (marked.size === 0) return;
  for (const [key, claim] of ledger.claims()) {
    if (claim.next || !marked.has(claim.pool)) continue;
    if (claim.addresses.some((address) => moves(config, address))) yield key;
  }
}

/** The Service and those on their way to the same new address. */
export function companions(ledger: Ledger, key: string): readonly string[] {
  const { addresses = [], next } = ledger.claimOf(key) ?? {};
  const fresh = next?.addresses.filter((address) => !isAmong(address, addresses)) ?? [];
  const others = fresh
    .flatMap((address) => ledger.holdersOf(address))
    .filter((other) => ledger.claimOf(other)?.next);
  return [...new Set([key, ...others])];
}

/** Whether the Service shares an address with one that is on its way: it should not be left behind. */
export function follows(ledger: Ledger, key: string): boolean {
  const { addresses = [] } = ledger.claimOf(key) ?? {};
  return addresses.some((address) => ledger.holdersOf(address).some((other) => ledger.claimOf(other)?.next));
}

/**
 * Begins the move of a Service and of all that share an address with it: the ledger holds old and new addresses for each of
 * them afterwards. The keys of all, or why they stay. `wantOf` gives what a Service asks for; undefined when it is unknown.
 */
export function begin(
  ledger: Ledger,
  key: string,
  wantOf: (key: string) => Want | undefined,
): readonly string[] | Stay {
  const keys = groupOf(ledger, key);
  const group = keys.map(wantOf).filter((want) => want !== undefined);
  const [first, ...others] = group;
  if (!first || group.length < keys.length) return { stay: 'no-room' };
  const held = heldBy(ledger, keys);
  const [address, second, ...more] = held;
  if (!address || more.length > 0 || second?.family === address.family)
    return { stay: 'tangled', others: others.map((want) => want.key) };
  const pinned = group.find(({ request }) => !('refused' in request) && request.length > 0);
  if (pinned) return blame(pinned.key, key, { stay: 'requested-address' });
  const together: Want = { ...first, replaces: true, ports: group.flatMap((want) => want.ports) };
  const replacements =
    underWay(ledger, keys) ?? replace({ ledger, want: together, held, targets: targetsOf(ledger, group) });
  const asks = group.find((want) => want.pool !== undefined);
  if (!replacements && asks?.pool !== undefined)
    return blame(asks.key, key, { stay: 'pinned', pool: asks.pool });
  if (!replacements) return { stay: 'no-room' };
  return enter(ledger, group, replacements) ? keys : { stay: 'no-room' };
}

const blame = (other: string, key: string, because: Stay): Stay =>
  other === key ? because : { stay: 'shares', other, because };

/** The Service first, then all that it shares an address with, and that those share one with. */
function groupOf(ledger: Ledger, key: string): readonly string[] {
  const group = new Set([key]);
  for (const member of group)
    for (const address of ledger.claimOf(member)?.addresses ?? [])
      for (const holder of ledger.holdersOf(address)) group.add(holder);
  return [...group];
}

function heldBy(ledger: Ledger, keys: readonly string[]): readonly Address[] {
  const held: Address[] = [];
  for (const key of keys)
    for (const address of ledger.claimOf(key)?.addresses ?? [])
      if (!isAmong(address, held)) held.push(address);
  return held;
}

/** The pools that would serve each of the group, the present one first: it is announced where the Services expect it. */
function targetsOf(ledger: Ledger, group: readonly Want[]): readonly Pool[] {
  const present = ledger.claimOf(group[0]?.key ?? '')?.pool;
  const open = group.map((want) => {
    const asked = want.pool === undefined ? undefined : ledger.config.pools.get(want.pool);
    if (want.pool !== undefined) return asked && fits(asked, want) ? [asked] : [];
    const pools = automatic(ledger, want);
    return [...pools.meant, ...pools.open];
  });
  const [first = [], ...rest] = open;
  const common = first.filter((pool) => rest.every((pools) => pools.includes(pool)));
  return [...common.filter(({ name }) => name === present), ...common.filter(({ name }) => name !== present)];
}

/** Where members of the group that are on their way already go: the others follow. */
function underWay(ledger: Ledger, keys: readonly string[]): readonly Replacement[] | undefined {
  const found = keys.flatMap((key) => {
    const { addresses = [], next } = ledger.claimOf(key) ?? {};
    return addresses.flatMap((old, i) => {
      const fresh = next?.addresses[i];
      return fresh === undefined || isSame(old, fresh) ? [] : [{ old, fresh }];
    });
  });
  return found.length > 0 ? found : undefined;
}

interface Replacement {
  readonly old: Address;
  readonly fresh: Address;
}

/**
 * New addresses for the group. Within its pool only those that move are replaced; another pool must give all, since the
 * addresses of a Service are of one pool.
 */
function replace(o: {
  readonly ledger: Ledger;
  readonly want: Want;
  readonly held: readonly Address[];
  readonly targets: readonly Pool[];
}): readonly Replacement[] | undefined {
  const { ledger, want, held, targets } = o;
  const present = ledger.claimOf(want.key)?.pool;
  for (const pool of targets) {
    const going = held.filter((address) => pool.name !== present || moves(ledger.config, address));
    const fresh = (family: Family) => ledger.offer(pool, family, want);
    const found = going.map((old) => ({ old, fresh: fresh(old.family) }));
    const complete = found.filter((r): r is Replacement => r.fresh !== undefined);
    if (complete.length === going.length) return complete;
  }
  return undefined;
}

/** Claims for all of the group, or for none. */
function enter(ledger: Ledger, group: readonly Want[], replacements: readonly Replacement[]): boolean {
  const entered: Want[] = [];
  const before = (want: Want) => ledger.claimOf(want.key)?.addresses ?? [];
  for (const want of group) {
    const old = before(want);
    const next = old.map((address) => replacements.find((r) => isSame(r.old, address))?.fresh ?? address);
    if ('refused' in ledger.claim(want, old, next)) {
      for (const done of entered) ledger.claim(done, before(done));
      return false;
    }
    entered.push(want);
  }
  return true;
}
