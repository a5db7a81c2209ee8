import { endianness } from 'node:os';
import koffi from 'koffi';
import { LinuxError } from './errors.ts';
import type { Batch, SocketSpec, Sockets, Waker, Watcher } from './sockets.ts';

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
/** `struct mmsghdr`: name, its length, vectors, their number, control, its length, flags; the bytes sent; padding. */
const MMSGHDR = 64;
/** `struct iovec`: where, how much. */
const IOVEC = 16;

/** Calls of the C library that Node is linked with; -1 means failure with errno set. */
interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, into: Uint8Array, length: Uint8Array): number;
  recv(fd: number, into: Uint8Array, length: number, flags: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  sendmmsg(fd: number, heads: Uint8Array, count: number, flags: number): number;
  close(fd: number): number;
}

const { EAGAIN = 11, EINTR = 4, ENOBUFS = 105 } = koffi.os.errno;
/** Names of equal numbers (EAGAIN, EWOULDBLOCK): the shortest, which is the usual one. */
const errnoNames = new Map(
  Object.entries(koffi.os.errno)
    .sort(([a], [b]) => b.length - a.length)
    .map(([name, value]) => [value, name]),
);

/** `errno` must be read by the very next call after the one that failed. */
function failure(call: string, errno = koffi.errno()): LinuxError {
  return new LinuxError('LINUX-001', call, errnoNames.get(errno) ?? `errno ${errno}`);
}

function loadCalls(): Calls {
  if (process.platform !== 'linux' || endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) {
    throw new LinuxError('LINUX-002', `no socket layouts for ${process.platform} ${process.arch}`);
  }
  // null: symbols of the running program, hence glibc or musl, whichever it has.
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    bind: library.func('int bind(int fd, const void *address, unsigned int length)'),
    setsockopt: library.func(
      'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
    ),
    getsockopt: library.func('int getsockopt(int fd, int level, int name, void *into, void *length)'),
    recv: library.func('long recv(int fd, void *into, unsigned long length, int flags)'),
    send: library.func('long send(int fd, const void *bytes, unsigned long length, int flags)'),
    sendmmsg: library.func('int sendmmsg(int fd, void *heads, unsigned int count, int flags)'),
    close: library.func('int close(int fd)'),
  };
}

/**
 * The door made with koffi. koffi belongs on the main thread only, its PollHandle goes deaf when collected, and
 * an exception that leaves its callback stops it for good; all three are taken care of here.
 *
 * Callbacks run outside Node's callback scope: promises and ticks that they settle wait for the next ordinary
 * event. Whoever needs them sooner uses setImmediate.
 */
export function libcSockets(): Sockets {
  const calls = loadCalls();
  return {
    open: (spec) => open(calls, spec),
    option(fd, { level, name, value }) {
      if (calls.setsockopt(fd, level, name, value, value.length) < 0) throw failure('setsockopt');
    },
    readOption(fd, { level, name, length }) {
      const value = new Uint8Array(length);
      if (calls.getsockopt(fd, level, name, value, int32(length)) < 0) throw failure('getsockopt');
      return value;
    },
    watch,
    receive(fd, into) {
      const length = calls.recv(fd, into, into.length, MSG_DONTWAIT);
      if (length >= 0) return length;
      // No error object for the ordinary case: each wake ends with it.
      const errno = koffi.errno();
      if (errno === EAGAIN || errno === EINTR) return -1;
      throw failure('recv', errno);
    },
    send(fd, bytes) {
      if (calls.send(fd, bytes, bytes.length, MSG_DONTWAIT) >= 0) return true;
      const errno = koffi.errno();
      if (errno === EAGAIN || errno === EINTR || errno === ENOBUFS) return false;
      throw failure('send', errno);
    },
    batch: (fd, room) => batch(calls, fd, room),
    close(fd) {
      calls.close(fd);
    },
  };
}

/** The heads point at the vectors and these at the bytes, once and for all: buffers of their own never move. */
function batch(
  calls: Calls,
  fd: number,
  { most, size }: { readonly most: number; readonly size: number },
): Batch {
  const bytes = new Uint8Array(new ArrayBuffer(most * size));
  const vectors = new DataView(new ArrayBuffer(most * IOVEC));
  const heads = new Uint8Array(new ArrayBuffer(most * MMSGHDR));
  const view = new DataView(heads.buffer);
  for (let i = 0; i < most; i++) {
    vectors.setBigUint64(i * IOVEC, koffi.address(bytes) + BigInt(i * size), true);
    view.setBigUint64(i * MMSGHDR + 16, koffi.address(vectors.buffer) + BigInt(i * IOVEC), true);
    view.setUint32(i * MMSGHDR + 24, 1, true);
  }
  let count = 0;
  return {
    add(message) {
      if (count >= most || message.length > size) throw new RangeError('no room for the message');
      bytes.set(message, count * size);
      vectors.setUint32(count * IOVEC + 8, message.length, true);
      count++;
    },
    send() {
      const added = count;
      count = 0;
      if (added === 0) return 0;
      return Math.max(0, calls.sendmmsg(fd, heads, added, MSG_DONTWAIT));
    },
  };
}

function open(calls: Calls, spec: SocketSpec): number {
  const fd = calls.socket(spec.domain, spec.type | SOCK_NONBLOCK | SOCK_CLOEXEC, spec.protocol);
  if (fd < 0) throw failure('socket');
  try {
    if (spec.receiveBuffer !== undefined) {
      const size = int32(spec.receiveBuffer);
      calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, size.length);
    }
    if (spec.filter !== undefined) attach(calls, fd, spec.filter);
    if (spec.bind !== undefined && calls.bind(fd, spec.bind, spec.bind.length) < 0) throw failure('bind');
  } catch (error) {
    calls.close(fd);
    throw error;
  }
  return fd;
}

/** `struct sock_fprog` is a count and a pointer, which is good only while `filter` is alive: until the call returns. */
function attach(calls: Calls, fd: number, filter: Uint8Array): void {
  const program = new Uint8Array(16);
  const view = new DataView(program.buffer);
  view.setUint16(0, filter.length / 8, true);
  view.setBigUint64(8, koffi.address(filter), true);
  if (calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length) < 0) {
    throw failure('setsockopt SO_ATTACH_FILTER');
  }
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** Handles that must stay reachable for as long as they are open. */
const awake = new Set<ReturnType<typeof koffi.node.poll>>();

/** koffi types the callback as (events); in truth the status of libuv comes first, negative for an error. */
type PollCallback = (status: number | object) => void;

function watch(fd: number, waker: Waker): Watcher {
  let closed = false;
  const callback: PollCallback = (status) => {
    if (closed) return;
    try {
      if (typeof status === 'number' && status < 0) {
        // libuv has already stopped the handle: it saw POLLERR, for instance since the link went down.
        throw new LinuxError('LINUX-001', 'poll', errnoNames.get(-status) ?? `errno ${-status}`);
      }
      waker.onReadable();
    } catch (error) {
      report(waker, error);
    }
  };
  const handle = koffi.node.poll(fd, { readable: true }, callback);
  awake.add(handle);
  return {
    close() {
      if (closed) return;
      closed = true;
      awake.delete(handle);
      handle.close();
    },
  };
}

/** Nothing may escape from here, whatever the waker does. */
function report(waker: Waker, error: unknown): void {
  try {
    waker.onBroken(error instanceof Error ? error : new Error(String(error)));
  } catch {
    // The waker failed to take its own failure; its socket stays as it is.
  }
}
