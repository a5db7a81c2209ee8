import { INSTANCE } from '../../domain/api/annotations.ts';
import { Secrets } from '../../domain/api/core.ts';
import { type Address, type LiveObject, liveKind, OWNED } from '../../domain/desired/object.ts';
import { isForbidden, isNotFound } from '../../platform/kube/client.ts';
import { resource } from '../../platform/kube/resource.ts';
import type { Options } from './options.ts';
import type { Overlay } from './overlay.ts';

/** Which objects of a kind are looked at. Secrets are read only where our label stands on them; of the other kinds foreign ones matter too. */
export function whereOf({ kind }: Address, { namespace, release }: Pick<Options, 'namespace' | 'release'>) {
  return { namespace, ...(kind === Secrets.kind && { labelSelector: `${INSTANCE}=${release}` }) };
}

/**
 * Lays what the API server has at this moment over what the watches brought: after a write without an answer nobody knows whether it
 * was done, and a watch that was cut with it may not say so for a while. Kinds that cannot be read are left out. Throws what the
 * API server answers.
 */
export async function askAfresh(
  o: Pick<Options, 'client' | 'namespace' | 'release'>,
  { overlay, watched }: { readonly overlay: Overlay; readonly watched: readonly LiveObject[] },
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    OWNED.map(async (address) => {
      try {
        const { items } = await resource(o.client, liveKind(address)).list({
          ...whereOf(address, o),
          signal,
        });
        overlay.asked(
          items,
          watched.filter(({ kind }) => kind.kind === address.kind),
        );
      } catch (e) {
        if (!isForbidden(e) && !isNotFound(e)) throw e;
      }
    }),
  );
}
