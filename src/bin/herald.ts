#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { asJson, asText, exitCodeOf, validate } from '../programs/cli/validate.ts';
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

try {
  await herald.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
}
