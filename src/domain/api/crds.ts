import type { Crd, CrdVersion } from './crd.ts';
import { addressProbeCrd, addressQuotaCrd, configSourceCrd, planCrd, reservationCrd } from './herald.ts';
import { bgpAdvertisementCrd, l2AdvertisementCrd } from './metallb/advertisements.ts';
import { bfdProfileCrd } from './metallb/bfd.ts';
import { communityCrd } from './metallb/community.ts';
import { peerCrd } from './metallb/peer.ts';
import { poolCrd } from './metallb/pool.ts';
import { configurationStateCrd, serviceBGPStatusCrd, serviceL2StatusCrd } from './metallb/status.ts';
import { object, type Schema, str } from './schema.ts';

/** Every custom resource that Herald brings. */
export const CRDS: readonly Crd[] = [
  poolCrd,
  l2AdvertisementCrd,
  bgpAdvertisementCrd,
  peerCrd,
  bfdProfileCrd,
  communityCrd,
  serviceL2StatusCrd,
  serviceBGPStatusCrd,
  configurationStateCrd,
  configSourceCrd,
  planCrd,
  reservationCrd,
  addressQuotaCrd,
  addressProbeCrd,
];

/** The CustomResourceDefinition object. Nobody converts: the API server changes apiVersion and prunes. */
export function crdManifest(crd: Crd): object {
  const { group, kind, plural, singular, shortNames } = crd;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular, ...(shortNames && { shortNames }) },
      scope: 'Namespaced',
      conversion: { strategy: 'None' },
      versions: crd.versions.map(versionManifest),
    },
  };
}

function versionManifest(version: CrdVersion): object {
  const columns = version.columns.map(({ name, type, path, priority }) => ({
    name,
    type,
    jsonPath: path,
    ...(priority !== undefined && { priority }),
  }));
  return {
    name: version.name,
    served: true,
    storage: version.storage,
    ...(version.deprecated !== undefined && {
      deprecated: true,
      deprecationWarning: version.deprecated,
    }),
    ...(columns.length > 0 && { additionalPrinterColumns: columns }),
    schema: { openAPIV3Schema: rootSchema(version) },
    subresources: { status: {} },
  };
}

/** The whole object's schema; of metadata a CRD may say no more than that it is an object. */
export function rootSchema(version: CrdVersion): Schema {
  const { about, spec, status, required = [] } = version;
  const properties: Record<string, Schema> = {
    apiVersion: str('Group and version of this object.'),
    kind: str('Kind of this object.'),
    metadata: object({}),
    ...(spec && { spec }),
    ...(status && { status }),
  };
  return object(properties, about, { required });
}
