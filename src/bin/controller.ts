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
import { type CommonFlags, execute, ignored, ignoring, positive, program, readFlags } from './flags.ts';

interface Flags extends CommonFlags {
  readonly podName: string;
  readonly lbClass: string;
  readonly bgpType?: string;
  readonly parallelWrites: number;
  readonly apiQps: number;
}

/** Upstream's: webhooks, their certificates, HTTPS metrics and the memberlist secret have no counterpart here. */
const MEANINGLESS = [
  ...[
    'webhook-mode',
    'disable-cert-rotation',
    'cert-dir',
    'cert-service-name',
    'webhook-secret',
    'webhook-http2',
  ],
  ...[
    'tls-min-version',
    'tls-cipher-suites',
    'tls-curve-preferences',
    'metrics-cert-dir',
    'pprof-bind-address',
  ],
  ...['ml-secret-name', 'deployment'],
];

const command = ignoring(
  program(NAME, 'Gives Services of type LoadBalancer addresses from IPAddressPools.')
    .addOption(
      new Option('--pod-name <name>', 'identity in the Lease, owner of the ConfigurationState')
        .env('METALLB_POD_NAME')
        .default(''),
    )
    .addOption(
      new Option('--lb-class <class>', 'serve only Services of this loadBalancerClass').default(
        '',
        'those without one',
      ),
    )
    .addOption(
      new Option('--bgp-type <type>', 'refuse what this BGP implementation cannot do')
        .choices(['native', 'frr', 'frr-k8s'])
        .env('METALLB_BGP_TYPE'),
    )
    .addOption(
      new Option('--parallel-writes <n>', 'status writes under way at once').argParser(positive).default(32),
    )
    .addOption(
      new Option('--api-qps <n>', 'requests to the API server a second, on average')
        .argParser(positive)
        .default(1000),
    ),
  MEANINGLESS,
);
const flags = readFlags<Flags>(command);

await execute(async (signal) => {
  const [clock, random, metrics] = [systemClock, systemRandom, new Metrics()];
  const log = createLog({ level: flags.logLevel, clock, fields: { program: NAME } });
  for (const flag of ignored(command, MEANINGLESS))
    log.warn({ op: 'start', flag }, 'flag has no meaning here and is ignored');
  const { kubeconfig, namespace, podName, lbClass, bgpType, parallelWrites, apiQps } = flags;
  const budget = { qps: apiQps, burst: 2 * apiQps, concurrency: parallelWrites + 8 };
  const client = await connect({
    ...(kubeconfig && { kubeconfig }),
    log,
    clock,
    random,
    metrics,
    userAgent: NAME,
    ...budget,
  });
  const program = controller({
    ...{ client, log, clock, random, metrics, namespace, podName },
    identity: podName || hostname(),
    loadBalancerClass: lbClass,
    ...(bgpType && { bgpType }),
    parallel: parallelWrites,
  });
  const servers = await Promise.all([
    serveHealth({ host: '::', port: flags.healthProbePort, ready: program.ready, log }),
    ...(flags.port > 0
      ? [serveHealth({ host: '::', port: flags.port, ready: program.ready, metrics, log })]
      : []),
  ]);
  try {
    await program.run(signal);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await client.close();
  }
});
