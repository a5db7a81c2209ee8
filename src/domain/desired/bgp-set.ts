import type { View } from './object.ts';
import type { Finding } from './source.ts';

/** What speaks BGP: upstream's own code, or FRR. FRR can do more, and wants peers that fit together. */
export type BgpBackEnd = 'native' | 'frr';

/** The objects around BGP, of all kinds that there are. */
export interface BgpSet<T extends View> {
  readonly objects: readonly T[];
  readonly backEnd: BgpBackEnd;
  /** The place of a field, in the words of whoever reads the messages. */
  readonly place: (object: T, field: string) => string;
}

/** A mistake that shows when the objects are seen together. No message repeats a value; `detail` may. */
export interface BgpMistake<T extends View> extends Omit<Finding, 'path' | 'object'> {
  readonly of: T;
  /** "spec.localPref". */
  readonly field: string;
}

/** `what`: the subject, where it is not the field itself. */
export function needsFrr<T extends View>(of: T, field: string, what = ''): BgpMistake<T> {
  return {
    code: 'NeedsFrr',
    severity: 'warning',
    of,
    field,
    message: `${what} needs FRR as BGP back end`.trimStart(),
  };
}
