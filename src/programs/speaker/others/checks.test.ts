import { beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../../domain/ip/address.ts';
import { FakeMachine } from '../../../platform/linux/machine.rig.ts';
import { VirtualClock } from '../../../platform/obs/clock.rig.ts';
import { createLog } from '../../../platform/obs/log.ts';
import { Metrics } from '../../../platform/obs/metrics.ts';
import { decode, encode } from '../../../protocols/arp/codec.ts';
import { UPSTREAM_TIMING } from '../../../protocols/layer2/gratuitous.ts';
import { Announcer } from '../layer2/announcer.ts';
import { speakerMetrics } from '../metrics.ts';
import { OwnerChecks } from './checks.ts';

const SEVEN = 0xc0000207;
const seven: Address = { family: 'IPv4', bits: BigInt(SEVEN) };
const own = Uint8Array.from([2, 0, 0, 0, 0, 2]);
const OTHER = '02:00:00:00:00:99';
const other = Uint8Array.from([2, 0, 0, 0, 0, 0x99]);

let machine: FakeMachine;
let clock: VirtualClock;
let announcer: Announcer;
let checks: OwnerChecks;
let owner: string | undefined;
let live: string[];
let accused: Map<string, string[]>;
const told: string[] = [];
const unheard: string[][] = [];
const lost: string[] = [];
/** Whether the owner answers. */
let answers: boolean;

beforeEach(() => {
  machine = new FakeMachine();
  clock = new VirtualClock();
  for (const list of [told, unheard, lost]) list.length = 0;
  [owner, live, answers] = ['node-b', ['node-a', 'node-b'], true];
  accused = new Map();
  const metrics = speakerMetrics(new Metrics({ defaults: false }));
  const log = createLog({ level: 'none', clock });
  const timing = UPSTREAM_TIMING;
  announcer = new Announcer({ sockets: machine, clock, log, metrics, excluded: () => false, timing });
  const flags = { up: true, carrier: true, broadcast: true, loopback: false, noArp: false, ipv6: false };
  announcer.setLinks(new Map([[2, { index: 2, name: 'eth0', mac: own, ...flags, nets: ['192.0.2.0/24'] }]]));
  checks = new OwnerChecks({
    clock,
    log,
    node: 'node-a',
    announcer,
    metrics,
    owned: () => (owner === undefined ? [] : [{ service: 'a/one', owner, addresses: [seven] }]),
    ownerOf: () => owner,
    live: () => live,
    tell: (service, { reason, message }) => told.push(`${service} ${reason}: ${message}`),
    onUnheard: (macs) => unheard.push([...macs]),
    accused: () => accused,
    onSilent: (name) => lost.push(name),
  });
});

/** Lets time pass; the owner answers questions if it does. How many there were. */
async function pass(ms: number): Promise<number> {
  let asked = 0;
  for (let i = 0; i < ms; i += 50) {
    await clock.advance(50);
    const { sent } = machine.at(machine.socketOn(2) ?? -1);
    for (const frame of sent.splice(0)) {
      const packet = decode(frame);
      if (packet?.senderIp !== 0 || packet.operation !== 1) continue;
      asked++;
      const reply = { destination: own, source: other, senderMac: other, senderIp: packet.targetIp };
      if (answers) machine.receiveOn(2, encode({ ...reply, operation: 2, targetMac: own, targetIp: 0 }));
    }
  }
  return asked;
}

describe('checks of another owner', () => {
  it('ask, and tell the Service and the others when it no longer answers, and when it does again', async () => {
    checks.start();
    expect(await pass(60_000)).toBe(6);
    expect([told, unheard]).toEqual([[], []]);
    answers = false;
    await pass(20_000);
    const message = 'address "192.0.2.7" is not answered for by its node "node-b", as node "node-a" hears it';
    expect([told, unheard]).toEqual([[`a/one AddressSilent: ${message}`], [[OTHER]]]);
    answers = true;
    await pass(20_000);
    expect(unheard).toEqual([[OTHER], []]);
    checks.close();
    expect(clock.timers).toBe(0);
  });

  it('end with the ring, and with the owner', async () => {
    checks.start();
    live = ['node-a'];
    await pass(20_000);
    expect(await pass(60_000)).toBe(0);
    live = ['node-a', 'node-b'];
    await pass(20_000);
    owner = undefined;
    expect(await pass(60_000)).toBeLessThan(2);
    expect(told).toEqual([]);
  });

  it('take nobody for silent whose address has moved since, to this node least of all', async () => {
    checks.start();
    await pass(20_000);
    answers = false;
    announcer.claim(seven, 'a/one', 'all');
    await pass(9_000);
    expect([told, unheard]).toEqual([[], []]);
  });
});

describe('what others do not hear of this node', () => {
  it('is opened anew, and given up when two of them still do not hear it', async () => {
    checks.start();
    const socket = machine.socketOn(2);
    accused.set('02:00:00:00:00:02', ['node-b', 'node-c']);
    checks.heed();
    expect(machine.socketOn(2)).not.toBe(socket);
    await pass(20_000);
    expect(lost).toEqual([]);
    await pass(20_000);
    expect(lost[0]).toBe('eth0');
  });

  it('stays when only one of them says so, which may be deaf; and what is not ours concerns us not', async () => {
    checks.start();
    const socket = machine.socketOn(2);
    accused.set(OTHER, ['node-b', 'node-c']);
    await pass(40_000);
    expect(machine.socketOn(2)).toBe(socket);
    accused.set('02:00:00:00:00:02', ['node-b']);
    await pass(55_000);
    expect(lost).toEqual([]);
    expect(machine.socketOn(2)).not.toBe(socket);
  });
});
