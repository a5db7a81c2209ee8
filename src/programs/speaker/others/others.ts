import type { EventText } from '../../../platform/kube/events.ts';
import type { Policy } from '../../../protocols/layer2/conflicts.ts';
import type { Announcer, OtherOwner } from '../layer2/announcer.ts';
import type { Standing } from '../layer2/standing.ts';
import type { SpeakerMetrics } from '../metrics.ts';
import type { SpeakerOptions } from '../options.ts';
import type { SpeakerRing } from '../ring/ring.ts';
import { otherSpeakers, type Parts, type Sources } from '../sources.ts';
import { type Owned, OwnerChecks } from './checks.ts';
import { ConflictWatch } from './conflicts.ts';
import { Neighbours } from './neighbours.ts';
import { Probes } from './probes.ts';

export interface OthersOptions extends Parts {
  readonly options: SpeakerOptions;
  readonly sources: Sources;
  readonly announcer: Announcer;
  readonly ring: Pick<SpeakerRing, 'live' | 'accused'>;
  readonly standing: Pick<Standing, 'setUnheard' | 'interfaceSilent'>;
  readonly speaker: SpeakerMetrics;
  /** What other nodes own, as this node decides it. */
  readonly owned: () => Iterable<Owned>;
  readonly ownerOf: (service: string) => string | undefined;
  /** Tells people, under the Service "namespace/name". */
  readonly tell: (service: string, event: EventText) => void;
  /** `conflicts` may say something else. */
  readonly onChange: () => void;
}

/** What this node hears of others on its links: second owners, owners that fall silent, and hosts that somebody asks for. */
export class Others {
  readonly #conflicts: ConflictWatch;
  readonly #checks: OwnerChecks;
  readonly #probes: Probes;
  readonly #ending = new AbortController();

  constructor(o: OthersOptions) {
    const { options, sources, announcer, standing, ring, speaker: metrics } = o;
    const { node } = options;
    const neighbours = new Neighbours({
      ...o,
      speakers: () => otherSpeakers(sources, node),
      signal: this.#ending.signal,
    });
    this.#conflicts = new ConflictWatch({
      ...o,
      metrics,
      nodeOf: (mac, on) => neighbours.nodeOf(mac, on),
    });
    this.#checks = new OwnerChecks({
      ...o,
      metrics,
      node,
      live: () => ring.live(),
      accused: () => ring.accused(),
      onUnheard: (macs) => standing.setUnheard(macs),
      onSilent: (name) => standing.interfaceSilent(name),
    });
    const nodes = () => sources.nodes.store.size;
    this.#probes = new Probes({ ...o, announcer, cache: sources.probes, nodes });
  }

  /** One line for each address of ours that another host has, too. */
  get conflicts(): readonly string[] {
    return this.#conflicts.lines;
  }

  setPolicy(policy: Policy): void {
    this.#conflicts.setPolicy(policy);
  }

  /** Another host claims an address of ours. */
  seen(other: OtherOwner): void {
    this.#conflicts.seen(other);
  }

  /** The ring may say something else about this node. */
  heed(): void {
    this.#checks.heed();
  }

  /** A speaker that was held dead takes part again. */
  returned(): void {
    this.#conflicts.returned();
  }

  /** Once decisions are made. */
  start(): void {
    this.#checks.start();
    this.#probes.start();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#checks.close();
    await Promise.all([this.#conflicts.close(), this.#probes.close()]);
  }
}
