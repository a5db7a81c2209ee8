import type { Clock } from '../obs/clock.ts';
import { LinuxError } from './errors.ts';
import { dumpLinks, LINK_GROUP, type Link, netlinkAddress, readLinks } from './netlink.ts';
import { AF_NETLINK, SOCK_RAW, type Sockets } from './sockets.ts';

const NETLINK_ROUTE = 0;
/** Part of a dump: the kernel fills up to 32 KiB per read. */
const DATAGRAM = 65_536;
const RECEIVE_BUFFER = 1 << 20;
/** Asked for all links again although nothing was heard: a missed notification heals itself. */
const RESCAN_MS = 60_000;
/** Pause before the socket is opened again after an error, and before an interrupted dump is repeated. */
const REOPEN_MS = 1_000;
const REDUMP_MS = 50;

export interface LinkWatchOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  /** After each difference, with the whole set; the first call brings the first complete set. */
  readonly onChange: (links: ReadonlyMap<number, Link>) => void;
  /** The socket failed and is opened again; the last set stays. */
  readonly onTrouble: (error: Error) => void;
}

/** The machine's interfaces by index, kept up to date by the kernel's own notifications. */
export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #buffer = new Uint8Array(DATAGRAM);
  #links = new Map<number, Link>();
  /** The set that a dump under way is building; notifications meanwhile go into both. */
  #listing: Map<number, Link> | undefined;
  #sequence = 0;
  #listed = false;
  #socket: { fd: number; watcher: { close(): void } } | undefined;
  #timer: { cancel(): void } | undefined;
  #announced: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#open();
  }

  /** Empty until the first dump is complete. */
  get links(): ReadonlyMap<number, Link> {
    return this.#links;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#announced) clearImmediate(this.#announced);
    this.#release();
  }

  #open(): void {
    const { sockets } = this.#options;
    try {
      const fd = sockets.open({
        domain: AF_NETLINK,
        type: SOCK_RAW,
        protocol: NETLINK_ROUTE,
        receiveBuffer: RECEIVE_BUFFER,
        bind: netlinkAddress(LINK_GROUP),
      });
      const watcher = sockets.watch(fd, {
        onReadable: () => this.#read(),
        onBroken: (error) => this.#broken(error),
      });
      this.#socket = { fd, watcher };
      this.#dump();
    } catch (error) {
      this.#broken(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #release(): void {
    if (!this.#socket) return;
    this.#socket.watcher.close();
    this.#options.sockets.close(this.#socket.fd);
    this.#socket = undefined;
  }

  #broken(error: Error): void {
    this.#release();
    if (this.#closed) return;
    this.#again(REOPEN_MS, () => this.#open());
    this.#options.onTrouble(error);
  }

  #again(ms: number, run: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(ms, run);
  }

  #dump(): void {
    if (!this.#socket) return;
    this.#listing = new Map();
    // Never 0, which marks notifications.
    this.#sequence = (this.#sequence % 0x7fffffff) + 1;
    try {
      this.#options.sockets.send(this.#socket.fd, dumpLinks(this.#sequence));
      this.#again(RESCAN_MS, () => this.#dump());
    } catch (error) {
      this.#broken(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #read(): void {
    while (this.#socket) {
      let length: number;
      try {
        length = this.#options.sockets.receive(this.#socket.fd, this.#buffer);
      } catch (error) {
        // The kernel had more to say than the buffer held: what was missed is asked for again.
        if (error instanceof LinuxError && error.errno === 'ENOBUFS') {
          this.#dump();
          continue;
        }
        throw error;
      }
      if (length < 0) return;
      for (const message of readLinks(this.#buffer.subarray(0, length))) this.#take(message);
    }
  }

  /** All come through one queue, so that the later one is the newer one, whether asked for or not. */
  #take(message: ReturnType<typeof readLinks>[number]): void {
    if (message.type === 'link') {
      this.#listing?.set(message.link.index, message.link);
      if (this.#listed) this.#set(message.link);
    } else if (message.type === 'gone') {
      this.#listing?.delete(message.index);
      if (this.#links.delete(message.index)) this.#tell();
    } else if (message.sequence !== this.#sequence) {
      // The end of a dump that was given up.
    } else if (message.type === 'done') {
      this.#complete();
    } else {
      // Interrupted, or refused for the moment.
      this.#again(REDUMP_MS, () => this.#dump());
    }
  }

  #set(link: Link): void {
    const before = this.#links.get(link.index);
    if (before && sameLink(before, link)) return;
    this.#links.set(link.index, link);
    this.#tell();
  }

  #complete(): void {
    const listing = this.#listing;
    if (!listing) return;
    this.#listing = undefined;
    const same =
      listing.size === this.#links.size &&
      [...listing.values()].every((link) => {
        const before = this.#links.get(link.index);
        return before !== undefined && sameLink(before, link);
      });
    this.#links = listing;
    if (!same || !this.#listed) this.#tell();
    this.#listed = true;
  }

  /** Once per turn of the loop, and from inside Node's callback scope (see `libc.ts`). */
  #tell(): void {
    this.#announced ??= setImmediate(() => {
      this.#announced = undefined;
      if (!this.#closed) this.#options.onChange(this.#links);
    });
  }
}

/** Whether nothing differs that anybody here looks at. */
export function sameLink(a: Link, b: Link): boolean {
  return (
    a.index === b.index &&
    a.name === b.name &&
    a.up === b.up &&
    a.carrier === b.carrier &&
    a.broadcast === b.broadcast &&
    a.loopback === b.loopback &&
    a.noArp === b.noArp &&
    a.master === b.master &&
    a.kind === b.kind &&
    a.mac.length === b.mac.length &&
    a.mac.every((byte, i) => byte === b.mac[i])
  );
}
