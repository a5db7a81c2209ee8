#!/usr/bin/env node
import { hostname } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { connect } from '../platform/kube/client.ts';
import { systemClock } from '../platform/obs/clock.ts';
import { createLog } from '../platform/obs/log.ts';
import { Metrics } from '../platform/obs/metrics.ts';
import { systemRandom } from '../platform/obs/random.ts';
import { serveHealth } from '../platform/obs/server.ts';
import { NAME } from '../programs/reconciler/options.ts';
import { reconcile } from '../programs/reconciler/reconciler.ts';
import { type CommonFlags, execute, program, readFlags } from './flags.ts';
import { configDirOption, followLogLevel } from './settings.ts';

interface Flags extends CommonFlags {
  readonly configDir?: string;
  readonly release: string;
  readonly sourcesNamespaces: readonly string[];
  readonly podName: string;
}

/** Comma-separated names; may be given several times. */
function names(text: string, before: readonly string[]): readonly string[] {
  const list = text.split(',').filter((name) => name !== '');
  const bad = list.find((name) => !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name));
  if (bad !== undefined) throw new InvalidArgumentError(`"${bad}" is not the name of a namespace.`);
  return [...before, ...list];
}

const command = program(NAME, 'Makes the cluster hold the pools and advertisements that the sources say.');
for (const option of [
  new Option(
    '--release <name>',
    'name of the ConfigSource and, with "-values", of the Secret with the values',
  ).default('herald'),
  new Option('--sources-namespaces <names>', 'further namespaces whose labelled ConfigMaps are sources')
    .argParser(names)
    .default([], 'none'),
  configDirOption(),
  new Option('--pod-name <name>', 'identity in the Lease').env('METALLB_POD_NAME').default(''),
])
  command.addOption(option);

const flags = readFlags<Flags>(command);
await execute((signal) => main(flags, signal));

async function main(o: Flags, signal: AbortSignal): Promise<void> {
  const common = { clock: systemClock, random: systemRandom, metrics: new Metrics() };
  const log = createLog({ level: o.logLevel, clock: systemClock, fields: { program: NAME } });
  const settings = followLogLevel({ dir: o.configDir, level: o.logLevel, log, clock: systemClock });
  const where = o.kubeconfig === undefined ? {} : { kubeconfig: o.kubeconfig };
  // A thousand pools are written in one go: the budget must not make that take a minute.
  const client = await connect({ ...common, ...where, log, userAgent: NAME, qps: 500, burst: 1000 });
  const { namespace, release, sourcesNamespaces, podName } = o;
  const identity = podName === '' ? hostname() : podName;
  // Ready as soon as it runs: a source that cannot be rendered must not keep Helm from finishing an upgrade.
  const health = { ready: () => true as const, log, metrics: common.metrics };
  const ports = new Set([o.healthProbePort, o.port].filter((port) => port > 0));
  const servers = await Promise.all([...ports].map((port) => serveHealth({ ...health, port })));
  try {
    await reconcile({ ...common, client, log, namespace, release, sourcesNamespaces, identity }, signal);
  } finally {
    await Promise.all([settings, ...servers].map((part) => part.close()));
    await client.close();
  }
}
