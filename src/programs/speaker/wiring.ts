import { keyOf } from '../../domain/api/object.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import type { Level } from '../../platform/obs/log.ts';
import { Configuration } from './configuration.ts';
import { Layer2 } from './layer2.ts';
import { Loop } from './loop.ts';
import { type SpeakerMetrics, speakerMetrics } from './metrics.ts';
import { MountedSettings } from './mounted.ts';
import type { SpeakerOptions } from './options.ts';
import { Reports } from './reports.ts';
import { SpeakerRing } from './ring/ring.ts';
import {
  allSources,
  follow,
  makeSources,
  type Parts,
  type Sources,
  sliceService,
  speakerAddresses,
} from './sources.ts';

export interface SpeakerParts extends Parts {
  readonly sockets: Sockets;
  /** What the command line says; a mounted setting goes before it. */
  readonly logLevel: Level;
}

/** What a speaker is made of, and who of it tells whom. Nothing runs yet. */
export class Wiring {
  readonly sources: Sources;
  readonly settings: MountedSettings;
  readonly ring: SpeakerRing;
  readonly configuration: Configuration;
  readonly layer2: Layer2;
  readonly reports: Reports;
  readonly loop: Loop;
  /** One key: however many objects changed, all are read once. */
  readonly refreshes: Queue;
  readonly #parts: SpeakerParts;
  readonly #options: SpeakerOptions;
  #onDuty: (() => void) | undefined;

  constructor(parts: SpeakerParts, options: SpeakerOptions) {
    this.#parts = parts;
    this.#options = options;
    const speaker = speakerMetrics(parts.metrics);
    this.sources = makeSources(parts, options);
    this.settings = this.#makeSettings();
    this.ring = this.#makeRing();
    this.configuration = this.#makeConfiguration(speaker);
    this.reports = new Reports({
      ...parts,
      options,
      sources: this.sources,
      configuration: this.configuration,
      loop: () => this.loop,
      layer2: () => this.layer2,
    });
    this.layer2 = this.#makeLayer2(speaker);
    this.loop = this.#makeLoop(speaker);
    this.refreshes = new Queue({
      ...parts,
      run: () => {
        this.refreshNow();
        return Promise.resolve();
      },
    });
    this.#followSources();
  }

  /** Reads objects, nodes and ring anew, soon. */
  refresh(): void {
    this.refreshes.add('all');
  }

  /** The same at once: what differs concerns some Services, and those are decided about. */
  refreshNow(): void {
    const first = this.configuration.field === undefined;
    const changes = this.configuration.refresh();
    if (first) for (const service of this.sources.services.store.list()) this.loop.add(keyOf(service));
    else this.loop.addConcerned(changes);
    this.reports.lookAtNode();
    this.layer2.look();
  }

  /** Resolves when a Service is given up and nothing is announced any more. */
  whenSilent(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDuty = () => {
        if (this.layer2.announcer.size === 0) resolve();
      };
    });
  }

  async close(): Promise<void> {
    await Promise.all([
      this.layer2.close(),
      this.ring.close(),
      this.settings.close(),
      this.refreshes.close(),
      this.loop.close(),
      this.reports.close(),
      ...allSources(this.sources).map(([, source]) => source.close()),
    ]);
  }

  #makeSettings(): MountedSettings {
    return new MountedSettings({
      ...this.#parts,
      dir: this.#options.configDir,
      onChange: (settings) => {
        this.layer2.configure(settings);
        this.refresh();
      },
    });
  }

  #makeRing(): SpeakerRing {
    const options = this.#options;
    return new SpeakerRing({
      ...this.#parts,
      options,
      expected: () => speakerAddresses(this.sources, options.node),
      onChange: () => {
        this.refresh();
        this.layer2.heed();
      },
      onConflict: (claim) => this.reports.tellOfRival(claim),
      onReturn: () => this.layer2.returned(),
    });
  }

  #makeConfiguration(metrics: SpeakerMetrics): Configuration {
    const { sources, ring, settings } = this;
    return new Configuration({
      sources,
      options: this.#options,
      log: this.#parts.log,
      metrics,
      ring,
      onCordon: () => settings.now.onCordon,
    });
  }

  #makeLayer2(speaker: SpeakerMetrics): Layer2 {
    const { sources, configuration, settings, ring, reports } = this;
    return new Layer2({
      ...this.#parts,
      options: this.#options,
      sources,
      speaker,
      configuration,
      settings,
      ring,
      loop: () => this.loop,
      tell: (key, event) => reports.tell(key, event),
      onConflicts: () => reports.lookAtNode(),
      onStanding: () => {
        reports.lookAtLosses();
        this.refresh();
      },
    });
  }

  #makeLoop(speaker: SpeakerMetrics): Loop {
    const { sources, configuration, settings, layer2, reports } = this;
    return new Loop({
      ...this.#parts,
      options: this.#options,
      sources,
      configuration,
      announcer: layer2.announcer,
      recorder: reports.recorder,
      speaker,
      handoverMs: () => settings.now.handoverMs,
      onDuty: (key) => {
        reports.lookAtService(key);
        this.#onDuty?.();
      },
    });
  }

  #followSources(): void {
    const { pools, advertisements, communities, services, slices, nodes, pods } = this.sources;
    for (const source of [pools, advertisements, communities]) source.onChange(() => this.refresh());
    const node = (name: string): void => {
      if (this.configuration.nodeDiffers(name)) this.refresh();
    };
    nodes.onChange(node);
    for (const source of pods) {
      follow(source, (pod) => pod.spec.nodeName, node);
      source.onChange(() => this.ring.join());
    }
    services.onChange((key) => this.loop.add(key));
    follow(slices, sliceService, (key) => this.loop.add(key));
  }
}
