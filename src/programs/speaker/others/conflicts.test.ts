import { beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../../domain/ip/address.ts';
import { ethernet, FakeMachine } from '../../../platform/linux/machine.rig.ts';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { Metrics } from '../../../platform/obs/metrics.ts';
import { decode, encode, gratuitous } from '../../../protocols/arp/codec.ts';
import { UPSTREAM_TIMING } from '../../../protocols/layer2/gratuitous.ts';
import { Announcer } from '../layer2/announcer.ts';
import { speakerMetrics } from '../metrics.ts';
import { ask } from './asking.ts';
import { ConflictWatch } from './conflicts.ts';
import { Neighbours } from './neighbours.ts';

const SEVEN = 0xc0000207;
const seven: Address = { family: 'IPv4', bits: BigInt(SEVEN) };
const own = Uint8Array.from([2, 0, 0, 0, 0, 2]);
const rival = Uint8Array.from([2, 0, 0, 0, 0, 0x99]);

let machine: FakeMachine;
let clock: VirtualClock;
let metrics: Metrics;
let announcer: Announcer;
let watch: ConflictWatch;
let told: string[];
let ending: AbortController;
/** Who answers a question: MACs by address, as hosts on the link would. */
let hosts: Map<number, Uint8Array>;

beforeEach(() => {
  machine = new FakeMachine();
  clock = new VirtualClock();
  metrics = new Metrics({ defaults: false });
  told = [];
  hosts = new Map();
  ending = new AbortController();
  const own2 = speakerMetrics(metrics);
  const log = createLog({ level: 'error', clock, write: () => {} });
  announcer = new Announcer({
    sockets: machine,
    clock,
    log,
    metrics: own2,
    excluded: () => false,
    timing: UPSTREAM_TIMING,
    onOther: (other) => watch.seen(other),
  });
  const speakers = () => [{ node: 'node-b', address: '192.0.2.102' }];
  const neighbours = new Neighbours({ announcer, clock, speakers, signal: ending.signal });
  watch = new ConflictWatch({
    clock,
    log,
    announcer,
    metrics: own2,
    tell: (service, { message }) => told.push(`${service}: ${message}`),
    nodeOf: (mac, on) => neighbours.nodeOf(mac, on),
    onChange: () => {},
  });
  announcer.setLinks(new Map([[2, ethernet({ mac: own })]]));
  announcer.claim(seven, 'a/one', 'all');
});

/** Lets time pass in small steps; hosts answer questions. What we sent meanwhile, as ARP operation and sender. */
async function pass(ms: number): Promise<readonly string[]> {
  const all: string[] = [];
  for (let i = 0; i < ms; i += 10) {
    await clock.advance(10);
    const { sent } = machine.at(machine.socketOn(2) ?? -1);
    for (const frame of sent.splice(0)) {
      const packet = decode(frame);
      if (!packet) continue;
      all.push(packet.senderIp === 0 ? 'ask' : 'announce');
      const host = packet.senderIp === 0 ? hosts.get(packet.targetIp) : undefined;
      if (host) machine.receiveOn(2, answer(packet.targetIp, host));
    }
  }
  return all;
}
const answer = (ip: number, mac: Uint8Array) =>
  encode({
    destination: own,
    source: mac,
    operation: 2,
    senderMac: mac,
    senderIp: ip,
    targetMac: own,
    targetIp: 0,
  });
const claim = () => {
  for (const frame of gratuitous(SEVEN, rival)) machine.receiveOn(2, frame);
};
/** Our own take-over has been told. */
const settled = async () => {
  await pass(6_000);
};

describe('a second owner', () => {
  it('is told on each Service of the address once it answers a question', async () => {
    await settled();
    announcer.claim(seven, 'a/two', 'all');
    hosts.set(SEVEN, rival);
    claim();
    expect(told).toEqual([]);
    await pass(1_500);
    const message =
      'address "192.0.2.7" is also answered for by 02:00:00:00:00:99 (interface eth0); this node goes on answering and announces it anew';
    expect(told).toEqual([`a/one: ${message}`, `a/two: ${message}`]);
    expect(watch.lines).toEqual(['192.0.2.7 is also at 02:00:00:00:00:99 on eth0']);
    expect(await metrics.text()).toContain('herald_speaker_conflicts_total{ip="192.0.2.7"} 1');
  });

  it('is told with its node where the address of a speaker is at the same MAC', async () => {
    await settled();
    hosts.set(SEVEN, rival).set(0xc0000266, rival);
    claim();
    await pass(1_500);
    expect(told[0]).toContain('by 02:00:00:00:00:99, which is node "node-b" (interface eth0)');
  });

  it('is found a little later when it was there before we were', async () => {
    hosts.set(SEVEN, rival);
    claim();
    expect(await pass(1_000)).not.toContain('ask');
    claim();
    expect(await pass(1_500)).toContain('ask');
    expect(told).toHaveLength(1);
  });

  it('was only the last owner when nobody answers after a take-over', async () => {
    claim();
    await pass(6_000);
    expect([told, watch.lines]).toEqual([[], []]);
  });

  it('is none while we hand the address over', async () => {
    await settled();
    hosts.set(SEVEN, rival);
    announcer.hush(seven);
    claim();
    expect(await pass(5_000)).not.toContain('ask');
    expect(told).toEqual([]);
  });

  it('is forgotten with the address', async () => {
    await settled();
    hosts.set(SEVEN, rival);
    claim();
    await pass(1_500);
    announcer.release(seven, 'a/one');
    await pass(11_000);
    expect(watch.lines).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('keeps us silent by the policy "yield", and its end makes us announce', async () => {
    await settled();
    watch.setPolicy('yield');
    hosts.set(SEVEN, rival);
    claim();
    await pass(1_000);
    const question = encode({
      destination: own,
      source: rival,
      operation: 1,
      senderMac: rival,
      senderIp: 1,
      targetMac: own,
      targetIp: SEVEN,
    });
    expect(machine.receiveOn(2, question)).toEqual([]);
    hosts.clear();
    expect(await pass(25_000)).toContain('announce');
    expect(machine.receiveOn(2, question)).toHaveLength(1);
  });
});

describe('a speaker that was held dead and is back', () => {
  it('makes us tell anew what is ours and stays so, once all have decided', async () => {
    announcer.claim({ family: 'IPv4', bits: 0xc0000208n }, 'a/two', 'all');
    await settled();
    watch.returned();
    watch.returned();
    expect(await pass(150)).toEqual([]);
    announcer.hush(seven);
    expect(await pass(10_000)).toEqual(['announce', 'announce', 'announce', 'announce']);
  });
});

describe('asking on the link', () => {
  it('hears who has an address, asks three times for one that nobody has, and then listens no more', async () => {
    await settled();
    const eight: Address = { family: 'IPv4', bits: 0xc0000208n };
    hosts.set(0xc0000208, rival);
    const found = ask({ announcer, clock }, { addresses: [eight], interfaces: 'all', eager: true });
    expect(await pass(200)).toEqual(['ask']);
    expect(await found).toEqual([{ address: eight, mac: rival, interface: 'eth0' }]);
    hosts.clear();
    const nobody = ask({ announcer, clock }, { addresses: [eight], interfaces: new Set(['eth0']) });
    expect(await pass(400)).toEqual(['ask', 'ask', 'ask']);
    expect(await nobody).toEqual([]);
    const elsewhere = ask({ announcer, clock }, { addresses: [eight], interfaces: new Set(['eth1']) });
    expect(await pass(400)).toEqual([]);
    expect(await elsewhere).toEqual([]);
  });
});
