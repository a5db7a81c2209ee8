import { nextDue, takeDue } from './due.ts';

/** What is done when somebody else steadily claims an address that we answer for. */
export type Policy =
  /** Announce it anew, at most once per interval, and go on answering (RFC 5227 2.4, the last way). */
  | 'defend'
  /** Answer no more for as long as the other one is there. */
  | 'yield'
  /** Go on answering, and only tell. */
  | 'tell';

export const POLICIES: readonly Policy[] = ['defend', 'yield', 'tell'];

export interface ConflictTiming {
  /** After the first sight the others are asked who has the address, so often, with this pause; nobody has it then. */
  readonly asks: number;
  readonly askMs: number;
  /** Seen again after this time it is a conflict; before, it may be the last word of whoever had the address. */
  readonly steadyMs: number;
  /** Shortest time between two announcements that a sight leads to: DEFEND_INTERVAL of RFC 5227. */
  readonly defendMs: number;
  /** So long after the other one was last seen it is asked for again while the conflict lasts. */
  readonly checkMs: number;
  /** Questions a second about all addresses; with many conflicts each is asked for less often. */
  readonly perSecond: number;
  /**
   * Who comes back within this time of the end of a conflict must leave twice as many questions without an answer before it is
   * over again, up to so many: a host whose cable is loose is one conflict, not a hundred.
   */
  readonly rememberMs: number;
  readonly mostAsks: number;
}

export const CONFLICT_TIMING: ConflictTiming = {
  asks: 3,
  askMs: 500,
  steadyMs: 400,
  defendMs: 10_000,
  checkMs: 1_000,
  perSecond: 100,
  rememberMs: 60_000,
  mostAsks: 24,
};

/** What is to be done about an address, by name. */
export type Step =
  /** Ask on the link who has it. */
  | { readonly step: 'ask'; readonly name: string }
  /** There are two owners; once for each MAC. */
  | { readonly step: 'found'; readonly name: string; readonly mac: string }
  /** Tell the neighbours that it is here. */
  | { readonly step: 'announce'; readonly name: string }
  /** Answer no more. */
  | { readonly step: 'silence'; readonly name: string }
  /** The other owner is gone: answer, if that had stopped. */
  | { readonly step: 'over'; readonly name: string };

interface Entry {
  /** suspected: seen, and asked for. steady: a conflict. over: kept to know when it was announced, and how long to wait. */
  state: 'suspected' | 'steady' | 'over';
  since: number;
  readonly macs: Set<string>;
  /** Questions since it was last seen, and how many end a conflict. */
  asked: number;
  patience: number;
  /** When `patience` is forgotten; -Infinity before the end of a first conflict. */
  rememberedUntil: number;
  due: number;
  announcedAt: number;
  /** To be announced as soon as that may be done again. */
  owed: boolean;
  silent: boolean;
}

/** MACs of one address that are told of; who forges frames may use as many as there are. */
const MOST_MACS = 8;

/**
 * Whether somebody else has an address of ours, and what is done about it. One frame proves nothing: at a hand-over the old
 * owner's last word may come after the new one's first. So the link is asked, and only who is still there afterwards is
 * a second owner. Whoever was heard once and is gone has misled the neighbours, so they are told anew. Times are milliseconds
 * of one clock, and given by the caller.
 */
export class Conflicts {
  policy: Policy;
  readonly #timing: ConflictTiming;
  readonly #entries = new Map<string, Entry>();

  constructor(policy: Policy = 'defend', timing: ConflictTiming = CONFLICT_TIMING) {
    this.policy = policy;
    this.#timing = timing;
  }

  /** Addresses with two owners, and the MACs of the others. */
  steady(): ReadonlyMap<string, readonly string[]> {
    const found = [...this.#entries].filter(([, { state }]) => state === 'steady');
    return new Map(found.map(([name, { macs }]) => [name, [...macs]]));
  }

  /** A frame says that the address is at another MAC. */
  seen(name: string, mac: string, now: number): readonly Step[] {
    const { asks, askMs, steadyMs } = this.#timing;
    const entry = this.#entries.get(name);
    if (!entry || entry.state === 'over') {
      this.#entries.set(name, {
        state: 'suspected',
        since: now,
        macs: new Set([mac]),
        asked: 0,
        patience: entry?.patience ?? asks,
        rememberedUntil: entry?.rememberedUntil ?? Number.NEGATIVE_INFINITY,
        due: now + askMs,
        announcedAt: entry?.announcedAt ?? Number.NEGATIVE_INFINITY,
        owed: false,
        silent: false,
      });
      return [];
    }
    entry.asked = 0;
    const news = !entry.macs.has(mac) && entry.macs.size < MOST_MACS;
    if (news) entry.macs.add(mac);
    if (entry.state === 'steady') {
      entry.due = now + this.#pace;
      const found: Step[] = news ? [{ step: 'found', name, mac }] : [];
      return [...found, ...this.#answer(name, entry, now)];
    }
    return now - entry.since < steadyMs ? [] : this.#confirm(name, entry, now);
  }

  /** Addresses have changed hands, and who has them now tells so: whoever is suspected was the owner before. */
  acquit(now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'suspected') continue;
      entry.state = 'over';
      entry.due = Math.max(now, entry.announcedAt + this.#timing.defendMs);
    }
  }

  /** The address is no longer ours. */
  forget(name: string): void {
    this.#entries.delete(name);
  }

  /** What is due; for at most `most` addresses. */
  take(now: number, most: number): readonly Step[] {
    return takeDue(this.#entries, { now, most }, (name, entry) => this.#due(name, entry, now));
  }

  /** When `take` has something to give; undefined: not before somebody is seen. */
  get next(): number | undefined {
    return nextDue(this.#entries);
  }

  /** From one sight of a second owner to the next question. */
  get #pace(): number {
    const { checkMs, perSecond } = this.#timing;
    return Math.max(checkMs, (this.#entries.size / perSecond) * 1_000);
  }

  #confirm(name: string, entry: Entry, now: number): readonly Step[] {
    entry.state = 'steady';
    entry.due = now + this.#pace;
    const found = [...entry.macs].map((mac): Step => ({ step: 'found', name, mac }));
    return [...found, ...this.#answer(name, entry, now)];
  }

  #answer(name: string, entry: Entry, now: number): readonly Step[] {
    if (this.policy === 'defend') return this.#announce(name, entry, now);
    if (this.policy === 'tell' || entry.silent) return [];
    entry.silent = true;
    return [{ step: 'silence', name }];
  }

  #announce(name: string, entry: Entry, now: number): readonly Step[] {
    if (now - entry.announcedAt < this.#timing.defendMs) return [];
    entry.announcedAt = now;
    return [{ step: 'announce', name }];
  }

  #due(name: string, entry: Entry, now: number): readonly Step[] {
    const { asks, askMs } = this.#timing;
    if (entry.state === 'over') return this.#settle(name, entry, now);
    if (entry.asked < (entry.state === 'steady' ? entry.patience : asks)) {
      entry.asked++;
      entry.due = now + askMs;
      return [{ step: 'ask', name }];
    }
    return this.#end(name, entry, now);
  }

  /** Whoever it was misled the neighbours for a while. */
  #end(name: string, entry: Entry, now: number): readonly Step[] {
    const over: Step[] = [];
    if (entry.state === 'steady') {
      over.push({ step: 'over', name });
      entry.patience = Math.min(2 * entry.patience, this.#timing.mostAsks);
      entry.rememberedUntil = now + this.#timing.rememberMs;
    }
    entry.state = 'over';
    entry.owed = this.policy !== 'tell';
    return [...over, ...this.#settle(name, entry, now)];
  }

  /** What is owed is announced as soon as the interval allows it; then the entry has served its time. */
  #settle(name: string, entry: Entry, now: number): readonly Step[] {
    const steps = entry.owed ? this.#announce(name, entry, now) : [];
    if (steps.length > 0) entry.owed = false;
    const mayAnnounce = entry.announcedAt + this.#timing.defendMs;
    entry.due = entry.owed ? mayAnnounce : Math.max(mayAnnounce, entry.rememberedUntil);
    if (!entry.owed && entry.due <= now) this.#entries.delete(name);
    return steps;
  }
}
