import { isDeepStrictEqual } from 'node:util';
import { kubeTime, withCondition } from '../../domain/api/conditions.ts';
import { type Reservation, type ReservationStatus, Reservations } from '../../domain/api/herald.ts';
import { type Reservation as Kept, poolOf } from '../../domain/config/config.ts';
import { reservationOf } from '../../domain/config/reservations.ts';
import { type Address, formatAddress, parseAddress } from '../../domain/ip/address.ts';
import { formatRange, rangeSize } from '../../domain/ip/range.ts';
import { holds, type RangeSet } from '../../domain/ip/ranges.ts';
import { held } from '../../domain/ipam/claim.ts';
import type { Ledger } from '../../domain/ipam/ledger.ts';
import type { Remembered } from '../../domain/ipam/reserve.ts';
import { isConflict, isNotFound } from '../../platform/kube/client.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Reflector } from '../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { Doors } from './doors.ts';
import { Echo } from './echo.ts';

/** Changes within this time make one look at the reservations. */
const GATHER_MS = 200;
/** Reservations of up to so many addresses are looked at address by address, larger ones Service by Service. */
const FEW = 256n;
/** How many Services a status and a message name. */
const NAMED = 16;

/** What a status is to say, apart from times and generations. */
export interface Said {
  readonly addresses: readonly string[];
  readonly services: readonly string[];
  readonly ready: boolean;
  readonly reason: 'Kept' | 'Invalid' | 'NoAddressYet' | 'OutsidePools' | 'InUseByOthers';
  readonly message: string;
}

/** How a reservation stands: what is kept, who of those that it is for has some of it, and who else. */
export function standing(ledger: Ledger, object: Reservation): Said {
  const read = reservationOf(object);
  if ('problems' in read) {
    const message = read.problems.map((p) => `${p.path}: ${p.message}`).join('; ');
    return { addresses: [], services: [], ready: false, reason: 'Invalid', message };
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
  const no = { addresses, services: services.slice(0, NAMED), ready: false } as const;
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

/** What the statuses of reservations say that Services had: those that name a Service and no addresses. */
export function rememberedIn(objects: Iterable<Reservation>): Remembered {
  const last = new Map<string, readonly Address[]>();
  for (const { spec, status } of objects) {
    if (spec.service === undefined || (spec.addresses ?? []).length > 0) continue;
    const addresses = (status?.addresses ?? []).map((text) => parseAddress(text));
    last.set(
      `${spec.namespace}/${spec.service}`,
      addresses.filter((address) => address !== undefined),
    );
  }
  return last;
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
      for (const { address } of held(claim)) if (holds(ranges, address)) found.push({ key, address });
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

/** Keeps the statuses of Reservations true. What Services had last is remembered there for whoever leads next. */
export class ReservationStatuses {
  readonly #doors: Doors;
  readonly #cache: Reflector<Reservation>;
  readonly #ledger: () => Ledger | undefined;
  readonly #resource: Resource<Reservation>;
  readonly #queue: Queue;
  readonly #echo = new Echo<Reservation>();

  constructor(o: { doors: Doors; cache: Reflector<Reservation>; ledger: () => Ledger | undefined }) {
    this.#doors = o.doors;
    this.#cache = o.cache;
    this.#ledger = o.ledger;
    this.#resource = resource(o.doors.client, Reservations);
    const { clock, random, log } = o.doors;
    this.#queue = new Queue({
      run: (key) => this.#write(key),
      clock,
      random,
      log: log.child({ op: 'reservations' }),
    });
    this.#queue.start();
  }

  /** Tells that reservations may have changed, or who has what. */
  touch(): void {
    for (const { metadata } of this.#cache.store.list())
      this.#queue.addAfter(`${metadata.namespace}/${metadata.name}`, GATHER_MS);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #write(key: string): Promise<void> {
    const ledger = this.#ledger();
    const object = this.#echo.current(key, this.#cache.store.get(key));
    if (!object || !ledger) return;
    const { name, namespace = '', generation, resourceVersion } = object.metadata;
    const { ready, reason, message, ...shown } = standing(ledger, object);
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason,
      message,
      observedGeneration: generation,
    } as const;
    const before = object.status?.conditions ?? [];
    const conditions = withCondition(before, condition, kubeTime(this.#doors.clock.date()));
    const status: ReservationStatus = { observedGeneration: generation, conditions, ...shown };
    if (isDeepStrictEqual(status, { addresses: [], services: [], ...object.status })) return;
    try {
      const written = await this.#resource.mergePatch(
        { name, namespace },
        { metadata: { resourceVersion }, status },
        { subresource: 'status', fieldManager: this.#doors.fieldManager, signal: this.#doors.grace },
      );
      this.#echo.wrote(object, written);
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      this.#queue.addAfter(key, GATHER_MS);
    }
  }
}
