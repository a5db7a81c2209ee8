import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { idOf } from '../object.ts';
import { documents, rendered, specs, told } from './text.rig.ts';

const file = (text: string, namespace = TARGET.namespace) =>
  build(source(documents(text), { secret: false, title: 'file.yaml' }), { ...TARGET, namespace });
const manifest = (kind: string, spec: string, more = '') =>
  `apiVersion: metallb.io/v1beta1\nkind: ${kind}\nmetadata: {name: web${more}}\nspec: ${spec}\n`;
const POOL = manifest('IPAddressPool', '{addresses: [192.0.2.0/24]}');

describe('an AddressPool', () => {
  const pool = (spec: string, version = 'v1beta1') =>
    `apiVersion: metallb.io/${version}\nkind: AddressPool\nmetadata: {name: doc-example}\nspec: ${spec}\n`;

  it('becomes a pool and its announcement on the local network', () => {
    const built = rendered(
      pool(
        '{protocol: layer2, addresses: [203.0.113.1-203.0.113.10, 203.0.113.65-203.0.113.75], autoAssign: false}',
      ),
    );
    expect(specs(built)).toEqual({
      'IPAddressPool doc-example': {
        addresses: ['203.0.113.1-203.0.113.10', '203.0.113.65-203.0.113.75'],
        autoAssign: false,
        avoidBuggyIPs: false,
      },
      'L2Advertisement doc-example-l2': { ipAddressPools: ['doc-example'] },
    });
    expect(told(built)).toEqual([]);
  });

  it('becomes a pool and its BGP advertisements, counted from 1', () => {
    const ad = { aggregationLength: 32, aggregationLengthV6: 128, ipAddressPools: ['doc-example'] };
    expect(specs(rendered(pool('{protocol: bgp, addresses: [203.0.113.0/24]}')))).toMatchObject({
      'BGPAdvertisement doc-example-bgp-1': ad,
    });
    const several =
      '{protocol: bgp, addresses: [203.0.113.0/24], bgpAdvertisements: [{localPref: 100, communities: ["1:2"]}, {aggregationLength: 24}]}';
    expect(specs(rendered(pool(several)))).toMatchObject({
      'BGPAdvertisement doc-example-bgp-1': { ...ad, localPref: 100, communities: ['1:2'] },
      'BGPAdvertisement doc-example-bgp-2': { ...ad, aggregationLength: 24 },
    });
  });

  it('may list single addresses', () => {
    const built = rendered(pool('{protocol: layer2, addresses: [203.0.113.9, "2001:db8::1"]}'));
    expect(specs(built)).toMatchObject({
      'IPAddressPool doc-example': { addresses: ['203.0.113.9/32', '2001:db8::1/128'] },
    });
    expect(told(built)).toEqual([
      '4:38 notice AddressWidened spec.addresses[0]',
      '4:51 notice AddressWidened spec.addresses[1]',
    ]);
  });

  it('may have a second name in v1alpha1', () => {
    const named = (version: string) =>
      rendered(pool('{name: other, protocol: layer2, addresses: [203.0.113.0/24]}', version));
    expect(named('v1alpha1').objects.map(idOf)).toEqual(['IPAddressPool other', 'L2Advertisement other-l2']);
    expect(named('v1beta1').objects.map(idOf)[0]).toBe('IPAddressPool doc-example');
    expect(told(named('v1beta1'))).toEqual(['4:8 warning UnknownKey spec.name']);
  });

  it.each<[string, string, readonly string[]]>([
    ['without protocol', '{addresses: [203.0.113.0/24]}', ['4:7 error MissingKey spec.protocol']],
    [
      'of another protocol',
      '{protocol: l2, addresses: [203.0.113.0/24]}',
      ['4:18 error InvalidValue spec.protocol'],
    ],
    ['without addresses', '{protocol: layer2}', ['4:7 error MissingKey spec.addresses']],
    [
      'with advertisements on layer2',
      '{protocol: layer2, addresses: [203.0.113.0/24], bgpAdvertisements: [{}]}',
      ['4:74 error ProtocolMismatch spec.bgpAdvertisements'],
    ],
    [
      'with an alias for a community',
      '{protocol: bgp, addresses: [203.0.113.0/24], bgpAdvertisements: [{communities: [no-export]}]}',
      ['4:87 error CommunityInvalid spec.bgpAdvertisements[0].communities[0]'],
    ],
    [
      'with a field of IPAddressPool',
      '{protocol: layer2, addresses: [203.0.113.0/24], avoidBuggyIPs: true}',
      ['4:55 warning UnknownKey spec.avoidBuggyIPs'],
    ],
    [
      'with a switch in quotes',
      '{protocol: layer2, addresses: [203.0.113.0/24], autoAssign: "no"}',
      ['4:67 error WrongType spec.autoAssign'],
    ],
    [
      'with too wide an aggregation',
      '{protocol: bgp, addresses: [203.0.113.0/24], bgpAdvertisements: [{aggregationLength: 20}]}',
      ['4:92 error AggregationInvalid spec.bgpAdvertisements[0].aggregationLength'],
    ],
    [
      'with a range that is none',
      '{protocol: layer2, addresses: [203.0.113.0/33]}',
      ['4:38 error PoolRangeInvalid spec.addresses[0]'],
    ],
  ])('%s', (_what, spec, expected) => {
    const built = rendered(pool(spec));
    expect(told(built)).toEqual(expected);
    expect(new Set(built.problems.map((p) => p.object))).toEqual(new Set(['AddressPool doc-example']));
  });

  it('shares the names of pools with IPAddressPools', () => {
    const both = `${pool('{protocol: layer2, addresses: [203.0.113.0/24]}')}---\n${POOL.replace('web', 'doc-example')}`;
    expect(told(file(both))).toEqual(['error NameCollision [1].metadata.name']);
  });
});

describe('the document of OpenShift', () => {
  it('has several pools, one of IPv6, one reserved', () => {
    const pool = (name: string, spec: string) =>
      `apiVersion: metallb.io/v1alpha1\nkind: AddressPool\nmetadata: {namespace: metallb-system, name: ${name}}\nspec: ${spec}\n`;
    const built = file(
      [
        pool('doc-example', '{protocol: layer2, addresses: [203.0.113.1-203.0.113.10]}'),
        pool('doc-example-reserved', '{protocol: layer2, addresses: [10.0.100.0/28], autoAssign: false}'),
        pool(
          'doc-example-ipv6',
          '{protocol: layer2, addresses: ["10.0.200.0/24", "fc00:f853:ccd:e799::/124"]}',
        ),
      ].join('---\n'),
    );
    expect(told(built)).toEqual([]);
    expect(built.objects.map(idOf)).toEqual([
      'IPAddressPool doc-example',
      'L2Advertisement doc-example-l2',
      'IPAddressPool doc-example-reserved',
      'L2Advertisement doc-example-reserved-l2',
      'IPAddressPool doc-example-ipv6',
      'L2Advertisement doc-example-ipv6-l2',
    ]);
  });
});
