import { LinuxError } from './errors.ts';
import type { Batch, SocketOption, SocketSpec, Sockets, Waker } from './sockets.ts';

/** One socket of the fake door: what waits to be read, and what was sent. */
export interface FakeSocket {
  readonly spec: SocketSpec;
  readonly inbox: (Uint8Array | Error)[];
  readonly sent: Uint8Array[];
  readonly options: SocketOption[];
  open: boolean;
  watching: Waker | undefined;
}

/** The door without a kernel; wakes come from `wake` and `fail`. */
export class FakeSockets implements Sockets {
  readonly all: FakeSocket[] = [];
  /** Makes the next `open` fail with this errno. */
  refuse: string | undefined;
  /** The errno with which `option` fails; undefined when it does not. */
  refuseOption: (option: SocketOption, socket: FakeSocket) => string | undefined = () => undefined;
  /** Whether the kernel's queue is full. */
  full = false;
  /** What `readOption` reads. */
  readonly state: number[] = [];

  open(spec: SocketSpec): number {
    if (this.refuse !== undefined) throw new LinuxError('LINUX-001', 'socket', this.refuse);
    this.all.push({ spec, inbox: [], sent: [], options: [], open: true, watching: undefined });
    return this.all.length - 1;
  }

  option(fd: number, option: SocketOption): void {
    const socket = this.at(fd);
    const errno = this.refuseOption(option, socket);
    if (errno !== undefined) throw new LinuxError('LINUX-001', 'setsockopt', errno);
    socket.options.push({ ...option, value: option.value.slice() });
  }

  readOption(fd: number, { length }: { readonly length: number }): Uint8Array {
    this.at(fd);
    return Uint8Array.from({ length }, (_, i) => this.state[i] ?? 0);
  }

  watch(fd: number, waker: Waker): { close(): void } {
    const socket = this.at(fd);
    socket.watching = waker;
    return {
      close: () => {
        if (!socket.open) throw new Error('the descriptor was closed before its watcher');
        socket.watching = undefined;
      },
    };
  }

  receive(fd: number, into: Uint8Array): number {
    const next = this.at(fd).inbox.shift();
    if (next === undefined) return -1;
    if (next instanceof Error) throw next;
    const part = next.subarray(0, into.length);
    into.set(part);
    return part.length;
  }

  send(fd: number, bytes: Uint8Array): boolean {
    if (this.full) return false;
    this.at(fd).sent.push(bytes.slice());
    return true;
  }

  batch(fd: number, { most, size }: { readonly most: number; readonly size: number }): Batch {
    let added: Uint8Array[] = [];
    return {
      add(message) {
        if (added.length >= most || message.length > size) throw new RangeError('no room for the message');
        added.push(message.slice());
      },
      send: () => {
        const all = added;
        added = [];
        return all.filter((message) => this.send(fd, message)).length;
      },
    };
  }

  close(fd: number): void {
    this.at(fd).open = false;
  }

  at(fd: number): FakeSocket {
    const socket = this.all[fd];
    if (!socket?.open) throw new LinuxError('LINUX-001', 'fake', 'EBADF');
    return socket;
  }

  get openCount(): number {
    return this.all.filter((s) => s.open).length;
  }

  /** Puts a message before a socket and wakes its watcher, as `libc.ts` does. */
  wake(fd: number, ...messages: (Uint8Array | Error)[]): void {
    const socket = this.at(fd);
    socket.inbox.push(...messages);
    try {
      socket.watching?.onReadable();
    } catch (error) {
      socket.watching?.onBroken(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
