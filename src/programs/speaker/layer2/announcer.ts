import { type Address, formatAddress } from '../../../domain/ip/address.ts';
import type { Mac } from '../../../domain/ip/mac.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import type { Sockets } from '../../../platform/linux/sockets.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import {
  Announced,
  type Announcement,
  type Face,
  type Interfaces,
} from '../../../protocols/layer2/announced.ts';
import { Bursts, type Timing } from '../../../protocols/layer2/gratuitous.ts';
import type { SpeakerMetrics } from '../metrics.ts';
import type { Exclusion } from './interfaces.ts';
import type { Protocol } from './protocols.ts';
import { Responders } from './responders.ts';

export interface AnnouncerOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SpeakerMetrics;
  readonly excluded: Exclusion;
  readonly timing: Timing;
  /** Called at once, for each frame that says so, from within the answering of frames. */
  readonly onOther?: (other: OtherClaim) => void;
  /** A frame could not be sent on an interface; or one could, after others that could not. */
  readonly onSent?: (name: string, well: boolean) => void;
}

/** Somebody else on the link claims an address. */
export interface OtherOwner {
  readonly address: Address;
  readonly mac: Mac;
  /** Name of the interface that told us. */
  readonly interface: string;
}

/** The same of an address that is ours. */
export interface OtherClaim extends OtherOwner {
  /** It was told to this host alone, which had asked for it. */
  readonly direct: boolean;
}

/** Addresses told in one go, within a millisecond; between two goes the loop answers requests. */
const BATCH = 32;
/** Counters become metrics at most this often: a label look-up per frame would cost more than the frame. */
const FLUSH_MS = 1_000;
/** So long after a take-over the owner before may still answer. */
const MOVING_MS = 1_000;
/** So long after the last take-over it is over: twice what it takes where a thousand addresses move between busy nodes. */
const SETTLED_MS = 200;
/** Nobody waits longer for that: other addresses may be on their way at any time. */
const SETTLED_MOST_MS = 2_000;

/** Owns the addresses that this node answers for, the responders that do so, and the telling of take-overs. */
export class Announcer {
  readonly #o: AnnouncerOptions;
  readonly #announced = new Announced();
  readonly #responders: Responders;
  readonly #bursts: Bursts;
  /** Addresses that another node is taking over while we still answer. */
  readonly #hushed = new Set<string>();
  /** When each address became ours. */
  readonly #takenAt = new Map<string, number>();
  /** When the last of them did. */
  #lastTaken = Number.NEGATIVE_INFINITY;
  /** Who waits to hear where an address is, by its text. */
  readonly #listeners = new Map<string, Set<(heard: OtherOwner) => void>>();
  #burstTimer: Timer | undefined;
  #burstAt = 0;
  #flushTimer: Timer | undefined;
  #closed = false;

  constructor(o: AnnouncerOptions) {
    this.#o = o;
    this.#bursts = new Bursts(o.timing);
    this.#responders = new Responders({
      ...o,
      log: o.log.child({ op: 'announce' }),
      announced: this.#announced,
      onOther: ({ announcement, mac, direct }, face) =>
        o.onOther?.({ address: announcement.address, mac, interface: face.name, direct }),
      onSent: (well, face) => o.onSent?.(face.name, well),
      listening: () => this.#listeners.size > 0,
      onClaimed: ({ address, mac }, face) => {
        const heard = { address, mac, interface: face.name };
        for (const listener of this.#listeners.get(formatAddress(address)) ?? []) listener(heard);
      },
      onUntold: (protocol) => this.#tellAll(protocol),
      onCounts: () => this.#flushSoon(),
    });
  }

  /** Names that an advertisement may choose from. */
  get interfaceNames(): ReadonlySet<string> {
    return this.#responders.interfaceNames;
  }

  get size(): number {
    return this.#announced.size;
  }

  /** The machine's interfaces, whole. */
  setLinks(links: ReadonlyMap<number, Link>): void {
    this.#responders.setLinks(links);
  }

  setExcluded(excluded: Exclusion): void {
    this.#responders.setExcluded(excluded);
  }

  setTiming(timing: Timing): void {
    this.#bursts.timing = timing;
  }

  /** Resolves when the frames that have come in so far are read: while a process starts, they pile up. */
  caughtUp(): Promise<void> {
    return this.#responders.caughtUp();
  }

  /** Resolves when take-overs are over, at once when there was none. Rejects when the signal aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    const { clock } = this.#o;
    const until = clock.now() + SETTLED_MOST_MS;
    const rest = () => Math.min(this.#lastTaken + SETTLED_MS, until) - clock.now();
    while (rest() > 0) await clock.sleep(rest(), signal);
  }

  /** From now on the address is answered. The neighbours are told when it is new, or reaches further than before. */
  claim(address: Address, service: string, interfaces: Interfaces): void {
    const change = this.#announced.claim(address, service, interfaces);
    const announcement = this.#announced.get(address);
    if (!announcement || change === 'same') return;
    if (change === 'new') {
      this.#lastTaken = this.#o.clock.now();
      this.#takenAt.set(announcement.text, this.#lastTaken);
    }
    // Whoever is told may ask at once.
    for (const responder of this.#responders) responder.cover(announcement);
    if (change !== 'narrowed') this.#tell([announcement]);
    this.#o.metrics.addresses.set({}, this.#announced.size);
  }

  /** The Service gives the address up; it falls silent when no other Service has it. */
  release(address: Address, service: string): void {
    const announcement = this.#announced.get(address);
    if (!announcement) return;
    const gone = this.#announced.release(address, service);
    for (const responder of this.#responders) {
      if (gone) responder.uncover(announcement);
      else responder.cover(announcement);
    }
    if (!gone) return;
    this.#hushed.delete(announcement.text);
    this.#takenAt.delete(announcement.text);
    this.#bursts.stop(announcement.text);
    this.#flushOne(announcement);
    const { requests, replies, gratuitous } = this.#o.metrics;
    for (const counter of [requests, replies, gratuitous]) counter.remove({ ip: announcement.text });
    this.#o.metrics.addresses.set({}, this.#announced.size);
  }

  /** Still answering, but no longer claiming: for the time between another node's take-over and our release. */
  hush(address: Address): void {
    const announcement = this.#announced.get(address);
    if (!announcement) return;
    this.#hushed.add(announcement.text);
    this.#bursts.stop(announcement.text);
  }

  /** Tells the neighbours anew of an address that is ours: another node has told them otherwise since. */
  insist(address: Address): void {
    this.insistOn(formatAddress(address));
  }

  /** The same by the text of the address. */
  insistOn(text: string): void {
    const announcement = this.#announced.byText(text);
    this.#hushed.delete(text);
    if (announcement) this.#tell([announcement]);
  }

  /** Tells the neighbours anew of all that is ours and stays so: another node may have told them otherwise. */
  remind(): void {
    const now = this.#o.clock.now();
    for (const { text, silent } of this.#announced.all())
      if (!silent && !this.#hushed.has(text)) this.#bursts.remind(text, now);
    this.#schedule();
  }

  /** Calls `listener` for each frame by which another machine claims the address, until the result is called. */
  listen(address: Address, listener: (heard: OtherOwner) => void): () => void {
    const text = formatAddress(address);
    const all = this.#listeners.get(text) ?? new Set();
    this.#listeners.set(text, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0 && this.#listeners.get(text) === all) this.#listeners.delete(text);
    };
  }

  /** Asks who has the address, on these interfaces as far as they are answered on. */
  ask(address: Address, interfaces: Interfaces): void {
    this.#responders.ask(address, interfaces);
  }

  /** Name of the interface with the MAC, if it is answered on. */
  interfaceOf(mac: string): string | undefined {
    return this.#responders.interfaceOf(mac);
  }

  /** Opens all sockets of an interface anew, and tells the neighbours of all that is ours there. */
  repair(name: string): void {
    this.#responders.repair(name);
  }

  /** The interfaces on which the family of the address is answered for and whose subnets hold it. */
  facesIn(address: Address): readonly Face[] {
    return this.#responders.facesIn(address);
  }

  /**
   * Until when, on the clock, a frame of another owner proves nothing: for as long as another node is taking over (`hush`), or
   * for a moment after we did. In the past when the address does not change hands.
   */
  movesUntil(text: string): number {
    if (this.#hushed.has(text)) return Number.POSITIVE_INFINITY;
    return (this.#takenAt.get(text) ?? Number.NEGATIVE_INFINITY) + MOVING_MS;
  }

  /** What is announced under the text of an address. */
  announcement(text: string): Announcement | undefined {
    return this.#announced.byText(text);
  }

  /** An address that is ours is answered for no more, or again; then the neighbours are told. */
  setSilent(text: string, silent: boolean): void {
    this.#announced.setSilent(text, silent);
    if (silent) this.#bursts.stop(text);
    else this.insistOn(text);
  }

  /** Falls silent at once. */
  close(): void {
    this.#closed = true;
    for (const timer of [this.#burstTimer, this.#flushTimer]) timer?.cancel();
    this.#responders.close();
  }

  #tellAll({ family }: Protocol): void {
    this.#tell([...this.#announced.all()].filter(({ address }) => address.family === family));
  }

  #tell(announcements: readonly Announcement[]): void {
    const now = this.#o.clock.now();
    for (const { text } of announcements) this.#bursts.start(text, now);
    this.#schedule();
  }

  /** A timer that comes early enough stays: ten thousand claims in a row need one. */
  #schedule(): void {
    const { next } = this.#bursts;
    if (next === undefined || this.#closed) return;
    if (this.#burstTimer && this.#burstAt <= next) return;
    this.#burstTimer?.cancel();
    this.#burstAt = next;
    this.#burstTimer = this.#o.clock.after(Math.max(0, next - this.#o.clock.now()), () => {
      this.#burstTimer = undefined;
      this.#burst();
    });
  }

  #burst(): void {
    for (const text of this.#bursts.take(this.#o.clock.now(), BATCH)) {
      const announcement = this.#announced.byText(text);
      if (!announcement || announcement.silent) continue;
      this.#responders.tell(announcement);
    }
    this.#flushSoon();
    this.#schedule();
  }

  #flushSoon(): void {
    if (this.#closed) return;
    this.#flushTimer ??= this.#o.clock.after(FLUSH_MS, () => {
      this.#flushTimer = undefined;
      for (const announcement of this.#announced.all()) this.#flushOne(announcement);
      this.#responders.flush();
    });
  }

  /** The counts become metrics and start again from zero. */
  #flushOne({ text: ip, counts }: Announcement): void {
    const { requests, replies, gratuitous } = this.#o.metrics;
    if (counts.requests > 0) requests.inc({ ip }, counts.requests);
    if (counts.replies > 0) replies.inc({ ip }, counts.replies);
    if (counts.gratuitous > 0) gratuitous.inc({ ip }, counts.gratuitous);
    counts.requests = counts.replies = counts.gratuitous = 0;
  }
}
