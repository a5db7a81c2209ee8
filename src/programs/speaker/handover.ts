import { type Address, formatAddress } from '../../domain/ip/address.ts';
import type { Clock, Timer } from '../../platform/obs/clock.ts';
import type { Announcer } from './announcer.ts';

/** The new owner is mostly heard within 20 ms. What is not heard by then is asked for: a frame may be lost. */
const ASK_MS = 100;
/** Asked for in one go, and the pause between two: ten thousand at once would flood the link. */
const BATCH = 32;
const PAUSE_MS = 20;

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
  /** By text; not heard of elsewhere yet. */
  readonly open: Set<string>;
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
  /** What is to be asked for, and when: in the order of that. */
  readonly #questions = new Map<string, { readonly address: Address; readonly due: number }>();
  #timer: Timer | undefined;

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
    this.#questions.delete(text);
    this.#o.announcer.setSilent(text, true);
    for (const key of services) {
      const open = this.#yielding.get(key)?.open;
      if (open?.delete(text) && open.size === 0) this.#o.onTaken(key);
    }
  }

  /** Another node won the Service. Returns after how many milliseconds to look again; 0: it is handed over. */
  wait(key: string, addresses: readonly Address[]): number {
    const now = this.#o.clock.now();
    const { since, open } = this.#yielding.get(key) ?? this.#begin(key, addresses, now);
    return open.size === 0 ? 0 : Math.max(0, since + this.#o.limitMs() - now);
  }

  /** The Service is given up, or ours again. True when it was being handed over. */
  end(key: string, addresses: readonly Address[]): boolean {
    for (const text of addresses.map(formatAddress)) {
      this.#claims.delete(text);
      this.#questions.delete(text);
    }
    return this.#yielding.delete(key);
  }

  close(): void {
    this.#questions.clear();
    this.#timer?.cancel();
  }

  #begin(key: string, addresses: readonly Address[], now: number): Yielding {
    const made: Yielding = { since: now, open: new Set(addresses.map(formatAddress)) };
    this.#yielding.set(key, made);
    for (const address of addresses) {
      const text = formatAddress(address);
      this.#o.announcer.hush(address);
      const claimed = this.#claims.get(text);
      if (claimed !== undefined && now - claimed < this.#o.limitMs()) this.#o.announcer.ask(address, 'all');
      this.#questions.set(text, { address, due: now + ASK_MS });
    }
    this.#timer ??= this.#o.clock.after(ASK_MS, () => this.#ask());
    return made;
  }

  #ask(): void {
    this.#timer = undefined;
    const now = this.#o.clock.now();
    let asked = 0;
    for (const [text, { address, due }] of this.#questions) {
      if (due > now || asked++ === BATCH) break;
      this.#questions.delete(text);
      this.#o.announcer.ask(address, 'all');
      this.#questions.set(text, { address, due: now + ASK_MS });
    }
    const [next] = this.#questions.values();
    if (next) this.#timer = this.#o.clock.after(Math.max(PAUSE_MS, next.due - now), () => this.#ask());
  }
}
