import { describe, expect, it } from 'vitest';
import { type CheckStep, Checks, checkerOf } from './checks.ts';

const M1 = '02:00:00:00:00:01';
const M2 = '02:00:00:00:00:02';
const names = (count: number) => Array.from({ length: count }, (_, i) => `192.0.2.${i}`);

/** Lets time pass; `answer` says who answers a question, at once. What happened, without the questions; and how many those were. */
function play(checks: Checks, from: number, until: number, answer: (name: string) => readonly string[]) {
  const told: CheckStep[] = [];
  let asked = 0;
  for (let now = checks.next; now !== undefined && now <= until; now = checks.next) {
    const at = Math.max(now, from);
    for (const step of checks.take(at, 100)) {
      if (step.step !== 'ask') {
        told.push(step);
        continue;
      }
      asked++;
      for (const mac of answer(step.name)) told.push(...checks.heard(step.name, mac));
    }
  }
  return { told, asked };
}
const owned = (owner: string, ...all: string[]) => new Map(all.map((name) => [name, owner]));

describe('the checks of other nodes', () => {
  it('ask for an address each ten seconds, and once where it is answered', () => {
    const checks = new Checks();
    checks.follow(owned('a', '192.0.2.7'), 1, 0);
    const { told, asked } = play(checks, 0, 100_000, () => [M1]);
    expect([told, asked]).toEqual([[], 10]);
  });

  it('are fewer for each of many addresses, so that all together cost the same', () => {
    const checks = new Checks();
    checks.follow(owned('a', ...names(100)), 10_000, 0);
    const { asked } = play(checks, 0, 400_000, () => [M1]);
    // Each in 200 seconds.
    expect(asked).toBe(200);
  });

  it('find an address silent after three questions, where its owner was heard before, and tell when it is back', () => {
    const checks = new Checks();
    checks.follow(owned('a', '192.0.2.7'), 1, 0);
    play(checks, 0, 30_000, () => [M1]);
    const { told } = play(checks, 30_000, 60_000, () => []);
    expect(told).toEqual([{ step: 'silent', name: '192.0.2.7', owner: 'a', mac: M1 }]);
    expect([...checks.unheard()]).toEqual([M1]);
    expect(play(checks, 60_000, 90_000, () => [M1]).told).toEqual([
      { step: 'back', name: '192.0.2.7', owner: 'a' },
    ]);
    expect(checks.unheard().size).toBe(0);
  });

  it('bear one lost question, and two', () => {
    const checks = new Checks();
    let count = 0;
    checks.follow(owned('a', '192.0.2.7'), 1, 0);
    play(checks, 0, 20_000, () => [M1]);
    expect(play(checks, 20_000, 200_000, () => (++count % 3 === 0 ? [M1] : [])).told).toEqual([]);
  });

  it('say nothing of owners that were never heard here: they are on another link', () => {
    const checks = new Checks();
    checks.follow(owned('a', '192.0.2.7'), 1, 0);
    expect(play(checks, 0, 120_000, () => []).told).toEqual([]);
  });

  it('find one address of an owner silent while others are not', () => {
    const checks = new Checks();
    checks.follow(owned('a', '192.0.2.7', '192.0.2.8'), 2, 0);
    const { told } = play(checks, 0, 60_000, (name) => (name === '192.0.2.8' ? [M1] : []));
    expect(told).toEqual([{ step: 'silent', name: '192.0.2.7', owner: 'a', mac: M1 }]);
  });

  it('find two owners when both answer twice in a row, and not at a hand-over', () => {
    const checks = new Checks();
    let count = 0;
    checks.follow(owned('a', '192.0.2.7'), 1, 0);
    expect(play(checks, 0, 60_000, () => (++count === 3 ? [M1, M2] : [M1])).told).toEqual([]);
    expect(play(checks, 60_000, 120_000, () => [M2, M1]).told).toEqual([
      { step: 'two', name: '192.0.2.7', owner: 'a', macs: [M1, M2] },
    ]);
  });

  it('forget what was silent when it has another owner', () => {
    const checks = new Checks();
    checks.follow(owned('a', '192.0.2.7'), 1, 0);
    play(checks, 0, 20_000, () => [M1]);
    play(checks, 20_000, 40_000, () => []);
    checks.follow(owned('b', '192.0.2.7'), 1, 40_000);
    expect(checks.unheard().size).toBe(0);
    play(checks, 41_000, 60_000, () => [M2]);
    play(checks, 60_000, 80_000, () => []);
    expect([...checks.unheard()]).toEqual([M2]);
    checks.forget('192.0.2.7');
    expect(checks.unheard().size).toBe(0);
    checks.follow(new Map(), 0, 81_000);
    expect([checks.size, checks.next]).toEqual([0, undefined]);
  });
});

describe('who checks an address', () => {
  const nodes = ['node-a', 'node-b', 'node-c', 'node-d'];

  it('is never its owner, and the same whatever the order of the nodes', () => {
    for (const name of names(50)) {
      const checker = checkerOf(name, 'node-b', nodes);
      expect(checker).not.toBe('node-b');
      expect(checkerOf(name, 'node-b', nodes.toReversed())).toBe(checker);
    }
    expect(checkerOf('192.0.2.7', 'node-a', ['node-a'])).toBeUndefined();
  });

  it('spreads over the nodes, and stays where it is when another node goes', () => {
    const counts = new Map<string, number>();
    for (const name of names(900)) {
      const checker = checkerOf(name, 'node-a', nodes) ?? '';
      counts.set(checker, (counts.get(checker) ?? 0) + 1);
      if (checker !== 'node-d')
        expect(checkerOf(name, 'node-a', ['node-a', 'node-b', 'node-c'])).toBe(checker);
    }
    for (const node of ['node-b', 'node-c', 'node-d']) expect(counts.get(node)).toBeGreaterThan(200);
  });
});
