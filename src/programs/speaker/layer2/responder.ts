import type { Address } from '../../../domain/ip/address.ts';
import type { Mac } from '../../../domain/ip/mac.ts';
import { LinuxError } from '../../../platform/linux/errors.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import type { PacketSocket } from '../../../platform/linux/packet.ts';
import type { Sockets } from '../../../platform/linux/sockets.ts';
import type { Clock } from '../../../platform/obs/clock.ts';
import {
  type Announced,
  type Announcement,
  type Face,
  reaches,
} from '../../../protocols/layer2/announced.ts';
import type { Other, Whose } from '../../../protocols/layer2/other.ts';
import { GroupMembership } from './groups.ts';
import type { Claimant, Drop, Protocol } from './protocols.ts';

/**
 * Frames are read for so long before everything else on the loop has its turn: as long as others take for theirs. Less, and they
 * would wait behind each other whenever there is much to do, as at a start or when a thousand addresses are taken over.
 */
const TURN_MS = 5;

/** Somebody else's claim to an address of ours. */
export interface OtherClaim extends Other {
  /** The frame was for this host alone: it answers a question of ours, and is no news for everybody. */
  readonly direct: boolean;
}

/** What a responder has seen since the last reading; plain numbers, since labels would cost more than the answer. */
export interface ResponderCounts {
  readonly drops: Map<Drop, number>;
  sendErrors: number;
  groupFailures: number;
}

export interface ResponderOptions {
  readonly protocol: Protocol;
  readonly sockets: Sockets;
  readonly link: Link;
  readonly announced: Announced;
  readonly clock: Clock;
  /** Whether any interface of this machine has the MAC. */
  readonly isOwn: (mac: Mac) => boolean;
  /** Somebody else claims an address of ours, once per frame that says so. */
  readonly onOther: (other: OtherClaim, face: Face) => void;
  /** Whether anybody waits for `onClaimed`. */
  readonly listening: () => boolean;
  /** Some host, not this machine, says that an address is its own. */
  readonly onClaimed: (claimant: Claimant, face: Face) => void;
  /** A frame could not be sent; or one could, after others that could not. */
  readonly onSent: (well: boolean, face: Face) => void;
  /** After each turn of reading frames: how long it took, milliseconds, and whether some are left for the next one. */
  readonly onDrained: (ms: number, behind: boolean) => void;
  /** A multicast group could not be joined; with the reason, when there is one. */
  readonly onGroupTrouble: (error: Error | undefined) => void;
  /** The socket is closed by then. */
  readonly onBroken: (error: Error) => void;
}

/** Answers for the addresses of one family on one interface for as long as it is open. */
export class Responder {
  readonly protocol: Protocol;
  readonly index: number;
  readonly counts: ResponderCounts = { drops: new Map(), sendErrors: 0, groupFailures: 0 };
  /** Where it answers, and for what. */
  #at: Whose;
  readonly #socket: PacketSocket;
  /** Only IPv6 asks at groups. */
  readonly #groups: GroupMembership | undefined;
  readonly #reply: Uint8Array;
  /** Whose addresses the answers of this go are about, in their order. */
  readonly #asked: (Announcement | undefined)[] = [];
  /** One for all frames: objects made for each would keep the collector busy. */
  readonly #request: { frame: Uint8Array; length: number } = { frame: new Uint8Array(), length: 0 };
  readonly #o: Pick<ResponderOptions, 'isOwn' | 'onOther' | 'listening' | 'onClaimed' | 'onSent'>;
  /** The last frame could not be sent. */
  #failing = false;

  /** Throws LinuxError when the socket cannot be had. */
  constructor(o: ResponderOptions) {
    this.#o = o;
    this.protocol = o.protocol;
    this.#reply = o.protocol.replyBuffer();
    this.index = o.link.index;
    const { announced, isOwn } = o;
    this.#at = { face: { name: o.link.name, mac: o.link.mac }, announced, isOwn };
    let began = 0;
    let busy = false;
    this.#socket = o.protocol.open({
      sockets: o.sockets,
      index: o.link.index,
      onFrame: (frame, length) => {
        if (!busy) began = o.clock.now();
        busy = true;
        this.#request.frame = frame;
        this.#request.length = length;
        this.#lookForOthers();
        this.#answer();
      },
      onDrained: (_, left, more) => {
        this.#countAnswers(left);
        if (!busy) return false;
        const ms = o.clock.now() - began;
        if (more && ms < TURN_MS) return true;
        o.onDrained(ms, more);
        busy = false;
        return false;
      },
      onBroken: o.onBroken,
    });
    if (o.protocol.family === 'IPv6') this.#groups = this.#join(o);
    for (const announcement of o.announced.all()) this.cover(announcement);
  }

  /** Name and MAC, which may change while the interface stays the same (`rename`). */
  get face(): Face {
    return this.#at.face;
  }

  /** The address is ours, perhaps on other interfaces than before: sees to it that questions about it arrive. */
  cover(announcement: Announcement): void {
    if (announcement.address.family !== this.protocol.family) return;
    this.#groups?.set(announcement, reaches(announcement.interfaces, this.face.name));
  }

  /** The address is no longer ours. */
  uncover(announcement: Announcement): void {
    if (announcement.address.family === this.protocol.family) this.#groups?.set(announcement, false);
  }

  /** The interface has another name or MAC. */
  rename(face: Face): void {
    this.#at = { ...this.#at, face };
    for (const announcement of this.#at.announced.all()) this.cover(announcement);
  }

  /** Tells the neighbours where an address lives, if it is announced on this interface. */
  tell(announcement: Announcement): void {
    if (announcement.address.family !== this.protocol.family) return;
    if (!reaches(announcement.interfaces, this.face.name)) return;
    for (const frame of this.protocol.unasked(announcement, this.face.mac)) {
      if (this.#send(frame)) announcement.counts.gratuitous++;
    }
  }

  /** Asks everybody on the link who has an address of this family. */
  ask(address: Address): void {
    if (address.family === this.protocol.family) this.#send(this.protocol.probe(address, this.face.mac));
  }

  /** Frames that were lost since the last call, as they came faster than they were read. */
  lost(): number {
    return this.#socket.lost();
  }

  close(): void {
    // Silent first.
    this.#socket.close();
    this.#groups?.close();
  }

  #join({ sockets, clock, onGroupTrouble }: ResponderOptions): GroupMembership {
    return new GroupMembership({
      sockets,
      clock,
      index: this.index,
      onTrouble: (error) => {
        this.counts.groupFailures++;
        onGroupTrouble(error);
      },
    });
  }

  #lookForOthers(): void {
    const other = this.protocol.otherOwner(this.#request, this.#at);
    // The first bit of a MAC marks groups.
    const direct = ((this.#request.frame[0] ?? 1) & 1) === 0;
    if (other) this.#o.onOther({ ...other, direct }, this.face);
    if (!this.#o.listening()) return;
    const claimant = this.protocol.claimant(this.#request);
    if (claimant && !this.#o.isOwn(claimant.mac)) this.#o.onClaimed(claimant, this.face);
  }

  #answer(): void {
    const verdict = this.protocol.respond(this.#request, this.#at, this.#reply);
    if (verdict !== 'reply') {
      this.counts.drops.set(verdict, (this.counts.drops.get(verdict) ?? 0) + 1);
      return;
    }
    this.#socket.answer(this.#reply);
    this.#asked.push(this.protocol.target(this.#request.frame, this.#at.announced));
  }

  /** Of the answers of one go, the first `left` left. */
  #countAnswers(left: number): void {
    const unsent = this.#asked.length - left;
    for (const announcement of this.#asked.splice(0, left)) if (announcement) announcement.counts.replies++;
    if (this.#asked.length > 0 && (this.#failing || left === 0)) this.#sent(left > 0);
    this.#asked.length = 0;
    this.counts.sendErrors += unsent;
    if (unsent > 0) this.#sent(false);
    else if (left > 0 && this.#failing) this.#sent(true);
  }

  /** A frame that cannot be sent is lost; whoever asked will ask again. */
  #send(frame: Uint8Array): boolean {
    try {
      if (this.#socket.send(frame)) {
        if (this.#failing) this.#sent(true);
        return true;
      }
    } catch (error) {
      // Whether the interface is down or gone is told by netlink, not found out here.
      if (!(error instanceof LinuxError)) throw error;
    }
    this.counts.sendErrors++;
    this.#sent(false);
    return false;
  }

  #sent(well: boolean): void {
    this.#failing = !well;
    this.#o.onSent(well, this.face);
  }
}
