import { poolOf, type Suspect } from '../../domain/config/config.ts';
import { type Address, formatAddress } from '../../domain/ip/address.ts';
import type { Ledger } from '../../domain/ipam/ledger.ts';
import { Queue } from '../../platform/kube/queue.ts';
import type { Doors } from './doors.ts';
import { lines } from './events.ts';
import type { ControllerMetrics } from './metrics.ts';

/** So many addresses are shown one by one in metrics; all of them count. */
const SHOWN = 100;
const LOOK = 'quarantine';
/** A timer's longest. */
const DAY_MS = 86_400_000;
/** An address that was found in use is tried again after this time, doubled each time that it still is, up to a day. */
const RETRY_MS = 600_000;

interface QuarantinesOptions {
  readonly doors: Pick<Doors, 'clock' | 'random' | 'log'>;
  readonly metrics: Pick<ControllerMetrics, 'quarantined'>;
  /** Hears that addresses may be given out again. */
  readonly ended: () => void;
}

interface Labels {
  readonly pool: string;
  readonly address: string;
  readonly reason: string;
}

/** An address that was found in use by another host. */
interface InUse {
  readonly address: Address;
  readonly reason: string;
  readonly since: number;
  readonly until: number;
  readonly times: number;
}

/** Fills the quarantine of the ledger with what pools name as in use elsewhere, and lets addresses out when their time is up. */
export class Quarantines {
  readonly #o: QuarantinesOptions;
  readonly #queue: Queue;
  #ledger: Ledger | undefined;
  /** By the text of the address; for a while after their end, so that the next wait is longer. */
  readonly #found = new Map<string, InUse>();
  /** Metrics, by address. */
  #shown = new Map<string, Labels>();

  constructor(o: QuarantinesOptions) {
    this.#o = o;
    const { clock, random, log } = o.doors;
    const run = async () => this.#expire();
    this.#queue = new Queue({ run, clock, random, log: log.child({ op: 'quarantine' }) });
    this.#queue.start();
  }

  /** An address turned out to be in use by somebody else: it is given to nobody for a while. */
  found(address: Address, reason: string): void {
    const { clock, log } = this.#o.doors;
    const now = clock.now();
    const text = formatAddress(address);
    for (const [key, { until }] of this.#found) if (until + DAY_MS <= now) this.#found.delete(key);
    const before = this.#found.get(text);
    const times = (before?.times ?? 0) + 1;
    const wait = Math.min(RETRY_MS * 2 ** (times - 1), DAY_MS);
    const found = { address, reason, since: now, until: now + wait, times };
    this.#found.set(text, found);
    log.warn(
      { op: 'quarantine', address: text, reason, minutes: Math.round(wait / 60_000) },
      lines.quarantined,
    );
    if (!this.#ledger) return;
    this.#ledger.quarantine.add(found);
    this.#settle(this.#ledger);
  }

  /** Takes the set of the ledger's Config, in place of what it said before; what was found in use stays. */
  follow(ledger: Ledger): void {
    this.#ledger = ledger;
    const { clock, log } = this.#o.doors;
    const now = clock.now();
    const named = new Set<string>();
    for (const [text, found] of this.#found) {
      if (found.until <= now) continue;
      named.add(text);
      ledger.quarantine.add(found);
    }
    for (const pool of ledger.config.pools.values())
      for (const suspect of pool.quarantined ?? []) {
        const { address, reason } = suspect;
        const text = formatAddress(address);
        const until = Math.max(now + this.#left(suspect), this.#found.get(text)?.until ?? 0);
        if (until <= now) continue;
        named.add(text);
        if (!ledger.quarantine.of(address))
          log.warn({ op: 'quarantine', address: text, pool: pool.name, reason }, lines.quarantined);
        ledger.quarantine.add({ address, reason, since: now, until });
      }
    for (const { address } of ledger.quarantine.entries())
      if (!named.has(formatAddress(address))) {
        ledger.quarantine.lift(address);
        log.info({ op: 'quarantine', address: formatAddress(address) }, lines.quarantineEnded);
      }
    this.#settle(ledger);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  /** Milliseconds until it is tried again. */
  #left({ until }: Suspect): number {
    return until === undefined
      ? Number.POSITIVE_INFINITY
      : Date.parse(until) - this.#o.doors.clock.date().getTime();
  }

  #expire(): void {
    const ledger = this.#ledger;
    if (!ledger) return;
    const ended = ledger.quarantine.expire(this.#o.doors.clock.now());
    for (const { address } of ended)
      this.#o.doors.log.info({ op: 'quarantine', address: formatAddress(address) }, lines.quarantineEnded);
    this.#settle(ledger);
    if (ended.length > 0) this.#o.ended();
  }

  /** Shows what is kept back, and waits for the next end. */
  #settle(ledger: Ledger): void {
    const { clock } = this.#o.doors;
    const entries = ledger.quarantine.entries();
    const first = Math.min(...entries.map(({ until }) => until));
    if (Number.isFinite(first)) this.#queue.addAfter(LOOK, Math.min(first - clock.now(), DAY_MS));
    for (const labels of this.#shown.values()) this.#o.metrics.quarantined.remove(labels);
    this.#shown = new Map();
    for (const { address, reason, since } of entries.slice(0, SHOWN)) {
      const pool = poolOf(ledger.config, address)?.name;
      if (pool === undefined) continue;
      const labels = { pool, address: formatAddress(address), reason };
      this.#shown.set(labels.address, labels);
      this.#o.metrics.quarantined.set(
        labels,
        Math.round((clock.date().getTime() - clock.now() + since) / 1000),
      );
    }
  }
}
