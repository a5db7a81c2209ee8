import { describe, expect, it } from 'vitest';
import { FAST, LAN } from './profile.ts';
import { Suspicion } from './suspicion.ts';

const suspicion = (members: number, profile = LAN) => new Suspicion('a', { profile, members, now: 1_000 });

describe('the time of a suspect', () => {
  // MetalLB's arithmetic: 4 s times the logarithm of the members, six times that without confirmation.
  it.each([
    [3, 4_000, 4_000],
    [4, 4_000, 24_000],
    [10, 4_000, 24_000],
    [100, 8_000, 48_000],
    [1_000, 12_000, 72_000],
  ])('among %i members is from %i to %i ms in the lan profile', (members, least, most) => {
    const one = suspicion(members);
    expect(one.deadline - 1_000).toBeCloseTo(most);
    for (const from of ['b', 'c']) one.confirm(from);
    expect(one.deadline - 1_000).toBeCloseTo(least);
  });

  it.each([
    [3, 450, 450],
    [10, 450, 900],
    [100, 450, 900],
    [1_000, 900, 1_800],
  ])('among %i members is from %i to %i ms in the fast profile', (members, least, most) => {
    const one = suspicion(members, FAST);
    expect(one.deadline - 1_000).toBeCloseTo(most);
    for (const from of ['b', 'c']) one.confirm(from);
    expect(one.deadline - 1_000).toBeCloseTo(least);
  });

  it('counts each accuser once, and no more than are needed', () => {
    const one = suspicion(10);
    expect(['a', 'b', 'b', 'c', 'd'].map((from) => one.confirm(from))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
  });

  it('shrinks with the logarithm of the confirmations', () => {
    const one = suspicion(10);
    one.confirm('b');
    // 24 - log 2 / log 3 * 20 seconds.
    expect(one.deadline - 1_000).toBeCloseTo(11_381, -1);
  });

  it('ends with three calls, the death after them', () => {
    const one = suspicion(3, FAST);
    const due: string[] = [];
    for (let now = 1_000; now <= 1_450; now += 10) {
      const what = one.due(now);
      if (what) due.push(`${what} ${now - 1_000}`);
    }
    expect(due).toEqual(['call 330', 'call 370', 'call 410', 'death 450']);
  });

  it('still has its calls when the deadline has passed unnoticed', () => {
    const one = suspicion(3, FAST);
    expect([one.due(9_000), one.due(9_000)]).toEqual(['call', undefined]);
    expect([one.due(9_040), one.due(9_080), one.due(9_119), one.due(9_120)]).toEqual([
      'call',
      'call',
      undefined,
      'death',
    ]);
  });

  it('begins anew when the suspect answers', () => {
    const one = suspicion(3, FAST);
    one.due(1_330);
    one.stay(1_400);
    expect(one.next).toBe(1_400 + 330);
  });
});
