#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { KubeClient } from '../platform/kube/client.ts';
import { systemClock } from '../platform/obs/clock.ts';
import * as imports from '../programs/cli/import.ts';
import { approve } from '../programs/cli/plan/cluster.ts';
import { FORMATS, type Format, plan, snapshot } from '../programs/cli/plan/command.ts';
import { asJson, asText, exitCodeOf, validate } from '../programs/cli/validate.ts';
import { WHY_FORMATS, type WhyCommand, whyOf } from '../programs/cli/why/command.ts';
import { connectTo } from './cluster.ts';
import { exitCode } from './flags.ts';

const herald = new Command('herald')
  .description('Herald on the command line.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

herald
  .command('version')
  .description('print the version')
  .action(() => {
    process.stdout.write(`${manifest.version}\n`);
  });

interface ReadOptions {
  readonly output: 'text' | 'json';
  readonly namespace?: string;
  readonly fluxKustomization?: string;
}

/** A command that reads what an operator keeps in git. */
function reading(name: string, argument: string): Command {
  return herald
    .command(name)
    .argument(argument, 'YAML or JSON files, folders, overlays; - is standard input')
    .option('-n, --namespace <name>', "Herald's namespace; otherwise as the files tell, or metallb-system")
    .option('--flux-kustomization <file>', 'build the folders as the Flux Kustomizations in this file say');
}
const output = (): Option =>
  new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text');

reading('validate', '<path...>')
  .description('check files, folders and overlays; exit code 0: fine, 1: errors, 2: cannot read or build')
  .addOption(output())
  .action(async (paths: string[], o: ReadOptions) => {
    const result = await validate(paths, o);
    process.stdout.write(`${o.output === 'json' ? asJson(result) : asText(result)}\n`);
    process.exitCode = exitCodeOf(result);
  });

reading('import', '<file...>')
  .description("print what the files say as Herald's own values; exit codes as for validate")
  .option('--with-passwords', 'print passwords of BGP peers, in place of references to Secrets')
  .addOption(output())
  .action(async (paths: string[], o: ReadOptions & { readonly withPasswords?: boolean }) => {
    const result = await imports.importValues(paths, o);
    if (o.output === 'json') process.stdout.write(`${imports.asJson(result)}\n`);
    else {
      process.stderr.write(imports.problemText(result));
      process.stdout.write(imports.asYaml(result));
    }
    process.exitCode = exitCodeOf(result);
  });

interface ClusterOptions {
  readonly namespace?: string;
  readonly kubeconfig?: string;
}

type WhyFlags = Pick<WhyCommand, 'namespace' | 'snapshot' | 'output' | 'lbClass'>;

/** A command that asks a cluster. */
function asking(command: Command): Command {
  return command.addOption(
    new Option('--kubeconfig <path>', 'which cluster, and who asks (default: ~/.kube/config)').env(
      'KUBECONFIG',
    ),
  );
}
const namespace = (): Option =>
  new Option('-n, --namespace <name>', "Herald's namespace").default('metallb-system');

/** Runs a command against a cluster; what goes wrong is one line and exit code 1. */
async function against<T>(
  o: ClusterOptions,
  act: (connect: () => Promise<KubeClient>) => Promise<T>,
): Promise<T | undefined> {
  let client: KubeClient | undefined;
  try {
    return await act(async () => (client ??= await connectTo(o.kubeconfig)));
  } catch (e) {
    process.stderr.write(`herald: ${e instanceof Error ? e.message : String(e)}\n`);
    process.exitCode = exitCode.failed;
    return undefined;
  } finally {
    await client?.close();
  }
}

asking(reading('plan', '[path...]'))
  .description(
    'show what a commit would do to live Services, or without a path what waits in the cluster; exit code 0: no change, 2: a change, 3: held, 1: error',
  )
  .option('--snapshot <file>', 'plan against this file, not a cluster')
  .addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('text'))
  .action(
    async (paths: string[], o: ReadOptions & ClusterOptions & { output: Format; snapshot?: string }) => {
      const answer = await against(o, (connect) => plan(paths, { ...o, connect }));
      if (!answer) return;
      process.stdout.write(answer.text);
      process.exitCode = answer.exitCode;
    },
  );

asking(herald.command('why'))
  .description(
    'explain what address a Service has or why it has none, pool by pool, and who announces it; exit code 0: it has one, or none is due, 2: it waits, 1: error',
  )
  .argument('<service>', 'NAMESPACE/NAME; a name alone is in namespace default')
  .option('--snapshot <file>', 'explain from this file, not a cluster')
  .addOption(
    new Option('--lb-class <class>', 'the loadBalancerClass that Herald serves').default(
      '',
      'Services without one',
    ),
  )
  .addOption(new Option('-o, --output <format>', 'how to print').choices(WHY_FORMATS).default('text'))
  .addOption(namespace())
  .action(async (service: string, o: ClusterOptions & WhyFlags) => {
    const answer = await against(o, (connect) => whyOf(service, { ...o, connect, now: systemClock.date() }));
    if (!answer) return;
    process.stdout.write(answer.text);
    process.exitCode = answer.exitCode;
  });

asking(herald.command('snapshot'))
  .description('print what `herald plan --snapshot` and `herald why --snapshot` work with; holds no Secret')
  .addOption(namespace())
  .action(async (o: ClusterOptions & { namespace: string }) => {
    const text = await against(o, async (connect) => snapshot(await connect(), o.namespace));
    if (text !== undefined) process.stdout.write(text);
  });

asking(herald.command('approve'))
  .description('let the plan of a source go on although Services lose what they have')
  .argument('<source>', 'name of the Plan, which is that of the ConfigSource')
  .option('--digest <digest>', 'approve it only if it is this one; eight digits or more')
  .addOption(namespace())
  .action(async (source: string, o: ClusterOptions & { namespace: string; digest?: string }) => {
    const result = await against(o, async (connect) => approve(await connect(), { ...o, source }));
    if (!result) return;
    if ('approved' in result) process.stdout.write(`approved ${result.approved}: ${result.summary}\n`);
    else {
      process.stderr.write(`herald: ${result.refused}\n`);
      process.exitCode = exitCode.failed;
    }
  });

try {
  await herald.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
}
