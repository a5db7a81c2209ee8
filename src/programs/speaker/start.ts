import { openArpSocket } from '../../platform/linux/packet.ts';
import { selfTest } from '../../platform/linux/selftest.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import { abortError, type Clock } from '../../platform/obs/clock.ts';
import { allSources, decisive, type Sources } from './sources.ts';
import type { Wiring } from './wiring.ts';

/** Index of the loopback interface in every network namespace. */
const LOOPBACK = 1;
/** Lists that no decision needs hold the start up for so long at most; from one look at them to the next. */
const ALL_READ_MS = 1_000;
const LOOK_MS = 10;

export interface StartOptions {
  readonly clock: Clock;
  /** Aborts when the speaker is to end. */
  readonly signal: AbortSignal;
}

/** Rejects with LinuxError when sockets do not work here, for instance without CAP_NET_RAW. */
export async function proveSockets(sockets: Sockets, clock: Clock): Promise<void> {
  await selfTest(sockets, clock);
  openArpSocket({ sockets, index: LOOPBACK, onFrame: () => {}, onBroken: () => {} }).close();
}

/**
 * Decides about all Services as soon as all that decisions depend on is known, then takes part in the ring. Resolves when what belongs
 * here is answered for, and nobody else does. Rejects with AbortError when the signal aborts.
 */
export async function takeOver(wiring: Wiring, { clock, signal }: StartOptions): Promise<void> {
  const { sources, layer2, loop, refreshes, ring } = wiring;
  for (const [, source] of decisive(sources)) source.start();
  const linksKnown = layer2.answer();
  await Promise.all(decisive(sources).map(([, source]) => source.whenSynced(signal)));
  await Promise.race([linksKnown, aborted(signal)]);
  wiring.refreshNow();
  refreshes.start();
  loop.start();
  await loop.idle();
  // What is only written about waits until here: its list may be as long as that of the Services.
  for (const [, source] of allSources(sources)) source.start();
  // Only now: a member is one that can take addresses over, and has nothing else to do.
  await allRead(sources, { clock, signal });
  await layer2.announcer.caughtUp();
  ring.start();
  await ring.joined();
  await refreshes.idle();
  await loop.idle();
  await layer2.announcer.settled(signal);
}

/**
 * All lists are in, or cannot be had at the moment: a server answers "not yet" for a second about a kind that is new to it, and one
 * that is asked again later costs nothing now.
 */
async function allRead(sources: Sources, { clock, signal }: StartOptions): Promise<void> {
  const until = clock.now() + ALL_READ_MS;
  const reading = () => allSources(sources).some(([, { state }]) => state.phase === 'starting');
  while (reading() && clock.now() < until) await clock.sleep(LOOK_MS, signal);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(abortError(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
