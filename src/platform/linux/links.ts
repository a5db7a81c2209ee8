import { addressFromBytes } from '../../domain/ip/address.ts';
import { block, formatRange } from '../../domain/ip/range.ts';
import type { Clock } from '../obs/clock.ts';
import { LinuxError } from './errors.ts';
import {
  ADDRESS_GROUPS,
  type BareLink,
  dumpAddresses,
  dumpLinks,
  LINK_GROUP,
  type Link,
  netlinkAddress,
  readLinks,
} from './netlink.ts';
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

/** What netlink has told: the links, and the addresses of each with the bits of their subnets. */
interface Told {
  readonly links: Map<number, BareLink>;
  readonly addresses: Map<number, Map<string, number>>;
}

/** The machine's interfaces by index, kept up to date by the kernel's own notifications. */
export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #buffer = new Uint8Array(DATAGRAM);
  #links = new Map<number, Link>();
  #told: Told = nothing();
  /** What a dump under way is building, links first; notifications meanwhile go into both. */
  #listing: (Told & { asked: 'links' | 'addresses' }) | undefined;
  #sequence = 0;
  #listed = false;
  #socket: { fd: number; watcher: { close(): void } } | undefined;
  #timer: { cancel(): void } | undefined;
  /** Something has been passed on. */
  #known = false;
  #looking: NodeJS.Immediate | undefined;
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
    if (this.#looking) clearImmediate(this.#looking);
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
        bind: netlinkAddress(LINK_GROUP | ADDRESS_GROUPS),
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
    this.#listing = { ...nothing(), asked: 'links' };
    this.#ask(dumpLinks);
  }

  #ask(request: (sequence: number) => Uint8Array): void {
    if (!this.#socket) return;
    // Never 0, which marks notifications.
    this.#sequence = (this.#sequence % 0x7fffffff) + 1;
    try {
      this.#options.sockets.send(this.#socket.fd, request(this.#sequence));
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
    if (message.type === 'link' || message.type === 'gone' || message.type === 'address') {
      if (this.#listing) note(this.#listing, message);
      note(this.#told, message);
      if (this.#listed) this.#look();
    } else if (message.sequence !== this.#sequence) {
      // The end of a dump that was given up.
    } else if (message.type === 'done' || this.#isWithoutAddresses(message)) {
      this.#proceed();
    } else {
      // Interrupted, or refused for the moment.
      this.#again(REDUMP_MS, () => this.#dump());
    }
  }

  /** A kernel may refuse to list addresses: then it has none that count. */
  #isWithoutAddresses({ type }: ReturnType<typeof readLinks>[number]): boolean {
    return type === 'error' && this.#listing?.asked === 'addresses';
  }

  #proceed(): void {
    const listing = this.#listing;
    if (!listing) return;
    if (listing.asked === 'links') {
      listing.asked = 'addresses';
      this.#ask(dumpAddresses);
      return;
    }
    this.#listing = undefined;
    this.#told = listing;
    this.#listed = true;
    this.#look();
  }

  /** Once per turn of the loop, and from inside Node's callback scope (see `libc.ts`). */
  #look(): void {
    this.#looking ??= setImmediate(() => {
      this.#looking = undefined;
      if (!this.#closed && this.#differs()) this.#options.onChange(this.#links);
    });
  }

  /** Puts together what was told. True when anything differs from before, and the first time. */
  #differs(): boolean {
    const { links, addresses } = this.#told;
    const before = this.#links;
    this.#links = new Map(
      [...links].map(([index, link]) => [index, { ...link, ...addressing(addresses.get(index)) }]),
    );
    const first = !this.#known;
    this.#known = true;
    const same =
      before.size === this.#links.size &&
      [...this.#links.values()].every((link) => {
        const known = before.get(link.index);
        return known !== undefined && sameLink(known, link);
      });
    return first || !same;
  }
}

function nothing(): Told {
  return { links: new Map(), addresses: new Map() };
}

function note(told: Told, message: ReturnType<typeof readLinks>[number]): void {
  if (message.type === 'link') told.links.set(message.link.index, message.link);
  if (message.type === 'gone') {
    told.links.delete(message.index);
    told.addresses.delete(message.index);
  }
  if (message.type !== 'address') return;
  const { index, address, prefix, gone } = message;
  const known = told.addresses.get(index) ?? new Map<string, number>();
  if (gone) known.delete(address);
  else known.set(address, prefix);
  told.addresses.set(index, known);
}

const IPV6_DIGITS = 32;
/** 169.254.0.0/16 and fe80::/10: every link may have these. */
const LINK_LOCAL = /^(a9fe....|fe[89ab].*)$/;

/** What the addresses of a link say about it. */
function addressing(addresses: ReadonlyMap<string, number> = new Map()): Pick<Link, 'ipv6' | 'nets'> {
  const texts = [...addresses.keys()];
  const nets = [...addresses].filter(([text, bits]) => !LINK_LOCAL.test(text) && bits < 4 * text.length);
  return {
    ipv6: texts.some(({ length }) => length === IPV6_DIGITS),
    ...(nets.length > 0 && { nets: [...new Set(nets.map(([text, bits]) => subnet(text, bits)))].sort() }),
  };
}

function subnet(address: string, bits: number): string {
  return formatRange(block(addressFromBytes(Buffer.from(address, 'hex')), bits));
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
    a.ipv6 === b.ipv6 &&
    a.nets?.join() === b.nets?.join() &&
    a.master === b.master &&
    a.kind === b.kind &&
    a.mac.length === b.mac.length &&
    a.mac.every((byte, i) => byte === b.mac[i])
  );
}
