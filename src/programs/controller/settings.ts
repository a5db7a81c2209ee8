import { isDeepStrictEqual } from 'node:util';
import { type IPAddressPool, IPAddressPools } from '../../domain/api/metallb.ts';
import type { Problem } from '../../domain/api/problem.ts';
import type { Config } from '../../domain/config/config.ts';
import { type Loaded, load } from '../../domain/config/load.ts';
import { Queue } from '../../platform/kube/queue.ts';
import { resource } from '../../platform/kube/resource.ts';
import type { Caches } from './caches.ts';
import type { Doors } from './doors.ts';
import { lines } from './events.ts';
import type { ControllerMetrics } from './metrics.ts';

/** So long the last pool must be gone before that counts. */
const GONE_MS = 300;

type Accepted = Extract<Loaded, { config: Config }>;

/** What outlives a session: the last configuration that was good, for when leadership returns to a refused one. */
export interface Memory {
  config?: Config;
}

/** Turns the objects of the caches into the Config in force, and keeps the last good one while they are refused. */
export class Settings {
  readonly #doors: Doors;
  readonly #caches: Caches;
  readonly #memory: Memory;
  readonly #metrics: ControllerMetrics;
  readonly #bgpType: string | undefined;
  readonly #apply: (config: Config) => void;
  readonly #report: (problems: readonly Problem[]) => void;
  readonly #warn: (pool: IPAddressPool, problem: Problem) => void;
  readonly #queue: Queue;
  readonly #stops: readonly (() => void)[];
  #inForce: Config | undefined;
  /** Whether no set of pools has counted yet. */
  #first = true;
  /** When the last of the pools in force went, milliseconds of the clock. */
  #goneSince: number | undefined;
  /** Until the first pool of a new kind comes, nothing is in force. */
  #unborn = false;
  /** The warnings told last, as text. */
  #warned = '[]';

  /** `apply` puts a Config in force; it is called for the first one, and then for each that differs. */
  constructor(o: {
    doors: Doors;
    caches: Caches;
    memory: Memory;
    metrics: ControllerMetrics;
    bgpType: string | undefined;
    apply: (config: Config) => void;
    report: (problems: readonly Problem[]) => void;
    /** Hears, once each, of parts of pools that have no effect. */
    warn: (pool: IPAddressPool, problem: Problem) => void;
  }) {
    this.#doors = o.doors;
    this.#caches = o.caches;
    this.#memory = o.memory;
    this.#metrics = o.metrics;
    this.#bgpType = o.bgpType;
    this.#apply = o.apply;
    this.#report = o.report;
    this.#warn = o.warn;
    const { clock, random, log } = o.doors;
    this.#queue = new Queue({ run: () => this.#reload(), clock, random, log: log.child({ op: 'settings' }) });
    const { pools, communities, namespaces, reservations, quotas } = o.caches;
    const again = () => this.#queue.add('config');
    this.#stops = [pools, communities, namespaces, reservations, quotas].map((reflector) =>
      reflector.onChange(again),
    );
  }

  /**
   * To be called once the caches are in sync. `newKind`: the server did not know pools until now, so that their absence says
   * nothing about the addresses that Services have.
   */
  start({ newKind }: { newKind: boolean }): void {
    this.#unborn = newKind;
    this.#queue.add('config');
    this.#queue.start();
  }

  close(): Promise<void> {
    for (const stop of this.#stops) stop();
    return this.#queue.close();
  }

  async #reload(): Promise<void> {
    this.#metrics.updates.inc({});
    const { pools, communities, namespaces, reservations, quotas } = this.#caches;
    const unreadable = await this.#certain();
    if (unreadable === 'wait') return;
    const loaded = load({
      pools: [...pools.store.list()],
      communities: [...communities.store.list()],
      namespaces: [...namespaces.store.list()],
      reservations: [...reservations.store.list()],
      quotas: [...quotas.store.list()],
      l2Advertisements: [],
      bgpAdvertisements: [],
      bgpPeers: [],
      bfdProfiles: [],
      ...(this.#bgpType === undefined ? {} : { bgpType: this.#bgpType }),
    });
    const problems = 'problems' in loaded ? [...unreadable, ...loaded.problems] : unreadable;
    if (problems.length > 0 || 'problems' in loaded) this.#refuse(problems);
    else this.#accept(loaded);
  }

  #accept({ config, warnings }: Accepted): void {
    this.#first = false;
    this.#metrics.configLoaded.set({}, 1);
    this.#metrics.configStale.set({}, 0);
    this.#report([]);
    this.#tellWarnings(warnings);
    this.#force(config);
  }

  /** Once per set of warnings. */
  #tellWarnings(warnings: readonly Problem[]): void {
    const text = JSON.stringify(warnings);
    if (text === this.#warned) return;
    this.#warned = text;
    if (warnings.length === 0) return;
    this.#doors.log.warn({ op: 'settings', problems: warnings }, lines.configWarns);
    for (const pool of this.#caches.pools.store.list())
      for (const problem of warnings)
        if (problem.object === `IPAddressPool ${pool.metadata.name}`) this.#warn(pool, problem);
  }

  #refuse(problems: readonly Problem[]): void {
    this.#metrics.updateErrors.inc({});
    this.#metrics.configStale.set({}, 1);
    this.#doors.log.error({ op: 'settings', problems }, lines.configRefused);
    this.#report(problems);
    // After a change of leaders within this process the last good one is still known.
    if (!this.#inForce && this.#memory.config) this.#force(this.#memory.config);
  }

  #force(config: Config): void {
    this.#memory.config = config;
    if (isDeepStrictEqual(this.#inForce, config)) return;
    this.#inForce = config;
    this.#doors.log.info({ op: 'settings', pools: [...config.pools.keys()] }, lines.configAccepted);
    this.#apply(config);
  }

  /** Milliseconds since the last pool went. */
  #goneFor(): number {
    const now = this.#doors.clock.now();
    this.#goneSince ??= now;
    return now - this.#goneSince;
  }

  /**
   * A list may be empty because a server has just come up, its cache is behind, or somebody replaces the only pool: what would clear every status is asked
   * of the quorum first. Resolves to objects that cannot be read, which are problems and not absent pools; to 'wait' when
   * there are pools that the cache does not have yet. Throws, and is tried again, when nobody answers.
   */
  async #certain(): Promise<readonly Problem[] | 'wait'> {
    const { store } = this.#caches.pools;
    if (this.#unborn && store.size === 0) return 'wait';
    this.#unborn = false;
    const emptied = store.size === 0 && (this.#inForce?.pools.size ?? 0) > 0;
    if (emptied && this.#goneFor() < GONE_MS) {
      this.#queue.addAfter('config', GONE_MS - this.#goneFor());
      return 'wait';
    }
    if (!emptied) this.#goneSince = undefined;
    if (!emptied && !this.#first) return [];
    const { namespace, client, grace } = this.#doors;
    const truth = await resource(client, IPAddressPools).list({ namespace, signal: grace });
    if (store.size === 0 && truth.items.length > 0) {
      this.#doors.log.warn({ op: 'settings', pools: truth.items.length }, lines.configHeld);
      this.#queue.addAfter('config', 1_000);
      return 'wait';
    }
    return truth.invalid.map((error) => ({ code: 'PoolUnreadable', path: '', message: error.message }));
  }
}
