import { afterEach, describe, expect, it } from 'vitest';
import { objectsOf, type Tree, tree } from '../cli.rig.ts';
import { asJson, asText, validate } from '../validate.ts';

let files: Tree | undefined;
afterEach(() => files?.remove());
const write = (named: Readonly<Record<string, string>>) => {
  files = tree(named);
  return files;
};

const RELEASE = (spec: string, head = 'apiVersion: helm.toolkit.fluxcd.io/v2') => `${head}
kind: HelmRelease
metadata: {name: herald, namespace: metallb-system}
spec:
${spec.replace(/^/gm, '  ')}
`;
const CHART = 'chart: {spec: {chart: herald, version: 1.x, sourceRef: {kind: HelmRepository, name: herald}}}';
const MAP = (text: string, more = '') => `apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: metallb-system${more}}
data:
  values.yaml: |
${text.replace(/^/gm, '    ')}
`;

describe('values of a HelmRelease', () => {
  it('are merged as Flux does, and each mistake is told where it was written', async () => {
    const t = write({
      'a.yaml': `${RELEASE(`${CHART}
valuesFrom: [{kind: ConfigMap, name: values}]
values:
  pools:
    web:
      addresses:
        - 192.0.2.9-192.0.2.1`)}---
${MAP(`pools:
  web: {addresses: [not-seen]}
  lan:
    addresses: [192.0.2.300/32]
l2Advertisements: {all: {}}`)}`,
    });
    const result = await validate([t.path('a.yaml')]);
    expect(t.told(result)).toEqual([
      'a.yaml:11:13 PoolRangeInvalid pools.web.addresses[0]',
      'a.yaml:21:21 PoolRangeInvalid pools.lan.addresses[0]',
    ]);
  });

  it('are told of by the place of a key that is unknown, inline and in a ConfigMap', async () => {
    const t = write({
      'a.yaml': `${RELEASE(`${CHART}
valuesFrom: [{kind: ConfigMap, name: values}]
values:
  poolz:
    web: {addresses: [192.0.2.0/24]}`)}---
${MAP(`controler:
  a: {}`)}`,
    });
    expect(t.told(await validate([t.path('a.yaml')]))).toEqual([
      'a.yaml:8:5 UnknownKey poolz',
      'a.yaml:16:5 UnknownKey controler',
    ]);
  });

  it('come from Secrets, encoded or not, and then no message repeats any', async () => {
    const secret = `apiVersion: v1
kind: Secret
metadata: {name: base, namespace: metallb-system}
data:
  hardened.yaml: ${btoa('pools: {web: {addresses: [hunter2]}}')}
stringData: {override.yaml: "pools: {lan: {addresses: [hunter3]}}"}
`;
    const release = RELEASE(`${CHART}
valuesFrom:
  - {kind: Secret, name: base, valuesKey: hardened.yaml}
  - {kind: Secret, name: base, valuesKey: override.yaml}`);
    const t = write({ 'secret.yaml': secret, 'release.yaml': release });
    const result = await validate([t.path('secret.yaml'), t.path('release.yaml')]);
    expect(t.told(result)).toEqual([
      'secret.yaml:5:18 PoolRangeInvalid pools.web.addresses[0]',
      'secret.yaml:6:29 PoolRangeInvalid pools.lan.addresses[0]',
    ]);
    expect(asText(result) + asJson(result)).not.toMatch(/hunter/);
  });

  it('take targetPath and literal', async () => {
    const t = write({
      'a.yaml': `${RELEASE(`${CHART}
values: {pools: {web: {addresses: [192.0.2.0/28]}}, l2Advertisements: {all: {}}}
valuesFrom:
  - {kind: ConfigMap, name: values, valuesKey: range, targetPath: "pools.web.addresses[0]"}`)}---
apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: metallb-system}
data: {range: 192.0.2.32/28}
`,
    });
    expect(objectsOf(await validate([t.path('a.yaml')]))).toEqual([
      'IPAddressPool web',
      'L2Advertisement all',
    ]);
  });

  it('are refused as Flux refuses them, all references in one go', async () => {
    const t = write({
      'a.yaml': `${RELEASE(`${CHART}
valuesFrom:
  - {kind: ConfigMap, name: nowhere}
  - {kind: Secret, name: maybe, optional: true}
  - {kind: ConfigMap, name: values, valuesKey: other.yaml}
  - {kind: ConfigMap, name: elsewhere}`)}---
${MAP('pools: {}')}---
apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: default}
data: {values.yaml: "{}"}
`,
    });
    const result = await validate([t.path('a.yaml')]);
    expect(t.told(result)).toEqual([
      'a.yaml:7:7 ValuesError spec.valuesFrom[0]',
      'notice a.yaml:8:7 OptionalMissing spec.valuesFrom[1]',
      'a.yaml:9:7 ValuesError spec.valuesFrom[2]',
      'a.yaml:10:7 ValuesError spec.valuesFrom[3]',
    ]);
    expect(result.problems.map((p) => `${p.message} (${p.hint})`)).toEqual([
      'ConfigMap nowhere is not among the files (without it Flux refuses the release; if it lives elsewhere, name that file too)',
      'Secret maybe is not among the files; read as Flux does when it does not exist (undefined)',
      'ConfigMap values has no key other.yaml (it has: values.yaml)',
      'ConfigMap elsewhere is not among the files of namespace metallb-system (Flux looks only there; it is in default)',
    ]);
  });

  it('name the line of broken YAML inside a ConfigMap', async () => {
    const t = write({
      'a.yaml': `${RELEASE(`${CHART}\nvaluesFrom: [{kind: ConfigMap, name: values}]`)}---
${MAP('pools:\n\tweb: {}')}`,
    });
    expect(t.told(await validate([t.path('a.yaml')]))).toEqual([
      'a.yaml:6:15 ValuesError spec.valuesFrom',
      'a.yaml:14:5 YamlSyntax',
    ]);
  });

  it('are not read where SOPS has encrypted them', async () => {
    const t = write({
      'a.yaml': `${RELEASE(`${CHART}\nvaluesFrom: [{kind: Secret, name: values}]`)}---
apiVersion: v1
kind: Secret
metadata: {name: values, namespace: metallb-system}
stringData: {values.yaml: "ENC[AES256_GCM,data:abc,type:str]"}
sops: {version: 3.9.0}
`,
    });
    expect(t.told(await validate([t.path('a.yaml')]))).toEqual(['a.yaml:6:16 Encrypted spec.valuesFrom[0]']);
  });
});

describe('a HelmRelease', () => {
  const POOLS = 'values: {pools: {web: {addresses: [192.0.2.0/28]}}, l2Advertisements: {all: {}}}';

  it.each([
    ['helm.toolkit.fluxcd.io/v2', CHART],
    ['helm.toolkit.fluxcd.io/v2beta2', CHART],
    ['helm.toolkit.fluxcd.io/v2beta1', CHART],
    ['helm.fluxcd.io/v1', 'chart: {repository: https://charts.example.com, name: herald, version: 1.0.0}'],
    [
      'flux.weave.works/v1beta1',
      'chart: {git: https://git.example.com/x.git, path: charts/herald, ref: main}',
    ],
  ])('is read in %s', async (version, chart) => {
    const t = write({ 'a.yaml': RELEASE(`${chart}\n${POOLS}`, `apiVersion: ${version}`) });
    const result = await validate([t.path('a.yaml')]);
    expect([t.told(result), objectsOf(result)]).toEqual([[], ['IPAddressPool web', 'L2Advertisement all']]);
  });

  it('of a version that nobody knows is an error', async () => {
    const t = write({ 'a.yaml': RELEASE(`${CHART}\n${POOLS}`, 'apiVersion: helm.toolkit.fluxcd.io/v3') });
    expect(t.told(await validate([t.path('a.yaml')]))).toEqual(['a.yaml:1:13 ReleaseUnsupported apiVersion']);
  });

  it('of Flux v1 takes its references in its own form', async () => {
    const t = write({
      'a.yaml': `${RELEASE(
        `chart: {name: herald, repository: https://x.example.com}
valuesFrom:
  - configMapKeyRef: {name: values}
  - externalSourceRef: {url: https://x.example.com/values.yaml}`,
        'apiVersion: helm.fluxcd.io/v1',
      )}---
${MAP('pools: {}')}`,
    });
    expect(t.told(await validate([t.path('a.yaml')]))).toEqual(['a.yaml:8:7 ValuesError spec.valuesFrom[1]']);
  });

  it('of another chart is passed over, whatever its name', async () => {
    const other = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: metallb}
spec:
  chartRef: {kind: OCIRepository, name: metallb}
  valuesFrom: [{kind: ConfigMap, name: nowhere}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: metallb}
spec: {url: oci://quay.example.com/charts/cert-manager, ref: {tag: v1.19.2}}
`;
    const t = write({ 'd/a.yaml': other });
    const result = await validate([t.path('d')]);
    expect(result.problems.map((p) => [p.severity, p.code, p.message])).toEqual([
      ['notice', 'Skipped', 'not for Herald: HelmRelease metallb (chart cert-manager)'],
    ]);
    expect(t.told(await validate([t.path('d/a.yaml')]))).toEqual(['d/a.yaml:1:1 UnknownKind']);
  });

  it('of another chart counts when its values are in a dialect', async () => {
    const patch = RELEASE(
      'values: {configInline: {address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/28]}]}}',
    ).replace('name: herald', 'name: platform');
    const t = write({ 'a.yaml': patch });
    expect(objectsOf(await validate([t.path('a.yaml')]))).toEqual([
      'IPAddressPool a',
      'L2Advertisement l2advertisement1',
    ]);
  });

  it("of MetalLB's chart without pools gives nothing, and keeps silent about keys that MetalLB ignores as well", async () => {
    const metallb = CHART.replace('chart: herald', 'chart: metallb');
    const t = write({
      'a.yaml': RELEASE(`${metallb}\nvalues: {crds: {enabled: true}, prometheusRule: {enabled: true}}`),
    });
    const result = await validate([t.path('a.yaml')]);
    expect([t.told(result), objectsOf(result)]).toEqual([['notice a.yaml:6:11 EmptySource'], []]);
  });

  it('that is suspended is read, with a notice', async () => {
    const t = write({ 'a.yaml': RELEASE(`suspend: true\n${CHART}\n${POOLS}`) });
    const result = await validate([t.path('a.yaml')]);
    expect([t.told(result), objectsOf(result).length]).toEqual([
      ['notice a.yaml:5:12 Suspended spec.suspend'],
      2,
    ]);
  });

  it('gives its namespace, not that of its Flux, to what is rendered', async () => {
    const t = write({ 'a.yaml': RELEASE(`targetNamespace: lb\n${CHART}\n${POOLS}`) });
    const { overlays } = await validate([t.path('a.yaml')]);
    expect(overlays.map((o) => [o.namespace, o.sources[0]?.name])).toEqual([['lb', 'lb-herald']]);
    const told = await validate([t.path('a.yaml')], { namespace: 'other' });
    expect(told.overlays.map((o) => o.namespace)).toEqual(['other']);
  });
});
