import { checker } from './check.ts';
import type { ConditionStatus } from './conditions.ts';
import { kind } from './kind.ts';
import type { Kind, KubeObject } from './object.ts';
import { anything, bool, int, list, object, oneOfStrings, str, type TypeOf } from './schema.ts';

/** One entry of spec.valuesFrom; valuesKey defaults to "values.yaml". */
export interface ValuesReference {
  readonly kind: string;
  readonly name: string;
  readonly valuesKey?: string;
  readonly targetPath?: string;
  readonly optional?: boolean;
  readonly literal?: boolean;
}

/** One release that helm-controller made; status.history holds the newest first. */
export interface ReleaseSnapshot {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly status: string;
  readonly configDigest: string;
  readonly chartVersion: string;
}

export interface HelmReleaseCondition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

/**
 * helm.toolkit.fluxcd.io/v2 HelmRelease. spec.values is any JSON, because helm-controller swallows a value that is
 * not a map. status.observedGeneration: -1 until helm-controller has been there.
 */
export interface HelmRelease extends KubeObject {
  readonly spec: {
    readonly suspend: boolean;
    readonly releaseName?: string;
    readonly targetNamespace?: string;
    readonly storageNamespace?: string;
    readonly values?: unknown;
    readonly valuesFrom: readonly ValuesReference[];
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly lastAttemptedConfigDigest?: string;
    readonly history: readonly ReleaseSnapshot[];
    readonly conditions: readonly HelmReleaseCondition[];
  };
}

const SNAPSHOT = object({
  name: str(),
  namespace: str(),
  version: int(),
  status: str(),
  configDigest: str(),
  chartVersion: str(),
});

/** Schema of spec.valuesFrom. */
export const VALUES_REFERENCES = list(
  object(
    {
      kind: str(),
      name: str(),
      valuesKey: str(),
      targetPath: str(),
      optional: bool(),
      literal: bool(),
    },
    undefined,
    { required: ['kind', 'name'] },
  ),
);

const SCHEMA = object(
  {
    spec: object({
      suspend: bool(),
      releaseName: str(),
      targetNamespace: str(),
      storageNamespace: str(),
      valuesFrom: VALUES_REFERENCES,
    }),
    status: object({
      observedGeneration: int(),
      lastAttemptedConfigDigest: str(),
      history: list(SNAPSHOT),
      conditions: list(
        object(
          { type: str(), status: oneOfStrings(['True', 'False', 'Unknown']), reason: str(), message: str() },
          undefined,
          { required: ['type', 'status'] },
        ),
      ),
    }),
  },
  undefined,
  { required: ['spec'] },
);

/** The values as written: a null in them has a meaning, so they are taken from the object as it came. */
const VALUES = checker(
  object({ spec: object({ values: anything() }, undefined, { required: ['values'] }) }, undefined, {
    required: ['spec'],
  }),
);

export const HelmReleases: Kind<HelmRelease> = kind({
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  kind: 'HelmRelease',
  plural: 'helmreleases',
  namespaced: true,
  schema: SCHEMA,
  project: ({ spec, status = {} }: TypeOf<typeof SCHEMA>, metadata, original) => ({
    metadata,
    spec: {
      suspend: spec.suspend ?? false,
      ...(spec.releaseName !== undefined && { releaseName: spec.releaseName }),
      ...(spec.targetNamespace !== undefined && { targetNamespace: spec.targetNamespace }),
      ...(spec.storageNamespace !== undefined && { storageNamespace: spec.storageNamespace }),
      ...(VALUES.fits(original) && { values: original.spec.values }),
      valuesFrom: spec.valuesFrom ?? [],
    },
    status: {
      observedGeneration: status.observedGeneration ?? -1,
      ...(status.lastAttemptedConfigDigest !== undefined && {
        lastAttemptedConfigDigest: status.lastAttemptedConfigDigest,
      }),
      history: (status.history ?? []).map(snapshot),
      conditions: (status.conditions ?? []).map((c) => ({
        type: c.type,
        status: c.status,
        reason: c.reason ?? '',
        message: c.message ?? '',
      })),
    },
  }),
});

function snapshot(raw: TypeOf<typeof SNAPSHOT>): ReleaseSnapshot {
  return {
    name: raw.name ?? '',
    namespace: raw.namespace ?? '',
    version: raw.version ?? 0,
    status: raw.status ?? '',
    configDigest: raw.configDigest ?? '',
    chartVersion: raw.chartVersion ?? '',
  };
}
