import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressFromBytes, parseAddress } from '../../domain/ip/address.ts';
import { mutated } from '../corpus.rig.ts';
import { Announced } from '../layer2/announced.ts';
import { decode, FRAME_LENGTH, seal, unsolicited, wellFormed } from './codec.ts';
import { drops } from './events.ts';
import { asked, client, ip6, own, recorded } from './frames.rig.ts';
import { claimant, otherOwner } from './other.ts';
import { replyBuffer, respond } from './respond.ts';

const OURS = '2001:db8::7';
const corpus = [
  Uint8Array.from(recorded.question),
  Uint8Array.from(recorded.probe),
  asked({ options: [] }),
  asked({
    options: [
      { type: 14, value: new Uint8Array(6) },
      { type: 1, value: client },
    ],
  }),
  asked({ destination: own, to: ip6(OURS) }),
  unsolicited(ip6(OURS), client),
];
/** The buffer of a socket: what was in it before stays behind the frame. */
const buffer = new Uint8Array(2_048);

it('any frame gets a reason or a valid answer, and makes no owner of whoever is none', () => {
  const announced = new Announced();
  const address = parseAddress(OURS);
  if (address) announced.claim(address, 'default/web', 'all');
  const face = { name: 'eth0', mac: own };
  const seen = new Set<string>();
  fc.assert(
    fc.property(mutated(corpus), fc.boolean(), (bytes, sealed) => {
      const length = Math.min(bytes.length, buffer.length);
      buffer.set(bytes.subarray(0, length));
      // Whoever means harm sends a good checksum.
      if (sealed && wellFormed(buffer, length)) seal(buffer.subarray(0, length));
      const frame = buffer;
      const reply = replyBuffer();
      const verdict = respond({ frame, length }, { face, announced }, reply);
      seen.add(verdict);
      if (verdict === 'reply') {
        const read = decode(frame.subarray(0, length));
        expect(read).toMatchObject({ type: 135, hopLimit: 255 });
        expect(reply).toHaveLength(FRAME_LENGTH);
        const answer = decode(reply);
        expect(answer).toMatchObject({ source: own, type: 136, hopLimit: 255 });
        expect(addressFromBytes(answer?.target ?? new Uint8Array(16))).toEqual(address);
      } else {
        expect(drops).toContain(verdict);
      }
      const others = { announced, face, isOwn: () => false };
      const other = otherOwner({ frame, length }, others);
      if (other || claimant({ frame, length })) expect(wellFormed(frame, length)).toBe(true);
    }),
    { numRuns: 2_000, examples: corpus.map((frame) => [frame, false]) },
  );
  expect(seen.has('reply')).toBe(true);
});
