import { describe, expect, it } from 'vitest';
import { nextDue, takeDue } from './due.ts';

describe('what falls due', () => {
  const entries = () => new Map([5, 30, 10, 20].map((due) => [`at ${due}`, { due }]));

  it('is run when its time has come, and no more of it than gives so many steps', () => {
    const run = (name: string) => [name, `${name} again`];
    expect(takeDue(entries(), { now: 4, most: 9 }, run)).toEqual([]);
    expect(takeDue(entries(), { now: 10, most: 9 }, run)).toEqual([
      'at 5',
      'at 5 again',
      'at 10',
      'at 10 again',
    ]);
    expect(takeDue(entries(), { now: 30, most: 1 }, run)).toEqual(['at 5', 'at 5 again']);
  });

  it('may go while it is run, and the others are run all the same', () => {
    const all = entries();
    const run = (name: string) => (all.delete(name) ? [name] : []);
    expect(takeDue(all, { now: 30, most: 9 }, run)).toHaveLength(4);
    expect(all.size).toBe(0);
  });

  it('says when the first is due', () => {
    expect(nextDue(entries())).toBe(5);
    expect(nextDue(new Map())).toBeUndefined();
  });
});
