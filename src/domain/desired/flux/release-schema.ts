/** The parts of a HelmRelease that matter, in Flux's own words. */
import { VALUES_REFERENCES } from '../../api/flux.ts';
import { anything, bool, list, map, object, str } from '../../api/schema.ts';

const OBJECT_REFERENCE = object({ kind: str(), name: str(), namespace: str() }, undefined, {
  required: ['kind', 'name'],
});
/** What every HelmRelease has. */
export const META = object({ name: str(), namespace: str() }, undefined, { required: ['name'] });

/** helm.toolkit.fluxcd.io, as far as it is read. */
export const TOOLKIT = object(
  {
    metadata: META,
    spec: object({
      releaseName: str(),
      targetNamespace: str(),
      suspend: bool(),
      chart: object(
        {
          spec: object(
            {
              chart: str(),
              version: str(),
              sourceRef: OBJECT_REFERENCE,
              valuesFile: str(),
              valuesFiles: list(str()),
            },
            undefined,
            { required: ['chart'] },
          ),
        },
        undefined,
        { required: ['spec'] },
      ),
      chartRef: OBJECT_REFERENCE,
      valuesFrom: VALUES_REFERENCES,
      postRenderers: list(map(anything())),
    }),
  },
  undefined,
  { required: ['metadata', 'spec'] },
);

const KEY = object({ name: str(), namespace: str(), key: str(), optional: bool() }, undefined, {
  required: ['name'],
});
/** Flux v1's, as far as it is read. */
export const LEGACY = object(
  {
    metadata: META,
    spec: object({
      releaseName: str(),
      targetNamespace: str(),
      chart: object({ repository: str(), name: str(), version: str(), git: str(), ref: str(), path: str() }),
      valueFileSecrets: list(object({ name: str() }, undefined, { required: ['name'] })),
      valuesFrom: list(
        object({
          configMapKeyRef: KEY,
          secretKeyRef: KEY,
          externalSourceRef: object({ url: str(), optional: bool() }, undefined, { required: ['url'] }),
          chartFileRef: object({ path: str(), optional: bool() }, undefined, { required: ['path'] }),
        }),
      ),
    }),
  },
  undefined,
  { required: ['metadata', 'spec'] },
);
