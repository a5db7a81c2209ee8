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

herald
  .command('validate')
  .description(
    'check values files and ConfigMaps with values; exit code 0: fine, 1: problems, 2: cannot read',
  )
  .argument('<file...>', 'YAML or JSON files')
  .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'))
  .action(async (files: string[], o: { output: 'text' | 'json' }) => {
    const result = await validate(files);
    process.stdout.write(`${o.output === 'json' ? asJson(result) : asText(result)}\n`);
    process.exitCode = exitCodeOf(result);
  });

try {
  await herald.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
}
