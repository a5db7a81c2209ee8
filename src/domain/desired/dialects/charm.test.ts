// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are told as such.
import { describe, expect, it } from 'vitest';
import { build } from '../build.ts';
import { source, TARGET } from '../desired.rig.ts';
import { haveDocuments, shows } from './document.rig.ts';
import { rendered, specs, told } from './text.rig.ts';

const pool = (...addresses: string[]) => ({ addresses, autoAssign: true, avoidBuggyIPs: false });
const option = (text: string) => `iprange: "${text}"\n`;

describe('iprange', () => {
  it.each([
    ['192.168.1.88-192.168.1.89', ['192.168.1.88-192.168.1.89']],
    ['192.168.1.240/28, 10.0.0.0/28', ['192.168.1.240/28', '10.0.0.0/28']],
    [' 192. 168.1.240 - 192.168.1.247 ', ['192.168.1.240-192.168.1.247']],
    ['10.0.0.1/32,FD00::/64,fd01::1-fd01::9', ['10.0.0.1/32', 'FD00::/64', 'fd01::1-fd01::9']],
    ['fd00::1/128', ['fd00::1/128']],
  ])('%j is split at commas, and white space does not count', (text, addresses) => {
    const built = rendered(option(text));
    expect(built.dialect).toBe('charm');
    expect(specs(built)).toEqual({
      'IPAddressPool metallb': pool(...addresses),
      'L2Advertisement metallb': { ipAddressPools: ['metallb'] },
    });
    expect(told(built)).toEqual(['1:10 notice Renamed iprange']);
  });

  const RENAMED = '1:10 notice Renamed iprange';
  it.each([
    ['10.0.0.9', [RENAMED, '1:10 error PoolRangeInvalid iprange[0]']],
    ['10.0.0.0/24,fd00::1', [RENAMED, '1:10 error PoolRangeInvalid iprange[1]']],
    ['192.168.1.10/24', ['1:10 error HostBits iprange[0]', RENAMED]],
    ['10.0.0.0/24,fd00::1/64', ['1:10 error HostBits iprange[1]', RENAMED]],
    ['10.0.0.0/255.255.255.0', [RENAMED, '1:10 error PoolRangeInvalid iprange[0]']],
    ['10.0.0.9-10.0.0.1', [RENAMED, '1:10 error PoolRangeInvalid iprange[0]']],
    ['10.0.0.1-fd00::1', [RENAMED, '1:10 error PoolRangeMixed iprange[0]']],
    ['10.0.0.1-10.0.0.2-10.0.0.3', [RENAMED, '1:10 error PoolRangeInvalid iprange[0]']],
    ['10.0.0.0/24,', ['1:10 error PoolRangeInvalid iprange[1]', RENAMED]],
    ['10.0.0.0/24,,10.0.1.0/24', ['1:10 error PoolRangeInvalid iprange[1]', RENAMED]],
    ['10.0.0.0/24,10.0.0.0/24', [RENAMED, '1:10 error PoolOverlap iprange[1]']],
    ['010.0.0.0/24', [RENAMED, '1:10 error PoolRangeInvalid iprange[0]']],
    // The first bad entry stops the charm; here all are told.
    [
      'x,10.0.0.0/24,y',
      [RENAMED, '1:10 error PoolRangeInvalid iprange[0]', '1:10 error PoolRangeInvalid iprange[2]'],
    ],
    ['', ['1:10 error PoolEmpty iprange']],
    ['  ', ['1:10 error PoolEmpty iprange']],
    ['${LB_RANGE}', ['1:10 error Unrendered iprange']],
    ['10.0.0.0/24,{{ more }}', ['1:10 error Unrendered iprange']],
  ])('%j is refused', (text, problems) => expect(told(rendered(option(text)))).toEqual(problems));

  it('must be text', () => {
    expect(told(rendered('iprange: [10.0.0.0/24]\n'))).toEqual(['1:10 error WrongType iprange']);
    expect(told(rendered('iprange:\n'))).toEqual(['1:9 error PoolEmpty iprange']);
  });

  it('says how to put host bits right', () => {
    const [first] = rendered(option('192.168.1.10/24')).problems;
    expect(first?.message).toContain('the block is 192.168.1.0/24');
    expect(first?.hint).toBe('write the first address of the block');
  });
});

describe('the other options', () => {
  it.each([
    ['namespace: lb', ['2:12 notice NoEffect namespace']],
    ['namespace: metallb-system', []],
    ['image-registry: x\nmetallb-release: v0.13.10', []],
    ['node-selctor: a=b', ['2:1 warning UnknownKey node-selctor']],
    // Herald's own, where the values are those of its chart.
    ['change: {onChange: drain}\nspeaker: {}', []],
  ])('%s', (more, problems) =>
    expect(told(rendered(`${option('10.0.0.0/24')}${more}\n`))).toEqual([
      ...problems,
      '1:10 notice Renamed iprange',
    ]),
  );

  it.each([
    ['kubernetes.io/os=linux zone=a junk', { 'kubernetes.io/os': 'linux', zone: 'a' }],
    ['a=b=c  d=', { a: 'b=c', d: '' }],
  ])('node-selector %s is that of both workloads', (text, nodeSelector) => {
    expect(rendered(`${option('10.0.0.0/24')}node-selector: "${text}"\n`).settings).toEqual({
      controller: { nodeSelector },
      speaker: { nodeSelector },
    });
  });
});

describe('a bundle', () => {
  it('gives the pool the name of the application', () => {
    const built = rendered(`
bundle: kubernetes
applications:
  lb:
    charm: metallb
    channel: 1.28/stable
    trust: true
    options: {iprange: "10.0.0.0/24, 10.0.1.0/24", juju-external-hostname: x, node-selectr: a=b}
  lb-two:
    charm: ch:metallb
    options: {iprange: 10.1.0.0/24}
  kubernetes-worker:
    options: {proxy-extra-config: "{mode: ipvs}"}
`);
    expect(specs(built)).toEqual({
      'IPAddressPool lb': pool('10.0.0.0/24', '10.0.1.0/24'),
      'L2Advertisement lb': { ipAddressPools: ['lb'] },
      'IPAddressPool lb-two': pool('10.1.0.0/24'),
      'L2Advertisement lb-two': { ipAddressPools: ['lb-two'] },
    });
    expect(told(built)).toEqual([
      '8:79 warning UnknownKey applications.lb.options.node-selectr',
      '8:24 notice Renamed applications.lb.options.iprange',
      '11:24 notice Renamed applications.lb-two.options.iprange',
    ]);
    expect(built.problems[1]?.message).toContain('<model>-lb');
  });

  it('without the charm is nobody’s', () => {
    const text =
      "applications:\n  kubernetes-worker:\n    options:\n      proxy-extra-config: '{mode: ipvs}'\n";
    expect(told(rendered(text))).toEqual(['1:1 warning ForeignKey applications']);
  });

  it('may be the options of one application, as Juju takes them', () => {
    expect(specs(rendered('metallb: {iprange: 10.0.0.0/24}\n'))).toHaveProperty('IPAddressPool metallb');
  });
});

describe('the two charms for channels up to 1.27', () => {
  it.each([
    'protocol: layer2\niprange: "10.0.0.1-10.0.0.9, 10.0.1.0/24"\n',
    'applications:\n  m:\n    charm: cs:~containers/metallb-controller-12\n    options: {iprange: "10.0.0.1-10.0.0.9, 10.0.1.0/24"}\n',
    'applications:\n  m:\n    charm: metallb\n    channel: 1.27/stable\n    options: {iprange: "10.0.0.1-10.0.0.9, 10.0.1.0/24"}\n',
  ])('wrote a pool called default: %j', (text) => {
    const built = rendered(text);
    expect(specs(built)).toEqual({
      'IPAddressPool default': pool('10.0.0.1-10.0.0.9', '10.0.1.0/24'),
      'L2Advertisement default': { ipAddressPools: ['default'] },
    });
    expect(told(built)).toEqual([]);
  });

  it('knew layer 2 alone, and masked host bits as MetalLB does', () => {
    expect(told(rendered('protocol: bgp\niprange: 10.0.0.0/24\n'))).toEqual([
      '1:11 error InvalidValue protocol',
    ]);
    expect(told(rendered('protocol: layer2\niprange: 10.0.0.9/24\n'))).toEqual([
      '2:10 warning HostBits iprange[0]',
    ]);
  });
});

describe('values that Helm has read already', () => {
  it('repeat no range in what is told', () => {
    const built = build(source({ iprange: '192.168.1.10/24' }), TARGET);
    expect(told(built)).toEqual(['error HostBits iprange[0]', 'notice Renamed iprange']);
    expect(JSON.stringify(built.problems)).not.toContain('192.168');
  });
});

describe.skipIf(!haveDocuments)('the page of Charmed Kubernetes', () => {
  it.each([
    [
      '192.168.1.88-192.168.1.89',
      "--config iprange='192.168.1.88-192.168.1.89'",
      ['192.168.1.88-192.168.1.89'],
    ],
    [
      '192.168.1.240/28, 10.0.0.0/28',
      'juju config metallb iprange="192.168.1.240/28, 10.0.0.0/28"',
      ['192.168.1.240/28', '10.0.0.0/28'],
    ],
  ])('sets %s', (text, shown, addresses) => {
    expect(shows('002_0af4be0746dd5ef5.txt', shown)).toBe(true);
    expect(specs(rendered(option(text)))['IPAddressPool metallb']).toEqual(pool(...addresses));
  });
});
