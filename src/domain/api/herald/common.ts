import { int, list, map, object, str } from '../schema.ts';

/** Group of the kinds below. Every list and text of them is bounded, which keeps the cost of CEL rules bounded too. */
export const GROUP = 'herald.io';
export const NAME = { minLength: 1, maxLength: 253 } as const;
/** Length of "sha256:" and 64 hex digits. */
export const DIGEST_LENGTH = 71;

export const observedGeneration = int(
  'Generation of the spec that this status is about; -1 before the first look.',
  { format: 'int64', minimum: -1 },
);

/** Clients that wait (kubectl, Flux, Helm) take an object without status as current; -1 says "not yet". */
export const NOT_YET = { observedGeneration: -1 } as const;

const ATOMIC = { listType: 'atomic' } as const;

/** Names of objects, at most 64. */
export const names = (about: string) => list(str('Name.', NAME), about, { ...ATOMIC, maxItems: 64 });

/** Label selectors of which one must match. */
export const anyOfSelectors = (about: string) => list(selector, about, { ...ATOMIC, maxItems: 16 });

const requirement = object(
  {
    key: str('Label key that the requirement is about.', { maxLength: 317 }),
    operator: str('In, NotIn, Exists or DoesNotExist.', { maxLength: 16 }),
    values: list(
      str('Value.', { maxLength: 63 }),
      'Values for In and NotIn; empty for Exists and DoesNotExist.',
      { ...ATOMIC, maxItems: 64 },
    ),
  },
  'One requirement on a label.',
  { required: ['key', 'operator'] },
);

const selector = object(
  {
    matchExpressions: list(requirement, 'Requirements that must all hold.', { ...ATOMIC, maxItems: 16 }),
    matchLabels: map(str(), 'Labels that must be present with exactly these values.'),
  },
  'Selects objects by their labels.',
  { mapType: 'atomic' },
);
