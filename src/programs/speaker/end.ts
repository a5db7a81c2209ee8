import type { Clock, Timer } from '../../platform/obs/clock.ts';
import { LAST_WORDS_MS, LINGER_MOST_MS, LINGER_MS } from './options.ts';
import type { Wiring } from './wiring.ts';

/** Gives over: answers on until those who take over are heard, then no more; the last Events are sent. Status objects go with the Pod. */
export async function giveOver(wiring: Wiring, clock: Clock): Promise<void> {
  const { ring, layer2 } = wiring;
  // Whoever takes over hears it now, and we hear when it does.
  const farewell = ring.leave();
  wiring.refresh();
  if (layer2.announcer.size > 0) await handedOver(wiring, clock);
  layer2.fallSilent();
  await farewell;
  await lastWords(wiring, clock);
}

/** All addresses are answered for elsewhere, or nothing more is heard of those that take them over. */
async function handedOver(wiring: Wiring, clock: Clock): Promise<void> {
  const begin = clock.now();
  const over = Promise.withResolvers<void>();
  let timer: Timer | undefined;
  const look = (): void => {
    const patience = Math.max(begin, wiring.loop.heardAt) + LINGER_MS;
    const rest = Math.min(patience, begin + LINGER_MOST_MS) - clock.now();
    if (rest > 0) timer = clock.after(rest, look);
    else over.resolve();
  };
  look();
  await Promise.race([wiring.whenSilent(), over.promise]);
  timer?.cancel();
}

/** Events follow moves by a second, and the process would be gone by then. */
async function lastWords({ loop, reports }: Wiring, clock: Clock): Promise<void> {
  loop.flush();
  const over = new AbortController();
  const patience = clock.sleep(LAST_WORDS_MS, over.signal).catch(() => {});
  await Promise.race([patience, reports.flush()]);
  over.abort();
}
