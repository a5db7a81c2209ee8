/**
 * The door to sockets that Node itself cannot open. Everything else in this room is written against these eight
 * methods, so that another binding (a native add-on, node:ffi) replaces koffi by offering them.
 */
export interface Sockets {
  /** Opens a non-blocking, close-on-exec socket. Throws LinuxError. */
  open(spec: SocketSpec): number;
  /** Sets an option of an open socket, as setsockopt(2) takes it. Throws LinuxError. */
  option(fd: number, option: SocketOption): void;
  /** Reads an option, as getsockopt(2) gives it, of this many bytes. Throws LinuxError. */
  readOption(fd: number, option: Omit<SocketOption, 'value'> & { readonly length: number }): Uint8Array;
  /** Wakes on the event loop, level-triggered. The watcher must be closed before its descriptor. */
  watch(fd: number, waker: Waker): Watcher;
  /** Reads one message into `into`. Its length (cut to the buffer), or -1 when none is waiting. Throws LinuxError. */
  receive(fd: number, into: Uint8Array): number;
  /** Writes one message; false when the kernel's queue is full, and the message is lost. Throws LinuxError. */
  send(fd: number, bytes: Uint8Array): boolean;
  /** Makes room for messages that leave the socket together: at most `most`, each of at most `size` bytes. */
  batch(fd: number, room: { readonly most: number; readonly size: number }): Batch;
  close(fd: number): void;
}

/** Messages that leave with one system call, which costs a third less than one for each. */
export interface Batch {
  /** Takes a copy. Throws RangeError when there is no room for it. */
  add(message: Uint8Array): void;
  /** Sends all, in order, and is empty again. How many left: the others are lost, as the kernel's queue is full or the link down. */
  send(): number;
}

export interface SocketSpec {
  /** AF_*, SOCK_*, and the protocol as socket(2) takes them. */
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  /** Classic BPF instructions (`filter.ts`), attached before the socket is bound, hence before the first packet. */
  readonly filter?: Uint8Array;
  /** What to ask SO_RCVBUF for, bytes; the kernel gives at most net.core.rmem_max. */
  readonly receiveBuffer?: number;
  /** The raw sockaddr. */
  readonly bind?: Uint8Array;
}

export interface SocketOption {
  readonly level: number;
  readonly name: number;
  readonly value: Uint8Array;
}

/** Neither method may rely on promises being settled soon: see `libc.ts`. Errors thrown here end in `onBroken`. */
export interface Waker {
  onReadable(): void;
  /** The socket is in error and no further wake will come: close it, and open another one when that makes sense. */
  onBroken(error: Error): void;
}

export interface Watcher {
  close(): void;
}

export const AF_UNIX = 1;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
