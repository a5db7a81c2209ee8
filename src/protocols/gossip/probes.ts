import type { Beliefs } from './beliefs.ts';
import type { Core } from './core.ts';
import type { Endpoint } from './endpoint.ts';
import { type Member, takesPart } from './members.ts';
import type { IndirectPing, Message, Ping } from './messages.ts';

/** A question that waits for its answer. */
interface Probe {
  readonly member: Member;
  readonly incarnation: number;
  /** `probe`: its failure makes a suspect. `call`: one member's own opinion about a suspect. `knock`: on a dead one's door. */
  readonly kind: 'probe' | 'call' | 'knock';
  /** When others are asked to try. */
  indirectAt: number;
  deadline: number;
  nacksExpected: number;
  nacks: number;
}

/** A question that was put for somebody else. */
interface Relay {
  readonly to: Endpoint;
  readonly name: string;
  readonly seq: number;
  /** When to say that there is no answer; Infinity: nobody wants to hear, or it was said. */
  nackAt: number;
  deadline: number;
}

/** Of the wait for a direct answer: then whoever asked us still hears it in time. */
const NACK_SHARE = 0.8;

/** Asks members whether they live: directly, then by way of others and over a stream. */
export class Probes {
  readonly #core: Core;
  readonly #beliefs: () => Beliefs;
  readonly #dial: (member: Member, seq: number, deadline: number) => void;
  readonly #open = new Map<number, Probe>();
  readonly #relays = new Map<number, Relay>();

  /** `dial`: ping over a stream, answered by `ack`. */
  constructor(
    core: Core,
    o: { beliefs: () => Beliefs; dial: (member: Member, seq: number, deadline: number) => void },
  ) {
    this.#core = core;
    this.#beliefs = o.beliefs;
    this.#dial = o.dial;
  }

  /** Probes the next member in turn that is not being probed. */
  probeNext(gone: (member: Member) => boolean): void {
    const { members, settings } = this.#core;
    const busy = new Set(
      [...this.#open.values()].filter((p) => p.kind === 'probe').map((p) => p.member.name),
    );
    const member = members.next((m) => takesPart(m) && m.name !== settings.name && !busy.has(m.name), gone);
    if (member) this.#ask(member, 'probe');
  }

  /** Asks a suspect for its own word. */
  call(member: Member): void {
    this.#ask(member, 'call');
  }

  /** Asks a dead one whether it is. */
  knock(member: Member): void {
    this.#ask(member, 'knock');
  }

  ack(seq: number): void {
    const relay = this.#relays.get(seq);
    if (relay) {
      this.#relays.delete(seq);
      this.#core.send(relay.to, relay.name, [{ type: 'ack', seq: relay.seq }]);
    }
    const probe = this.#open.get(seq);
    if (!probe) return;
    this.#open.delete(seq);
    if (probe.kind === 'probe') this.#core.worsen(-1);
    const member = this.#core.members.get(probe.member.name);
    if (member) this.#beliefs().answered(member);
  }

  nack(seq: number): void {
    const probe = this.#open.get(seq);
    if (probe) probe.nacks++;
  }

  /** Asks for somebody else. */
  relay({ node, target, nack, seq, origin }: IndirectPing, from: Endpoint): void {
    const { now, settings } = this.#core;
    const { probeTimeoutMs } = settings.profile;
    const own = this.#core.nextSeq();
    this.#relays.set(own, {
      to: origin?.at ?? from,
      name: origin?.node ?? '',
      seq,
      nackAt: nack ? now + NACK_SHARE * probeTimeoutMs : Number.POSITIVE_INFINITY,
      deadline: now + 2 * probeTimeoutMs,
    });
    this.#core.send(target, node, [{ type: 'ping', seq: own, node, origin: this.#core.origin }]);
  }

  tick(): void {
    const { now } = this.#core;
    for (const [seq, relay] of this.#relays) {
      if (now >= relay.nackAt) {
        relay.nackAt = Number.POSITIVE_INFINITY;
        this.#core.send(relay.to, relay.name, [{ type: 'nack', seq: relay.seq }]);
      }
      if (now >= relay.deadline) this.#relays.delete(seq);
    }
    for (const [seq, probe] of this.#open) {
      if (now >= probe.deadline) {
        this.#open.delete(seq);
        this.#fail(probe);
      } else if (now >= probe.indirectAt) {
        probe.indirectAt = Number.POSITIVE_INFINITY;
        this.#askOthers(seq, probe);
      }
    }
  }

  /** This process stood still for `ms`: nobody is blamed for that time. */
  stalled(ms: number): void {
    for (const probe of this.#open.values()) {
      probe.indirectAt += ms;
      probe.deadline += ms;
    }
    for (const relay of this.#relays.values()) {
      relay.nackAt += ms;
      relay.deadline += ms;
    }
  }

  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { indirectAt, deadline } of this.#open.values()) next = Math.min(next, indirectAt, deadline);
    for (const { nackAt, deadline } of this.#relays.values()) next = Math.min(next, nackAt, deadline);
    return next;
  }

  #ask(member: Member, kind: Probe['kind']): void {
    const { now, settings, health } = this.#core;
    const { probeTimeoutMs, probeDeadlineMs } = settings.profile;
    const seq = this.#core.nextSeq();
    const patient = kind === 'probe';
    this.#open.set(seq, {
      member: { ...member },
      incarnation: member.incarnation,
      kind,
      indirectAt: patient ? now + probeTimeoutMs : Number.POSITIVE_INFINITY,
      deadline: now + (patient ? probeDeadlineMs * (health + 1) : probeTimeoutMs),
      nacksExpected: 0,
      nacks: 0,
    });
    const ping: Ping = { type: 'ping', seq, node: member.name, origin: this.#core.origin };
    // Told what is said about it, it objects with its answer.
    this.#core.send(
      member.at,
      member.name,
      member.state === 'alive' ? [ping] : [ping, this.accusation(member)],
    );
  }

  /** What a suspect or dead one is told, so that it objects if it can. */
  accusation({ name: node, incarnation, state }: Member): Message {
    const type = state === 'dead' ? 'dead' : 'suspect';
    return { type, incarnation, node, from: this.#core.settings.name };
  }

  #askOthers(seq: number, probe: Probe): void {
    const { members, settings } = this.#core;
    const { name: node, at: target } = probe.member;
    const helpers = members.pick(
      settings.profile.indirectProbes,
      (m) => m.state === 'alive' && m.name !== settings.name && m.name !== node,
    );
    probe.nacksExpected = helpers.length;
    for (const { at, name } of helpers) {
      const ask: Message = {
        type: 'indirect-ping',
        seq,
        node,
        target,
        nack: true,
        origin: this.#core.origin,
      };
      this.#core.send(at, name, [ask]);
    }
    this.#dial(probe.member, seq, probe.deadline);
  }

  #fail({ kind, member, incarnation, nacksExpected, nacks }: Probe): void {
    if (kind === 'knock') return;
    // Helpers that say nothing at all make us doubt ourselves; without helpers, every failure does.
    if (kind === 'probe') this.#core.worsen(nacksExpected > 0 ? Math.max(0, nacksExpected - nacks) : 1);
    const from = this.#core.settings.name;
    this.#beliefs().suspect({ type: 'suspect', incarnation, node: member.name, from });
  }
}
