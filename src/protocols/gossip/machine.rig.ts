import { type Endpoint, endpointText } from './endpoint.ts';
import { Keyring } from './keyring.ts';
import { Machine } from './machine.ts';
import { encodeMessage, type Message, OUR_VERSIONS } from './messages.ts';
import type { Dial, Output } from './outbox.ts';
import { decodePacket, encodePacket, type Wrapping } from './packet.ts';
import { FAST, type Profile } from './profile.ts';

export const PLAIN: Wrapping = {
  label: '',
  keyring: new Keyring({ seal: (_, plain) => plain, open: (_, sealed) => sealed }),
};

/** n0 is the machine under test. */
export const at = (i: number): Endpoint => ({ address: `10.0.0.${i + 10}`, port: 7946 });
export const alive = (i: number, incarnation = 1, where = at(i)): Message => ({
  type: 'alive',
  node: `n${i}`,
  incarnation,
  at: where,
  meta: new Uint8Array(),
  versions: OUR_VERSIONS,
});
/** A member that says so about itself. */
export const described = (i: number, incarnation: number, meta: string): Message => ({
  type: 'alive',
  node: `n${i}`,
  incarnation,
  at: at(i),
  meta: new TextEncoder().encode(meta),
  versions: OUR_VERSIONS,
});
export const accuse = (
  type: 'suspect' | 'dead',
  i: number,
  o: { by: number; incarnation?: number },
): Message => ({
  type,
  node: `n${i}`,
  incarnation: o.incarnation ?? 1,
  from: `n${o.by}`,
});

/** One message on its way: to whom, and what. */
export interface Sent {
  readonly to: string;
  readonly message: Message;
}

/** A machine whose peers are the test itself. */
export class Bench {
  now = 0;
  /** All streams that were asked for while time passed. */
  readonly dials: Dial[] = [];
  readonly machine: Machine;
  /** How often time alone was the event. */
  wakes = 0;
  last: Output;

  constructor(o: { peers?: number; profile?: Profile } = {}) {
    // Chance always picks the first.
    const random = { next: () => 0 };
    const settings = { name: 'n0', at: at(0), profile: o.profile ?? FAST, wrapping: PLAIN, random };
    this.machine = new Machine(settings, 0);
    this.last = this.machine.tick(0);
    for (let i = 1; i <= (o.peers ?? 0); i++) this.take(alive(i));
  }

  /** A packet of one message comes in. */
  take(message: Message, from = at(99)): readonly Sent[] {
    return this.raw(encodePacket([encodeMessage(message)], PLAIN, { checksum: false }), from);
  }

  raw(bytes: Uint8Array, from = at(99)): readonly Sent[] {
    this.last = this.machine.packet(this.now, bytes, from);
    return this.sent(this.last);
  }

  /** Time passes, and all who are asked answer, but for those in `silent`. Returns all that was sent. */
  pass(ms: number, silent: readonly string[] | 'all' = []): readonly Sent[] {
    const all: Sent[] = [];
    const end = this.now + ms;
    for (;;) {
      if (this.last.wake > end) break;
      this.now = Math.max(this.now, this.last.wake);
      this.last = this.machine.tick(this.now);
      this.wakes++;
      const sent = this.sent(this.last);
      all.push(...sent);
      this.dials.push(...this.last.dials);
      for (const { message } of sent) {
        if (message.type !== 'ping' || silent === 'all' || silent.includes(message.node)) continue;
        all.push(...this.take({ type: 'ack', seq: message.seq }));
      }
    }
    this.now = end;
    return all;
  }

  state(i: number): string | undefined {
    return this.machine.members().find(({ name }) => name === `n${i}`)?.state;
  }

  incarnation(i: number): number | undefined {
    return this.machine.members().find(({ name }) => name === `n${i}`)?.incarnation;
  }

  sent(out: Output): readonly Sent[] {
    return out.packets.flatMap(({ to, bytes }) =>
      decodePacket(bytes, PLAIN).messages.map((message) => ({ to: endpointText(to), message })),
    );
  }
}

/** Those of one type. */
export function only<T extends Message['type']>(
  sent: readonly Sent[],
  type: T,
): readonly (Extract<Message, { type: T }> & { readonly to: string })[] {
  return sent.flatMap(({ to, message }) =>
    message.type === type ? [{ ...(message as Extract<Message, { type: T }>), to }] : [],
  );
}
