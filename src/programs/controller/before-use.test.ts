import { describe, expect, it } from 'vitest';
import { Services } from '../../domain/api/core.ts';
import { parseAddress } from '../../domain/ip/address.ts';
import { VirtualClock } from '../../platform/obs/clock.rig.ts';
import { createLog } from '../../platform/obs/log.ts';
import { Metrics } from '../../platform/obs/metrics.ts';
import { BeforeUse } from './before-use.ts';
import { controllerMetrics } from './metrics.ts';
import type { Found } from './probe-result.ts';

const MAC = '02:00:5e:00:53:01';
const service = (...ips: string[]) =>
  Services.decode({
    metadata: { name: 'web', namespace: 't1' },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  });
const addresses = (...texts: string[]) => texts.flatMap((text) => parseAddress(text) ?? []);

function rig(found: (address: string) => Found) {
  const asked: string[] = [];
  const events: string[] = [];
  const taken: string[] = [];
  const clock = new VirtualClock();
  const beforeUse = new BeforeUse({
    ask: (address) => {
      asked.push(address);
      return Promise.resolve(found(address));
    },
    events: { record: (_, { reason }) => void events.push(reason) },
    log: createLog({ level: 'none', clock }),
    metrics: controllerMetrics(new Metrics({ defaults: false })),
    taken: (_, reason) => taken.push(reason),
  });
  return { beforeUse, asked, events, taken };
}

describe('before an address is used', () => {
  const free = (address: string): Found => ({ address, result: 'Free', nodes: ['a'] });

  it('it is asked for, unless a Service of ours has or had it', async () => {
    const { beforeUse, asked, events } = rig(free);
    beforeUse.note(service('192.0.2.1', '2001:DB8::1'));
    expect(await beforeUse.mayUse(service(), addresses('192.0.2.1', '2001:db8::1'))).toBe(true);
    expect(asked).toEqual([]);
    expect(await beforeUse.mayUse(service(), addresses('192.0.2.1', '192.0.2.2'))).toBe(true);
    expect([asked, events]).toEqual([['192.0.2.2'], []]);
  });

  it('one that is taken is told, kept back and not used', async () => {
    const by = [
      { address: '192.0.2.1', mac: MAC, interface: 'eth0', node: 'a' },
      { address: '192.0.2.1', mac: MAC, interface: 'eth0', node: 'b' },
    ];
    const { beforeUse, events, taken } = rig((address) => ({ address, result: 'Taken', by }));
    expect(await beforeUse.mayUse(service(), addresses('192.0.2.1'))).toBe(false);
    expect([events, taken]).toEqual([['AddressTaken'], [`host ${MAC} answers for it`]]);
  });

  it('one that nobody can ask about is used, and told', async () => {
    const { beforeUse, events } = rig((address) => ({ address, result: 'Unknown' }));
    expect(await beforeUse.mayUse(service(), addresses('192.0.2.1'))).toBe(true);
    expect(events).toEqual(['AddressNotProbed']);
  });
});
