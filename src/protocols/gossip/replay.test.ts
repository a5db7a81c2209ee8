import { expect, it } from 'vitest';
import { seededRandom } from '../../platform/obs/random.ts';
import { accuse, alive, at, PLAIN } from './machine.rig.ts';
import { encodeMessage } from './messages.ts';
import { encodePacket } from './packet.ts';
import { Ring } from './ring.rig.ts';

it('packets of a whole life, a crash and a farewell in it, change nothing when somebody sends them all again', () => {
  const ring = new Ring({ members: 4, seed: 7 });
  const packets: Uint8Array[] = [];
  ring.tap = (packet) => packets.push(packet.slice());
  ring.run(2_000);
  ring.crash('n1');
  ring.run(3_000);
  ring.start('n1');
  ring.leave('n2');
  ring.run(1_000);
  ring.crash('n2');
  ring.start('n2');
  ring.run(3_000);
  expect(ring.agreed).toBe(true);
  ring.tap = () => {};
  expect(packets.length).toBeGreaterThan(900);

  const since = ring.now;
  const random = seededRandom(11);
  for (const packet of packets) {
    for (const name of ring.running) ring.inject(name, packet);
    if (random.next() < 0.1) ring.run(1);
  }
  ring.run(2_000);
  expect(ring.agreed).toBe(true);
  expect(ring.changes('died', { since })).toEqual([]);
  expect(ring.changes('left', { since })).toEqual([]);
});

// Without a key, anybody may say anything: the accused answers for itself.
it.each([
  ['dead by another', accuse('dead', 1, { by: 3, incarnation: 50 })],
  ['dead by its own word, as in a farewell', accuse('dead', 1, { by: 1, incarnation: 50 })],
  ['suspect', accuse('suspect', 1, { by: 3, incarnation: 50 })],
  ['alive elsewhere', alive(1, 50, at(77))],
])('a lie about a member, %s, does not outlast its objection', (_, lie) => {
  const ring = new Ring({ members: 4, seed: 3 });
  ring.run(1_000);
  for (const name of ring.running)
    ring.inject(name, encodePacket([encodeMessage(lie)], PLAIN, { checksum: false }));
  const took = ring.runUntil(() => ring.agreed, 10_000);
  expect(took).toBeLessThan(1_000);
  ring.run(3_000);
  expect(ring.agreed).toBe(true);
});

it('one that stood still for a minute is a member again at once, and takes nobody for dead', () => {
  const ring = new Ring({ members: 4, seed: 5 });
  ring.run(1_000);
  ring.stall('n1', 60_000);
  ring.run(59_000);
  expect(ring.view('n0', 'n1')).toBe('dead');
  const took = ring.runUntil(() => ring.agreed && !ring.still('n1'), 10_000);
  expect(took).toBeLessThan(3_000);
  const since = ring.now;
  ring.run(5_000);
  expect(ring.changes('died', { since })).toEqual([]);
});
