import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Announced } from '../layer2/announced.ts';
import { BROADCAST, decode, encode, type Packet } from './codec.ts';
import { drops } from './events.ts';
import { announcing, asked, client, own, question } from './frames.rig.ts';
import { replyBuffer, respond, target } from './respond.ts';

const face = { name: 'eth0', mac: own };

function ask(change: Partial<Packet> = {}, announced = announcing()) {
  const frame = asked(change);
  const reply = replyBuffer();
  const verdict = respond({ frame, length: frame.length }, { face, announced }, reply);
  return { verdict, reply, announced, frame };
}

describe('answering ARP requests', () => {
  it('says that an announced address is at the MAC of the interface, to whoever asked', () => {
    const { verdict, reply } = ask();
    expect(verdict).toBe('reply');
    expect(decode(reply)).toEqual({
      destination: client,
      source: own,
      operation: 2,
      senderMac: own,
      senderIp: 0xc0000207,
      targetMac: client,
      targetIp: 0xc0000201,
    });
  });

  it('answers a question that was sent to this interface alone', () => {
    expect(ask({ destination: own }).verdict).toBe('reply');
  });

  it('answers a check whether the address is free', () => {
    const { verdict, reply } = ask({ senderIp: 0 });
    expect([verdict, decode(reply)?.targetIp]).toEqual(['reply', 0]);
  });

  it('answers to the MAC in the question, not to the one that forwarded it', () => {
    expect(decode(ask({ source: Uint8Array.from([2, 0, 0, 0, 0, 3]) }).reply)?.destination).toEqual(client);
  });

  it.each([
    ['not-request', { operation: 2 }],
    ['not-request', { operation: 0x0101 }],
    ['other-destination', { destination: client }],
    ['other-destination', { destination: Uint8Array.from([1, 0, 0x5e, 0, 0, 1]) }],
    ['not-announced', { targetIp: 0xc0000209 }],
    ['other-interface', { targetIp: 0xc0000208 }],
    ['own-question', { senderMac: own }],
    ['malformed', { senderMac: BROADCAST }],
  ] as const)('drops with the reason %s', (reason, change) => {
    const { verdict, reply, announced } = ask(change);
    expect(verdict).toBe(reason);
    expect(reply).toEqual(replyBuffer());
    expect([...announced.all()].every((a) => a.counts.requests === 0)).toBe(true);
  });

  it('keeps silent about an address that it has yielded, until it takes it back', () => {
    const announced = announcing();
    announced.setSilent('192.0.2.7', true);
    expect(ask({}, announced).verdict).toBe('yielded');
    announced.setSilent('192.0.2.7', false);
    expect(ask({}, announced).verdict).toBe('reply');
  });

  it('believes the length that the socket gave, not the size of the buffer', () => {
    const buffer = new Uint8Array(128);
    buffer.set(encode(question));
    const at = { face, announced: announcing() };
    expect(respond({ frame: buffer, length: 41 }, at, replyBuffer())).toBe('malformed');
    expect(respond({ frame: buffer, length: 42 }, at, replyBuffer())).toBe('reply');
    expect(respond({ frame: buffer, length: 60 }, at, replyBuffer())).toBe('reply');
  });

  it('counts requests, and leaves it to whoever sends the answer to count that', () => {
    const { announced, frame } = ask();
    const asked = target(frame, announced);
    expect(asked).toBe(announced.ipv4(0xc0000207));
    expect(asked?.counts).toMatchObject({ requests: 1, replies: 0 });
    expect(target(frame, new Announced())).toBeUndefined();
  });

  it('uses one buffer again without leaving traces of the last answer', () => {
    const announced = announcing();
    const reply = replyBuffer();
    for (const last of [3, 4]) {
      const mac = Uint8Array.from([2, 0, 0, 0, 0, last]);
      const frame = encode({ ...question, senderMac: mac, senderIp: 0xc0000200 + last });
      respond({ frame, length: frame.length }, { face, announced }, reply);
      expect(decode(reply)).toMatchObject({ destination: mac, targetMac: mac, targetIp: 0xc0000200 + last });
    }
  });

  it('gives a reason or a valid answer to any frame, and never throws', () => {
    const at = { face, announced: announcing() };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (frame, length) => {
        const verdict = respond({ frame, length: Math.min(length, frame.length) }, at, replyBuffer());
        expect(drops).toContain(verdict);
      }),
    );
    const good = encode(question);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(41), fc.nat(255)), { maxLength: 4 }), (patches) => {
        const frame = good.slice();
        for (const [index, value] of patches) frame[index] = value;
        const reply = replyBuffer();
        const verdict = respond({ frame, length: frame.length }, at, reply);
        if (verdict !== 'reply') expect(drops).toContain(verdict);
        else expect(decode(reply)).toMatchObject({ operation: 2, senderIp: 0xc0000207, senderMac: own });
      }),
    );
  });
});
