import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { systemClock } from '../obs/clock.ts';
import { libcSockets } from './libc.ts';
import { LinkWatch } from './links.ts';
import type { Link } from './netlink.ts';
import { selfTest } from './selftest.ts';
import { FakeSockets } from './sockets.rig.ts';
import { AF_NETLINK, AF_UNIX, SOCK_DGRAM, SOCK_RAW } from './sockets.ts';

describe.runIf(process.platform === 'linux')('the door made with koffi', () => {
  it('wakes the loop for a socket of the kernel', async () => {
    await expect(selfTest(libcSockets(), systemClock)).resolves.toBeUndefined();
  });

  it('lists the real interfaces, the loopback among them', async () => {
    const links = await new Promise<ReadonlyMap<number, Link>>((resolve, reject) => {
      const watch = new LinkWatch({
        sockets: libcSockets(),
        clock: systemClock,
        onChange: (all) => {
          watch.close();
          resolve(all);
        },
        onTrouble: reject,
      });
    });
    expect(links.get(1)).toMatchObject({ name: 'lo', loopback: true, broadcast: false });
  });

  it('names the errno of a call that failed', () => {
    const sockets = libcSockets();
    expect(() => sockets.open({ domain: 9999, type: 3, protocol: 0 })).toThrow('socket: EAFNOSUPPORT');
    expect(() => sockets.receive(-1, new Uint8Array(4))).toThrow('recv: EBADF');
    expect(() => sockets.send(-1, new Uint8Array(4))).toThrow('send: EBADF');
    const option = { level: 1, name: 2, value: new Uint8Array(4) };
    expect(() => sockets.option(-1, option)).toThrow('setsockopt: EBADF');
    expect(() => sockets.readOption(-1, { level: 1, name: 2, length: 4 })).toThrow('getsockopt: EBADF');
  });

  it('reads the type of a socket', () => {
    const sockets = libcSockets();
    const fd = sockets.open({ domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0 });
    expect([...sockets.readOption(fd, { level: 1, name: 3, length: 4 })]).toEqual([SOCK_DGRAM, 0, 0, 0]);
    sockets.close(fd);
  });

  it('sends messages together, each with its own length, and is empty again', () => {
    const sockets = libcSockets();
    const bind = Uint8Array.of(AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const fd = sockets.open({ domain: AF_NETLINK, type: SOCK_RAW, protocol: 0, bind });
    // The kernel acknowledges each that is as long as it says, with the number at its ninth byte.
    const noop = (length: number, number: number) =>
      Uint8Array.from({ length }, (_, i) => [length, 0, 0, 0, 1, 0, 5, 0, number][i] ?? 0);
    const answers = (): number[] => {
      const into = new Uint8Array(256);
      const numbers: number[] = [];
      while (sockets.receive(fd, into) > 0) numbers.push(into[8] ?? 0);
      return numbers;
    };
    const batch = sockets.batch(fd, { most: 2, size: 24 });
    batch.add(noop(16, 7));
    batch.add(noop(24, 8));
    expect(() => batch.add(noop(16, 9))).toThrow(RangeError);
    expect(batch.send()).toBe(2);
    expect(answers()).toEqual([7, 8]);
    expect(batch.send()).toBe(0);
    expect(answers()).toEqual([]);
    expect(() => batch.add(noop(25, 1))).toThrow(RangeError);
    sockets.close(fd);
    batch.add(noop(16, 1));
    expect(batch.send()).toBe(0);
  });
});

describe('the self-test', () => {
  it('fails with its code when no wake comes', async () => {
    const clock = new VirtualClock();
    const result = expect(selfTest(new FakeSockets(), clock)).rejects.toMatchObject({ code: 'LINUX-003' });
    await clock.advance(2_000);
    await result;
  });
});
