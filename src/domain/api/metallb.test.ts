import { describe, expect, test } from 'vitest';
import { HelmReleases } from './flux.ts';
import { ConfigSources } from './herald.ts';
import {
  BGPPeers,
  ConfigurationStates,
  IPAddressPools,
  L2Advertisements,
  ServiceL2Statuses,
} from './metallb.ts';
import { apiVersion, keyOf } from './object.ts';

const metadata = { name: 'web', namespace: 'metallb-system', uid: 'u1', resourceVersion: '7', generation: 3 };

describe('kinds of metallb.io', () => {
  test('are addressed by group and version', () => {
    expect(apiVersion(IPAddressPools)).toBe('metallb.io/v1beta1');
    expect(apiVersion(BGPPeers)).toBe('metallb.io/v1beta2');
    expect(apiVersion(HelmReleases)).toBe('helm.toolkit.fluxcd.io/v2');
  });

  test('keep spec and status as they are', () => {
    const spec = { addresses: ['192.0.2.0/24'], autoAssign: false, serviceAllocation: { priority: 5 } };
    const status = {
      assignedIPv4: 1,
      assignedIPv6: 0,
      availableIPv4: 255,
      availableIPv6: 2 ** 63,
    };
    const pool = IPAddressPools.decode({ metadata, spec, status });
    expect(pool.spec).toEqual(spec);
    expect(pool.status).toEqual(status);
    expect(keyOf(pool)).toBe('metallb-system/web');
    expect(pool.metadata.generation).toBe(3);
  });

  test('may lack a spec where the definition lets them', () => {
    expect(L2Advertisements.decode({ metadata }).spec).toEqual({});
    expect(ConfigurationStates.decode({ metadata })).toMatchObject({ spec: {} });
    expect(() => IPAddressPools.decode({ metadata })).toThrow(
      'IPAddressPool metallb-system/web: spec is required',
    );
  });

  test('have no status until somebody writes one', () => {
    expect(ServiceL2Statuses.decode({ metadata, spec: {} }).status).toBeUndefined();
  });

  test('refuse what the API server would refuse', () => {
    const broken = { metadata, spec: { addresses: ['192.0.2.0/24', 5] } };
    expect(() => IPAddressPools.decode(broken)).toThrow(
      'IPAddressPool metallb-system/web: spec.addresses[1] must be text, not a number',
    );
    const peer = { metadata, spec: { myASN: 65000, peerPort: -1 } };
    expect(() => BGPPeers.decode(peer)).toThrow('spec.peerPort must be at least 0');
  });
});

test('a ConfigSource that nobody has looked at has generation -1', () => {
  const spec = { secretName: 's', digest: `sha256:${'0'.repeat(64)}` };
  const source = ConfigSources.decode({ metadata, spec, status: { observedGeneration: -1 } });
  expect(source.status).toEqual({ observedGeneration: -1 });
});

describe('a HelmRelease', () => {
  test('keeps nulls in its values, which have a meaning there', () => {
    const values = { pools: { web: null } };
    const release = HelmReleases.decode({ metadata, spec: { values, valuesFrom: null } });
    expect(release.spec.values).toEqual(values);
    expect(release.spec).toMatchObject({ suspend: false, valuesFrom: [] });
    expect(release.status).toEqual({ observedGeneration: -1, history: [], conditions: [] });
  });

  test('may hold values that are no map', () => {
    expect(HelmReleases.decode({ metadata, spec: { values: [1] } }).spec.values).toEqual([1]);
    expect('values' in HelmReleases.decode({ metadata, spec: {} }).spec).toBe(false);
  });

  test('shows what was released', () => {
    const status = {
      observedGeneration: 2,
      lastAttemptedConfigDigest: 'sha256:1',
      history: [
        { name: 'r', namespace: 'n', version: 4, status: 'deployed', configDigest: 'sha256:1', digest: 'x' },
      ],
      conditions: [
        { type: 'Ready', status: 'True', reason: 'UpgradeSucceeded', message: 'm', lastTransitionTime: 't' },
      ],
    };
    expect(HelmReleases.decode({ metadata, spec: {}, status }).status).toEqual({
      observedGeneration: 2,
      lastAttemptedConfigDigest: 'sha256:1',
      history: [
        {
          name: 'r',
          namespace: 'n',
          version: 4,
          status: 'deployed',
          configDigest: 'sha256:1',
          chartVersion: '',
        },
      ],
      conditions: [{ type: 'Ready', status: 'True', reason: 'UpgradeSucceeded', message: 'm' }],
    });
  });
});
