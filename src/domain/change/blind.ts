import { sameJson } from '../desired/json.ts';
import { OWNED } from '../desired/object.ts';
import type { PartOf } from './causes.ts';
import { idOfWrite, type Update, type Write } from './diff.ts';
import { changesField, leaving, type Part } from './parts.ts';
import { effectOfReach, isPool, reaches, specOf } from './widen.ts';

/** Why everything that takes away waits where nobody knows whom it would hurt. */
export const BLIND = 'Services cannot be read, so that nobody knows whom it would hurt';

/** What to put back when Services cannot be read: all that does more than add. */
export function unseen(writes: Iterable<Write>): readonly PartOf[] {
  return [...writes].flatMap((write) => partsOf(write).map((part) => ({ id: idOfWrite(write), part })));
}

function partsOf(write: Write): readonly Part[] {
  if (write.verb === 'create') return [];
  if (write.verb === 'delete') return OWNED.some((k) => k.kind === write.live.kind.kind) ? ['whole'] : [];
  if (isPool(write.object)) return poolParts(write);
  return reaches(write.object) && !onlyAdds(write) ? ['whole'] : [];
}

/** Everybody may use a pool without serviceAllocation, and all of its addresses where it avoids none. */
function poolParts(write: Update): readonly Part[] {
  const after = specOf(write.object);
  const open = {
    serviceAllocation: after.serviceAllocation === undefined,
    avoidBuggyIPs: after.avoidBuggyIPs !== true,
  };
  return [
    ...leaving(write).map(({ index }) => `entry ${index}` as const),
    ...(['serviceAllocation', 'avoidBuggyIPs'] as const).filter(
      (field) => changesField(write, field) && !open[field],
    ),
    ...(changesField(write, 'labels') ? (['labels'] as const) : []),
  ];
}

/** Whether an advertisement or peer reaches all that it did, and is the same otherwise. */
function onlyAdds(write: Update): boolean {
  if (effectOfReach(write).gives) return false;
  const [before, after] = [specOf(write.live), specOf(write.object)];
  const wide = [
    'ipAddressPools',
    'ipAddressPoolSelectors',
    'nodeSelectors',
    'serviceSelectors',
    'interfaces',
    'peers',
  ];
  const rest = Object.keys({ ...before, ...after }).filter((field) => !wide.includes(field));
  return rest.every((field) => sameJson(before[field], after[field]));
}
