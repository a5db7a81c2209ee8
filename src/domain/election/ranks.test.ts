import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ranks, rank } from './ranks.ts';

const text = (prefix: string, letters: string) => letters.split('').map((letter) => prefix + letter);

describe('the order of nodes for an address', () => {
  // Orders that upstream's speaker computed.
  it.each([
    ['10.0.0.1', text('node-', 'bac')],
    ['10.0.0.2', text('node-', 'bca')],
    ['10.20.30.1', text('node-', 'ba')],
    ['10.20.30.1', text('edge-', 'ba')],
    ['10.20.30.1', text('iris', '21')],
    ['10.20.30.2', text('iris', '12')],
    ['192.168.1.240', text('node-', 'acb')],
    ['192.168.1.241', text('node-', 'cab')],
    ['fc00:f853:ccd:e799::1', text('node-', 'bac')],
  ])("of %s is upstream's: %s", (address, expected) => {
    expect(rank(expected.toSorted(), address)).toEqual(expected);
  });

  it('does not depend on the order in which the nodes are given', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 8 }), fc.ipV4(), (names, ip) => {
        expect(rank(names.toReversed(), ip)).toEqual(rank(names, ip));
      }),
    );
  });

  it('loses nobody else when a node leaves', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }),
        fc.ipV4(),
        (names, ip) => {
          const [gone, ...rest] = names;
          expect(rank(rest, ip)).toEqual(rank(names, ip).filter((name) => name !== gone));
        },
      ),
    );
  });

  it('is the same when it is remembered, and after it was forgotten among too many', () => {
    const ranks = new Ranks(['a', 'b', 'c']);
    const first = ranks.order('192.0.2.7');
    expect(ranks.order('192.0.2.7')).toBe(first);
    for (let i = 0; i < 20_000; i++) ranks.order(`address ${i}`);
    expect(ranks.order('192.0.2.7')).not.toBe(first);
    expect(ranks.order('192.0.2.7')).toEqual(first);
  });
});
