import type { Service } from '../../domain/api/core.ts';
import { causeOf, type MoveCause } from '../../domain/election/moves.ts';
import { type NotOwner, notOwnerText } from '../../domain/election/reasons.ts';
import { formatAddress } from '../../domain/ip/address.ts';
import type { EventRecorder, EventText } from '../../platform/kube/events.ts';
import type { Clock, Timer } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import type { Configuration } from './configuration.ts';
import type { Announce, Rival, Subject, Withhold } from './duty.ts';
import { aboutService, EVENT, LOG, type Skip } from './events.ts';
import type { SpeakerMetrics } from './metrics.ts';

const SKIPPED: Readonly<Record<Skip, (ip: string, node: string) => string>> = {
  'no-such-interface': (ip, node) =>
    `none of the interfaces chosen for address "${ip}" exists on node "${node}"`,
};

/** In this time a busy node takes over some hundreds of addresses, as long as it has nothing else to do. */
const LATER_MS = 100;
/** Said in one go, within a millisecond; between two goes the loop answers requests. */
const BATCH = 8;

export interface TellingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly speaker: SpeakerMetrics;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly configuration: Pick<Configuration, 'field'>;
}

/** A Service that came here from another node. `known`: that node is there still. */
interface Moved {
  readonly from: string;
  readonly cause: MoveCause;
  readonly other: NotOwner | undefined;
  readonly known: boolean;
}

/** What people and monitoring hear of the decisions: log lines, Events and metrics, in their order and a moment later. */
export class Telling {
  readonly #o: TellingOptions;
  readonly #waiting: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(o: TellingOptions) {
    this.#o = o;
  }

  /** Says at once what waits. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const say of this.#waiting.splice(0)) say();
  }

  /** This node begins to announce the Service, or another address of it. `rival`: who had it before. */
  takenOver(subject: Subject, verdict: Announce, rival: Rival | undefined): void {
    const { key, service, since } = subject;
    const { speaker, node, log, clock } = this.#o;
    const seconds = since === undefined ? undefined : (clock.now() - since) / 1_000;
    const move = rival && this.#moving(verdict, rival);
    this.#later(() => {
      speaker.takeovers.inc({});
      if (seconds !== undefined) speaker.announceSeconds.observe({}, seconds);
      const ips = verdict.addresses.map(formatAddress);
      const fields = { op: 'service', service: key, ips, pool: verdict.pool, because: verdict.because };
      log.info(fields, LOG.announced);
      this.#event(service, {
        type: 'Normal',
        reason: EVENT.nodeAssigned,
        message: `announcing from node "${node}" with protocol "layer2"`,
      });
      if (move) this.#moved(subject, ips, move);
    });
  }

  /** As things are when it moves; they may be others when it is said. */
  #moving(verdict: Announce, rival: Rival): Moved {
    const other = verdict.whyBefore;
    const node = this.#o.configuration.field?.nodes.get(rival.owner);
    return {
      from: rival.owner,
      cause: causeOf({ other, node, own: rival.why }),
      other,
      known: node !== undefined,
    };
  }

  #moved({ key, service }: Subject, ips: readonly string[], { from, cause, other, known }: Moved): void {
    const { speaker, node, log } = this.#o;
    speaker.moves.inc({ cause });
    log.info({ op: 'service', service: key, ips, from, cause, why: other }, LOG.moved);
    const why = known && other ? `: ${notOwnerText(other)}` : '';
    this.#event(service, {
      type: 'Normal',
      reason: EVENT.moved,
      message: `${ips.join(', ')} moved from node "${from}" to node "${node}", cause ${cause}${why}`,
    });
  }

  /** This node owns addresses and does not announce them. */
  skipped({ key, service }: Subject, ips: readonly string[], skip: Skip): void {
    this.#later(() => {
      for (const ip of ips) {
        this.#o.log.warn({ op: 'service', service: key, ip, reason: skip }, LOG.skipped);
        const message = SKIPPED[skip](ip, this.#o.node);
        this.#event(service, { type: 'Warning', reason: EVENT.announceFailed, message });
      }
    });
  }

  /** Another node won, and this one answers on until that one does. */
  handover(key: string, { owner, why }: Withhold): void {
    this.#later(() => this.#o.log.debug({ op: 'service', service: key, owner, why }, LOG.handover));
  }

  withdrawn(key: string, ips: readonly string[], reason: string): void {
    this.#later(() => {
      this.#o.speaker.withdrawals.inc({ reason });
      this.#o.log.info({ op: 'service', service: key, ips, reason }, LOG.withdrawn);
    });
  }

  #later(say: () => void): void {
    this.#waiting.push(say);
    this.#timer ??= this.#o.clock.after(LATER_MS, () => this.#say());
  }

  #say(): void {
    for (const say of this.#waiting.splice(0, BATCH)) say();
    this.#timer = this.#waiting.length > 0 ? this.#o.clock.after(0, () => this.#say()) : undefined;
  }

  #event(service: Service | undefined, event: EventText): void {
    if (service) this.#o.recorder.record(aboutService(service), event);
  }
}
