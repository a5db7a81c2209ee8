import { type Address, formatAddress, parseAddress } from '../../../domain/ip/address.ts';
import { formatMac } from '../../../domain/ip/mac.ts';
import type { EventText } from '../../../platform/kube/events.ts';
import type { Clock, Timer } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import { type CheckStep, Checks, checkerOf } from '../../../protocols/layer2/checks.ts';
import { EVENT, LOG } from '../events.ts';
import type { Announcer } from '../layer2/announcer.ts';
import type { SpeakerMetrics } from '../metrics.ts';

/** From one look at who owns what to the next. */
const FOLLOW_MS = 10_000;
/** Addresses that are asked for in one go, and the pause between two. */
const BATCH = 10;
const PAUSE_MS = 100;
/** A repaired interface is repaired again after this time at the earliest. */
const REPAIR_MS = 60_000;
/** So long after a repair others have checked again; who then does not hear it still speaks of what a repair does not mend. */
const VERIFIED_MS = 25_000;
/** One alone may be the one that is deaf. */
const ACCUSERS = 2;

/** A Service of another node. */
export interface Owned {
  readonly service: string;
  readonly owner: string;
  readonly addresses: readonly Address[];
}

export interface OwnerChecksOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly announcer: Announcer;
  readonly metrics: Pick<SpeakerMetrics, 'checks' | 'repairs'>;
  /** What other nodes own, as this node decides it. */
  readonly owned: () => Iterable<Owned>;
  /** The same of one Service, at this moment; undefined: nobody, or this node. */
  readonly ownerOf: (service: string) => string | undefined;
  /** Nodes whose speakers live, this one among them; none without a ring. */
  readonly live: () => readonly string[];
  /** Tells people, under the Service. */
  readonly tell: (service: string, event: EventText) => void;
  /** The others are to be told that nothing is heard from these MACs. */
  readonly onUnheard: (macs: readonly string[]) => void;
  /** What the others do not hear: MACs, and who says so. */
  readonly accused: () => ReadonlyMap<string, readonly string[]>;
  /** Others do not hear an interface of ours, though it was repaired. */
  readonly onSilent: (name: string) => void;
}

/** Checks that other owners answer, each address by one node; and mends what others say of this one. */
export class OwnerChecks {
  readonly #o: OwnerChecksOptions;
  readonly #log: Log;
  readonly #checks = new Checks();
  readonly #services = new Map<string, readonly string[]>();
  readonly #listening = new Map<string, () => void>();
  readonly #repairedAt = new Map<string, number>();
  /** Whether this node checks an address of an owner, among these live nodes. */
  readonly #chosen = new Map<string, { readonly owner: string; readonly chosen: boolean }>();
  #live = '';
  #told = '';
  #follower: Timer | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(o: OwnerChecksOptions) {
    this.#o = o;
    this.#log = o.log.child({ op: 'check' });
  }

  /** Once decisions are made. */
  start(): void {
    this.#follow();
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#follower?.cancel();
    this.#timer?.cancel();
    for (const stop of this.#listening.values()) stop();
    this.#listening.clear();
  }

  /** Others may say something else about what they hear of this node. */
  heed(): void {
    const now = this.#o.clock.now();
    for (const [mac, accusers] of this.#o.accused()) {
      const name = this.#o.announcer.interfaceOf(mac);
      if (name === undefined) continue;
      const age = now - (this.#repairedAt.get(name) ?? Number.NEGATIVE_INFINITY);
      if (age >= REPAIR_MS) this.#repair(name, accusers);
      else if (age >= VERIFIED_MS && accusers.length >= ACCUSERS) this.#o.onSilent(name);
    }
  }

  #repair(name: string, accusers: readonly string[]): void {
    this.#repairedAt.set(name, this.#o.clock.now());
    this.#log.warn({ interface: name, nodes: accusers }, LOG.unheard);
    this.#o.metrics.repairs.inc({ interface: name });
    this.#o.announcer.repair(name);
  }

  #follow(): void {
    if (this.#closed) return;
    this.#follower = this.#o.clock.after(FOLLOW_MS, () => {
      this.#follow();
      this.heed();
    });
    const { mine, total } = this.#mine();
    this.#checks.follow(mine, total, this.#o.clock.now());
    for (const [text, stop] of this.#listening)
      if (!mine.has(text)) {
        stop();
        this.#listening.delete(text);
      }
    for (const text of mine.keys()) if (!this.#listening.has(text)) this.#listen(text);
    this.#tellUnheard();
    this.#schedule();
  }

  /** The addresses that this node checks, with their owners; and how many are checked by all. */
  #mine(): { mine: ReadonlyMap<string, string>; total: number } {
    const live = this.#o.live();
    if (live.join() !== this.#live) this.#chosen.clear();
    this.#live = live.join();
    const nodes = new Set(live);
    const mine = new Map<string, string>();
    let total = 0;
    this.#services.clear();
    for (const { service, owner, addresses } of live.length > 1 ? this.#o.owned() : []) {
      if (!nodes.has(owner)) continue;
      total += addresses.length;
      for (const text of addresses.map(formatAddress)) {
        if (!this.#isChosen(text, owner, live)) continue;
        mine.set(text, owner);
        this.#services.set(text, [...(this.#services.get(text) ?? []), service]);
      }
    }
    // Addresses that are long gone.
    if (this.#chosen.size > 2 * total + BATCH) this.#chosen.clear();
    return { mine, total };
  }

  /** Remembered, as there are many addresses, and mostly nothing has changed. */
  #isChosen(text: string, owner: string, live: readonly string[]): boolean {
    const known = this.#chosen.get(text);
    if (known?.owner === owner) return known.chosen;
    const chosen = checkerOf(text, owner, live) === this.#o.node;
    this.#chosen.set(text, { owner, chosen });
    return chosen;
  }

  #listen(text: string): void {
    const address = parseAddress(text);
    if (!address) return;
    const stop = this.#o.announcer.listen(address, ({ mac }) => {
      for (const step of this.#checks.heard(text, formatMac(mac))) this.#do(step);
    });
    this.#listening.set(text, stop);
  }

  #schedule(): void {
    const { next } = this.#checks;
    if (this.#closed || next === undefined) return;
    this.#timer?.cancel();
    this.#timer = this.#o.clock.after(Math.max(PAUSE_MS, next - this.#o.clock.now()), () => {
      for (const step of this.#checks.take(this.#o.clock.now(), BATCH)) this.#do(step);
      this.#schedule();
    });
  }

  #do(step: CheckStep): void {
    const { announcer, metrics } = this.#o;
    const { name } = step;
    const address = parseAddress(name);
    if (!address) return;
    if (!this.#isCurrent(step)) {
      this.#checks.forget(name);
      return;
    }
    metrics.checks.inc({ result: step.step });
    if (step.step === 'ask') {
      const faces = announcer.facesIn(address).map((face) => face.name);
      announcer.ask(address, faces.length > 0 ? new Set(faces) : 'all');
      return;
    }
    if (step.step === 'back') this.#log.info({ ip: name, owner: step.owner }, LOG.heardAgain);
    if (step.step === 'silent') {
      this.#log.warn({ ip: name, owner: step.owner, mac: step.mac }, LOG.ownerSilent);
      this.#event(EVENT.silent, step, `address "${name}" is not answered for by its node "${step.owner}"`);
    }
    if (step.step === 'two') {
      const macs = step.macs.join(' and ');
      this.#log.warn({ ip: name, owner: step.owner, macs: step.macs }, LOG.conflict);
      this.#event(
        EVENT.conflict,
        step,
        `address "${name}" of node "${step.owner}" is answered for by ${macs}`,
      );
    }
    this.#tellUnheard();
  }

  /** Between two looks at who owns what, addresses move. */
  #isCurrent({ name, owner }: CheckStep): boolean {
    const services = this.#services.get(name) ?? [];
    const owned = services.some((service) => this.#o.ownerOf(service) === owner);
    return owned && !this.#o.announcer.announcement(name);
  }

  #event(reason: string, { name }: CheckStep, what: string): void {
    const message = `${what}, as node "${this.#o.node}" hears it`;
    for (const service of this.#services.get(name) ?? [])
      this.#o.tell(service, { type: 'Warning', reason, message });
  }

  #tellUnheard(): void {
    const macs = [...this.#checks.unheard()].sort();
    if (macs.join() === this.#told) return;
    this.#told = macs.join();
    this.#o.onUnheard(macs);
  }
}
