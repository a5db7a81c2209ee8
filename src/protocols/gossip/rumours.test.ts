import { describe, expect, it } from 'vitest';
import { Rumours, retransmitLimit } from './rumours.ts';

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const taken = (all: readonly Uint8Array[]) => all.map(([first]) => first);

describe('rumours', () => {
  it('are told the least told and the newest first, as many as fit', () => {
    const rumours = new Rumours();
    for (const [i, name] of ['a', 'b', 'c'].entries()) rumours.add(name, bytes(10, i));
    expect(taken(rumours.take(24, 5))).toEqual([2, 1]);
    expect(taken(rumours.take(12, 5))).toEqual([0]);
    expect(taken(rumours.take(100, 5))).toEqual([2, 1, 0]);
  });

  it('leave out what does not fit, but not what is smaller', () => {
    const rumours = new Rumours();
    rumours.add('small', bytes(5, 1));
    rumours.add('large', bytes(50, 2));
    expect(taken(rumours.take(20, 5))).toEqual([1]);
  });

  it('end when they were told often enough', () => {
    const rumours = new Rumours();
    rumours.add('a', bytes(1, 1));
    expect([1, 2, 3, 4].map(() => rumours.take(100, 3).length)).toEqual([1, 1, 1, 0]);
    expect(rumours.size).toBe(0);
  });

  it('begin anew when there is newer about the same member', () => {
    const rumours = new Rumours();
    rumours.add('a', bytes(1, 1));
    rumours.take(100, 2);
    rumours.add('a', bytes(1, 2));
    expect([rumours.size, taken(rumours.take(100, 2)), taken(rumours.take(100, 2))]).toEqual([1, [2], [2]]);
  });

  it.each([
    [1, 4],
    [9, 4],
    [10, 8],
    [99, 8],
    [100, 12],
  ])('are told as often as upstream tells them among %i members: %i times', (members, times) => {
    expect(retransmitLimit(4, members)).toBe(times);
  });
});
