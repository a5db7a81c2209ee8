import type { Clock } from '../obs/clock.ts';
import { LinuxError } from './errors.ts';
import { AF_NETLINK, SOCK_RAW, type Sockets } from './sockets.ts';

/** How long the loop may take to wake; a busy machine at start needs far less. */
const PATIENCE_MS = 2_000;

/** Header of a NLMSG_NOOP with the ACK flag: the kernel answers it with an empty NLMSG_ERROR. */
const noop = new Uint8Array([16, 0, 0, 0, 1, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0]);

/**
 * Proves that waiting on the event loop works here: sends the kernel a message that it acknowledges, and expects
 * a wake and the answer. koffi's poll is undocumented, and a speaker that never wakes would look healthy.
 * Rejects with LinuxError LINUX-003. Needs no capability.
 */
export function selfTest(sockets: Sockets, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const fd = sockets.open({
      domain: AF_NETLINK,
      type: SOCK_RAW,
      protocol: 0,
      bind: new Uint8Array([AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    });
    const end = (error?: Error): void => {
      timer.cancel();
      watcher.close();
      sockets.close(fd);
      // A wake runs outside Node's callback scope, where a settled promise would wait for some other event.
      setImmediate(() => (error ? reject(error) : resolve()));
    };
    const timer = clock.after(PATIENCE_MS, () =>
      end(new LinuxError('LINUX-003', 'a readable socket did not wake the event loop')),
    );
    const watcher = sockets.watch(fd, {
      onReadable: () => end(sockets.receive(fd, new Uint8Array(256)) > 0 ? undefined : deaf()),
      onBroken: (error) => end(error),
    });
    try {
      sockets.send(fd, noop);
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function deaf(): LinuxError {
  return new LinuxError('LINUX-003', 'the event loop woke for a socket with nothing to read');
}
