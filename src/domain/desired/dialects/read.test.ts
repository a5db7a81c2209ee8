import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { DIALECTS } from './all.ts';
import { documents, rendered, specs, told } from './text.rig.ts';

const NATIVE = 'pools: {web: {addresses: [192.0.2.0/28]}}\nl2Advertisements: {all: {}}\n';
const CONFIG = 'metallb_enabled: true\nmetallb_config: {address_pools: {x: {ip_range: [10.0.0.0/24]}}}\n';
const valuesOf = (text: string) => documents(text)[0];
const PACK = 'manifests: {metallb: {addresses: [10.0.1.0/24]}}\n';

describe('the dialect of a source', () => {
  it.each([
    ['', 'native'],
    ['controller: {logLevel: debug}\nspeaker: {}\ncrds: {enabled: false}\n', 'native'],
    [NATIVE, 'native'],
    [CONFIG, 'kubespray-config'],
    // It claims every variable of the role beside it.
    [`${CONFIG}metallb_ip_range: [10.1.0.0/24]\nmatallb_auto_assign: true\n`, 'kubespray-config'],
    ['metallb_ip_range: [10.1.0.0/24]\n', 'kubespray-range'],
    ['metallb_enabled: false\n', 'kubespray-range'],
    ['matallb_auto_assign: true\n', 'kubespray-range'],
    ['metallb: {ip_range: 10.1.0.0/24}\n', 'kubespray-range'],
    [PACK, 'palette-manifest'],
    ['charts: {metallb-full: {configuration: {}}}\n', 'palette-helm'],
    ['iprange: 10.1.0.0/24\n', 'charm'],
    ['applications: {lb: {options: {iprange: 10.1.0.0/24}}}\n', 'charm'],
    ['address-pools: []\n', 'legacy'],
    // Roots of other products with nothing of theirs in them.
    ['manifests: {nginx: {}}\ncharts: {istio: {}}\napplications: {}\nmetallb: {}\n', 'native'],
  ])('of %j is %s', (text, dialect) => expect(rendered(text).dialect).toBe(dialect));

  it.each([
    null,
    5,
    'text',
    true,
    [],
    ['x'],
    { metallb: null, charts: [], manifests: 'x', iprange: { a: 1 } },
  ])('is found in %j without falling over', (values) => {
    for (const dialect of DIALECTS) expect(dialect.evidence(values)).toBeInstanceOf(Array);
    expect(() => build(source(values), TARGET)).not.toThrow();
  });

  it.each([
    [`${NATIVE}${CONFIG}`, ['metallb_config', 'pools']],
    [`${NATIVE}iprange: x\n`, ['iprange', 'pools']],
    [`${NATIVE}address-pools: []\n`, ['address-pools', 'pools']],
    [`${NATIVE}configInline: {address-pools: []}\n`, ['configInline', 'pools']],
    [
      `${NATIVE}extra: {apiVersion: metallb.io/v1beta1, kind: IPAddressPool}\n`,
      ['extra.apiVersion', 'pools'],
    ],
    [`${PACK}${CONFIG}`, ['metallb_config', 'manifests.metallb']],
    [`${PACK}charts: {metallb-full: {configuration: {}}}\n`, ['manifests.metallb', 'charts.metallb-full']],
    [`${CONFIG}address-pools: []\n`, ['metallb_config', 'address-pools']],
    ['metallb_ip_range: [10.0.0.0/24]\niprange: 10.1.0.0/24\n', ['metallb_ip_range', 'iprange']],
    ['address-pools: []\nconfigInline: {address-pools: []}\n', ['configInline', 'address-pools']],
  ])('is not guessed where there are two: %j', (text, evidence) => {
    const { problems, objects, dialect } = rendered(text);
    expect([objects, dialect]).toEqual([[], undefined]);
    const titles = evidence.map(
      (root) => DIALECTS.find((d) => d.evidence(valuesOf(text)).includes(root))?.title,
    );
    expect(problems).toMatchObject([
      {
        code: 'AmbiguousDialect',
        message: `can be read in two ways: as ${titles[0]}, for its ${evidence[0]}; and as ${titles[1]}, for its ${evidence[1]}`,
      },
    ]);
  });
});

describe('values below the root', () => {
  const VARS = 'metallb_config: {address_pools: {x: {ip_range: [10.0.0.0/24]}}}';
  it.each([
    [`all: {children: {kube: {vars: {${VARS}}}}}\n`, 'all.children.kube.vars', 'Kubespray (metallb_config)'],
    [`- hosts: all\n  vars: {${VARS}}\n`, '[0].vars', 'Kubespray (metallb_config)'],
    ['metallb: {pools: {web: {addresses: [192.0.2.0/28]}}}\n', 'metallb', "Herald's own values"],
  ])('are not read, and the place is told: %j', (text, path, title) => {
    const { problems, objects } = rendered(text);
    expect(objects).toEqual([]);
    expect(problems.filter((p) => p.code === 'ValuesInside')).toMatchObject([{ path, severity: 'warning' }]);
    expect(problems.map((p) => p.message).join()).toContain(title);
  });

  it('are not looked for in the settings of a chart, nor without end', () => {
    const settings = 'controller: {logLevel: warn}\nspeaker: {tolerations: []}\n';
    const deep = `a: {b: {c: {d: {e: {${VARS}}}}}}\n`;
    for (const text of [settings, deep])
      expect(rendered(text).problems.filter((p) => p.code === 'ValuesInside')).toEqual([]);
  });
});

describe('roots that nothing reads', () => {
  it.each([
    [`${NATIVE}pack: {}\nmetallb: {}\n`, ['3:1 warning ForeignKey pack', '4:1 warning ForeignKey metallb']],
    ['iprange: 10.0.0.0/24\npack: {}\n', ['1:10 notice Renamed iprange', '2:1 warning ForeignKey pack']],
    [`${PACK}node-selector: a=b\n`, ['2:1 warning ForeignKey node-selector']],
    // A file of variables is everybody's.
    [`${CONFIG}namespace: x\nprotocol: y\n`, []],
  ])('are told: %j', (text, problems) => expect(told(rendered(text))).toEqual(problems));
});

describe('slips of a text', () => {
  it('refuse it where its reader would refuse it, and all else is told with them', () => {
    const built = rendered('pools:\n  web: {addresses: [x]}\n  web: {addresses: [192.0.2.9-192.0.2.1]}\n');
    expect(told(built)).toEqual([
      '3:3 error DuplicateKey pools.web',
      '3:21 error PoolRangeInvalid pools.web.addresses[0]',
    ]);
    expect(told(rendered('pools: {web: {addresses: [!x 192.0.2.0/28]}}\n'))).toEqual([
      '1:27 error YamlSyntax ',
    ]);
  });

  it('are warnings where it takes the last', () => {
    const built = rendered(`${PACK}manifests: {metallb: {addresses: [10.0.2.0/24]}}\n`);
    expect(told(built)).toEqual(['2:1 warning DuplicateKey manifests']);
    expect(specs(built)['IPAddressPool default']).toMatchObject({ addresses: ['10.0.2.0/24'] });
  });
});

describe('values that are encrypted', () => {
  const SOPS = 'sops:\n  lastmodified: "2026-01-01T00:00:00Z"\n  mac: ENC[AES256_GCM,data:x]\n';

  it('as a whole are told once', () => {
    const text = `pools:\n  web:\n    addresses:\n      - ENC[AES256_GCM,data:x]\n${SOPS}`;
    expect(told(rendered(text))).toEqual(['6:3 error Unrendered sops']);
    expect(rendered(text).problems[0]?.hint).toContain('decryption');
  });

  it('are told where they stand', () => {
    expect(told(rendered('pools:\n  web:\n    addresses: ENC[AES256_GCM]\n'))).toEqual([
      '3:16 error Unrendered pools.web.addresses',
    ]);
    expect(told(rendered('pools: {web: {addresses: ["ENC[AES256_GCM]"]}}\n'))).toEqual([
      '1:27 error Unrendered pools.web.addresses[0]',
    ]);
  });
});
