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

  it('tell of a move what goes and what comes', () => {
    const [from, to] = [addresses, [parseAddress('198.51.100.1')].filter((a) => a !== undefined)];
    const told = (note: Note) => {
      const { type, reason, message } = eventOf(note);
      return `${type} ${reason}: ${message}`;
    };
    expect(told({ note: 'moving', from, to })).toBe(
      'Normal AddressMoving: 192.0.2.1 moves to 198.51.100.1; both are served for now',
    );
    expect(told({ note: 'moved', from, to })).toBe(
      'Normal AddressMoved: 192.0.2.1 is replaced by 198.51.100.1',
    );
    expect(told({ note: 'move-undone', from, to })).toBe(
      'Normal AddressMoveUndone: 192.0.2.1 stays, 198.51.100.1 is given back',
    );
    expect(told({ note: 'not-moved', addresses, stay: { stay: 'requested-address' } })).toBe(
      'Warning AddressNotMoved: 192.0.2.1 is in a moving range and stays: it asks for this address',
    );
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
