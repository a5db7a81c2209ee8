import { describe, expect, it } from 'vitest';
import { inputOf, judged, service, stepTexts, writeTexts, written } from './change.rig.ts';
import { judge } from './judge.ts';

const shared = service('one/web', '192.0.2.8', {
  labels: { app: 'x' },
  annotations: { 'metallb.io/allow-shared-ip': 'k' },
});
const app = (name: string) => [{ matchLabels: { app: name } }];
const p = { p: { addresses: ['192.0.2.8/29'] } };

describe('an advertisement that would silence a Service on the way', () => {
  it('waits, and the rest goes on', () => {
    // In between it would be for both pools and for both apps.
    const r = judged({
      from: {
        pools: p,
        l2Advertisements: { l: { ipAddressPools: ['p'], serviceSelectors: app('y') }, m: {} },
      },
      to: { pools: p, l2Advertisements: { l: { ipAddressPools: ['q'], serviceSelectors: app('x') }, m: {} } },
      services: [shared],
    });
    expect(stepTexts(r)).toEqual(['update L2Advertisement l: held']);
    expect(r.changes[0]?.steps[0]?.because).toBe(
      'waits for other writes, as one/web would not be announced meanwhile',
    );
    expect(r.affected).toEqual([]);
  });

  it('is written in one where nobody shares', () => {
    const alone = service('one/web', '192.0.2.8', { labels: { app: 'x' } });
    const r = judged({
      from: {
        pools: p,
        l2Advertisements: { l: { ipAddressPools: ['p'], serviceSelectors: app('y') }, m: {} },
      },
      to: { pools: p, l2Advertisements: { l: { ipAddressPools: ['q'], serviceSelectors: app('x') }, m: {} } },
      services: [alone],
    });
    expect(stepTexts(r)).toEqual(['update L2Advertisement l: ready']);
  });

  it('waits also where the set is invalid while it is written, and would silence once it is valid again', () => {
    const low = { addresses: ['192.0.2.8/29', '2001:db8::/125'] };
    const l = { ipAddressPools: ['p', 'r'], serviceSelectors: app('y') };
    const input = inputOf({
      from: { pools: { p: low }, l2Advertisements: { l, m: { ipAddressPools: ['p', 'r'] } } },
      to: {
        pools: { ...p, r: { addresses: ['2001:db8::/125'] } },
        l2Advertisements: {
          l: { ipAddressPoolSelectors: [{ matchLabels: { tier: 'x' } }], serviceSelectors: app('x') },
        },
      },
      services: [shared],
    });
    const first = judge(input);
    expect(writeTexts(first)).toEqual([['create IPAddressPool r'], ['update IPAddressPool p']]);
    const [made = []] = first.plan.stages;
    const second = judge({ ...input, live: made.reduce(written, [...input.live]) });
    expect(writeTexts(second)).toEqual([['update IPAddressPool p']]);
    expect(stepTexts(second)).toEqual([
      'update IPAddressPool p: ready',
      'update L2Advertisement l: held',
      'delete L2Advertisement m: held',
    ]);
  });
});
