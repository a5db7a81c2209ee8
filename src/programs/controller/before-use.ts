import type { Service } from '../../domain/api/core.ts';
import { type Address, formatAddress, parseAddress } from '../../domain/ip/address.ts';
import type { EventRecorder } from '../../platform/kube/events.ts';
import type { Log } from '../../platform/obs/log.ts';
import { aboutService, eventOfTaken, eventOfUnproven, lines } from './events.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { Found } from './probe-result.ts';

export interface BeforeUseOptions {
  readonly ask: (address: string) => Promise<Found>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly log: Log;
  readonly metrics: Pick<ControllerMetrics, 'probed'>;
  /** Hears of addresses that others have. */
  readonly taken: (address: Address, reason: string) => void;
}

/** Has an address asked for on the network before it is given out for the first time. */
export class BeforeUse {
  readonly #o: BeforeUseOptions;
  /** Addresses that Services of ours have had, as text: whoever answers for those is one of our nodes. */
  readonly #ours = new Set<string>();

  constructor(o: BeforeUseOptions) {
    this.#o = o;
  }

  /** The addresses in the status of a Service are in use by us. */
  note({ status }: Service): void {
    for (const { ip } of status.ingress) {
      const address = ip === undefined ? undefined : parseAddress(ip);
      if (address) this.#ours.add(formatAddress(address));
    }
  }

  /** Whether the Service may be given these addresses; false: at least one is somebody else's, which `taken` has heard. */
  async mayUse(service: Service, addresses: readonly Address[]): Promise<boolean> {
    const fresh = addresses.filter((address) => !this.#ours.has(formatAddress(address)));
    if (fresh.length === 0) return true;
    const answers = await Promise.all(fresh.map((address) => this.#o.ask(formatAddress(address))));
    const free = answers.map((found, i) => this.#heed(service, fresh[i], found));
    return free.every(Boolean);
  }

  #heed(service: Service, address: Address | undefined, found: Found): boolean {
    const { events, log, metrics, taken } = this.#o;
    metrics.probed.inc({ result: found.result });
    if (found.result === 'Unknown') {
      log.warn({ op: 'probe', address: found.address }, lines.unproven);
      events.record(aboutService(service), eventOfUnproven(found.address));
    }
    if (found.result !== 'Taken' || !address) return true;
    const macs = [...new Set(found.by.map(({ mac }) => mac))].join(', ');
    events.record(aboutService(service), eventOfTaken(found.address, macs));
    taken(address, `host ${macs} answers for it`);
    return false;
  }
}
