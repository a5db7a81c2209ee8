import { beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../../domain/ip/address.ts';
import { ethernet, FakeMachine } from '../../../platform/linux/machine.rig.ts';
import type { Link } from '../../../platform/linux/netlink.ts';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { yieldToLoop } from '../../../platform/obs/clock.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { Metrics } from '../../../platform/obs/metrics.ts';
import { BROADCAST, decode, encode, gratuitous } from '../../../protocols/arp/codec.ts';
import { UPSTREAM_TIMING } from '../../../protocols/layer2/gratuitous.ts';
import { decode as decodeNdp } from '../../../protocols/ndp/codec.ts';
import { asked, ip6, recorded } from '../../../protocols/ndp/frames.rig.ts';
import { speakerMetrics } from '../metrics.ts';
import { Announcer } from './announcer.ts';

const seven: Address = { family: 'IPv4', bits: 0xc0000207n };
/** Of the recorded question. */
const six: Address = { family: 'IPv6', bits: (0x20010db8n << 96n) | 7n };
const IPV6 = 0x86dd;
const client = Uint8Array.from([2, 0, 0, 0, 0, 0x99]);
const link = (index: number, name: string, change: Partial<Link> = {}): Link =>
  ethernet({ index, name, mac: Uint8Array.of(2, 0, 0, 0, 0, index), ...change });

let machine: FakeMachine;
let clock: VirtualClock;
let metrics: Metrics;
let announcer: Announcer;
const lines: string[] = [];
const others: unknown[] = [];
let watchTimers: (run: () => void) => void;
/** What the announcer's clock shows. */
let now: () => number;

beforeEach(() => {
  machine = new FakeMachine();
  clock = new VirtualClock();
  metrics = new Metrics({ defaults: false });
  lines.length = 0;
  others.length = 0;
  watchTimers = (run) => run();
  now = () => clock.now();
  announcer = new Announcer({
    sockets: machine,
    clock: {
      now: () => now(),
      date: () => clock.date(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      after: (ms, run) => clock.after(ms, () => watchTimers(run)),
    },
    log: createLog({ level: 'debug', clock, write: (line) => lines.push(line) }),
    metrics: speakerMetrics(metrics),
    excluded: (name) => name.startsWith('no'),
    timing: UPSTREAM_TIMING,
    onOther: (other) => others.push(other),
  });
});

const links = (...all: Link[]) => announcer.setLinks(new Map(all.map((l) => [l.index, l])));
/** Asks on a link; the sender MAC of the answer, last byte only. */
const ask = (index: number, target = 0xc0000207) => {
  const head = { destination: BROADCAST, source: client, senderMac: client, targetMac: new Uint8Array(6) };
  const [reply] = machine.receiveOn(index, encode({ ...head, operation: 1, senderIp: 1, targetIp: target }));
  return reply && decode(reply)?.senderMac[5];
};
/** Gratuitous packets that have left on a link since the last call. */
const told = (index: number) =>
  machine
    .at(machine.socketOn(index) ?? -1)
    .sent.splice(0)
    .map((f) => decode(f)?.operation);

describe('the announcer', () => {
  it('answers on every usable interface with its own MAC, and only for what is claimed', () => {
    links(link(2, 'eth0'), link(3, 'eth1'), link(4, 'no0'), link(5, 'down', { up: false }));
    announcer.claim(seven, 'a/one', 'all');
    expect([ask(2), ask(3), ask(4), ask(5), ask(2, 0xc0000208)]).toEqual([
      2,
      3,
      undefined,
      undefined,
      undefined,
    ]);
    announcer.release(seven, 'a/one');
    expect(ask(2)).toBeUndefined();
  });

  it('says at once who else claims an address of ours, and takes none of its own interfaces for somebody else', () => {
    links(link(2, 'eth0'), link(3, 'eth1'), link(4, 'no0'));
    const hear = (last: number) => {
      for (const frame of gratuitous(0xc0000207, Uint8Array.from([2, 0, 0, 0, 0, last])))
        machine.receiveOn(2, frame);
    };
    hear(0x99);
    expect(others).toEqual([]);
    announcer.claim(seven, 'a/one', 'all');
    for (const last of [2, 3, 4]) hear(last);
    expect(others).toEqual([]);
    hear(0x99);
    const other = { address: seven, mac: client, interface: 'eth0', direct: false };
    expect(others.splice(0)).toEqual([other, other]);
    const us = Uint8Array.of(2, 0, 0, 0, 0, 2);
    const head = { destination: us, source: client, senderMac: client, targetMac: us };
    machine.receiveOn(2, encode({ ...head, operation: 2, senderIp: 0xc0000207, targetIp: 0 }));
    expect(others).toEqual([{ ...other, direct: true }]);
  });

  it('has caught up when a turn of the loop leaves no frame behind', async () => {
    links(link(2, 'eth0'));
    const fd = machine.socketOn(2) ?? -1;
    const [frame] = gratuitous(0xc0000207, client);
    // Each look at the clock is a turn of its own: 64 frames, and the rest waits.
    let looks = 0;
    now = () => 6 * looks++;
    let caughtUp = false;
    const waiting = announcer.caughtUp().then(() => {
      caughtUp = true;
    });
    machine.wake(fd, ...Array.from({ length: 130 }, () => frame));
    for (let turn = 0; turn < 3; turn++) await yieldToLoop();
    expect(caughtUp).toBe(false);
    machine.wake(fd);
    machine.wake(fd);
    await waiting;
    expect(machine.at(fd).inbox).toEqual([]);
  });

  it('tells a take-over at once and five times in all, on the interfaces that it is for', async () => {
    links(link(2, 'eth0'), link(3, 'eth1'));
    announcer.claim(seven, 'a/one', new Set(['eth0']));
    await clock.advance(0);
    expect([told(2), told(3)]).toEqual([[1, 2], []]);
    await clock.advance(20_000);
    expect([told(2).length, told(3)]).toEqual([8, []]);
    expect(clock.timers).toBe(0);
  });

  it('says nothing about an address that is claimed again, and tells one that reaches further', async () => {
    links(link(2, 'eth0'), link(3, 'eth1'));
    announcer.claim(seven, 'a/one', new Set(['eth0']));
    await clock.advance(20_000);
    told(2);
    announcer.claim(seven, 'a/one', new Set(['eth0']));
    announcer.claim(seven, 'a/two', new Set(['eth0']));
    await clock.advance(20_000);
    expect(told(2)).toEqual([]);
    announcer.claim(seven, 'a/two', 'all');
    await clock.advance(0);
    expect(told(3)).toEqual([1, 2]);
  });

  it('stops telling when it hands over, and goes on answering until the release', async () => {
    links(link(2, 'eth0'));
    announcer.claim(seven, 'a/one', 'all');
    await clock.advance(0);
    told(2);
    announcer.hush(seven);
    await clock.advance(20_000);
    expect([told(2), ask(2)]).toEqual([[], 2]);
  });

  it('tells anew what it had handed over and gets back before the release', async () => {
    links(link(2, 'eth0'));
    announcer.claim(seven, 'a/one', 'all');
    await clock.advance(20_000);
    told(2);
    announcer.hush(seven);
    announcer.claim(seven, 'a/one', 'all');
    announcer.insist(seven);
    await clock.advance(20_000);
    expect(told(2)).toHaveLength(10);
  });

  it('opens and closes with the interfaces, tells anew on a new one, and follows another MAC', async () => {
    announcer.claim(seven, 'a/one', 'all');
    await clock.advance(20_000);
    links(link(2, 'eth0'));
    await clock.advance(0);
    expect(told(2)).toEqual([1, 2]);
    links(link(2, 'eth0', { mac: Uint8Array.from([2, 0, 0, 0, 0, 0x77]) }));
    expect(ask(2)).toBe(0x77);
    links(link(2, 'eth0', { master: 9 }));
    expect([ask(2), machine.openCount]).toEqual([undefined, 0]);
    links();
    expect(machine.openCount).toBe(0);
  });

  it('follows exclusions', () => {
    links(link(2, 'eth0'));
    announcer.claim(seven, 'a/one', 'all');
    announcer.setExcluded((name) => name === 'eth0');
    expect([ask(2), announcer.interfaceNames.size]).toEqual([undefined, 0]);
    announcer.setExcluded(() => false);
    expect([ask(2), [...announcer.interfaceNames]]).toEqual([2, ['eth0']]);
  });

  it('opens a broken socket again soon, and less and less often while that fails', async () => {
    links(link(2, 'eth0'));
    machine.at(machine.socketOn(2) ?? -1).watching?.onBroken(new Error('ENETDOWN'));
    expect(machine.socketOn(2)).toBeUndefined();
    machine.refuse = 'ENODEV';
    await clock.advance(50 + 100 + 200);
    expect(lines.filter((line) => line.includes('cannot answer')).length).toBe(4);
    machine.refuse = undefined;
    announcer.claim(seven, 'a/one', 'all');
    await clock.advance(400);
    expect(ask(2)).toBe(2);
  });

  it('counts what it did, and forgets an address with its counters', async () => {
    links(link(2, 'eth0'));
    announcer.claim(seven, 'a/one', 'all');
    ask(2);
    ask(2, 0xc0000209);
    await clock.advance(1_000);
    const text = await metrics.text();
    expect(text).toContain('metallb_layer2_requests_received{ip="192.0.2.7"} 1');
    expect(text).toContain('metallb_layer2_responses_sent{ip="192.0.2.7"} 1');
    expect(text).toContain('metallb_layer2_gratuitous_sent{ip="192.0.2.7"} 2');
    expect(text).toContain('herald_speaker_arp_dropped_total{interface="eth0",reason="not-announced"} 1');
    expect(text).toContain('herald_speaker_addresses 1');
    announcer.release(seven, 'a/one');
    expect(await metrics.text()).not.toContain('192.0.2.7');
  });

  it('counts frames that could not be sent, and not as answers', async () => {
    links(link(2, 'eth0'));
    announcer.claim(seven, 'a/one', 'all');
    await clock.advance(10_000);
    machine.full = true;
    expect(ask(2)).toBeUndefined();
    await clock.advance(1_000);
    const text = await metrics.text();
    expect(text).toContain('herald_speaker_send_errors_total{interface="eth0"} 1');
    expect(text).not.toContain('metallb_layer2_responses_sent{ip="192.0.2.7"} 1');
  });

  it('counts frames that came faster than they were read, whichever socket missed them', async () => {
    links(link(2, 'eth0'));
    machine.state.push(9, 0, 0, 0, 3, 0, 0, 0);
    ask(2);
    await clock.advance(1_000);
    expect(await metrics.text()).toContain('herald_speaker_overruns_total{interface="eth0"} 6');
  });

  it('tells a thousand addresses in portions, between which the loop is free for questions', async () => {
    links(link(2, 'eth0'));
    const { sent } = machine.at(machine.socketOn(2) ?? -1);
    for (let i = 0n; i < 1_000n; i++)
      announcer.claim({ family: 'IPv4', bits: 0x0ac80000n + i }, 'a/many', 'all');
    const portions: number[] = [];
    watchTimers = (run) => {
      const before = sent.length;
      run();
      portions.push(sent.length - before);
    };
    await clock.advance(0);
    expect(sent).toHaveLength(2_000);
    expect(Math.max(...portions)).toBeLessThanOrEqual(128);
    expect(portions.length).toBeGreaterThan(10);
  });

  it('has settled a while after the last take-over, at once when there was none, and in the end at any rate', async () => {
    let settled = 0;
    const wait = () => {
      void announcer.settled(new AbortController().signal).then(() => {
        settled = clock.now();
      });
    };
    await announcer.settled(AbortSignal.abort());
    const begin = clock.now();
    announcer.claim(seven, 'a/one', 'all');
    wait();
    await clock.advance(150);
    announcer.claim(six, 'a/one', 'all');
    announcer.claim(seven, 'a/two', 'all');
    await clock.advance(199);
    expect(settled).toBe(0);
    await clock.advance(1);
    expect(settled - begin).toBe(350);
    for (let i = 1n; i <= 20n; i++) {
      announcer.claim({ family: 'IPv4', bits: seven.bits + i }, 'a/many', 'all');
      if (i === 1n) wait();
      await clock.advance(150);
    }
    expect(settled - begin).toBe(350 + 2_000);
    announcer.close();
  });

  it('is silent and leaves nothing open after close', async () => {
    links(link(2, 'eth0'));
    announcer.claim(seven, 'a/one', 'all');
    announcer.close();
    await clock.advance(10_000);
    expect([machine.openCount, clock.timers, ask(2)]).toEqual([0, 0, undefined]);
    links(link(3, 'eth1'));
    expect(machine.openCount).toBe(0);
  });
});

describe('the announcer, of IPv6', () => {
  /** The kernel's question on a link; the last byte of the MAC in the answer. */
  const ask6 = (index: number, frame: Uint8Array = recorded.question) => {
    const [reply] = machine.receiveOn(index, frame);
    return reply && decodeNdp(reply)?.options[0]?.value[5];
  };
  const told6 = (index: number) =>
    machine
      .at(machine.socketOn(index, IPV6) ?? -1)
      .sent.splice(0)
      .map((f) => decodeNdp(f)?.flags);
  /** Last bytes of the groups that a link is in. */
  const groups = (index: number) => {
    const joined = new Set<number>();
    for (const { open, options } of machine.all) {
      if (!open) continue;
      for (const { level, name, value } of options) {
        if (level !== 41 || value[16] !== index) continue;
        if (name === 20) joined.add(value[15] ?? -1);
        else joined.delete(value[15] ?? -1);
      }
    }
    return [...joined];
  };

  it('answers on every usable interface with its own MAC, beside IPv4', () => {
    links(link(2, 'eth0'), link(3, 'eth1', { broadcast: false }), link(4, 'no0'));
    announcer.claim(six, 'a/one', 'all');
    announcer.claim(seven, 'a/one', 'all');
    expect([ask6(2), ask6(3), ask6(4), ask(2), ask(3)]).toEqual([2, 3, undefined, 2, undefined]);
    announcer.release(six, 'a/one');
    expect([ask6(2), ask(2)]).toEqual([undefined, 2]);
  });

  it('tells a take-over by an advertisement of its own, as often as for IPv4, on the interfaces that it is for', async () => {
    links(link(2, 'eth0'), link(3, 'eth1'));
    announcer.claim(six, 'a/one', new Set(['eth0']));
    await clock.advance(0);
    expect([told6(2), told6(3), told(2)]).toEqual([[0x20], [], []]);
    await clock.advance(20_000);
    expect([told6(2).length, clock.timers]).toEqual([4, 0]);
  });

  it('stops telling when it hands over, and goes on answering until the release', async () => {
    links(link(2, 'eth0'));
    announcer.claim(six, 'a/one', 'all');
    await clock.advance(0);
    told6(2);
    announcer.hush(six);
    await clock.advance(20_000);
    expect([told6(2), ask6(2)]).toEqual([[], 2]);
  });

  it('follows IPv6 on an interface, whatever IPv4 does', async () => {
    links(link(2, 'eth0', { ipv6: false }));
    announcer.claim(six, 'a/one', 'all');
    announcer.claim(seven, 'a/one', 'all');
    expect([ask6(2), ask(2)]).toEqual([undefined, 2]);
    await clock.advance(20_000);
    told(2);
    links(link(2, 'eth0'));
    await clock.advance(0);
    expect([ask6(2), told6(2), told(2)]).toEqual([2, [0x20, 0x60], []]);
  });

  it('is in the group of an address where and while it answers for it', async () => {
    links(link(2, 'eth0'), link(3, 'eth1'));
    const both = async () => {
      await clock.advance(0);
      return [groups(2), groups(3)];
    };
    announcer.claim(six, 'a/one', new Set(['eth0']));
    expect(await both()).toEqual([[7], []]);
    announcer.claim(six, 'a/two', 'all');
    expect(await both()).toEqual([[7], [7]]);
    announcer.release(six, 'a/two');
    expect(await both()).toEqual([[7], []]);
    links(link(2, 'eth9'), link(3, 'eth0'));
    expect(await both()).toEqual([[], [7]]);
    announcer.setExcluded((name) => name === 'eth0');
    expect(await both()).toEqual([[], []]);
    announcer.setExcluded(() => false);
    expect(await both()).toEqual([[], [7]]);
    announcer.release(six, 'a/one');
    expect(await both()).toEqual([[], []]);
  });

  it('joins the groups of a thousand addresses in portions', async () => {
    links(link(2, 'eth0'));
    const portions: number[] = [];
    const option = machine.option.bind(machine);
    let joined = 0;
    machine.option = (fd, one) => {
      joined++;
      option(fd, one);
    };
    watchTimers = (run) => {
      const before = joined;
      run();
      portions.push(joined - before);
    };
    for (let i = 0n; i < 1_000n; i++)
      announcer.claim({ family: 'IPv6', bits: six.bits + i }, 'a/many', 'all');
    expect(joined).toBe(0);
    await clock.advance(0);
    expect(joined).toBe(1_000);
    expect(Math.max(...portions)).toBe(32);
  });

  it('counts and tells a group that it cannot join, answers all the same, and tries again', async () => {
    links(link(2, 'eth0'));
    machine.refuseOption = () => 'ENOMEM';
    announcer.claim(six, 'a/one', 'all');
    announcer.claim({ ...six, bits: six.bits + 1n }, 'a/one', 'all');
    await clock.advance(1_000);
    expect(lines.filter((line) => line.includes('cannot join multicast groups'))).toHaveLength(1);
    expect(await metrics.text()).toContain('herald_speaker_group_failures_total{interface="eth0"} 2');
    expect(ask6(2)).toBe(2);
    machine.refuseOption = () => undefined;
    await clock.advance(5_000);
    expect(groups(2)).toEqual([7, 8]);
  });

  it('counts what it did under the names that IPv4 has, and what it dropped under a name of its own', async () => {
    links(link(2, 'eth0'));
    announcer.claim(six, 'a/one', 'all');
    ask6(2);
    ask6(2, asked({ target: ip6('2001:db8::9') }));
    ask6(2, asked({ hopLimit: 254 }));
    await clock.advance(1_000);
    const text = await metrics.text();
    expect(text).toContain('metallb_layer2_requests_received{ip="2001:db8::7"} 1');
    expect(text).toContain('metallb_layer2_responses_sent{ip="2001:db8::7"} 1');
    expect(text).toContain('metallb_layer2_gratuitous_sent{ip="2001:db8::7"} 1');
    expect(text).toContain('herald_speaker_ndp_dropped_total{interface="eth0",reason="not-announced"} 1');
    expect(text).toContain('herald_speaker_ndp_dropped_total{interface="eth0",reason="hop-limit"} 1');
    expect(text).toContain('herald_speaker_interfaces 1');
  });

  it('opens both families again at the same moment when a link took both down', async () => {
    links(link(2, 'eth0'));
    for (const type of [undefined, IPV6])
      machine.at(machine.socketOn(2, type) ?? -1).watching?.onBroken(new Error('ENETDOWN'));
    expect(machine.openCount).toBe(0);
    await clock.advance(50);
    expect([machine.socketOn(2), machine.socketOn(2, IPV6)]).not.toContain(undefined);
  });

  it('leaves no socket open after close', async () => {
    links(link(2, 'eth0'));
    announcer.claim(six, 'a/one', 'all');
    await clock.advance(0);
    announcer.close();
    await clock.advance(10_000);
    expect([machine.openCount, clock.timers, ask6(2)]).toEqual([0, 0, undefined]);
  });
});
