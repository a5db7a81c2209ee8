/**
 * A client on the local network, run inside its namespace; its Wish is the JSON that it reads from its input. With `flood` it asks
 * for all of `ips` in turn at a rate, for a time, and counts. With `ips` it asks
 * for each of them every `everyMs` until it gets SIGTERM; with `frames` it sends those (hex) and listens for `waitMs`. In the end it prints
 * one JSON object, a Report. With `live`, too, it reads a Command from each further line of its input and answers each by a line: so
 * one client watches a whole test. IPv4 is asked for by ARP, IPv6 by neighbour solicitation; it listens to both.
 */

import { createInterface } from 'node:readline';
import { addressBytes, addressFromBytes, formatAddress, parseAddress } from '../../src/domain/ip/address.ts';
import { formatMac } from '../../src/domain/ip/mac.ts';
import { libcSockets } from '../../src/platform/linux/libc.ts';
import { LinkWatch } from '../../src/platform/linux/links.ts';
import type { Link } from '../../src/platform/linux/netlink.ts';
import { AF_PACKET, SOCK_RAW } from '../../src/platform/linux/sockets.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import * as arp from '../../src/protocols/arp/codec.ts';
import * as ndp from '../../src/protocols/ndp/codec.ts';
import { solicitedNode } from '../../src/protocols/ndp/groups.ts';
import { arrivedAt } from './arrival.ts';

export interface Wish {
  readonly interface: string;
  readonly ips?: readonly string[];
  readonly everyMs?: number;
  readonly frames?: readonly string[];
  readonly waitMs?: number;
  /** `frames` (hex): those in place of questions. */
  readonly flood?: {
    readonly perSecond: number;
    readonly seconds: number;
    readonly frames?: readonly string[];
  };
  readonly live?: boolean;
}

/**
 * - forget: nothing from before counts any more; the answer is empty
 * - take: a Report of all since then
 * - owners: who answered the latest questions, Owners
 */
export type Command = 'forget' | 'take' | 'owners';
/** By address, all that answered one of the ten questions before the last 20 ms; none when nobody did, or fewer were asked. */
export type Owners = Readonly<Record<string, readonly string[]>>;

/** One question: when it was asked (ms since the client began), and by whom it was answered after how long. */
export interface Question {
  readonly ip: string;
  readonly at: number;
  readonly answers: { readonly mac: string; readonly after: number }[];
}

/** A packet about which nobody here asked: what it is, who says so, and when. */
export interface Heard {
  readonly at: number;
  /** Of ARP the operation, of IPv6 the ICMP type. */
  readonly operation: number;
  readonly mac: string;
  /** The address that it is about. */
  readonly ip: string;
  /** Whom it is for. Gratuitous ARP: the address itself; unsolicited advertisements: ff02::1. */
  readonly target: string;
  /** Of an advertisement. */
  readonly flags?: number;
}

export interface Report {
  /** Wall time at which `at` is 0, milliseconds since 1970. */
  readonly origin: number;
  readonly flood?: { readonly sent: number; readonly answered: number; readonly seconds: number };
  readonly questions: readonly Question[];
  readonly heard: readonly Heard[];
}

/** ARP questions carry a number as their sender address, 0.x.y.z, which no host has: each answer names its question. */
const NUMBERS = 1 << 24;

function linkOf(name: string): Promise<Link> {
  return new Promise((resolve, reject) => {
    const watch = new LinkWatch({
      sockets,
      clock: systemClock,
      onChange: (links) => {
        const found = [...links.values()].find((link) => link.name === name);
        if (!found) return;
        watch.close();
        resolve(found);
      },
      onTrouble: reject,
    });
  });
}

/** A packet socket that hears everything of an ethertype on the interface. */
function openAll(index: number, ethertype: number): number {
  const bind = new Uint8Array(20);
  const view = new DataView(bind.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ethertype, false);
  view.setInt32(4, index, true);
  return sockets.open({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0, receiveBuffer: 8 << 20, bind });
}

const sockets = libcSockets();
const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const wish: Wish = JSON.parse((await lines.next()).value ?? '{}');
const link = await linkOf(wish.interface);
const fds = [openAll(link.index, 0x0806), openAll(link.index, 0x86dd)];
const [sender = -1] = fds;
let questions: Question[] = [];
let heard: Heard[] = [];
/** How many questions were asked before those. */
let forgotten = 0;
const start = performance.now();
const origin = performance.timeOrigin + start;
let flooded: Report['flood'];
const now = () => performance.now() - start;

interface Told extends Omit<Heard, 'at'> {
  /** Number of the question that it answers; 0 for none. */
  readonly number: number;
}

function read(frame: Uint8Array): Told | undefined {
  return frame[12] === 0x08 ? readArp(frame) : readNdp(frame);
}

function readArp(frame: Uint8Array): Told | undefined {
  const packet = arp.decode(frame);
  if (!packet) return undefined;
  const { operation, targetIp } = packet;
  const text = (ip: number) => formatAddress({ family: 'IPv4', bits: BigInt(ip) });
  return {
    number: operation === arp.REPLY && targetIp < NUMBERS ? targetIp : 0,
    operation,
    mac: formatMac(packet.senderMac),
    ip: text(packet.senderIp),
    target: text(targetIp),
  };
}

function readNdp(frame: Uint8Array): Told | undefined {
  const packet = ndp.decode(frame);
  if (!packet) return undefined;
  const { type, to, target, flags, options, source } = packet;
  const mac = options.find((option) => option.type === ndp.TARGET_MAC)?.value ?? source;
  const text = (ip: Uint8Array) => formatAddress(addressFromBytes(ip));
  // The source address of a question is fe80::NUMBER.
  const number = type === ndp.ADVERTISEMENT && to[0] === 0xfe ? new DataView(to.buffer).getUint32(12) : 0;
  return { number, operation: type, mac: formatMac(mac), ip: text(target), target: text(to), flags };
}

function take(frame: Uint8Array, at: number): void {
  const told = read(frame);
  if (!told) return;
  const { number, ...rest } = told;
  const question = questions[number - 1 - forgotten];
  if (question?.ip === told.ip) question.answers.push({ mac: told.mac, after: at - question.at });
  else if (told.mac !== formatMac(link.mac)) heard.push({ at, ...rest });
}

const buffer = new Uint8Array(2_048);
function drain(fd: number): void {
  // The wall's clock may be set while a test runs, and `now` is not.
  const ahead = Date.now() - now();
  for (let length = sockets.receive(fd, buffer); length >= 0; length = sockets.receive(fd, buffer)) {
    const arrived = arrivedAt(fd);
    take(buffer.subarray(0, length), arrived === undefined ? now() : arrived - ahead);
  }
}
const watchers = fds.map((fd) =>
  sockets.watch(fd, {
    onReadable: wish.flood ? () => {} : () => drain(fd),
    onBroken: (error) => console.error(error),
  }),
);

/** A question for an address, with a number that its answer will carry. */
function question(ip: string, number: number): Uint8Array {
  const address = parseAddress(ip);
  if (!address) throw new Error(ip);
  const source = link.mac;
  if (address.family === 'IPv4')
    return arp.encode({
      destination: arp.BROADCAST,
      source,
      operation: arp.REQUEST,
      senderMac: source,
      senderIp: number,
      targetMac: new Uint8Array(6),
      targetIp: Number(address.bits),
    });
  const target = addressBytes(address);
  const to = solicitedNode(target);
  return ndp.encode({
    destination: Uint8Array.of(0x33, 0x33, ...to.subarray(12)),
    source,
    hopLimit: ndp.HOP_LIMIT,
    from: addressBytes({ family: 'IPv6', bits: (0xfe80n << 112n) | BigInt(number) }),
    to,
    type: ndp.SOLICITATION,
    flags: 0,
    target,
    options: [{ type: ndp.SOURCE_MAC, value: source }],
  });
}

function ask(ip: string): void {
  questions.push({ ip, at: now(), answers: [] });
  sockets.send(sender, question(ip, forgotten + questions.length));
}

/** Sends in small batches on the clock, counting answers without looking further into them. */
async function flood(
  ips: readonly string[],
  { perSecond, seconds, frames: others }: NonNullable<Wish['flood']>,
): Promise<void> {
  const frames = others?.map((hex) => Buffer.from(hex, 'hex')) ?? ips.map((ip) => question(ip, 1));
  const began = now();
  let sent = 0;
  let answered = 0;
  const isAnswer = () => (buffer[12] === 0x08 ? buffer[21] === arp.REPLY : buffer[54] === ndp.ADVERTISEMENT);
  const count = (): void => {
    for (const fd of fds) while (sockets.receive(fd, buffer) >= 0) if (isAnswer()) answered++;
  };
  while (now() - began < seconds * 1_000) {
    const due = Math.min(sent + 64, Math.floor(((now() - began) / 1_000) * perSecond));
    for (; sent < due; sent++) {
      const frame = frames[sent % frames.length];
      if (frame) sockets.send(sender, frame);
    }
    count();
  }
  const took = (now() - began) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, 200));
  count();
  flooded = { sent, answered, seconds: took };
}

const report = (): Report => ({ origin, questions, heard, ...(flooded && { flood: flooded }) });

function end(): void {
  for (const fd of fds) drain(fd);
  for (const watcher of watchers) watcher.close();
  process.stdout.write(JSON.stringify(report()), () => process.exit(0));
}

const LATEST = 10;
const UNDER_WAY_MS = 20;
function owners(): Owners {
  const found = new Map((wish.ips ?? []).map((ip) => [ip, { asked: 0, macs: new Set<string>() }]));
  let missing = found.size;
  for (let i = questions.length - 1; i >= 0 && missing > 0; i--) {
    const { ip, at, answers } = questions[i] ?? { ip: '', at: 0, answers: [] };
    const one = found.get(ip);
    if (!one || one.asked === LATEST || now() - at < UNDER_WAY_MS) continue;
    for (const { mac } of answers) one.macs.add(mac);
    if (++one.asked === LATEST) missing--;
  }
  return Object.fromEntries(
    [...found].map(([ip, { asked, macs }]) => [ip, asked === LATEST ? [...macs] : []]),
  );
}

function obey(command: Command): unknown {
  for (const fd of fds) drain(fd);
  if (command === 'take') return report();
  if (command === 'owners') return owners();
  forgotten += questions.length;
  [questions, heard] = [[], []];
  return {};
}

const LONGEST_WAIT_MS = 1_000;
/** Answers to the last questions may still be under way, for a while where the machine is busy. */
function stop(): void {
  const since = now();
  const look = (): void => {
    for (const fd of fds) drain(fd);
    const answered = questions.slice(-(wish.ips ?? []).length).every(({ answers }) => answers.length > 0);
    if (answered || now() - since > LONGEST_WAIT_MS) end();
    else setTimeout(look, 20);
  };
  setTimeout(look, 100);
}
process.on('SIGTERM', stop);
process.stderr.write('ready\n');
if (wish.flood) {
  await flood(wish.ips ?? [], wish.flood);
  end();
} else if (wish.ips) {
  const timer = setInterval(() => wish.ips?.forEach(ask), wish.everyMs ?? 5);
  process.on('SIGTERM', () => clearInterval(timer));
  if (wish.live) {
    for await (const line of lines) process.stdout.write(`${JSON.stringify(obey(line as Command))}\n`);
    process.exit(0);
  }
} else {
  for (const hex of wish.frames ?? []) sockets.send(sender, Buffer.from(hex, 'hex'));
  if (wish.waitMs !== undefined) setTimeout(end, wish.waitMs);
}
