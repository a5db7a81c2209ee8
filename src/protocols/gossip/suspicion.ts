import type { Profile } from './profile.ts';

const CALLS = 3;

/**
 * A member that is suspected, until it objects or dies (Lifeguard): the more others independently suspect it, the less
 * time is left. Times are those of the caller's clock.
 */
export class Suspicion {
  readonly #from: Set<string>;
  readonly #needed: number;
  readonly #profile: Profile;
  readonly #minMs: number;
  readonly #maxMs: number;
  #since: number;
  #confirmed = 0;
  #calledAt: number | undefined;
  #calls = 0;

  /** `members`: how many live, this one and the suspect among them. */
  constructor(from: string, o: { profile: Profile; members: number; now: number }) {
    const { profile, members, now } = o;
    this.#from = new Set([from]);
    this.#profile = profile;
    // Too few are left to agree: then nobody is waited for.
    this.#needed = members - 2 < profile.confirmations ? 0 : profile.confirmations;
    const scale = Math.max(1, Math.log10(Math.max(1, members / profile.suspicionScaleFrom)) + 1);
    this.#minMs = profile.suspicionMs * scale;
    this.#maxMs = this.#minMs * (this.#needed > 0 ? profile.suspicionMaxFactor : 1);
    this.#since = now;
  }

  /** Earliest time of death. */
  get deadline(): number {
    const share = this.#needed === 0 ? 1 : Math.log(this.#confirmed + 1) / Math.log(this.#needed + 1);
    return this.#since + Math.max(this.#minMs, this.#maxMs - share * (this.#maxMs - this.#minMs));
  }

  /** Another one suspects it, too. True when that is new and counts. */
  confirm(from: string): boolean {
    if (this.#confirmed >= this.#needed || this.#from.has(from)) return false;
    this.#from.add(from);
    this.#confirmed++;
    return true;
  }

  /** It answered, though it did not object yet: all the time begins anew. */
  stay(now: number): void {
    this.#since = now;
    this.#calledAt = undefined;
    this.#calls = 0;
  }

  /** This process stood still: what was asked last is asked again, as the answers may be lost. */
  repeatCalls(): void {
    this.#calledAt = undefined;
    this.#calls = 0;
  }

  /** What is due: to ask the suspect once more, or its death. */
  due(now: number): 'call' | 'death' | undefined {
    if (now < this.next) return undefined;
    if (this.#calls === CALLS) return 'death';
    this.#calledAt ??= now;
    this.#calls++;
    return 'call';
  }

  /** When something is due. */
  get next(): number {
    const { lastCallMs } = this.#profile;
    if (this.#calledAt === undefined) return this.deadline - lastCallMs;
    if (this.#calls < CALLS) return this.#calledAt + (lastCallMs * this.#calls) / CALLS;
    return Math.max(this.deadline, this.#calledAt + lastCallMs);
  }
}
