export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** metav1.Condition. lastTransitionTime is RFC 3339 with second precision. */
export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

/** The condition on a Service that says what it got and why, or why nothing. */
export const ALLOCATED = 'herald.io/Allocated';

/** The condition on a speaker's ConfigurationState that says which addresses of its node another host has, too; a line each. */
export const ADDRESS_CONFLICT = 'herald.io/AddressConflict';

/** The condition on a speaker's ConfigurationState that says on which interfaces its node can no longer answer; a line each. */
export const INTERFACE_LOST = 'herald.io/InterfaceLost';

/** RFC 3339 with second precision, the form of metav1.Time. */
export function kubeTime(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/**
 * The list with this condition in it: replaced in place or appended. `now` becomes lastTransitionTime only when
 * the status differs from before, so that an unchanged condition makes no write.
 */
export function withCondition(
  list: readonly Condition[],
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): readonly Condition[] {
  const before = list.find((c) => c.type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  const next: Condition = { ...condition, lastTransitionTime };
  return before ? list.map((c) => (c === before ? next : c)) : [...list, next];
}

export function findCondition(list: readonly Condition[], type: string): Condition | undefined {
  return list.find((c) => c.type === type);
}
