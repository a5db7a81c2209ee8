import { judge } from '../../domain/election/judge.ts';
import { type Address, formatAddress, parseAddress } from '../../domain/ip/address.ts';
import type { EventRecorder } from '../../platform/kube/events.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { breather } from '../../platform/obs/clock.ts';
import type { Configuration, Refreshed } from './configuration.ts';
import type { Announce, Duty, Rival, Subject, Withhold } from './duty.ts';
import { EVENT, type Skip } from './events.ts';
import type { Announcer, OtherClaim } from './layer2/announcer.ts';
import { Handover } from './layer2/handover.ts';
import type { SpeakerMetrics } from './metrics.ts';
import type { SpeakerOptions } from './options.ts';
import type { Owned } from './others/checks.ts';
import type { Parts, Sources } from './sources.ts';
import { Telling } from './telling.ts';

/**
 * Decisions are made for so long before frames are read again: two nodes answer for an address that moves until each of them has
 * read what the other one sent, a few times in turn.
 */
const SLICE_MS = 2;

interface Known {
  /** What the last decision found, for finding the Services that a change concerns. */
  pool: string | undefined;
  duty: Duty | undefined;
  /** Addresses that this node owns and does not announce, as text. */
  skipped: string;
  /** Who announced it when it was last decided about and not ours. */
  rival: Rival | undefined;
  /** Who announces it by the last decision, when it is another node. */
  owner: string | undefined;
}

export interface LoopOptions extends Parts {
  readonly options: SpeakerOptions;
  readonly sources: Sources;
  readonly configuration: Configuration;
  readonly announcer: Announcer;
  readonly recorder: EventRecorder;
  readonly speaker: SpeakerMetrics;
  readonly handoverMs: () => number;
  /** The Service is announced otherwise than before. */
  readonly onDuty: (key: string) => void;
}

/** Decides about one Service at a time and acts on it. Level-based: a key says what to look at, not what happened. */
export class Loop {
  readonly #o: LoopOptions;
  readonly #queue: Queue;
  readonly #known = new Map<string, Known>();
  /** When a change was first seen that is not acted on yet, by key. */
  readonly #since = new Map<string, number>();
  readonly #breathe = breather(SLICE_MS);
  readonly #telling: Telling;
  readonly #handover: Handover;

  constructor(o: LoopOptions) {
    this.#o = o;
    this.#queue = new Queue({ ...o, log: o.log.child({ op: 'service' }), run: (key) => this.#run(key) });
    this.#telling = new Telling({ ...o, node: o.options.node });
    const { handoverMs: limitMs } = o;
    this.#handover = new Handover({ ...o, limitMs, onTaken: (key) => this.#queue.add(key) });
  }

  /** A frame shows that another machine has an address of ours. */
  seen(other: OtherClaim): void {
    this.#handover.seen(other);
  }

  add(key: string): void {
    if (!this.#since.has(key)) this.#since.set(key, this.#o.clock.now());
    this.#queue.add(key);
  }

  /**
   * Adds the Services that a change of Config or nodes concerns: first those that nobody may answer for at the moment, then those
   * that this node announces, as another one may tell of them by now.
   */
  addConcerned({ pools, ranges }: Refreshed): void {
    const nodes = this.#o.configuration.field?.nodes;
    const [orphans, own, others]: [string[], string[], string[]] = [[], [], []];
    for (const [key, { pool, owner, duty }] of this.#known) {
      if (!(pool === undefined ? ranges : pools.has(pool))) continue;
      const node = owner === undefined ? undefined : nodes?.get(owner);
      if (owner !== undefined && (node?.liveness !== 'live' || node.losses !== undefined)) orphans.push(key);
      else (duty ? own : others).push(key);
    }
    for (const key of [...orphans, ...own, ...others]) this.add(key);
  }

  /** Adds those that this node owns: which interfaces there are matters to nobody else. */
  addOwned(): void {
    for (const [key, { duty, skipped }] of this.#known) if (duty || skipped !== '') this.add(key);
  }

  start(): void {
    this.#queue.start();
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Has what is still to be said of decisions said at once. */
  flush(): void {
    this.#telling.flush();
  }

  async close(): Promise<void> {
    this.#handover.close();
    await this.#queue.close();
    this.#telling.flush();
  }

  /** When something new was last heard of nodes that take addresses over, on the clock; -Infinity: never. */
  get heardAt(): number {
    return this.#handover.heardAt;
  }

  /** What this node does for the Service; undefined: nothing. */
  duty(key: string): Duty | undefined {
    return this.#known.get(key)?.duty;
  }

  get duties(): number {
    return [...this.#known.values()].filter(({ duty }) => duty).length;
  }

  /** Which other node announces the Service by the last decision. */
  ownerOf(key: string): string | undefined {
    return this.#known.get(key)?.owner;
  }

  /** What other nodes announce. */
  *owned(): Iterable<Owned> {
    for (const [service, { owner }] of this.#known) {
      if (owner === undefined) continue;
      const ingress = this.#o.sources.services.store.get(service)?.status.ingress ?? [];
      const addresses = ingress.flatMap(({ ip }) => parseAddress(ip ?? '') ?? []);
      yield { service, owner, addresses };
    }
  }

  async #run(key: string): Promise<void> {
    // A long row of keys must not keep frames waiting.
    await this.#breathe();
    const { configuration, sources, options, speaker } = this.#o;
    const { field } = configuration;
    const since = this.#since.get(key);
    this.#since.delete(key);
    if (!field) return;
    speaker.updates.inc({});
    try {
      const service = sources.services.store.get(key);
      const slices = [...sources.slices.store.by('service', key)];
      const { node, lbClass } = options;
      const before = this.#known.get(key)?.rival?.owner;
      const verdict = judge({ node, service, slices, field, lbClass, before });
      if (verdict.announce) this.#announce({ key, service, since }, verdict);
      else this.#withhold({ key, service, since }, verdict);
    } catch (error) {
      speaker.updateErrors.inc({});
      throw error;
    }
  }

  #entry(key: string): Known {
    const known = this.#known.get(key);
    if (known) return known;
    const made: Known = { pool: undefined, duty: undefined, skipped: '', rival: undefined, owner: undefined };
    this.#known.set(key, made);
    return made;
  }

  #announce(subject: Subject, verdict: Announce): void {
    const { key } = subject;
    const known = this.#entry(key);
    known.pool = verdict.pool;
    const returned = this.#handover.end(key, verdict.addresses);
    this.#reportSkipped(subject, known, verdict);
    if (this.#obstacle(verdict) !== undefined) {
      this.#release(key, known, EVENT.announceFailed);
      return;
    }
    const { addresses } = verdict;
    const before = known.duty;
    const held = new Set(before?.addresses.map(formatAddress));
    const kept = new Set(addresses.map(formatAddress));
    for (const address of before?.addresses ?? []) {
      if (!kept.has(formatAddress(address))) this.#releaseAddress(key, address);
    }
    for (const address of addresses) {
      this.#o.announcer.claim(address, key, verdict.interfaces);
      if (returned) this.#o.announcer.setSilent(formatAddress(address), false);
      this.#o.speaker.announced.set(this.#labels(key, address), 1);
    }
    known.duty = { addresses, interfaces: verdict.interfaces };
    // Another address counts as a take-over, as upstream withdraws and announces again then.
    if (!kept.isSubsetOf(held)) this.#telling.takenOver(subject, verdict, known.rival);
    known.rival = undefined;
    known.owner = undefined;
    if (!before || !sameInterfaces(before.interfaces, verdict.interfaces)) this.#o.onDuty(key);
  }

  #obstacle({ interfaces }: Announce): Skip | undefined {
    if (interfaces === 'all') return undefined;
    return interfaces.isDisjointFrom(this.#o.announcer.interfaceNames) ? 'no-such-interface' : undefined;
  }

  /** Once, until it differs. */
  #reportSkipped(subject: Subject, known: Known, verdict: Announce): void {
    const skip = this.#obstacle(verdict);
    const ips = verdict.addresses.map(formatAddress);
    const before = known.skipped;
    known.skipped = skip === undefined ? '' : JSON.stringify([skip, ips]);
    if (skip !== undefined && known.skipped !== before) this.#telling.skipped(subject, ips, skip);
  }

  #withhold({ key, service }: Subject, verdict: Withhold): void {
    const known = this.#known.get(key);
    const { owner, why } = verdict;
    if (known) {
      known.pool = verdict.pool;
      known.skipped = '';
      if (owner !== undefined && this.#yield(key, known, verdict)) return;
      this.#release(key, known, verdict.reason);
    }
    // Nothing but a change of its own can concern a Service that is gone, of another type or without an address.
    const idle = service?.spec.type !== 'LoadBalancer' || service.status.ingress.length === 0;
    if (idle) {
      this.#known.delete(key);
      return;
    }
    const entry = this.#entry(key);
    entry.pool = verdict.pool;
    // Without an owner for a while it moves all the same.
    if (owner !== undefined) entry.rival = { owner, why };
    entry.owner = owner;
  }

  /** True while we go on answering until the new owner does. */
  #yield(key: string, known: Known, verdict: Withhold): boolean {
    if (!known.duty) return false;
    this.#telling.handover(key, verdict);
    const wait = this.#handover.wait(key, known.duty.addresses);
    if (wait > 0) this.#queue.addAfter(key, wait);
    return wait > 0;
  }

  #release(key: string, known: Known, reason: string): void {
    const { duty } = known;
    if (!duty) return;
    this.#handover.end(key, duty.addresses);
    known.duty = undefined;
    for (const address of duty.addresses) this.#releaseAddress(key, address);
    this.#telling.withdrawn(key, duty.addresses.map(formatAddress), reason);
    this.#o.onDuty(key);
  }

  #releaseAddress(key: string, address: Address): void {
    this.#o.announcer.release(address, key);
    this.#o.speaker.announced.remove(this.#labels(key, address));
  }

  #labels(service: string, address: Address) {
    return { service, protocol: 'layer2', node: this.#o.options.node, ip: formatAddress(address) };
  }
}

function sameInterfaces(a: Duty['interfaces'], b: Duty['interfaces']): boolean {
  if (a === 'all' || b === 'all') return a === b;
  return a.size === b.size && a.isSubsetOf(b);
}
