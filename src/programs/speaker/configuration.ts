import type { Node, Pod } from '../../domain/api/core.ts';
import { type Problem, problemText } from '../../domain/api/problem.ts';
import type { Config } from '../../domain/config/config.ts';
import { load } from '../../domain/config/load.ts';
import { concerned, type Fingerprints, fingerprints } from '../../domain/election/concern.ts';
import { cordonsCount, isCordoned, type OnCordon, type SpeakerView } from '../../domain/election/cordon.ts';
import { type Field, layOut } from '../../domain/election/field.ts';
import { livenessByApi, livenessByRing, type NodeView, nodeView } from '../../domain/election/nodes.ts';
import type { Log } from '../../platform/obs/log.ts';
import { LOG } from './events.ts';
import type { SpeakerMetrics } from './metrics.ts';
import type { SpeakerOptions } from './options.ts';
import type { SpeakerRing } from './ring/ring.ts';
import type { Sources } from './sources.ts';

/** What a refresh changed. */
export interface Refreshed {
  readonly pools: ReadonlySet<string>;
  /** Addresses without a pool may have one now, and the other way round. */
  readonly ranges: boolean;
}

export interface ConfigurationOptions {
  readonly sources: Sources;
  readonly options: SpeakerOptions;
  readonly log: Log;
  readonly metrics: SpeakerMetrics;
  /** What the speakers know about a node's, and what that one says about its node. */
  readonly ring: Pick<SpeakerRing, 'state' | 'notice'>;
  readonly onCordon: () => OnCordon;
}

/** Keeps the one Field that all decisions are made on: the last good Config, and the nodes as they are. */
export class Configuration {
  readonly #o: ConfigurationOptions;
  #config: Config | undefined;
  #field: Field | undefined;
  #prints: Fingerprints = new Map();
  #problems: readonly Problem[] = [];
  #told = '';
  /** As of the last refresh. */
  #cordonsCount = false;

  constructor(o: ConfigurationOptions) {
    this.#o = o;
  }

  /** Undefined until a first Config was good. */
  get field(): Field | undefined {
    return this.#field;
  }

  /** What is wrong with the objects as they are now; empty when they are in force. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Whether anything that counts about the node differs from what the field has. Heartbeats do not. */
  nodeDiffers(name: string): boolean {
    const node = this.#o.sources.nodes.store.get(name);
    return facts(node && this.#view(node)) !== facts(this.#field?.nodes.get(name));
  }

  /** Reads everything anew. Cheap, as it grows with pools, advertisements and nodes only, not with Services. */
  refresh(): Refreshed {
    this.#load();
    if (!this.#config) return { pools: new Set(), ranges: false };
    this.#cordonsCount = this.#doCordonsCount();
    this.#field = layOut(this.#config, this.#nodes(), this.#field);
    const prints = fingerprints(this.#field);
    const changes = concerned(this.#prints, prints);
    this.#prints = prints;
    return changes;
  }

  #load(): void {
    const { pools, advertisements, communities } = this.#o.sources;
    const loaded = load({
      pools: [...pools.store.list()],
      l2Advertisements: [...advertisements.store.list()],
      communities: [...communities.store.list()],
      bgpAdvertisements: [],
      bgpPeers: [],
      bfdProfiles: [],
      namespaces: [],
    });
    const { metrics } = this.#o;
    if ('config' in loaded) {
      this.#config = loaded.config;
      this.#problems = [];
      metrics.configLoaded.set({}, 1);
    } else {
      this.#problems = loaded.problems;
    }
    metrics.configStale.set({}, this.#problems.length > 0 ? 1 : 0);
    this.#tell();
  }

  /** Once per set of problems. */
  #tell(): void {
    const text = this.#problems.map(problemText).join('\n');
    if (text === this.#told) return;
    this.#told = text;
    if (text === '') this.#o.log.info({ op: 'config' }, LOG.configTaken);
    else this.#o.log.error({ op: 'config', problems: text.split('\n') }, LOG.configRefused);
  }

  #nodes(): readonly NodeView[] {
    return [...this.#o.sources.nodes.store.list()].map((node) => this.#view(node));
  }

  #view(node: Node): NodeView {
    const { ignoreExcludeLb: ignoreExclude } = this.#o.options;
    const { liveness, notice } = this.#speaker(node);
    return {
      ...nodeView(node, { liveness, ignoreExclude }),
      ...(notice?.losses && { losses: notice.losses }),
      ...(this.#cordonsCount && isCordoned(node) && { cordoned: true }),
    };
  }

  #doCordonsCount(): boolean {
    const speakers = [...this.#o.sources.nodes.store.list()].map((node) => this.#speaker(node));
    return cordonsCount(this.#o.onCordon(), speakers);
  }

  #speaker(node: Node): SpeakerView {
    const { name } = node.metadata;
    const ring = this.#o.ring.state(name);
    const liveness = livenessByRing(ring, livenessByApi(node, this.#speakersOn(name)));
    return { liveness, ring, notice: this.#o.ring.notice(name) };
  }

  #speakersOn(node: string): readonly Pod[] | undefined {
    const { pods } = this.#o.sources;
    return pods.length === 0 ? undefined : pods.flatMap((reflector) => [...reflector.store.by('node', node)]);
  }
}

/** As text, so that equal ones are equal. What its speaker says is not among it: it comes by the ring. */
function facts(view: NodeView | undefined): string | undefined {
  return view && JSON.stringify({ ...view, losses: undefined });
}
