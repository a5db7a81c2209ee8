import { APPROVE } from '../../../domain/api/annotations.ts';
import { Plans } from '../../../domain/api/herald.ts';
import { rawKind } from '../../../domain/api/kind.ts';
import type { Address } from '../../../domain/desired/object.ts';
import type { KubeClient } from '../../../platform/kube/client.ts';
import { isForbidden, isNotFound } from '../../../platform/kube/errors.ts';
import { resource } from '../../../platform/kube/resource.ts';
import { CLUSTER_WIDE, IN_NAMESPACE } from './snapshot.ts';

/**
 * The objects of a snapshot, from the cluster. A kind that does not exist there has no objects; of kinds of the whole cluster none is
 * taken where one may not be read, since a part of the picture would say too little. Throws what the API server answers otherwise.
 */
export async function readCluster(client: KubeClient, namespace: string): Promise<readonly unknown[]> {
  const own = await Promise.all(IN_NAMESPACE.map((kind) => all(client, kind, namespace)));
  const wide = Promise.all(CLUSTER_WIDE.map((kind) => all(client, kind)));
  const seen = await wide.catch((e: unknown) => {
    if (isForbidden(e)) return [];
    throw e;
  });
  return [...own, ...seen].flat();
}

async function all(client: KubeClient, kind: Address, namespace?: string): Promise<readonly unknown[]> {
  try {
    const listed = await resource(client, rawKind(kind)).list(namespace === undefined ? {} : { namespace });
    return listed.items.map(({ raw }) => raw);
  } catch (e) {
    if (isNotFound(e)) return [];
    throw e;
  }
}

/** What an approval did. */
export type Approval =
  | { readonly approved: string; readonly summary: string }
  /** Nothing to approve, or another plan than was meant. */
  | { readonly refused: string };

/**
 * Approves the plan of a source: the one with this digest, or the one that the cluster shows now. The write carries the version that
 * was read, so that a plan which changes meanwhile is not the one approved.
 */
export async function approve(
  client: KubeClient,
  o: { readonly namespace: string; readonly source: string; readonly digest?: string },
): Promise<Approval> {
  const plans = resource(client, Plans);
  const ref = { name: o.source, namespace: o.namespace };
  const plan = await plans.get(ref);
  if (!plan) return { refused: `there is no Plan ${o.namespace}/${o.source}` };
  const { digest, summary } = plan.spec;
  if (plan.status?.state === 'Applied' || digest === '')
    return {
      refused: `Plan ${o.namespace}/${o.source} waits for nobody: it is ${plan.status?.state ?? 'new'}`,
    };
  if (o.digest !== undefined && !matches(digest, o.digest))
    return { refused: `Plan ${o.namespace}/${o.source} is another one by now: ${digest}, ${summary}` };
  await plans.mergePatch(
    ref,
    {
      metadata: {
        resourceVersion: plan.metadata.resourceVersion,
        annotations: { [APPROVE]: digest },
      },
    },
    { fieldManager: 'herald' },
  );
  return { approved: digest, summary };
}

/** Whole digests, with or without "sha256:", and their beginnings from eight digits on. */
function matches(digest: string, given: string): boolean {
  const hex = given.replace(/^sha256:/, '');
  return hex.length >= 8 && digest.slice('sha256:'.length).startsWith(hex);
}
