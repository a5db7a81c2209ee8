import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crashes, percentile } from '../../src/protocols/gossip/figures.rig.ts';
import { checkHistory, history } from '../../src/protocols/gossip/history.rig.ts';
import { Ring } from '../../src/protocols/gossip/ring.rig.ts';
import { COUNT, SEED } from './seed.ts';

/** 5 % of packets lost, and processes that stand still for up to 400 ms, each every 20 seconds on average. */
const ROUGH = { loss: 0.05, stalls: { ms: 400, everyMs: 20_000 } };
const rounded = (all: readonly number[], share: number) => Math.round(percentile(all, share));

describe(`rings in virtual time (SEED=${SEED} COUNT=${COUNT})`, () => {
  it('agree once it is over, whatever happened', () => {
    fc.assert(fc.property(history, checkHistory), { numRuns: COUNT, seed: SEED });
  });

  it.each([
    [3, 300],
    [10, 150],
    [100, 25],
  ])('of %i find crashes within a second', (members, count) => {
    const ring = new Ring({ members, seed: SEED, ...ROUGH });
    ring.runUntil(() => ring.agreed, 10_000);
    const { agreed, known, falseDeaths } = crashes(ring, count);
    const line = [agreed, known].map((all) => `p50 ${rounded(all, 0.5)} p99 ${rounded(all, 0.99)} ms`);
    console.log(`${members} members, ${count} crashes: agreed ${line[0]}; known to each ${line[1]}`);
    expect(percentile(agreed, 0.99)).toBeLessThan(1_000);
    expect(falseDeaths).toBe(0);
  });

  // A hundred stand still as often in one minute as ten do in ten.
  it.each([
    [3, 10],
    [10, 10],
    [100, 2],
  ])('of %i hold nobody dead in %i minutes', (members, minutes) => {
    const ring = new Ring({ members, seed: SEED, ...ROUGH });
    ring.runUntil(() => ring.agreed, 10_000);
    ring.run(minutes * 60_000);
    const stalls = ring.changes('stalled').length;
    console.log(
      `${members} members, ${minutes} minutes: ${stalls} stalls, ${ring.changes('died').length} false deaths`,
    );
    expect(ring.changes('died')).toEqual([]);
  });
});
