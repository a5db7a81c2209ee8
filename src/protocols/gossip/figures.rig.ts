import type { Ring } from './ring.rig.ts';

/** What came of crashes, one after another; times in milliseconds from the crash. */
export interface Figures {
  /** Until everybody who was not standing still at that moment held it dead. */
  readonly agreed: readonly number[];
  /** Until each one held it dead, whatever it did. */
  readonly known: readonly number[];
  /** How often somebody who ran was held dead. */
  readonly falseDeaths: number;
}

/** Crashes one member after another, and starts each again once all know. */
export function crashes(ring: Ring, count: number): Figures {
  const agreed: number[] = [];
  const known: number[] = [];
  let falseDeaths = 0;
  for (let i = 0; i < count; i++) {
    const victim = ring.names[(i * 7) % ring.names.length] ?? '';
    const begin = ring.now;
    const told = ring.told.length;
    ring.crash(victim);
    const others = ring.running;
    const knows = (by: string) => ring.view(by, victim) === 'dead';
    agreed.push(ring.runUntil(() => others.every((by) => ring.still(by) || knows(by)), 30_000));
    ring.runUntil(() => others.every(knows), 30_000);
    for (const { at, change } of ring.told.slice(told)) {
      if (change.type !== 'died') continue;
      if (change.name === victim) known.push(at - begin);
      else falseDeaths++;
    }
    ring.start(victim);
    ring.runUntil(() => ring.running.every((by) => ring.view(by, victim) === 'alive'), 30_000);
    // Not always at the same point of the others' rounds.
    ring.run(300 + ((i * 37) % 500));
  }
  return { agreed, known, falseDeaths };
}

/** The value that `share` of all do not exceed. */
export function percentile(all: readonly number[], share: number): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
