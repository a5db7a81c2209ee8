import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../platform/obs/clock.rig.ts';
import { type Giver, giveOver } from './end.ts';

let clock: VirtualClock;
/** What happened, and when. */
let seen: string[];
let heardAt: number;
let silent: PromiseWithResolvers<void>;
let told: PromiseWithResolvers<void>;

const note = (what: string) => seen.push(`${clock.now()} ${what}`);

function ending(addresses: number): Promise<void> {
  const giver: Giver = {
    ring: {
      async leave() {
        note('farewell');
      },
    },
    layer2: { announcer: { size: addresses }, fallSilent: () => note('silent') },
    loop: {
      get heardAt() {
        return heardAt;
      },
      flush: () => note('last decisions told'),
    },
    reports: { flush: () => told.promise },
    refresh: () => note('decides anew'),
    whenSilent: () => silent.promise,
  };
  return giveOver(giver, clock).then(() => void note('over'));
}

beforeEach(() => {
  clock = new VirtualClock();
  seen = [];
  heardAt = Number.NEGATIVE_INFINITY;
  silent = Promise.withResolvers();
  told = Promise.withResolvers();
  told.resolve();
});

describe('a speaker that ends', () => {
  it('says farewell before it decides anew, and is silent at once when it has nothing', async () => {
    await ending(0);
    expect(seen).toEqual(['0 farewell', '0 decides anew', '0 silent', '0 last decisions told', '0 over']);
  });

  it('answers on until all is given up', async () => {
    const over = ending(3);
    await clock.advance(150);
    silent.resolve();
    await over;
    expect(seen.slice(2)).toEqual(['150 silent', '150 last decisions told', '150 over']);
  });

  it('answers on for six tenths of a second when nobody takes over', async () => {
    const over = ending(3);
    await clock.advance(5_000);
    await over;
    expect(seen[2]).toBe('600 silent');
  });

  it('answers on while new owners are heard', async () => {
    const over = ending(3);
    await clock.advance(500);
    heardAt = 500;
    await clock.advance(5_000);
    await over;
    expect(seen[2]).toBe('1100 silent');
  });

  it('answers on for two seconds at most', async () => {
    const over = ending(3);
    for (; clock.now() < 5_000; heardAt = clock.now()) await clock.advance(100);
    await over;
    expect(seen[2]).toBe('2000 silent');
  });

  it('waits for its last Events for half a second at most', async () => {
    told = Promise.withResolvers();
    const over = ending(0);
    await clock.advance(400);
    expect(seen.at(-1)).toBe('0 last decisions told');
    await clock.advance(400);
    await over;
    expect(seen.at(-1)).toBe('500 over');
  });
});
