import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aesGcm } from '../../platform/ring/cipher.ts';
import { mutated } from '../corpus.rig.ts';
import { drops } from './events.ts';
import { bytes, GOLDEN, RING } from './golden.rig.ts';
import { Keyring } from './keyring.ts';
import { accuse, alive, at, Bench, PLAIN } from './machine.rig.ts';
import { Machine } from './machine.ts';
import { encodeMessage } from './messages.ts';
import type { Output } from './outbox.ts';
import { encodePacket, MAX_PACKET, type Wrapping } from './packet.ts';
import { FAST } from './profile.ts';
import { encodePushPull, encodeStream } from './stream.ts';

const SEALED: Wrapping = { label: '', keyring: new Keyring(aesGcm, [new TextEncoder().encode(RING.key)]) };
/** What members say to each other, about members that the machine knows too. */
const messages = [
  encodeMessage(alive(1, 7)),
  encodeMessage(alive(0, 9)),
  encodeMessage(accuse('suspect', 1, { by: 2 })),
  encodeMessage(accuse('dead', 2, { by: 1 })),
  encodeMessage(accuse('dead', 0, { by: 0 })),
  encodeMessage({ type: 'ping', seq: 3, node: 'n0' }),
  encodeMessage({ type: 'ack', seq: 1 }),
];
const exchange = encodePushPull({ type: 'push-pull', join: false, reports: [] });
const corpusOf = (wrapping: Wrapping) => ({
  packets: [
    ...messages.map((message) => encodePacket([message], wrapping, { checksum: true })),
    encodePacket(messages, wrapping, { checksum: false }),
  ],
  streams: [encodeStream(exchange, wrapping, 'call')],
});

function check(out: Output): void {
  for (const { bytes: packet } of out.packets) expect(packet.length).toBeLessThanOrEqual(MAX_PACKET);
  for (const drop of out.drops) expect(drops).toContain(drop);
}

it('whatever comes in, in the clear, is read or dropped, and the machine goes on', () => {
  const { packets, streams } = corpusOf(PLAIN);
  const golden = Object.values(GOLDEN).map(bytes);
  const input = fc.oneof(
    fc.record({ packet: mutated([...packets, ...golden]) }),
    fc.record({ stream: mutated([...streams, ...golden]), cut: fc.nat(100) }),
  );
  fc.assert(
    fc.property(fc.array(input, { maxLength: 20 }), (inputs) => {
      const bench = new Bench({ peers: 3 });
      const { machine } = bench;
      inputs.forEach((each, i) => {
        if ('packet' in each) {
          bench.last = machine.packet(bench.now, each.packet, at(99));
        } else {
          check(machine.heard(bench.now, `accepted ${i}`, each.stream.subarray(0, each.cut)));
          check(machine.heard(bench.now, `accepted ${i}`, each.stream.subarray(each.cut)));
          bench.last = machine.closed(bench.now, `accepted ${i}`);
        }
        check(bench.last);
        bench.pass(20);
      });
      expect(bench.state(0)).toBe('alive');
      expect(machine.members().length).toBeLessThan(200);
    }),
    { numRuns: 300 },
  );
});

it('whatever comes in with a wrong key, or changed on its way, changes nothing and is not answered', () => {
  const { packets, streams } = corpusOf(SEALED);
  const good = new Set([...packets, ...streams].map((each) => Buffer.from(each).toString('hex')));
  const otherKey = { label: '', keyring: new Keyring(aesGcm, [new Uint8Array(32)]) };
  const foreign = corpusOf(otherKey);
  const inTheClear = corpusOf(PLAIN);
  const input = mutated([...packets, ...streams]).filter(
    (each) => !good.has(Buffer.from(each).toString('hex')),
  );
  const machine = new Machine(
    { name: 'n0', at: at(0), profile: FAST, wrapping: SEALED, random: { next: () => 0 } },
    0,
  );
  machine.packet(0, encodePacket([encodeMessage(alive(1))], SEALED, { checksum: false }), at(1));
  const before = JSON.stringify(machine.members());
  const refuse = (packet: Uint8Array) => {
    const out = machine.packet(0, packet, at(99));
    expect([out.changes, out.replies]).toEqual([[], []]);
    expect(out.drops.length).toBeGreaterThan(0);
    machine.heard(0, 'accepted 1', packet);
    machine.closed(0, 'accepted 1');
    expect(JSON.stringify(machine.members())).toBe(before);
  };
  for (const packet of [...foreign.packets, ...foreign.streams, ...inTheClear.packets, ...inTheClear.streams])
    refuse(packet);
  fc.assert(fc.property(input, refuse), { numRuns: 1_000 });
});
