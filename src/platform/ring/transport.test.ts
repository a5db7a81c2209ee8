import { describe, expect, it } from 'vitest';
import { systemClock } from '../obs/clock.ts';
import { type Endpoint, Transport } from './transport.ts';

interface Side {
  readonly transport: Transport;
  readonly packets: string[];
  readonly streams: string[];
  /** Resolves when the list of events is as long as that. */
  events(count: number): Promise<readonly string[]>;
}

async function side(o: { timeoutMs?: number; maxStreams?: number; answer?: string } = {}): Promise<Side> {
  const packets: string[] = [];
  const streams: string[] = [];
  const waiting: { count: number; resolve: (all: readonly string[]) => void }[] = [];
  const all = () => [...packets, ...streams];
  const tell = (list: string[], text: string): void => {
    list.push(text);
    for (const each of waiting) if (all().length >= each.count) each.resolve(all());
  };
  const transport = await Transport.open({
    at: { address: '127.0.0.1', port: 0 },
    clock: systemClock,
    streamTimeoutMs: o.timeoutMs ?? 5_000,
    maxStreams: o.maxStreams ?? 10,
    onPacket: (bytes, from) => tell(packets, `${Buffer.from(bytes)} from ${from.port}`),
    onStream: (stream, bytes) => {
      tell(streams, `${stream}: ${Buffer.from(bytes)}`);
      if (o.answer === undefined) return;
      transport.reply(stream, Buffer.from(o.answer));
      transport.hangUp(stream);
    },
    onClosed: (stream) => tell(streams, `${stream} closed`),
    onTrouble: (error) => tell(streams, error.message),
  });
  return {
    transport,
    packets,
    streams,
    events: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
        if (all().length >= count) resolve(all());
      }),
  };
}

async function pair(o: Parameters<typeof side>[0], run: (a: Side, b: Side, to: Endpoint) => Promise<void>) {
  const a = await side();
  const b = await side(o);
  try {
    await run(a, b, b.transport.at);
  } finally {
    await a.transport.close();
    await b.transport.close();
  }
}

describe('the transport of a ring', () => {
  it('sends packets and says where they came from', () =>
    pair({}, async (a, b, to) => {
      a.transport.send(to, Buffer.from('hello'));
      expect(await b.events(1)).toEqual([`hello from ${a.transport.at.port}`]);
    }));

  it('says so when a packet cannot be sent, and sends the next one', () =>
    pair({}, async (a, b, to) => {
      a.transport.send({ address: '255.255.255.255', port: to.port }, Buffer.from('to everybody'));
      const [trouble] = await a.events(1);
      expect(trouble).toContain('EACCES');
      a.transport.send(to, Buffer.from('hello'));
      expect(await b.events(1)).toEqual([`hello from ${a.transport.at.port}`]);
    }));

  it('dials on the same port, writes, and hears the answer', () =>
    pair({ answer: 'yes' }, async (a, b, to) => {
      a.transport.dial('mine', to, { bytes: Buffer.from('well?'), timeoutMs: 5_000 });
      expect(await a.events(2)).toEqual(['mine: yes', 'mine closed']);
      expect(b.streams[0]).toBe('accepted 1: well?');
    }));

  it('says so when nobody listens', () =>
    pair({}, async (a, b, to) => {
      await b.transport.close();
      a.transport.dial('mine', to, { bytes: Buffer.from('well?'), timeoutMs: 5_000 });
      expect(await a.events(1)).toEqual(['mine closed']);
    }));

  it('gives up a stream on which nothing comes, on either side', () =>
    pair({ timeoutMs: 5_000 }, async (a, b, to) => {
      a.transport.dial('mine', to, { bytes: Buffer.from('well?'), timeoutMs: 20 });
      expect(await a.events(1)).toEqual(['mine closed']);
      expect(await b.events(2)).toEqual(['accepted 1: well?', 'accepted 1 closed']);
    }));

  it('accepts no more streams than it may', () =>
    pair({ maxStreams: 1 }, async (a, b, to) => {
      a.transport.dial('one', to, { bytes: Buffer.from('1'), timeoutMs: 5_000 });
      await b.events(1);
      a.transport.dial('two', to, { bytes: Buffer.from('2'), timeoutMs: 5_000 });
      expect(await a.events(1)).toEqual(['two closed']);
      expect(b.streams).toEqual(['accepted 1: 1']);
    }));

  it('is refused a port that is taken', () =>
    pair({}, async (a) => {
      const at = a.transport.at;
      await expect(
        Transport.open({
          at,
          clock: systemClock,
          streamTimeoutMs: 1,
          maxStreams: 1,
          onPacket: () => {},
          onStream: () => {},
          onClosed: () => {},
          onTrouble: () => {},
        }),
      ).rejects.toThrow(/EADDRINUSE/);
    }));

  it('leaves nothing behind when it is closed, not even twice', () =>
    pair({}, async (a, _, to) => {
      a.transport.dial('mine', to, { bytes: Buffer.from('well?'), timeoutMs: 60_000 });
      await a.transport.close();
      await a.transport.close();
      a.transport.send(to, Buffer.from('nothing'));
      a.transport.dial('late', to, { bytes: Buffer.from('nothing'), timeoutMs: 1 });
      expect(a.streams).toEqual([]);
    }));
});
