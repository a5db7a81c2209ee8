import { conditionList } from '../condition-schema.ts';
import { type Crd, type Custom, customKind } from '../crd.ts';
import type { Kind } from '../object.ts';
import { cel, int, list, object, oneOfStrings, str, type TypeOf } from '../schema.ts';
import { DIGEST_LENGTH, GROUP, NAME, NOT_YET, observedGeneration } from './common.ts';

const spec = object(
  {
    secretName: str('Secret with the values that Helm applied, in key "values.json"; same namespace.', NAME),
    digest: str(
      '"sha256:" and the hex digest of that text. Other text in the Secret is told, never acted on.',
      {
        pattern: '^sha256:[0-9a-f]{64}$',
        maxLength: DIGEST_LENGTH,
      },
    ),
    configMap: object(
      {
        name: str('Name of the ConfigMap.', NAME),
        namespace: str('Namespace of the ConfigMap.', { minLength: 1, maxLength: 63 }),
      },
      'ConfigMap with label herald.io/source: "true". The reconciler itself makes these ConfigSources.',
      { required: ['name', 'namespace'] },
    ),
    objects: oneOfStrings(
      ['operator'],
      "AddressPool and MetalLB objects of Herald's namespace, the kinds of OpenShift's operator. The reconciler itself makes this ConfigSource.",
    ),
    helmRelease: object(
      {
        name: str('Name of the HelmRelease.', NAME),
        namespace: str('Namespace of the HelmRelease.', { minLength: 1, maxLength: 63 }),
      },
      "HelmRelease that delivers the values, where the labels on Herald's Deployment do not lead to it.",
      { required: ['name', 'namespace'] },
    ),
  },
  'Where the configuration comes from: applied values, a ConfigMap, or objects.',
  {
    rules: [
      cel(
        '[has(self.secretName), has(self.configMap), has(self.objects)].exists_one(x, x)',
        'exactly one of secretName, configMap and objects is required',
      ),
      cel('has(self.secretName) == has(self.digest)', 'secretName and digest belong together'),
    ],
  },
);

const problem = object(
  {
    code: str('Stable word for the kind of mistake.', { maxLength: 128 }),
    severity: oneOfStrings(['error', 'warning', 'notice'], 'An error stops the source, the others do not.'),
    object: str('What it is about, such as "IPAddressPool web".', { maxLength: 512 }),
    path: str('Place in the values, such as "pools.web.addresses[1]".', { maxLength: 1024 }),
    source: str('Where the text came from, such as "ConfigMap metallb-system/base".', { maxLength: 1024 }),
    line: int('Line, from 1.', { format: 'int32', minimum: 1 }),
    column: int('Column, from 1.', { format: 'int32', minimum: 1 }),
    message: str('What is wrong.', { maxLength: 2048 }),
    hint: str('How to mend it.', { maxLength: 2048 }),
  },
  'A mistake in the source.',
  { required: ['code', 'path', 'message'] },
);

/** Most problems that a ConfigSource lists; problemCount tells how many there are. */
export const MAX_PROBLEMS = 32;

const status = object(
  {
    observedGeneration,
    conditions: conditionList('Ready, Reconciling and Stalled, as kstatus reads them.', { maxItems: 16 }),
    digest: str('Digest of the values in force: the last ones that were accepted.', {
      maxLength: DIGEST_LENGTH,
    }),
    source: str('The source in words, such as "Secret metallb-system/herald-values".', { maxLength: 1024 }),
    helmRelease: str('The HelmRelease that delivered the values, as "namespace/name".', { maxLength: 512 }),
    pools: int('Number of pools in force from this source.', { format: 'int32', minimum: 0 }),
    objects: int('Number of objects in force from this source.', { format: 'int32', minimum: 0 }),
    problemCount: int('Number of problems found at the last look.', { format: 'int32', minimum: 0 }),
    problems: list(problem, 'The first of them.', { listType: 'atomic', maxItems: MAX_PROBLEMS }),
  },
  'How far the reconciler is with the source.',
  { default: NOT_YET },
);

const condition = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

export const configSourceCrd: Crd = {
  group: GROUP,
  kind: 'ConfigSource',
  plural: 'configsources',
  singular: 'configsource',
  shortNames: ['hcs'],
  versions: [
    {
      name: 'v1alpha1',
      about: 'A source of configuration, and whether Herald has accepted it.',
      storage: true,
      columns: [
        { name: 'Ready', type: 'string', path: condition('status') },
        { name: 'Reason', type: 'string', path: condition('reason') },
        { name: 'Pools', type: 'integer', path: '.status.pools' },
        { name: 'Age', type: 'date', path: '.metadata.creationTimestamp' },
        { name: 'Source', type: 'string', path: '.status.source' },
        { name: 'Status', type: 'string', path: condition('message') },
        { name: 'Digest', type: 'string', path: '.status.digest', priority: 10 },
      ],
      spec,
      status,
      required: ['spec'],
    },
  ],
};

export type ConfigSourceSpec = TypeOf<typeof spec>;
export type ConfigSourceStatus = TypeOf<typeof status>;
export type ConfigSource = Custom<ConfigSourceSpec, ConfigSourceStatus>;
export const ConfigSources: Kind<ConfigSource> = customKind({
  crd: configSourceCrd,
  version: 'v1alpha1',
  spec,
  status,
});
