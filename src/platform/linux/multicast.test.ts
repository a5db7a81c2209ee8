import { describe, expect, it } from 'vitest';
import { Multicast } from './multicast.ts';
import { FakeSockets } from './sockets.rig.ts';

const group = (i: number) =>
  Uint8Array.from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, i >> 8, i & 255]);
const JOIN = 20;
const LEAVE = 21;

function rig() {
  const sockets = new FakeSockets();
  return { sockets, multicast: new Multicast({ sockets, index: 0x0102 }) };
}
/** Joins less leaves, of each open IPv6 socket. */
const perSocket = (sockets: FakeSockets) =>
  sockets.all
    .filter(({ open, spec }) => open && spec.domain === 10)
    .map(({ options }) => options.reduce((sum, { name }) => sum + (name === JOIN ? 1 : -1), 0));

describe('the groups of an interface', () => {
  it('joins on the interface, by an unbound datagram socket that needs no capability', () => {
    const { sockets, multicast } = rig();
    expect(multicast.join(group(7))).toBe('listening');
    expect(sockets.all[0]?.spec).toEqual({ domain: 10, type: 2, protocol: 0 });
    expect(sockets.all[0]?.options).toEqual([
      { level: 41, name: JOIN, value: Uint8Array.from([...group(7), 0x02, 0x01, 0, 0]) },
    ]);
  });

  it('joins a group once', () => {
    const { sockets, multicast } = rig();
    expect([multicast.join(group(7)), multicast.join(group(7))]).toEqual(['listening', 'listening']);
    expect(perSocket(sockets)).toEqual([1]);
  });

  it('spreads ten thousand groups over sockets of 256', () => {
    const { sockets, multicast } = rig();
    for (let i = 0; i < 10_000; i++) multicast.join(group(i));
    expect(perSocket(sockets)).toEqual([...Array<number>(39).fill(256), 16]);
  });

  it('leaves where it joined, fills the gaps, and closes a socket without groups', () => {
    const { sockets, multicast } = rig();
    for (let i = 0; i < 300; i++) multicast.join(group(i));
    multicast.leave(group(3));
    expect(sockets.all[0]?.options.at(-1)).toMatchObject({ name: LEAVE });
    multicast.leave(group(3));
    multicast.leave(group(999));
    expect(perSocket(sockets)).toEqual([255, 44]);
    for (let i = 256; i < 300; i++) multicast.leave(group(i));
    expect(perSocket(sockets)).toEqual([255]);
    multicast.join(group(3));
    expect(perSocket(sockets)).toEqual([256]);
  });

  it('has smaller shards where the kernel grants a socket less memory', () => {
    const { sockets, multicast } = rig();
    sockets.refuseOption = (_, { options }) => (options.length >= 10 ? 'ENOMEM' : undefined);
    for (let i = 0; i < 25; i++) expect(multicast.join(group(i))).toBe('listening');
    expect(perSocket(sockets)).toEqual([10, 10, 5]);
  });

  it('at least hears a group that the kernel refuses, and stops hearing it', () => {
    const { sockets, multicast } = rig();
    sockets.refuseOption = ({ level }) => (level === 41 ? 'ENODEV' : undefined);
    expect([multicast.join(group(7)), multicast.join(group(8))]).toEqual(['heard', 'heard']);
    multicast.leave(group(7));
    const ears = sockets.all.filter(({ spec }) => spec.domain === 17);
    expect(ears).toHaveLength(1);
    expect(ears[0]?.spec).toEqual({ domain: 17, type: 3, protocol: 0 });
    const request = (name: number, last: number) => ({
      level: 263,
      name,
      value: Uint8Array.from([0x02, 0x01, 0, 0, 0, 0, 6, 0, 0x33, 0x33, 0xff, 0, 0, last, 0, 0]),
    });
    expect(ears[0]?.options).toEqual([request(1, 7), request(1, 8), request(2, 7)]);
  });

  it('says so when a group can be had in neither way, and takes it the next time', () => {
    const { sockets, multicast } = rig();
    sockets.refuseOption = () => 'ENOMEM';
    expect(() => multicast.join(group(7))).toThrow('ENOMEM');
    sockets.refuseOption = () => undefined;
    expect(multicast.join(group(7))).toBe('listening');
  });

  it('does not mind that the interface is gone when it leaves', () => {
    const { sockets, multicast } = rig();
    multicast.join(group(1));
    multicast.join(group(2));
    sockets.refuseOption = () => 'ENODEV';
    multicast.leave(group(1));
    multicast.leave(group(2));
    expect(sockets.openCount).toBe(0);
  });

  it('closes its sockets newest first, as that is cheap for the kernel', () => {
    const { sockets, multicast } = rig();
    for (let i = 0; i < 600; i++) multicast.join(group(i));
    const closed: number[] = [];
    const close = sockets.close.bind(sockets);
    sockets.close = (fd) => {
      closed.push(fd);
      close(fd);
    };
    multicast.close();
    expect([closed, sockets.openCount]).toEqual([[2, 1, 0], 0]);
  });
});
