#!/usr/bin/env node
import { once } from 'node:events';
import { Option } from 'commander';
import { connect } from '../platform/kube/client.ts';
import { libcSockets } from '../platform/linux/libc.ts';
import { systemClock } from '../platform/obs/clock.ts';
import { createLog } from '../platform/obs/log.ts';
import { Metrics } from '../platform/obs/metrics.ts';
import { systemRandom } from '../platform/obs/random.ts';
import { serveHealth } from '../platform/obs/server.ts';
import { Speaker } from '../programs/speaker/speaker.ts';
import {
  type CommonFlags,
  execute,
  goBoolean,
  ignored,
  ignoring,
  positive,
  program,
  readFlags,
} from './flags.ts';

const NAME = 'herald-speaker';

interface Flags extends CommonFlags {
  readonly nodeName: string;
  readonly podName: string;
  readonly lbClass: string;
  readonly mlLabels: readonly string[];
  readonly ignoreExcludeLb: boolean;
  readonly configDir: string;
  readonly healthBindAddress: string;
  readonly apiQps: number;
}

/** Upstream's: the member list, BGP and HTTPS metrics have no counterpart here, or not yet. */
const MEANINGLESS =
  `host ml-bindaddr ml-bindport ml-secret-key-path ml-wan-config bgp-debounce-timeout frrk8s-namespace
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
  new Option('--lb-class <class>', 'serve only Services of this loadBalancerClass').default(
    '',
    'those without one',
  ),
  new Option('--ml-labels <selector>', 'label selector of speaker Pods, may be repeated')
    .env('METALLB_ML_LABELS')
    .argParser(selectors)
    .default([], 'every Ready node has a speaker'),
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
  const log = createLog({
    level: o.logLevel,
    clock: systemClock,
    fields: { program: NAME, node: o.nodeName },
  });
  for (const flag of ignored(command, MEANINGLESS))
    log.warn({ op: 'start', flag }, 'flag has no effect here');
  const { kubeconfig, namespace, nodeName: node, configDir, ignoreExcludeLb, logLevel } = o;
  const where = kubeconfig === undefined ? {} : { kubeconfig };
  const budget = { qps: o.apiQps, burst: 2 * o.apiQps };
  const client = await connect({ ...common, ...where, ...budget, log, userAgent: NAME });
  const names = {
    ...(o.podName !== '' && { podName: o.podName }),
    ...(o.lbClass !== '' && { lbClass: o.lbClass }),
  };
  const options = { node, namespace, configDir, ignoreExcludeLb, speakerSelectors: o.mlLabels, ...names };
  const speaker = await Speaker.start({ ...common, client, log, sockets: libcSockets(), logLevel }, options);
  const health = { ready: () => speaker.ready, log };
  const ends: (() => Promise<void>)[] = [() => speaker.close()];
  try {
    if (o.healthProbePort > 0) {
      const server = await serveHealth({ ...health, host: o.healthBindAddress, port: o.healthProbePort });
      ends.push(() => server.close());
    }
    if (o.port > 0) {
      const server = await serveHealth({ ...health, host: '::', port: o.port, metrics: common.metrics });
      ends.push(() => server.close());
    }
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    // The health port answers to the last: "stopping" is what tells others to look elsewhere.
    for (const end of ends) await end();
    await client.close();
  }
}
