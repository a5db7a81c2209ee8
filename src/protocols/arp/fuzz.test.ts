import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mutated } from '../corpus.rig.ts';
import { Announced } from '../layer2/announced.ts';
import { BROADCAST, decode, encode, FRAME_LENGTH, gratuitous, type Packet } from './codec.ts';
import { drops } from './events.ts';
import { claimant, otherOwner } from './other.ts';
import { replyBuffer, respond } from './respond.ts';

const own = Uint8Array.from([2, 0, 0, 0, 0, 1]);
const client = Uint8Array.from([2, 0, 0, 0, 0, 2]);
const OURS = 0xc0000207;
const request: Packet = {
  destination: BROADCAST,
  source: client,
  operation: 1,
  senderMac: client,
  senderIp: 0xc0000201,
  targetMac: new Uint8Array(6),
  targetIp: OURS,
};
const corpus = [
  encode(request),
  encode({ ...request, destination: own }),
  encode({ ...request, senderIp: 0 }),
  encode({ ...request, operation: 2, targetMac: own }),
  ...gratuitous(OURS, client),
  // Padded as hosts do, and tagged.
  Uint8Array.from([...encode(request), ...new Uint8Array(18)]),
  Uint8Array.from([...encode(request).subarray(0, 12), 0x81, 0, 0, 5, ...encode(request).subarray(12)]),
];

/** The buffer of a socket: what was in it before stays behind the frame. */
const buffer = new Uint8Array(2_048);

it('any frame gets a reason or a valid answer, and makes no owner of whoever is none', () => {
  const announced = new Announced();
  announced.claim({ family: 'IPv4', bits: BigInt(OURS) }, 'default/web', 'all');
  const face = { name: 'eth0', mac: own };
  const seen = new Set<string>();
  fc.assert(
    fc.property(mutated(corpus), (bytes) => {
      const length = Math.min(bytes.length, buffer.length);
      buffer.set(bytes.subarray(0, length));
      const frame = buffer;
      const reply = replyBuffer();
      const verdict = respond({ frame, length }, { face, announced }, reply);
      seen.add(verdict);
      if (verdict === 'reply') {
        const read = decode(frame.subarray(0, length));
        expect(read).toMatchObject({ operation: 1, targetIp: OURS });
        expect(reply).toHaveLength(FRAME_LENGTH);
        expect(decode(reply)).toMatchObject({
          source: own,
          operation: 2,
          senderMac: own,
          senderIp: OURS,
          targetMac: read?.senderMac,
        });
      } else {
        expect(drops).toContain(verdict);
      }
      const others = { announced, face, isOwn: () => false };
      const other = otherOwner({ frame, length }, others);
      if (other || claimant({ frame, length })) expect(length).toBeGreaterThanOrEqual(FRAME_LENGTH);
    }),
    { numRuns: 2_000, examples: corpus.map((frame) => [frame]) },
  );
  expect(seen.has('reply')).toBe(true);
});
