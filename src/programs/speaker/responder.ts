import { LinuxError } from '../../platform/linux/errors.ts';
import type { Link } from '../../platform/linux/netlink.ts';
import { openArpSocket, type PacketSocket } from '../../platform/linux/packet.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import { gratuitous } from '../../protocols/arp/codec.ts';
import type { Drop } from '../../protocols/arp/events.ts';
import { countReply, replyBuffer, respond } from '../../protocols/arp/respond.ts';
import { type Announced, type Announcement, type Face, reaches } from '../../protocols/layer2/announced.ts';

/** What a responder has seen since the last reading; plain numbers, since labels would cost more than the answer. */
export interface ResponderCounts {
  readonly drops: Map<Drop, number>;
  sendErrors: number;
}

export interface ResponderOptions {
  readonly sockets: Sockets;
  readonly link: Link;
  readonly announced: Announced;
  readonly clock: Clock;
  /** After each wake: how long it took, milliseconds. */
  readonly onDrained: (ms: number) => void;
  /** The socket is closed by then. */
  readonly onBroken: (error: Error) => void;
}

/** Answers ARP on one interface for as long as it is open. */
export class Responder {
  readonly index: number;
  readonly counts: ResponderCounts = { drops: new Map(), sendErrors: 0 };
  /** Name and MAC may change while the interface stays the same. */
  face: Face;
  readonly #announced: Announced;
  readonly #socket: PacketSocket;
  readonly #reply = replyBuffer();

  /** Throws LinuxError when the socket cannot be had. */
  constructor(o: ResponderOptions) {
    this.index = o.link.index;
    this.face = { name: o.link.name, mac: o.link.mac };
    this.#announced = o.announced;
    let began = 0;
    let busy = false;
    this.#socket = openArpSocket({
      sockets: o.sockets,
      index: o.link.index,
      onFrame: (frame, length) => {
        if (!busy) began = o.clock.now();
        busy = true;
        this.#answer(frame, length);
      },
      onDrained: () => {
        if (busy) o.onDrained(o.clock.now() - began);
        busy = false;
      },
      onBroken: o.onBroken,
    });
  }

  /** Tells the neighbours where an address lives, if it is announced on this interface. */
  tell(announcement: Announcement): void {
    if (!reaches(announcement.interfaces, this.face.name)) return;
    if (announcement.address.family !== 'IPv4') return;
    for (const frame of gratuitous(Number(announcement.address.bits), this.face.mac)) {
      if (this.#send(frame)) announcement.counts.gratuitous++;
    }
  }

  close(): void {
    this.#socket.close();
  }

  #answer(frame: Uint8Array, length: number): void {
    const verdict = respond({ frame, length }, { face: this.face, announced: this.#announced }, this.#reply);
    if (verdict !== 'reply') {
      this.counts.drops.set(verdict, (this.counts.drops.get(verdict) ?? 0) + 1);
    } else if (this.#send(this.#reply)) {
      countReply(frame, this.#announced);
    }
  }

  /** A frame that cannot be sent is lost; whoever asked will ask again. */
  #send(frame: Uint8Array): boolean {
    try {
      if (this.#socket.send(frame)) return true;
    } catch (error) {
      // Whether the interface is down or gone is told by netlink, not found out here.
      if (!(error instanceof LinuxError)) throw error;
    }
    this.counts.sendErrors++;
    return false;
  }
}
