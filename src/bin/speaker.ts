#!/usr/bin/env node
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { Option } from 'commander';
import { connect } from '../platform/kube/client.ts';
import { libcSockets } from '../platform/linux/libc.ts';
import { systemClock } from '../platform/obs/clock.ts';
import { createLog } from '../platform/obs/log.ts';
import { Metrics } from '../platform/obs/metrics.ts';
import { systemRandom } from '../platform/obs/random.ts';
import { type HealthOptions, serveHealth } from '../platform/obs/server.ts';
import { RING_PROFILES, type RingOptions, type SpeakerOptions } from '../programs/speaker/options.ts';
import { Speaker } from '../programs/speaker/speaker.ts';
import {
  type CommonFlags,
  execute,
  goBoolean,
  ignored,
  ignoring,
  portNumber,
  positive,
  program,
  readFlags,
} from './flags.ts';

const NAME = 'herald-speaker';

// By default V8 lets the heap grow by half and more before it is cleaned: with ten thousand addresses, 15 MiB on each node.
setFlagsFromString('--heap-growing-percent=20');

interface Flags extends CommonFlags {
  readonly nodeName: string;
  readonly podName: string;
  readonly lbClass: string;
  readonly mlLabels: readonly string[];
  readonly mlBindaddr: string;
  readonly mlBindport: number;
  readonly mlSecretKeyPath: string;
  readonly mlWanConfig: boolean;
  readonly mlProfile: 'fast' | 'lan';
  readonly ignoreExcludeLb: boolean;
  readonly configDir: string;
  readonly healthBindAddress: string;
  readonly apiQps: number;
}

/** Upstream's: BGP and HTTPS metrics have no counterpart here, or not yet. */
const MEANINGLESS = `host bgp-debounce-timeout frrk8s-namespace
  frrk8s-secret-passthrough pprof-bind-address tls-min-version tls-cipher-suites tls-curve-preferences
  metrics-cert-dir`.split(/\s+/);

/** Several selectors: the option again, or `;` between them in the environment, as `,` is part of a selector. */
const selectors = (text: string, before: readonly string[]): readonly string[] => [
  ...before,
  ...text.split(';').filter((part) => part.trim() !== ''),
];

const command = ignoring(program(NAME, 'Announces addresses of Services on the local network.'), MEANINGLESS);
for (const option of [
  new Option('--node-name <name>', 'Node that this process speaks for')
    .env('METALLB_NODE_NAME')
    .makeOptionMandatory(),
  new Option('--pod-name <name>', 'owner of the status objects').env('METALLB_POD_NAME').default(''),
  new Option('--lb-class <class>', 'serve only Services of this loadBalancerClass')
    .env('HERALD_LB_CLASS')
    .default('', 'those without one'),
  new Option('--ml-labels <selector>', 'label selector of speaker Pods, may be repeated')
    .env('METALLB_ML_LABELS')
    .argParser(selectors)
    .default([], 'every Ready node has a speaker'),
  new Option('--ml-bindaddr <address>', 'where the other speakers reach this one, to find a dead one fast')
    .env('METALLB_ML_BIND_ADDR')
    .default('', 'only the API server tells who lives'),
  new Option('--ml-bindport <port>', 'the same for all speakers, UDP and TCP')
    .env('METALLB_ML_BIND_PORT')
    .argParser(portNumber)
    .default(7946),
  new Option('--ml-secret-key-path <path>', 'directory with the file secretkey, followed live')
    .env('METALLB_ML_SECRET_KEY_PATH')
    .default('', 'nothing is encrypted'),
  new Option('--ml-profile <profile>', 'how fast a dead speaker is found: within one second, or within seven')
    .choices(['fast', 'lan'])
    .default('fast'),
  new Option('--ml-wan-config [bool]', 'speakers are far from each other')
    .argParser(goBoolean)
    .preset('true')
    .default(false),
  new Option('--ignore-exclude-lb [bool]', 'announce from nodes labelled as excluded, too')
    .argParser(goBoolean)
    .preset('true')
    .default(false),
  new Option('--config-dir <path>', 'mounted settings, followed live').default('/etc/herald/speaker'),
  new Option('--health-bind-address <address>', 'where /healthz and /readyz listen').default('127.0.0.1'),
  new Option('--api-qps <n>', 'requests to the API server a second').argParser(positive).default(200),
])
  command.addOption(option);

const flags = readFlags<Flags>(command);
await execute((signal) => main(flags, signal));

async function main(o: Flags, signal: AbortSignal): Promise<void> {
  const common = { clock: systemClock, random: systemRandom, metrics: new Metrics() };
  const fields = { program: NAME, node: o.nodeName };
  const log = createLog({ level: o.logLevel, clock: systemClock, fields });
  for (const flag of ignored(command, MEANINGLESS))
    log.warn({ op: 'start', flag }, 'flag has no effect here');
  const where = o.kubeconfig === undefined ? {} : { kubeconfig: o.kubeconfig };
  // No bursts: what is written tells of moves, and would be in their way.
  const budget = { qps: o.apiQps, burst: o.apiQps / 10 };
  const client = await connect({ ...common, ...where, ...budget, log, userAgent: NAME });
  const { logLevel } = o;
  const speaker = await Speaker.start(
    { ...common, client, log, sockets: libcSockets(), logLevel },
    options(o),
  );
  let servers: Server[] = [];
  try {
    servers = await serve(o, { ready: () => speaker.ready, log }, common.metrics);
    if (!signal.aborted) await Promise.race([once(signal, 'abort'), speaker.failed]);
  } finally {
    await speaker.close();
    // Only now: "stopping" is what told others to look elsewhere.
    await Promise.all(servers.map((server) => server.close()));
    await client.close();
  }
}

function options(o: Flags): SpeakerOptions {
  return {
    node: o.nodeName,
    namespace: o.namespace,
    configDir: o.configDir,
    ignoreExcludeLb: o.ignoreExcludeLb,
    speakerSelectors: o.mlLabels,
    ...(o.mlBindaddr !== '' && o.mlLabels.length > 0 && { ring: ring(o) }),
    ...(o.podName !== '' && { podName: o.podName }),
    ...(o.lbClass !== '' && { lbClass: o.lbClass }),
  };
}

function ring(o: Flags): RingOptions {
  const profile = RING_PROFILES[o.mlWanConfig ? 'wan' : o.mlProfile];
  const secret = o.mlSecretKeyPath === '' ? {} : { secretDir: o.mlSecretKeyPath };
  return { address: o.mlBindaddr, port: o.mlBindport, profile, ...secret };
}

type Server = Awaited<ReturnType<typeof serveHealth>>;

/** Health for this node's kubelet only, as upstream; metrics for everybody, over IPv4 alone where there is no IPv6. */
async function serve(
  o: Flags,
  health: Pick<HealthOptions, 'ready' | 'log'>,
  metrics: Metrics,
): Promise<Server[]> {
  const servers: Server[] = [];
  if (o.healthProbePort > 0) {
    servers.push(await serveHealth({ ...health, host: o.healthBindAddress, port: o.healthProbePort }));
  }
  if (o.port > 0) servers.push(await serveHealth({ ...health, port: o.port, metrics }));
  return servers;
}
