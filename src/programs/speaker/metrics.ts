import type { Counter, Gauge, Histogram, Metrics } from '../../platform/obs/metrics.ts';

/** Upstream's names, and what upstream does not show under `herald_speaker_`. */
export interface SpeakerMetrics {
  readonly announced: Gauge<'service' | 'protocol' | 'node' | 'ip'>;
  readonly requests: Counter<'ip'>;
  readonly replies: Counter<'ip'>;
  readonly gratuitous: Counter<'ip'>;
  readonly updates: Counter;
  readonly updateErrors: Counter;
  readonly configLoaded: Gauge;
  readonly configStale: Gauge;
  /** By protocol. */
  readonly drops: Readonly<Record<'arp' | 'ndp', Counter<'interface' | 'reason'>>>;
  readonly groupFailures: Counter<'interface'>;
  readonly sendErrors: Counter<'interface'>;
  readonly overruns: Counter<'interface'>;
  readonly conflicts: Counter<'ip'>;
  readonly conflicted: Gauge;
  readonly checks: Counter<'result'>;
  readonly repairs: Counter<'interface'>;
  readonly addresses: Gauge;
  readonly interfaces: Gauge;
  readonly announceSeconds: Histogram;
  readonly drainSeconds: Histogram;
  readonly takeovers: Counter;
  readonly moves: Counter<'cause'>;
  readonly withdrawals: Counter<'reason'>;
}

export function speakerMetrics(metrics: Metrics): SpeakerMetrics {
  const made = { ...upstreamMetrics(metrics), ...ownMetrics(metrics), ...othersMetrics(metrics) };
  // Shown from the start, as alerts on them would otherwise never fire.
  made.configLoaded.set({}, 0);
  made.configStale.set({}, 0);
  made.updates.inc({}, 0);
  made.updateErrors.inc({}, 0);
  return made;
}

function upstreamMetrics(metrics: Metrics) {
  return {
    announced: metrics.gauge({
      name: 'metallb_speaker_announced',
      help: 'Services being announced from this node. This is desired state, it does not guarantee that clients see it.',
      labels: ['service', 'protocol', 'node', 'ip'],
    }),
    requests: metrics.counter({
      name: 'metallb_layer2_requests_received',
      help: 'Requests received for addresses that this node announces.',
      labels: ['ip'],
    }),
    replies: metrics.counter({
      name: 'metallb_layer2_responses_sent',
      help: 'Responses sent for addresses that this node announces.',
      labels: ['ip'],
    }),
    gratuitous: metrics.counter({
      name: 'metallb_layer2_gratuitous_sent',
      help: 'Gratuitous packets sent after taking an address over.',
      labels: ['ip'],
    }),
    updates: metrics.counter({
      name: 'metallb_k8s_client_updates_total',
      help: 'Objects of the cluster that were processed.',
    }),
    updateErrors: metrics.counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Objects of the cluster whose processing failed.',
    }),
    configLoaded: metrics.gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 once a configuration was loaded.',
    }),
    configStale: metrics.gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 while the configuration in the cluster is refused and an older one in force.',
    }),
  };
}

function ownMetrics(metrics: Metrics) {
  return {
    drops: {
      arp: metrics.counter({
        name: 'herald_speaker_arp_dropped_total',
        help: 'ARP frames that got no answer, by reason. Those that the kernel filter drops are not among them.',
        labels: ['interface', 'reason'],
      }),
      ndp: metrics.counter({
        name: 'herald_speaker_ndp_dropped_total',
        help: 'Neighbour solicitations that got no answer, by reason. Those that the kernel filter drops are not among them.',
        labels: ['interface', 'reason'],
      }),
    },
    groupFailures: metrics.counter({
      name: 'herald_speaker_group_failures_total',
      help: 'Multicast groups that an interface could not join; solicitations may not arrive there.',
      labels: ['interface'],
    }),
    sendErrors: metrics.counter({
      name: 'herald_speaker_send_errors_total',
      help: 'Frames that could not be sent.',
      labels: ['interface'],
    }),
    overruns: metrics.counter({
      name: 'herald_speaker_overruns_total',
      help: 'Frames that the kernel dropped because they came faster than they were read.',
      labels: ['interface'],
    }),
    addresses: metrics.gauge({
      name: 'herald_speaker_addresses',
      help: 'Addresses that this node answers for.',
    }),
    interfaces: metrics.gauge({
      name: 'herald_speaker_interfaces',
      help: 'Interfaces on which this node answers.',
    }),
    announceSeconds: metrics.histogram({
      name: 'herald_speaker_announce_seconds',
      help: 'From the change that made this node announce a Service to the address being answered.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    }),
    drainSeconds: metrics.histogram({
      name: 'herald_speaker_drain_seconds',
      help: 'The longest time spent on the frames of one wake, each second: how long a frame may wait for those before it.',
      buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05],
    }),
    takeovers: metrics.counter({
      name: 'herald_speaker_takeovers_total',
      help: 'Services that this node began to announce.',
    }),
    moves: metrics.counter({
      name: 'herald_speaker_moves_total',
      help: 'Services that this node took over from another one, by cause.',
      labels: ['cause'],
    }),
    withdrawals: metrics.counter({
      name: 'herald_speaker_withdrawals_total',
      help: 'Services that this node stopped announcing, by reason.',
      labels: ['reason'],
    }),
  };
}

/** What other hosts and owners do. */
function othersMetrics(metrics: Metrics) {
  return {
    conflicts: metrics.counter({
      name: 'herald_speaker_conflicts_total',
      help: 'Other hosts that were found to have an address which this node announces.',
      labels: ['ip'],
    }),
    conflicted: metrics.gauge({
      name: 'herald_speaker_conflicted_addresses',
      help: 'Addresses of this node that another host has at the moment, too.',
    }),
    checks: metrics.counter({
      name: 'herald_speaker_checks_total',
      help: 'Questions to other nodes for their addresses (ask), and what was found: silent, back, two.',
      labels: ['result'],
    }),
    repairs: metrics.counter({
      name: 'herald_speaker_repairs_total',
      help: 'Times that an interface was opened anew, as other speakers did not hear it.',
      labels: ['interface'],
    }),
  };
}
