import { type Address, formatAddress } from '../../../domain/ip/address.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Announcer, OtherClaim } from './announcer.ts';

/** The new owner is mostly heard within 20 ms. What is not heard by then is asked for, and what is not answered again: a frame may be lost. */
const ASK_MS = 100;
/** Asked for in one go without having been told of, and the pause between two: ten thousand at once would flood the link. */
const BATCH = 32;
const PAUSE_MS = 20;

export interface HandoverOptions {
  readonly announcer: Pick<Announcer, 'announcement' | 'hush' | 'setSilent' | 'ask'>;
  readonly clock: Clock;
  /** For so long nothing new must have been heard of a new owner, of whatever address, before what is left is given up. */
  readonly limitMs: () => number;
  /** All addresses of the Service were taken over. */
  readonly onTaken: (key: string) => void;
}

interface Yielding {
  readonly since: number;
  /** By text; not answered for elsewhere yet. */
  readonly open: Set<string>;
}

/** An address that another node is taking over. */
interface Question {
  readonly address: Address;
  /** When it is asked for, or asked for again. */
  readonly due: number;
  /** Somebody says to have it, and was asked since. */
  readonly claimed: boolean;
}

/**
 * Make before break: whoever won an election hears of it at the same moment as we do, and we answer until it does. That it says so
 * is not enough: a process that has a thousand addresses to take, or has just started, may tell of them before it comes
 * to the questions. So it is asked for each address, which falls silent here when the answer is seen.
 */
export class Handover {
  readonly #o: HandoverOptions;
  readonly #yielding = new Map<string, Yielding>();
  /** When another machine was last seen with an address of ours: it may have heard before us that it won, or be the owner before us. */
  readonly #claims = new Map<string, number>();
  /** By text, in the order of their time. */
  readonly #questions = new Map<string, Question>();
  /** When something new was last heard of a new owner. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** Until then nobody is asked who was not heard of. */
  #pauseUntil = Number.NEGATIVE_INFINITY;

  constructor(o: HandoverOptions) {
    this.#o = o;
  }

  /** When something new was last heard of a new owner, on the clock; -Infinity: never. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** A frame shows that another machine has an address of ours. */
  seen({ address, direct }: Pick<OtherClaim, 'address' | 'direct'>): void {
    const text = formatAddress(address);
    const services = (this.#o.announcer.announcement(text)?.claims ?? []).map(({ service }) => service);
    if (services.length === 0) return;
    const now = this.#o.clock.now();
    this.#claims.set(text, now);
    // Several Services may share it, and not all of them move at once.
    if (!services.every((key) => this.#yielding.has(key))) return;
    const question = this.#questions.get(text);
    // Nothing is new of one that is silent already.
    if (!question) return;
    // Of IPv6, who asks as we do is answered before everybody; of IPv4, what everybody is told comes in two frames.
    const answer = direct || (question.claimed && address.family === 'IPv6');
    if (question.claimed && !answer) return;
    this.#heardAt = now;
    if (answer) this.#taken(text, services);
    else this.#askNow(text, address);
  }

  /** Another node won the Service. Returns after how many milliseconds to look again; 0: it is handed over. */
  wait(key: string, addresses: readonly Address[]): number {
    const now = this.#o.clock.now();
    const { since, open } = this.#yielding.get(key) ?? this.#begin(key, addresses, now);
    return open.size === 0 ? 0 : Math.max(0, Math.max(since, this.#heardAt) + this.#o.limitMs() - now);
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
      const claimed = (this.#claims.get(text) ?? Number.NEGATIVE_INFINITY) > now - this.#o.limitMs();
      if (claimed) this.#askNow(text, address);
      else this.#put(text, { address, claimed, due: now + ASK_MS });
    }
    return made;
  }

  #taken(text: string, services: readonly string[]): void {
    this.#questions.delete(text);
    this.#o.announcer.setSilent(text, true);
    for (const key of services) {
      const open = this.#yielding.get(key)?.open;
      if (open?.delete(text) && open.size === 0) this.#o.onTaken(key);
    }
  }

  /** Not later: each turn of the loop in between is one more in which two answer. It is one frame more than those by which it was told. */
  #askNow(text: string, address: Address): void {
    this.#o.announcer.ask(address, 'all');
    this.#put(text, { address, claimed: true, due: this.#o.clock.now() + ASK_MS });
  }

  #put(text: string, question: Question): void {
    this.#questions.delete(text);
    this.#questions.set(text, question);
    this.#schedule(question.due);
  }

  #schedule(at: number): void {
    if (this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#o.clock.after(Math.max(0, at - this.#o.clock.now()), () => this.#askDue());
  }

  #askDue(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#o.clock.now();
    const batch = now < this.#pauseUntil ? [] : this.#questions.entries().take(BATCH).toArray();
    for (const [text, question] of batch) {
      if (question.due > now) break;
      this.#pauseUntil = now + PAUSE_MS;
      this.#o.announcer.ask(question.address, 'all');
      this.#put(text, { ...question, due: now + ASK_MS });
    }
    const [next] = this.#questions.values();
    if (next) this.#schedule(Math.max(this.#pauseUntil, next.due));
  }
}
