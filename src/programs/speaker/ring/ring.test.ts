import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../platform/obs/clock.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { Metrics } from '../../../platform/obs/metrics.ts';
import { systemRandom } from '../../../platform/obs/random.ts';
import { FAST } from '../../../protocols/gossip/profile.ts';
import { SpeakerRing } from './ring.ts';
import { makeWaiting } from './waiting.rig.ts';

/** All on one port, each on an address of its own, as nodes have it; another run of these tests has another port. */
const PORT = 20_000 + (process.pid % 10_000);
const address = (i: number): string => `127.0.78.${i}`;

describe('the place of a speaker in the ring', () => {
  const open: SpeakerRing[] = [];
  const told: string[] = [];
  const { stir, when } = makeWaiting();

  const start = (i: number, o: { node?: string; clock?: Clock } = {}): SpeakerRing => {
    const node = o.node ?? `n${i}`;
    const clock = o.clock ?? systemClock;
    const ring: SpeakerRing = new SpeakerRing({
      clock,
      random: systemRandom,
      log: createLog({ level: 'none', clock: systemClock, fields: {} }),
      metrics: new Metrics({ defaults: false }),
      options: {
        node,
        namespace: 'metallb-system',
        ignoreExcludeLb: false,
        speakerSelectors: [],
        ring: { address: address(i), port: PORT, profile: FAST },
      },
      // The Pod of the other one is of a node with this name, too.
      expected: () => [1, 2].filter((other) => `n${other}` !== node).map(address),
      onChange: stir,
      onConflict: ({ name, late }) => {
        told.push(`${i} is ${late ? 'late' : 'there'} as ${name}`);
        stir();
      },
      onReturn: () => {
        told.push(`${i} tells anew`);
        stir();
      },
    });
    open.push(ring);
    ring.start();
    return ring;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((ring) => ring.close()));
    told.length = 0;
  });

  it('is not had under a name that another one has, and had when that one has left', async () => {
    let again: (() => void) | undefined;
    let late: SpeakerRing | undefined;
    // The ten seconds until it asks again pass when the test says so, everything else in real time.
    const clock: Clock = {
      ...systemClock,
      after(ms, run) {
        if (ms !== 10_000 || !late?.refused) return systemClock.after(ms, run);
        again = run;
        stir();
        return { cancel: () => {} };
      },
    };
    const [one, two] = [start(1), start(2)];
    await when(() => one.state('n2') === 'member' && two.state('n1') === 'member');
    late = start(3, { node: 'n1', clock });
    await when(() => again !== undefined);
    expect([late.refused, late.state('n1'), late.live()]).toEqual([true, 'left', []]);
    expect(told).toEqual(['3 is late as n1']);
    // It left no farewell in the name of the first.
    expect([one.state('n1'), two.state('n1')]).toEqual(['member', 'member']);
    await one.leave();
    await when(() => two.state('n1') === 'left');
    again?.();
    await when(() => late?.state('n1') === 'member' && two.state('n1') === 'member');
    expect(late.refused).toBe(false);
  });
});
