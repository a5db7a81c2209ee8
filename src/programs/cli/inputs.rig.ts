import { Secrets } from '../../domain/api/core.ts';
import { type DesiredObject, idOf, openContent } from '../../domain/desired/object.ts';
import type { Checked } from './check.ts';

type Spec = Readonly<Record<string, unknown>>;

export interface InputCase {
  /** Folder of the case. */
  readonly name: string;
  /** Files and folders that are named; absent: the whole folder. */
  readonly paths?: readonly string[];
  /** Herald's namespace; absent: metallb-system. */
  readonly namespace?: string;
  /** "IPAddressPool web" to its spec, all of them. */
  readonly objects: Readonly<Record<string, Spec>>;
  /** "warning file:line:column Code", all of them; without a severity an error. */
  readonly told: readonly string[];
  /** Chart values that the files amount to beside objects; absent: none. */
  readonly settings?: Spec;
  /** What cannot be read or built. */
  readonly unreadable?: readonly string[];
}

/** A pool with what the API server would fill in. */
export const pool = (addresses: readonly string[], more: Spec = {}): Spec => ({
  addresses,
  autoAssign: true,
  avoidBuggyIPs: false,
  ...more,
});
export const l2 = (ipAddressPools?: readonly string[], more: Spec = {}): Spec => ({
  ...(ipAddressPools && { ipAddressPools }),
  ...more,
});
export const bgp = (ipAddressPools: readonly string[], more: Spec = {}): Spec => ({
  ipAddressPools,
  aggregationLength: 32,
  aggregationLengthV6: 128,
  ...more,
});
export const peer = (more: Spec): Spec => ({
  peerPort: 179,
  disableMP: false,
  dualStackAddressFamily: false,
  ...more,
});

const contentOf = ({ kind, content }: DesiredObject) => {
  const open = openContent(content);
  return kind === Secrets ? open : open.spec;
};

/** "IPAddressPool web" to its spec; Secrets whole. */
export function objectsOf(checked: readonly Checked[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    checked.flatMap((c) => c.sources.flatMap((s) => s.objects.map((o) => [idOf(o), contentOf(o)]))),
  );
}
