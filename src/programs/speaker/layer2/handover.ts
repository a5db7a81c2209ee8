import { type Address, formatAddress } from '../../../domain/ip/address.ts';
import { formatMac, type Mac } from '../../../domain/ip/mac.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Announcer, OtherClaim } from './announcer.ts';

/** The new owner is mostly heard within 20 ms. What is not heard by then is asked for, and what is not answered again: a frame may be lost. */
const ASK_MS = 100;
/** Asked for in one go without having been told of, and the pause between two: ten thousand at once would flood the link. */
const BATCH = 32;
const PAUSE_MS = 20;
/** So long after an answer of another node for one address it is believed to answer for each of which it tells. */
const PROVEN_MS = 500;

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
  /** It was asked for since somebody said to have it. */
  readonly asked: boolean;
  /** Who says to have it, as `who` names them. */
  readonly claimant?: string;
}

/** Another machine as far as it answers: what it does for IPv4 says nothing of IPv6. */
const who = (mac: Mac, { family }: Address) => `${family} ${formatMac(mac)}`;

/**
 * Make before break: whoever won an election hears of it at the same moment as we do, and we answer until it does. That it says so
 * is not enough: a process that has a thousand addresses to take, or has just started, may tell of them before it comes
 * to the questions. So it is asked for the first address that it tells of; when its answer is seen, all of which it told fall silent here,
 * and those of which it tells shortly after.
 */
export class Handover {
  readonly #o: HandoverOptions;
  readonly #yielding = new Map<string, Yielding>();
  /** Who was last seen with an address of ours, and when: it may have heard before us that it won, or be the owner before us. */
  readonly #claims = new Map<string, { readonly claimant: string; readonly at: number }>();
  /** When others were last asked for an address of which they told, and when they last answered. */
  readonly #asked = new Map<string, number>();
  readonly #proven = new Map<string, number>();
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
  seen({ address, mac, direct }: Pick<OtherClaim, 'address' | 'mac' | 'direct'>): void {
    const text = formatAddress(address);
    if (!this.#o.announcer.announcement(text)) return;
    const now = this.#o.clock.now();
    const claimant = who(mac, address);
    this.#claims.set(text, { claimant, at: now });
    const question = this.#questions.get(text);
    // Nothing is new of one that is silent already.
    if (!question || !this.#yields(text)) return;
    // Of IPv6, who asks as we do is answered before everybody; of IPv4, what everybody is told comes in two frames.
    const answer = direct || (question.asked && address.family === 'IPv6');
    if (question.claimant !== undefined && !answer) return;
    this.#heardAt = now;
    if (answer) this.#answered(text, claimant);
    else this.#claimed(address, claimant);
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
    const yielding = this.#yielding.delete(key);
    if (this.#yielding.size === 0) for (const others of [this.#asked, this.#proven]) others.clear();
    return yielding;
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
      this.#put(text, { address, asked: false, due: now + ASK_MS });
      const claim = this.#claims.get(text);
      if (claim && this.#within(this.#o.limitMs(), claim.at)) this.#claimed(address, claim.claimant);
    }
    return made;
  }

  /** Several Services may share it, and not all of them move at once. */
  #yields(text: string): boolean {
    const claims = this.#o.announcer.announcement(text)?.claims ?? [];
    return claims.length > 0 && claims.every(({ service }) => this.#yielding.has(service));
  }

  #claimed(address: Address, claimant: string): void {
    const text = formatAddress(address);
    if (this.#within(PROVEN_MS, this.#proven.get(claimant)) && this.#yields(text)) this.#taken(text);
    else this.#askOf(claimant, address);
  }

  #answered(answered: string, claimant: string): void {
    this.#proven.set(claimant, this.#o.clock.now());
    this.#taken(answered);
    for (const [text, question] of this.#questions)
      if (question.claimant === claimant && this.#yields(text)) this.#taken(text);
  }

  #taken(text: string): void {
    this.#questions.delete(text);
    this.#o.announcer.setSilent(text, true);
    for (const { service } of this.#o.announcer.announcement(text)?.claims ?? []) {
      const open = this.#yielding.get(service)?.open;
      if (open?.delete(text) && open.size === 0) this.#o.onTaken(service);
    }
  }

  /**
   * At once, as each turn of the loop in between is one more in which two answer. Where one of the addresses of which somebody told is asked
   * for, the others wait for that answer.
   */
  #askOf(claimant: string, address: Address): void {
    const now = this.#o.clock.now();
    const asked = !this.#within(ASK_MS, this.#asked.get(claimant));
    if (asked) {
      this.#asked.set(claimant, now);
      this.#o.announcer.ask(address, 'all');
    }
    this.#put(formatAddress(address), { address, claimant, asked, due: now + ASK_MS });
  }

  #within(ms: number, at = Number.NEGATIVE_INFINITY): boolean {
    return this.#o.clock.now() - at < ms;
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
      this.#put(text, { ...question, asked: question.claimant !== undefined, due: now + ASK_MS });
    }
    const [next] = this.#questions.values();
    if (next) this.#schedule(Math.max(this.#pauseUntil, next.due));
  }
}
