/**
 * A client on the local network, run inside its namespace: `client.ts '{"interface": "eth0", ...}'`. With `flood` it asks
 * for all of `ips` in turn at a rate, for a time, and counts. With `ips` it asks
 * for each of them every `everyMs` until it gets SIGTERM; with `frames` it sends those (hex) and listens for `waitMs`. In the end it prints
 * one JSON object, a Report.
 */

import { formatMac } from '../../src/domain/ip/mac.ts';
import { libcSockets } from '../../src/platform/linux/libc.ts';
import { LinkWatch } from '../../src/platform/linux/links.ts';
import type { Link } from '../../src/platform/linux/netlink.ts';
import { AF_PACKET, SOCK_RAW } from '../../src/platform/linux/sockets.ts';
import { systemClock } from '../../src/platform/obs/clock.ts';
import { BROADCAST, decode, encode, REPLY, REQUEST } from '../../src/protocols/arp/codec.ts';

export interface Wish {
  readonly interface: string;
  readonly ips?: readonly number[];
  readonly everyMs?: number;
  readonly frames?: readonly string[];
  readonly waitMs?: number;
  readonly flood?: { readonly perSecond: number; readonly seconds: number };
}

/** One question: when it was asked (ms since the client began), and by whom it was answered after how long. */
export interface Question {
  readonly ip: number;
  readonly at: number;
  readonly answers: { readonly mac: string; readonly after: number }[];
}

/** An ARP packet about which nobody here asked: op, who says so, and when. */
export interface Heard {
  readonly at: number;
  readonly operation: number;
  readonly mac: string;
  readonly ip: number;
  /** Whom it is for; the same as `ip` when it is gratuitous. */
  readonly target: number;
}

export interface Report {
  /** Wall time at which `at` is 0, milliseconds since 1970. */
  readonly origin: number;
  readonly flood?: { readonly sent: number; readonly answered: number; readonly seconds: number };
  readonly questions: readonly Question[];
  readonly heard: readonly Heard[];
}

/** Questions carry a number as their sender address, 0.x.y.z, which no host has: each answer names its question. */
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

/** A packet socket that hears all ARP on the interface. */
function openAll(index: number): number {
  const bind = new Uint8Array(20);
  const view = new DataView(bind.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, 0x0806, false);
  view.setInt32(4, index, true);
  return sockets.open({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0, receiveBuffer: 8 << 20, bind });
}

const sockets = libcSockets();
const wish: Wish = JSON.parse(process.argv[2] ?? '{}');
const link = await linkOf(wish.interface);
const fd = openAll(link.index);
const questions: Question[] = [];
const heard: Heard[] = [];
const start = performance.now();
const origin = performance.timeOrigin + start;
let flooded: Report['flood'];
const now = () => performance.now() - start;

function take(frame: Uint8Array): void {
  const packet = decode(frame);
  if (!packet) return;
  const mac = formatMac(packet.senderMac);
  const question = packet.targetIp < NUMBERS ? questions[packet.targetIp - 1] : undefined;
  const at = now();
  if (packet.operation === REPLY && question?.ip === packet.senderIp)
    question.answers.push({ mac, after: at - question.at });
  else if (mac !== formatMac(link.mac))
    heard.push({ at, operation: packet.operation, mac, ip: packet.senderIp, target: packet.targetIp });
}

const buffer = new Uint8Array(128);
function drain(): void {
  for (let length = sockets.receive(fd, buffer); length >= 0; length = sockets.receive(fd, buffer)) {
    take(buffer.subarray(0, length));
  }
}
const watcher = sockets.watch(fd, {
  onReadable: wish.flood ? () => {} : drain,
  onBroken: (error) => console.error(error),
});

function ask(ip: number): void {
  questions.push({ ip, at: now(), answers: [] });
  const frame = {
    destination: BROADCAST,
    source: link.mac,
    senderMac: link.mac,
    targetMac: new Uint8Array(6),
  };
  sockets.send(fd, encode({ ...frame, operation: REQUEST, senderIp: questions.length, targetIp: ip }));
}

/** Sends in small batches on the clock, counting answers without looking further into them. */
async function flood(
  ips: readonly number[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<void> {
  const frames = ips.map((targetIp) =>
    encode({
      destination: BROADCAST,
      source: link.mac,
      senderMac: link.mac,
      targetMac: new Uint8Array(6),
      operation: REQUEST,
      senderIp: 1,
      targetIp,
    }),
  );
  const began = now();
  let sent = 0;
  let answered = 0;
  const count = (): void => {
    while (sockets.receive(fd, buffer) >= 0) if (buffer[21] === REPLY) answered++;
  };
  while (now() - began < seconds * 1_000) {
    const due = Math.min(sent + 64, Math.floor(((now() - began) / 1_000) * perSecond));
    for (; sent < due; sent++) {
      const frame = frames[sent % frames.length];
      if (frame) sockets.send(fd, frame);
    }
    count();
  }
  const took = (now() - began) / 1_000;
  await new Promise((resolve) => setTimeout(resolve, 200));
  count();
  flooded = { sent, answered, seconds: took };
}

function end(): void {
  drain();
  watcher.close();
  const report: Report = { origin, questions, heard, ...(flooded && { flood: flooded }) };
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
}

/** Answers to the last questions are still under way. */
const stop = (): void => void setTimeout(end, 100);
process.on('SIGTERM', stop);
process.stderr.write('ready\n');
if (wish.flood) {
  await flood(wish.ips ?? [], wish.flood);
  end();
} else if (wish.ips) {
  const timer = setInterval(() => wish.ips?.forEach(ask), wish.everyMs ?? 5);
  process.on('SIGTERM', () => clearInterval(timer));
} else {
  for (const hex of wish.frames ?? []) sockets.send(fd, Buffer.from(hex, 'hex'));
  if (wish.waitMs !== undefined) setTimeout(end, wish.waitMs);
}
