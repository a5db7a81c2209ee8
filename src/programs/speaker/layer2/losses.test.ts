import { describe, expect, it } from 'vitest';
import { lossesWire } from '../../../domain/election/notice.ts';
import { parseRange, type Range } from '../../../domain/ip/range.ts';
import { ethernet } from '../../../platform/linux/machine.rig.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import { InterfaceHistory, lossLines, presentOn, type Relevant } from './losses.ts';

const link = (name: string, change: Partial<Link> = {}): Link =>
  ethernet({ name, nets: ['192.0.2.0/24', '2001:db8::/64'], ...change });
const ranges = (...texts: string[]): readonly Range[] =>
  texts.flatMap((text) => {
    const parsed = parseRange(text);
    return 'range' in parsed ? [parsed.range] : [];
  });
const pools = ranges('192.0.2.128/25', '2001:db8::100/120');
const wanted: Relevant = { named: new Set(), ranges: pools };
const excluded = (name: string) => name.startsWith('lxc');

/** A history with links that change, and what it says in the words of the notice. */
function history(relevant: Relevant = wanted) {
  const kept = new InterfaceHistory();
  return {
    kept,
    at(now: number, links: readonly Link[], muted: readonly string[] = []) {
      const losses = kept.look(now, presentOn(links, { excluded, muted: new Set(muted) }), relevant);
      return losses && lossesWire(losses);
    },
  };
}

const eth0 = link('eth0');
const eth1 = link('eth1', { nets: ['198.51.100.0/24'] });
const whole = { if: 'eth0', fam: '46', nets: ['192.0.2.0/24', '2001:db8::/64'] };

describe('what a node has lost', () => {
  it.each<[string, Link[], unknown]>([
    ['the carrier', [link('eth0', { carrier: false }), eth1], { lost: [whole] }],
    ['the switch', [link('eth0', { up: false }), eth1], { lost: [whole] }],
    ['the interface', [eth1], { lost: [whole] }],
    ['it to a bridge elsewhere', [link('eth0', { master: 7 }), eth1], { lost: [whole] }],
    [
      'it to a bridge with its subnets',
      [link('eth0', { master: 7 }), link('br0'), eth1],
      { lost: [{ if: 'eth0', fam: '46' }] },
    ],
    [
      'all IPv4 addresses',
      [link('eth0', { nets: ['2001:db8::/64'] }), eth1],
      { lost: [{ if: 'eth0', fam: '4', nets: ['192.0.2.0/24'] }] },
    ],
    [
      'IPv6',
      [link('eth0', { ipv6: false, nets: ['192.0.2.0/24'] }), eth1],
      { lost: [{ if: 'eth0', fam: '6', nets: ['2001:db8::/64'] }] },
    ],
    ['one address of two', [link('eth0', { nets: ['192.0.2.0/24', '2001:db8::/64'] }), eth1], undefined],
    ['an interface far from all pools', [eth0], undefined],
    ['all', [], { nowhere: true, lost: [whole] }],
  ])('is told when it is %s', (_, links, expected) => {
    const { at } = history();
    expect(at(0, [link('eth0', { nets: ['192.0.2.0/24', '2001:db8::/64'] }), eth1])).toBeUndefined();
    expect(at(1, links)).toEqual(expected);
  });

  it('is what advertisements name, whatever its subnets, and what else of those it never had', () => {
    const { at } = history({ named: new Set(['eth1', 'eno1']), ranges: [] });
    expect(at(0, [eth0, eth1])).toBeUndefined();
    expect(at(1, [eth0])).toEqual({ absent: ['eno1'], lost: [{ if: 'eth1', fam: '46' }] });
  });

  it('is nothing at a node that never could', () => {
    const { at } = history({ named: new Set(['eno1']), ranges: pools });
    expect(at(0, [link('eth0', { carrier: false })])).toBeUndefined();
    expect(at(1, [])).toBeUndefined();
  });

  it('is nothing where an interface never had addresses of the family', () => {
    const { at } = history();
    const bare = link('eth0', { ipv6: false, nets: [] });
    expect(at(0, [bare])).toBeUndefined();
    expect(at(1, [link('eth0', { ipv6: false })])).toBeUndefined();
    expect(at(2, [bare])).toMatchObject({ nowhere: true });
  });

  it('counts what lets no frame out', () => {
    const { at } = history();
    at(0, [eth0, eth1]);
    expect(at(1, [eth0, eth1], ['eth0'])).toEqual({ lost: [whole] });
  });

  it('is lost until it was back for a second', () => {
    const { at, kept } = history();
    at(0, [eth0, eth1]);
    at(1_000, [eth1]);
    expect(kept.next).toBe(Number.POSITIVE_INFINITY);
    expect(at(2_000, [eth0, eth1])).toEqual({ lost: [whole] });
    expect(kept.next).toBe(3_000);
    expect(at(2_500, [eth1])).toEqual({ lost: [whole] });
    expect(at(2_900, [eth0, eth1])).toEqual({ lost: [whole] });
    expect(at(3_500, [eth0, eth1])).toEqual({ lost: [whole] });
    expect(at(3_900, [eth0, eth1])).toBeUndefined();
    expect(kept.next).toBe(Number.POSITIVE_INFINITY);
  });

  it('is told as nowhere until one was back for a second', () => {
    const { at } = history({ named: new Set(), ranges: [] });
    at(0, [eth0]);
    expect(at(1_000, [link('eth0', { carrier: false })])).toEqual({ nowhere: true, lost: [] });
    expect(at(2_000, [eth0])).toEqual({ nowhere: true, lost: [] });
    expect(at(3_000, [eth0])).toBeUndefined();
  });

  it('is forgotten of interfaces that are gone and matter to nobody, and of those that became excluded', () => {
    const { at, kept } = history();
    const pods = Array.from({ length: 100 }, (_, i) => link(`eni${i}`, { nets: [] }));
    at(0, [eth0, ...pods]);
    expect(at(1, [eth0])).toBeUndefined();
    expect(at(2, [eth0, ...pods])).toBeUndefined();
    expect(at(3, pods)).toEqual({ lost: [whole] });
    kept.forget((name) => name === 'eth0');
    expect(at(4, pods)).toBeUndefined();
  });
});

describe('what people are told of a lost interface', () => {
  const loss = { name: 'eth0', families: ['IPv4', 'IPv6'] as const, nets: [] };
  const losses = { interfaces: [loss], absent: ['eth9'], nowhere: false };
  it.each([
    ['that is gone', [], 'it is gone'],
    ['that is switched off', [link('eth0', { up: false, carrier: false })], 'it is switched off'],
    ['without a carrier', [link('eth0', { carrier: false })], 'it has no carrier'],
    [
      'without addresses',
      [link('eth0', { nets: [] })],
      'it has no address that counts, or was without until a moment ago',
    ],
  ])('%s is its name, families, and what is the matter', (_, links, text) => {
    expect(lossLines(losses, { links, muted: new Set() })).toEqual([`eth0 (IPv4, IPv6): ${text}`]);
  });

  it('that lets nothing out is so, and that none is left comes last', () => {
    const o = { links: [link('eth0')], muted: new Set(['eth0']) };
    expect(lossLines({ ...losses, nowhere: true }, o)).toEqual([
      'eth0 (IPv4, IPv6): frames do not leave it, or nobody hears them',
      'no interface is left to answer on',
    ]);
  });
});
