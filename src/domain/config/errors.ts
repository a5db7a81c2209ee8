import type { Problem } from '../api/problem.ts';

/** What can be wrong with a set of metallb.io objects. Codes are stable and never used again for something else. */
export const codes = {
  PoolEmpty: 'a pool has no addresses',
  PoolRangeInvalid: 'an entry of a pool is neither a CIDR nor a range',
  PoolOverlap: 'two ranges share addresses',
  PoolDuplicate: 'two pools have one name',
  NamespaceDuplicate: 'a namespace is listed twice',
  SelectorInvalid: 'a label selector is not one',
  SelectorDuplicate: 'a label selector, or a part of one, is listed twice',
  NameDuplicate: 'a pool or peer is listed twice',
  CommunityInvalid: 'a BGP community is not one',
  CommunityDuplicate: 'two communities have one name',
  LargeCommunityUnsupported: 'native BGP does not speak large communities',
  ReservationInvalid: 'a reservation cannot be read, and has no effect',
  StrategyInvalid: 'an annotation names no way to choose addresses, and has no effect',
  MarkInvalid: 'an annotation that lists ranges of a pool cannot be read, and has no effect',
} as const;

export type Code = keyof typeof codes;

/** Collects Problems of one object. */
export type Complaint = (code: Code, path: string, said: string | Said) => void;

/** What is wrong, and how it is mended. */
type Said = Pick<Problem, 'message' | 'hint'>;

/** A complaint about the object, e.g. "IPAddressPool web", that adds to `problems`. */
export function complaining(
  problems: Problem[],
  object: string,
  more: Pick<Problem, 'severity'> = {},
): Complaint {
  return (code, path, said) => {
    problems.push({ code, ...more, object, path, ...(typeof said === 'string' ? { message: said } : said) });
  };
}
