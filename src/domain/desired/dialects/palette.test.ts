import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { haveDocuments, shows } from './document.rig.ts';
import { haveInputs, input, rendered, specs, told } from './text.rig.ts';

const pool = (addresses: string[], o: { autoAssign?: boolean; avoidBuggyIPs?: boolean } = {}) => ({
  autoAssign: true,
  avoidBuggyIPs: false,
  ...o,
  addresses,
});
const PAGE = '001_97513768460f9abf.txt';
const MANIFEST = `manifests:
  metallb:
    images:
      controller: ""
      speaker: ""
    namespace: "metallb-system"
    avoidBuggyIps: true
    addresses:
      - 192.168.250.48-192.168.250.55
`;
const chart = (configuration: string) => `charts:\n  metallb-full:\n    configuration:\n${configuration}`;
const BASE = 'charts.metallb-full.configuration';

describe('the manifest pack', () => {
  it('has one pool, announced in layer 2', () => {
    const built = rendered(MANIFEST);
    expect(built.dialect).toBe('palette-manifest');
    expect(specs(built)).toEqual({
      'IPAddressPool default': pool(['192.168.250.48-192.168.250.55'], { avoidBuggyIPs: true }),
      'L2Advertisement default': { ipAddressPools: ['default'] },
    });
    expect(told(built)).toEqual([]);
    expect(built.objects[0]?.annotations['herald.io/from']).toBe('herald#manifests.metallb');
  });

  it.each([
    ['addresses: [10.0.0.0/24]', pool(['10.0.0.0/24']), []],
    ['addresses: [10.0.0.0/24], avoidBuggyIps: no', pool(['10.0.0.0/24']), []],
    ['addresses: [10.0.0.0/24], avoidBuggyIps: yes', pool(['10.0.0.0/24'], { avoidBuggyIPs: true }), []],
    [
      'addresses: [10.0.0.0/24], avoidBuggyIPs: true',
      pool(['10.0.0.0/24']),
      ['1:49 warning UnknownKey manifests.metallb.avoidBuggyIPs'],
    ],
    [
      'addresses: [10.0.0.0/24], addreses: []',
      pool(['10.0.0.0/24']),
      ['1:49 warning UnknownKey manifests.metallb.addreses'],
    ],
    [
      'addresses: [10.0.0.0/24], namespace: lb',
      pool(['10.0.0.0/24']),
      ['1:60 notice NoEffect manifests.metallb.namespace'],
    ],
    [
      'addresses: [10.0.0.0/24], avoidBuggyIps: "true"',
      undefined,
      ['1:64 error WrongType manifests.metallb.avoidBuggyIps'],
    ],
    ['namespace: metallb-system', undefined, ['1:22 error MissingKey manifests.metallb.addresses']],
    ['addresses: 10.0.0.0/24', undefined, ['1:34 error WrongType manifests.metallb.addresses']],
    ['addresses: []', undefined, ['1:34 error PoolEmpty manifests.metallb.addresses']],
    ['addresses: [10.0.0.1]', undefined, ['1:35 error PoolRangeInvalid manifests.metallb.addresses[0]']],
    [
      'addresses: ["{{ .spectro.var.range }}"]',
      undefined,
      ['1:35 error Unrendered manifests.metallb.addresses[0]'],
    ],
  ])('{%s}', (text, spec, problems) => {
    const built = rendered(`manifests: {metallb: {${text}}}\n`);
    expect(told(built)).toEqual(problems);
    expect(specs(built)['IPAddressPool default']).toEqual(spec);
  });

  it('stands beside other packs of a profile', () => {
    const text = `${MANIFEST}  nginx: {replicas: 2}\ncharts: {istio: {}}\npack: {namespace: metallb-system}\n`;
    expect(told(rendered(text))).toEqual([]);
    expect(told(rendered(`${MANIFEST}pack: {namespace: lb}\n`))).toEqual([
      '10:19 notice NoEffect pack.namespace',
    ]);
  });
});

describe('the Helm pack', () => {
  const FULL = chart(`      ipaddresspools:
        first-pool:
          spec:
            addresses:
              - 192.168.10.0/24 # - 192.168.100.50-192.168.100.60
            avoidBuggyIPs: true
            autoAssign: true
      l2advertisements:
        default: {spec: {ipAddressPools: [first-pool]}}
      bgpadvertisements:
        external: {spec: {ipAddressPools: [first-pool], aggregationLength: 24, communities: [vpn]}}
      bgppeers:
        tor: {spec: {myASN: 64500, peerASN: 64501, peerAddress: 10.0.0.1, ebgpMultiHop: yes}}
      communities:
        all: {spec: {communities: [{name: vpn, value: 1234:1}]}}
      bfdprofiles:
        fast: {spec: {receiveInterval: 300}}
      servicebgpstatuses: {x: {spec: {}}}
`);

  it('makes an object of every entry', () => {
    const built = rendered(FULL);
    expect(built.dialect).toBe('palette-helm');
    expect(specs(built)).toMatchObject({
      'Community all': { communities: [{ name: 'vpn', value: '1234:1' }] },
      'BFDProfile fast': { receiveInterval: 300 },
      'BGPPeer tor': { myASN: 64_500, peerASN: 64_501, peerAddress: '10.0.0.1', ebgpMultiHop: true },
      'IPAddressPool first-pool': pool(['192.168.10.0/24'], { avoidBuggyIPs: true }),
      'L2Advertisement default': { ipAddressPools: ['first-pool'] },
      'BGPAdvertisement external': { ipAddressPools: ['first-pool'], aggregationLength: 24 },
    });
    expect(built.objects).toHaveLength(6);
    expect(told(built)).toEqual([`20:22 warning NeedsFrr ${BASE}.bfdprofiles.fast.spec`]);
  });

  it.each([
    [
      'ipAddressPools: {}',
      [
        '4:7 warning UnknownKey charts.metallb-full.configuration.ipAddressPools',
        '3:5 notice EmptySource charts.metallb-full',
      ],
    ],
    ['ipaddresspools: {x: {spec: {}}}', [`4:34 error MissingKey ${BASE}.ipaddresspools.x.spec.addresses`]],
    [
      'ipaddresspools: {x: {addresses: []}}',
      [
        `4:28 warning UnknownKey ${BASE}.ipaddresspools.x.addresses`,
        `4:27 error MissingKey ${BASE}.ipaddresspools.x.spec.addresses`,
      ],
    ],
    [
      'ipaddresspools: {x: {spec: {addresses: [10.0.0.0/24], avoid: 1}}}',
      [`4:61 warning UnknownKey ${BASE}.ipaddresspools.x.spec.avoid`],
    ],
    [
      'ipaddresspools: {x: {spec: {addresses: [10.0.0.0/24], autoAssign: "no"}}}',
      [`4:73 error WrongType ${BASE}.ipaddresspools.x.spec.autoAssign`],
    ],
    [
      'ipaddresspools: {My_Pool: {spec: {addresses: [10.0.0.0/24]}}}',
      [`4:40 error InvalidName ${BASE}.ipaddresspools.My_Pool.spec`],
    ],
    [
      'ipaddresspools: [x]',
      [`4:23 error WrongType ${BASE}.ipaddresspools`, '3:5 notice EmptySource charts.metallb-full'],
    ],
    [
      'ipaddresspools: {x: {metadata: {labels: {}}, spec: {addresses: [10.0.0.0/24]}}}',
      [`4:28 warning UnknownKey ${BASE}.ipaddresspools.x.metadata`],
    ],
  ])('%s', (text, problems) => expect(told(rendered(chart(`      ${text}\n`)))).toEqual(problems));

  it('hands on what it tells the chart about workloads, without images and empty defaults', () => {
    const text = `charts:
  metallb-full:
    metallb:
      loadBalancerClass: ""
      controller:
        logLevel: info
        image: {repository: gcr.io/x, tag: v1}
        nodeSelector: {}
        tolerations: [{key: a}]
      speaker:
        frr: {enabled: true}
        nodeSelector: {zone: "{{ .spectro.var.zone }}"}
`;
    const built = rendered(text);
    expect(built.settings).toEqual({ controller: { logLevel: 'info', tolerations: [{ key: 'a' }] } });
    expect(told(built)).toEqual(['3:5 notice EmptySource charts.metallb-full']);
    expect(rendered(text.replace('""', 'metallb')).settings).toMatchObject({ loadBalancerClass: 'metallb' });
  });

  it('beside the manifest pack is ambiguous', () => {
    const [problem, ...others] = rendered(`${MANIFEST}${FULL}`).problems;
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'AmbiguousDialect', path: 'charts.metallb-full' });
    expect(problem?.message).toContain('as Palette (lb-metallb), for its manifests.metallb');
  });

  it('is read where Helm has read it already', () => {
    const values = {
      charts: {
        'metallb-full': {
          configuration: { ipaddresspools: { x: { spec: { addresses: ['10.0.0.0/24'] } } } },
        },
      },
    };
    expect(specs(build(source(values), TARGET))).toEqual({ 'IPAddressPool x': pool(['10.0.0.0/24']) });
  });
});

describe.skipIf(!haveDocuments)('the page of Palette', () => {
  it('shows the manifest pack', () => expect(shows(PAGE, MANIFEST)).toBe(true));

  it('shows the Helm pack', () => {
    const text = `charts:
  metallb-full:
    configuration:
      ipaddresspools:
        first-pool:
          spec:
            addresses:
              - 192.168.10.0/24
            avoidBuggyIPs: true
            autoAssign: true

      l2advertisements:
        default:
          spec:
            ipAddressPools:
              - first-pool

      bgpadvertisements: {}
      bgppeers: {}
      communities: {}
      bfdprofiles: {}
`;
    expect(shows(PAGE, text)).toBe(true);
    const built = rendered(text);
    expect(specs(built)).toEqual({
      'IPAddressPool first-pool': pool(['192.168.10.0/24'], { avoidBuggyIPs: true }),
      'L2Advertisement default': { ipAddressPools: ['first-pool'] },
    });
    expect(told(built)).toEqual([]);
  });

  it('shows settings of the chart, which define nothing', () => {
    const text =
      'charts:\n  metallb-full:\n    metallb:\n      speaker:\n        frr:\n          enabled: true\n';
    expect(shows(PAGE, text)).toBe(true);
    expect(told(rendered(text))).toEqual(['3:5 notice EmptySource charts.metallb-full']);
  });

  it('shows labels of a namespace, which are not ours', () => {
    const text = `pack:
  content:
    charts:
      - repo: https://metallb.github.io/metallb
        name: metallb
        version: 0.13.11
  namespace: metallb-system
  namespaceLabels:
    "metallb-system": "pod-security.kubernetes.io/warn=privileged,pod-security.kubernetes.io/enforce-version=v{{ .spectro.system.kubernetes.version | substr 0 4 }}"
`;
    expect(shows(PAGE, 'namespaceLabels:\n"metallb-system":')).toBe(true);
    const built = rendered(text);
    expect(built.objects).toEqual([]);
    expect(told(built)).toEqual(['1:1 warning ForeignKey pack']);
  });
});

describe.skipIf(!haveInputs)('a pack of an operator', () => {
  it('is read out of the Terraform file that held it', () => {
    const built = rendered(input('51-spectrocloud-gitops-picard/pack-values.yaml'));
    expect(specs(built)).toEqual({
      'IPAddressPool default': pool(['10.10.182.10-10.10.182.19'], { avoidBuggyIPs: true }),
      'L2Advertisement default': { ipAddressPools: ['default'] },
    });
    expect(told(built)).toEqual([]);
  });
});
