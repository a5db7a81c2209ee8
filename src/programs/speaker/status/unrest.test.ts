import { expect, it } from 'vitest';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { Unrest } from './unrest.ts';

const start = () => {
  const clock = new VirtualClock();
  const unrest = new Unrest(clock);
  const stir = (times: number) => {
    for (let i = 0; i < times; i++) unrest.stir();
  };
  /** When, from now on, a request that begins to wait now goes on; undefined while it waits. */
  const waiting = () => {
    const began = clock.now();
    const over: { after?: number } = {};
    void unrest.rest().then(() => {
      over.after = clock.now() - began;
    });
    return over;
  };
  return { clock, unrest, stir, waiting };
};

it('does not rest for twenty Services, and does for more', async () => {
  const { clock, stir, waiting } = start();
  stir(20);
  const first = waiting();
  await clock.advance(0);
  expect(first).toEqual({ after: 0 });
  stir(1);
  const second = waiting();
  await clock.advance(1_999);
  expect(second).toEqual({});
  await clock.advance(1);
  expect(second).toEqual({ after: 2_000 });
});

it('rests from the last change on, and begins to count anew afterwards', async () => {
  const { clock, stir, waiting } = start();
  stir(21);
  const first = waiting();
  await clock.advance(1_500);
  stir(1);
  await clock.advance(2_000);
  expect(first).toEqual({ after: 3_500 });
  stir(20);
  const second = waiting();
  await clock.advance(0);
  expect(second).toEqual({ after: 0 });
});

it('rests ten seconds at most', async () => {
  const { clock, stir, waiting } = start();
  stir(30);
  const one = waiting();
  for (let second = 0; second < 12; second++) {
    await clock.advance(1_000);
    stir(1);
  }
  expect(one).toEqual({ after: 10_000 });
});

it('lets all go on once it is told to end, and who is given up not at all', async () => {
  const { clock, unrest, stir, waiting } = start();
  stir(30);
  const given = new AbortController();
  const givenUp = unrest.rest(given.signal);
  given.abort();
  await expect(givenUp).rejects.toMatchObject({ name: 'AbortError' });
  const one = waiting();
  await clock.advance(1);
  unrest.end();
  await clock.advance(0);
  expect(one).toEqual({ after: 1 });
});
