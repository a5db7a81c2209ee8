import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { yieldToLoop } from '../obs/clock.ts';
import { LinuxError } from './errors.ts';
import { LinkWatch } from './links.ts';
import { addressMessage, linkMessage, message } from './netlink.rig.ts';
import type { Link } from './netlink.ts';
import { FakeSockets } from './sockets.rig.ts';

const eth0 = { index: 2, name: 'eth0', mac: [2, 0, 0, 0, 0, 1], flags: 0x1_1003 };
const lan0 = { index: 3, name: 'lan0', mac: [2, 0, 0, 0, 0, 2], flags: 0x1_1003 };

let sockets: FakeSockets;
let clock: VirtualClock;
let seen: string[][];
let troubles: string[];
let watch: LinkWatch;

beforeEach(() => {
  sockets = new FakeSockets();
  clock = new VirtualClock();
  seen = [];
  troubles = [];
  watch = new LinkWatch({
    sockets,
    clock,
    onChange: (links: ReadonlyMap<number, Link>) => seen.push([...links.values()].map((l) => l.name)),
    onTrouble: (error) => troubles.push(error.message),
  });
});

const HOME = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const done = (sequence: number) => message({ type: 3, sequence, body: [0, 0, 0, 0] });
/** The sequence of the last request that the socket sent. */
const asked = (fd: number) => sockets.all[fd]?.sent.at(-1)?.[8] ?? 0;
const latest = () => seen.at(-1);

async function listed(...links: (typeof eth0)[]): Promise<void> {
  sockets.wake(0, ...links.map((l) => linkMessage({ ...l, sequence: asked(0) })), done(asked(0)));
  sockets.wake(0, done(asked(0)));
  await yieldToLoop();
}
/** Names of the links that have IPv6. */
const withIpv6 = () => [...watch.links.values()].filter(({ ipv6 }) => ipv6).map(({ name }) => name);

describe('the watch over interfaces', () => {
  it('tells the first complete list, and nothing before', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }));
    await yieldToLoop();
    expect(seen).toEqual([]);
    sockets.wake(0, done(1));
    await yieldToLoop();
    expect(seen).toEqual([]);
    sockets.wake(0, done(2));
    await yieldToLoop();
    expect(seen).toEqual([['eth0']]);
  });

  it('tells an empty first list too', async () => {
    await listed();
    expect(seen).toEqual([[]]);
  });

  it('tells interfaces that come, change and go, and stays silent about repetitions', async () => {
    await listed(eth0);
    sockets.wake(0, linkMessage(lan0));
    await yieldToLoop();
    expect(latest()).toEqual(['eth0', 'lan0']);
    sockets.wake(0, linkMessage(lan0));
    await yieldToLoop();
    expect(seen).toHaveLength(2);
    sockets.wake(0, linkMessage({ ...lan0, name: 'lan1' }));
    await yieldToLoop();
    expect(latest()).toEqual(['eth0', 'lan1']);
    sockets.wake(0, linkMessage({ ...lan0, type: 17 }));
    await yieldToLoop();
    expect(latest()).toEqual(['eth0']);
  });

  it('tells several changes of one wake once', async () => {
    await listed();
    sockets.wake(0, linkMessage(eth0), linkMessage(lan0));
    await yieldToLoop();
    expect(seen).toEqual([[], ['eth0', 'lan0']]);
  });

  it('asks again when the kernel dropped notifications, and forgets what is gone meanwhile', async () => {
    await listed(eth0, lan0);
    sockets.wake(0, new LinuxError('LINUX-001', 'recv', 'ENOBUFS'));
    await listed(eth0);
    expect(latest()).toEqual(['eth0']);
  });

  it('keeps a link that appeared while the list was being made', async () => {
    await listed(eth0);
    await clock.advance(60_000);
    sockets.wake(0, linkMessage({ ...eth0, sequence: asked(0) }), linkMessage(lan0), done(asked(0)));
    sockets.wake(0, done(asked(0)));
    await yieldToLoop();
    expect(latest()).toEqual(['eth0', 'lan0']);
  });

  it('repeats an interrupted list, and believes no end of an older one', async () => {
    sockets.wake(0, message({ type: 3, sequence: 1, flags: 0x10, body: [0, 0, 0, 0] }));
    await clock.advance(50);
    expect(asked(0)).toBe(2);
    sockets.wake(0, done(1));
    await yieldToLoop();
    expect(seen).toEqual([]);
    await listed(eth0);
    expect(seen).toEqual([['eth0']]);
  });

  it('asks for all of them each minute', async () => {
    await listed(eth0);
    await clock.advance(60_000);
    await listed(eth0, lan0);
    expect(latest()).toEqual(['eth0', 'lan0']);
  });

  it('opens a new socket after an error and keeps the last set meanwhile', async () => {
    await listed(eth0);
    sockets.wake(0, new LinuxError('LINUX-001', 'recv', 'EBADF'));
    expect(troubles).toEqual(['recv: EBADF']);
    expect([...watch.links.keys()]).toEqual([2]);
    expect(sockets.openCount).toBe(0);
    await clock.advance(1_000);
    expect(sockets.openCount).toBe(1);
    sockets.wake(1, linkMessage({ ...lan0, sequence: asked(1) }), done(asked(1)));
    sockets.wake(1, done(asked(1)));
    await yieldToLoop();
    expect(latest()).toEqual(['lan0']);
  });

  it('says where there is IPv6, by addresses that come and go', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), linkMessage({ ...lan0, sequence: 1 }), done(1));
    sockets.wake(0, addressMessage({ index: 2, address: HOME, sequence: 2 }), done(2));
    await yieldToLoop();
    expect([seen.length, withIpv6()]).toEqual([1, ['eth0']]);
    sockets.wake(0, addressMessage({ index: 3, address: HOME }));
    sockets.wake(0, addressMessage({ index: 2, address: [...HOME.slice(0, 15), 2] }));
    await yieldToLoop();
    expect([seen.length, withIpv6()]).toEqual([2, ['eth0', 'lan0']]);
    sockets.wake(0, addressMessage({ index: 2, address: HOME, type: 21 }));
    await yieldToLoop();
    expect([seen.length, withIpv6()]).toEqual([2, ['eth0', 'lan0']]);
    sockets.wake(0, addressMessage({ index: 2, address: [...HOME.slice(0, 15), 2], type: 21 }));
    await yieldToLoop();
    expect([seen.length, withIpv6()]).toEqual([3, ['lan0']]);
  });

  it('tells the subnets of a link, each once, and none that every link may have', async () => {
    const four = (...address: number[]) =>
      addressMessage({ index: 2, address, family: 2, prefix: address[2] === 9 ? 32 : 24, sequence: 2 });
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), done(1));
    const six = addressMessage({ index: 2, address: [0x20, 1, 0xd, 0xb8, ...HOME.slice(4)], sequence: 2 });
    const local = addressMessage({ index: 2, address: HOME, sequence: 2 });
    sockets.wake(
      0,
      four(192, 0, 2, 7),
      four(192, 0, 2, 9),
      four(169, 254, 0, 1),
      four(192, 0, 9, 1),
      six,
      local,
    );
    sockets.wake(0, done(2));
    await yieldToLoop();
    const nets = () => watch.links.get(2)?.nets;
    expect(nets()).toEqual(['192.0.2.0/24', '2001:db8::/64']);
    sockets.wake(0, addressMessage({ index: 2, address: [192, 0, 2, 7], family: 2, prefix: 24, type: 21 }));
    sockets.wake(0, addressMessage({ index: 2, address: [192, 0, 2, 9], family: 2, prefix: 24, type: 21 }));
    await yieldToLoop();
    expect([nets(), withIpv6()]).toEqual([['2001:db8::/64'], ['eth0']]);
    expect(seen).toHaveLength(2);
  });

  it('does not count an address that another host has', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), done(1));
    sockets.wake(0, addressMessage({ index: 2, address: HOME, flags: 0x08, sequence: 2 }), done(2));
    await yieldToLoop();
    expect(withIpv6()).toEqual([]);
  });

  it('keeps an address that came while the addresses were being listed, and forgets those of a link that is gone', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), done(1));
    sockets.wake(0, addressMessage({ index: 2, address: HOME }), done(2));
    await yieldToLoop();
    expect(withIpv6()).toEqual(['eth0']);
    sockets.wake(0, linkMessage({ ...eth0, type: 17 }), linkMessage(eth0));
    await yieldToLoop();
    expect([latest(), withIpv6()]).toEqual([['eth0'], []]);
  });

  it('does with a kernel that lists no addresses', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), done(1));
    sockets.wake(0, message({ type: 2, sequence: 2, body: [0xa1, 0xff, 0xff, 0xff] }));
    await yieldToLoop();
    expect([latest(), withIpv6()]).toEqual([['eth0'], []]);
  });

  it('leaves no socket and no timer behind, and says nothing after close', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), done(1), done(2));
    watch.close();
    await yieldToLoop();
    expect([seen.length, sockets.openCount, clock.timers]).toEqual([0, 0, 0]);
  });
});
