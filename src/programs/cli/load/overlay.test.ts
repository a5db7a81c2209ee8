import { chmodSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hasKubectl, objectsOf, type Tree, tree } from '../cli.rig.ts';
import { exitCodeOf, validate } from '../validate.ts';

let files: Tree | undefined;
afterEach(() => {
  files?.remove();
  vi.unstubAllEnvs();
});
const write = (named: Readonly<Record<string, string>>) => {
  files = tree(named);
  return files;
};

const KUSTOMIZE = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const RELEASE = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: herald
  namespace: metallb-system
spec:
  chart: {spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: herald}}}
  valuesFrom: [{kind: ConfigMap, name: herald-values}]
`;
const GENERATOR = `configMapGenerator:
  - name: herald-values
    namespace: metallb-system
    files: [values.yaml=cluster.yaml]
    options: {disableNameSuffixHash: true}
`;
const CONFIG_MAP = (name: string, text: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: flux-system}
data: ${text}
`;
const FLUX = (path: string, more = '') => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: lb, namespace: flux-system}
spec:
  path: ${path}
  sourceRef: {kind: GitRepository, name: flux-system}
${more}`;
const VARIABLE = '$' + '{RANGE}';
const VALUES = (range: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: pools
  labels: {herald.io/source: "true"}
data:
  values.yaml: |
    pools:
      web:
        addresses:
          - ${range}
    l2Advertisements: {all: {}}
`;

if (!hasKubectl) console.warn('overlays are not built here: there is no kubectl');

describe.skipIf(!hasKubectl)('a folder with a kustomization file', () => {
  it('is built, and a mistake is told where the operator wrote it', async () => {
    const t = write({
      'base/kustomization.yaml': `${KUSTOMIZE}resources: [release.yaml]\n`,
      'base/release.yaml': RELEASE,
      'lab/kustomization.yaml': `${KUSTOMIZE}resources: [../base]
${GENERATOR}patches:
  - patch: |
      apiVersion: helm.toolkit.fluxcd.io/v2
      kind: HelmRelease
      metadata: {name: herald, namespace: metallb-system}
      spec: {values: {pools: {lan: {addresses: [198.51.100.9]}}}}
`,
      'lab/cluster.yaml': '# of the lab\npools:\n  web:\n    addresses: [192.0.2.9-192.0.2.1]\n',
    });
    const result = await validate([t.path('lab')]);
    // What a patch has put in has no place of its own: then that of the nearest thing around it.
    expect(t.told(result)).toEqual([
      'base/release.yaml:7:3 PoolRangeInvalid pools.lan.addresses[0]',
      'lab/cluster.yaml:4:17 PoolRangeInvalid pools.web.addresses[0]',
    ]);
    expect(result.overlays.map((o) => [o.title, o.sources.map((s) => s.name)])).toEqual([
      [t.path('lab'), ['herald']],
    ]);
  });

  it('is meant, too, when the kustomization file is named', async () => {
    const t = write({
      'kustomization.yml': `${KUSTOMIZE}resources: [pools.yaml]\nnamespace: lb\n`,
      'pools.yaml': VALUES('192.0.2.0/28'),
    });
    const result = await validate([t.path('kustomization.yml')]);
    expect([t.told(result), objectsOf(result)]).toEqual([[], ['IPAddressPool web', 'L2Advertisement all']]);
    expect(result.overlays[0]?.sources[0]?.name).toBe('lb.pools');
  });

  it('finds values under the hashed name that its HelmRelease was given', async () => {
    const t = write({
      'kustomization.yaml': `${KUSTOMIZE}resources: [release.yaml]
configurations: [names.yaml]
configMapGenerator: [{name: herald-values, namespace: metallb-system, files: [values.yaml]}]
`,
      'names.yaml': `nameReference:
  - kind: ConfigMap
    version: v1
    fieldSpecs: [{path: spec/valuesFrom/name, kind: HelmRelease}]
`,
      'release.yaml': RELEASE,
      'values.yaml': 'pools: {web: {addresses: [bad]}}\n',
    });
    expect(t.told(await validate([t.path()]))).toEqual([
      'values.yaml:1:27 PoolRangeInvalid pools.web.addresses[0]',
    ]);
  });

  it('that cannot be built is told in the words of Kustomize, and answers 2', async () => {
    const t = write({ 'lab/kustomization.yaml': `${KUSTOMIZE}resources: [../nowhere]\n` });
    const result = await validate([t.path('lab')]);
    expect(exitCodeOf(result)).toBe(2);
    expect(result.unreadable).toEqual([
      { file: t.path('lab'), reason: expect.stringMatching(/^kubectl kustomize: .*nowhere/) },
    ]);
    expect(result.unreadable[0]?.reason).not.toMatch(/herald-[A-Za-z0-9]{6}\//);
  });

  it('needs kubectl', async () => {
    const t = write({ 'kustomization.yaml': KUSTOMIZE, 'bin/': '' });
    vi.stubEnv('PATH', t.path('bin'));
    const { unreadable } = await validate([t.path()]);
    expect(unreadable.map((u) => u.reason)).toEqual([
      'kubectl kustomize: kubectl is not installed; it is needed for folders with a kustomization file',
    ]);
  });
});

describe('a folder without a kustomization file', () => {
  const POOL = (name: string, range: string) => `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: ${name}, namespace: metallb-system}
spec: {addresses: [${range}]}
`;

  it('is read file by file; what is not for Herald is passed over with a notice', async () => {
    const t = write({
      'a/pool.yaml': VALUES('192.0.2.0/28'),
      'a/deep/er/service.yml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n',
      'values.yaml': 'replicaCount: 2\n',
      'notes.txt': 'not: [yaml',
      '.git/config.yaml': '{',
      'package.json': '{}',
    });
    const result = await validate([t.path()]);
    expect([t.told(result), exitCodeOf(result)]).toEqual([
      ['notice a/deep/er/service.yml:1:1 Skipped', 'notice values.yaml:1:1 Skipped'],
      0,
    ]);
    expect(objectsOf(result)).toEqual(['IPAddressPool web', 'L2Advertisement all']);
  });

  it('tells a file that is not YAML, as it would stop the whole build', async () => {
    const t = write({ 'pool.yaml': VALUES('192.0.2.0/28'), 'other.yaml': 'a:\n\t- b\n' });
    expect(t.told(await validate([t.path()]))).toEqual(['other.yaml:2:1 YamlSyntax']);
  });

  it('says so when there is nothing in it, and when it is not there', async () => {
    const t = write({ 'empty/': '' });
    const result = await validate([t.path('empty'), t.path('nowhere')]);
    expect([t.told(result), result.unreadable.map((u) => u.reason), exitCodeOf(result)]).toEqual([
      ['warning empty UnknownKind'],
      [expect.stringMatching(/^ENOENT/)],
      2,
    ]);
  });

  it('follows a link that leads back once', async () => {
    const t = write({ 'a/pool.yaml': VALUES('192.0.2.0/28') });
    symlinkSync('..', t.path('a/up'));
    expect(objectsOf(await validate([t.path('a')]))).toEqual(['IPAddressPool web', 'L2Advertisement all']);
  });

  it.skipIf(process.getuid?.() === 0)('answers 2 for a file that may not be read', async () => {
    const t = write({ 'pool.yaml': POOL('web', '192.0.2.0/28') });
    chmodSync(t.path('pool.yaml'), 0o000);
    expect(exitCodeOf(await validate([t.path()]))).toBe(2);
  });

  it('settles all its sources together: two that meet fall', async () => {
    const t = write({
      'a.yaml': VALUES('192.0.2.0/28'),
      'b.yaml': VALUES('192.0.2.8-192.0.2.20')
        .replaceAll('web', 'lan')
        .replace('all:', 'every:')
        .replace('name: pools', 'name: more'),
    });
    const result = await validate([t.path()]);
    expect([t.told(result), objectsOf(result)]).toEqual([
      ['a.yaml:11:13 PoolOverlap pools.web.addresses[0]', 'b.yaml:11:13 PoolOverlap pools.lan.addresses[0]'],
      [],
    ]);
  });
});

describe('files named by themselves', () => {
  it('are one overlay for each folder', async () => {
    const t = write({
      'a/one.yaml': VALUES('192.0.2.0/28'),
      'b/one.yaml': VALUES('192.0.2.0/28'),
      'b/two.yaml': VALUES('192.0.2.0/28').replace('name: pools', 'name: more'),
    });
    expect(t.told(await validate([t.path('a/one.yaml'), t.path('b/one.yaml')]))).toEqual([]);
    expect(t.told(await validate([t.path('b/one.yaml'), t.path('b/two.yaml')]))).toEqual([
      'b/one.yaml:10:9 ObjectInTwoSources pools.web',
      'b/one.yaml:12:29 ObjectInTwoSources l2Advertisements.all',
      'b/two.yaml:10:9 ObjectInTwoSources pools.web',
      'b/two.yaml:12:29 ObjectInTwoSources l2Advertisements.all',
    ]);
  });
});

describe.skipIf(!hasKubectl)('a Kustomization of Flux', () => {
  const OVERLAY = {
    '.git/': '',
    'apps/lb/kustomization.yaml': `${KUSTOMIZE}resources: [pools.yaml]\n`,
    'apps/lb/pools.yaml': VALUES(VARIABLE),
  };

  it('replaces variables, as references and the Kustomization itself give them', async () => {
    const t = write({
      ...OVERLAY,
      'flux/lb.yaml': `${FLUX(
        './apps/lb',
        `  targetNamespace: lb
  postBuild:
    substitute: {RANGE: 192.0.2.9-192.0.2.1}
    substituteFrom: [{kind: ConfigMap, name: settings}, {kind: Secret, name: maybe, optional: true}]
`,
      )}---\n${CONFIG_MAP('settings', '{RANGE: 192.0.2.0/28}')}`,
    });
    const result = await validate([t.path('apps/lb'), t.path('flux')]);
    expect(t.told(result)).toEqual(['apps/lb/pools.yaml:11:13 PoolRangeInvalid pools.web.addresses[0]']);
    expect(result.overlays.find((o) => o.title === t.path('apps/lb'))?.sources[0]?.name).toBe('lb.pools');
  });

  it('is followed when it is named, and found for one file with --flux-kustomization', async () => {
    const t = write({
      ...OVERLAY,
      'lb.yaml': FLUX('./apps/lb', '  postBuild: {substitute: {RANGE: 192.0.2.0/28}}\n'),
      'other/lb.yaml': FLUX('./elsewhere', '  postBuild: {substitute: {RANGE: 192.0.2.0/28}}\n'),
    });
    const whole = ['IPAddressPool web', 'L2Advertisement all'];
    expect(objectsOf(await validate([t.path('lb.yaml')]))).toEqual(whole);
    for (const fluxKustomization of [t.path('lb.yaml'), t.path('other/lb.yaml')])
      expect(objectsOf(await validate([t.path('apps/lb')], { fluxKustomization }))).toEqual(whole);
    const { unreadable } = await validate([t.path('apps/lb')], {
      fluxKustomization: t.path('apps/lb/pools.yaml'),
    });
    expect(unreadable.map((u) => u.reason)).toEqual(['holds no Kustomization of Flux']);
  });

  it('adds its patches, prefix, metadata and namespace', async () => {
    const t = write({
      ...OVERLAY,
      'apps/lb/pools.yaml': VALUES('192.0.2.0/28').replace('  labels: {herald.io/source: "true"}\n', ''),
      'lb.yaml': FLUX(
        'apps/lb',
        `  namePrefix: my-
  targetNamespace: lb
  commonMetadata: {labels: {herald.io/source: "true"}}
  patches:
    - target: {kind: ConfigMap}
      patch: |
        - {op: add, path: /data/values.yaml, value: "pools: {lan: {addresses: [192.0.2.0/28]}}"}
`,
      ),
    });
    const result = await validate([t.path('lb.yaml')]);
    expect(result.overlays.flatMap((o) => o.sources)).toEqual([
      { name: 'lb.my-pools', dialect: 'native', objects: ['IPAddressPool lan'] },
    ]);
  });

  it('fails where Flux would: a variable that nothing sets, a reference to nothing, a name that is none', async () => {
    const t = write({
      ...OVERLAY,
      'a.yaml': FLUX('apps/lb', '  postBuild: {substitute: {OTHER: x}}\n'),
      'b.yaml': FLUX('apps/lb', '  postBuild:\n    substituteFrom: [{kind: ConfigMap, name: nowhere}]\n'),
      'c.yaml': FLUX('apps/lb', '  postBuild:\n    substitute: {a-b: x}\n'),
    });
    const told = async (name: string) => t.told(await validate([t.path(name)]));
    expect(await told('a.yaml')).toEqual(['apps/lb/pools.yaml:11:13 SubstitutionFailed']);
    expect(await told('b.yaml')).toEqual(['b.yaml:8:21 SubstitutionFailed spec.postBuild.substituteFrom']);
    expect(await told('c.yaml')).toEqual(['c.yaml:8:5 SubstitutionFailed spec.postBuild']);
  });

  it('cannot tell what an encrypted variable says', async () => {
    const secret = `apiVersion: v1
kind: Secret
metadata: {name: settings, namespace: flux-system}
stringData: {RANGE: "ENC[AES256_GCM,data:abc,type:str]"}
`;
    const more = '  postBuild: {substituteFrom: [{kind: Secret, name: settings}]}\n';
    const t = write({ ...OVERLAY, 'lb.yaml': `${FLUX('apps/lb', more)}---\n${secret}` });
    expect(t.told(await validate([t.path('lb.yaml')]))).toEqual(['apps/lb/pools.yaml:11:13 Encrypted']);
  });

  it('generates the kustomization file where there is none, and carries folders below it', async () => {
    const t = write({
      '.git/': '',
      'lb.yaml': FLUX('apps', '  postBuild: {substitute: {RANGE: 192.0.2.0/28}}\n'),
      'apps/pools.yaml': VALUES(VARIABLE),
      'apps/sub/kustomization.yaml': `${KUSTOMIZE}resources: [more.yaml]\n`,
      'apps/sub/more.yaml': VALUES('198.51.100.0/28')
        .replaceAll('web', 'lan')
        .replace('all:', 'every:')
        .replace('name: pools', 'name: more'),
    });
    const result = await validate([t.path('lb.yaml')]);
    expect([t.told(result), [...objectsOf(result)].sort()]).toEqual([
      [],
      ['IPAddressPool lan', 'IPAddressPool web', 'L2Advertisement all', 'L2Advertisement every'],
    ]);
    expect(result.overlays.filter((o) => o.sources.length > 0).length).toBe(1);
  });

  it('in a folder joins the overlays below that it carries; others are clusters of their own', async () => {
    const t = write({
      '.git/': '',
      'ks.yaml': FLUX('a'),
      'a/kustomization.yaml': `${KUSTOMIZE}resources: [pools.yaml]\n`,
      'a/pools.yaml': VALUES('192.0.2.0/28'),
      'b/kustomization.yaml': `${KUSTOMIZE}resources: [pools.yaml]\n`,
      'b/pools.yaml': VALUES('192.0.2.0/28'),
    });
    const result = await validate([t.path()]);
    expect(t.told(result)).toEqual([]);
    expect(result.overlays.map((o) => [o.title, o.sources.length])).toEqual([
      [t.path(), 1],
      [t.path('b'), 1],
    ]);
  });
});
