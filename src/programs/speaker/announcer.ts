import { type Address, formatAddress } from '../../domain/ip/address.ts';
import { formatMac, type Mac } from '../../domain/ip/mac.ts';
import { parseRange, rangeContains } from '../../domain/ip/range.ts';
import type { Link } from '../../platform/linux/netlink.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import { type Clock, type Timer, yieldToLoop } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import {
  Announced,
  type Announcement,
  type Face,
  type Interfaces,
  reaches,
} from '../../protocols/layer2/announced.ts';
import { Bursts, type Timing } from '../../protocols/layer2/gratuitous.ts';
import { LOG } from './events.ts';
import { type Exclusion, selectable } from './interfaces.ts';
import type { SpeakerMetrics } from './metrics.ts';
import { PROTOCOLS, type Protocol } from './protocols.ts';
import { Responder } from './responder.ts';

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
/** Pause before a socket that failed is opened again: first this, as links flap; doubled up to the bound while it fails. */
const REOPEN_MS = 50;
const REOPEN_MOST_MS = 5_000;
/** In a flood that is too much for us, nobody waits longer for the end of it. */
const CATCH_UP_MS = 1_000;

/** Owns the addresses that this node answers for, a responder per usable interface and family, and the telling of take-overs. */
export class Announcer {
  readonly #o: AnnouncerOptions;
  readonly #log: Log;
  readonly #announced = new Announced();
  /** By protocol and interface (`keyOf`). */
  readonly #responders = new Map<string, Responder>();
  readonly #bursts: Bursts;
  #links: ReadonlyMap<number, Link> = new Map();
  /** Addresses that another node is taking over while we still answer. */
  readonly #hushed = new Set<string>();
  /** When each address became ours. */
  readonly #takenAt = new Map<string, number>();
  /** Who waits to hear where an address is, by its text. */
  readonly #listeners = new Map<string, Set<(heard: OtherOwner) => void>>();
  /** All MACs of this machine as text, whatever their interface is for. */
  #macs: ReadonlySet<string> = new Set();
  #excluded: Exclusion;
  #burstTimer: Timer | undefined;
  #burstAt = 0;
  #reopenMs = REOPEN_MS;
  /** Frames were left for the next turn of the loop. */
  #behind = false;
  /** The longest turn of reading since the last flush. */
  #longestMs = 0;
  #flushTimer: Timer | undefined;
  #reopenTimer: Timer | undefined;
  #closed = false;

  constructor(o: AnnouncerOptions) {
    this.#o = o;
    this.#log = o.log.child({ op: 'announce' });
    this.#excluded = o.excluded;
    this.#bursts = new Bursts(o.timing);
  }

  /** Names that an advertisement may choose from. */
  get interfaceNames(): ReadonlySet<string> {
    return selectable(this.#links.values(), this.#excluded);
  }

  get size(): number {
    return this.#announced.size;
  }

  /** The machine's interfaces, whole. */
  setLinks(links: ReadonlyMap<number, Link>): void {
    const plugged = [...links.values()].filter(
      ({ index, carrier }) => carrier && this.#links.get(index)?.carrier === false,
    );
    this.#links = new Map(links);
    this.#macs = new Set([...links.values()].map(({ mac }) => formatMac(mac)));
    this.#matchResponders();
    // It may be plugged in elsewhere: switches have to learn where we are.
    if (plugged.length > 0) for (const protocol of PROTOCOLS) this.#tellAll(protocol);
  }

  setExcluded(excluded: Exclusion): void {
    this.#excluded = excluded;
    this.#matchResponders();
  }

  setTiming(timing: Timing): void {
    this.#bursts.timing = timing;
  }

  /** Resolves when the frames that have come in so far are read: while a process starts, they pile up. */
  async caughtUp(): Promise<void> {
    const until = this.#o.clock.now() + CATCH_UP_MS;
    do {
      this.#behind = false;
      // Frames are read between two steps of this kind; the first may come from the middle of a turn.
      await yieldToLoop();
      await yieldToLoop();
    } while (this.#behind && this.#o.clock.now() < until);
  }

  /** From now on the address is answered. The neighbours are told when it is new, or reaches further than before. */
  claim(address: Address, service: string, interfaces: Interfaces): void {
    const change = this.#announced.claim(address, service, interfaces);
    const announcement = this.#announced.get(address);
    if (!announcement || change === 'same') return;
    if (change === 'new') this.#takenAt.set(announcement.text, this.#o.clock.now());
    // Whoever is told may ask at once.
    for (const responder of this.#responders.values()) responder.cover(announcement);
    if (change !== 'narrowed') this.#tell([announcement]);
    this.#o.metrics.addresses.set({}, this.#announced.size);
  }

  /** The Service gives the address up; it falls silent when no other Service has it. */
  release(address: Address, service: string): void {
    const announcement = this.#announced.get(address);
    if (!announcement) return;
    const gone = this.#announced.release(address, service);
    for (const responder of this.#responders.values()) {
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
    for (const responder of this.#responders.values())
      if (reaches(interfaces, responder.face.name)) responder.ask(address);
  }

  /** Name of the interface with the MAC, if it is answered on. */
  interfaceOf(mac: string): string | undefined {
    const faces = [...this.#responders.values()].map(({ face }) => face);
    return faces.find((face) => formatMac(face.mac) === mac)?.name;
  }

  /** Opens all sockets of an interface anew, and tells the neighbours of all that is ours there. */
  repair(name: string): void {
    for (const responder of this.#responders.values())
      if (responder.face.name === name) this.#closeResponder(responder, 'repaired');
    this.#matchResponders();
  }

  /** The interfaces on which the family of the address is answered for and whose subnets hold it. */
  facesIn(address: Address): readonly Face[] {
    return [...this.#responders.values()]
      .filter(({ protocol, index }) => {
        const nets = protocol.family === address.family ? this.#links.get(index)?.nets : undefined;
        return nets?.some((net) => holds(net, address)) ?? false;
      })
      .map(({ face }) => face);
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
    for (const timer of [this.#burstTimer, this.#flushTimer, this.#reopenTimer]) timer?.cancel();
    for (const responder of this.#responders.values()) responder.close();
    this.#responders.clear();
  }

  #matchResponders(): void {
    if (this.#closed) return;
    for (const responder of this.#responders.values()) {
      const link = this.#links.get(responder.index);
      if (!link || !responder.protocol.answersOn(link, this.#excluded))
        this.#closeResponder(responder, 'not usable');
    }
    for (const link of this.#links.values()) for (const protocol of PROTOCOLS) this.#match(link, protocol);
    this.#countInterfaces();
  }

  #match(link: Link, protocol: Protocol): void {
    if (!protocol.answersOn(link, this.#excluded)) return;
    const responder = this.#responders.get(keyOf(protocol, link));
    if (responder) this.#follow(responder, link);
    else this.#openResponder(link, protocol);
  }

  #countInterfaces(): void {
    const indexes = new Set([...this.#responders.values()].map(({ index }) => index));
    this.#o.metrics.interfaces.set({}, indexes.size);
  }

  #follow(responder: Responder, link: Link): void {
    const { face, protocol } = responder;
    const sameMac = face.mac.every((byte, i) => byte === link.mac[i]);
    if (sameMac && face.name === link.name) return;
    responder.rename({ name: link.name, mac: link.mac });
    const fields = {
      interface: link.name,
      protocol: protocol.name,
      was: face.name,
      mac: formatMac(link.mac),
    };
    this.#log.info(fields, LOG.macChanged);
    this.#tellAll(protocol);
  }

  #openResponder(link: Link, protocol: Protocol): void {
    const fields = { interface: link.name, protocol: protocol.name };
    let troubled = false;
    try {
      const responder: Responder = new Responder({
        protocol,
        sockets: this.#o.sockets,
        link,
        announced: this.#announced,
        clock: this.#o.clock,
        isOwn: (mac) => this.#macs.has(formatMac(mac)),
        onOther: ({ announcement, mac, direct }, face) =>
          this.#o.onOther?.({ address: announcement.address, mac, interface: face.name, direct }),
        onSent: (well, face) => this.#o.onSent?.(face.name, well),
        listening: () => this.#listeners.size > 0,
        onClaimed: ({ address, mac }, face) => {
          const heard = { address, mac, interface: face.name };
          for (const listener of this.#listeners.get(formatAddress(address)) ?? []) listener(heard);
        },
        onDrained: (ms, behind) => this.#drained(ms, behind),
        onGroupTrouble: (error) => {
          // Once: it is mostly the same with all of them.
          if (!troubled) this.#log.warn({ ...fields, error }, LOG.groupsFailed);
          troubled = true;
          this.#flushSoon();
        },
        onBroken: (error) => this.#broken(link, protocol, error),
      });
      this.#responders.set(keyOf(protocol, link), responder);
      this.#log.info({ ...fields, mac: formatMac(link.mac) }, LOG.responderOpened);
      this.#tellAll(protocol);
    } catch (error) {
      this.#broken(link, protocol, error);
    }
  }

  #broken(link: Link, protocol: Protocol, error: unknown): void {
    this.#log.warn({ interface: link.name, protocol: protocol.name, error }, LOG.responderFailed);
    const responder = this.#responders.get(keyOf(protocol, link));
    if (responder) this.#closeResponder(responder, 'socket failed');
    // What fails at the same moment is opened again at the same moment.
    if (this.#closed || this.#reopenTimer) return;
    this.#reopenTimer = this.#o.clock.after(this.#reopenMs, () => {
      this.#reopenTimer = undefined;
      this.#matchResponders();
    });
    this.#reopenMs = Math.min(2 * this.#reopenMs, REOPEN_MOST_MS);
  }

  #closeResponder(responder: Responder, reason: string): void {
    this.#flushResponder(responder);
    responder.close();
    this.#responders.delete(keyOf(responder.protocol, responder));
    this.#countInterfaces();
    const fields = { interface: responder.face.name, protocol: responder.protocol.name };
    this.#log.info({ ...fields, reason }, LOG.responderClosed);
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
      for (const responder of this.#responders.values()) responder.tell(announcement);
    }
    this.#flushSoon();
    this.#schedule();
  }

  #drained(ms: number, behind: boolean): void {
    // A socket that hears something works.
    this.#reopenMs = REOPEN_MS;
    this.#behind ||= behind;
    if (ms > this.#longestMs) this.#longestMs = ms;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#closed) return;
    this.#flushTimer ??= this.#o.clock.after(FLUSH_MS, () => {
      this.#flushTimer = undefined;
      for (const announcement of this.#announced.all()) this.#flushOne(announcement);
      for (const responder of this.#responders.values()) this.#flushResponder(responder);
      if (this.#longestMs > 0) this.#o.metrics.drainSeconds.observe({}, this.#longestMs / 1_000);
      this.#longestMs = 0;
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

  #flushResponder(responder: Responder): void {
    const { protocol, face, counts } = responder;
    const { drops, sendErrors, overruns, groupFailures } = this.#o.metrics;
    for (const [reason, count] of counts.drops) {
      drops[protocol.name].inc({ interface: face.name, reason }, count);
    }
    counts.drops.clear();
    if (counts.sendErrors > 0) sendErrors.inc({ interface: face.name }, counts.sendErrors);
    const lost = responder.lost();
    if (lost > 0) overruns.inc({ interface: face.name }, lost);
    if (counts.groupFailures > 0) groupFailures.inc({ interface: face.name }, counts.groupFailures);
    counts.sendErrors = counts.groupFailures = 0;
  }
}

function holds(net: string, address: Address): boolean {
  const parsed = parseRange(net);
  return 'range' in parsed && rangeContains(parsed.range, address);
}

function keyOf({ name }: Protocol, { index }: { readonly index: number }): string {
  return `${name} ${index}`;
}
