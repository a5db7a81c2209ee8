import type { Service } from '../../domain/api/core.ts';
import { causeOf } from '../../domain/election/moves.ts';
import { notOwnerText } from '../../domain/election/reasons.ts';
import { formatAddress } from '../../domain/ip/address.ts';
import type { EventRecorder, EventText } from '../../platform/kube/events.ts';
import type { Clock } from '../../platform/obs/clock.ts';
import type { Log } from '../../platform/obs/log.ts';
import type { Configuration } from './configuration.ts';
import type { Announce, Rival, Subject, Withhold } from './duty.ts';
import { aboutService, EVENT, LOG, type Skip } from './events.ts';
import type { SpeakerMetrics } from './metrics.ts';

const SKIPPED: Readonly<Record<Skip, (ip: string, node: string) => string>> = {
  'no-such-interface': (ip, node) =>
    `none of the interfaces chosen for address "${ip}" exists on node "${node}"`,
};

export interface TellingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly speaker: SpeakerMetrics;
  readonly recorder: EventRecorder;
  readonly configuration: Configuration;
}

/** What people and monitoring hear of the decisions: log lines, Events and metrics. */
export class Telling {
  readonly #o: TellingOptions;

  constructor(o: TellingOptions) {
    this.#o = o;
  }

  /** This node begins to announce the Service, or another address of it. `rival`: who had it before. */
  takenOver({ key, service, since }: Subject, verdict: Announce, rival: Rival | undefined): void {
    const { speaker, node, log, clock } = this.#o;
    speaker.takeovers.inc({});
    if (since !== undefined) speaker.announceSeconds.observe({}, (clock.now() - since) / 1_000);
    const ips = verdict.addresses.map(formatAddress);
    const fields = { op: 'service', service: key, ips, pool: verdict.pool, because: verdict.because };
    log.info(fields, LOG.announced);
    this.#event(service, {
      type: 'Normal',
      reason: EVENT.nodeAssigned,
      message: `announcing from node "${node}" with protocol "layer2"`,
    });
    if (rival) this.#moved({ key, service }, verdict, rival);
  }

  #moved({ key, service }: Pick<Subject, 'key' | 'service'>, verdict: Announce, rival: Rival): void {
    const { speaker, node, log, configuration } = this.#o;
    const other = verdict.whyBefore;
    const view = configuration.field?.nodes.get(rival.owner);
    const cause = causeOf({ other, node: view, own: rival.why });
    speaker.moves.inc({ cause });
    const ips = verdict.addresses.map(formatAddress);
    log.info({ op: 'service', service: key, ips, from: rival.owner, cause, why: other }, LOG.moved);
    const why = view && other ? `: ${notOwnerText(other)}` : '';
    this.#event(service, {
      type: 'Normal',
      reason: EVENT.moved,
      message: `${ips.join(', ')} moved from node "${rival.owner}" to node "${node}", cause ${cause}${why}`,
    });
  }

  /** This node owns addresses and does not announce them. */
  skipped({ key, service }: Subject, ips: readonly string[], skip: Skip): void {
    for (const ip of ips) {
      this.#o.log.warn({ op: 'service', service: key, ip, reason: skip }, LOG.skipped);
      const message = SKIPPED[skip](ip, this.#o.node);
      this.#event(service, { type: 'Warning', reason: EVENT.announceFailed, message });
    }
  }

  /** Another node won, and this one answers on until that one does. */
  handover(key: string, { owner, why }: Withhold): void {
    this.#o.log.debug({ op: 'service', service: key, owner, why }, LOG.handover);
  }

  withdrawn(key: string, ips: readonly string[], reason: string): void {
    this.#o.speaker.withdrawals.inc({ reason });
    this.#o.log.info({ op: 'service', service: key, ips, reason }, LOG.withdrawn);
  }

  #event(service: Service | undefined, event: EventText): void {
    if (service) this.#o.recorder.record(aboutService(service), event);
  }
}
