import type { Core } from './core.ts';
import { endpointText, isUnicast, sameEndpoint } from './endpoint.ts';
import type { Drop } from './events.ts';
import { type Entry, type Member, takesPart } from './members.ts';
import { type Accusation, type Alive, OUR_VERSIONS } from './messages.ts';
import type { Report } from './stream.ts';
import { Suspicion } from './suspicion.ts';

/** Far more nodes than a cluster has: what claims to be more is an attack. */
const MAX_MEMBERS = 20_000;
/** Beyond it there is no higher one to object with. */
const MAX_INCARNATION = 0xffff_fffe;

/** What a change of belief asks of the rest of the machine. */
export interface Doings {
  /** Ask the member itself, right now. */
  readonly call: (member: Member) => void;
  /** One that was dead lives: it may know more of those that we hold dead. */
  readonly revived: (member: Member) => void;
}

/**
 * Who is alive, suspected, dead or gone, and how that changes by what members say: SWIM's rules as memberlist has them. An
 * incarnation counts how often a member spoke for itself; news about an earlier one are void.
 */
export class Beliefs {
  readonly #core: Core;
  readonly #doings: Doings;
  readonly #suspicions = new Map<string, Suspicion>();
  #leaving = false;
  /** The last incarnation of this member that others held dead. */
  #died = 0;

  constructor(core: Core, doings: Doings) {
    this.#core = core;
    this.#doings = doings;
    const { name, at } = core.settings;
    core.members.add({
      name,
      at,
      state: 'alive',
      incarnation: 1,
      since: core.now,
      meta: core.settings.meta ?? new Uint8Array(),
      versions: OUR_VERSIONS,
      heard: Number.NEGATIVE_INFINITY,
      conflict: undefined,
    });
    core.spread(name, this.#own(), 'normal');
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  alive(m: Alive): void {
    const { members, out, settings } = this.#core;
    const unfit = whyUnfit(m);
    if (unfit) {
      out.drop(unfit);
      return;
    }
    const known = members.get(m.node);
    if (known && !sameEndpoint(known.at, m.at) && !this.#mayMove(known)) {
      this.#conflict(known, m);
    } else if (m.node === settings.name) {
      this.#aboutUs(m);
    } else if (!known) {
      if (members.size >= MAX_MEMBERS) out.drop('oversized');
      else this.#join(m);
    } else if (m.incarnation > known.incarnation || !sameEndpoint(known.at, m.at)) {
      this.#renew(known, m);
    }
  }

  suspect(m: Accusation): void {
    const { members, settings, out, now } = this.#core;
    const known = this.#accusable(m);
    if (!known) return;
    const suspicion = this.#suspicions.get(m.node);
    if (suspicion) {
      if (suspicion.confirm(m.from)) this.#tell(m);
      return;
    }
    if (known.state !== 'alive') return;
    const { profile } = settings;
    this.#suspicions.set(m.node, new Suspicion(m.from, { profile, members: members.live, now }));
    known.incarnation = m.incarnation;
    this.#become(known, 'suspect');
    this.#tell(m);
    out.change({ type: 'suspected', name: m.node, from: m.from });
    const own = m.from === settings.name;
    if (!own && settings.random.next() * members.live < profile.opinions) this.#doings.call(known);
  }

  dead(m: Accusation): void {
    const { settings, out, now } = this.#core;
    const known = this.#accusable(m);
    if (!known) return;
    if (!takesPart(known)) return;
    const left = m.from === m.node;
    // It answered us a moment ago: what our own ears heard counts for more.
    if (!left && m.from !== settings.name && now - known.heard < settings.profile.proofMs) {
      this.suspect({ ...m, type: 'suspect' });
      return;
    }
    this.#suspicions.delete(m.node);
    known.incarnation = m.incarnation;
    this.#become(known, left ? 'left' : 'dead');
    this.#core.spread(m.node, m, m.from === settings.name ? 'urgent' : 'normal');
    out.change(left ? { type: 'left', name: m.node } : { type: 'died', name: m.node, from: m.from });
  }

  /** What another one believes. Its dead ones are suspected only: they get the chance to object. */
  merge(reports: readonly Report[]): void {
    const from = this.#core.settings.name;
    for (const { name: node, incarnation, state, at, meta, versions } of reports) {
      if (state === 'alive') this.alive({ type: 'alive', incarnation, node, at, meta, versions });
      else if (state === 'left') this.dead({ type: 'dead', incarnation, node, from: node });
      else if (state === 'dead' && node === from) this.dead({ type: 'dead', incarnation, node, from });
      else this.suspect({ type: 'suspect', incarnation, node, from });
    }
  }

  reports(): readonly Report[] {
    return this.#core.members.all();
  }

  /** A probe got an answer. A suspect that answers lives on, and is told to object. */
  answered(member: Entry): void {
    const { now } = this.#core;
    member.heard = now;
    this.#suspicions.get(member.name)?.stay(now);
  }

  /** Says farewell; from then on nothing that others say about this member is answered. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    const { members, settings } = this.#core;
    const own = members.get(settings.name);
    if (!own) return;
    const { name, incarnation } = own;
    this.#core.spread(name, { type: 'dead', incarnation, node: name, from: name }, 'urgent');
    this.#become(own, 'left');
  }

  /** Says something else about this member from now on. */
  describe(meta: Uint8Array): void {
    const own = this.#core.members.get(this.#core.settings.name);
    if (!own || equal(own.meta, meta)) return;
    own.meta = meta;
    if (this.#leaving) return;
    own.incarnation++;
    this.#core.spread(own.name, this.#own(), 'urgent');
  }

  /** Takes the farewell back; false when there was none. */
  comeBack(): boolean {
    const own = this.#core.members.get(this.#core.settings.name);
    if (!own || !this.#leaving) return false;
    this.#leaving = false;
    own.incarnation++;
    this.#become(own, 'alive');
    this.#core.spread(own.name, this.#own(), 'urgent');
    return true;
  }

  /** Last calls to suspects, and deaths. */
  tick(): void {
    const { members, settings, now } = this.#core;
    for (const [node, suspicion] of this.#suspicions) {
      const member = members.get(node);
      const due = suspicion.due(now);
      if (!member || due === undefined) continue;
      if (due === 'call') this.#doings.call(member);
      else this.dead({ type: 'dead', incarnation: member.incarnation, node, from: settings.name });
    }
  }

  /** This process stood still. */
  stalled(): void {
    for (const suspicion of this.#suspicions.values()) suspicion.repeatCalls();
  }

  /** When `tick` has something to do. */
  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const suspicion of this.#suspicions.values()) next = Math.min(next, suspicion.next);
    return next;
  }

  #own(): Alive {
    const { members, settings } = this.#core;
    const { name: node, at } = settings;
    const own = members.get(node);
    const { incarnation = 1, meta = new Uint8Array() } = own ?? {};
    return { type: 'alive', incarnation, node, at, meta, versions: OUR_VERSIONS };
  }

  #join(m: Alive): void {
    const { node: name, at, incarnation, meta, versions } = m;
    const since = this.#core.now;
    const heard = Number.NEGATIVE_INFINITY;
    const conflict = undefined;
    this.#core.members.add({ name, at, state: 'alive', incarnation, since, meta, versions, heard, conflict });
    this.#core.spread(name, m, 'normal');
    this.#core.out.change({ type: 'joined', name, at });
  }

  #renew(known: Entry, m: Alive): void {
    const { name, state: before } = known;
    this.#suspicions.delete(name);
    known.incarnation = m.incarnation;
    known.at = m.at;
    if (!equal(known.meta, m.meta)) this.#core.out.change({ type: 'described', name });
    known.meta = m.meta;
    known.versions = m.versions;
    this.#core.spread(name, m, 'normal');
    if (before === 'alive') return;
    this.#become(known, 'alive');
    if (before === 'suspect') {
      this.#core.out.change({ type: 'cleared', name });
      return;
    }
    this.#core.out.change({ type: 'joined', name, at: m.at });
    if (before === 'dead') this.#doings.revived(known);
  }

  /** Somebody repeats what we once said, or what a process with our name and address said before us. */
  #aboutUs(m: Alive): void {
    const own = this.#core.members.get(m.node);
    if (!own || this.#leaving || m.incarnation < own.incarnation) return;
    const same = equal(m.meta, own.meta) && equal(m.versions, OUR_VERSIONS);
    if (m.incarnation === own.incarnation && same) return;
    this.#object(m.incarnation, m.node);
  }

  /** Whom an accusation is about; undefined when it is us, who object, or when it is void. */
  #accusable(m: Accusation): Entry | undefined {
    if (this.#beyond(m)) return undefined;
    const known = this.#core.members.get(m.node);
    if (m.node !== this.#core.settings.name) {
      return known && m.incarnation >= known.incarnation ? known : undefined;
    }
    this.#accused(m);
    return undefined;
  }

  #accused(m: Accusation): void {
    const { members, rumours, settings } = this.#core;
    const own = members.get(settings.name);
    if (!own || this.#leaving) return;
    if (m.type === 'dead' && m.incarnation > this.#died) {
      this.#died = m.incarnation;
      this.#core.out.change({ type: 'held-dead', from: m.from });
    }
    if (m.incarnation >= own.incarnation) this.#object(m.incarnation, m.from);
    // Who still says that has not heard the objection; upstream waits for the next full exchange.
    else if (!rumours.has(own.name)) this.#core.spread(own.name, this.#own(), 'normal');
  }

  #object(accused: number, from: string): void {
    const own = this.#core.members.get(this.#core.settings.name);
    if (!own) return;
    own.incarnation = Math.max(own.incarnation, accused) + 1;
    this.#core.worsen(1);
    this.#core.spread(own.name, this.#own(), 'urgent');
    this.#core.out.change({ type: 'accused', from });
  }

  /** Another process may take the name only of one that left, or that is dead for long enough. */
  #mayMove({ state, since }: Entry): boolean {
    const { reclaimMs } = this.#core.settings.profile;
    return state === 'left' || (state === 'dead' && reclaimMs > 0 && this.#core.now - since > reclaimMs);
  }

  /** Told once for each pretender, not with each of its messages. */
  #conflict(known: Entry, { node: name, at: other }: Alive): void {
    if (known.conflict === endpointText(other)) return;
    known.conflict = endpointText(other);
    this.#core.out.change({ type: 'conflict', name, known: known.at, other });
  }

  #beyond({ incarnation }: Accusation): boolean {
    if (incarnation <= MAX_INCARNATION) return false;
    this.#core.out.drop('malformed');
    return true;
  }

  #become(member: Entry, state: Entry['state']): void {
    member.state = state;
    member.since = this.#core.now;
  }

  #tell(m: Accusation): void {
    this.#core.spread(m.node, m, 'normal');
  }
}

/** Members that cannot be spoken to are not let in. */
function whyUnfit({ versions, incarnation, at }: Alive): Drop | undefined {
  if (incarnation === 0 || incarnation > MAX_INCARNATION || !isUnicast(at.address)) return 'malformed';
  const [least = 0, most = 0, spoken = 0] = versions;
  if (least === 0 || least > most) return 'malformed';
  const [ourLeast = 0, ourMost = 0, ours = 0] = OUR_VERSIONS;
  return ours < least || ours > most || spoken < ourLeast || spoken > ourMost ? 'incompatible' : undefined;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
