import type { Condition } from './conditions.ts';
import { int, list, object, oneOfStrings, type Schema, str } from './schema.ts';

const TYPE =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?' +
  '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$';

const condition: Schema<Condition> = object(
  {
    lastTransitionTime: str('When the status last changed.', { format: 'date-time' }),
    message: str('What a person should know; may be empty.', { maxLength: 32_768 }),
    observedGeneration: int('Generation of the spec that this is about.', { format: 'int64', minimum: 0 }),
    reason: str('Why, in one UpperCamel word.', {
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    status: oneOfStrings(['True', 'False', 'Unknown'], 'Whether it holds.'),
    type: str('What the condition is about.', { maxLength: 316, pattern: TYPE }),
  },
  'metav1.Condition.',
  { required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'] },
);

/** A list of metav1.Condition as controller-gen writes it: a map by type. */
export function conditionList(about: string, o: { readonly maxItems?: number } = {}) {
  return list(condition, about, { listType: 'map', mapKeys: ['type'], ...o });
}
