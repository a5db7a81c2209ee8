import type { Endpoint } from './endpoint.ts';
import type { Members, Random } from './members.ts';
import { encodeMessage, type Message } from './messages.ts';
import type { Outbox } from './outbox.ts';
import { encodePacket, PART_OVERHEAD, room, type Wrapping } from './packet.ts';
import type { Profile } from './profile.ts';
import { type Rumours, retransmitLimit } from './rumours.ts';

/** What a member is made from. */
export interface Settings {
  /** Unique in the ring; for a speaker the name of its node. */
  readonly name: string;
  /** Where the others reach it. */
  readonly at: Endpoint;
  /** What it says about itself from the start; at most MAX_META bytes. Absent: nothing. */
  readonly meta?: Uint8Array;
  readonly profile: Profile;
  readonly wrapping: Wrapping;
  readonly random: Random;
}

const CHECKSUM_SINCE = 5;

/** What all parts of a machine share: the time of the event at hand, its own health, and how to say something. */
export class Core {
  readonly settings: Settings;
  readonly members: Members;
  readonly rumours: Rumours;
  readonly out: Outbox;
  now = 0;
  /** Lifeguard's local health: 0 is well, and each step makes this member more patient with others. */
  #health = 0;
  #seq = 0;

  constructor(settings: Settings, parts: { members: Members; rumours: Rumours; out: Outbox }) {
    this.settings = settings;
    this.members = parts.members;
    this.rumours = parts.rumours;
    this.out = parts.out;
  }

  get health(): number {
    return this.#health;
  }

  /** Up when something speaks against us, down when a probe went well. */
  worsen(by: number): void {
    this.#health = Math.min(Math.max(0, this.#health + by), this.settings.profile.healthLimit - 1);
  }

  nextSeq(): number {
    this.#seq = (this.#seq + 1) >>> 0;
    return this.#seq;
  }

  get origin() {
    return { node: this.settings.name, at: this.settings.at };
  }

  /** Sends messages in one packet, with as much gossip as fits. `name`: of the receiver, if it is known. */
  send(to: Endpoint, name: string, messages: readonly Message[]): void {
    const encoded = messages.map(encodeMessage);
    const used = encoded.reduce((sum, { length }) => sum + length + PART_OVERHEAD, 0);
    this.#packet(to, name, [...encoded, ...this.#gossip(room(this.settings.wrapping) - used)]);
  }

  /** Sends nothing but gossip; false when there is none. */
  sendGossip(to: Endpoint, name: string): boolean {
    const gossip = this.#gossip(room(this.settings.wrapping));
    if (gossip.length > 0) this.#packet(to, name, gossip);
    return gossip.length > 0;
  }

  /** Tells it by gossip; an urgent one also at once. Of several about one member the last counts. */
  spread(about: string, message: Message, urgency: 'urgent' | 'normal'): void {
    const bytes = encodeMessage(message);
    this.rumours.add(about, bytes);
    if (urgency === 'normal') return;
    for (const { at, name } of this.members.pick(this.settings.profile.urgentNodes, (m) => this.hears(m))) {
      this.#packet(at, name, [bytes]);
    }
  }

  /** Whether gossip goes to it: it may be dead only in our eyes. */
  hears(member: { name: string; state: string; since: number }): boolean {
    const { name, profile } = this.settings;
    if (member.name === name || member.state === 'left') return false;
    return member.state !== 'dead' || this.now - member.since <= profile.gossipToTheDeadMs;
  }

  #gossip(bytes: number): readonly Uint8Array[] {
    if (this.rumours.size === 0) return [];
    const { profile } = this.settings;
    return this.rumours.take(bytes, retransmitLimit(profile.retransmitMult, this.members.live));
  }

  #packet(to: Endpoint, name: string, messages: readonly Uint8Array[]): void {
    const most = this.members.get(name)?.versions[1] ?? 0;
    this.out.packet(to, encodePacket(messages, this.settings.wrapping, { checksum: most >= CHECKSUM_SINCE }));
  }
}
