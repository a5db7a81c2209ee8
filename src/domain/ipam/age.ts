import type { Service } from '../api/core.ts';
import { keyOf } from '../api/object.ts';
import { ingressTexts } from './converge.ts';

/** The order of adoption: assigned ones first, those with two addresses before those with one; then the oldest. */
export function byAge(a: Service, b: Service): number {
  const assigned = ingressTexts(b).length - ingressTexts(a).length;
  if (assigned !== 0) return assigned;
  const rank = ({ metadata }: Service) => `${metadata.creationTimestamp ?? ''} ${keyOf({ metadata })}`;
  return rank(a) < rank(b) ? -1 : 1;
}
