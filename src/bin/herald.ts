#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import * as imports from '../programs/cli/import.ts';
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

try {
  await herald.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
}
