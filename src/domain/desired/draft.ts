import type { Problem } from '../api/problem.ts';
import type { ChangePolicy, HeraldValues } from '../api/values.ts';
import type { JsonObject } from './json.ts';
import type { Place } from './path.ts';

/** Keys of native values whose entries become objects. */
export type Section =
  | 'communities'
  | 'bfdProfiles'
  | 'bgpPeers'
  | 'pools'
  | 'l2Advertisements'
  | 'bgpAdvertisements'
  | 'reservations'
  | 'quotas';

/** One object as a source wants it, in the words of native values: before defaults, labels of ours and checks. */
export interface Draft extends Place {
  readonly section: Section;
  readonly name: string;
  /** What the source calls the object, where that is not its kind and name: "AddressPool web". */
  readonly subject?: string;
  /** Fields of the kind's spec in upstream's spelling; a peer's password stands here too, and goes into a Secret later. */
  readonly spec: JsonObject;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly onChange?: ChangePolicy;
}

/** What a dialect makes of a source. With an error among the problems the drafts count for nothing. */
export interface Reading {
  readonly drafts: readonly Draft[];
  readonly problems: readonly Problem[];
  /** Chart values that the source's installation settings amount to: { controller, speaker, loadBalancerClass }. */
  readonly settings?: JsonObject;
  /** Others announce its pools: that nothing here does is no mistake. */
  readonly elsewhere?: true;
  /** Herald's own values, where the source is written in them. */
  readonly values?: HeraldValues;
}
