import type { Counters } from '../../domain/ipam/counters.ts';
import type { Metrics } from '../../platform/obs/metrics.ts';

/** Upstream's names where it has one, so that dashboards and alerts go on working; ours begin with `herald_`. */
export function controllerMetrics(metrics: Metrics) {
  return {
    updates: metrics.counter({
      name: 'metallb_k8s_client_updates_total',
      help: 'Services and configurations looked at',
    }),
    updateErrors: metrics.counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Of these, such as ended without an address or with a failed write',
    }),
    configLoaded: metrics.gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 once a configuration was accepted',
    }),
    configStale: metrics.gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 while the present objects are refused and an older configuration is in force',
    }),
    leading: metrics.gauge({
      name: 'herald_controller_leading',
      help: '1 on the replica that decides and writes',
    }),
    services: metrics.gauge({
      name: 'herald_controller_services',
      help: 'LoadBalancer Services by what became of them',
      labels: ['state'] as const,
    }),
    refusals: metrics.counter({
      name: 'herald_controller_refusals_total',
      help: 'Passes that ended without an address, by reason',
      labels: ['reason'] as const,
    }),
    writes: metrics.counter({
      name: 'herald_controller_status_writes_total',
      help: 'Writes of Service status, by outcome',
      labels: ['outcome'] as const,
    }),
    probed: metrics.counter({
      name: 'herald_controller_probes_total',
      help: 'Addresses that speakers were asked about before they were given out, by result',
      labels: ['result'] as const,
    }),
    movesUnderWay: metrics.gauge({
      name: 'herald_controller_moves_under_way',
      help: 'Moves of Services out of moving ranges that have begun and not ended; those of Services that share an address are one',
    }),
    movesHeld: metrics.gauge({
      name: 'herald_controller_moves_held',
      help: 'Services that have to leave their range and cannot; their condition says why',
    }),
    moves: metrics.counter({
      name: 'herald_controller_moves_total',
      help: 'Moves of Services that ended, by outcome: moved, or undone',
      labels: ['outcome'] as const,
    }),
    allocation: metrics.histogram({
      name: 'herald_controller_allocation_seconds',
      help: 'From a Service being seen without address to its status being written',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    }),
    ...poolMetrics(metrics),
    ...trendMetrics(metrics),
    quarantined: metrics.gauge({
      name: 'herald_quarantined_since_seconds',
      help: 'Since when an address is kept back as it is in use elsewhere, Unix time',
      labels: ['pool', 'address', 'reason'] as const,
    }),
  };
}

export type ControllerMetrics = ReturnType<typeof controllerMetrics>;

/** How full each pool is, in all and by family. */
function poolMetrics(metrics: Metrics) {
  const pool = ['pool'] as const;
  const families = [
    { word: '', text: 'addresses' },
    { word: 'ipv4_', text: 'IPv4 addresses' },
    { word: 'ipv6_', text: 'IPv6 addresses' },
  ] as const;
  const total = families.map(({ word, text }) =>
    metrics.gauge({
      name: `metallb_allocator_${word}addresses_total`,
      help: `Usable ${text} of the pool`,
      labels: pool,
    }),
  );
  const used = families.map(({ word, text }) =>
    metrics.gauge({
      name: `metallb_allocator_${word}addresses_in_use_total`,
      help: `Distinct ${text} in use from the pool`,
      labels: pool,
    }),
  );
  return {
    /** Shows how full a pool is. */
    pool(name: string, c: Counters): void {
      const inUse = [c.assignedIPv4 + c.assignedIPv6, c.assignedIPv4, c.assignedIPv6];
      const free = [c.availableIPv4 + c.availableIPv6, c.availableIPv4, c.availableIPv6];
      for (const [i, count] of inUse.entries()) {
        used[i]?.set({ pool: name }, Number(count));
        total[i]?.set({ pool: name }, Number(count + (free[i] ?? 0n)));
      }
    },
    forgetPool(name: string): void {
      for (const gauge of [...total, ...used]) gauge.remove({ pool: name });
    },
  };
}

/** What is known of one family of a pool. */
export interface Trend {
  readonly pool: string;
  readonly family: string;
  readonly used: number;
  readonly free: number;
  /** Addresses that nobody has and that are not free, by what keeps them back. */
  readonly withheld: Readonly<Record<'draining' | 'quarantined' | 'reserved', number>>;
  /** Addresses of the longest free run. */
  readonly longest: number;
  /** Until nothing is free; undefined: too little is known. */
  readonly seconds: number | undefined;
}

const REASONS = ['draining', 'quarantined', 'reserved'] as const;

/** Where pools are heading, by family. */
function trendMetrics(metrics: Metrics) {
  const labels = ['pool', 'family'] as const;
  const gauge = (name: string, help: string) => metrics.gauge({ name: `herald_pool_${name}`, help, labels });
  const used = gauge('addresses_used', 'Distinct addresses in use');
  const free = gauge('addresses_free', 'Addresses that everybody could get who may use the pool');
  const withheld = metrics.gauge({
    name: 'herald_pool_addresses_withheld',
    help: 'Addresses that nobody has and not everybody could get: in draining ranges, in use elsewhere (quarantined), or reserved',
    labels: ['pool', 'family', 'reason'] as const,
  });
  const longest = gauge('largest_free_block', 'Addresses of the longest run of free ones');
  const seconds = gauge(
    'exhaustion_seconds',
    'Seconds until no address is free, at the rate of the last hour; +Inf while use does not grow, absent for the first ten minutes',
  );
  return {
    trend(t: Trend): void {
      const at = { pool: t.pool, family: t.family };
      used.set(at, t.used);
      free.set(at, t.free);
      for (const reason of REASONS) withheld.set({ ...at, reason }, t.withheld[reason]);
      longest.set(at, t.longest);
      if (t.seconds === undefined) seconds.remove(at);
      else seconds.set(at, t.seconds);
    },
    forgetTrend(pool: string, family: string): void {
      for (const metric of [used, free, longest, seconds]) metric.remove({ pool, family });
      for (const reason of REASONS) withheld.remove({ pool, family, reason });
    },
  };
}
