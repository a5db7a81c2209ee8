import { describe, expect, it } from 'vitest';
import { PLAIN } from './machine.rig.ts';
import { encodeMessage } from './messages.ts';
import { decodePacket, encodePacket } from './packet.ts';
import { RECORDED } from './trace.data.rig.ts';
import { feed, machineOf, play, unpackTrace } from './trace.rig.ts';

describe('a member of a real ring, of two speakers of Herald and one of MetalLB', () => {
  const trace = unpackTrace(RECORDED);
  const packets = trace.inputs.flatMap((input) =>
    input.do === 'packet' ? [new Uint8Array(Buffer.from(input.bytes, 'base64'))] : [],
  );

  it('sees them come, crash, come back and go', () => {
    const seen = trace.changes.flatMap(({ change }) =>
      ['joined', 'died', 'left'].includes(change.type) && 'name' in change
        ? [`${change.type} ${change.name}`]
        : [],
    );
    expect(seen.slice(0, 3).sort()).toEqual(['joined n1', 'joined n2', 'joined n3']);
    expect(seen.slice(3)).toEqual(['died n1', 'joined n1', 'left n3', 'left n2']);
  });

  it('sees the same again when it is told the same at the same times', () => {
    expect(play(trace)).toEqual(trace.changes);
  });

  it('drops nothing of what it is told', () => {
    const machine = machineOf(trace);
    const drops = trace.inputs.flatMap(({ now, ...input }) => feed(machine, now, input).drops);
    expect(drops).toEqual([]);
  });

  it('reads packets whose messages it would write in the same way', () => {
    expect(packets.length).toBeGreaterThan(300);
    for (const packet of packets) {
      const { messages, drops } = decodePacket(packet, PLAIN);
      expect([messages.length > 0, drops]).toEqual([true, []]);
      const again = encodePacket(messages.map(encodeMessage), PLAIN, { checksum: false });
      expect(decodePacket(again, PLAIN).messages).toEqual(messages);
    }
  });
});
