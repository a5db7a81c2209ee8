import { describe, expect, it } from 'vitest';
import { Services } from '../../domain/api/core.ts';
import { parseAddress } from '../../domain/ip/address.ts';
import type { Note } from '../../domain/ipam/converge.ts';
import { aboutService, deprecations, eventOf } from './events.ts';

const addresses = [parseAddress('192.0.2.1')].filter((a) => a !== undefined);
const refusal = { refused: 'no-room', family: 'IPv4' } as const;

describe('Events', () => {
  it.each<[Note, string]>([
    [{ note: 'allocated', addresses, pool: 'a' }, 'Normal IPAllocated'],
    [{ note: 'second-refused', refusal }, 'Normal AdditionalAssignFailed'],
    [{ note: 'cleared', addresses, refusal }, 'Normal ClearAssignment'],
    [{ note: 'request-unreadable', refusal }, 'Warning LoadBalancerFailed'],
    [{ note: 'not-enough-cluster-ips', refusal }, 'Warning not enough clusterips'],
    [{ note: 'unknown-address-family', texts: ['x'] }, 'Warning nolbIPsIPFamily'],
    [{ note: 'unknown-cluster-family', texts: ['x'] }, 'Warning noclusterIPsIPFamily'],
    [{ note: 'not-allocated', refusal }, 'Warning AllocationFailed'],
  ])('for $note have the reason of upstream', (note, words) => {
    const { type, reason } = eventOf(note);
    expect(`${type} ${reason}`).toBe(words);
  });

  it('point to the Service and name every annotation of the old prefix', () => {
    const annotations = { 'metallb.universe.tf/address-pool': 'a', 'metallb.io/address-pool': 'a' };
    const service = Services.decode({
      metadata: { name: 's', namespace: 't', uid: 'u', resourceVersion: '7', annotations },
      spec: {},
    });
    expect(aboutService(service)).toMatchObject({ kind: 'Service', namespace: 't', name: 's', uid: 'u' });
    expect(deprecations(service).map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'deprecatedAnnotation: Annotation metallb.universe.tf/address-pool is deprecated, use metallb.io/',
    ]);
  });
});
