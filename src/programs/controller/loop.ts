import { isDeepStrictEqual } from 'node:util';
import { kubeTime } from '../../domain/api/conditions.ts';
import { type Service, Services } from '../../domain/api/core.ts';
import { keyOf } from '../../domain/api/object.ts';
import type { Config } from '../../domain/config/config.ts';
import type { Address } from '../../domain/ip/address.ts';
import { byAge } from '../../domain/ipam/age.ts';
import { held, isAmong } from '../../domain/ipam/claim.ts';
import { adopt, converge, type Outcome, type Verdict } from '../../domain/ipam/converge.ts';
import type { Counters } from '../../domain/ipam/counters.ts';
import { Ledger } from '../../domain/ipam/ledger.ts';
import { addressList, refusalText } from '../../domain/ipam/reasons.ts';
import type { Remembered } from '../../domain/ipam/reserve.ts';
import { wantOf } from '../../domain/ipam/want.ts';
import { isConflict, isNotFound } from '../../platform/kube/client.ts';
import type { EventRecorder } from '../../platform/kube/events.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Reflector } from '../../platform/kube/reflector.ts';
import { type Resource, resource } from '../../platform/kube/resource.ts';
import type { Doors } from './doors.ts';
import { Echo } from './echo.ts';
import { aboutService, deprecations, eventOf, lines } from './events.ts';
import { Handover } from './handover.ts';
import type { ControllerMetrics } from './metrics.ts';
import { type MoveOptions, Mover } from './mover.ts';
import { type StatusChange, statusChange } from './status.ts';
import { Teller } from './teller.ts';

/** After a conflict the newer object is on its way through the watch; this is the second way, in case it was there already. */
const CONFLICT_MS = 20;
/** While no more wait than these, they are told again that there is still nothing for them each time that there might have been. */
const FEW_WAITING = 16;
/** How long a Service waits for another one's status to stop showing the address that it is to get. */
const HANDOVER_MS = 10;

export interface LoopOptions {
  readonly doors: Doors;
  readonly services: Reflector<Service>;
  readonly events: EventRecorder;
  readonly metrics: ControllerMetrics;
  /** Only Services with this spec.loadBalancerClass are ours; "" means those without one. */
  readonly loadBalancerClass: string;
  /** Status writes under way at once. */
  readonly parallel: number;
  readonly moves: MoveOptions;
  /** How long what a deleted Service had is kept for one of its name, milliseconds. */
  readonly stickyMs: number;
  /** Hears of pools whose use may have changed. */
  readonly used: (pool: string) => void;
  /** Called with every new Config, before anything is decided under it. */
  readonly prepare: (ledger: Ledger) => void;
  /** Whether a Service may be given addresses that it does not have; absent: all that are free. */
  readonly mayUse?: (service: Service, addresses: readonly Address[]) => Promise<boolean>;
  /** What Services had that reservations name, as far as is written. */
  readonly remembered: () => Remembered;
  /** Writes down what a Service has that a reservation names without addresses, before anybody can rely on it. */
  readonly remember: (key: string) => Promise<void>;
}

/**
 * One Service at a time is decided, in order, and many are written at once: the ledger knows a decision before the API server
 * does, so that no two decisions collide, and a write that fails is decided again.
 */
export class ServiceLoop {
  readonly #o: LoopOptions;
  readonly #queue: Queue;
  readonly #resource: Resource<Service>;
  readonly #echo = new Echo<Service>();
  readonly #teller: Teller;
  readonly #mover: Mover;
  readonly #stop: () => void;
  #ledger: Ledger | undefined;
  /** Services that would take more than they have, the longest waiting first. */
  readonly #waiting = new Set<string>();
  /** Those of them that are looked at again only because room may have appeared: where many wait, no news for people if it has not. */
  readonly #woken = new Set<string>();
  readonly #handover = new Handover();
  /** Which Service of its name holds what the ledger says: one that is deleted and made again may be seen in one step. */
  readonly #uids = new Map<string, string>();
  /** When a Service without address was first seen, milliseconds of the clock. */
  readonly #since = new Map<string, number>();

  constructor(o: LoopOptions) {
    this.#o = o;
    const { client, clock, random, log } = o.doors;
    this.#resource = resource(client, Services);
    this.#teller = new Teller(o.events);
    this.#queue = new Queue({
      run: (key) => this.#pass(key),
      concurrency: o.parallel,
      clock,
      random,
      log: log.child({ op: 'service' }),
      backoff: { firstMs: 50, maxMs: 10_000 },
    });
    this.#mover = new Mover({
      ...o.moves,
      doors: o.doors,
      metrics: o.metrics,
      ledger: () => this.#ledger,
      wantOf: (key) => {
        const service = this.#echo.current(key, o.services.store.get(key));
        return service && wantOf(service);
      },
      again: (key) => this.#queue.add(key),
    });
    this.#stop = o.services.onChange((key) => this.#changed(key));
  }

  /** Who holds what; undefined before the first Config. */
  get ledger(): Ledger | undefined {
    return this.#ledger;
  }

  /** Counters of a pool in force. */
  counters(pool: string): Counters | undefined {
    return this.#ledger?.config.pools.has(pool) ? this.#ledger.counters(pool) : undefined;
  }

  /** Puts a Config in force. The first one adopts what the statuses say before anything is given out. */
  apply(config: Config): void {
    if (!this.#ledger) {
      this.#begin(config);
      return;
    }
    const before = this.#ledger.config;
    const { released, moved } = this.#ledger.reconfigure(config, this.#o.remembered());
    this.#o.prepare(this.#ledger);
    const changed = differing(before, config);
    for (const key of [...released, ...moved]) this.#queue.add(key);
    for (const [key, claim] of this.#ledger.claims()) if (changed.has(claim.pool)) this.#queue.add(key);
    for (const key of this.#waiting) {
      this.#woken.delete(key);
      this.#queue.add(key);
    }
    for (const pool of changed) this.#o.used(pool);
    this.#mover.look();
  }

  /** Has those who wait decided again: there may be room that did not come from a Service. */
  wake(): void {
    for (const key of this.#waiting) {
      this.#woken.add(key);
      this.#queue.add(key);
    }
    this.#mover.look();
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#mover.close();
    await this.#queue.close();
  }

  #begin(config: Config): void {
    const ledger = new Ledger(config, this.#o.remembered());
    this.#ledger = ledger;
    this.#o.prepare(ledger);
    const ours = [...this.#o.services.store.list()].filter((service) => this.#isOurs(service)).sort(byAge);
    const adopted = ours.filter((service) => adopt(ledger, service)).length;
    this.#o.doors.log.info({ op: 'adopt', services: ours.length, adopted }, lines.serving);
    for (const service of ours) {
      this.#uids.set(keyOf(service), service.metadata.uid);
      this.#queue.add(keyOf(service));
    }
    for (const pool of config.pools.keys()) this.#o.used(pool);
    this.#queue.start();
  }

  #changed(key: string): void {
    if (!this.#ledger || this.#echo.isOwn(key, this.#o.services.store.get(key))) return;
    this.#woken.delete(key);
    this.#queue.add(key);
  }

  /**
   * A Service that is no LoadBalancer (any more) has no class; with a class to look for, it concerns us only while it holds
   * something of ours.
   */
  #isOurs(service: Service): boolean {
    const { loadBalancerClass } = this.#o;
    if (service.spec.type === 'LoadBalancer')
      return (service.spec.loadBalancerClass ?? '') === loadBalancerClass;
    return loadBalancerClass === '' || this.#ledger?.claimOf(keyOf(service)) !== undefined;
  }

  async #pass(key: string): Promise<void> {
    const ledger = this.#ledger;
    if (!ledger || !this.#o.doors.leading()) return;
    this.#o.metrics.updates.inc({});
    const quietly = this.#woken.delete(key) && this.#waiting.size > FEW_WAITING;
    const service = this.#echo.current(key, this.#o.services.store.get(key));
    const openings = ledger.openings;
    const heldIn = poolsOf(ledger, key);
    ledger.sticky.expire(this.#o.doors.clock.now());
    const ours = service && this.#isOurs(service);
    if (!ours || service.metadata.uid !== (this.#uids.get(key) ?? service.metadata.uid))
      this.#forget(key, ledger, service);
    if (!ours) {
      this.#settle({ key, ledger, openings, heldIn });
      return;
    }
    this.#uids.set(key, service.metadata.uid);
    const outcome = converge(ledger, service, this.#mover.stateOf(key));
    this.#remember(key, outcome);
    this.#settle({ key, ledger, openings, heldIn });
    await this.#write(service, outcome, quietly);
  }

  /** `successor`: what has the name now. */
  #forget(key: string, ledger: Ledger, successor: Service | undefined): void {
    const deleted = successor?.metadata.uid !== this.#uids.get(key);
    const { stickyMs, doors } = this.#o;
    ledger.release(key, deleted && stickyMs > 0 ? doors.clock.now() + stickyMs : undefined);
    this.#uids.delete(key);
    this.#waiting.delete(key);
    this.#since.delete(key);
    this.#arrived(key);
  }

  /** Keeps count of who still waits: without address, or without the second one that it would like. */
  #remember(key: string, { verdict, notes }: Outcome): void {
    const refused = 'refusal' in verdict;
    if (refused || notes.some(({ note }) => note === 'second-refused')) this.#waiting.add(key);
    else this.#waiting.delete(key);
    if (refused) {
      this.#o.metrics.updateErrors.inc({});
      this.#o.metrics.refusals.inc({ reason: verdict.refusal.refused });
    }
    if (!this.#since.has(key)) this.#since.set(key, this.#o.doors.clock.now());
    this.#o.metrics.services.set({ state: 'waiting' }, this.#waiting.size);
    this.#o.metrics.services.set({ state: 'allocated' }, this.#ledger?.size ?? 0);
  }

  /** After a decision: pools that are used differently are shown so, and room wakes those who wait. */
  #settle(o: { key: string; ledger: Ledger; openings: number; heldIn: readonly string[] }): void {
    for (const pool of new Set([...o.heldIn, ...poolsOf(o.ledger, o.key)])) this.#o.used(pool);
    if (o.ledger.openings === o.openings) return;
    for (const key of this.#waiting) {
      if (key === o.key) continue;
      this.#woken.add(key);
      this.#queue.add(key);
    }
  }

  async #write(service: Service, outcome: Outcome, quietly: boolean): Promise<void> {
    const { doors, metrics } = this.#o;
    const key = keyOf(service);
    const change = statusChange(service, outcome.verdict, kubeTime(doors.clock.date()));
    if (!change) {
      this.#arrived(key);
      if (!quietly) this.#tell(service, outcome, undefined);
      return;
    }
    if (this.#o.mayUse && !(await this.#proven(service, outcome.verdict))) return;
    if (!this.#handover.mayShow(service, outcome.verdict)) {
      this.#queue.addAfter(key, HANDOVER_MS);
      return;
    }
    try {
      const { name, namespace = '' } = service.metadata;
      const options = {
        subresource: 'status',
        fieldManager: doors.fieldManager,
        signal: doors.grace,
      } as const;
      if (change.substance && this.#ledger?.remembered.has(key)) await this.#o.remember(key);
      const write = this.#resource.mergePatch({ name, namespace }, change.body, options);
      const written = await this.#teller.during(write);
      this.#echo.wrote(service, written);
      metrics.writes.inc({ outcome: 'written' });
    } catch (error) {
      this.#failed(key, error);
      return;
    }
    this.#arrived(key);
    this.#measure(key, outcome);
    if (!quietly || change.substance) this.#tell(service, outcome, change);
  }

  /** Whether what was decided may be shown; decided again when it may not, or when it no longer holds. */
  async #proven(service: Service, verdict: Verdict): Promise<boolean> {
    const addresses = ('choice' in verdict && verdict.choice?.addresses) || [];
    const key = keyOf(service);
    const mayUse = (await this.#o.mayUse?.(service, addresses)) ?? true;
    const claim = this.#ledger?.claimOf(key);
    const stillHeld = claim ? held(claim) : [];
    if (mayUse && addresses.every((address) => isAmong(address, stillHeld))) return true;
    this.#queue.add(key);
    return false;
  }

  /** A Service that is gone needs no status; one that moved on is decided again; anything else is tried again, later and later. */
  #failed(key: string, error: unknown): void {
    const { metrics } = this.#o;
    if (isNotFound(error)) return;
    metrics.writes.inc({ outcome: isConflict(error) ? 'conflict' : 'failed' });
    metrics.updateErrors.inc({});
    if (!isConflict(error)) throw error;
    this.#queue.addAfter(key, CONFLICT_MS);
  }

  /** The status of the Service is what was decided. */
  #arrived(key: string): void {
    this.#mover.passed(key);
    this.#handover.arrived(key);
  }

  #measure(key: string, { notes }: Outcome): void {
    for (const { note } of notes) {
      if (note === 'moved' || note === 'move-undone')
        this.#o.metrics.moves.inc({ outcome: note === 'moved' ? 'moved' : 'undone' });
    }
    const since = this.#since.get(key);
    const allocated = notes.some(({ note }) => note === 'allocated');
    if (allocated && since !== undefined)
      this.#o.metrics.allocation.observe({}, (this.#o.doors.clock.now() - since) / 1000);
  }

  /** Told only once it is written, or when nothing is to be written: no Event speaks of an address that nobody got. */
  #tell(service: Service, { verdict, notes }: Outcome, change: StatusChange | undefined): void {
    const { doors } = this.#o;
    const about = aboutService(service);
    for (const note of notes)
      if (note.note !== 'not-moved' || change) this.#teller.tell(about, eventOf(note));
    if (change?.substance) for (const event of deprecations(service)) this.#teller.tell(about, event);
    const log = doors.log.child({ op: 'service', service: keyOf(service) });
    if ('refusal' in verdict && notes.length > 0)
      log.warn({ reason: refusalText(verdict.refusal) }, lines.refused);
    if (!change?.substance) return;
    if (!('choice' in verdict) || !verdict.choice) log.info({}, lines.cleared);
    else {
      const { addresses, pool, because } = verdict.choice;
      log.info({ addresses: addressList(addresses), pool, because }, lines.allocated);
    }
  }
}

/** The pools that the Service holds addresses of. */
function poolsOf(ledger: Ledger, key: string): readonly string[] {
  const claim = ledger.claimOf(key);
  if (!claim) return [];
  return claim.next ? [claim.pool, claim.next.pool] : [claim.pool];
}

/** Names of pools that are not the same in both. */
function differing(a: Config, b: Config): ReadonlySet<string> {
  const names = new Set([...a.pools.keys(), ...b.pools.keys()]);
  return new Set([...names].filter((name) => !isDeepStrictEqual(a.pools.get(name), b.pools.get(name))));
}
