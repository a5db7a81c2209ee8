import { describe, expect, it } from 'vitest';
import { parseTree } from '../../../platform/files/tree.ts';
import { parseYaml } from '../../../platform/files/yaml.ts';
import { composeValues } from './compose.ts';
import { ValuesError } from './errors.ts';
import { type Release, readRelease } from './release.ts';
import { toJson } from './value.ts';

function read(text: string) {
  const parsed = parseYaml(text, { source: 'test' });
  if ('problems' in parsed) throw new Error('not YAML');
  return readRelease(parsed.value);
}
function release(text: string): Release {
  const got = read(text)?.release;
  if (!got) throw new Error('no HelmRelease');
  return got;
}
const toolkit = (version: string, spec: string, metadata = '{name: lb, namespace: apps}') =>
  release(`
apiVersion: helm.toolkit.fluxcd.io/${version}
kind: HelmRelease
metadata: ${metadata}
spec: ${spec}`);
const legacy = (spec: string, metadata = '{name: lb, namespace: apps}', apiVersion = 'helm.fluxcd.io/v1') =>
  release(`{apiVersion: ${apiVersion}, kind: HelmRelease, metadata: ${metadata}, spec: ${spec}}`);

describe('one shape for every version', () => {
  it.each(['v2', 'v2beta2', 'v2beta1'])('reads %s', (version) => {
    expect(
      toolkit(
        version,
        `
  interval: 5m
  releaseName: metallb
  targetNamespace: metallb-system
  suspend: true
  chart:
    spec:
      chart: metallb
      version: 0.13.x
      sourceRef: {kind: HelmRepository, name: metallb, namespace: flux-system}
  valuesFrom:
    - {kind: ConfigMap, name: base}
    - {kind: Secret, name: keys, valuesKey: v, targetPath: a.b, optional: true}
  values: {a: null}
  postRenderers: [{kustomize: {patches: []}}]`,
      ),
    ).toEqual({
      apiVersion: `helm.toolkit.fluxcd.io/${version}`,
      legacy: false,
      name: 'lb',
      namespace: 'apps',
      releaseName: 'metallb',
      targetNamespace: 'metallb-system',
      suspend: true,
      chart: {
        name: 'metallb',
        version: '0.13.x',
        sourceRef: { kind: 'HelmRepository', name: 'metallb', namespace: 'flux-system' },
        valuesFiles: [],
      },
      valuesFrom: [
        { from: 'object', kind: 'ConfigMap', name: 'base' },
        { from: 'object', kind: 'Secret', name: 'keys', valuesKey: 'v', targetPath: 'a.b', optional: true },
      ],
      values: { a: null },
      postRenderers: [{ kustomize: { patches: [] } }],
    });
  });

  it.each(['helm.fluxcd.io/v1', 'flux.weave.works/v1beta1'])('reads %s', (apiVersion) => {
    expect(
      legacy(
        `{
      releaseName: metallb,
      chart: {repository: 'https://example.org/charts/', name: metallb, version: 0.12.0},
      valueFileSecrets: [{name: first}],
      valuesFrom: [
        {configMapKeyRef: {name: base, namespace: other, key: v.yaml, optional: true}},
        {secretKeyRef: {name: keys}},
        {externalSourceRef: {url: 'https://example.org/v.yaml', optional: true}},
        {chartFileRef: {path: envs/prod.yaml}}],
      values: {a: 1}}`,
        undefined,
        apiVersion,
      ),
    ).toEqual({
      apiVersion,
      legacy: true,
      name: 'lb',
      namespace: 'apps',
      releaseName: 'metallb',
      suspend: false,
      chart: {
        name: 'metallb',
        version: '0.12.0',
        repository: 'https://example.org/charts/',
        valuesFiles: [],
      },
      valuesFrom: [
        { from: 'object', kind: 'Secret', name: 'first' },
        {
          from: 'object',
          kind: 'ConfigMap',
          name: 'base',
          namespace: 'other',
          valuesKey: 'v.yaml',
          optional: true,
        },
        { from: 'object', kind: 'Secret', name: 'keys' },
        { from: 'url', url: 'https://example.org/v.yaml', optional: true },
        { from: 'chartFile', path: 'envs/prod.yaml', optional: false },
      ],
      values: { a: 1 },
      postRenderers: [],
    });
  });

  it('reads a chart from git of Flux v1, and the older spelling of one values file', () => {
    expect(legacy('{chart: {git: git@example.org:x.git, ref: main, path: charts/lb}}').chart).toEqual({
      name: 'charts/lb',
      repository: 'git@example.org:x.git',
      valuesFiles: [],
    });
    expect(
      toolkit('v2beta1', '{chart: {spec: {chart: ./lb, valuesFile: a.yaml, valuesFiles: [b.yaml]}}}').chart,
    ).toEqual({ name: './lb', valuesFiles: ['a.yaml', 'b.yaml'] });
  });

  it('reads a chart reference', () => {
    const { chart, chartRef } = toolkit('v2', '{chartRef: {kind: OCIRepository, name: herald}}');
    expect(chart).toBeUndefined();
    expect(chartRef).toEqual({ kind: 'OCIRepository', name: 'herald' });
  });

  it('takes literal only where the version has it', () => {
    const spec =
      '{chartRef: {kind: HelmChart, name: c}, valuesFrom: [{kind: Secret, name: s, targetPath: a, literal: true}]}';
    expect(toolkit('v2', spec).valuesFrom[0]).toMatchObject({ literal: true });
    expect(toolkit('v2beta2', spec).valuesFrom[0]).not.toHaveProperty('literal');
  });

  it('takes a null for a field that is not set', () => {
    expect(toolkit('v2', '{chart: null, releaseName: null, valuesFrom: null, suspend: null}')).toMatchObject({
      releaseName: 'lb',
      valuesFrom: [],
      suspend: false,
    });
  });
});

describe('the name of the release', () => {
  const long = 'a-release-with-a-name-that-is-longer-than-helm-allows-it';
  it.each([
    ['{releaseName: given, targetNamespace: other}', 'lb', 'given'],
    ['{targetNamespace: other}', 'lb', 'other-lb'],
    ['{releaseName: ""}', 'lb', 'lb'],
    ['{}', 'lb', 'lb'],
    // sha256 of the name: 40 characters, a hyphen, 12 digits.
    ['{}', long, 'a-release-with-a-name-that-is-longer-tha-49995d60b847'],
    ['{}', 'x'.repeat(53), 'x'.repeat(53)],
  ])('of helm-controller for %s and %s is %s', (spec, name, expected) => {
    expect(toolkit('v2', spec, `{name: ${name}, namespace: apps}`).releaseName).toBe(expected);
  });

  it.each([
    ['{}', '{name: lb, namespace: apps}', 'apps-lb'],
    ['{}', '{name: lb}', 'default-lb'],
    ['{targetNamespace: apps}', '{name: lb, namespace: apps}', 'apps-lb'],
    ['{targetNamespace: other}', '{name: lb, namespace: apps}', 'apps-other-lb'],
    ['{releaseName: given}', '{name: lb}', 'given'],
  ])('of helm-operator for %s and %s is %s', (spec, metadata, expected) => {
    expect(legacy(spec, metadata).releaseName).toBe(expected);
  });
});

describe('what is no HelmRelease that Flux takes', () => {
  it.each([
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}',
    '{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmChart, metadata: {name: a}}',
    '{apiVersion: apps.example.org/v1, kind: HelmRelease, metadata: {name: a}}',
    '{pools: {}}',
    '[]',
    'text',
  ])('passes over %s', (text) => {
    expect(read(text)).toBeUndefined();
  });

  const problems = (text: string) =>
    read(text)?.problems.map(({ code, path, message }) => `${code} ${path} ${message}`);
  const head = 'apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: lb}';

  it('names a version that nothing reads', () => {
    expect(
      read('{apiVersion: helm.toolkit.fluxcd.io/v3, kind: HelmRelease, metadata: {name: lb, namespace: a}}'),
    ).toEqual({
      problems: [
        {
          code: 'ReleaseUnsupported',
          object: 'HelmRelease a/lb',
          path: 'apiVersion',
          message: 'helm.toolkit.fluxcd.io/v3 is not read',
          hint: 'write helm.toolkit.fluxcd.io/v2; v2beta2, v2beta1, helm.fluxcd.io/v1 and flux.weave.works/v1beta1 are read too',
        },
      ],
    });
    expect(
      problems(
        '{apiVersion: helm.integrations.flux.weave.works/v1alpha2, kind: FluxHelmRelease, metadata: {name: lb}}',
      ),
    ).toEqual(['ReleaseUnsupported apiVersion helm.integrations.flux.weave.works/v1alpha2 is not read']);
  });

  it('refuses both a chart and a chart reference, and tells that neither stands there', () => {
    const chart = 'chart: {spec: {chart: c}}';
    const chartRef = 'chartRef: {kind: OCIRepository, name: c}';
    expect(problems(`{${head}, spec: {${chart}}}`)).toEqual([]);
    expect(problems(`{${head}, spec: {${chartRef}}}`)).toEqual([]);
    expect(problems(`{${head}, spec: {${chart}, ${chartRef}}}`)).toEqual([
      'ReleaseInvalid spec.chartRef stands beside spec.chart',
    ]);
    // A patch is such a HelmRelease: its values are read all the same.
    expect(problems(`{${head}, spec: {values: {a: 1}}}`)).toEqual([
      'ReleaseIncomplete spec.chart is missing, and spec.chartRef too',
    ]);
    expect(read(`{${head}, spec: {values: {a: 1}}}`)?.release?.values).toEqual({ a: 1 });
  });

  it('names every field that does not fit, in one go', () => {
    expect(
      problems(`{${head}, spec: {suspend: "yes", valuesFrom: [{kind: ConfigMap}, {name: 1, kind: Secret}]}}`),
    ).toEqual([
      'ReleaseInvalid spec.suspend must be true or false, not text',
      'ReleaseInvalid spec.valuesFrom[0].name is required',
      'ReleaseInvalid spec.valuesFrom[1].name must be text, not a number',
    ]);
    expect(problems('{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease}')).toEqual([
      'ReleaseInvalid metadata is required',
      'ReleaseInvalid spec is required',
    ]);
  });
});

describe('the values', () => {
  const OBJECTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'ConfigMap/base': { 'values.yaml': 'a: {x: 1, z: 1}\nl: [1]', 'v.yaml': 'k: v' },
    'Secret/keys': { 'values.yaml': 'a: {z: 2}', text: 'password' },
    'ConfigMap/broken': { 'values.yaml': 'a: b: c' },
    'Secret/broken': { 'values.yaml': 'a: b: c' },
    'other/ConfigMap/base': { 'values.yaml': 'a: {x: 9}' },
  };
  const compose = (of: Release) => {
    const composed = composeValues(of, {
      data: (kind, name, namespace) => {
        const data = OBJECTS[[namespace, kind, name].filter((part) => part !== undefined).join('/')];
        return data && new Map(Object.entries(data));
      },
      parse: parseTree,
    });
    return { values: toJson(composed.values), unknown: composed.unknown };
  };

  it.each(['v2', 'v2beta2', 'v2beta1'])('of %s are merged as helm-controller does', (version) => {
    const spec = `
  valuesFrom:
    - {kind: ConfigMap, name: base}
    - {kind: Secret, name: keys}
    - {kind: Secret, name: keys, valuesKey: text, targetPath: p.w}
  values: {l: [2]}`;
    expect(compose(toolkit(version, spec))).toEqual({
      values: { a: { x: 1, z: 2 }, l: [2], p: { w: 'password' } },
      unknown: [],
    });
  });

  it('of Flux v1 are merged in order, the inline ones last', () => {
    const spec = `{valueFileSecrets: [{name: keys}], values: {l: [2]}, valuesFrom: [
      {configMapKeyRef: {name: base}}, {configMapKeyRef: {name: base, namespace: other}},
      {configMapKeyRef: {name: base, key: v.yaml}}]}`;
    expect(compose(legacy(spec)).values).toEqual({ a: { x: 9, z: 1 }, l: [2], k: 'v' });
  });

  it('of Flux v1 say what leads out of the files', () => {
    const spec = `{values: {a: 1}, valuesFrom: [
      {externalSourceRef: {url: 'https://example.org/v.yaml'}}, {chartFileRef: {path: a.yaml, optional: true}}]}`;
    expect(compose(legacy(spec))).toEqual({
      values: { a: 1 },
      unknown: [
        { from: 'url', url: 'https://example.org/v.yaml', optional: false },
        { from: 'chartFile', path: 'a.yaml', optional: true },
      ],
    });
  });

  it.each([
    ['{configMapKeyRef: {name: gone, optional: true}}', {}],
    ['{configMapKeyRef: {name: base, key: gone, optional: true}}', {}],
    // helm-operator passes over the broken text of an optional ConfigMap, not over that of a Secret.
    ['{configMapKeyRef: {name: broken, optional: true}}', {}],
    ['{secretKeyRef: {name: broken, optional: true}}', ValuesError],
    ['{configMapKeyRef: {name: broken}}', ValuesError],
    ['{configMapKeyRef: {name: gone}}', ValuesError],
    ['{}', {}],
  ])('of Flux v1 with valuesFrom %s', (reference, expected) => {
    const composed = () => compose(legacy(`{valuesFrom: [${reference}]}`)).values;
    if (expected === ValuesError) expect(composed).toThrow(ValuesError);
    else expect(composed()).toEqual(expected);
  });
});
