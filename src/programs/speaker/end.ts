import type { Clock, Timer } from '../../platform/obs/clock.ts';
import type { Loop } from './loop.ts';
import type { Reports } from './reports.ts';
import type { SpeakerRing } from './ring/ring.ts';

/** So long addresses are still answered while nothing new is heard of the nodes that take them over: those hear of it a moment later. */
const LINGER_MS = 600;
/** So long in any case: the chart leaves the process three seconds. */
const LINGER_MOST_MS = 2_000;
/** What is still to be told of the last moves may take so long at most. */
const LAST_WORDS_MS = 500;

/** What of a speaker gives something over. */
export interface Giver {
  readonly ring: Pick<SpeakerRing, 'leave'>;
  readonly layer2: { readonly announcer: { readonly size: number }; fallSilent(): void };
  readonly loop: Pick<Loop, 'heardAt' | 'flush'>;
  readonly reports: Pick<Reports, 'flush'>;
  refresh(): void;
  /** Resolves when nothing is announced any more. */
  whenSilent(): Promise<void>;
}

/** Answers on until those who take over are heard, then no more; the last Events are sent. Status objects go with the Pod. */
export async function giveOver(giver: Giver, clock: Clock): Promise<void> {
  const { ring, layer2 } = giver;
  // Whoever takes over hears it now, and we hear when it does.
  const farewell = ring.leave();
  giver.refresh();
  if (layer2.announcer.size > 0) await handedOver(giver, clock);
  layer2.fallSilent();
  await farewell;
  await lastWords(giver, clock);
}

/** All addresses are answered for elsewhere, or nothing more is heard of those that take them over. */
async function handedOver(giver: Giver, clock: Clock): Promise<void> {
  const begin = clock.now();
  const over = Promise.withResolvers<void>();
  let timer: Timer | undefined;
  const look = (): void => {
    const patience = Math.max(begin, giver.loop.heardAt) + LINGER_MS;
    const rest = Math.min(patience, begin + LINGER_MOST_MS) - clock.now();
    if (rest > 0) timer = clock.after(rest, look);
    else over.resolve();
  };
  look();
  await Promise.race([giver.whenSilent(), over.promise]);
  timer?.cancel();
}

/** Events follow moves by a second, and the process would be gone by then. */
async function lastWords({ loop, reports }: Giver, clock: Clock): Promise<void> {
  loop.flush();
  const over = new AbortController();
  const patience = clock.sleep(LAST_WORDS_MS, over.signal).catch(() => {});
  await Promise.race([patience, reports.flush()]);
  over.abort();
}
