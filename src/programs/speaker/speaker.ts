import { keyOf } from '../../domain/api/object.ts';
import { type Mount, watchMount } from '../../platform/files/mount.ts';
import { EventRecorder, type EventText } from '../../platform/kube/events.ts';
import { paced } from '../../platform/kube/paced.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { LinkWatch } from '../../platform/linux/links.ts';
import { openArpSocket } from '../../platform/linux/packet.ts';
import { selfTest } from '../../platform/linux/selftest.ts';
import type { Sockets } from '../../platform/linux/sockets.ts';
import { isAbort, type Timer } from '../../platform/obs/clock.ts';
import type { Level } from '../../platform/obs/log.ts';
import { endpointText } from '../../protocols/gossip/endpoint.ts';
import { Configuration } from './configuration.ts';
import { aboutNode, aboutService, EVENT, LOG } from './events.ts';
import { Announcer } from './layer2/announcer.ts';
import { Standing } from './layer2/standing.ts';
import { Loop } from './loop.ts';
import { type SpeakerMetrics, speakerMetrics } from './metrics.ts';
import { LAST_WORDS_MS, LINGER_MOST_MS, LINGER_MS, type SpeakerOptions } from './options.ts';
import { Others } from './others/others.ts';
import { type Conflict, SpeakerRing } from './ring/ring.ts';
import { DEFAULTS, readSettings, type Settings } from './settings.ts';
import {
  allSources,
  decisive,
  follow,
  makeSources,
  type Parts,
  type Sources,
  sliceService,
  speakerAddresses,
} from './sources.ts';
import { ownPod } from './status/owner.ts';
import { State } from './status/state.ts';
import { Statuses } from './status/statuses.ts';

export interface SpeakerParts extends Parts {
  readonly sockets: Sockets;
  /** What the command line says; a mounted setting goes before it. */
  readonly logLevel: Level;
}

/** Index of the loopback interface in every network namespace. */
const LOOPBACK = 1;
/** A thousand Services that change hands bring two Events each; the addresses come first. */
const EVENTS_AFTER_MS = 1_000;
/**
 * Events and status objects of all moves together. A thousand Services that move lead to four thousand requests; as fast as they can be
 * made, they would keep the API server, and this process, busy for seconds, in which the next addresses may have to move.
 */
const REPORTS = { qps: 50, burst: 20, concurrency: 2 } as const;
/** Lists that no decision needs hold the start up for so long at most; from one look at them to the next. */
const ALL_READ_MS = 1_000;
const LOOK_MS = 10;

/** One node's speaker, from its start to its end. */
export class Speaker {
  readonly #parts: SpeakerParts;
  readonly #options: SpeakerOptions;
  readonly #sources: Sources;
  readonly #configuration: Configuration;
  readonly #announcer: Announcer;
  readonly #others: Others;
  readonly #ring: SpeakerRing;
  readonly #standing: Standing;
  readonly #recorder: EventRecorder;
  readonly #loop: Loop;
  readonly #refreshes: Queue;
  readonly #statuses: Statuses;
  readonly #state: State;
  readonly #ending = new AbortController();
  #settings: Settings = DEFAULTS;
  #links: LinkWatch | undefined;
  #linksKnown = Promise.withResolvers<void>();
  #mount: Mount | undefined;
  #beginning: Promise<void> | undefined;
  #failed = Promise.withResolvers<never>();
  /** In the end: all addresses are given up. */
  readonly #silent = Promise.withResolvers<void>();
  #ready = false;

  /** Proves that sockets work here, then starts. Rejects with LinuxError when they do not, for instance without CAP_NET_RAW. */
  static async start(parts: SpeakerParts, options: SpeakerOptions): Promise<Speaker> {
    await selfTest(parts.sockets, parts.clock);
    openArpSocket({ sockets: parts.sockets, index: LOOPBACK, onFrame: () => {}, onBroken: () => {} }).close();
    const speaker = new Speaker(parts, options);
    await speaker.#start();
    return speaker;
  }

  private constructor(parts: SpeakerParts, options: SpeakerOptions) {
    // Whoever looks at it later still sees it; nobody looking is no crash.
    this.#failed.promise.catch(() => {});
    this.#parts = parts;
    this.#options = options;
    const metrics = speakerMetrics(parts.metrics);
    const sources = makeSources(parts, options);
    const owner = ownPod(parts.client, options);
    this.#sources = sources;
    const patient = paced(parts.client, { ...REPORTS, clock: parts.clock });
    this.#recorder = new EventRecorder({
      ...parts,
      client: patient,
      component: 'metallb-speaker',
      instance: options.node,
      afterMs: EVENTS_AFTER_MS,
    });
    const expected = () => speakerAddresses(sources, options.node);
    this.#ring = new SpeakerRing({
      ...parts,
      options,
      expected,
      onChange: () => {
        this.#refreshes.add('all');
        this.#others.heed();
      },
      onConflict: (claim) => this.#tellOfRival(claim),
      onReturn: () => this.#others.returned(),
    });
    this.#configuration = new Configuration({
      sources,
      options,
      log: parts.log,
      metrics,
      ring: this.#ring,
      onCordon: () => this.#settings.onCordon,
    });
    const { excluded, gratuitous: timing } = DEFAULTS;
    this.#standing = this.#makeStanding();
    this.#announcer = new Announcer({
      ...parts,
      metrics,
      excluded,
      timing,
      onOther: (other) => {
        this.#loop.seen(other);
        this.#others.seen(other);
      },
      onSent: (name, well) => this.#standing.sent(name, well),
    });
    this.#others = this.#makeOthers(metrics);
    this.#statuses = new Statuses({
      ...parts,
      client: patient,
      options,
      sources,
      owner,
      duty: (key) => this.#loop.duty(key),
    });
    this.#state = new State({
      ...parts,
      options,
      sources,
      owner,
      problems: () => this.#configuration.problems,
      conflicts: () => this.#others.conflicts,
      losses: () => this.#standing.lines,
    });
    this.#loop = this.#makeLoop(metrics);
    // One key: however many objects changed, all are read once.
    this.#refreshes = new Queue({
      ...parts,
      run: () => {
        this.#refresh();
        return Promise.resolve();
      },
    });
  }

  #makeStanding(): Standing {
    return new Standing({
      ...this.#parts,
      excluded: DEFAULTS.excluded,
      config: () => this.#configuration.field?.config,
      heedsCordon: () => this.#settings.onCordon !== 'stay',
      onChange: (meta, nowhere) => {
        this.#ring.describe(meta, nowhere);
        this.#state.lookAtLosses();
        this.#refreshes.add('all');
      },
    });
  }

  #makeOthers(metrics: SpeakerMetrics): Others {
    const tell = (key: string, event: EventText) => {
      const service = this.#sources.services.store.get(key);
      if (service) this.#recorder.record(aboutService(service), event);
    };
    return new Others({
      ...this.#parts,
      options: this.#options,
      sources: this.#sources,
      announcer: this.#announcer,
      ring: this.#ring,
      standing: this.#standing,
      speaker: metrics,
      owned: () => this.#loop.owned(),
      ownerOf: (key) => this.#loop.ownerOf(key),
      tell,
      onChange: () => this.#state.look(),
    });
  }

  #makeLoop(metrics: SpeakerMetrics): Loop {
    return new Loop({
      ...this.#parts,
      options: this.#options,
      sources: this.#sources,
      configuration: this.#configuration,
      announcer: this.#announcer,
      recorder: this.#recorder,
      speaker: metrics,
      handoverMs: () => this.#settings.handoverMs,
      onDuty: (key) => {
        this.#statuses.add(key);
        if (this.#ending.signal.aborted && this.#announcer.size === 0) this.#silent.resolve();
      },
    });
  }

  /** Rejects when the speaker cannot begin and never will; a new process may. Resolves never. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** `true`, or what is still missing. Stays true while the API server is away. */
  get ready(): true | string {
    if (this.#ending.signal.aborted) return 'stopping';
    // Without a ring nobody else could know.
    if (!this.#options.ring && this.#standing.nowhere) return 'no interface is left to answer on';
    if (this.#ready) return true;
    if (this.#ring.refused) return 'another speaker has the name of this node';
    const missing = decisive(this.#sources).filter(([, source]) => !source.synced);
    const names = missing.map(([name, { state }]) => `${name} (${state.phase})`);
    return names.length > 0 ? `waiting for ${names.join(', ')}` : 'deciding about the services';
  }

  /**
   * Ends in order: not ready; answering on until those who take over are heard; silent; the last Events sent; all closed. Status
   * objects go with the Pod.
   */
  async close(): Promise<void> {
    const { log } = this.#parts;
    log.info({ op: 'stop', addresses: this.#announcer.size }, LOG.stopping);
    this.#ending.abort();
    // Whoever takes over hears it now, and we hear when it does.
    const farewell = this.#ring.leave();
    this.#refreshes.add('all');
    if (this.#announcer.size > 0) await this.#handedOver();
    this.#announcer.close();
    await farewell;
    await this.#lastWords();
    this.#links?.close();
    this.#standing.close();
    await Promise.all([
      this.#beginning,
      this.#ring.close(),
      this.#others.close(),
      this.#mount?.close(),
      this.#refreshes.close(),
      this.#loop.close(),
      this.#statuses.close(),
      this.#state.close(),
      this.#recorder.close(),
      ...allSources(this.#sources).map(([, source]) => source.close()),
    ]);
    log.info({ op: 'stop' }, LOG.stopped);
  }

  /** All addresses are answered for elsewhere, or nothing more is heard of those that take them over. */
  async #handedOver(): Promise<void> {
    const { clock } = this.#parts;
    const begin = clock.now();
    const over = Promise.withResolvers<void>();
    let timer: Timer | undefined;
    const look = (): void => {
      const patience = Math.max(begin, this.#loop.heardAt) + LINGER_MS;
      const rest = Math.min(patience, begin + LINGER_MOST_MS) - clock.now();
      if (rest > 0) timer = clock.after(rest, look);
      else over.resolve();
    };
    look();
    await Promise.race([this.#silent.promise, over.promise]);
    timer?.cancel();
  }

  /** Events follow moves by a second, and the process would be gone by then. */
  async #lastWords(): Promise<void> {
    this.#loop.flush();
    const over = new AbortController();
    const patience = this.#parts.clock.sleep(LAST_WORDS_MS, over.signal).catch(() => {});
    await Promise.race([patience, this.#recorder.flush()]);
    over.abort();
  }

  async #start(): Promise<void> {
    const { sockets, clock, log } = this.#parts;
    const { configDir: dir } = this.#options;
    if (dir !== undefined) {
      this.#mount = watchMount({ dir, clock, log, onChange: (files) => this.#takeSettings(files) });
      // Excluded interfaces must be known before any is answered on.
      await this.#mount.first;
    }
    this.#wire();
    for (const [, source] of decisive(this.#sources)) source.start();
    this.#links = new LinkWatch({
      sockets,
      clock,
      onChange: (links) => {
        this.#linksKnown.resolve();
        this.#changeInterfaces(() => this.#announcer.setLinks(links));
        this.#standing.setLinks(links);
      },
      onTrouble: (error) => log.warn({ op: 'links', error }, LOG.linksFailed),
    });
    this.#beginning = this.#begin().catch((error: unknown) => {
      if (!isAbort(error)) this.#failed.reject(error);
    });
  }

  #wire(): void {
    const { pools, advertisements, communities, services, slices, nodes, pods } = this.#sources;
    const refresh = (): void => this.#refreshes.add('all');
    for (const source of [pools, advertisements, communities]) source.onChange(refresh);
    const node = (name: string): void => {
      if (this.#configuration.nodeDiffers(name)) refresh();
    };
    nodes.onChange(node);
    for (const source of pods) {
      follow(source, (pod) => pod.spec.nodeName, node);
      source.onChange(() => this.#ring.join());
    }
    services.onChange((key) => this.#loop.add(key));
    follow(slices, sliceService, (key) => this.#loop.add(key));
  }

  /** Decisions begin when all that they depend on is known, and writing about them after the first round. */
  async #begin(): Promise<void> {
    const { signal } = this.#ending;
    await Promise.all(decisive(this.#sources).map(([, source]) => source.whenSynced(signal)));
    await Promise.race([this.#linksKnown.promise, aborted(signal)]);
    this.#refresh();
    this.#refreshes.start();
    this.#loop.start();
    await this.#loop.idle();
    // What is only written about waits until here: its list may be as long as that of the Services.
    for (const [, source] of allSources(this.#sources)) source.start();
    // Only now: a member is one that can take addresses over, and has nothing else to do.
    await this.#allRead(signal);
    await this.#announcer.caughtUp();
    this.#ring.start();
    await this.#ring.joined();
    await this.#refreshes.idle();
    await this.#loop.idle();
    await this.#announcer.settled(signal);
    // What belongs here is back, and nobody else has it: a rolling update may go on to the next node without moving it twice.
    this.#ready = true;
    this.#parts.log.info({ op: 'start', addresses: this.#announcer.size }, LOG.started);
    this.#state.start();
    this.#statuses.start();
    this.#others.start();
  }

  /**
   * All lists are in, or cannot be had at the moment: a server answers "not yet" for a second about a kind that is new to it, and one
   * that is asked again later costs nothing now.
   */
  async #allRead(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const until = clock.now() + ALL_READ_MS;
    const reading = () => allSources(this.#sources).some(([, { state }]) => state.phase === 'starting');
    while (reading() && clock.now() < until) await clock.sleep(LOOK_MS, signal);
  }

  #refresh(): void {
    const first = this.#configuration.field === undefined;
    const changes = this.#configuration.refresh();
    if (first) for (const service of this.#sources.services.store.list()) this.#loop.add(keyOf(service));
    else this.#loop.addConcerned(changes);
    this.#state.look();
    this.#standing.look();
  }

  /** Another speaker says that it is this node's. */
  #tellOfRival({ name, known, other, late }: Conflict): void {
    const node = this.#sources.nodes.store.get(name);
    if (!node) return;
    const [here, there] = [known, other].map(endpointText);
    const what = late ? `announces nothing while that one is there` : 'stays';
    const message = `another speaker, at ${there}, claims to be that of this node; the one at ${here} ${what}`;
    this.#recorder.record(aboutNode(node), { type: 'Warning', reason: EVENT.nameConflict, message });
  }

  /** Pods bring links all the time; only names that an advertisement may choose matter to Services. */
  #changeInterfaces(change: () => void): void {
    const before = this.#announcer.interfaceNames;
    change();
    const after = this.#announcer.interfaceNames;
    if (before.size !== after.size || !before.isSubsetOf(after)) this.#loop.addOwned();
  }

  #takeSettings(files: ReadonlyMap<string, string>): void {
    const { log, logLevel } = this.#parts;
    const { settings, refused } = readSettings(files, this.#settings);
    this.#settings = settings;
    for (const { file, message } of refused)
      log.error({ op: 'settings', file, problem: message }, LOG.settingsRefused);
    const level = settings.logLevel ?? logLevel;
    log.setLevel(level);
    this.#announcer.setTiming(settings.gratuitous);
    this.#others.setPolicy(settings.onConflict);
    this.#changeInterfaces(() => this.#announcer.setExcluded(settings.excluded));
    this.#standing.setExcluded(settings.excluded);
    this.#refreshes.add('all');
    log.info({ op: 'settings', logLevel: level, files: [...files.keys()] }, LOG.settingsTaken);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new DOMException('aborted', 'AbortError'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
