import type { Service } from '../../domain/api/core.ts';
import { AddressQuotas, Reservations } from '../../domain/api/herald.ts';
import { keyOf } from '../../domain/api/object.ts';
import type { Address } from '../../domain/ip/address.ts';
import type { Ledger } from '../../domain/ipam/ledger.ts';
import { rememberedIn, remembersFor } from '../../domain/ipam/reserve.ts';
import { EventRecorder } from '../../platform/kube/events.ts';
import type { Metrics } from '../../platform/obs/metrics.ts';
import { BeforeUse } from './before-use.ts';
import { type Caches, caches, missing, whenComplete } from './caches.ts';
import type { Doors } from './doors.ts';
import { aboutPool, eventOfWarning, lines } from './events.ts';
import { ServiceLoop } from './loop.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { MoveOptions } from './mover.ts';
import { Probes } from './probes.ts';
import { Quarantines } from './quarantines.ts';
import { standing as standingOfQuota } from './quotas.ts';
import { Report } from './report.ts';
import { standing } from './reservations.ts';
import { type Memory, Settings } from './settings.ts';
import { Statuses } from './statuses.ts';
import { Trends } from './trends.ts';
import { Usage } from './usage.ts';

/** Events that are not sent by then are not sent: a process that ends has four seconds. */
const LAST_EVENTS_MS = 500;

export interface SessionOptions {
  readonly doors: Doors;
  readonly podName: string;
  readonly loadBalancerClass: string;
  readonly bgpType: string | undefined;
  readonly parallel: number;
  readonly moves: MoveOptions;
  readonly stickyMs: number;
  /** Speakers are asked about an address before it is given out for the first time. */
  readonly probeBeforeUse: boolean;
  readonly memory: Memory;
  readonly metrics: Metrics;
  readonly own: ControllerMetrics;
  /** Hears why the session cannot work yet; undefined once it does. */
  readonly waiting: (reason: () => string | undefined) => void;
}

/**
 * One leadership: fills the caches, adopts, serves until the signal aborts, and ends with nothing under way. It begins with
 * nothing remembered but the last good Config, so that it sees what other leaders did meanwhile.
 */
export async function session(o: SessionOptions, signal: AbortSignal): Promise<void> {
  const { doors, own, metrics } = o;
  doors.log.info({ op: 'session' }, lines.leading);
  const all = caches(doors, metrics);
  o.waiting(() => missing(all));
  const { clock, log } = doors;
  const events = recorder(o);
  const probes = new Probes({ doors, cache: all.probes });
  const beforeUse = o.probeBeforeUse
    ? new BeforeUse({
        ask: (address) => probes.ask(address),
        events,
        log,
        metrics: own,
        taken: (address, reason) => quarantines.found(address, reason),
      })
    : undefined;
  const loop = new ServiceLoop({
    doors,
    services: all.services,
    events,
    metrics: own,
    loadBalancerClass: o.loadBalancerClass,
    parallel: o.parallel,
    moves: o.moves,
    stickyMs: o.stickyMs,
    used: (pool) => {
      usage.touch(pool);
      touch();
    },
    prepare: (ledger) => quarantines.follow(ledger),
    ...(beforeUse && {
      mayUse: (service: Service, addresses: readonly Address[]) => beforeUse.mayUse(service, addresses),
    }),
    remembered: () => rememberedIn(all.reservations.store.list()),
    remember: (key) => shows.remember(key),
  });
  const quarantines = new Quarantines({ doors, metrics: own, ended: () => loop.wake() });
  const shows = showing({ doors, all, own, ledger: () => loop.ledger });
  const touch = () => shows.touch();
  const usage = new Usage({
    doors,
    pools: all.pools.store,
    counters: (pool) => loop.counters(pool),
    metrics: own,
  });
  const report = new Report({ doors, cache: all.states, podName: o.podName });
  const settings = new Settings({
    doors,
    caches: all,
    memory: o.memory,
    metrics: own,
    bgpType: o.bgpType,
    apply: (config) => {
      loop.apply(config);
      touch();
    },
    report: (problems) => report.tell(problems),
    warn: (pool, problem) => events.record(aboutPool(pool), eventOfWarning(problem)),
  });
  const stop = all.pools.onChange((key) => usage.touch(key.slice(key.indexOf('/') + 1)));
  const stopNoting = noting(all, beforeUse);
  try {
    for (const reflector of Object.values(all)) reflector.start();
    settings.start(await whenComplete(all, doors, signal));
    await aborted(signal);
  } finally {
    stop();
    stopNoting();
    await settings.close();
    // Writes may wait for an answer.
    await probes.close();
    await loop.close();
    await Promise.all([usage.close(), report.close(), shows.close(), quarantines.close()]);
    await Promise.race([events.flush(), clock.sleep(LAST_EVENTS_MS)]);
    await Promise.all([events.close(), ...Object.values(all).map((reflector) => reflector.close())]);
    o.waiting(() => undefined);
    doors.log.info({ op: 'session' }, lines.stopped);
  }
}

function recorder({ doors, podName }: SessionOptions): EventRecorder {
  const { client, clock, log, fieldManager } = doors;
  return new EventRecorder({ client, component: fieldManager, instance: podName, clock, log });
}

/** Has it see each Service as it changes. */
function noting({ services }: Caches, beforeUse: BeforeUse | undefined): () => void {
  return services.onChange((key) => {
    const service = services.store.get(key);
    if (service) beforeUse?.note(service);
  });
}

interface Showing {
  readonly doors: Doors;
  readonly all: Caches;
  readonly own: ControllerMetrics;
  readonly ledger: () => Ledger | undefined;
}

/** What tells of the ledger beside the Services and their pools: Reservations, AddressQuotas and the trends of pools. */
function showing({ doors, all, own, ledger }: Showing): {
  touch(): void;
  /** Has those Reservations say now what the Service has that name it without addresses. */
  remember(key: string): Promise<void>;
  close(): Promise<unknown>;
} {
  const reserved = new Statuses({
    doors,
    kind: Reservations,
    cache: all.reservations,
    say: (object) => {
      const now = ledger();
      return now && standing(now, object);
    },
  });
  const quotas = new Statuses({
    doors,
    kind: AddressQuotas,
    cache: all.quotas,
    say: (object) => {
      const now = ledger();
      return now && standingOfQuota(object, now.quotaUses, [...all.namespaces.store.list()]);
    },
  });
  const parts = [reserved, quotas, new Trends({ doors, metrics: own, ledger })];
  return {
    touch: () => {
      for (const part of parts) part.touch();
    },
    async remember(key) {
      const named = [...all.reservations.store.list()].filter((object) => remembersFor(object) === key);
      await Promise.all(named.map((object) => reserved.now(keyOf(object))));
    },
    close: () => Promise.all(parts.map((part) => part.close())),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
