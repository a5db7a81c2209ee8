import type { Address } from '../../domain/ip/address.ts';
import { formatMac } from '../../domain/ip/mac.ts';
import type { Link } from '../../platform/linux/netlink.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import type { Clock, Timer } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import { Announced, type Announcement, type Interfaces } from '../../protocols/layer2/announced.ts';
import { Bursts, type Timing } from '../../protocols/layer2/gratuitous.ts';
import { LOG } from './events.ts';
import { answersArp, type Exclusion, selectable } from './interfaces.ts';
import type { SpeakerMetrics } from './metrics.ts';
import { Responder } from './responder.ts';

export interface AnnouncerOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SpeakerMetrics;
  readonly excluded: Exclusion;
  readonly timing: Timing;
}

/** Addresses told in one go; between two goes the loop answers requests. */
const BATCH = 64;
/** Counters become metrics at most this often: a label look-up per frame would cost more than the frame. */
const FLUSH_MS = 1_000;
/** Pause before a socket that failed is opened again: first this, as links flap; doubled up to the bound while it fails. */
const REOPEN_MS = 50;
const REOPEN_MOST_MS = 5_000;

/** Owns the addresses that this node answers for, a responder per usable interface, and the gratuitous ARP. */
export class Announcer {
  readonly #o: AnnouncerOptions;
  readonly #log: Log;
  readonly #announced = new Announced();
  readonly #responders = new Map<number, Responder>();
  readonly #bursts: Bursts;
  #links: ReadonlyMap<number, Link> = new Map();
  #excluded: Exclusion;
  #burstTimer: Timer | undefined;
  #burstAt = 0;
  #reopenMs = REOPEN_MS;
  /** The longest wake since the last flush. */
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
    this.#links = new Map(links);
    this.#matchResponders();
  }

  setExcluded(excluded: Exclusion): void {
    this.#excluded = excluded;
    this.#matchResponders();
  }

  setTiming(timing: Timing): void {
    this.#bursts.timing = timing;
  }

  /** From now on the address is answered. The neighbours are told when it is new, or reaches further than before. */
  claim(address: Address, service: string, interfaces: Interfaces): void {
    const change = this.#announced.claim(address, service, interfaces);
    if (change === 'new' || change === 'widened') this.#tell(this.#announced.get(address));
    this.#o.metrics.addresses.set({}, this.#announced.size);
  }

  /** The Service gives the address up; it falls silent when no other Service has it. */
  release(address: Address, service: string): void {
    const announcement = this.#announced.get(address);
    if (!announcement || !this.#announced.release(address, service)) return;
    this.#bursts.stop(announcement.text);
    this.#flushOne(announcement);
    const { requests, replies, gratuitous } = this.#o.metrics;
    for (const counter of [requests, replies, gratuitous]) counter.remove({ ip: announcement.text });
    this.#o.metrics.addresses.set({}, this.#announced.size);
  }

  /** Still answering, but no longer claiming: for the time between another node's take-over and our release. */
  hush(address: Address): void {
    const announcement = this.#announced.get(address);
    if (announcement) this.#bursts.stop(announcement.text);
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
      if (!link || !answersArp(link, this.#excluded)) this.#closeResponder(responder, 'not usable');
    }
    for (const link of this.#links.values()) {
      if (!answersArp(link, this.#excluded)) continue;
      const responder = this.#responders.get(link.index);
      if (responder) this.#follow(responder, link);
      else this.#openResponder(link);
    }
    this.#o.metrics.interfaces.set({}, this.#responders.size);
  }

  #follow(responder: Responder, link: Link): void {
    const { face } = responder;
    const sameMac = face.mac.every((byte, i) => byte === link.mac[i]);
    if (sameMac && face.name === link.name) return;
    responder.face = { name: link.name, mac: link.mac };
    this.#log.info({ interface: link.name, was: face.name, mac: formatMac(link.mac) }, LOG.macChanged);
    this.#tellAll();
  }

  #openResponder(link: Link): void {
    try {
      const responder: Responder = new Responder({
        sockets: this.#o.sockets,
        link,
        announced: this.#announced,
        clock: this.#o.clock,
        onDrained: (ms) => this.#drained(ms),
        onBroken: (error) => this.#broken(link, error),
      });
      this.#responders.set(link.index, responder);
      this.#log.info({ interface: link.name, mac: formatMac(link.mac) }, LOG.responderOpened);
      this.#tellAll();
    } catch (error) {
      this.#broken(link, error);
    }
  }

  #broken(link: Link, error: unknown): void {
    this.#log.warn({ interface: link.name, error }, LOG.responderFailed);
    const responder = this.#responders.get(link.index);
    if (responder) this.#closeResponder(responder, 'socket failed');
    if (this.#closed) return;
    this.#reopenTimer?.cancel();
    this.#reopenTimer = this.#o.clock.after(this.#reopenMs, () => this.#matchResponders());
    this.#reopenMs = Math.min(2 * this.#reopenMs, REOPEN_MOST_MS);
  }

  #closeResponder(responder: Responder, reason: string): void {
    this.#flushResponder(responder);
    responder.close();
    this.#responders.delete(responder.index);
    this.#o.metrics.interfaces.set({}, this.#responders.size);
    this.#log.info({ interface: responder.face.name, reason }, LOG.responderClosed);
  }

  #tellAll(): void {
    for (const announcement of this.#announced.all())
      this.#bursts.start(announcement.text, this.#o.clock.now());
    this.#schedule();
  }

  #tell(announcement: Announcement | undefined): void {
    if (!announcement) return;
    this.#bursts.start(announcement.text, this.#o.clock.now());
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
      if (!announcement) continue;
      for (const responder of this.#responders.values()) responder.tell(announcement);
    }
    this.#flushSoon();
    this.#schedule();
  }

  #drained(ms: number): void {
    // A socket that hears something works.
    this.#reopenMs = REOPEN_MS;
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

  #flushResponder({ face, counts }: Responder): void {
    for (const [reason, count] of counts.drops) {
      this.#o.metrics.drops.inc({ interface: face.name, reason }, count);
    }
    counts.drops.clear();
    if (counts.sendErrors > 0) this.#o.metrics.sendErrors.inc({ interface: face.name }, counts.sendErrors);
    counts.sendErrors = 0;
  }
}
