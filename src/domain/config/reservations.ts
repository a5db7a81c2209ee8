import type { Reservation as ReservationObject } from '../api/herald.ts';
import type { Problem } from '../api/problem.ts';
import { parseAddressOrRange, type Range } from '../ip/range.ts';
import { union } from '../ip/ranges.ts';
import type { Reservation } from './config.ts';
import { complaining } from './errors.ts';

/** What an object reserves, or what is wrong with it: one entry that cannot be read makes the whole object void. */
export function reservationOf({
  metadata,
  spec,
}: ReservationObject): Reservation | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const complain = complaining(problems, `Reservation ${metadata.name}`, { severity: 'warning' });
  const { addresses = [], namespace, service } = spec;
  if (addresses.length === 0 && service === undefined)
    complain('ReservationInvalid', 'spec', 'there is nothing to keep: neither addresses nor a service');
  const ranges: Range[] = [];
  for (const [index, text] of addresses.entries()) {
    const read = parseAddressOrRange(text);
    if ('range' in read) ranges.push(read.range);
    else complain('ReservationInvalid', `spec.addresses[${index}]`, read.error);
  }
  if (problems.length > 0) return { problems };
  return {
    name: metadata.name,
    namespace,
    ...(service !== undefined && { service }),
    ranges: union(ranges),
  };
}

/** Those that can be read; the others have no effect, and are warned about. */
export function readReservations(
  objects: readonly ReservationObject[],
  warnings: Problem[],
): readonly Reservation[] {
  return objects.flatMap((object) => {
    const read = reservationOf(object);
    if (!('problems' in read)) return [read];
    warnings.push(...read.problems);
    return [];
  });
}
