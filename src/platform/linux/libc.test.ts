import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { systemClock } from '../obs/clock.ts';
import { libcSockets } from './libc.ts';
import { LinkWatch } from './links.ts';
import type { Link } from './netlink.ts';
import { selfTest } from './selftest.ts';
import { FakeSockets } from './sockets.rig.ts';

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
