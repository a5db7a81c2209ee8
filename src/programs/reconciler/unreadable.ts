import type { ReflectorState } from '../../platform/kube/reflector.ts';

/** A kind that cannot be read now, and why. */
export interface Unreadable {
  readonly kind: string;
  readonly phase: 'starting' | 'missing' | 'forbidden' | 'disconnected';
  readonly message: string;
}

/** A reflector that was in sync and lost its connection still has what it knew; one whose kind went away has not. */
export function unreadable(
  { synced, state }: { readonly synced: boolean; readonly state: ReflectorState },
  kind = '',
): Unreadable[] {
  const { phase, message = '' } = state;
  if (phase === 'synced' || (synced && phase === 'disconnected')) return [];
  return [{ kind, phase, message }];
}

/** A look makes sense only when it is known which of the kinds can be read. */
export function isUnsettled({ phase }: Unreadable): boolean {
  return phase === 'starting' || phase === 'disconnected';
}

/** For people: "BGPPeer: not served: is its CRD installed?". */
export function unreadableText({ kind, phase, message }: Unreadable): string {
  return `${kind}: ${WORDS[phase]} ${message}`.trim();
}

const WORDS: Readonly<Record<Unreadable['phase'], string>> = {
  starting: 'not read yet',
  missing: 'not served: is its CRD installed?',
  forbidden: 'forbidden',
  disconnected: 'unreachable',
};
