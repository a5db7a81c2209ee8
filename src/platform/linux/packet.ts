import { LinuxError } from './errors.ts';
import { arpFrames, encodeFilter, type Instruction, neighbourDiscovery, SNAP } from './filter.ts';
import { AF_PACKET, SOCK_RAW, type Sockets } from './sockets.ts';

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
/** The kernel cuts it to net.core.rmem_max, mostly 208 KiB, which holds some 250 small frames. */
const RECEIVE_BUFFER = 8 << 20;
/** Frames taken in one go, whose answers leave together. */
const DRAIN = 64;
/** The longest answer: a neighbour advertisement has 86 bytes. */
const ANSWER = 96;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;

/** A socket that hears one protocol on one interface and can send any frame there. */
export interface PacketSocket {
  /** False when the kernel's queue was full and the frame is lost. Throws LinuxError, for instance with a link that is down. */
  send(frame: Uint8Array): boolean;
  /** Within `onFrame`, at most once for each: the frame (at most 96 bytes) leaves with all other answers of this go. */
  answer(frame: Uint8Array): void;
  /** Frames that were lost since the last call, as they came faster than they were read. */
  lost(): number;
  close(): void;
}

export interface PacketSocketOptions {
  readonly sockets: Sockets;
  /** Index of the interface, as the kernel counts them. */
  readonly index: number;
  /** The frame is only good until the call returns: one buffer serves all. */
  readonly onFrame: (frame: Uint8Array, length: number) => void;
  /**
   * After each go at what has come in, with the number of frames that it brought, and of answers that left: the first ones. `more`:
   * there are further frames, it seems; returning true has them read at once, before everything else on the loop.
   */
  readonly onDrained?: (frames: number, left: number, more: boolean) => boolean;
  /** The socket is closed by then. */
  readonly onBroken: (error: Error) => void;
}

/** Opens a socket for ARP on an interface. Throws LinuxError; EPERM means CAP_NET_RAW is missing. */
export function openArpSocket(options: PacketSocketOptions): PacketSocket {
  return openPacketSocket(options, { ethertype: ETHERTYPE_ARP, filter: arpFrames });
}

/** The same for neighbour discovery. A raw ICMPv6 socket would not do: it never sees questions that are sent to one host. */
export function openNdpSocket(options: PacketSocketOptions): PacketSocket {
  return openPacketSocket(options, { ethertype: ETHERTYPE_IPV6, filter: neighbourDiscovery });
}

function openPacketSocket(
  options: PacketSocketOptions,
  { ethertype, filter }: { readonly ethertype: number; readonly filter: readonly Instruction[] },
): PacketSocket {
  const { sockets } = options;
  const fd = sockets.open({
    domain: AF_PACKET,
    type: SOCK_RAW,
    // No protocol before bind: the socket would hear every interface until then.
    protocol: 0,
    filter: encodeFilter(filter),
    receiveBuffer: RECEIVE_BUFFER,
    bind: linkAddress(options.index, ethertype),
  });
  const buffer = new Uint8Array(SNAP);
  const answers = sockets.batch(fd, { most: DRAIN, size: ANSWER });
  const state: { open: boolean; watcher?: { close(): void } } = { open: true };

  /** True when there is more, and it is wanted. */
  const drain = (): boolean => {
    let frames = 0;
    while (frames < DRAIN && state.open) {
      const length = sockets.receive(fd, buffer);
      if (length < 0) break;
      frames++;
      options.onFrame(buffer, length);
    }
    const left = state.open ? answers.send() : 0;
    const more = frames === DRAIN && state.open;
    return (options.onDrained?.(frames, left, more) ?? false) && more && state.open;
  };

  const close = (): void => {
    if (!state.open) return;
    state.open = false;
    state.watcher?.close();
    sockets.close(fd);
  };
  try {
    state.watcher = sockets.watch(fd, {
      onReadable() {
        while (drain());
      },
      onBroken(error) {
        close();
        options.onBroken(error);
      },
    });
  } catch (error) {
    close();
    throw error;
  }
  return {
    send(frame) {
      if (!state.open) throw new LinuxError('LINUX-001', 'send', 'EBADF');
      return sockets.send(fd, frame);
    },
    answer: (frame) => answers.add(frame),
    // `struct tpacket_stats`: received and lost; reading sets both back.
    lost() {
      const option = { level: SOL_PACKET, name: PACKET_STATISTICS, length: 8 };
      return state.open ? new DataView(sockets.readOption(fd, option).buffer).getUint32(4, true) : 0;
    },
    close,
  };
}

/** `struct sockaddr_ll`: family, protocol (big-endian), interface index; the rest is not read by bind. */
function linkAddress(index: number, ethertype: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ethertype, false);
  view.setInt32(4, index, true);
  return bytes;
}
