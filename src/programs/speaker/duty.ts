import type { Service } from '../../domain/api/core.ts';
import type { Verdict } from '../../domain/election/judge.ts';
import type { NotOwner } from '../../domain/election/reasons.ts';
import type { Address } from '../../domain/ip/address.ts';

export type Announce = Extract<Verdict, { announce: true }>;
export type Withhold = Extract<Verdict, { announce: false }>;

/** What this node does for a Service. */
export interface Duty {
  readonly addresses: readonly Address[];
  readonly interfaces: 'all' | ReadonlySet<string>;
}

/** Another node that announces a Service, and why this one did not. */
export interface Rival {
  readonly owner: string;
  readonly why: NotOwner | undefined;
}

/** A Service that is being decided about. */
export interface Subject {
  readonly key: string;
  readonly service: Service | undefined;
  /** When the change that led to it was seen. */
  readonly since: number | undefined;
}
