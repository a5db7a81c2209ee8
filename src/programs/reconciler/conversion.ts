import { type Checker, checker } from '../../domain/api/check.ts';
import { object, str, type TypeOf } from '../../domain/api/schema.ts';
import { isForbidden, isNotFound, type KubeClient } from '../../platform/kube/client.ts';

const CRD = 'bgppeers.metallb.io';
const conversionOf = object({ spec: object({ conversion: object({ strategy: str() }) }) });
const CONVERSION: Checker<TypeOf<typeof conversionOf>> = checker(conversionOf);

/** Another product's conversion webhook stands on a definition that Herald needs. */
export class ForeignConversion extends Error {
  override readonly name = 'ForeignConversion';
}

/**
 * Throws ForeignConversion when BGPPeers are converted by a webhook: upstream's chart leaves one behind, and without its
 * server no BGPPeer can be read or written any more. What may not be looked at is taken to be in order.
 */
export async function refuseForeignConversion(client: KubeClient, signal: AbortSignal): Promise<void> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD}`;
  const found = await client.request({ method: 'GET', path, signal }).catch((e: unknown) => {
    if (isNotFound(e) || isForbidden(e)) return undefined;
    throw e;
  });
  if (!CONVERSION.fits(found) || found.spec?.conversion?.strategy !== 'Webhook') return;
  throw new ForeignConversion(
    `CustomResourceDefinition ${CRD} converts by a webhook of another installation; ` +
      "replace it by this chart's own (kubectl replace -f crds/bgppeers.metallb.io.yaml, or crds: CreateReplace in the HelmRelease)",
  );
}
