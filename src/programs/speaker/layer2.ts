import type { EventText } from '../../platform/kube/events.ts';
import { LinkWatch } from '../../platform/linux/links.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import type { Configuration } from './configuration.ts';
import { LOG } from './events.ts';
import { Announcer } from './layer2/announcer.ts';
import { Standing } from './layer2/standing.ts';
import type { Loop } from './loop.ts';
import type { SpeakerMetrics } from './metrics.ts';
import type { SpeakerOptions } from './options.ts';
import { Others } from './others/others.ts';
import type { SpeakerRing } from './ring/ring.ts';
import { DEFAULTS, type Settings } from './settings.ts';
import type { Parts, Sources } from './sources.ts';

export interface Layer2Options extends Parts {
  readonly sockets: Sockets;
  readonly options: SpeakerOptions;
  readonly sources: Sources;
  readonly speaker: SpeakerMetrics;
  readonly configuration: Pick<Configuration, 'field'>;
  readonly settings: { readonly now: Settings };
  readonly ring: Pick<SpeakerRing, 'live' | 'accused' | 'describe'>;
  /** Who decides what is announced here. Not asked before all is made. */
  readonly loop: () => Pick<Loop, 'seen' | 'owned' | 'ownerOf' | 'addOwned'>;
  /** Tells people, under the Service "namespace/name". */
  readonly tell: (service: string, event: EventText) => void;
  /** `conflicts` may say something else. */
  readonly onConflicts: () => void;
  /** What this node can answer on is something else than before. */
  readonly onStanding: () => void;
}

/** Layer 2 whole: the addresses that are answered, on which interfaces, and what the others on those links say. */
export class Layer2 {
  /** What decisions act on. */
  readonly announcer: Announcer;
  readonly #o: Layer2Options;
  readonly #standing: Standing;
  readonly #others: Others;
  #links: LinkWatch | undefined;

  constructor(o: Layer2Options) {
    this.#o = o;
    this.#standing = this.#makeStanding();
    this.announcer = this.#makeAnnouncer();
    const { announcer } = this;
    this.#others = new Others({
      ...o,
      announcer,
      standing: this.#standing,
      owned: () => o.loop().owned(),
      ownerOf: (key) => o.loop().ownerOf(key),
      onChange: o.onConflicts,
    });
  }

  #makeStanding(): Standing {
    const { configuration, settings, ring, onStanding } = this.#o;
    return new Standing({
      ...this.#o,
      excluded: DEFAULTS.excluded,
      config: () => configuration.field?.config,
      heedsCordon: () => settings.now.onCordon !== 'stay',
      onChange: (meta, nowhere) => {
        ring.describe(meta, nowhere);
        onStanding();
      },
    });
  }

  #makeAnnouncer(): Announcer {
    const { loop, speaker } = this.#o;
    return new Announcer({
      ...this.#o,
      metrics: speaker,
      excluded: DEFAULTS.excluded,
      timing: DEFAULTS.gratuitous,
      onOther: (other) => {
        loop().seen(other);
        this.#others.seen(other);
      },
      onSent: (name, well) => this.#standing.sent(name, well),
    });
  }

  /** No interface is left on which this node could answer, of those it once had. */
  get nowhere(): boolean {
    return this.#standing.nowhere;
  }

  /** What this node can no longer answer on. */
  get lost(): Standing['lost'] {
    return this.#standing.lost;
  }

  /** One line for each address of ours that another host has, too. */
  get conflicts(): readonly string[] {
    return this.#others.conflicts;
  }

  /** Other settings are in force. */
  configure({ gratuitous, onConflict, excluded }: Settings): void {
    this.announcer.setTiming(gratuitous);
    this.#others.setPolicy(onConflict);
    this.#changeInterfaces(() => this.announcer.setExcluded(excluded));
    this.#standing.setExcluded(excluded);
  }

  /** Answers on the interfaces of the machine, as they come and go. Resolves when they are known. */
  answer(): Promise<void> {
    const { sockets, clock, log } = this.#o;
    const known = Promise.withResolvers<void>();
    this.#links = new LinkWatch({
      sockets,
      clock,
      onChange: (links) => {
        known.resolve();
        this.#changeInterfaces(() => this.announcer.setLinks(links));
        this.#standing.setLinks(links);
      },
      onTrouble: (error) => log.warn({ op: 'links', error }, LOG.linksFailed),
    });
    return known.promise;
  }

  /** Looks into what others do. Once decisions are made. */
  watch(): void {
    this.#others.start();
  }

  /** The Config may be another. */
  look(): void {
    this.#standing.look();
  }

  /** The ring may say something else about this node. */
  heed(): void {
    this.#others.heed();
  }

  /** A speaker that was held dead takes part again. */
  returned(): void {
    this.#others.returned();
  }

  /** Nothing is answered for any more. */
  fallSilent(): void {
    this.announcer.close();
  }

  async close(): Promise<void> {
    this.announcer.close();
    this.#links?.close();
    this.#standing.close();
    await this.#others.close();
  }

  /** Pods bring links all the time; only names that an advertisement may choose matter to Services. */
  #changeInterfaces(change: () => void): void {
    const before = this.announcer.interfaceNames;
    change();
    const after = this.announcer.interfaceNames;
    if (before.size !== after.size || !before.isSubsetOf(after)) this.#o.loop().addOwned();
  }
}
