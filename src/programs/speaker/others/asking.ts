import { type Address, formatAddress } from '../../../domain/ip/address.ts';
import { formatMac } from '../../../domain/ip/mac.ts';
import type { Clock } from '../../../platform/obs/clock.ts';
import type { Interfaces } from '../../../protocols/layer2/announced.ts';
import type { Announcer, OtherOwner } from '../layer2/announcer.ts';

/** RFC 5227 asks three times with a second or two between; a controller and people wait, so it is done faster here. */
export const ASKS = 3;
export const ASK_MS = 100;

export interface Question {
  readonly addresses: readonly Address[];
  readonly interfaces: Interfaces;
  /** Ends as soon as each address was claimed by somebody; otherwise whoever else has one is heard, too. */
  readonly eager?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Asks on the links who has these addresses, and waits for answers: those of other machines, each once. An address that is
 * nobody's, or our own, has none. Rejects with AbortError when the signal aborts.
 */
export async function ask(
  { announcer, clock }: { readonly announcer: Announcer; readonly clock: Clock },
  { addresses, interfaces, eager = false, signal }: Question,
): Promise<readonly OtherOwner[]> {
  const heard = new Map<string, OtherOwner>();
  const open = new Map(addresses.map((address) => [formatAddress(address), address]));
  const stops = addresses.map((address) =>
    announcer.listen(address, (other) => {
      const text = formatAddress(other.address);
      heard.set(`${text} ${formatMac(other.mac)} ${other.interface}`, other);
      open.delete(text);
    }),
  );
  try {
    for (let i = 0; i < ASKS && open.size > 0; i++) {
      for (const address of open.values()) announcer.ask(address, interfaces);
      await clock.sleep(ASK_MS, signal);
    }
    // Answers may still come from those who are slower than the first.
    if (!eager && heard.size > 0) await clock.sleep(ASK_MS, signal);
  } finally {
    for (const stop of stops) stop();
  }
  return [...heard.values()];
}
