import { int } from '../schema.ts';

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
