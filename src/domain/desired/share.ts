import type { Problem } from '../api/problem.ts';
import type { Built } from './build.ts';
import type { DesiredObject, LiveObject, View } from './object.ts';
import { type Finding, problemOf } from './source.ts';

/** One source's share in the set, while it is being settled. */
export interface Share {
  readonly built: Built;
  /** See Verdict. */
  state: 'accepted' | 'refused' | 'kept';
  readonly problems: Problem[];
  /** What is live of this source. */
  readonly live: readonly LiveObject[];
}

/** An object in the set. owner: absent for objects that others made. */
export interface Member extends View {
  readonly owner?: Share;
  readonly fresh?: DesiredObject;
}

/** Adds the finding to the source's problems; the source falls with it. */
export function refuse(share: Share, finding: Finding): void {
  share.problems.push(problemOf(share.built.source, finding));
  share.state = 'refused';
}
