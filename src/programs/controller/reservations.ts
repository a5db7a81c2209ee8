import type { Reservation } from '../../domain/api/herald.ts';
import { type Reservation as Kept, poolOf } from '../../domain/config/config.ts';
import { reservationOf } from '../../domain/config/reservations.ts';
import { type Address, formatAddress } from '../../domain/ip/address.ts';
import { formatRange, rangeSize } from '../../domain/ip/range.ts';
import { holds, type RangeSet } from '../../domain/ip/ranges.ts';
import { held } from '../../domain/ipam/claim.ts';
import type { Ledger } from '../../domain/ipam/ledger.ts';
import type { Standing } from './statuses.ts';

/** Reservations of up to so many addresses are looked at address by address, larger ones Service by Service. */
const FEW = 256n;
/** How many Services a status and a message name. */
const NAMED = 16;

/** How a reservation stands: what is kept, who of those that it is for has some of it, and who else. */
export function standing(ledger: Ledger, object: Reservation): Standing {
  const read = reservationOf(object);
  if ('problems' in read) {
    const message = read.problems.map((p) => `${p.path}: ${p.message}`).join('; ');
    return { shown: { addresses: [], services: [] }, ready: false, reason: 'Invalid', message };
  }
  const whom =
    read.service === undefined ? `namespace ${read.namespace}` : `${read.namespace}/${read.service}`;
  const ranges = read.ranges.length > 0 ? read.ranges : lastOf(ledger, whom);
  const addresses = ranges.map(textOf);
  const holders = holdersOf(ledger, ranges);
  const mine = holders.filter(({ key }) => isMeant(read, key));
  const services = [...new Set(mine.map(({ key }) => key))].sort();
  const others = holders.filter(({ key }) => !isMeant(read, key));
  const outside = ranges.filter((range) => !touchesPool(ledger, range));
  const no = { shown: { addresses, services: services.slice(0, NAMED) }, ready: false } as const;
  if (ranges.length === 0)
    return { ...no, reason: 'NoAddressYet', message: `${whom} has no address yet; its first one is kept` };
  if (outside.length > 0)
    return {
      ...no,
      reason: 'OutsidePools',
      message: `no pool has ${list(outside.map(textOf))}`,
    };
  if (others.length > 0) {
    const who = list(others.map(({ key, address }) => `${formatAddress(address)} by ${key}`));
    return { ...no, reason: 'InUseByOthers', message: `kept for ${whom} once it is free; in use: ${who}` };
  }
  const use = services.length === 0 ? 'free' : `in use by ${list(services)}`;
  return { ...no, ready: true, reason: 'Kept', message: `kept for ${whom}; ${use}` };
}

function lastOf(ledger: Ledger, key: string): RangeSet {
  const last = ledger.remembered.get(key) ?? [];
  return last.map(({ family, bits }) => ({ family, first: bits, last: bits }));
}

/** A single address without its length, as in the status of a Service. */
function textOf(range: RangeSet[number]): string {
  return rangeSize(range) === 1n
    ? formatAddress({ family: range.family, bits: range.first })
    : formatRange(range);
}

const isMeant = ({ namespace, service }: Kept, key: string): boolean =>
  service === undefined ? key.startsWith(`${namespace}/`) : key === `${namespace}/${service}`;

function touchesPool({ config }: Ledger, { family, first, last }: RangeSet[number]): boolean {
  if ([first, last].some((bits) => poolOf(config, { family, bits }))) return true;
  const within = [...config.pools.values()].flatMap(({ ranges }) => ranges);
  return within.some((range) => range.family === family && range.first >= first && range.first <= last);
}

function holdersOf(ledger: Ledger, ranges: RangeSet): { readonly key: string; readonly address: Address }[] {
  const size = ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
  const found: { key: string; address: Address }[] = [];
  if (size > FEW) {
    for (const [key, claim] of ledger.claims())
      for (const address of held(claim)) if (holds(ranges, address)) found.push({ key, address });
    return found;
  }
  for (const { family, first, last } of ranges)
    for (let bits = first; bits <= last; bits++)
      for (const key of ledger.holdersOf({ family, bits })) found.push({ key, address: { family, bits } });
  return found;
}

const list = (texts: readonly string[]): string =>
  texts.length <= NAMED
    ? texts.join(', ')
    : `${texts.slice(0, NAMED).join(', ')} and ${texts.length - NAMED} more`;
