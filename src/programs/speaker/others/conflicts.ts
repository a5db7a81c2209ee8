import { formatAddress } from '../../../domain/ip/address.ts';
import { formatMac } from '../../../domain/ip/mac.ts';
import type { EventText } from '../../../platform/kube/events.ts';
import { type Clock, isAbort, type Timer } from '../../../platform/obs/clock.ts';
import type { Log } from '../../../platform/obs/log.ts';
import { Conflicts, type Policy, type Step } from '../../../protocols/layer2/conflicts.ts';
import { EVENT, LOG } from '../events.ts';
import type { Announcer, OtherOwner } from '../layer2/announcer.ts';
import type { SpeakerMetrics } from '../metrics.ts';

export interface ConflictWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly announcer: Announcer;
  readonly metrics: Pick<SpeakerMetrics, 'conflicts' | 'conflicted'>;
  /** Tells people, under the Service "namespace/name". */
  readonly tell: (service: string, event: EventText) => void;
  /** Which node has the MAC, as far as it can be found out on the interface. */
  readonly nodeOf: (mac: string, on: string) => Promise<string | undefined>;
  /** There is a conflict more or less. */
  readonly onChange: () => void;
}

/** Addresses that are looked at in one go, and the pause between two: ten thousand at once must not flood the link. */
const BATCH = 32;
const PAUSE_MS = 20;
/** From a speaker's return until most of what it changes is decided; the second reminder is late enough for the rest. */
const DECIDED_MS = 200;

const ANSWERS: Readonly<Record<Policy, string>> = {
  defend: 'this node goes on answering and announces it anew',
  yield: 'this node answers no more until the other one is gone',
  tell: 'this node goes on answering',
};

/** Watches for other hosts that have an address of ours, tells of them, and answers by the policy. */
export class ConflictWatch {
  readonly #o: ConflictWatchOptions;
  readonly #log: Log;
  readonly #conflicts = new Conflicts();
  /** Where each was last seen. */
  readonly #seenOn = new Map<string, string>();
  #timer: Timer | undefined;
  #timerAt = 0;
  #reminder: Timer | undefined;
  readonly #telling = new Set<Promise<void>>();
  #closed = false;

  constructor(o: ConflictWatchOptions) {
    this.#o = o;
    this.#log = o.log.child({ op: 'conflict' });
  }

  setPolicy(policy: Policy): void {
    this.#conflicts.policy = policy;
  }

  /** One line for each address with two owners. */
  get lines(): readonly string[] {
    return [...this.#conflicts.steady()].map(
      ([ip, macs]) => `${ip} is also at ${macs.join(', ')} on ${this.#seenOn.get(ip) ?? 'an interface'}`,
    );
  }

  /**
   * Another host claims an address of ours. While it changes hands, two nodes answer for it, which is as it should be; one that
   * we have just taken is asked for later, as its last owner's word and a stranger's look alike.
   */
  seen({ address, mac, interface: on }: OtherOwner): void {
    const ip = formatAddress(address);
    const from = Math.max(this.#o.clock.now(), this.#o.announcer.movesUntil(ip));
    if (this.#closed || !Number.isFinite(from)) return;
    this.#seenOn.set(ip, on);
    for (const step of this.#conflicts.seen(ip, formatMac(mac), from)) this.#do(step);
    this.#schedule();
  }

  /**
   * A speaker that was held dead lives: one that had our addresses, too, perhaps on a part of the link that we did not hear; or
   * this one, whose addresses others took. Neighbours know them as the owners until they are told otherwise.
   */
  returned(): void {
    if (this.#closed) return;
    this.#reminder ??= this.#o.clock.after(DECIDED_MS, () => {
      this.#reminder = undefined;
      this.#conflicts.acquit(this.#o.clock.now());
      this.#o.announcer.remind();
    });
  }

  /** Once what `nodeOf` asks for has come to its end. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#reminder?.cancel();
    await Promise.all(this.#telling);
  }

  #look(): void {
    const now = this.#o.clock.now();
    for (const step of this.#conflicts.take(now, BATCH)) {
      if (this.#o.announcer.announcement(step.name)) this.#do(step);
      else this.#forget(step.name);
    }
    this.#schedule();
  }

  #schedule(): void {
    const { next } = this.#conflicts;
    if (next === undefined || this.#closed) return;
    if (this.#timer && this.#timerAt <= next) return;
    this.#timer?.cancel();
    this.#timerAt = next;
    const wait = Math.max(PAUSE_MS, next - this.#o.clock.now());
    this.#timer = this.#o.clock.after(wait, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  #do(step: Step): void {
    const { announcer, metrics } = this.#o;
    const { name: ip } = step;
    const announcement = announcer.announcement(ip);
    if (!announcement) return;
    if (step.step === 'ask') announcer.ask(announcement.address, announcement.interfaces);
    if (step.step === 'announce') announcer.insistOn(ip);
    if (step.step === 'silence') announcer.setSilent(ip, true);
    if (step.step === 'found') {
      metrics.conflicts.inc({ ip });
      const told = this.#found(ip, step.mac).finally(() => this.#telling.delete(told));
      this.#telling.add(told);
    }
    if (step.step === 'over') {
      if (announcement.silent) announcer.setSilent(ip, false);
      this.#log.info({ ip }, LOG.conflictOver);
    }
    if (step.step === 'found' || step.step === 'over') this.#changed();
  }

  #forget(ip: string): void {
    this.#conflicts.forget(ip);
    this.#seenOn.delete(ip);
    this.#o.metrics.conflicts.remove({ ip });
    this.#changed();
  }

  #changed(): void {
    this.#o.metrics.conflicted.set({}, this.#conflicts.steady().size);
    this.#o.onChange();
  }

  async #found(ip: string, mac: string): Promise<void> {
    const { announcer, nodeOf, tell } = this.#o;
    const on = this.#seenOn.get(ip) ?? '';
    try {
      const node = await nodeOf(mac, on);
      const services = announcer.announcement(ip)?.claims.map(({ service }) => service) ?? [];
      const who = node === undefined ? mac : `${mac}, which is node "${node}"`;
      this.#log.warn({ ip, mac, interface: on, rival: node, policy: this.#conflicts.policy }, LOG.conflict);
      const message = `address "${ip}" is also answered for by ${who} (interface ${on}); ${ANSWERS[this.#conflicts.policy]}`;
      for (const service of services) tell(service, { type: 'Warning', reason: EVENT.conflict, message });
    } catch (error) {
      // Asking ends with the speaker.
      if (!isAbort(error)) this.#log.error({ ip, error }, LOG.conflict);
    }
  }
}
