import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../obs/clock.rig.ts';
import { yieldToLoop } from '../obs/clock.ts';
import { LinuxError } from './errors.ts';
import { LinkWatch } from './links.ts';
import { linkMessage, message } from './netlink.rig.ts';
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

const done = (sequence: number) => message({ type: 3, sequence, body: [0, 0, 0, 0] });
/** The sequence of the last request that the socket sent. */
const asked = (fd: number) => sockets.all[fd]?.sent.at(-1)?.[8] ?? 0;
const latest = () => seen.at(-1);

async function listed(...links: (typeof eth0)[]): Promise<void> {
  sockets.wake(0, ...links.map((l) => linkMessage({ ...l, sequence: asked(0) })), done(asked(0)));
  await yieldToLoop();
}

describe('the watch over interfaces', () => {
  it('tells the first complete list, and nothing before', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }));
    await yieldToLoop();
    expect(seen).toEqual([]);
    sockets.wake(0, done(1));
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
    await yieldToLoop();
    expect(latest()).toEqual(['lan0']);
  });

  it('leaves no socket and no timer behind, and says nothing after close', async () => {
    sockets.wake(0, linkMessage({ ...eth0, sequence: 1 }), done(1));
    watch.close();
    await yieldToLoop();
    expect([seen.length, sockets.openCount, clock.timers]).toEqual([0, 0, 0]);
  });
});
