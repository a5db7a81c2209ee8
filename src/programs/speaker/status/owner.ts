import { Pods } from '../../../domain/api/core.ts';
import type { OwnerReference } from '../../../domain/api/object.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { resource } from '../../../platform/kube/resource.ts';
import type { SpeakerOptions } from '../options.ts';

/** The own Pod as an owner, so that status objects go when it goes; undefined outside a cluster. Throws as the client does. */
export type Owner = (signal: AbortSignal) => Promise<OwnerReference | undefined>;

/** Asks the API server once; a failure is asked again by whoever needs it next. */
export function ownPod(client: KubeClient, { podName: name, namespace }: SpeakerOptions): Owner {
  let known: OwnerReference | undefined;
  return async (signal) => {
    if (known || name === undefined) return known;
    const pod = await resource(client, Pods).get({ name, namespace }, { signal });
    if (!pod) return undefined;
    known = { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid };
    return known;
  };
}
