import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mutated } from '../corpus.rig.ts';
import { decode, FRAME_LENGTH, gratuitous } from './codec.ts';
import { drops } from './events.ts';
import { announcing, asked, client, own, SEVEN } from './frames.rig.ts';
import { claimant, otherOwner } from './other.ts';
import { replyBuffer, respond } from './respond.ts';

const corpus = [
  asked(),
  asked({ destination: own }),
  asked({ senderIp: 0 }),
  asked({ operation: 2, targetMac: own }),
  ...gratuitous(SEVEN, client),
  // Padded as hosts do, and tagged.
  Uint8Array.from([...asked(), ...new Uint8Array(18)]),
  Uint8Array.from([...asked().subarray(0, 12), 0x81, 0, 0, 5, ...asked().subarray(12)]),
];

/** The buffer of a socket: what was in it before stays behind the frame. */
const buffer = new Uint8Array(2_048);

it('any frame gets a reason or a valid answer, and makes no owner of whoever is none', () => {
  const announced = announcing();
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
        expect(read).toMatchObject({ operation: 1, targetIp: SEVEN });
        expect(reply).toHaveLength(FRAME_LENGTH);
        expect(decode(reply)).toMatchObject({
          source: own,
          operation: 2,
          senderMac: own,
          senderIp: SEVEN,
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
