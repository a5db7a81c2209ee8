import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asked, own } from '../../src/protocols/ndp/frames.rig.ts';
import { until } from '../servers/index.ts';
import type { Question } from './client.ts';
import { type Lab, labAvailable, startLab } from './lab.rig.ts';
import { type Host, macOf } from './network.rig.ts';
import { ownership } from './ownership.ts';
import { startWatch, type Watch } from './watch.rig.ts';

const able = labAvailable();
if (able !== true) console.log(`noise lab skipped: ${able}`);

const WEB = '192.0.2.7';
const WEB_HEX = 'c0000207';
const SIX = '2001:db8::7';
/** More than one client process can send. */
const MOST = 200_000;
const SECONDS = 2;

describe.skipIf(able !== true)('a speaker in noise', () => {
  let lab: Lab;
  let noisy: Host;
  let watch: Watch;
  let mac: string;
  let liar: string;
  let speaker: Awaited<ReturnType<Lab['speaker']>>;
  const plain = (text: string) => text.replaceAll(':', '');

  beforeAll(async () => {
    lab = await startLab();
    const client = await lab.network.client('c');
    noisy = await lab.network.client('d');
    const node = await lab.network.node('node-a');
    await lab.objects.node('node-a');
    await lab.objects.speakerPod('node-a');
    await lab.objects.pool('web', '192.0.2.0/28', '2001:db8::/120');
    await lab.objects.advertisement('web');
    await lab.objects.service('shop', [WEB, SIX], { endpoints: ['node-a'] });
    speaker = await lab.speaker(node);
    mac = await macOf(node, 'lan0');
    liar = await macOf(noisy, 'eth0');
    watch = await startWatch(client, [WEB, SIX]);
    await until('an answer', async () => {
      const owners = await watch.owners();
      return [WEB, SIX].every((ip) => owners[ip]?.length === 1);
    });
  });
  afterAll(async () => {
    watch?.close();
    await lab?.close();
  });

  /** What of the requests that went past the kernel's filter the speaker has dropped, by reason. */
  const dropped = async () =>
    [
      ...(await speaker.metrics()).matchAll(/^\S*dropped\S*total\{[^}]*reason="([^"]+)"[^}]*\} (\d+)/gm),
    ].reduce((sum, [, , count]) => sum + Number(count), 0);
  const about = (ip: string, all: readonly Question[]) => ownership(all.filter((one) => one.ip === ip));
  const noise = async (ip: string, frames: readonly string[]) => {
    await watch.forget();
    let before = -1;
    // What came before may still lie in the socket's buffer.
    await until('calm', async () => {
      const last = before;
      before = await dropped();
      return before === last;
    });
    const { sent } = await lab.flood(noisy, [], { perSecond: MOST, seconds: SECONDS, frames });
    const { questions } = await watch.take();
    return { sent, ...about(ip, questions), read: (await dropped()) - before };
  };
  const header = (to: string, type: string) => `${to}${plain(liar)}${type}`;
  const arp = (operation: number, o: { sender: string; target: string; to?: string }) =>
    `${header(o.to ?? 'ffffffffffff', '0806')}000108000604000${operation}${plain(liar)}${o.sender}000000000000${o.target}`;

  it.each<[string, () => readonly string[]]>([
    [
      'replies to other hosts',
      () => [arp(2, { sender: 'c0000264', target: 'c00002fd', to: '020000000099' })],
    ],
    ['questions to other hosts', () => [arp(1, { sender: 'c0000264', target: WEB_HEX, to: '020000000099' })]],
    [
      'tagged questions',
      () => [arp(1, { sender: 'c0000264', target: WEB_HEX }).replace('0806', '810000050806')],
    ],
    ['frames cut short', () => [arp(1, { sender: 'c0000264', target: WEB_HEX }).slice(0, 40)]],
    ['other protocols to all', () => [`${header('ffffffffffff', '0800')}${'45'.repeat(60)}`]],
  ])('reads nothing of %s, and answers as before', async (what, frames) => {
    const { sent, read, without, asked, unanswered } = await noise(WEB, frames());
    console.log(
      `${what}: ${sent / SECONDS}/s; ${unanswered} of ${asked} unanswered, ${Math.round(without)} ms`,
    );
    expect(sent).toBeGreaterThan(SECONDS * 1_000);
    expect(read).toBeLessThan(sent / 100);
    expect(unanswered).toBeLessThan(asked / 10);
  });

  it.each([
    ['questions about IPv6 that a router has forwarded', asked({ hopLimit: 254 })],
    ['questions about IPv6 to other hosts', asked({ destination: own })],
    ['router solicitations', asked({ type: 133 })],
    ['questions about IPv6 cut short', asked().subarray(0, 50)],
  ])('reads nothing of %s, and answers for IPv6 as before', async (what, frame) => {
    const found = await noise(SIX, [Buffer.from(frame).toString('hex')]);
    console.log(`${what}: ${found.sent / SECONDS}/s; ${found.unanswered} of ${found.asked} unanswered`);
    expect(found.sent).toBeGreaterThan(SECONDS * 1_000);
    expect(found.read).toBeLessThan(found.sent / 100);
    expect(found.unanswered).toBeLessThan(found.asked / 10);
  });

  it.each([
    ['questions', 1],
    ['replies', 2],
  ])('answers while it reads %s to all about addresses that are not its own', async (what, operation) => {
    const frames = Array.from({ length: 200 }, (_, i) =>
      arp(operation, { sender: 'c0000264', target: `c6336${(0x400 + i).toString(16)}` }),
    );
    const { sent, without, asked, unanswered } = await noise(WEB, frames);
    console.log(
      `${what} about others: ${sent / SECONDS}/s; ${unanswered} of ${asked} unanswered, ${Math.round(without)} ms`,
    );
    expect(unanswered).toBeLessThan(asked / 2);
  });

  it('goes on answering for its address though somebody else says, unasked, that it has it', async () => {
    await watch.forget();
    const spoofed = [1, 2].map((operation) => arp(operation, { sender: WEB_HEX, target: WEB_HEX }));
    await lab.send(noisy, Array.from({ length: 50 }, () => spoofed).flat(), 500);
    await until('answers after it', async () => (await watch.take()).questions.length > 200);
    const { last, moves, unanswered } = about(WEB, (await watch.take()).questions.slice(0, -10));
    expect({ last, moves, unanswered }).toEqual({ last: mac, moves: 0, unanswered: 0 });
  });
});
