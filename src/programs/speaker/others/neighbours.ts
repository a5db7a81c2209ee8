import { formatAddress, parseAddress } from '../../../domain/ip/address.ts';
import { formatMac } from '../../../domain/ip/mac.ts';
import type { Clock } from '../../../platform/obs/clock.ts';
import type { Announcer } from '../layer2/announcer.ts';
import { ask } from './asking.ts';

/** So long a look at the link serves all who want to know; ten thousand addresses may have a second owner at once. */
const GOOD_MS = 1_000;

export interface NeighboursOptions {
  readonly announcer: Announcer;
  readonly clock: Clock;
  /** Where the speakers of other nodes are. */
  readonly speakers: () => Iterable<{ readonly node: string; readonly address: string }>;
  readonly signal: AbortSignal;
}

interface Look {
  readonly at: number;
  /** Nodes by the MAC that has their address. */
  readonly nodes: Promise<ReadonlyMap<string, string>>;
}

/** Tells nodes by their MACs: asks on the link where the addresses of the other speakers are. */
export class Neighbours {
  readonly #o: NeighboursOptions;
  readonly #looks = new Map<string, Look>();

  constructor(o: NeighboursOptions) {
    this.#o = o;
  }

  /** Undefined when no node says so on that interface. Rejects with AbortError once the signal aborts. */
  async nodeOf(mac: string, on: string): Promise<string | undefined> {
    const now = this.#o.clock.now();
    const known = this.#looks.get(on);
    const look = known && now - known.at < GOOD_MS ? known : { at: now, nodes: this.#look(on) };
    this.#looks.set(on, look);
    return (await look.nodes).get(mac);
  }

  async #look(on: string): Promise<ReadonlyMap<string, string>> {
    const speakers = [...this.#o.speakers()].flatMap(({ node, address }) => {
      const parsed = parseAddress(address);
      return parsed ? [{ node, address: parsed }] : [];
    });
    const heard = await ask(this.#o, {
      addresses: speakers.map(({ address }) => address),
      interfaces: new Set([on]),
      eager: true,
      signal: this.#o.signal,
    });
    const nodes = new Map(speakers.map(({ node, address }) => [formatAddress(address), node]));
    return new Map(
      heard.map(({ address, mac }) => [formatMac(mac), nodes.get(formatAddress(address)) ?? '']),
    );
  }
}
