import { type Address, formatAddress } from '../../domain/ip/address.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Announcer } from './announcer.ts';

/** The new owner is mostly heard within 20 ms. What is not heard by then is asked for: a frame may be lost. */
const ASK_MS = 100;

export interface HandoverOptions {
  readonly announcer: Pick<Announcer, 'announcement' | 'hush' | 'setSilent' | 'ask'>;
  readonly clock: Clock;
  /** Without a sign of the new owner, an address is answered for so long. */
  readonly limitMs: () => number;
  /** All addresses of the Service were taken over. */
  readonly onTaken: (key: string) => void;
}

interface Yielding {
  readonly since: number;
  /** Not heard of elsewhere yet. */
  readonly open: Map<string, Address>;
}

/**
 * Make before break: whoever won an election hears of it at the same moment as we do, and we answer until it does. An address
 * falls silent here as soon as a frame shows that another machine has it.
 */
export class Handover {
  readonly #o: HandoverOptions;
  readonly #yielding = new Map<string, Yielding>();
  /** When another machine was last seen with an address of ours: it may have heard before us that it won, or be the owner before us. */
  readonly #claims = new Map<string, number>();

  constructor(o: HandoverOptions) {
    this.#o = o;
  }

  /** A frame shows that another machine has an address of ours. */
  seen(address: Address): void {
    const text = formatAddress(address);
    const services = [...(this.#o.announcer.announcement(text)?.services.keys() ?? [])];
    if (services.length === 0) return;
    this.#claims.set(text, this.#o.clock.now());
    // Several Services may share it, and not all of them move at once.
    if (!services.every((key) => this.#yielding.has(key))) return;
    for (const key of services) this.#taken(key, text);
    this.#o.announcer.setSilent(text, true);
  }

  /** Another node won the Service. Returns after how many milliseconds to ask again; 0: it is handed over. */
  wait(key: string, addresses: readonly Address[]): number {
    const now = this.#o.clock.now();
    const known = this.#yielding.get(key);
    const { since, open } = known ?? this.#begin(key, addresses, now);
    const left = since + this.#o.limitMs() - now;
    if (open.size === 0 || left <= 0) return 0;
    if (known) for (const address of open.values()) this.#o.announcer.ask(address, 'all');
    return Math.min(left, ASK_MS);
  }

  /** The Service is given up, or ours again. True when it was being handed over. */
  end(key: string, addresses: readonly Address[]): boolean {
    for (const address of addresses) this.#claims.delete(formatAddress(address));
    return this.#yielding.delete(key);
  }

  #begin(key: string, addresses: readonly Address[], now: number): Yielding {
    const open = new Map(addresses.map((address) => [formatAddress(address), address]));
    const made: Yielding = { since: now, open };
    this.#yielding.set(key, made);
    for (const [text, address] of open) {
      this.#o.announcer.hush(address);
      const claimed = this.#claims.get(text);
      if (claimed !== undefined && now - claimed < this.#o.limitMs()) this.#o.announcer.ask(address, 'all');
    }
    return made;
  }

  #taken(key: string, text: string): void {
    const open = this.#yielding.get(key)?.open;
    if (open?.delete(text) && open.size === 0) this.#o.onTaken(key);
  }
}
