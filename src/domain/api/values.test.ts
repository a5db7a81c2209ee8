import { describe, expect, test } from 'vitest';
import type { Problem } from './problem.ts';
import { checkValues, type HeraldValues } from './values.ts';

function accepted(raw: unknown): { values: HeraldValues; warnings: readonly Problem[] } {
  const checked = checkValues(raw);
  if ('problems' in checked) throw new Error(JSON.stringify(checked.problems));
  return checked;
}
function refused(raw: unknown): readonly Problem[] {
  const checked = checkValues(raw);
  return 'problems' in checked ? checked.problems : [];
}

describe('values', () => {
  test('may be absent', () => {
    expect(accepted(undefined)).toEqual({ values: {}, warnings: [] });
    expect(accepted(null)).toEqual({ values: {}, warnings: [] });
  });

  test('hold upstream fields and the reserved keys side by side', () => {
    const values = {
      pools: {
        web: {
          addresses: ['192.0.2.0/24'],
          autoAssign: false,
          serviceAllocation: { namespaces: ['shop'] },
          labels: { team: 'net' },
          annotations: { a: 'b' },
          onChange: 'drain',
        },
      },
      l2Advertisements: { web: { ipAddressPools: ['web'] } },
      bgpAdvertisements: { web: { localPref: 100, communities: ['no-export'] } },
      bgpPeers: { tor: { myASN: 4_200_000_000, peerASN: 64512, peerAddress: '192.0.2.1', holdTime: '90s' } },
      bfdProfiles: { fast: { receiveInterval: 50 } },
      communities: { known: { communities: [{ name: 'no-export', value: '65535:65281' }] } },
      change: { policy: 'hold' },
      source: { helmRelease: { name: 'herald', namespace: 'flux-system' }, secretNames: ['peers'] },
      sources: { namespaces: ['team-a'] },
      admission: { poolsInUse: 'Warn' },
    };
    expect(accepted(values)).toEqual({ values, warnings: [] });
  });

  test('lose their nulls, which delete what a base said', () => {
    const raw = {
      pools: {
        old: null,
        web: { addresses: ['192.0.2.0/24'], autoAssign: null, labels: { a: null, b: 'c' } },
      },
      l2Advertisements: null,
      speaker: { bgpDebounceTimeout: null },
    };
    expect(accepted(raw).values).toEqual({
      pools: { web: { addresses: ['192.0.2.0/24'], labels: { b: 'c' } } },
      speaker: {},
    });
  });

  test('are not judged by what their addresses mean', () => {
    const pools = { web: { addresses: ['10.0.0.300/24', 'b-a', ''] } };
    expect(accepted({ pools }).values).toEqual({ pools });
  });

  // [values, [code, path, part of the hint]]
  test.each<[unknown, readonly [string, string, string?]]>([
    [7, ['WrongType', '']],
    [[], ['WrongType', '', 'a map']],
    [{ pool: {} }, ['UnknownKey', 'pool', '"pools"']],
    [{ ipAddressPools: {} }, ['UnknownKey', 'ipAddressPools', '"pools"']],
    [{ controler: {} }, ['UnknownKey', 'controler', '"controller"']],
    [{ whatever: {} }, ['UnknownKey', 'whatever', 'take it out']],
    [{ pools: { a: { addreses: [] } } }, ['UnknownKey', 'pools.a.addreses', '"addresses"']],
    [
      { pools: { a: { addresses: [], autoassign: true } } },
      ['UnknownKey', 'pools.a.autoassign', '"autoAssign"'],
    ],
    [{ pools: { a: {} } }, ['MissingKey', 'pools.a.addresses']],
    [{ pools: { a: { addresses: 'x' } } }, ['WrongType', 'pools.a.addresses', 'write a list']],
    [{ pools: { a: { addresses: ['x', 5] } } }, ['WrongType', 'pools.a.addresses[1]', 'put it in quotes']],
    [{ pools: { a: { addresses: ['x', null] } } }, ['WrongType', 'pools.a.addresses[1]']],
    [
      { pools: { a: { addresses: [], autoAssign: 'yes' } } },
      ['WrongType', 'pools.a.autoAssign', 'write true'],
    ],
    [
      { pools: { a: { addresses: [], autoAssign: 'Off' } } },
      ['WrongType', 'pools.a.autoAssign', 'write false'],
    ],
    [{ pools: { a: { addresses: [], onChange: 'drian' } } }, ['InvalidValue', 'pools.a.onChange', '"drain"']],
    [{ pools: { My_Pool: { addresses: [] } } }, ['InvalidName', 'pools.My_Pool', 'lower-case']],
    [{ pools: { ['a'.repeat(254)]: null } }, ['InvalidName', `pools.${'a'.repeat(254)}`]],
    [{ pools: [{ name: 'a' }] }, ['WrongType', 'pools', 'a map from names']],
    [{ bgpPeers: { t: { myASN: '65000' } } }, ['WrongType', 'bgpPeers.t.myASN', 'without quotes']],
    [{ bgpPeers: { t: { myASN: 1, peerPort: 0 } } }, ['InvalidValue', 'bgpPeers.t.peerPort']],
    [{ change: { policy: 'keep' } }, ['InvalidValue', 'change.policy']],
    [{ change: { polcy: 'hold' } }, ['UnknownKey', 'change.polcy', '"policy"']],
    [{ source: { helmRelease: { name: 'a' } } }, ['MissingKey', 'source.helmRelease.namespace']],
    [{ admission: { poolsInUse: 'deny' } }, ['InvalidValue', 'admission.poolsInUse', '"Deny"']],
    [{ speaker: { enabled: 'true' } }, ['WrongType', 'speaker.enabled', 'write true']],
    [{ controller: { logLevel: 'verbose' } }, ['InvalidValue', 'controller.logLevel']],
  ])('%j is refused with its place and the mend', (raw, [code, path, hint]) => {
    const problems = refused(raw);
    expect(problems.map((p) => [p.code, p.path])).toEqual([[code, path]]);
    if (hint !== undefined) expect(problems[0]?.hint).toContain(hint);
  });

  test('are refused with all their mistakes in one go', () => {
    const pools = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, { addresses: 'x' }]));
    expect(refused({ pools, bgpPeers: { t: { password: 1 } } })).toHaveLength(42);
  });

  test('never appear in a message', () => {
    const secret = 'hunter2';
    const raw = {
      pools: { a: { addresses: secret, onChange: secret, autoAssign: secret } },
      bgpPeers: { t: { myASN: secret, dynamicASN: secret, password: [secret], passwordSecret: secret } },
      change: secret,
    };
    const problems = refused(raw);
    expect(problems).toHaveLength(8);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  test("warn about keys below the chart's own roots that nobody knows", () => {
    const raw = { speaker: { enabeld: true, frr: { enabled: false } }, controller: { shiny: 1 } };
    expect(accepted(raw).warnings).toEqual([
      expect.objectContaining({ code: 'UnknownKey', severity: 'warning', path: 'controller.shiny' }),
      expect.objectContaining({ path: 'speaker.enabeld', hint: 'did you mean "enabled"?' }),
    ]);
  });

  test("let other products' keys through and say so", () => {
    const raw = {
      metallb_ip_range: ['10.0.0.0/24'],
      matallb_auto_assign: 'yes',
      iprange: 'x',
      configInline: {},
      'node-selector': 'a=b',
      calico_advertise_service_loadbalancer_ips: [],
    };
    expect(accepted(raw).warnings.map(({ code, path }) => [code, path])).toEqual([
      ['ForeignKey', 'metallb_ip_range'],
      ['ForeignKey', 'matallb_auto_assign'],
      ['ForeignKey', 'iprange'],
      ['ForeignKey', 'configInline'],
      ['ForeignKey', 'node-selector'],
      ['ForeignKey', 'calico_advertise_service_loadbalancer_ips'],
    ]);
  });
});
