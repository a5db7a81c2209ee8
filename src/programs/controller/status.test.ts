import { describe, expect, it } from 'vitest';
import { ALLOCATED, type Condition } from '../../domain/api/conditions.ts';
import { type Service, Services } from '../../domain/api/core.ts';
import { parseAddress } from '../../domain/ip/address.ts';
import type { Choice } from '../../domain/ipam/choose.ts';
import type { Verdict } from '../../domain/ipam/converge.ts';
import { statusChange } from './status.ts';

const NOW = '2026-01-01T00:00:00Z';
const POOL = 'metallb.io/ip-allocated-from-pool';

function service(
  o: { ingress?: object[]; conditions?: object[]; annotations?: object; generation?: number } = {},
): Service {
  const { ingress, conditions, annotations = {}, generation = 3 } = o;
  return Services.decode({
    metadata: { name: 's', namespace: 't', uid: 'u', resourceVersion: '7', generation, annotations },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress }, conditions },
  });
}
const addresses = (...texts: string[]) =>
  texts.map((text) => parseAddress(text)).filter((a) => a !== undefined);
const choice = (because: 'kept' | 'open-pool', ...texts: string[]) => ({
  addresses: addresses(...texts),
  pool: 'a',
  because,
});
const yes: Condition = {
  type: ALLOCATED,
  status: 'True',
  reason: 'OpenPool',
  message: '192.0.2.1 from pool a: lowest free of a pool open to all',
  observedGeneration: 3,
  lastTransitionTime: '2025-01-01T00:00:00Z',
};
const settled = {
  ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }],
  conditions: [yes],
  annotations: { [POOL]: 'a' },
};
const change = (s: Service, verdict: Verdict) => statusChange(s, verdict, NOW);

describe('the status of a Service', () => {
  it('gets address, pool and condition in one patch on the version that was judged', () => {
    expect(change(service(), { choice: choice('open-pool', '192.0.2.1') })).toEqual({
      substance: true,
      body: {
        metadata: { resourceVersion: '7', annotations: { [POOL]: 'a' } },
        status: {
          loadBalancer: { ingress: [{ ip: '192.0.2.1' }] },
          conditions: [{ ...yes, lastTransitionTime: NOW }],
        },
      },
    });
  });

  it('says nothing of ports', () => {
    const ports = [{ port: 80, protocol: 'TCP' }];
    const told = service({ ...settled, ingress: [{ ip: '192.0.2.1', ipMode: 'VIP', ports }] });
    expect(change(told, { choice: choice('kept', '192.0.2.1') })?.body).toMatchObject({
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    });
  });

  it('is left alone when it says the same, the ipMode of the server aside', () => {
    expect(change(service(settled), { choice: choice('kept', '192.0.2.1') })).toBeUndefined();
    expect(change(service(settled), { choice: choice('open-pool', '192.0.2.1') })).toBeUndefined();
  });

  it('is told the generation that was seen, and keeps its time', () => {
    const patch = change(service({ ...settled, generation: 4 }), { choice: choice('kept', '192.0.2.1') });
    expect(patch).toEqual({
      substance: false,
      body: {
        metadata: { resourceVersion: '7' },
        status: { conditions: [{ ...yes, observedGeneration: 4 }] },
      },
    });
  });

  it('says that an address was held before when nothing is known of its choice', () => {
    const patch = change(service({ ...settled, conditions: [] }), { choice: choice('kept', '192.0.2.1') });
    expect(patch?.body).toMatchObject({
      status: { conditions: [{ reason: 'Kept', message: '192.0.2.1 from pool a: held before' }] },
    });
  });

  it.each([
    ['another order', [{ ip: '2001:db8::1' }, { ip: '192.0.2.1' }]],
    ['a host name', [{ ip: '192.0.2.1', hostname: 'x' }, { ip: '2001:db8::1' }]],
    ['another ipMode', [{ ip: '192.0.2.1', ipMode: 'Proxy' }, { ip: '2001:db8::1' }]],
    ['another spelling', [{ ip: '192.0.2.1' }, { ip: '2001:DB8::1' }]],
    ['one too many', [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }, { hostname: 'x' }]],
  ])('is written again for %s', (_, ingress) => {
    const patch = change(service({ ...settled, ingress }), {
      choice: choice('kept', '192.0.2.1', '2001:db8::1'),
    });
    expect(patch?.body).toMatchObject({
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }] } },
    });
  });

  it('has both addresses while the Service moves, and says which goes and which comes', () => {
    const moving: Choice = {
      ...choice('kept', '192.0.2.1', '198.51.100.1'),
      because: 'moving',
      move: { from: addresses('192.0.2.1'), to: addresses('198.51.100.1'), pool: 'b' },
    };
    expect(change(service(settled), { choice: moving })?.body).toEqual({
      metadata: { resourceVersion: '7' },
      status: {
        loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '198.51.100.1' }] },
        conditions: [
          {
            ...yes,
            reason: 'Moving',
            message: '192.0.2.1 from pool a moves to 198.51.100.1 from pool b: its range is given up',
          },
        ],
      },
    });
  });

  it('says why an address in a moving range stays, and forgets it when it no longer has to go', () => {
    const stays: Choice = { ...choice('kept', '192.0.2.1'), stay: { stay: 'requested-address' } };
    const message = '192.0.2.1 from pool a: not moved out of its range, as it asks for this address';
    const patch = change(service(settled), { choice: stays });
    expect(patch).toMatchObject({
      substance: false,
      body: { status: { conditions: [{ status: 'True', reason: 'NotMoved', message }] } },
    });
    const told = service({ ...settled, conditions: [{ ...yes, reason: 'NotMoved', message }] });
    expect(change(told, { choice: stays })).toBeUndefined();
    expect(change(told, { choice: choice('kept', '192.0.2.1') })?.body).toMatchObject({
      status: { conditions: [{ reason: 'Kept', message: '192.0.2.1 from pool a: held before' }] },
    });
  });

  it('is cleared with the reason when the Service has no address', () => {
    expect(change(service(settled), { refusal: { refused: 'no-room', family: 'IPv4' } })?.body).toEqual({
      metadata: { resourceVersion: '7', annotations: { [POOL]: null } },
      status: {
        loadBalancer: { ingress: null },
        conditions: [
          {
            ...yes,
            status: 'False',
            reason: 'NoRoom',
            message: 'no pool has a free IPv4 address for this Service',
            lastTransitionTime: NOW,
          },
        ],
      },
    });
  });

  it('is not written again while only the counts of what is kept back change', () => {
    const refusal = (draining: bigint, reserved: bigint) =>
      ({
        refusal: { refused: 'no-room', family: 'IPv4', withheld: { draining, quarantined: 0n, reserved } },
      }) as const;
    const message = 'no pool has a free IPv4 address for this Service, with 3 draining';
    const told = service({ conditions: [{ ...yes, status: 'False', reason: 'NoRoom', message }] });
    expect(change(told, refusal(3n, 0n))).toBeUndefined();
    expect(change(told, refusal(2n, 0n))).toBeUndefined();
    const more = message.replace('3 draining', '2 draining, 1 reserved');
    expect(change(told, refusal(2n, 1n))?.body).toMatchObject({
      status: { conditions: [{ message: more }] },
    });
  });

  it('loses all of ours, and nothing of others, with the type LoadBalancer', () => {
    const other = { ...yes, type: 'LoadBalancerPortsError' };
    const patch = change(service({ ...settled, conditions: [other, yes] }), { none: true });
    expect(patch?.body).toMatchObject({ status: { conditions: [other] } });
    expect(change(service({ conditions: [other] }), { none: true })).toBeUndefined();
  });

  it('keeps its addresses while a wish cannot be read, and says so', () => {
    const kept = { refused: 'both-request-forms' } as const;
    const patch = change(service(settled), { kept, choice: choice('kept', '192.0.2.1') });
    expect(patch?.body).toMatchObject({
      status: { conditions: [{ status: 'True', reason: 'BothRequestForms' }] },
    });
    expect(patch?.substance).toBe(false);
    expect(change(service(settled), { kept })).toBeUndefined();
  });
});
