/**
 * HelmReleases as people write them: helm.toolkit.fluxcd.io/v2, v2beta2 and v2beta1, and Flux v1's helm.fluxcd.io/v1 and
 * flux.weave.works/v1beta1, read into one shape. For files; in the cluster only v2 is served.
 */
import { createHash } from 'node:crypto';
import { checker, pathText } from '../../api/check.ts';
import { withoutNulls } from '../../api/kind.ts';
import type { Problem } from '../../api/problem.ts';
import { anything, object, str, type TypeOf } from '../../api/schema.ts';
import type { Code } from '../errors.ts';
import type { ValuesReference } from './merge.ts';
import { LEGACY, META, TOOLKIT } from './release-schema.ts';

export interface Release {
  readonly apiVersion: string;
  /** Made for Flux v1's helm-operator, which composes values by rules of its own. */
  readonly legacy: boolean;
  readonly name: string;
  /** Absent: the text does not say where it goes. */
  readonly namespace?: string;
  /** Helm's name of it, as the controller makes it up where none is written. */
  readonly releaseName: string;
  readonly targetNamespace?: string;
  readonly suspend: boolean;
  readonly chart?: Chart;
  /** v2 and v2beta*: the artifact that is the chart. */
  readonly chartRef?: ObjectReference;
  /** As written, any JSON; see effectiveValues. */
  readonly values?: unknown;
  readonly valuesFrom: readonly ReleaseReference[];
  /** What Kustomize does to the rendered chart; as written. */
  readonly postRenderers: readonly unknown[];
}

export interface Chart {
  /** Name in its repository, or a path for a chart from git. */
  readonly name: string;
  /** A version or a range of them; absent: the newest. */
  readonly version?: string;
  /** Flux v1: URL of the chart's or git repository. */
  readonly repository?: string;
  readonly sourceRef?: ObjectReference;
  /** Files of the source that are merged over the chart's own values, before everything else. */
  readonly valuesFiles: readonly string[];
}

export interface ObjectReference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** An entry of valuesFrom, or Flux v1's forms of it. */
export type ReleaseReference =
  /** namespace: Flux v1 only; else the HelmRelease's own. */
  | ({ readonly from: 'object'; readonly namespace?: string } & ValuesReference)
  | { readonly from: 'url'; readonly url: string; readonly optional: boolean }
  | { readonly from: 'chartFile'; readonly path: string; readonly optional: boolean };

export interface ReadRelease {
  /** Absent: too much of it is malformed. */
  readonly release?: Release;
  readonly problems: readonly Problem[];
}

type Mistake = Pick<Problem, 'path' | 'message' | 'hint'> & { readonly code: Code };

const HEAD = checker(
  object({ apiVersion: str(), kind: str() }, undefined, { required: ['apiVersion', 'kind'] }),
);
const NAMED = checker(object({ metadata: META }, undefined, { required: ['metadata'] }));
/** The values as written: a null in them has a meaning. */
const VALUES = checker(
  object({ spec: object({ values: anything() }, undefined, { required: ['values'] }) }, undefined, {
    required: ['spec'],
  }),
);
const TOOLKIT_CHECK = checker(TOOLKIT);
const LEGACY_CHECK = checker(LEGACY);

const GROUPS =
  /^(helm\.toolkit\.fluxcd\.io|helm\.fluxcd\.io|flux\.weave\.works|helm\.integrations\.flux\.weave\.works)\//;

/** Reads a parsed YAML document; undefined when it is no HelmRelease of any Flux. */
export function readRelease(document: unknown): ReadRelease | undefined {
  if (!HEAD.fits(document)) return undefined;
  const { apiVersion, kind } = document;
  if (!GROUPS.test(apiVersion) || !/^(Flux)?HelmRelease$/.test(kind)) return undefined;
  const title = NAMED.fits(document)
    ? [document.metadata.namespace, document.metadata.name].filter((part) => part !== undefined).join('/')
    : undefined;
  const { release, mistakes } = read(document, apiVersion);
  const name = title === undefined ? `a ${kind}` : `${kind} ${title}`;
  return {
    ...(release && { release }),
    problems: mistakes.map((mistake) => ({ object: name, ...mistake })),
  };
}

function read(
  document: unknown,
  apiVersion: string,
): { readonly release?: Release; readonly mistakes: readonly Mistake[] } {
  const clean = withoutNulls(document);
  const values = VALUES.fits(document) ? document.spec.values : undefined;
  const misread = (misfits: readonly { path: readonly (string | number)[]; message: string }[]) => ({
    mistakes: misfits.map(
      ({ path, message }): Mistake => ({ code: 'ReleaseInvalid', path: pathText(path), message }),
    ),
  });
  switch (apiVersion) {
    case 'helm.toolkit.fluxcd.io/v2':
    case 'helm.toolkit.fluxcd.io/v2beta2':
    case 'helm.toolkit.fluxcd.io/v2beta1':
      if (!TOOLKIT_CHECK.fits(clean)) return misread(TOOLKIT_CHECK.misfits(clean));
      return { release: toolkit(clean, { apiVersion, values }), mistakes: chartMistakes(clean.spec) };
    case 'helm.fluxcd.io/v1':
    case 'flux.weave.works/v1beta1':
      if (!LEGACY_CHECK.fits(clean)) return misread(LEGACY_CHECK.misfits(clean));
      return { release: legacy(clean, { apiVersion, values }), mistakes: [] };
    default:
      return {
        mistakes: [
          {
            code: 'ReleaseUnsupported',
            path: 'apiVersion',
            message: `${apiVersion} is not read`,
            hint: 'write helm.toolkit.fluxcd.io/v2; v2beta2, v2beta1, helm.fluxcd.io/v1 and flux.weave.works/v1beta1 are read too',
          },
        ],
      };
  }
}

/** helm-controller takes exactly one of the two, and stalls otherwise. */
function chartMistakes(spec: TypeOf<typeof TOOLKIT>['spec']): readonly Mistake[] {
  if (spec.chart && spec.chartRef)
    return [
      {
        code: 'ReleaseInvalid',
        path: 'spec.chartRef',
        message: 'stands beside spec.chart',
        hint: 'keep one of the two',
      },
    ];
  if (spec.chart || spec.chartRef) return [];
  return [
    {
      code: 'ReleaseIncomplete',
      path: 'spec.chart',
      message: 'is missing, and spec.chartRef too',
      hint: 'write one of the two',
    },
  ];
}

interface AsWritten {
  readonly apiVersion: string;
  readonly values: unknown;
}

function toolkit({ metadata, spec }: TypeOf<typeof TOOLKIT>, { apiVersion, values }: AsWritten): Release {
  const { targetNamespace, chart, chartRef } = spec;
  const made = targetNamespace ? `${targetNamespace}-${metadata.name}` : metadata.name;
  return {
    apiVersion,
    legacy: false,
    ...place(metadata),
    releaseName: shortened(spec.releaseName || made),
    ...(targetNamespace !== undefined && { targetNamespace }),
    suspend: spec.suspend ?? false,
    ...(chart && { chart: toolkitChart(chart.spec) }),
    ...(chartRef && { chartRef }),
    ...(values !== undefined && { values }),
    valuesFrom: (spec.valuesFrom ?? []).map(({ literal, ...reference }) => ({
      from: 'object',
      ...reference,
      // The older versions do not have it: the API server drops it there.
      ...(literal !== undefined && apiVersion.endsWith('/v2') && { literal }),
    })),
    postRenderers: spec.postRenderers ?? [],
  };
}

function toolkitChart(spec: NonNullable<TypeOf<typeof TOOLKIT>['spec']['chart']>['spec']): Chart {
  // valuesFile is the older spelling, and comes first.
  const valuesFiles = [...(spec.valuesFile ? [spec.valuesFile] : []), ...(spec.valuesFiles ?? [])];
  return {
    name: spec.chart,
    ...(spec.version !== undefined && { version: spec.version }),
    ...(spec.sourceRef && { sourceRef: spec.sourceRef }),
    valuesFiles,
  };
}

function place({ name, namespace }: TypeOf<typeof META>): Pick<Release, 'name' | 'namespace'> {
  return { name, ...(namespace !== undefined && { namespace }) };
}

/** Helm's limit of 53 characters; helm-controller replaces the end by a hash of the whole. */
function shortened(name: string): string {
  if (name.length <= 53) return name;
  return `${name.slice(0, 40)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}

function legacy({ metadata, spec }: TypeOf<typeof LEGACY>, { apiVersion, values }: AsWritten): Release {
  const own = metadata.namespace ?? 'default';
  const target = spec.targetNamespace || own;
  const made = own === target ? `${target}-${metadata.name}` : `${own}-${target}-${metadata.name}`;
  const secrets = (spec.valueFileSecrets ?? []).map(
    ({ name }): ReleaseReference => ({ from: 'object', kind: 'Secret', name }),
  );
  return {
    apiVersion,
    legacy: true,
    ...place(metadata),
    releaseName: spec.releaseName || made,
    ...(spec.targetNamespace !== undefined && { targetNamespace: spec.targetNamespace }),
    suspend: false,
    ...(spec.chart && { chart: legacyChart(spec.chart) }),
    ...(values !== undefined && { values }),
    valuesFrom: [...secrets, ...(spec.valuesFrom ?? []).flatMap(legacyReference)],
    postRenderers: [],
  };
}

function legacyChart(chart: NonNullable<TypeOf<typeof LEGACY>['spec']['chart']>): Chart {
  const repository = chart.repository ?? chart.git;
  return {
    name: chart.name ?? chart.path ?? '',
    ...(chart.version !== undefined && { version: chart.version }),
    ...(repository !== undefined && { repository }),
    valuesFiles: [],
  };
}

type LegacyReference = NonNullable<TypeOf<typeof LEGACY>['spec']['valuesFrom']>[number];

/** The first form that is set counts. */
function legacyReference({
  configMapKeyRef,
  secretKeyRef,
  externalSourceRef,
  chartFileRef,
}: LegacyReference): readonly ReleaseReference[] {
  const key = configMapKeyRef ?? secretKeyRef;
  if (key) {
    const { name, namespace, key: valuesKey, optional } = key;
    return [
      {
        from: 'object',
        kind: configMapKeyRef ? 'ConfigMap' : 'Secret',
        name,
        ...(namespace && { namespace }),
        ...(valuesKey && { valuesKey }),
        ...(optional !== undefined && { optional }),
      },
    ];
  }
  if (externalSourceRef)
    return [{ from: 'url', url: externalSourceRef.url, optional: externalSourceRef.optional ?? false }];
  if (chartFileRef)
    return [{ from: 'chartFile', path: chartFileRef.path, optional: chartFileRef.optional ?? false }];
  return [];
}
