// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are a subject.
/** What one entry of a pool means, in each dialect. */
import { describe, expect, it } from 'vitest';
import { rendered, specs } from './text.rig.ts';

/** A file of each dialect with one entry, as it stands between double quotes. */
const FILES = {
  native: (e: string) => `pools: {p: {addresses: ["${e}"]}}\nl2Advertisements: {p: {}}\n`,
  objects: (e: string) =>
    `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: {addresses: ["${e}"]}\n`,
  AddressPool: (e: string) =>
    `apiVersion: metallb.io/v1beta1\nkind: AddressPool\nmetadata: {name: p}\nspec: {protocol: layer2, addresses: ["${e}"]}\n`,
  legacy: (e: string) => `address-pools: [{name: p, protocol: layer2, addresses: ["${e}"]}]\n`,
  inline: (e: string) =>
    `configInline: {address-pools: [{name: p, protocol: layer2, addresses: ["${e}"]}]}\n`,
  'palette-manifest': (e: string) => `manifests: {metallb: {addresses: ["${e}"]}}\n`,
  'palette-helm': (e: string) =>
    `charts: {metallb-full: {configuration: {ipaddresspools: {p: {spec: {addresses: ["${e}"]}}}}}}\n`,
  'kubespray-range': (e: string) => `metallb_enabled: true\nmetallb_ip_range: ["${e}"]\n`,
  'kubespray-config': (e: string) =>
    `metallb_enabled: true\nmetallb_config: {address_pools: {p: {ip_range: ["${e}"]}}, layer2: [p]}\n`,
  charm: (e: string) => `iprange: "${e}"\n`,
} as const;
type Name = keyof typeof FILES;
const NAMES = Object.keys(FILES) as readonly Name[];

/** The pool's addresses, or the codes of what is refused. */
function meaning(name: Name, entry: string): readonly unknown[] {
  const built = rendered(FILES[name](entry));
  const errors = built.problems.filter((p) => p.severity === undefined || p.severity === 'error');
  if (errors.length > 0) return errors.map((p) => p.code);
  return Object.values(specs(built)).flatMap((spec) =>
    typeof spec === 'object' && spec !== null && 'addresses' in spec ? [spec.addresses] : [],
  );
}

const INVALID = ['PoolRangeInvalid'];

describe('an entry of a pool', () => {
  // [entry, what it means in most dialects, what it means in others]
  it.each<[string, readonly unknown[], Partial<Record<Name, readonly unknown[]>>]>([
    ['10.0.0.1-10.0.0.9', [['10.0.0.1-10.0.0.9']], {}],
    ['10.0.0.1 - 10.0.0.9', [['10.0.0.1 - 10.0.0.9']], { charm: [['10.0.0.1-10.0.0.9']] }],
    // Only templates that print without quotes, and the charm, lose the blank.
    [' 10.0.0.0/24', INVALID, { charm: [['10.0.0.0/24']], 'kubespray-range': [['10.0.0.0/24']] }],
    ['10.0.0.0/25,10.0.0.128/25', INVALID, { charm: [['10.0.0.0/25', '10.0.0.128/25']] }],
    ['10.0.0.5/24', [['10.0.0.5/24']], { charm: ['HostBits'] }],
    ['10.0.0.5', INVALID, { AddressPool: [['10.0.0.5/32']] }],
    ['2001:db8::5', INVALID, { AddressPool: [['2001:db8::5/128']] }],
    ['10.0.0.5/32', [['10.0.0.5/32']], {}],
    ['10.0.0.4/31', [['10.0.0.4/31']], {}],
    ['2001:db8::4/127', [['2001:db8::4/127']], {}],
    ['10.0.0.7-10.0.0.7', [['10.0.0.7-10.0.0.7']], {}],
    // The author's spelling stays.
    ['2001:0DB8::/64', [['2001:0DB8::/64']], {}],
    ['10.0.0.0/255.255.255.0', INVALID, {}],
    ['010.0.0.1/32', INVALID, {}],
    ['fe80::1%eth0/128', INVALID, {}],
    ['::ffff:10.0.0.1/128', INVALID, {}],
    ['10.0.0.9-10.0.0.1', INVALID, {}],
    ['10.0.0.1-10.0.0.2-10.0.0.3', INVALID, {}],
    ['10.0.0.1-9', INVALID, {}],
    ['10.0.0.0/33', INVALID, {}],
    ['10.0.0.*', INVALID, {}],
    ['10.0.0.1-fd00::1', ['PoolRangeMixed'], {}],
    ['${LB_RANGE}', ['Unrendered'], {}],
    ['{{ lb_range }}', ['Unrendered'], {}],
    ['<IP_RANGE>', ['Unrendered'], {}],
    ['_replaced_', ['Unrendered'], {}],
    ['ENC[AES256_GCM,data:x]', ['Unrendered'], {}],
  ])('%j', (entry, most, others) => {
    const means = Object.fromEntries(NAMES.map((name) => [name, meaning(name, entry)]));
    const expected = Object.fromEntries(NAMES.map((name) => [name, others[name] ?? most]));
    expect(means).toEqual(expected);
  });
});

describe('the switch that leaves out .0 and .255', () => {
  const SPELLINGS = ['avoidBuggyIPs', 'avoidBuggyIps', 'avoid-buggy-ips', 'avoid_buggy_ips'] as const;
  const withSwitch: Readonly<Record<Name, (key: string) => string>> = {
    native: (key) => `pools: {p: {addresses: [10.0.0.0/24], ${key}: true}}\nl2Advertisements: {p: {}}\n`,
    objects: (key) => FILES.objects('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    AddressPool: (key) => FILES.AddressPool('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    legacy: (key) => FILES.legacy('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    inline: (key) => FILES.inline('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    'palette-manifest': (key) => FILES['palette-manifest']('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    'palette-helm': (key) => FILES['palette-helm']('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    'kubespray-range': (key) =>
      `${FILES['kubespray-range']('10.1.0.0/24')}metallb_additional_address_pools: {p: {ip_range: [10.0.0.0/24], protocol: layer2, ${key}: true}}\n`,
    'kubespray-config': (key) => FILES['kubespray-config']('10.0.0.0/24').replace(']}', `], ${key}: true}`),
    charm: (key) => `${FILES.charm('10.0.0.0/24')}${key}: true\n`,
  };
  const OWN: Partial<Record<Name, string>> = {
    native: 'avoidBuggyIPs',
    objects: 'avoidBuggyIPs',
    legacy: 'avoid-buggy-ips',
    inline: 'avoid-buggy-ips',
    'palette-manifest': 'avoidBuggyIps',
    'palette-helm': 'avoidBuggyIPs',
    'kubespray-range': 'avoid_buggy_ips',
    'kubespray-config': 'avoid_buggy_ips',
  };
  // Helm refuses what Herald's schema does not know, and MetalLB 0.12 refused every unknown key.
  const STRICT: readonly Name[] = ['native', 'legacy', 'inline'];

  it.each(NAMES)('has one spelling in %s, and any other is told', (name) => {
    for (const key of SPELLINGS) {
      const built = rendered(withSwitch[name](key));
      const unknown = built.problems.filter((p) => p.code === 'UnknownKey');
      if (key === OWN[name]) {
        expect(unknown).toEqual([]);
        expect(Object.values(specs(built))).toContainEqual(expect.objectContaining({ avoidBuggyIPs: true }));
        continue;
      }
      expect(unknown.map((p) => p.severity ?? 'error')).toEqual([
        STRICT.includes(name) ? 'error' : 'warning',
      ]);
      expect(JSON.stringify(specs(built))).not.toContain('"avoidBuggyIPs":true');
    }
  });
});
