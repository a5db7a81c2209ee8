import type { Pool } from '../../domain/config/config.ts';
import type { Family } from '../../domain/ip/address.ts';
import { capacityOf } from '../../domain/ipam/counters.ts';
import { forecast, type Sample, sampled } from '../../domain/ipam/forecast.ts';
import type { Ledger } from '../../domain/ipam/ledger.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Doors } from './doors.ts';
import type { ControllerMetrics } from './metrics.ts';

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const GATHER_MS = 100;
/** A look costs the addresses in use of all pools, so that a burst has few of them. */
const REST_MS = 5_000;
/** Without any change: the forecast goes on. */
const IDLE_MS = 60_000;
const LOOK = 'trends';

interface TrendsOptions {
  readonly doors: Pick<Doors, 'clock' | 'random' | 'log'>;
  readonly metrics: Pick<ControllerMetrics, 'trend' | 'forgetTrend'>;
  /** Undefined before the first Config. */
  readonly ledger: () => Ledger | undefined;
}

/** Shows how full pools are by family, how large their longest free run is, and when they will be empty. */
export class Trends {
  readonly #o: TrendsOptions;
  readonly #queue: Queue;
  /** By pool and family. */
  readonly #samples = new Map<string, readonly Sample[]>();
  #shown = new Map<string, { readonly pool: string; readonly family: Family }>();
  #last = Number.NEGATIVE_INFINITY;

  constructor(o: TrendsOptions) {
    this.#o = o;
    const { clock, random, log } = o.doors;
    this.#queue = new Queue({
      run: async () => this.#look(),
      clock,
      random,
      log: log.child({ op: 'trends' }),
    });
    this.#queue.start();
  }

  /** Tells that something may have changed. */
  touch(): void {
    const rested = this.#last + REST_MS - this.#o.doors.clock.now();
    this.#queue.addAfter(LOOK, Math.max(GATHER_MS, rested));
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #look(): void {
    const ledger = this.#o.ledger();
    if (!ledger) return;
    const now = this.#o.doors.clock.now();
    this.#last = now;
    const before = this.#shown;
    this.#shown = new Map();
    for (const family of FAMILIES) {
      const used = ledger.usedByPool(family);
      for (const pool of ledger.config.pools.values()) {
        const list = used.get(pool.name) ?? [];
        if (capacityOf(pool)[family] === 0n && list.length === 0) continue;
        const longest = ledger.longestFree(pool, family, list);
        this.#show({ ledger, pool, family, used: list.length, longest, at: now });
      }
    }
    for (const [key, { pool, family }] of before)
      if (!this.#shown.has(key)) {
        this.#samples.delete(key);
        this.#o.metrics.forgetTrend(pool, family);
      }
    this.#queue.addAfter(LOOK, IDLE_MS);
  }

  #show(o: {
    readonly ledger: Ledger;
    readonly pool: Pool;
    readonly family: Family;
    readonly used: number;
    readonly longest: bigint;
    readonly at: number;
  }): void {
    const { ledger, family, used, longest, at } = o;
    const { name: pool } = o.pool;
    const key = `${pool} ${family}`;
    const { availableIPv4, availableIPv6 } = ledger.counters(pool);
    const { draining, quarantined, reserved } = ledger.withheld(o.pool, family);
    const open = family === 'IPv4' ? availableIPv4 : availableIPv6;
    const free = Number(open - quarantined - reserved);
    const withheld = {
      draining: Number(draining),
      quarantined: Number(quarantined),
      reserved: Number(reserved),
    };
    const samples = this.#samples.get(key) ?? [];
    const seconds = forecast(samples, { at, used }, free);
    this.#samples.set(key, sampled(samples, { at, used }));
    this.#shown.set(key, { pool, family });
    this.#o.metrics.trend({ pool, family, used, free, withheld, longest: Number(longest), seconds });
  }
}
