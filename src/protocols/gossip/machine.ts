import { Beliefs } from './beliefs.ts';
import { Core, type Settings } from './core.ts';
import type { Endpoint } from './endpoint.ts';
import { type Member, Members, takesPart } from './members.ts';
import { encodeMessage, type Message, type Ping } from './messages.ts';
import { Outbox, type Output, type StreamId } from './outbox.ts';
import { decodePacket, join } from './packet.ts';
import { Probes } from './probes.ts';
import type { Profile } from './profile.ts';
import { Rumours } from './rumours.ts';
import { decodeStream, encodePushPull, encodeStream, MAX_STREAM } from './stream.ts';

/** A full exchange is given up after so long, as upstream's TCP timeout; the same holds for streams that are accepted. */
export const STREAM_TIMEOUT_MS = 10_000;
/** The most streams that are accepted at a time, as upstream. */
export const MAX_STREAMS = 128;
/** Pause between two exchanges with members that came back, so that a healed partition is no flood of them. */
const REVIVAL_PAUSE_MS = 100;
/** In waits for an answer. */
const WORTH_A_WAKE = 1.25;
/** Members up to which full exchanges keep their interval, as upstream. */
const PUSH_PULL_SCALE = 32;

/** A stream of ours that is open, and what has come in on it. */
interface Call {
  readonly purpose: 'ping' | 'push-pull';
  readonly seq: number;
}

/**
 * One member of a ring: events in, what is to be sent and what has changed out. It knows no sockets and no clock: each
 * event carries the time in milliseconds of one clock that never goes back, and each answer says when it wants to be
 * woken. Not safe against calls from within its own answers.
 */
export class Machine {
  readonly #core: Core;
  readonly #beliefs: Beliefs;
  readonly #probes: Probes;
  readonly #calls = new Map<StreamId, Call>();
  readonly #received = new Map<StreamId, Uint8Array>();
  #streams = 0;
  #wake: number;
  #nextProbe: number;
  #nextGossip: number;
  #nextPushPull: number;
  #nextKnock: number;
  #nextRevival = 0;

  constructor(settings: Settings, now: number) {
    const { random, profile } = settings;
    const parts = { members: new Members(random), rumours: new Rumours(), out: new Outbox() };
    this.#core = new Core(settings, parts);
    this.#core.now = now;
    this.#beliefs = new Beliefs(this.#core, {
      call: (member) => this.#probes.call(member),
      revived: (member) => this.#revived(member),
    });
    this.#probes = new Probes(this.#core, {
      beliefs: () => this.#beliefs,
      dial: (member, seq, deadline) => this.#dialPing(member, seq, deadline),
    });
    // Members that start together must not act together.
    const soon = (interval: number): number => now + random.next() * interval;
    this.#nextProbe = soon(profile.probeIntervalMs);
    this.#nextGossip = soon(profile.gossipIntervalMs);
    this.#nextPushPull = soon(profile.pushPullIntervalMs);
    this.#nextKnock = now + profile.knockIntervalMs;
    this.#wake = now;
  }

  /** All that are known, this one among them. */
  members(): readonly Member[] {
    return this.#core.members.all();
  }

  /** Lifeguard's local health; 0 is well. */
  get health(): number {
    return this.#core.health;
  }

  /** True once the farewell was told as often as gossip is. */
  get gone(): boolean {
    return this.#beliefs.leaving && this.#core.rumours.size === 0;
  }

  /** The time has come, or something wants an answer at once. */
  tick(now: number): Output {
    return this.#event(now, () => {});
  }

  /** Asks others for all that they know. Those that are no members answer, too. */
  join(now: number, at: readonly Endpoint[]): Output {
    return this.#event(now, () => {
      for (const to of at) this.#pushPull(to, true);
    });
  }

  /** Says farewell. Further events are answered, so that the news get around; `gone` says when they have. */
  leave(now: number): Output {
    return this.#event(now, () => this.#beliefs.leave());
  }

  /** Says something else about this member, in at most MAX_META bytes, which the others hear as gossip. */
  describe(now: number, meta: Uint8Array): Output {
    return this.#event(now, () => this.#beliefs.describe(meta));
  }

  /** Takes part again after a farewell, and asks one of the others for what it has missed. */
  comeBack(now: number): Output {
    return this.#event(now, () => {
      if (!this.#beliefs.comeBack()) return;
      const [other] = this.#others(1);
      if (other) this.#pushPull(other.at, false);
    });
  }

  /** A packet came in. The bytes are only read. */
  packet(now: number, bytes: Uint8Array, from: Endpoint): Output {
    return this.#event(now, () => {
      const { messages, drops } = decodePacket(bytes, this.#core.settings.wrapping);
      for (const drop of drops) this.#core.out.drop(drop);
      for (const message of messages) this.#take(message, from);
    });
  }

  /** Bytes came in on a stream, be it dialled or accepted. */
  heard(now: number, stream: StreamId, bytes: Uint8Array): Output {
    return this.#event(now, () => {
      const so = this.#received.get(stream);
      const all = so ? join([so, bytes]) : bytes.slice();
      if (all.length > MAX_STREAM) {
        this.#core.out.drop('oversized');
        this.#end(stream);
        return;
      }
      this.#received.set(stream, all);
      this.#read(stream, all);
    });
  }

  /** A stream ended, failed or timed out, on either side. */
  closed(now: number, stream: StreamId): Output {
    return this.#event(now, () => {
      this.#calls.delete(stream);
      this.#received.delete(stream);
    });
  }

  /** Every event: what stood still, the event itself, what is due. In this order, as answers may have waited for us. */
  #event(now: number, event: () => void): Output {
    const late = now - this.#wake;
    this.#core.now = now;
    if (late > this.#core.settings.profile.lateMs) this.#stalled(late);
    event();
    this.#due();
    this.#wake = this.#next();
    return this.#core.out.take(this.#wake);
  }

  /** Some of those that live, by chance. */
  #others(count: number): readonly Member[] {
    const { members, settings } = this.#core;
    return members.pick(count, (m) => m.state === 'alive' && m.name !== settings.name);
  }

  #stalled(ms: number): void {
    this.#core.out.change({ type: 'stalled', ms });
    this.#core.worsen(1);
    this.#probes.stalled(ms);
    this.#beliefs.stalled();
  }

  #due(): void {
    const { now, members } = this.#core;
    const { profile } = this.#core.settings;
    this.#probes.tick();
    this.#beliefs.tick();
    if (now >= this.#nextProbe) {
      this.#nextProbe = now + probeInterval(profile, members.live);
      this.#probes.probeNext((member) => this.#forget(member));
    }
    if (now >= this.#nextPushPull) {
      this.#nextPushPull = now + profile.pushPullIntervalMs * pushPullScale(members.live);
      const [other] = this.#others(1);
      if (other) this.#pushPull(other.at, false);
    }
    if (now >= this.#nextKnock) {
      this.#nextKnock = now + profile.knockIntervalMs;
      const [dead] = members.pick(1, (m) => m.state === 'dead');
      if (dead) this.#probes.knock(dead);
    }
    if (now >= this.#nextGossip && this.#core.rumours.size > 0) this.#gossip();
  }

  #gossip(): void {
    const { now, settings, members } = this.#core;
    const { gossipIntervalMs, gossipNodes } = settings.profile;
    this.#nextGossip = now + gossipIntervalMs;
    for (const { at, name } of members.pick(gossipNodes, (m) => this.#core.hears(m))) {
      if (!this.#core.sendGossip(at, name)) return;
    }
  }

  /** Nobody is woken up for gossip that nobody hears, nor to knock while nobody is dead. */
  #next(): number {
    const { members, rumours } = this.#core;
    const all = members.all();
    const never = Number.POSITIVE_INFINITY;
    const gossip = rumours.size > 0 && all.some((m) => this.#core.hears(m)) ? this.#nextGossip : never;
    const knock = all.some((m) => m.state === 'dead') ? this.#nextKnock : never;
    const own = Math.min(this.#nextProbe, this.#nextPushPull, gossip, knock);
    return Math.min(own, this.#probes.next, this.#beliefs.next);
  }

  #take(message: Message, from: Endpoint): void {
    switch (message.type) {
      case 'ping':
        this.#ping(message, from);
        break;
      case 'indirect-ping':
        this.#probes.relay(message, from);
        break;
      case 'ack':
        this.#probes.ack(message.seq);
        break;
      case 'nack':
        this.#probes.nack(message.seq);
        break;
      case 'alive':
        this.#beliefs.alive(message);
        break;
      case 'suspect':
        this.#beliefs.suspect(message);
        break;
      case 'dead':
        this.#beliefs.dead(message);
        break;
      default:
        // Nothing above this room speaks to others by way of the ring.
        break;
    }
  }

  #ping({ seq, node, origin }: Ping, from: Endpoint): void {
    const { settings, members, out } = this.#core;
    if (node !== '' && node !== settings.name) {
      out.drop('not-for-us');
      return;
    }
    const asker = origin && members.get(origin.node);
    // It is away and not gone for good: not to be forgotten, as if nothing had ever been heard of it.
    if (asker?.state === 'left') asker.since = this.#core.now;
    const answer: Message = { type: 'ack', seq };
    // One that we hold dead asks: it learns so, and objects.
    const news = asker?.state === 'dead' ? [answer, this.#probes.accusation(asker)] : [answer];
    this.#core.send(origin?.at ?? from, origin?.node ?? '', news);
  }

  #read(stream: StreamId, bytes: Uint8Array): void {
    const { wrapping } = this.#core.settings;
    const call = this.#calls.get(stream);
    const message = decodeStream(bytes, wrapping, call ? 'answer' : 'call');
    if (message === 'more') return;
    if (typeof message === 'string') this.#core.out.drop(message);
    else if (message.type === 'push-pull') this.#exchanged(stream, call, message.reports);
    else if (message.type === 'ping' && !call) this.#pingOnStream(stream, message);
    else if (message.type === 'ack' && call?.seq === message.seq) this.#probes.ack(message.seq);
    this.#end(stream);
  }

  #exchanged(stream: StreamId, call: Call | undefined, reports: Parameters<Beliefs['merge']>[0]): void {
    if (call && call.purpose !== 'push-pull') return;
    if (!call) {
      const own = encodePushPull({ type: 'push-pull', join: false, reports: this.#beliefs.reports() });
      this.#core.out.reply(stream, encodeStream(own, this.#core.settings.wrapping, 'answer'));
    }
    this.#beliefs.merge(reports);
  }

  #pingOnStream(stream: StreamId, { seq, node }: Ping): void {
    const { settings, out } = this.#core;
    if (node !== '' && node !== settings.name) out.drop('not-for-us');
    else out.reply(stream, encodeStream(encodeMessage({ type: 'ack', seq }), settings.wrapping, 'answer'));
  }

  #end(stream: StreamId): void {
    this.#calls.delete(stream);
    this.#received.delete(stream);
    this.#core.out.hangUp(stream);
  }

  #dialPing({ name, at }: Member, seq: number, deadline: number): void {
    const ping: Ping = { type: 'ping', seq, node: name, origin: this.#core.origin };
    this.#dial({ purpose: 'ping', seq }, at, { message: encodeMessage(ping), deadline });
  }

  #pushPull(to: Endpoint, joining: boolean): void {
    const reports = this.#beliefs.reports();
    const message = encodePushPull({ type: 'push-pull', join: joining, reports });
    this.#dial({ purpose: 'push-pull', seq: 0 }, to, {
      message,
      deadline: this.#core.now + STREAM_TIMEOUT_MS,
    });
  }

  #dial(call: Call, to: Endpoint, o: { message: Uint8Array; deadline: number }): void {
    const stream = `dialled ${++this.#streams}`;
    this.#calls.set(stream, call);
    const bytes = encodeStream(o.message, this.#core.settings.wrapping, 'call');
    this.#core.out.dial({ stream, to, bytes, deadline: o.deadline });
  }

  #revived({ at }: Member): void {
    const { now } = this.#core;
    if (now < this.#nextRevival) return;
    this.#nextRevival = now + REVIVAL_PAUSE_MS;
    this.#pushPull(at, false);
  }

  #forget(member: Member): boolean {
    const { now, settings, out } = this.#core;
    if (takesPart(member) || member.name === settings.name) return false;
    const { gossipToTheDeadMs, forgetDeadMs } = settings.profile;
    const over = now - member.since > (member.state === 'left' ? gossipToTheDeadMs : forgetDeadMs);
    if (over) out.change({ type: 'forgotten', name: member.name });
    return over;
  }
}

/**
 * A member is woken up for each probe and, where that is at another time, to look for its answer: an interval that is only a little
 * longer than the wait for it would wake it up more often, not less.
 */
function probeInterval({ probeIntervalMs, probeTimeoutMs, probeRelief }: Profile, members: number): number {
  const interval = probeIntervalMs * (1 + probeRelief / Math.max(1, members - 1));
  return interval < WORTH_A_WAKE * probeTimeoutMs ? probeIntervalMs : interval;
}

function pushPullScale(members: number): number {
  if (members <= PUSH_PULL_SCALE) return 1;
  return Math.ceil(Math.log2(members) - Math.log2(PUSH_PULL_SCALE)) + 1;
}
