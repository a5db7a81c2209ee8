import type { RingState } from '../../../domain/election/nodes.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import type { Random } from '../../../platform/obs/random.ts';
import { aesGcm } from '../../../platform/ring/cipher.ts';
import { Transport } from '../../../platform/ring/transport.ts';
import type { Endpoint } from '../../../protocols/gossip/endpoint.ts';
import type { Change, Drop } from '../../../protocols/gossip/events.ts';
import { deriveKey, Keyring } from '../../../protocols/gossip/keyring.ts';
import { MAX_STREAMS, Machine, STREAM_TIMEOUT_MS } from '../../../protocols/gossip/machine.ts';
import { type Member, takesPart } from '../../../protocols/gossip/members.ts';
import type { Output } from '../../../protocols/gossip/outbox.ts';
import type { Profile } from '../../../protocols/gossip/profile.ts';

/** Upstream's interval of attempts to reach those that should be members. */
const REJOIN_MS = 60_000;
/** A changed key: kubelet brings it to all nodes within two minutes; until then the old one seals. */
const USE_MS = 150_000;
/** Then nobody seals with the old one any more, and it is dropped. */
const REMOVE_MS = 300_000;
/** A timer may come so much too early. */
const EARLY_MS = 5;
/** A farewell takes a few rounds of gossip; nobody waits longer for it than upstream. */
const FAREWELL_MS = 1_000;

export interface MembershipOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Name of the node. */
  readonly name: string;
  readonly at: Endpoint;
  readonly profile: Profile;
  /** What this speaker says about its node from the start. */
  readonly meta: Uint8Array;
  /** Text of the Secret; empty: nothing is encrypted. */
  readonly secret: Uint8Array;
  /** Addresses of those that should be members; the port is our own. */
  readonly expected: () => readonly string[];
  /** Something about the members changed; mostly nothing that is decisive. */
  readonly onChange: (changes: readonly Change[]) => void;
  readonly onDrop: (drop: Drop) => void;
}

const LOG = {
  changed: 'ring of speakers changed',
  conflict: 'another speaker claims the name of a node',
  trouble: 'packet of the ring not sent',
  keyAdded: 'new key of the ring taken, the old one stays valid for five minutes',
  keyRemoved: 'old key of the ring dropped',
} as const;

const DECISIVE: ReadonlySet<Change['type']> = new Set(['joined', 'died', 'left', 'forgotten', 'described']);

/** Whether an election may end otherwise after it. */
export function isDecisive({ type }: Change): boolean {
  return DECISIVE.has(type);
}

/** This node's place in the ring of speakers: the machine, its sockets and its timer. */
export class Membership {
  readonly #o: MembershipOptions;
  readonly #keyring: Keyring;
  #parts: { readonly machine: Machine; readonly transport: Transport } | undefined;
  #timer: Timer | undefined;
  /** When it fires. */
  #wake = 0;
  #rejoin: Timer | undefined;
  readonly #rotations = new Set<Timer>();
  #key: Uint8Array | undefined;
  #open = true;
  #gone = Promise.withResolvers<void>();

  /** Rejects when the port cannot be had. */
  static async start(o: MembershipOptions): Promise<Membership> {
    const membership = new Membership(o);
    await membership.#start();
    return membership;
  }

  private constructor(o: MembershipOptions) {
    this.#o = o;
    this.#key = deriveKey(o.secret);
    this.#keyring = new Keyring(aesGcm, this.#key ? [this.#key] : []);
  }

  /** What is known about a node's speaker; undefined: it was never heard of. */
  member(node: string): Member | undefined {
    return this.members().find(({ name }) => name === node);
  }

  state(node: string): RingState | undefined {
    const member = this.member(node);
    if (!member) return undefined;
    if (takesPart(member)) return 'member';
    return member.state === 'left' ? 'left' : 'dead';
  }

  members(): readonly Member[] {
    return this.#parts?.machine.members() ?? [];
  }

  /** Asks those that should be members and are not. Called when there may be new ones, too. */
  join(): void {
    if (!this.#open) return;
    this.#rejoin?.cancel();
    this.#rejoin = this.#o.clock.after(REJOIN_MS, () => this.join());
    const known = new Set(
      this.members()
        .filter(takesPart)
        .map(({ at }) => at.address),
    );
    const { port } = this.#o.at;
    const missing = this.#o.expected().filter((address) => !known.has(address));
    if (missing.length === 0) return;
    const to = missing.map((address) => ({ address, port }));
    this.#do((machine, now) => machine.join(now, to));
  }

  /**
   * The Secret changed. The new key opens at once; it seals when every node should have it, and then the old one goes.
   * An empty one is not taken: a ring does not go from encrypted to clear while it lives, nor the other way round.
   */
  rotate(secret: Uint8Array): void {
    const key = deriveKey(secret);
    const old = this.#key;
    if (!key || !old || Buffer.compare(key, old) === 0) return;
    this.#key = key;
    this.#keyring.add(key);
    this.#o.log.info({ op: 'ring' }, LOG.keyAdded);
    this.#later(USE_MS, () => this.#keyring.use(key));
    this.#later(REMOVE_MS, () => {
      if (this.#keyring.remove(old)) this.#o.log.info({ op: 'ring' }, LOG.keyRemoved);
    });
  }

  /** Says something else about this node. */
  describe(meta: Uint8Array): void {
    this.#do((machine, now) => machine.describe(now, meta));
  }

  /** Takes no part for a while: others take over, and hear of us all the same. */
  stepAside(): void {
    this.#do((machine, now) => machine.leave(now));
  }

  /** Takes part again. */
  comeBack(): void {
    this.#gone = Promise.withResolvers();
    this.#do((machine, now) => machine.comeBack(now));
  }

  /** Says farewell; resolves when it got around. Packets are answered until `close`. */
  async leave(): Promise<void> {
    if (!this.#open) return;
    const { clock } = this.#o;
    this.#do((machine, now) => machine.leave(now));
    const timeout = clock.after(FAREWELL_MS, () => this.#gone.resolve());
    await this.#gone.promise;
    timeout.cancel();
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#gone.resolve();
    this.#timer?.cancel();
    this.#rejoin?.cancel();
    for (const timer of this.#rotations) timer.cancel();
    await this.#parts?.transport.close();
  }

  async #start(): Promise<void> {
    const { clock, random, name, at, profile, meta, log } = this.#o;
    const transport = await Transport.open({
      at,
      clock,
      streamTimeoutMs: STREAM_TIMEOUT_MS,
      maxStreams: MAX_STREAMS,
      onPacket: (bytes, from) => this.#do((machine, now) => machine.packet(now, bytes, from)),
      onStream: (stream, bytes) => this.#do((machine, now) => machine.heard(now, stream, bytes)),
      onClosed: (stream) => this.#do((machine, now) => machine.closed(now, stream)),
      onTrouble: (error) => log.debug({ op: 'ring', error }, LOG.trouble),
    });
    const wrapping = { label: '', keyring: this.#keyring };
    const settings = { name, at: transport.at, meta, profile, wrapping, random };
    this.#parts = { machine: new Machine(settings, clock.now()), transport };
    this.#do((machine, now) => machine.tick(now));
    this.join();
  }

  #do(event: (machine: Machine, now: number) => Output): void {
    if (!this.#open || !this.#parts) return;
    const { clock } = this.#o;
    const { machine, transport } = this.#parts;
    const now = clock.now();
    const out = event(machine, now);
    for (const { to, bytes } of out.packets) transport.send(to, bytes);
    for (const { stream, to, bytes, deadline } of out.dials) {
      transport.dial(stream, to, { bytes, timeoutMs: deadline - now });
    }
    for (const { stream, bytes } of out.replies) transport.reply(stream, bytes);
    for (const stream of out.hangUps) transport.hangUp(stream);
    for (const drop of out.drops) this.#o.onDrop(drop);
    this.#wakeAt(out.wake, now);
    if (machine.gone) this.#gone.resolve();
    this.#tell(out.changes);
  }

  /**
   * A timer that comes a little early stays: most packets move the next event by nothing. One that comes much too early, as for a
   * probe that was answered, would wake the process for nothing, which costs more than all that a packet leads to.
   */
  #wakeAt(at: number, now: number): void {
    if (this.#timer && this.#wake <= at && at - this.#wake < EARLY_MS) return;
    this.#timer?.cancel();
    this.#wake = at;
    // Not before: a tick that comes too early does nothing but ask for the next one, and Node counts from the
    // millisecond in which the turn of the loop began.
    this.#timer = this.#o.clock.after(Math.ceil(at - now) + 1, () => {
      this.#timer = undefined;
      this.#do((machine, then) => machine.tick(then));
    });
  }

  #tell(changes: readonly Change[]): void {
    const { log, onChange } = this.#o;
    for (const change of changes) {
      if (change.type === 'conflict') log.error({ op: 'ring', ...change }, LOG.conflict);
      else if (isDecisive(change)) log.info({ op: 'ring', ...change }, LOG.changed);
      else log.debug({ op: 'ring', ...change }, LOG.changed);
    }
    if (changes.length > 0) onChange(changes);
  }

  #later(ms: number, run: () => void): void {
    const timer = this.#o.clock.after(ms, () => {
      this.#rotations.delete(timer);
      run();
    });
    this.#rotations.add(timer);
  }
}
