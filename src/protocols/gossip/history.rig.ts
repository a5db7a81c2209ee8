import fc from 'fast-check';
import { expect } from 'vitest';
import { Ring } from './ring.rig.ts';

/** One thing that happens to a ring; members by number. */
type Happening =
  | { readonly do: 'crash' | 'start' | 'leave' | 'heal'; readonly who: number }
  | { readonly do: 'stall'; readonly who: number; readonly ms: number }
  | Cut;
interface Cut {
  readonly do: 'cut';
  readonly who: number;
  readonly mask: number;
  readonly oneWay: boolean;
}

export interface History {
  readonly members: number;
  readonly seed: number;
  readonly loss: number;
  readonly happenings: readonly (readonly [waitMs: number, happening: Happening])[];
}

const who = fc.nat(20);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ do: fc.constantFrom('crash' as const, 'start', 'start', 'leave', 'heal'), who }),
  fc.record({ do: fc.constant('stall' as const), who, ms: fc.integer({ min: 1, max: 4_000 }) }),
  fc.record({ do: fc.constant('cut' as const), who, mask: fc.nat(255), oneWay: fc.boolean() }),
);

export const history: fc.Arbitrary<History> = fc.record({
  members: fc.integer({ min: 2, max: 7 }),
  seed: fc.nat(1_000_000),
  loss: fc.constantFrom(0, 0.05, 0.2),
  happenings: fc.array(fc.tuple(fc.integer({ min: 1, max: 2_000 }), happening), { maxLength: 12 }),
});

/** Lets it all happen, mends the network, and waits for what must follow. */
export function checkHistory({ members, seed, loss, happenings }: History): void {
  const ring = new Ring({ members, seed, loss });
  ring.run(1_000);
  for (const [waitMs, each] of happenings) {
    happen(ring, each);
    ring.run(waitMs);
  }
  ring.reaches = () => true;
  const [first, ...others] = ring.running;
  if (first === undefined) return;
  // What the speaker does when a Pod is no member: two that never met cannot find each other.
  for (const name of others) ring.join(name, first);
  // Somebody may still stand still, or suspect one that no longer runs.
  ring.run(8_000);
  const took = ring.runUntil(() => ring.agreed, 30_000);
  expect(took, 'time until all agree').toBeLessThan(loss > 0.1 ? 30_000 : 1_500);
  if (loss > 0.1) return;
  const since = ring.now;
  ring.run(3_000);
  expect(ring.changes('died', { since })).toEqual([]);
  expect(ring.changes('joined', { since })).toEqual([]);
}

function happen(ring: Ring, h: Happening): void {
  const name = ring.names[h.who % ring.names.length] ?? '';
  const runs = ring.running.includes(name);
  if (h.do === 'start') {
    if (!runs) ring.start(name);
  } else if (h.do === 'crash') {
    ring.crash(name);
  } else if (h.do === 'leave') {
    if (!runs) return;
    ring.leave(name);
    ring.run(200);
    ring.crash(name);
  } else if (h.do === 'stall') {
    ring.stall(name, h.ms);
  } else if (h.do === 'cut') {
    const side = (n: string) => (h.mask >> Number(n.slice(1))) & 1;
    ring.reaches = (a, b) => side(a) === side(b) || (h.oneWay && side(a) === 0);
  } else {
    ring.reaches = () => true;
  }
}
