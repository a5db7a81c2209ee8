#!/usr/bin/env node
import { hostname } from 'node:os';
import { Option } from 'commander';
import { connect } from '../platform/kube/client.ts';
import { systemClock } from '../platform/obs/clock.ts';
import { createLog } from '../platform/obs/log.ts';
import { Metrics } from '../platform/obs/metrics.ts';
import { systemRandom } from '../platform/obs/random.ts';
import { serveHealth } from '../platform/obs/server.ts';
import { controller, NAME } from '../programs/controller/controller.ts';
import {
  type CommonFlags,
  execute,
  goBoolean,
  ignored,
  ignoring,
  natural,
  positive,
  program,
  readFlags,
} from './flags.ts';
import { configDirOption, followLogLevel } from './settings.ts';

interface Flags extends CommonFlags {
  readonly configDir?: string;
  readonly podName: string;
  readonly lbClass: string;
  readonly bgpType?: string;
  readonly parallelWrites: number;
  readonly moveOverlap: number;
  readonly movesAtOnce: number;
  readonly stickyGrace: number;
  readonly probeBeforeUse: boolean;
  readonly apiQps: number;
  readonly mlSecretName: string;
  readonly deployment: string;
}

/** Upstream's: webhooks, their certificates and HTTPS metrics have no counterpart here. */
const MEANINGLESS =
  `webhook-mode disable-cert-rotation cert-dir cert-service-name webhook-secret webhook-http2
  tls-min-version tls-cipher-suites tls-curve-preferences metrics-cert-dir pprof-bind-address`.split(/\s+/);

/**
 * Speakers see a status within a fraction of a second and tell their neighbours at once, after 1.1 and after 2.2 seconds;
 * kube-proxy takes a second at most. What takes longer, such as names in DNS, needs a longer overlap.
 */
const MOVE_OVERLAP_S = 3;

const command = ignoring(
  program(NAME, 'Gives Services of type LoadBalancer addresses from IPAddressPools.'),
  MEANINGLESS,
);
for (const option of [
  new Option('--pod-name <name>', 'identity in the Lease, owner of the ConfigurationState')
    .env('METALLB_POD_NAME')
    .default(''),
  new Option('--lb-class <class>', 'serve only Services of this loadBalancerClass')
    .env('HERALD_LB_CLASS')
    .default('', 'those without one'),
  new Option('--bgp-type <type>', 'refuse what this BGP implementation cannot do')
    .choices(['native', 'frr', 'frr-k8s'])
    .env('METALLB_BGP_TYPE'),
  new Option('--parallel-writes <n>', 'status writes under way at once').argParser(positive).default(32),
  new Option(
    '--move-overlap <seconds>',
    'how long a Service that leaves a moving range shows its old and its new address',
  )
    .argParser(positive)
    .default(MOVE_OVERLAP_S),
  new Option('--moves-at-once <n>', 'Services that leave moving ranges at one time')
    .argParser(positive)
    .default(1),
  new Option(
    '--sticky-grace <seconds>',
    'how long the address of a deleted Service is kept for one of its name, unless others would have none',
  )
    .argParser(natural)
    .default(0, '0: not at all, as MetalLB'),
  new Option(
    '--probe-before-use [bool]',
    'have the speakers ask on the network whether an address is in use before it is given out for the first time',
  )
    .argParser(goBoolean)
    .preset('true')
    .default(false),
  new Option('--ml-secret-name <name>', 'Secret with the key of the ring of speakers, made if there is none')
    .env('METALLB_ML_SECRET_NAME')
    .default('', 'none is made'),
  new Option('--deployment <name>', 'Deployment that owns that Secret').env('METALLB_DEPLOYMENT').default(''),
  new Option('--api-qps <n>', 'requests to the API server a second, on average')
    .argParser(positive)
    .default(1000),
])
  command.addOption(option);

command.addOption(configDirOption());
const flags = readFlags<Flags>(command);
await execute((signal) => main(flags, signal));

async function main(o: Flags, signal: AbortSignal): Promise<void> {
  const common = { clock: systemClock, random: systemRandom, metrics: new Metrics() };
  const log = createLog({ level: o.logLevel, clock: systemClock, fields: { program: NAME } });
  for (const flag of ignored(command, MEANINGLESS))
    log.warn({ op: 'start', flag }, 'flag has no meaning here and is ignored');
  const settings = followLogLevel({ dir: o.configDir, level: o.logLevel, log, clock: systemClock });
  // Beside the status writes there are the Lease, events, counters and reads.
  const budget = { qps: o.apiQps, burst: 2 * o.apiQps, concurrency: o.parallelWrites + 8 };
  const where = o.kubeconfig === undefined ? {} : { kubeconfig: o.kubeconfig };
  const client = await connect({ ...common, ...where, ...budget, log, userAgent: NAME });
  const { namespace, podName, lbClass: loadBalancerClass, bgpType, parallelWrites: parallel } = o;
  const named = { namespace, podName, identity: podName === '' ? hostname() : podName };
  const moves = { overlapMs: o.moveOverlap * 1000, atOnce: o.movesAtOnce };
  const rules = {
    loadBalancerClass,
    parallel,
    moves,
    stickyMs: o.stickyGrace * 1000,
    probeBeforeUse: o.probeBeforeUse,
    ...(bgpType !== undefined && { bgpType }),
    ...(o.mlSecretName !== '' && { ringKey: { secret: o.mlSecretName, deployment: o.deployment } }),
  };
  const { ready, run } = controller({ ...common, client, log, ...named, ...rules });
  const health = { ready, log, metrics: common.metrics };
  const ports = new Set([o.healthProbePort, o.port].filter((port) => port > 0));
  const servers = await Promise.all([...ports].map((port) => serveHealth({ ...health, port })));
  try {
    await run(signal);
  } finally {
    await Promise.all([settings, ...servers].map((part) => part.close()));
    await client.close();
  }
}
