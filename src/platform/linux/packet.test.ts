import { describe, expect, it } from 'vitest';
import { LinuxError } from './errors.ts';
import { encodeFilter, neighbourDiscovery } from './filter.ts';
import { openArpSocket, openNdpSocket } from './packet.ts';
import { FakeSockets } from './sockets.rig.ts';

function rig() {
  const sockets = new FakeSockets();
  const frames: number[][] = [];
  const drains: number[] = [];
  const answered: number[] = [];
  const broken: string[] = [];
  const socket = openArpSocket({
    sockets,
    index: 0x0102,
    onFrame: (frame, length) => frames.push([...frame.subarray(0, length)]),
    onDrained: (count, left) => {
      drains.push(count);
      answered.push(left);
      return false;
    },
    onBroken: (error) => broken.push(error.message),
  });
  return { sockets, frames, drains, answered, broken, socket };
}

describe('a packet socket', () => {
  it('has its filter before it is bound to ARP on the interface, and no protocol until then', () => {
    const spec = rig().sockets.all[0]?.spec;
    expect(spec?.protocol).toBe(0);
    expect(spec?.filter?.length).toBeGreaterThan(0);
    expect([...(spec?.bind?.subarray(0, 8) ?? [])]).toEqual([17, 0, 0x08, 0x06, 0x02, 0x01, 0, 0]);
  });

  it('hears neighbour discovery on one of another kind', () => {
    const sockets = new FakeSockets();
    openNdpSocket({ sockets, index: 1, onFrame: () => {}, onBroken: () => {} });
    const spec = sockets.all[0]?.spec;
    expect(spec?.filter).toEqual(encodeFilter(neighbourDiscovery));
    expect([...(spec?.bind?.subarray(0, 8) ?? [])]).toEqual([17, 0, 0x86, 0xdd, 1, 0, 0, 0]);
  });

  it('hands over each frame with its length and tells how many a wake brought', () => {
    const { sockets, frames, drains } = rig();
    sockets.wake(0, Uint8Array.of(1, 2), Uint8Array.of(3));
    expect(frames).toEqual([[1, 2], [3]]);
    expect(drains).toEqual([2]);
  });

  it('reads on at once only when there may be more and more is wanted', () => {
    const sockets = new FakeSockets();
    const goes: [number, boolean][] = [];
    let wanted = 2;
    openArpSocket({
      sockets,
      index: 1,
      onFrame: () => {},
      onDrained: (frames, _, more) => {
        goes.push([frames, more]);
        return --wanted > 0;
      },
      onBroken: () => {},
    });
    const frames = Array.from({ length: 200 }, () => Uint8Array.of(1));
    sockets.wake(0, ...frames);
    expect(goes.splice(0)).toEqual([
      [64, true],
      [64, true],
    ]);
    wanted = 9;
    sockets.wake(0);
    expect(goes).toEqual([
      [64, true],
      [8, false],
    ]);
  });

  it('sends the answers to all frames of a wake at its end, in their order', () => {
    const sockets = new FakeSockets();
    const sentBefore: number[] = [];
    const socket = openArpSocket({
      sockets,
      index: 1,
      onFrame: (frame) => {
        sentBefore.push(sockets.at(0).sent.length);
        socket.answer(frame.slice(0, 1));
      },
      onBroken: () => {},
    });
    sockets.wake(0, Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3));
    expect(sentBefore).toEqual([0, 0, 0]);
    expect(sockets.at(0).sent).toEqual([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    sockets.wake(0, Uint8Array.of(4));
    expect(sockets.at(0).sent.slice(3)).toEqual([Uint8Array.of(4)]);
  });

  it('says how many answers left', () => {
    const { sockets, answered, socket } = rig();
    socket.answer(Uint8Array.of(1));
    socket.answer(Uint8Array.of(2));
    sockets.wake(0);
    socket.answer(Uint8Array.of(3));
    sockets.full = true;
    sockets.wake(0);
    expect(answered).toEqual([2, 0]);
  });

  it('asks the kernel how many frames it had to drop, and not once it is closed', () => {
    const { sockets, socket } = rig();
    sockets.state.push(9, 0, 0, 0, 0x02, 0x01, 0, 0);
    expect(socket.lost()).toBe(0x0102);
    socket.close();
    expect(socket.lost()).toBe(0);
  });

  it('takes at most 64 frames a wake', () => {
    const { sockets, drains } = rig();
    sockets.wake(0, ...Array.from({ length: 100 }, () => Uint8Array.of(1)));
    expect(drains).toEqual([64]);
    sockets.wake(0);
    expect(drains).toEqual([64, 36]);
  });

  it('is closed, and says so, when reading fails', () => {
    const { sockets, broken, socket } = rig();
    sockets.wake(0, new LinuxError('LINUX-001', 'recv', 'ENETDOWN'));
    expect(broken).toEqual(['recv: ENETDOWN']);
    expect(sockets.openCount).toBe(0);
    expect(() => socket.send(Uint8Array.of(1))).toThrow('EBADF');
  });

  it('reads no further once a frame led to its closing', () => {
    const sockets = new FakeSockets();
    let seen = 0;
    const socket = openArpSocket({
      sockets,
      index: 1,
      onFrame: () => {
        seen++;
        socket.close();
      },
      onBroken: () => {},
    });
    sockets.wake(0, Uint8Array.of(1), Uint8Array.of(2));
    expect(seen).toBe(1);
  });

  it('leaves no descriptor open when it cannot be watched', () => {
    const sockets = new FakeSockets();
    sockets.watch = () => {
      throw new Error('no poll');
    };
    expect(() => openArpSocket({ sockets, index: 1, onFrame: () => {}, onBroken: () => {} })).toThrow(
      'no poll',
    );
    expect(sockets.openCount).toBe(0);
  });
});
