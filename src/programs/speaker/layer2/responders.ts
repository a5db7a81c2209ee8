import type { Address } from '../../../domain/ip/address.ts';
import { formatMac } from '../../../domain/ip/mac.ts';
import { parseRange, rangeContains } from '../../../domain/ip/range.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import type { Sockets } from '../../../platform/linux/sockets.ts';
import { type Clock, type Timer, yieldToLoop } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import {
  type Announced,
  type Announcement,
  type Face,
  type Interfaces,
  reaches,
} from '../../../protocols/layer2/announced.ts';
import { LOG } from '../events.ts';
import type { SpeakerMetrics } from '../metrics.ts';
import { type Exclusion, selectable } from './interfaces.ts';
import { PROTOCOLS, type Protocol } from './protocols.ts';
import { Responder, type ResponderOptions } from './responder.ts';

export interface RespondersOptions
  extends Pick<ResponderOptions, 'onOther' | 'onSent' | 'onClaimed' | 'listening'> {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SpeakerMetrics;
  readonly excluded: Exclusion;
  readonly announced: Announced;
  /** The neighbours of some interface do not know where the addresses of this protocol are. */
  readonly onUntold: (protocol: Protocol) => void;
  /** There is something new to count. */
  readonly onCounts: () => void;
}

/** Pause before a socket that failed is opened again: first this, as links flap; doubled up to the bound while it fails. */
const REOPEN_MS = 50;
const REOPEN_MOST_MS = 5_000;
/** In a flood that is too much for us, nobody waits longer for the end of it. */
const CATCH_UP_MS = 1_000;

/** A responder per usable interface and family, opened and closed as interfaces come, go and change. */
export class Responders {
  readonly #o: RespondersOptions;
  /** By protocol and interface (`keyOf`). */
  readonly #all = new Map<string, Responder>();
  #links: ReadonlyMap<number, Link> = new Map();
  /** All MACs of this machine as text, whatever their interface is for. */
  #macs: ReadonlySet<string> = new Set();
  #excluded: Exclusion;
  #reopenMs = REOPEN_MS;
  #reopenTimer: Timer | undefined;
  /** Frames were left for the next turn of the loop. */
  #behind = false;
  /** The longest turn of reading since the last `flush`. */
  #longestMs = 0;
  #closed = false;

  constructor(o: RespondersOptions) {
    this.#o = o;
    this.#excluded = o.excluded;
  }

  /** Names that an advertisement may choose from. */
  get interfaceNames(): ReadonlySet<string> {
    return selectable(this.#links.values(), this.#excluded);
  }

  [Symbol.iterator](): IterableIterator<Responder> {
    return this.#all.values();
  }

  /** The machine's interfaces, whole. */
  setLinks(links: ReadonlyMap<number, Link>): void {
    const plugged = [...links.values()].some(
      ({ index, carrier }) => carrier && this.#links.get(index)?.carrier === false,
    );
    this.#links = new Map(links);
    this.#macs = new Set([...links.values()].map(({ mac }) => formatMac(mac)));
    this.#matchAll();
    // It may be plugged in elsewhere: switches have to learn where we are.
    if (plugged) for (const protocol of PROTOCOLS) this.#o.onUntold(protocol);
  }

  setExcluded(excluded: Exclusion): void {
    this.#excluded = excluded;
    this.#matchAll();
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

  /** Asks who has the address, on these interfaces as far as they are answered on. */
  ask(address: Address, interfaces: Interfaces): void {
    for (const responder of this.#all.values())
      if (reaches(interfaces, responder.face.name)) responder.ask(address);
  }

  /** Tells the neighbours where the address lives, wherever it is announced. */
  tell(announcement: Announcement): void {
    for (const responder of this.#all.values()) responder.tell(announcement);
  }

  /** Name of the interface with the MAC, if it is answered on. */
  interfaceOf(mac: string): string | undefined {
    const faces = [...this.#all.values()].map(({ face }) => face);
    return faces.find((face) => formatMac(face.mac) === mac)?.name;
  }

  /** Opens all sockets of an interface anew, and has the neighbours told of all that is ours there. */
  repair(name: string): void {
    for (const responder of this.#all.values())
      if (responder.face.name === name) this.#close(responder, 'repaired');
    this.#matchAll();
  }

  /** The interfaces on which the family of the address is answered for and whose subnets hold it. */
  facesIn(address: Address): readonly Face[] {
    return [...this.#all.values()]
      .filter(({ protocol, index }) => {
        const nets = protocol.family === address.family ? this.#links.get(index)?.nets : undefined;
        return nets?.some((net) => holds(net, address)) ?? false;
      })
      .map(({ face }) => face);
  }

  /** The counts become metrics and start again from zero. */
  flush(): void {
    for (const responder of this.#all.values()) this.#flush(responder);
    if (this.#longestMs > 0) this.#o.metrics.drainSeconds.observe({}, this.#longestMs / 1_000);
    this.#longestMs = 0;
  }

  /** Falls silent at once. */
  close(): void {
    this.#closed = true;
    this.#reopenTimer?.cancel();
    for (const responder of this.#all.values()) responder.close();
    this.#all.clear();
  }

  #matchAll(): void {
    if (this.#closed) return;
    for (const responder of this.#all.values()) {
      const link = this.#links.get(responder.index);
      if (!link || !responder.protocol.answersOn(link, this.#excluded)) this.#close(responder, 'not usable');
    }
    for (const link of this.#links.values()) for (const protocol of PROTOCOLS) this.#match(link, protocol);
    this.#countInterfaces();
  }

  #match(link: Link, protocol: Protocol): void {
    if (!protocol.answersOn(link, this.#excluded)) return;
    const responder = this.#all.get(keyOf(protocol, link));
    if (responder) this.#follow(responder, link);
    else this.#open(link, protocol);
  }

  #countInterfaces(): void {
    const indexes = new Set([...this.#all.values()].map(({ index }) => index));
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
    this.#o.log.info(fields, LOG.macChanged);
    this.#o.onUntold(protocol);
  }

  #open(link: Link, protocol: Protocol): void {
    const { log } = this.#o;
    const fields = { interface: link.name, protocol: protocol.name };
    let troubled = false;
    try {
      const responder = new Responder({
        ...this.#o,
        protocol,
        link,
        isOwn: (mac) => this.#macs.has(formatMac(mac)),
        onDrained: (ms, behind) => this.#drained(ms, behind),
        onGroupTrouble: (error) => {
          // Once: it is mostly the same with all of them.
          if (!troubled) log.warn({ ...fields, error }, LOG.groupsFailed);
          troubled = true;
          this.#o.onCounts();
        },
        onBroken: (error) => this.#broken(link, protocol, error),
      });
      this.#all.set(keyOf(protocol, link), responder);
      log.info({ ...fields, mac: formatMac(link.mac) }, LOG.responderOpened);
      this.#o.onUntold(protocol);
    } catch (error) {
      this.#broken(link, protocol, error);
    }
  }

  #broken(link: Link, protocol: Protocol, error: unknown): void {
    const { log, clock } = this.#o;
    log.warn({ interface: link.name, protocol: protocol.name, error }, LOG.responderFailed);
    const responder = this.#all.get(keyOf(protocol, link));
    if (responder) this.#close(responder, 'socket failed');
    // What fails at the same moment is opened again at the same moment.
    if (this.#closed || this.#reopenTimer) return;
    this.#reopenTimer = clock.after(this.#reopenMs, () => {
      this.#reopenTimer = undefined;
      this.#matchAll();
    });
    this.#reopenMs = Math.min(2 * this.#reopenMs, REOPEN_MOST_MS);
  }

  #close(responder: Responder, reason: string): void {
    this.#flush(responder);
    responder.close();
    this.#all.delete(keyOf(responder.protocol, responder));
    this.#countInterfaces();
    const fields = { interface: responder.face.name, protocol: responder.protocol.name };
    this.#o.log.info({ ...fields, reason }, LOG.responderClosed);
  }

  #drained(ms: number, behind: boolean): void {
    // A socket that hears something works.
    this.#reopenMs = REOPEN_MS;
    this.#behind ||= behind;
    if (ms > this.#longestMs) this.#longestMs = ms;
    this.#o.onCounts();
  }

  #flush(responder: Responder): void {
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
