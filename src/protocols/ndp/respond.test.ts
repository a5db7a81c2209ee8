import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../domain/ip/address.ts';
import { Announced } from '../layer2/announced.ts';
import { decode, type Packet } from './codec.ts';
import { drops } from './events.ts';
import { asked, client, ip6, own, question, recorded } from './frames.rig.ts';
import { replyBuffer, respond, target } from './respond.ts';

const other = Uint8Array.from([2, 0, 0, 0, 0, 3]);
const face = { name: 'eth0', mac: own };
const nobody = new Uint8Array(16);

function announcing(): Announced {
  const announced = new Announced();
  const claim = (text: string, on: 'all' | ReadonlySet<string>) => {
    const address = parseAddress(text);
    if (address) announced.claim(address, `default/${text}`, on);
  };
  claim('2001:db8::7', 'all');
  claim('2001:db8::fe', 'all');
  claim('2001:db8::8', new Set(['eth1']));
  return announced;
}

function put(frame: Uint8Array, announced = announcing()) {
  const reply = replyBuffer();
  const verdict = respond({ frame, length: frame.length }, { face, announced }, reply);
  return { verdict, reply, announced, frame };
}
const ask = (change: Partial<Packet> = {}) => put(asked(change));
const flagsAndAddressee = (reply: Uint8Array) => {
  const read = decode(reply);
  return read && [read.flags, read.destination, read.to];
};

describe('answering neighbour solicitations', () => {
  it('says to a kernel that an announced address is at the MAC of the interface', () => {
    const { verdict, reply } = put(recorded.question);
    expect(verdict).toBe('reply');
    expect(decode(reply)).toEqual({
      destination: client,
      source: own,
      hopLimit: 255,
      from: ip6('2001:db8::7'),
      to: ip6('2001:db8::fe'),
      type: 136,
      // Solicited, override.
      flags: 0x60,
      target: ip6('2001:db8::7'),
      options: [{ type: 2, value: own }],
    });
  });

  it('keeps silent about an address that it has yielded', () => {
    const announced = announcing();
    announced.setSilent('2001:db8::7', true);
    expect(put(recorded.question, announced).verdict).toBe('yielded');
  });

  it('answers a probe of a neighbour that is known, sent to this interface alone', () => {
    expect(ask({ destination: own, to: ip6('2001:db8::7') }).verdict).toBe('reply');
  });

  it('answers to where the frame came from when the question has no link-layer address', () => {
    const { verdict, reply } = ask({ destination: own, to: ip6('2001:db8::7'), source: other, options: [] });
    expect([verdict, decode(reply)?.destination]).toEqual(['reply', other]);
  });

  it('answers to the MAC in the question, not to the one that forwarded it', () => {
    expect(decode(ask({ source: other }).reply)?.destination).toEqual(client);
  });

  it('tells all nodes that an address is taken, unsolicited, when a kernel checks whether it is free', () => {
    const { verdict, reply } = put(recorded.probe);
    expect(verdict).toBe('reply');
    expect(decode(reply)).toMatchObject({
      destination: Uint8Array.from([0x33, 0x33, 0, 0, 0, 1]),
      to: ip6('ff02::1'),
      flags: 0x20,
      target: ip6('2001:db8::fe'),
      options: [{ type: 2, value: own }],
    });
  });

  it('heeds no option but the link-layer address of the asker', () => {
    const nonce = { type: 14, value: new Uint8Array(6) };
    const target = { type: 2, value: other };
    const { reply } = ask({ options: [nonce, target, { type: 1, value: client }] });
    expect(decode(reply)?.destination).toEqual(client);
  });

  it.each<[string, Partial<Packet>]>([
    ['not-solicitation', { type: 136 }],
    ['hop-limit', { hopLimit: 254 }],
    ['hop-limit', { hopLimit: 0 }],
    ['other-destination', { destination: other }],
    ['other-destination', { destination: Uint8Array.from([255, 255, 255, 255, 255, 255]) }],
    ['not-announced', { target: ip6('2001:db8::9') }],
    ['not-announced', { target: ip6('ff02::1') }],
    ['other-interface', { target: ip6('2001:db8::8') }],
    ['own-question', { options: [{ type: 1, value: own }] }],
    ['own-question', { source: own, options: [] }],
    // RFC 4861 7.1.1: a check for a free address goes to the group, and says nothing of its own.
    ['malformed', { from: nobody }],
    ['malformed', { from: nobody, options: [], to: ip6('2001:db8::7') }],
    ['malformed', { from: nobody, options: [], to: ip6('ff02::1') }],
    ['malformed', { from: ip6('ff02::1') }],
    ['malformed', { options: [{ type: 1, value: Uint8Array.from([1, 0, 0x5e, 0, 0, 1]) }] }],
    ['malformed', { options: [{ type: 1, value: new Uint8Array(14) }] }],
    ['malformed', { source: Uint8Array.from([0x33, 0x33, 0, 0, 0, 1]), options: [] }],
  ])('drops with the reason %s: %o', (reason, change) => {
    const { verdict, reply, announced } = ask(change);
    expect(verdict).toBe(reason);
    expect(reply).toEqual(replyBuffer());
    expect([...announced.all()].every((a) => a.counts.requests === 0)).toBe(true);
  });

  it('drops a damaged question', () => {
    const frame = Uint8Array.from(recorded.question);
    frame[56] = (frame[56] ?? 0) ^ 1;
    expect(put(frame).verdict).toBe('checksum');
  });

  it('believes the length that the socket gave, not the size of the buffer', () => {
    const buffer = new Uint8Array(1_514);
    buffer.set(recorded.question);
    const at = { face, announced: announcing() };
    expect(respond({ frame: buffer, length: 85 }, at, replyBuffer())).toBe('malformed');
    expect(respond({ frame: buffer, length: 86 }, at, replyBuffer())).toBe('reply');
    expect(respond({ frame: buffer, length: 120 }, at, replyBuffer())).toBe('reply');
  });

  it('counts requests, and leaves it to whoever sends the answer to count that', () => {
    const { announced, frame } = ask();
    const asked = target(frame, announced);
    expect(asked).toBe(announced.ipv6(question.target, 0));
    expect(asked?.counts).toMatchObject({ requests: 1, replies: 0 });
    expect(target(frame, new Announced())).toBeUndefined();
  });

  it('uses one buffer again without leaving traces of the last answer', () => {
    const announced = announcing();
    const reply = replyBuffer();
    const last: unknown[] = [];
    for (const frame of [recorded.question, recorded.probe, recorded.question]) {
      expect(respond({ frame, length: frame.length }, { face, announced }, reply)).toBe('reply');
      last.push(flagsAndAddressee(reply));
    }
    const toClient = [0x60, client, ip6('2001:db8::fe')];
    expect(last).toEqual([
      toClient,
      [0x20, Uint8Array.from([0x33, 0x33, 0, 0, 0, 1]), ip6('ff02::1')],
      toClient,
    ]);
  });

  it('gives a reason or a valid answer to any frame, and never throws', () => {
    const at = { face, announced: announcing() };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(120), (frame, length) => {
        const verdict = respond({ frame, length: Math.min(length, frame.length) }, at, replyBuffer());
        expect(drops).toContain(verdict);
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(recorded.question, recorded.probe),
        fc.array(fc.tuple(fc.nat(85), fc.nat(255)), { maxLength: 4 }),
        (good, patches) => {
          const frame = Uint8Array.from(good);
          for (const [index, value] of patches) frame[index] = value;
          const reply = replyBuffer();
          const verdict = respond({ frame, length: frame.length }, at, reply);
          if (verdict !== 'reply') expect(drops).toContain(verdict);
          else expect(decode(reply)).toMatchObject({ type: 136, hopLimit: 255, source: own });
        },
      ),
    );
  });
});
