import { addressMessage, type LinkSpec, linkMessage, message } from './netlink.rig.ts';
import type { Link } from './netlink.ts';
import { FakeSockets } from './sockets.rig.ts';
import { AF_NETLINK, AF_PACKET, type SocketSpec } from './sockets.ts';

const NLMSG_NOOP = 1;
const RTM_GETLINK = 18;
const RTM_DELLINK = 17;
const RTM_GETADDR = 22;
/** fe80::1 will do for each of them. */
const LINK_LOCAL = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ARP = 0x0806;

/** A machine with links that a test sets, each with an IPv6 address: answers netlink as the kernel does, and keeps the frames of packet sockets. */
export class FakeMachine extends FakeSockets {
  readonly #links = new Map<number, LinkSpec>();

  constructor(...links: LinkSpec[]) {
    super();
    for (const link of links) this.#links.set(link.index, link);
  }

  override send(fd: number, bytes: Uint8Array): boolean {
    const sent = super.send(fd, bytes);
    if (this.at(fd).spec.domain === AF_NETLINK) setImmediate(() => this.#answer(fd, bytes));
    return sent;
  }

  /** The link appears or changes, and whoever listens is told. */
  set(link: LinkSpec): void {
    this.#links.set(link.index, link);
    this.#notify(linkMessage(link));
    this.#notify(addressMessage({ index: link.index, address: LINK_LOCAL }));
  }

  remove(index: number): void {
    const link = this.#links.get(index);
    this.#links.delete(index);
    if (link) this.#notify(linkMessage({ ...link, type: RTM_DELLINK }));
  }

  /** Descriptor of the packet socket for an ethertype on a link; undefined when nobody listens there. */
  socketOn(index: number, ethertype = ARP): number | undefined {
    const found = this.all.findIndex(
      ({ open, spec }) =>
        open && spec.domain === AF_PACKET && linkIndex(spec) === index && ethertypeOf(spec) === ethertype,
    );
    return found < 0 ? undefined : found;
  }

  /** A frame comes in on a link; what is sent in answer. */
  receiveOn(index: number, frame: Uint8Array): readonly Uint8Array[] {
    const fd = this.socketOn(index, new DataView(frame.buffer, frame.byteOffset).getUint16(12));
    if (fd === undefined) return [];
    const { sent } = this.at(fd);
    const before = sent.length;
    this.wake(fd, frame);
    return sent.slice(before);
  }

  #answer(fd: number, request: Uint8Array): void {
    if (this.all[fd]?.open !== true) return;
    const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
    const sequence = view.getUint32(8, true);
    const type = view.getUint16(4, true);
    if (type === NLMSG_NOOP) this.wake(fd, message({ type: 2, sequence, body: [0, 0, 0, 0] }));
    const links = [...this.#links.values()];
    const parts = links.map((link) =>
      type === RTM_GETLINK
        ? linkMessage({ ...link, sequence })
        : addressMessage({ index: link.index, address: LINK_LOCAL, sequence }),
    );
    if (type === RTM_GETLINK || type === RTM_GETADDR)
      this.wake(fd, ...parts, message({ type: 3, sequence, body: [0, 0, 0, 0] }));
  }

  #notify(bytes: Uint8Array): void {
    for (const [fd, socket] of this.all.entries()) {
      if (socket.open && socket.spec.domain === AF_NETLINK) this.wake(fd, bytes);
    }
  }
}

function linkIndex({ bind }: SocketSpec): number {
  return bind ? new DataView(bind.buffer, bind.byteOffset).getInt32(4, true) : 0;
}

function ethertypeOf({ bind }: SocketSpec): number {
  return bind ? new DataView(bind.buffer, bind.byteOffset).getUint16(2) : 0;
}

/** An Ethernet interface of a test, up and plugged in, but for `change`. */
export const ethernet = (change: Partial<Link>): Link => ({
  index: 2,
  name: 'eth0',
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  up: true,
  carrier: true,
  broadcast: true,
  loopback: false,
  noArp: false,
  ipv6: true,
  ...change,
});
