// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are a subject.
import { describe, expect, it } from 'vitest';
import { idOf, openContent } from '../object.ts';
import type { Context } from '../source.ts';
import { existingConfigMap } from './inline.ts';
import { effectOf } from './inline-chart.ts';
import { haveInputs, input, rendered, specs, told } from './text.rig.ts';

const POOLS = 'address-pools: [{name: default, protocol: layer2, addresses: [10.2.1.100-10.2.1.150]}]';
const OBJECTS = {
  'IPAddressPool default': {
    addresses: ['10.2.1.100-10.2.1.150'],
    autoAssign: true,
    avoidBuggyIPs: false,
  },
  'L2Advertisement l2advertisement1': { ipAddressPools: ['default'] },
};
const chart = (version?: string, name = 'metallb'): { context: Context } => ({
  context: { chart: { name, ...(version !== undefined && { version }) } },
});

describe('configInline', () => {
  it('becomes what upstream’s converter makes of it', () => {
    const built = rendered(`configInline: {${POOLS}}`, chart('0.12.1'));
    expect(built.dialect).toBe('inline');
    expect(specs(built)).toEqual(OBJECTS);
    expect(told(built)).toEqual([]);
  });

  it('may stand below the name of the dependency, beside what installs MetalLB', () => {
    const text = `metallb:\n  configInline: {${POOLS}}\n  prometheus: {enabled: true}\nother: 1\n`;
    expect(specs(rendered(text))).toEqual(OBJECTS);
    expect(told(rendered(text))).toEqual([]);
  });

  it('may be text', () => {
    const text = `configInline: |\n  ${POOLS}\n  peers: [{my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, password: 0123}]\n`;
    const built = rendered(text, chart('3.0.10'));
    expect(specs(built)).toMatchObject(OBJECTS);
    const secret = built.objects.find((o) => o.kind.kind === 'Secret');
    expect(secret && openContent(secret.content).data).toEqual({ password: btoa('0123') });
  });

  it('has lost the spelling of a password when it is no text', () => {
    const text = `configInline: {peers: [{my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1, password: 0123}]}`;
    const json = rendered(text, {
      typed: () => ({
        value: {
          configInline: { peers: [{ 'my-asn': 1, 'peer-asn': 2, 'peer-address': '10.0.0.1', password: 83 }] },
        },
      }),
    });
    const secret = json.objects.find((o) => o.kind.kind === 'Secret');
    expect(secret && openContent(secret.content).data).toEqual({ password: btoa('83') });
  });

  it('is judged as strictly as MetalLB 0.12 did, with the places of the values', () => {
    const text =
      'configInline:\n  address-pools:\n    - name: a\n      protocol: layer2\n      addreses: [10.0.0.0/8]\n';
    expect(told(rendered(text))).toEqual(['5:7 error UnknownKey configInline.address-pools[0].addreses']);
    const inText = `configInline: "address-pools: [{name: a, protocol: l2, addresses: [10.0.0.0/8]}]"`;
    expect(told(rendered(inText))).toEqual([
      '1:15 error InvalidValue configInline.address-pools[0].protocol',
    ]);
    const twice = `configInline: "address-pools: []\\naddress-pools: []"`;
    expect(told(rendered(twice))).toEqual([
      '1:15 error DuplicateKey configInline.address-pools',
      '1:15 notice EmptySource configInline',
    ]);
  });

  it('is no configuration when there is nothing in it', () => {
    expect(rendered('configInline: {}\npools: {web: {addresses: [10.0.0.0/8]}}\n').dialect).toBe('native');
    expect(rendered('configInline:\nmetallb: {configInline: ""}\n').dialect).toBe('native');
  });

  it.each([
    [
      'an action that Bitnami’s chart would carry out',
      'configInline: {address-pools: [{name: a, protocol: layer2, addresses: ["{{ .Values.range }}"]}]}',
      '{{ .Values.range }}',
    ],
    [
      'a variable',
      'configInline: {address-pools: [{name: a, protocol: layer2, addresses: ["${RANGE}"]}]}',
      '${RANGE}',
    ],
    ['a variable for all of it', 'configInline: "${POOLS}"', '${POOLS}'],
    [
      'a variable for a number',
      'configInline: {peers: [{my-asn: "${ASN}", peer-asn: 2, peer-address: 10.0.0.1}]}',
      '${ASN}',
    ],
    [
      'a bare action in text',
      'configInline: |\n  address-pools: {{ .Values.pools }}\n',
      '{{ .Values.pools }}',
    ],
  ])('waits for %s', (_what, text, name) => {
    const built = rendered(text);
    expect(built.problems.map((p) => p.code)).toEqual(['Unrendered']);
    expect(built.problems[0]?.message).toContain(name);
    expect(built.objects).toEqual([]);
  });

  it('leaves a map alone that another dialect claims too', () => {
    const built = rendered(`configInline: {${POOLS}}\npools: {web: {addresses: [192.0.2.0/24]}}\n`);
    expect(told(built)).toEqual(['2:8 error AmbiguousDialect pools']);
  });

  it('brings the chart’s settings where the chart is known', () => {
    const text = `configInline: {${POOLS}}\ncontroller: {nodeSelector: {a: b}, image: {tag: v0.9}}\nspeaker: {tolerations: [{key: x}]}\n`;
    expect(rendered(text, chart('0.12.1')).settings).toEqual({
      controller: { nodeSelector: { a: 'b' } },
      speaker: { tolerations: [{ key: 'x' }] },
    });
    expect(rendered(text).settings).toBeUndefined();
  });
});

describe('the chart’s version', () => {
  it.each<[string | undefined, string]>([
    ['0.10.2', 'effective'],
    ['0.12.1', 'effective'],
    ['v0.12', 'effective'],
    ['0.12.x', 'effective'],
    ['~0.12.0', 'effective'],
    ['^0.12.0', 'effective'],
    ['<0.13.0', 'effective'],
    ['>=0.10.0 <0.13.0', 'effective'],
    ['<=0.12.1', 'effective'],
    ['0.13.0', 'ignored'],
    ['0.13.2', 'ignored'],
    ['0.13.3', 'refused'],
    ['0.13', 'refused'],
    ['0.13.x', 'refused'],
    ['<0.14.0', 'refused'],
    ['>=0.14.0', 'refused'],
    ['>=0.10.0', 'refused'],
    ['0.16.1', 'refused'],
    ['*', 'refused'],
    [undefined, 'refused'],
    ['1.0.1', 'effective'],
    ['3.0.10', 'effective'],
    ['^3.0.0', 'effective'],
    ['4.1.2', 'ignored'],
    ['>=2.0.0', 'ignored'],
    ['6.x', 'ignored'],
  ])('%s: %s', (version, effect) => {
    expect(effectOf({ name: 'metallb', ...(version !== undefined && { version }) }, {})).toBe(effect);
    expect(effectOf({ name: 'bitnami/metallb', ...(version !== undefined && { version }) }, {})).toBe(effect);
  });

  it('says nothing of other charts', () => {
    expect(effectOf({ name: 'herald', version: '0.1.0' }, {})).toBe('unknown');
    expect(effectOf(undefined, {})).toBe('unknown');
  });

  it('counts for less than an older image', () => {
    const image = (tag: string) => ({ controller: { image: { tag } } });
    expect(effectOf({ name: 'metallb', version: '4.1.2' }, image('0.12.1-debian-10'))).toBe('effective');
    expect(effectOf({ name: 'metallb', version: '4.1.2' }, image('v0.13.4'))).toBe('ignored');
    expect(effectOf({ name: 'metallb', version: '0.13.5' }, image('v0.12.1'))).toBe('refused');
  });

  it('is told where the chart would not have done it', () => {
    const built = rendered(`configInline: {${POOLS}}`, chart('0.13.5'));
    expect(specs(built)).toEqual(OBJECTS);
    expect(told(built)).toEqual(['1:15 warning OutdatedValues configInline']);
    expect(built.problems[0]?.message).toContain('refuses it');
    expect(rendered(`configInline: {${POOLS}}`, chart('4.0.0')).problems[0]?.message).toContain(
      'does not look',
    );
  });
});

describe('existingConfigMap', () => {
  it('says where the configuration is', () => {
    const built = rendered('existingConfigMap: metallb-config\n');
    expect(told(built)).toEqual(['1:20 notice LeftToOthers existingConfigMap']);
    expect(built.problems[0]?.message).toContain('ConfigMap metallb-config');
    expect(built.problems[0]?.hint).toContain('herald.io/source');
    expect(built.objects).toEqual([]);
  });

  it('has no effect beside configInline, but in Bitnami’s chart, where it is the other way round', () => {
    const text = `configInline: {${POOLS}}\nexistingConfigMap: mine\n`;
    expect(told(rendered(text, chart('0.12.1')))).toEqual(['2:20 warning NoEffect existingConfigMap']);
    expect(specs(rendered(text, chart('0.12.1')))).toEqual(OBJECTS);
    expect(told(rendered(text, chart('2.5.0')))).toEqual([
      '1:15 warning NoEffect configInline',
      '2:20 notice LeftToOthers existingConfigMap',
    ]);
    expect(rendered(text, chart('2.5.0')).objects).toEqual([]);
  });

  it('is named for those who look for it', () => {
    expect(existingConfigMap({ existingConfigMap: 'a' })).toBe('a');
    expect(existingConfigMap({ metallb: { existingConfigMap: 'b' } })).toBe('b');
    expect(existingConfigMap({ existingConfigMap: 'a', configInline: { peers: [] } })).toBeUndefined();
    expect(existingConfigMap({ existingConfigMap: '' })).toBeUndefined();
    expect(existingConfigMap(null)).toBeUndefined();
  });
});

describe('the oldest chart', () => {
  it('had the configuration under config, as a map or text', () => {
    expect(specs(rendered(`config: {${POOLS}}`))).toEqual(OBJECTS);
    expect(specs(rendered(`config: |\n  ${POOLS}\n`))).toEqual(OBJECTS);
    expect(rendered('config: {logLevel: debug}\n').dialect).toBe('native');
    expect(rendered('config: "some text"\n').dialect).toBe('native');
  });

  it('had one pool under arpAddresses', () => {
    const built = rendered('arpAddresses: 192.168.16.240/30\n');
    expect(specs(built)).toEqual({
      'IPAddressPool default': { addresses: ['192.168.16.240/30'], autoAssign: true, avoidBuggyIPs: false },
      'L2Advertisement l2advertisement1': { ipAddressPools: ['default'] },
    });
    expect(told(rendered('arpAddresses: 192.168.16.241/30\n'))).toEqual([
      '1:15 warning HostBits arpAddresses',
    ]);
    expect(rendered('arpAddresses: true\n').dialect).toBe('native');
  });

  it('passed over the addresses beside a configuration', () => {
    const built = rendered(`config: {${POOLS}}\narpAddresses: 192.168.16.240/30\n`);
    expect(told(built)).toEqual(['2:15 warning NoEffect arpAddresses']);
    expect(specs(built)).toEqual(OBJECTS);
  });
});

describe.skipIf(!haveInputs)('real values (../shared/inputs)', () => {
  it('15b: a reference to a ConfigMap, below a dependency', () => {
    const built = rendered(input('15b-khuedoan-homelab/values.yaml'));
    expect(told(built)).toEqual(['2:22 notice LeftToOthers metallb.existingConfigMap']);
  });

  // The values of a HelmRelease, cut out of its file.
  const valuesOf = (path: string, document = 0) => {
    const text =
      input(path)
        .split(/^---\n/m)
        .filter((part) => /^kind: HelmRelease/m.test(part))[document] ?? '';
    const [, block = ''] = /^ {2}values:\n([\s\S]*)$/m.exec(text) ?? [];
    return block.replace(/^ {4}/gm, '');
  };

  it.each([
    ['03-blackjid-home-ops/metallb-helm-release.yaml', '0.13.5', ['warning OutdatedValues configInline']],
    ['04-blackjid-home-ops/metallb-helmrelease.yaml', '0.12.0', []],
  ])('%s', (path, version, problems) => {
    const built = rendered(valuesOf(path), chart(version));
    expect(told(built).map((t) => t.replace(/^\S+ /, ''))).toEqual(problems);
    expect(specs(built)).toEqual(OBJECTS);
  });

  it('08: a patch without a chart, after another release', () => {
    const built = rendered(valuesOf('08-xunholy-k8s-gitops/patch.yaml', 1));
    expect(told(built)).toEqual([]);
    expect(built.objects.map(idOf)).toEqual(['IPAddressPool default', 'L2Advertisement l2advertisement1']);
  });

  it('09: a variable', () => {
    const built = rendered(valuesOf('09-szinn-k8s-homelab/helm-release.yaml'), chart('3.0.10'));
    expect(told(built)).toEqual(['6:11 error Unrendered configInline.address-pools[0].addresses[0]']);
  });
});
