import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conflicts, type Policy, type Step } from './conflicts.ts';

const A = '192.0.2.7';
const M1 = '02:00:00:00:00:01';
const M2 = '02:00:00:00:00:02';

type Told = readonly [at: number, step: Step['step']];

/**
 * Lets time pass up to `until`. `present` says whether a MAC has the address at a time: each question is answered a
 * millisecond later while it does.
 */
function play(
  conflicts: Conflicts,
  o: { until: number; first?: readonly number[]; present?: (at: number) => boolean; mac?: string },
): readonly Told[] {
  const told: Told[] = [];
  const frames = [...(o.first ?? [])];
  for (;;) {
    const due = conflicts.next ?? Number.POSITIVE_INFINITY;
    const frame = frames.at(0) ?? Number.POSITIVE_INFINITY;
    const now = Math.min(due, frame);
    if (now > o.until) return told;
    const steps = frame <= due ? conflicts.seen(A, o.mac ?? M1, now) : conflicts.take(now, 100);
    if (frame <= due) frames.shift();
    for (const { step } of steps) told.push([now, step]);
    if (steps.some(({ step }) => step === 'ask') && o.present?.(now + 1) === true) {
      frames.push(now + 1);
      frames.sort((a, b) => a - b);
    }
  }
}

describe('two owners', () => {
  it('are told when the other one still answers a moment after it was seen, and not before', () => {
    const conflicts = new Conflicts();
    expect(play(conflicts, { until: 400, first: [0, 5], present: () => true })).toEqual([]);
    expect(conflicts.steady().size).toBe(0);
    expect(play(conflicts, { until: 600, present: () => true })).toEqual([
      [500, 'ask'],
      [501, 'found'],
      [501, 'announce'],
    ]);
    expect([...conflicts.steady()]).toEqual([[A, [M1]]]);
  });

  it('were never there when nobody answers any more: neighbours who were misled are told anew, once', () => {
    const conflicts = new Conflicts();
    expect(play(conflicts, { until: 60_000, first: [0] })).toEqual([
      [500, 'ask'],
      [1_000, 'ask'],
      [1_500, 'ask'],
      [2_000, 'announce'],
    ]);
    expect(conflicts.next).toBeUndefined();
  });

  it('leave nobody misled when they follow each other faster than an address may be defended', () => {
    // The second one is gone after 5 s; what is due to the neighbours then is told when the ten seconds are over.
    const told = play(new Conflicts(), { until: 60_000, first: [0, 3_000] });
    expect(told.filter(([, step]) => step !== 'ask')).toEqual([
      [2_000, 'announce'],
      [12_000, 'announce'],
    ]);
  });

  it('are not suspected any more when the address is known to have changed hands, and later ones are', () => {
    const conflicts = new Conflicts();
    play(conflicts, { until: 100, first: [0] });
    conflicts.acquit(200);
    expect(play(conflicts, { until: 5_000 })).toEqual([]);
    expect(conflicts.next).toBeUndefined();
    expect(play(conflicts, { until: 6_600, first: [6_000], present: () => true })).toContainEqual([
      6_501,
      'found',
    ]);
    // One that is found out stays so.
    conflicts.acquit(6_700);
    expect(conflicts.steady().size).toBe(1);
  });

  it('are seen when one question is lost', () => {
    const told = play(new Conflicts(), { until: 1_100, first: [0], present: (at) => at > 800 });
    expect(told.map(([, step]) => step)).toEqual(['ask', 'ask', 'found', 'announce']);
  });

  it('are over when three questions in a row stay without an answer, two and a half seconds after the last one with', () => {
    const told = play(new Conflicts(), { until: 120_000, first: [0], present: (at) => at < 25_000 });
    // Found at 501; from then on each answer comes 1,001 ms after the one before, the last one at 24,525.
    expect(told.filter(([at]) => at > 24_600)).toEqual([
      [25_525, 'ask'],
      [26_025, 'ask'],
      [26_525, 'ask'],
      [27_025, 'over'],
      [30_521, 'announce'],
    ]);
  });

  it('are one conflict while two questions in a row are lost', () => {
    let question = 0;
    const told = play(new Conflicts(), { until: 60_000, first: [0], present: () => question++ % 3 === 2 });
    expect(told.filter(([, step]) => step === 'found' || step === 'over').map(([, step]) => step)).toEqual([
      'found',
    ]);
  });

  it('are told of less and less often when the other one comes and goes, and as before after a minute without', () => {
    const conflicts = new Conflicts();
    // There for a second, away for four.
    const comes = Array.from({ length: 24 }, (_, i) => i * 5_000);
    const present = (at: number) => at < 120_000 && at % 5_000 < 1_000;
    const ends = (told: readonly Told[]) => told.filter(([, step]) => step === 'over').map(([at]) => at);
    // Three questions end the first time, six the second, and twelve are more than the other one stays away for.
    expect(ends(play(conflicts, { until: 180_000, first: comes, present }))).toEqual([3_001, 9_501, 122_000]);
    expect(conflicts.next).toBe(182_000);
    const again = ends(play(conflicts, { until: 300_000, first: [250_000], present: (at) => at < 250_600 }));
    expect(again).toEqual([253_001]);
  });

  it('of many addresses are asked for at a hundred questions a second in all', () => {
    const conflicts = new Conflicts();
    const names = Array.from({ length: 1_000 }, (_, i) => `address ${i}`);
    for (const at of [0, 500]) for (const name of names) conflicts.seen(name, M1, at);
    expect(conflicts.steady().size).toBe(1_000);
    expect(conflicts.next).toBe(10_500);
  });

  it('are told again for another MAC, and for so many only', () => {
    const conflicts = new Conflicts();
    play(conflicts, { until: 600, first: [0], present: () => true });
    const news = Array.from({ length: 20 }, (_, i) => conflicts.seen(A, `${M2}-${i}`, 700)).flat();
    expect(news).toHaveLength(7);
    expect(new Set(news.map(({ step }) => step))).toEqual(new Set(['found']));
  });

  it('are forgotten with the address', () => {
    const conflicts = new Conflicts();
    play(conflicts, { until: 600, first: [0], present: () => true });
    conflicts.forget(A);
    expect([conflicts.next, conflicts.steady().size]).toEqual([undefined, 0]);
  });
});

describe('the policy', () => {
  const stay = (policy: Policy, present = (at: number) => at < 100_000) =>
    play(new Conflicts(policy), { until: 300_000, first: [0], present });
  const times = (told: readonly Told[], step: Step['step']) =>
    told.filter(([, s]) => s === step).map(([at]) => at);

  it('"defend" announces at most each ten seconds for as long as the other one is there', () => {
    const announced = times(stay('defend'), 'announce');
    expect(announced.length).toBeGreaterThan(5);
    for (const [i, at] of announced.entries())
      expect(at - (announced[i - 1] ?? -10_000)).toBeGreaterThanOrEqual(10_000);
  });

  it('"yield" falls silent once, and speaks again when the other one is gone', () => {
    const told = stay('yield').filter(([, step]) => step !== 'ask');
    expect(told.map(([, step]) => step)).toEqual(['found', 'silence', 'over', 'announce']);
  });

  it('"yield" does not fall silent for a single frame', () => {
    expect(
      times(
        stay('yield', () => false),
        'silence',
      ),
    ).toEqual([]);
  });

  it('"tell" sends nothing but questions', () => {
    const told = stay('tell').filter(([, step]) => step !== 'ask');
    expect(told.map(([, step]) => step)).toEqual(['found', 'over']);
  });

  it('never lets forged frames make it announce more often than each ten seconds', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60_000), { minLength: 1, maxLength: 60 }), fc.boolean(), (at, present) => {
        const told = play(new Conflicts(), {
          until: 120_000,
          first: at.toSorted((a, b) => a - b),
          present: () => present,
        });
        const announced = times(told, 'announce');
        for (const [i, time] of announced.entries())
          if (i > 0) expect(time - (announced[i - 1] ?? 0)).toBeGreaterThanOrEqual(10_000);
      }),
    );
  });
});
