import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressFromBytes, formatAddress } from '../../domain/ip/address.ts';
import { formatMac } from '../../domain/ip/mac.ts';
import { ip6 } from './frames.rig.ts';
import { Groups, groupMac, solicitedNode } from './groups.ts';

const text = (group: Uint8Array) => formatAddress(addressFromBytes(group));
const take = (groups: Groups, most = 100) => {
  const { join, leave } = groups.take(most);
  return { join: join.map(text), leave: leave.map(text) };
};
const nothing = { join: [], leave: [] };

describe('solicited-node groups', () => {
  it.each([
    ['2001:db8::7', 'ff02::1:ff00:7', '33:33:ff:00:00:07'],
    // The example of RFC 4291 2.7.1.
    ['4037::1:800:200e:8c6c', 'ff02::1:ff0e:8c6c', '33:33:ff:0e:8c:6c'],
    ['fe80::ffff:ffff', 'ff02::1:ffff:ffff', '33:33:ff:ff:ff:ff'],
  ])('asks for %s at %s', (address, group, mac) => {
    expect(text(solicitedNode(ip6(address)))).toBe(group);
    expect(formatMac(groupMac(solicitedNode(ip6(address))))).toBe(mac);
  });

  it('joins with the first address of a group, and leaves with the last', () => {
    const groups = new Groups();
    const [one, two] = [ip6('2001:db8::1:7'), ip6('2001:db8:1::1:7')];
    groups.set(one, 'one', true);
    groups.set(two, 'two', true);
    expect(take(groups)).toEqual({ join: ['ff02::1:ff01:7'], leave: [] });
    groups.set(one, 'one', false);
    expect(take(groups)).toEqual(nothing);
    groups.set(two, 'two', false);
    expect(take(groups)).toEqual({ join: [], leave: ['ff02::1:ff01:7'] });
    expect(groups.pending).toBe(0);
  });

  it('does nothing for an address that is wanted twice, or given up without having been wanted', () => {
    const groups = new Groups();
    groups.set(ip6('::8'), 'b', false);
    groups.set(ip6('::7'), 'a', true);
    groups.set(ip6('::7'), 'a', true);
    expect(take(groups).join).toHaveLength(1);
    groups.set(ip6('::7'), 'a', false);
    expect(take(groups).leave).toHaveLength(1);
  });

  it('shows nothing of what came and went between two takings', () => {
    const groups = new Groups();
    groups.set(ip6('::7'), 'a', true);
    groups.set(ip6('::7'), 'a', false);
    expect([groups.pending, take(groups)]).toEqual([0, nothing]);
  });

  it('gives at most as many as asked for, and the rest the next time', () => {
    const groups = new Groups();
    for (const last of ['1', '2', '3']) groups.set(ip6(`::${last}`), last, true);
    expect(take(groups, 2).join).toEqual(['ff02::1:ff00:1', 'ff02::1:ff00:2']);
    expect(groups.pending).toBe(1);
    expect(take(groups, 2).join).toEqual(['ff02::1:ff00:3']);
  });

  it('tries a group that failed again, unless nobody needs it any more', () => {
    const groups = new Groups();
    groups.set(ip6('::7'), 'a', true);
    const [group] = groups.take(1).join;
    groups.failed(group ?? ip6('::'));
    expect(take(groups).join).toEqual(['ff02::1:ff00:7']);
    groups.failed(group ?? ip6('::'));
    groups.set(ip6('::7'), 'a', false);
    expect([groups.pending, take(groups)]).toEqual([0, nothing]);
  });

  it('is in exactly the groups that are needed, after any sequence of changes', () => {
    const step = fc.record({ last: fc.nat(3), net: fc.nat(1), wanted: fc.boolean(), most: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const groups = new Groups();
        const joined = new Set<string>();
        const model = new Map<string, string>();
        const carryOut = (most: number) => {
          const { join, leave } = take(groups, most);
          for (const group of join) {
            expect(joined.has(group)).toBe(false);
            joined.add(group);
          }
          for (const group of leave) expect(joined.delete(group)).toBe(true);
        };
        for (const { last, net, wanted, most } of steps) {
          const name = `2001:db8:${net}::${last}`;
          groups.set(ip6(name), name, wanted);
          if (wanted) model.set(name, text(solicitedNode(ip6(name))));
          else model.delete(name);
          carryOut(most);
        }
        carryOut(100);
        expect([...joined].sort()).toEqual([...new Set(model.values())].sort());
      }),
    );
  });
});
